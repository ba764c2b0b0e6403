//! `events`: what happens to services, for people and as JSON.

use super::json::{self, Facts};
use super::moment::{rfc3339, Now};
use super::{complain, write, FAILED, OK};
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use rc_sv_api::event::Kind;
use rc_sv_api::{Error, ServiceName, State};
use rc_sv_loader::events::{self, Events, Told};
use rc_sv_loader::{Failure, Services};
use serde::Serialize;
use std::io;
use std::os::fd::AsFd;

/// What is shown, and how.
pub struct Show {
    /// Of these services; of all if there is none.
    pub wanted: Vec<ServiceName>,
    /// As JSON.
    pub json: bool,
}

/// Shows what happened lately.
pub fn recent(services: &Services, show: &Show) -> Result<u8, Failure> {
    let (all, failures) = events::recent(services)?;
    let text: String = all
        .iter()
        .map(|told| show.line(told, Now::read()))
        .collect();
    write(&text)?;
    for failure in &failures {
        complain(None, failure);
    }
    Ok(if failures.is_empty() { OK } else { FAILED })
}

/// Shows what happens from now on, until nobody reads it any more.
pub fn follow(services: &Services, show: &Show) -> Result<u8, Failure> {
    let mut events = Events::follow(services, Now::read().boot)?;
    loop {
        while let Some(told) = events.take()? {
            if !write(&show.line(&told, Now::read()))? {
                return Ok(OK);
            }
        }
        let out = io::stdout();
        // Nothing is asked of it, so only its end is told.
        let mut fds = vec![PollFd::new(out.as_fd(), PollFlags::empty())];
        let sources = events.fds().into_iter();
        fds.extend(sources.map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::io("poll", &errno.into()).into()),
        }
        if fds[0].revents().is_some_and(|events| !events.is_empty()) {
            return Ok(OK);
        }
    }
}

impl Show {
    /// The line of an event; empty for one that is not wanted.
    fn line(&self, told: &Told, now: Now) -> String {
        let service = told.event.service.as_str();
        let is_wanted = self.wanted.is_empty()
            || service.is_empty()
            || self.wanted.iter().any(|wanted| wanted.as_str() == service);
        match (is_wanted, self.json) {
            (false, _) => String::new(),
            (true, true) => json::text(&Object::of(told, now)),
            (true, false) => words(told, now),
        }
    }
}

/// When, which service, what.
fn words(told: &Told, now: Now) -> String {
    let status = &told.event.status;
    let who = match (told.event.service.as_str(), &told.module) {
        ("", Some(module)) => format!("module {module}"),
        (service, _) => service.to_string(),
    };
    let state = status.state.name();
    let what = match (told.event.kind, status.healthy) {
        (Kind::SupervisorLost, _) => "its supervisor is gone".to_string(),
        (Kind::Health, Some(true)) => "healthy".to_string(),
        (Kind::Health, Some(false)) => "unhealthy".to_string(),
        (Kind::Health, None) => "whether it is healthy is not known".to_string(),
        (Kind::LogLine, _) => "says".to_string(),
        (Kind::State | Kind::GaveUp, _) => state.to_string(),
    };
    let pid = status.pid.map(|pid| format!(" pid {pid}"));
    // While a process runs, how it ended last is how the one before did.
    let is_down = match status.state {
        State::Up | State::Unknown => false,
        State::Starting => status.restarts > Some(0),
        _ => status.pid.is_none(),
    };
    let exit = status
        .last_exit
        .filter(|_| is_down && !status.detail.contains(&told_exit(told)))
        .map(|_| format!(" ({})", told_exit(told)));
    let detail = match status.detail.as_str() {
        "" => String::new(),
        detail if detail.starts_with(&what) => detail[what.len()..].to_string(),
        detail => format!(": {detail}"),
    };
    let lost = match told.lost {
        0 => String::new(),
        lost => format!("{} {lost} events were lost\n", moment(told, now)),
    };
    format!(
        "{lost}{} {who} {what}{}{}{detail}\n",
        moment(told, now),
        pid.unwrap_or_default(),
        exit.unwrap_or_default()
    )
}

fn told_exit(told: &Told) -> String {
    let exit = told.event.status.last_exit;
    exit.map(|exit| exit.to_string()).unwrap_or_default()
}

/// When it happened; now, where that is not known.
fn moment(told: &Told, now: Now) -> String {
    rfc3339(now.since(&told.event.status).unwrap_or(now.real))
}

/// An event in JSON. What the module cannot tell is null.
#[derive(Serialize)]
struct Object<'a> {
    time: String,
    seq: u64,
    lost: u64,
    service: &'a str,
    module: Option<&'a str>,
    event: &'static str,
    state: &'static str,
    pid: Option<i32>,
    supervisor_pid: Option<i32>,
    #[serde(flatten)]
    facts: Facts<'a>,
}

impl Object<'_> {
    fn of(told: &Told, now: Now) -> Object<'_> {
        let status = &told.event.status;
        Object {
            time: moment(told, now),
            seq: told.event.seq,
            lost: told.lost,
            service: &told.event.service,
            module: told.module.as_deref(),
            event: told.event.kind.name(),
            state: status.state.name(),
            pid: status.pid,
            supervisor_pid: status.supervisor_pid,
            facts: Facts::of(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::event::Event;
    use rc_sv_api::exit::Exit;
    use rc_sv_api::Status;

    const NOW: Now = Now {
        real: 1_000_000_000_000,
        boot: 500_000_000_000,
    };

    fn told(kind: Kind, status: Status) -> Told {
        let status = Status {
            since_real_ns: Some(0),
            ..status
        };
        Told {
            module: Some("internal".into()),
            event: Event {
                kind,
                seq: 7,
                service: "foo".into(),
                status,
            },
            lost: 0,
        }
    }

    fn line(kind: Kind, status: Status) -> String {
        let line = words(&told(kind, status), NOW);
        let (moment, rest) = line.split_once(' ').unwrap();
        assert_eq!(moment, "1970-01-01T00:00:00.000Z");
        rest.trim_end().to_string()
    }

    #[test]
    fn one_line_for_people() {
        let up = Status {
            pid: Some(4711),
            healthy: Some(false),
            detail: "unhealthy: tcp:80: Connection refused".into(),
            ..Status::of_state(State::Up)
        };
        assert_eq!(
            line(Kind::Health, up.clone()),
            "foo unhealthy pid 4711: tcp:80: Connection refused"
        );
        let well = Status {
            detail: String::new(),
            ..up
        };
        assert_eq!(line(Kind::State, well), "foo up pid 4711");
        let waiting = Status {
            last_exit: Some(Exit::Code(3)),
            detail: "restarting in 4 s (1 of 10)".into(),
            ..Status::of_state(State::Backoff)
        };
        assert_eq!(
            line(Kind::State, waiting),
            "foo waiting (exited 3): restarting in 4 s (1 of 10)"
        );
        let given_up = Status {
            last_exit: Some(Exit::Code(3)),
            detail: "gave up after 2 restarts in 1 s: exited 3".into(),
            ..Status::of_state(State::GaveUp)
        };
        assert_eq!(
            line(Kind::GaveUp, given_up),
            "foo gave-up: gave up after 2 restarts in 1 s: exited 3"
        );
    }

    #[test]
    fn what_is_lost_and_who_is_lost() {
        let lost = Told {
            lost: 3,
            ..told(Kind::State, Status::of_state(State::Down))
        };
        assert_eq!(
            words(&lost, NOW),
            "1970-01-01T00:00:00.000Z 3 events were lost\n1970-01-01T00:00:00.000Z foo down\n"
        );
        let mut gone = told(Kind::SupervisorLost, Status::default());
        gone.event.service.clear();
        assert!(words(&gone, NOW).ends_with(" module internal its supervisor is gone\n"));
    }

    #[test]
    fn only_what_is_wanted_is_shown() {
        let show = |name: &str| Show {
            wanted: vec![ServiceName::new(name.as_bytes()).unwrap()],
            json: true,
        };
        let up = told(Kind::State, Status::of_state(State::Up));
        assert_eq!(show("bar").line(&up, NOW), "");
        let json = show("foo").line(&up, NOW);
        assert_eq!(
            json,
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"seq\":7,\"lost\":0,\"service\":\"foo\",\
             \"module\":\"internal\",\"event\":\"state\",\"state\":\"up\",\"pid\":null,\
             \"supervisor_pid\":null,\"restarts\":null,\"failures\":0,\"last_exit\":null,\
             \"next_restart_ms\":null,\"wanted_up\":null,\"ready\":null,\"healthy\":null,\
             \"detail\":\"\"}\n"
        );
    }
}
