//! Stopping the services that need one which does not do its work, and starting them again: by a
//! script that asks OpenRC, one at a time for each service. Nothing waits for it.

use super::adopt::Fate;
use super::errand::Errand;
use super::reactor::{Kind, Token};
use super::state_file::Who;
use super::Supervisor;
use crate::core::Id;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Result, ServiceName};
use rc_sv_exec::launch::dependents::{LIMIT, LIST};
use rc_sv_exec::launch::Launch;
use rc_sv_exec::place::Dir;
use std::collections::VecDeque;
use std::path::PathBuf;

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
    /// What the script leaves word with.
    number: u32,
    running: Option<Errand>,
    /// What is to be told next: whether it does its work.
    waiting: VecDeque<bool>,
}

impl Dependents {
    /// By which the end of the next script is told.
    fn token(&mut self) -> Token {
        self.serial = self.serial.wrapping_add(1);
        Token::new(Kind::Dependents, 0, self.serial)
    }

    /// When [`Supervisor::kill_late_tellings`] is to be called.
    pub(super) fn deadline(&self) -> Option<u64> {
        let running = self.list.iter().filter_map(|it| it.running.as_ref());
        running.filter_map(Errand::until).min()
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
            if up && !self.directory_of(&service).join(LIST).exists() {
                // What was told before is over.
                if let Some(state) = &self.slots.of(id).state {
                    state.forget(Who::Dependents);
                }
                return;
            }
            self.dependents.list.push(Telling {
                id,
                service,
                number: 0,
                running: None,
                waiting: VecDeque::new(),
            });
        }
        push(&mut self.dependents.list[index].waiting, up);
        self.go_on_telling(index);
    }

    /// Goes on with what an earlier supervisor was telling them, and tells what it did not come to.
    pub(super) fn adopt_dependents(&mut self, id: Id) -> Result<()> {
        let Some(service) = self.core.name(id).cloned() else {
            return Ok(());
        };
        let state = self.slots.of(id).state.as_ref();
        let word = state.and_then(|state| state.left(Who::Dependents));
        if let Some(word) = word {
            if let Fate::Lives(who, pidfd) = self.fate_of(id, Who::Dependents, word)? {
                let token = self.dependents.token();
                let limit_ms = LIMIT.as_millis() as u64;
                let running = self.adopt_errand((who, pidfd), token, limit_ms)?;
                self.dependents.list.push(Telling {
                    id,
                    service,
                    number: word.number,
                    running: Some(running),
                    waiting: VecDeque::new(),
                });
            }
        }
        match self.core.has_fallen(id) {
            Some(fallen) if word.is_none_or(|word| word.number != number(!fallen)) => {
                self.tell_dependents(id, !fallen);
            }
            _ => {}
        }
        Ok(())
    }

    /// Leaves word for scripts that have not come to do so.
    pub(super) fn leave_words_of_dependents(&mut self) {
        for telling in &self.dependents.list {
            let running = telling.running.as_ref();
            let left = running.and_then(|running| running.word(telling.number));
            if let (Some(left), Some(state)) = (left, &self.slots.of(telling.id).state) {
                state.leave_late(Who::Dependents, left);
            }
        }
    }

    fn directory_of(&self, service: &ServiceName) -> PathBuf {
        Dir::path_of_service(&self.svcdir, service)
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
        match self.begin_telling(id, &service, up) {
            Ok(running) => {
                let telling = &mut self.dependents.list[index];
                telling.number = number(up);
                telling.running = Some(running);
            }
            Err(error) => {
                self.warn(id, &format!("rc_supervise_propagate: {}", error.message));
                self.go_on_telling(index);
            }
        }
    }

    fn begin_telling(&mut self, id: Id, service: &ServiceName, up: bool) -> Result<Errand> {
        if up {
            // Those that need it find it started in OpenRC's state.
            self.recorder.write(Some(service), &mut self.log);
        }
        let program = self.outlets.program();
        let launch = Launch::for_dependents(program, &self.directory_of(service), service, up)?;
        let token = self.dependents.token();
        let word = (id, Who::Dependents, number(up));
        self.begin_errand(launch, token, LIMIT.as_millis() as u64, word)
    }

    /// Kills what takes too long.
    pub(super) fn kill_late_tellings(&mut self, now_ms: u64) {
        let all = &mut self.dependents.list;
        for errand in all.iter_mut().filter_map(|it| it.running.as_mut()) {
            errand.kill_late(now_ms);
        }
    }

    /// Takes in that the script ended.
    pub(super) fn telling_ended(&mut self, which: Token) {
        let is_it = |it: &Telling| {
            let running = it.running.as_ref();
            running.is_some_and(|errand| errand.token() == which)
        };
        let Some(index) = self.dependents.list.iter().position(is_it) else {
            return;
        };
        let telling = &mut self.dependents.list[index];
        let Some(errand) = &telling.running else {
            return;
        };
        let Some(end) = errand.end(&mut self.afterlife) else {
            return;
        };
        self.reactor.remove(errand);
        telling.running = None;
        let id = telling.id;
        let failed = match end {
            Err(error) => Some(error.message),
            Ok(Exit::Code(0)) => None,
            Ok(exit) => Some(format!("services that need it: {exit}")),
        };
        if let Some(why) = failed {
            self.warn(id, &format!("rc_supervise_propagate: {why}"));
        }
        self.go_on_telling(index);
    }
}

/// What a script leaves word with.
fn number(up: bool) -> u32 {
    1 + u32::from(up)
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
