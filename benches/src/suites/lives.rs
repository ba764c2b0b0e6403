//! Starts and stops by `rc-service`: of ours, of OpenRC's script, and of a service that does
//! nothing, in turn.

use std::thread;

use rc_sv_exec::process::open_process;

use super::{alone, ours, rc_service, theirs, write, write_service, Suite};
use super::{BETWEEN, BEYOND, GONE, LONG, ROUNDS, START, STOP, UP};
use crate::contender::STAMP;
use crate::figure::Figure;
use crate::stamps::Stamps;
use crate::{clock, process, Result};

/// One of the services, and what was measured of it.
struct Life {
    service: String,
    shown: String,
    /// The number of its daemon; `None` where it has none.
    number: Option<u32>,
    starts: Vec<u64>,
    ups: Vec<u64>,
    stops: Vec<u64>,
    gone: Vec<u64>,
}

/// Measures them. Numbers begin with `first`.
pub(super) fn measure(suite: &Suite, stamps: &mut Stamps, first: u32) -> Result<Vec<Figure>> {
    let mut lives = vec![
        Life::new("ours", ours(suite.name), Some(first)),
        Life::new("nothing", alone(suite.name), None),
    ];
    let script = format!("command={STAMP}\nexport STAMP={first}\n");
    let conf = format!("rc_supervise_module={}\n", suite.name);
    write_service("ours", &script, &conf)?;
    write_service("nothing", "start() { :; }\nstop() { :; }\n", "")?;
    if !suite.stock.is_empty() {
        let number = first + 1;
        let run = format!("#!/bin/sh\nSTAMP={number} exec {STAMP}\n");
        write(&format!("/srv/bench/stock-{}/run", suite.name), &run, 0o755)?;
        write_service("theirs", "", suite.stock)?;
        lives.push(Life::new("theirs", theirs(suite.name), Some(number)));
    }
    // The first one fills caches, OpenRC's own among them.
    for life in &mut lives {
        life.live(stamps, 0)?;
        life.forget();
    }
    for round in 0..ROUNDS as u64 {
        // A start ends in step with the scanner that it waited for, and so would the next one: each
        // round begins at another time between two looks.
        let later = suite.period * round / ROUNDS as u64;
        for life in &mut lives {
            life.live(stamps, later)?;
        }
    }
    let mut figures: Vec<Figure> = lives.iter().flat_map(Life::figures).collect();
    let nothing = lives.iter().filter(|life| life.number.is_none());
    let own = nothing.flat_map(Life::figures);
    let own = own
        .filter(|figure| figure.section == STOP)
        .map(|it| it.median());
    let own = own.fold(0.0, f64::max) as u64;
    for life in lives.iter().filter(|life| life.number.is_some()) {
        let beyond: Vec<u64> = life.stops.iter().map(|ns| ns.saturating_sub(own)).collect();
        figures.push(Figure::ns(BEYOND, &life.shown, &beyond));
    }
    Ok(figures)
}

impl Life {
    fn new(service: &str, shown: String, number: Option<u32>) -> Life {
        Life {
            service: service.to_owned(),
            shown,
            number,
            starts: Vec::new(),
            ups: Vec::new(),
            stops: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// From a start, by so much later, to the end.
    fn live(&mut self, stamps: &mut Stamps, later: u64) -> Result<()> {
        // What was done within a second is put off by scanners and supervisors.
        let later = if self.number.is_some() { later } else { 0 };
        stamps.pass(clock::now() + BETWEEN + later)?;
        let begun = clock::now();
        self.starts.push(rc_service(&self.service, "start")?);
        let Some(number) = self.number else {
            self.stops.push(rc_service(&self.service, "stop")?);
            return Ok(());
        };
        let stamp = stamps.of(number, clock::in_seconds(LONG))?;
        self.ups.push(stamp.ns.saturating_sub(begun));
        stamps.pass(clock::now() + BETWEEN)?;
        let daemon = open_process(stamp.pid).map_err(|error| error.to_string())?;
        let begun = clock::now();
        let (ended, stop) = thread::scope(|scope| {
            let ended = scope.spawn(|| process::ended(&daemon, clock::in_seconds(LONG)));
            let stop = rc_service(&self.service, "stop");
            let ended = ended.join();
            (
                ended.unwrap_or_else(|_| Err("a thread panicked".into())),
                stop,
            )
        });
        let gone = ended?.saturating_sub(begun);
        self.stops.push(stop?.max(gone));
        self.gone.push(gone);
        stamps.forget(number..number + 1);
        Ok(())
    }

    fn forget(&mut self) {
        for figures in [
            &mut self.starts,
            &mut self.ups,
            &mut self.stops,
            &mut self.gone,
        ] {
            figures.clear();
        }
    }

    fn figures(&self) -> Vec<Figure> {
        let all = [
            (START, &self.starts),
            (UP, &self.ups),
            (STOP, &self.stops),
            (GONE, &self.gone),
        ];
        all.into_iter()
            .filter(|(_, samples)| !samples.is_empty())
            .map(|(section, samples)| Figure::ns(section, &self.shown, samples))
            .collect()
    }
}
