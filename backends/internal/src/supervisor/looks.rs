//! Looking at services from the outside, without ever waiting for one.

use super::adopt::Fate;
use super::companion::Companion;
use super::process::Slot;
use super::reactor::{Interest, Kind, Token};
use super::state_file::{Who, LOOKS};
use super::Supervisor;
use crate::core::{Event, Id, Look};
use rc_sv_api::{Error, Settings};
use rc_sv_exec::check::{self, Check, Found, Outcome, Target, Wait};
use rc_sv_exec::clock;
use rc_sv_exec::instance::AsOf;
use rc_sv_exec::launch::{Left, Word};
use rc_sv_exec::readiness::Readiness;
use std::os::fd::AsFd;

/// A look that is being made.
pub(super) struct Looking {
    /// Its number in the life of this supervisor.
    serial: u32,
    run: u32,
    look: Look,
    way: check::Look,
}

impl Slot {
    fn looking(&mut self, run: u32, look: Look) -> Option<usize> {
        self.looks
            .iter()
            .position(|known| known.run == run && known.look == look)
    }
}

impl Supervisor {
    /// Begins a look; its end becomes an event.
    pub(super) fn probe(&mut self, id: Id, run: u32, look: Look) {
        if let Err((outcome, found)) = self.try_probe(id, run, look) {
            self.probed(id, run, look, outcome, found);
        }
    }

    /// Ends a look. A command that is killed ends a little later.
    pub(super) fn kill_probe(&mut self, id: Id, run: u32, look: Look) {
        let slot = self.slots.of(id);
        let Some(found) = slot.looking(run, look) else {
            return;
        };
        if slot.looks[found].way.kill() {
            let ended = slot.looks.swap_remove(found);
            self.reactor.remove(&ended.way);
            self.probed(id, run, look, Outcome::Unknown, String::new());
        }
    }

    /// Takes in that a look can go on.
    pub(super) fn look_goes_on(&mut self, token: Token) {
        let Some(id) = self.slots.id_at(token) else {
            return;
        };
        let slot = self.slots.of(id);
        let is_it = |known: &Looking| token_of(id, known.serial) == token;
        let Some(found) = slot.looks.iter().position(is_it) else {
            return;
        };
        let way = &mut slot.looks[found].way;
        let Some((outcome, words)) = way.go_on() else {
            // It was added, so this does not fail.
            let _ = self.reactor.change(&*way, interest(way.wait()), token);
            return;
        };
        let ended = slot.looks.swap_remove(found);
        self.reactor.remove(&ended.way);
        self.probed(id, ended.run, ended.look, outcome, words);
        self.catch_up();
    }

    fn probed(&mut self, id: Id, run: u32, look: Look, outcome: Outcome, found: String) {
        self.events.push_back(Event::Probed {
            id,
            run,
            look,
            outcome,
            found,
        });
    }

    fn try_probe(&mut self, id: Id, run: u32, look: Look) -> Result<(), Found> {
        let unknown = |error: Error| (Outcome::Unknown, error.message);
        if self.slots.of(id).looking(run, look).is_some() {
            return Err((Outcome::Unknown, "the one before has not ended".into()));
        }
        let spec = self.read_spec(id).map_err(unknown)?;
        let target = target(spec.settings(), look).map_err(unknown)?;
        let process = self.slots.process(id, run);
        let pid = process.as_ref().map(|process| process.main_pid());
        let word = match target {
            Target::Exec(_) | Target::Hook => self.word_of_look(id, run, look),
            _ => None,
        };
        let process = self.slots.process(id, run);
        let cgroup = process.as_ref().and_then(|process| process.cgroup.as_ref());
        let way = check::Look::begin(spec.settings(), &target, pid, cgroup, word)?;
        self.looks = self.looks.wrapping_add(1);
        let serial = self.looks;
        let token = token_of(id, serial);
        if let Err(cause) = self.reactor.add(&way, interest(way.wait()), token) {
            if let Some(pidfd) = way.into_process() {
                self.abandon(pidfd);
            }
            return Err(unknown(Error::io("watch a check", &cause)));
        }
        let looking = Looking {
            serial,
            run,
            look,
            way,
        };
        if let Some(left) = self.left_by(&looking) {
            self.identify(id, who(look), left);
        }
        self.slots.of(id).looks.push(looking);
        Ok(())
    }

    /// The word that a command is to leave, so that the next supervisor can end it. Without room for
    /// it, it is made all the same.
    fn word_of_look(&mut self, id: Id, run: u32, look: Look) -> Option<Word> {
        let state = self.state_of(id).ok()?;
        state.make_room_for_looks().ok()?;
        Some(state.word(who(look), run))
    }

    fn left_by(&self, looking: &Looking) -> Option<Left> {
        let command = looking.way.command()?;
        let now_ms = clock::boot_ms();
        Some(Left {
            number: looking.run,
            who: AsOf::now(command.pid(), now_ms, command.as_fd()),
        })
    }

    /// Leaves word for commands that have not come to do so.
    pub(super) fn leave_words_of_looks(&self) {
        for (_, slot) in self.slots.iter() {
            let state = slot.state.as_ref().filter(|state| state.has_looks());
            for looking in &slot.looks {
                if let (Some(state), Some(left)) = (state, self.left_by(looking)) {
                    state.leave_late(who(looking.look), left);
                }
            }
        }
    }

    /// Ends what an earlier supervisor has begun; it is begun again when it is due.
    pub(super) fn end_old_looks(&mut self, id: Id) -> rc_sv_api::Result<()> {
        for who in (0..LOOKS).map(Who::Look) {
            let state = self.slots.of(id).state.as_ref();
            let Some(state) = state.filter(|state| state.has_looks()) else {
                return Ok(());
            };
            if let Some(word) = state.left(who) {
                if let Fate::Lives(process, pidfd) = self.fate_of(id, who, word)? {
                    Companion::adopted(process, pidfd).kill();
                }
            }
        }
        Ok(())
    }
}

fn who(look: Look) -> Who {
    Who::Look(match look {
        Look::Ready => 0,
        Look::Check(index) => index.saturating_add(1).min(LOOKS - 1),
    })
}

fn token_of(id: Id, serial: u32) -> Token {
    Token::new(Kind::Look, id.index(), serial)
}

fn interest(wait: Wait) -> Interest {
    match wait {
        Wait::Readable => Interest::Read,
        Wait::Writable => Interest::Write,
    }
}

/// What is to be looked at. The spec may have changed since the core has seen it.
fn target(spec: &dyn Settings, look: Look) -> rc_sv_api::Result<Target> {
    let found = match look {
        Look::Ready => match Readiness::of(spec)? {
            Readiness::Answers(target) => Some(target),
            _ => None,
        },
        Look::Check(index) => {
            let mut checks = Check::all(spec)?.into_iter();
            checks.nth(usize::from(index)).map(|check| check.target)
        }
    };
    found.ok_or_else(|| Error::invalid("there is no such check any more"))
}
