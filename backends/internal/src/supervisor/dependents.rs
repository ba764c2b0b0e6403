//! Stopping the services that need one which does not do its work, and starting them again: by a
//! script that asks OpenRC, one at a time for each service. Nothing waits for it.

use super::reactor::{Interest, Kind, Token};
use super::{sys, Supervisor};
use crate::core::Id;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result, ServiceName};
use rc_sv_exec::launch::{self, Launch};
use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

/// The script, which lies beside the supervisor.
const SCRIPT: &str = "rc-sv-dependents.sh";

/// Where it notes what it has stopped, in the service's own directory.
const LIST: &str = "dependents";

/// How long it may take: each stop of a service has its own time-out.
const LIMIT_MS: u64 = 600_000;

/// All services whose dependents are told.
#[derive(Default)]
pub(super) struct Dependents {
    serial: u32,
    list: Vec<Telling>,
}

/// The dependents of one service.
struct Telling {
    id: Id,
    service: ServiceName,
    running: Option<Running>,
    /// What is to be told next: whether it does its work.
    waiting: VecDeque<bool>,
}

struct Running {
    serial: u32,
    pid: i32,
    pidfd: OwnedFd,
    /// When it is killed; `None` when it was.
    until: Option<u64>,
}

impl Dependents {
    /// When [`Supervisor::kill_late_tellings`] is to be called.
    pub(super) fn deadline(&self) -> Option<u64> {
        let running = self.list.iter().filter_map(|it| it.running.as_ref());
        running.filter_map(|it| it.until).min()
    }
}

impl Supervisor {
    /// Tells the services that need this one whether it does its work.
    pub(super) fn tell_dependents(&mut self, id: Id, up: bool) {
        let Some(service) = self.core.name(id).cloned() else {
            return;
        };
        let known = self
            .dependents
            .list
            .iter()
            .position(|it| it.service == service);
        let index = known.unwrap_or(self.dependents.list.len());
        if known.is_none() {
            if up && !self.list_of(&service).exists() {
                return;
            }
            self.dependents.list.push(Telling {
                id,
                service,
                running: None,
                waiting: VecDeque::new(),
            });
        }
        push(&mut self.dependents.list[index].waiting, up);
        self.go_on_telling(index);
    }

    fn list_of(&self, service: &ServiceName) -> PathBuf {
        self.svcdir.join("rc-sv").join(service.as_str()).join(LIST)
    }

    /// Begins what is next for one service; where nothing is, it is dropped.
    fn go_on_telling(&mut self, index: usize) {
        let telling = &mut self.dependents.list[index];
        if telling.running.is_some() {
            return;
        }
        let Some(up) = telling.waiting.pop_front() else {
            self.dependents.list.swap_remove(index);
            return;
        };
        let (id, service) = (telling.id, telling.service.clone());
        match self.begin_telling(&service, up) {
            Ok(running) => self.dependents.list[index].running = Some(running),
            Err(error) => {
                self.warn(id, &format!("rc_supervise_propagate: {}", error.message));
                self.go_on_telling(index);
            }
        }
    }

    fn begin_telling(&mut self, service: &ServiceName, up: bool) -> Result<Running> {
        if up {
            // Those that need it find it started in OpenRC's state.
            self.recorder.write(Some(service), &mut self.log);
        }
        let script = self.outlets.program().with_file_name(SCRIPT);
        let word = if up { "start" } else { "stop" };
        let mut launch = Launch::for_dependents(&script, word, service)?;
        for name in ["PATH", "RC_SVCDIR"] {
            let value = std::env::var(name).unwrap_or_default();
            launch.set_variable(name, &value)?;
        }
        launch.set_variable("RC_SV_LIST", &self.list_of(service).to_string_lossy())?;
        let child = launch::spawn(&launch, None)?;
        self.dependents.serial = self.dependents.serial.wrapping_add(1);
        let serial = self.dependents.serial;
        if let Err(cause) = self
            .reactor
            .add(&child.pidfd, Interest::Read, token(serial))
        {
            self.abandon(child.pidfd);
            return Err(Error::io("watch the process", &cause));
        }
        Ok(Running {
            serial,
            pid: child.pid,
            pidfd: child.pidfd,
            until: Some(self.clock.now().boot_ms + LIMIT_MS),
        })
    }

    /// Kills what takes too long.
    pub(super) fn kill_late_tellings(&mut self, now_ms: u64) {
        for telling in &mut self.dependents.list {
            let running = telling.running.as_mut();
            let late = running.filter(|it| it.until.is_some_and(|until| until <= now_ms));
            if let Some(running) = late {
                running.until = None;
                // What ended already is as good as killed.
                let _ = sys::kill_group(running.pid, libc::SIGKILL);
                let _ = sys::send_signal(running.pidfd.as_fd(), libc::SIGKILL);
            }
        }
    }

    /// Takes in that the script ended.
    pub(super) fn telling_ended(&mut self, which: Token) {
        let is_it = |it: &Telling| {
            let running = it.running.as_ref();
            running.is_some_and(|running| token(running.serial) == which)
        };
        let Some(index) = self.dependents.list.iter().position(is_it) else {
            return;
        };
        let telling = &mut self.dependents.list[index];
        let Some(running) = &telling.running else {
            return;
        };
        let exit = match sys::ending(running.pidfd.as_fd(), true) {
            Ok(None) => return,
            Ok(Some(exit)) => exit,
            Err(_) => Exit::Unknown,
        };
        self.reactor.remove(&running.pidfd);
        telling.running = None;
        let id = telling.id;
        if exit != Exit::Code(0) {
            let line = format!("rc_supervise_propagate: services that need it: {exit}");
            self.warn(id, &line);
        }
        self.go_on_telling(index);
    }
}

/// A stop and a start that have not begun stand for all that follow.
fn push(waiting: &mut VecDeque<bool>, up: bool) {
    if waiting.back() == Some(&up) {
        return;
    }
    if waiting.len() == 2 {
        waiting.pop_front();
    }
    waiting.push_back(up);
}

fn token(serial: u32) -> Token {
    Token::new(Kind::Dependents, 0, serial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_begun_is_told_once() {
        let mut waiting = VecDeque::new();
        let mut all = |up| {
            push(&mut waiting, up);
            waiting.iter().copied().collect::<Vec<_>>()
        };
        assert_eq!(all(false), [false]);
        assert_eq!(all(false), [false]);
        assert_eq!(all(true), [false, true]);
        assert_eq!(all(false), [true, false]);
        assert_eq!(all(true), [false, true]);
    }
}
