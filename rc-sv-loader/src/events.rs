//! Events of all services, whatever their modules offer: from a module's own stream, or from what a
//! snapshot has that the last one had not.

use crate::module::Stream;
use crate::services::{Failure, Report, Services};
use crate::watch::Watch;
use rc_sv_api::event::{Event, Kind};
use rc_sv_api::{Caps, Code, Result, State};
use std::os::fd::BorrowedFd;

/// The module's own setting by which its stream begins with what it remembers.
const REMEMBERED: &str = "remembered";

/// An event, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The module that has the service, as far as it is known.
    pub module: Option<String>,
    /// What happened.
    pub event: Event,
    /// So many events of its stream were lost just before it.
    pub lost: u64,
}

/// A stream of the events of all services.
pub struct Events<'a> {
    services: &'a Services,
    sources: Vec<Source>,
    /// Of the services of modules without a stream.
    watch: Watch,
    /// The module of each of these, at the last look.
    modules: Vec<(String, String)>,
    /// CLOCK_BOOTTIME in nanoseconds: what happened before is not meant.
    since: u64,
}

/// A module that has a stream of its own.
struct Source {
    module: String,
    /// `None` while its supervisor does not run.
    stream: Option<Stream>,
    /// The number of the last event.
    last: u64,
}

impl<'a> Events<'a> {
    /// Begins with what happens after `since`, by CLOCK_BOOTTIME in nanoseconds.
    ///
    /// # Errors
    /// OpenRC's state directory cannot be watched, or a module cannot be asked.
    pub fn follow(services: &'a Services, since: u64) -> std::result::Result<Events<'a>, Failure> {
        let mut sources = sources(services);
        for source in &mut sources {
            source.open(services, false)?;
        }
        let mut modules = Vec::new();
        let look = || look(services, &sources, &mut modules);
        let watch = Watch::open(services.svcdir(), None, look)?;
        Ok(Events {
            services,
            sources,
            watch,
            modules,
            since,
        })
    }

    /// Become readable when there may be something for [`Events::take`].
    pub fn fds(&self) -> Vec<BorrowedFd<'_>> {
        let streams = self.sources.iter().filter_map(|it| it.stream.as_ref());
        streams.map(Stream::fd).chain([self.watch.fd()]).collect()
    }

    /// The next event without blocking, or `None`.
    ///
    /// # Errors
    /// The state directory cannot be watched any more, or a module cannot be asked.
    pub fn take(&mut self) -> std::result::Result<Option<Told>, Failure> {
        for source in &mut self.sources {
            while let Some(told) = source.next()? {
                if told
                    .event
                    .status
                    .since_boot_ns
                    .is_none_or(|at| at >= self.since)
                {
                    return Ok(Some(told));
                }
            }
        }
        let (services, sources, modules) = (self.services, &mut self.sources, &mut self.modules);
        let event = self.watch.next(|| {
            for source in sources.iter_mut().filter(|it| it.stream.is_none()) {
                source.open(services, true)?;
            }
            look(services, sources, modules)
        })?;
        Ok(event.map(|event| {
            let known = self.modules.iter().find(|(of, _)| *of == event.service);
            Told {
                module: known.map(|(_, module)| module.clone()),
                event,
                lost: 0,
            }
        }))
    }
}

/// What happened lately, oldest first: what modules remember; of others the last event of each
/// service, as its status shows it. Failures of single services come besides.
///
/// # Errors
/// The records cannot be read.
pub fn recent(services: &Services) -> std::result::Result<(Vec<Told>, Vec<Failure>), Failure> {
    let mut sources = sources(services);
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for source in &mut sources {
        let read = source.open(services, true).and_then(|()| {
            while let Some(told) = source.next()? {
                all.push(told);
            }
            Ok(())
        });
        failures.extend(read.err());
    }
    let is_meant = |module: &str| !has(&sources, module);
    for (_, report) in services.list_of(&is_meant)? {
        match report {
            Ok(report) => all.push(last_of(report)),
            Err(failure) => failures.push(failure),
        }
    }
    all.sort_by_key(|told| told.event.status.since_real_ns);
    Ok((all, failures))
}

fn last_of(report: Report) -> Told {
    let kind = match report.status.state {
        State::GaveUp => Kind::GaveUp,
        _ => Kind::State,
    };
    Told {
        module: report.module,
        event: Event {
            kind,
            seq: 0,
            service: report.service.to_string(),
            status: report.status,
        },
        lost: 0,
    }
}

/// The modules that say by their notes that they have a stream.
fn sources(services: &Services) -> Vec<Source> {
    let (listed, _) = services.loader().list();
    let has_stream = listed.into_iter().filter(|listed| {
        let identity = listed.identity.as_ref();
        identity.is_ok_and(|identity| identity.caps.has(Caps::EVENTS_FD))
    });
    has_stream
        .map(|listed| Source {
            module: listed.name,
            stream: None,
            last: 0,
        })
        .collect()
}

fn has(sources: &[Source], module: &str) -> bool {
    sources.iter().any(|source| source.module == module)
}

/// A snapshot of the services of modules without a stream. One that cannot be asked is left out.
fn look(
    services: &Services,
    sources: &[Source],
    modules: &mut Vec<(String, String)>,
) -> std::result::Result<Vec<Report>, Failure> {
    let listed = services.list_of(&|module| !has(sources, module))?;
    let reports: Vec<Report> = listed.into_iter().filter_map(|(_, it)| it.ok()).collect();
    let of = |report: &Report| Some((report.service.to_string(), report.module.clone()?));
    let gone = |it: &(String, String)| reports.iter().all(|known| known.service.as_str() != it.0);
    let mut known: Vec<_> = modules.drain(..).filter(gone).collect();
    known.extend(reports.iter().filter_map(of));
    *modules = known;
    Ok(reports)
}

impl Source {
    /// Begins its stream, if its supervisor is there.
    fn open(&mut self, services: &Services, remembered: bool) -> std::result::Result<(), Failure> {
        let open = || -> Result<Option<Stream>> {
            let own = [(REMEMBERED, i64::from(remembered))];
            let module = services.loader().open_with(&self.module, &own)?;
            match Stream::open(module, None) {
                Err(error) if matches!(error.code, Code::NotRunning | Code::Unsupported) => {
                    Ok(None)
                }
                other => other.map(Some),
            }
        };
        self.stream = open().map_err(|error| Failure::of(&self.module, error))?;
        self.last = 0;
        Ok(())
    }

    fn next(&mut self) -> std::result::Result<Option<Told>, Failure> {
        let Some(stream) = &mut self.stream else {
            return Ok(None);
        };
        match stream.next_event() {
            Ok(Some(event)) => {
                let lost = match self.last {
                    0 => 0,
                    last => event.seq.saturating_sub(last + 1),
                };
                self.last = event.seq;
                Ok(Some(Told {
                    module: Some(self.module.clone()),
                    event,
                    lost,
                }))
            }
            Ok(None) => Ok(None),
            // It ends with its supervisor; the next one begins another.
            Err(error) if error.code == Code::NotRunning => {
                self.stream = None;
                Ok(None)
            }
            Err(error) => Err(Failure::of(&self.module, error)),
        }
    }
}
