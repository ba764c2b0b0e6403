//! Listening to services: the socket of sd_notify(3), and the descriptor of s6.
//!
//! The socket of a service is there while it has a main process, and is always emptied: a full one
//! would hold the service up. Whoever can write to it may be anybody, so what is believed is what
//! the kernel says of the sender.

use super::process::Process;
use super::reactor::{Interest, Kind, Token};
use super::store::{self, part_with};
use super::{held, sys, Supervisor};
use crate::core::{Event, Id, Word};
use nix::unistd::read;
use rc_sv_api::{Error, Result, Settings};
use rc_sv_exec::ear::{line, Ear};
use rc_sv_exec::launch::Launch;
use rc_sv_exec::readiness::Readiness;
use rc_sv_exec::resolve;
use rc_sv_exec::sd_notify::{self, Message, Phase, Store, Watchdog};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

/// How many messages of one service are heard before others get their turn.
const TURN: usize = 16;

impl Supervisor {
    /// Prepares for hearing from an instance. Answers the descriptor on which it says by a newline
    /// that it is ready, where that is its way.
    pub(super) fn open_ears(
        &mut self,
        id: Id,
        settings: &dyn Settings,
        launch: &mut Launch,
    ) -> Result<Option<OwnedFd>> {
        match Readiness::of(settings)? {
            Readiness::Descriptor(place) => {
                self.close_ear(id);
                let (ours, theirs) =
                    line().map_err(|cause| Error::io("make a pipe for notify", &cause))?;
                launch.give(theirs, place);
                Ok(Some(ours))
            }
            Readiness::Socket => {
                let failed = |cause| Error::io("make the socket for notify", &cause);
                let address = self.ear(id, settings).map_err(failed)?;
                launch.set_variable("NOTIFY_SOCKET", &address)?;
                launch.set_variable("FDSTORE", &store::MOST.to_string())?;
                self.hand_on(id, launch)?;
                if let Some(interval) = settings.duration("rc_supervise_watchdog") {
                    let micros = interval.as_micros().to_string();
                    launch.set_variable("WATCHDOG_USEC", &micros)?;
                }
                Ok(None)
            }
            Readiness::Executed | Readiness::PidFile | Readiness::Answers(_) => {
                self.close_ear(id);
                Ok(None)
            }
        }
    }

    /// Nothing of the service is left that could say anything.
    pub(super) fn close_ear(&mut self, id: Id) {
        if let Some(ear) = self.slots.of(id).ear.take() {
            self.reactor.remove(&ear.socket);
            self.release(held::EAR, id, "");
        }
    }

    /// Takes in that a service has said something.
    pub(super) fn service_said(&mut self, token: Token) {
        if let Some(id) = self.slots.id_at(token) {
            self.hear(id, TURN);
        }
    }

    /// Takes in everything that a service has said so far, because it ended.
    pub(super) fn hear_last_words(&mut self, id: Id, run: u32) {
        self.read_line(id, run);
        // As much as the kernel lets wait, and some more.
        self.hear(id, 64 * TURN);
    }

    /// Takes in that there is something on the descriptor of an instance.
    pub(super) fn line_changed(&mut self, token: Token) {
        if let Some((id, run)) = self.slots.instance_at(token) {
            self.read_line(id, run);
        }
    }

    fn read_line(&mut self, id: Id, run: u32) {
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        let Some(line) = &process.line else {
            return;
        };
        let word = loop {
            let mut part = [0u8; 256];
            match read(line, &mut part) {
                Ok(0) => break Word::NeverReady("it closed its descriptor without a newline"),
                Ok(got) if part[..got].contains(&b'\n') => break Word::Ready,
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(nix::errno::Errno::EAGAIN) => return,
                Err(_) => break Word::NeverReady("its descriptor cannot be read"),
            }
        };
        if let Some(line) = process.line.take() {
            self.reactor.remove(line);
            self.release(held::LINE, id, run);
        }
        self.feed(Event::Said { id, run, word });
    }

    fn hear(&mut self, id: Id, most: usize) {
        if self.slots.of(id).making.is_some() {
            // What it says is not to be heard before it is known to exist.
            self.hear_spawner();
        }
        let mut buffer = [0u8; sd_notify::LONGEST + 1];
        for _ in 0..most {
            let slot = self.slots.of(id);
            let Some(ear) = slot.ear.as_ref().filter(|_| slot.making.is_none()) else {
                return;
            };
            let note = match sys::receive_note(ear.socket.as_fd(), &mut buffer) {
                Ok(note) => note,
                Err(cause) if cause.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            let lives = |process: &&Process| !process.ended || process.successor.is_some();
            let process = slot.processes.iter().find(lives);
            let run = process
                .filter(|process| process.family().is_heard(ear.access, note.pid))
                .map(|process| process.run);
            let message = match note.is_whole {
                true => sd_notify::parse(&buffer[..note.length]),
                false => None,
            };
            let mut descriptors = note.descriptors;
            if let (Some(run), Some(mut message)) = (run, message) {
                let name = message.name.take();
                match message.store {
                    Some(Store::Keep) => {
                        let given = std::mem::take(&mut descriptors);
                        self.keep(id, name, !message.unwatched, given);
                    }
                    Some(Store::Remove) => self.discard(id, name.as_deref()),
                    None => {}
                }
                self.take_message(id, run, message);
            }
            descriptors.into_iter().for_each(part_with);
        }
    }

    fn take_message(&mut self, id: Id, run: u32, message: Message) {
        if let (Some(access), Some(ear)) = (message.access, &mut self.slots.of(id).ear) {
            ear.access = access;
        }
        if let Some(pid) = message.main_pid {
            self.told_main(id, run, pid);
        }
        let words = [
            message.status.map(|line| Word::Status(line.into())),
            message.errno.map(Word::Errno),
            message.watchdog_interval.map(Word::Watchdog),
            message.extend.map(Word::Extend),
            message.phase.map(|phase| match phase {
                Phase::Ready => Word::Ready,
                Phase::Reloading => Word::Reloading,
                Phase::Stopping => Word::Stopping,
            }),
            message.watchdog.map(|watchdog| match watchdog {
                Watchdog::Alive => Word::Alive,
                Watchdog::Trigger => Word::Trigger,
            }),
        ];
        let told = words.into_iter().flatten();
        self.events
            .extend(told.map(|word| Event::Said { id, run, word }));
        self.catch_up();
    }

    /// Where the service's socket is.
    pub(super) fn path_of_ear(&self, id: Id) -> PathBuf {
        crate::wire::directory(&self.svcdir).join(format!("notify.{}", id.index()))
    }

    /// The address of the service's socket, made where it is missing.
    fn ear(&mut self, id: Id, settings: &dyn Settings) -> io::Result<String> {
        let in_chroot = settings.text("chroot").is_some();
        let known = self.slots.of(id).ear.as_ref();
        if let Some(ear) = known.filter(|ear| ear.path.is_none() == in_chroot) {
            return Ok(ear.address.clone());
        }
        self.close_ear(id);
        let user = resolve::uid(settings);
        let ear = match in_chroot {
            true => Ear::nameless()?,
            false => Ear::at(self.path_of_ear(id), user)?,
        };
        let token = Token::new(Kind::Ear, id.index(), 0);
        self.reactor.add(&ear.socket, Interest::Read, token)?;
        let address = ear.address.clone();
        self.hold(held::EAR, id, "", ear.socket.as_fd());
        self.slots.of(id).ear = Some(Box::new(ear));
        Ok(address)
    }
}
