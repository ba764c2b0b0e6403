//! The guardian: the parent of the supervisor, which it starts again when it dies.
//!
//! It does next to nothing, so that there is next to nothing of which it could die. It has the
//! claim and the control socket, so that clients of a supervisor that died wait for the next one;
//! it gets the children that a supervisor leaves, and puts down how they end (`afterlife`); and it
//! holds descriptors that nobody could open again (`held`). Idle, it sleeps.

mod pace;

use super::afterlife::Afterlife;
use super::claim::Claim;
use super::clock::Clock;
use super::handover::{Handover, Heritage};
use super::held::{next_order, way, Held, Keeper, Order, STORED};
use super::log::{Level, Log};
use super::store::part_with;
use super::upgrade::{STEPPED_ASIDE, STEP_ASIDE};
use super::{cgroup, signals, sys};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{kill, Signal};
use nix::sys::signalfd::SignalFd;
use nix::sys::socket::{send, MsgFlags};
use nix::unistd::Pid;
use pace::Pace;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result};
use rc_sv_exec::process;
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;

/// With this code a supervisor ends that could not begin.
pub(super) const NOT_BEGUN: i32 = 3;

/// After so long without work it gives memory back.
const REST_MS: u16 = 2_000;

/// So that `ps` tells the two apart.
const NAME: &str = "rc-sv-guardian";

/// Gives this process the guardian's name, which is a name and no more.
pub(super) fn take_name() {
    let _ = std::fs::write("/proc/self/comm", NAME);
}

/// What outlives a supervisor. Each gets a copy of it, with which it could be a guardian itself.
pub(super) struct Estate {
    pub svcdir: PathBuf,
    pub claim: Claim,
    pub own_cgroup: Option<PathBuf>,
    /// The control socket.
    pub listener: OwnedFd,
    pub afterlife: Afterlife,
    pub held: Vec<Held>,
}

/// What a supervisor begins with.
pub(super) struct Legacy {
    pub estate: Estate,
    /// The way to the guardian, and its pid.
    pub keeper: Keeper,
    pub guardian: i32,
}

pub(super) struct Guardian {
    estate: Estate,
    signals: SignalFd,
    ward: Option<Ward>,
    clock: Clock,
    log: Log,
    /// It was told to end.
    is_ending: bool,
    /// When the next one is begun.
    pace: Pace,
    /// None has ever begun.
    is_first: bool,
    /// There was a socket of others, who were killed: what they have left is to be gone on with.
    is_heir: bool,
}

/// The supervisor.
pub(super) struct Ward {
    pub pid: i32,
    pub line: OwnedFd,
    pub since_ms: u64,
}

impl Guardian {
    /// The guardian of what it was given, when there is no supervisor yet. `is_heir`: others were
    /// killed before.
    pub(super) fn new(estate: Estate, is_heir: bool) -> Result<Guardian> {
        let guardian = Guardian::of(Heritage {
            estate,
            ward: None,
            is_ending: false,
        })?;
        Ok(Guardian {
            is_first: true,
            is_heir,
            ..guardian
        })
    }

    /// The guardian that goes on where another one was.
    pub(super) fn of(heritage: Heritage) -> Result<Guardian> {
        let failed = |cause: std::io::Error| Error::io("prepare the guardian", &cause);
        set_child_subreaper(true).map_err(|errno| failed(errno.into()))?;
        let signals = signals::wanted(&[Signal::SIGCHLD]).map_err(|errno| failed(errno.into()))?;
        take_name();
        let guardian = Guardian {
            estate: heritage.estate,
            signals,
            ward: heritage.ward,
            clock: Clock::new(),
            log: Log::new(),
            is_ending: heritage.is_ending,
            pace: Pace::default(),
            is_first: false,
            is_heir: false,
        };
        // A supervisor is there only where the guardian alone is another program now.
        guardian.answer(STEP_ASIDE);
        Ok(guardian)
    }

    /// Guards until the supervisor has ended as it was told to; answers the exit code. Each
    /// supervisor is a child that does `supervise`, and exits with what that answers. `made` is
    /// done here after each.
    pub(super) fn guard(mut self, made: impl Fn(), supervise: impl Fn(Legacy) -> i32) -> i32 {
        loop {
            if let Some(code) = self.bury() {
                // By the socket it is known that somebody has to go on.
                if code == 0 || !self.is_heir {
                    self.estate.claim.release();
                }
                if let Some(own) = self.estate.own_cgroup {
                    cgroup::come_back(&own);
                }
                return code;
            }
            let now_ms = self.clock.now().boot_ms;
            if self.ward.is_none() && self.pace.left_ms(now_ms) == 0 {
                match self.make() {
                    Ok(None) => {
                        made();
                    }
                    Ok(Some((keeper, guardian))) => {
                        drop(self.signals);
                        let legacy = Legacy {
                            estate: self.estate,
                            keeper,
                            guardian,
                        };
                        sys::leave(supervise(legacy));
                    }
                    Err(cause) => {
                        let error = Error::io("make a supervisor", &cause);
                        self.log.line(Level::Error, &error.message);
                        self.pace.failed(now_ms);
                    }
                }
            }
            self.wait();
            while let Ok(Some(signal)) = self.signals.read_signal() {
                self.signalled(signal.ssi_signo as i32);
            }
            self.obey();
        }
    }

    /// Makes a supervisor. In the guardian `None`; in the child its end of the way, and the pid of
    /// the guardian.
    fn make(&mut self) -> std::io::Result<Option<(Keeper, i32)>> {
        let (line, keeper) = way()?;
        let guardian = std::process::id() as i32;
        match sys::fork()? {
            None => return Ok(Some((keeper, guardian))),
            Some(pid) => {
                let since_ms = self.clock.now().boot_ms;
                self.ward = Some(Ward {
                    pid,
                    line,
                    since_ms,
                });
            }
        }
        if self.is_ending {
            self.forward(Signal::SIGTERM as i32);
        }
        Ok(None)
    }

    fn wait(&mut self) {
        let patience = match self.ward {
            Some(_) => PollTimeout::from(REST_MS),
            None => {
                let left = self.pace.left_ms(self.clock.now().boot_ms);
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
            }
        };
        let line = self.ward.as_ref().map(|ward| ward.line.as_fd());
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        fds.extend(line.map(|line| PollFd::new(line, PollFlags::POLLIN)));
        // What is wrong with them shows when they are looked at.
        if poll(&mut fds, patience) == Ok(0) && line.is_some() {
            sys::rest(&mut fds, -1);
        }
    }

    fn signalled(&mut self, number: i32) {
        if number == Signal::SIGCHLD as i32 {
            return;
        }
        if number != Signal::SIGHUP as i32 {
            self.is_ending = true;
            self.pace.hurry();
        }
        self.forward(number);
    }

    fn forward(&self, number: i32) {
        if let (Some(ward), Ok(signal)) = (&self.ward, Signal::try_from(number)) {
            // It is a child that was not reaped, so nobody else has its pid.
            let _ = kill(Pid::from_raw(ward.pid), signal);
        }
    }

    /// Does what the supervisor wants.
    fn obey(&mut self) {
        while let Some(order) = self
            .ward
            .as_ref()
            .and_then(|ward| next_order(ward.line.as_fd()))
        {
            let (key, new) = match order {
                Order::Upgrade(program) => {
                    self.upgrade(&program);
                    continue;
                }
                Order::Hold(held) => (held.key.clone(), Some(held)),
                Order::Drop(key) => (key, None),
            };
            let held = &mut self.estate.held;
            if let Some(known) = held.iter().position(|held| held.key == key) {
                let gone = held.swap_remove(known);
                match gone.key.is_of(STORED) {
                    true => part_with(gone.fd),
                    false => drop(gone),
                }
            }
            held.extend(new);
        }
    }

    /// Becomes another program. What cannot be executed is told to the supervisor, and all goes on.
    fn upgrade(&mut self, program: &CStr) {
        let handover = Handover {
            svcdir: &self.estate.svcdir,
            claim: &self.estate.claim,
            own_cgroup: self.estate.own_cgroup.as_deref(),
            listener: self.estate.listener.as_fd(),
            afterlife: &self.estate.afterlife,
            ward: self.ward.as_ref(),
            is_ending: self.is_ending,
            held: self
                .estate
                .held
                .iter()
                .map(|held| (&held.key, held.fd.as_fd()))
                .collect(),
        };
        let Err(error) = handover.execute(program, program);
        self.answer(error.message.as_bytes());
    }

    /// Tells the supervisor something, which takes it in when it likes.
    fn answer(&self, words: &[u8]) {
        if let Some(ward) = &self.ward {
            let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
            let _ = send(ward.line.as_raw_fd(), words, flags);
        }
    }

    /// Takes in which children have ended; the exit code, when all is over.
    fn bury(&mut self) -> Option<i32> {
        let mut over = None;
        while let Ok(Some((pid, exit))) = process::ended_child() {
            let now_ms = self.clock.now().boot_ms;
            // What it has said last.
            self.obey();
            match self.ward.take_if(|ward| ward.pid == pid) {
                None => self.estate.afterlife.put(pid, exit, now_ms),
                Some(ward) => over = self.bereaved(&ward, exit, now_ms),
            }
            process::reap(pid);
        }
        over
    }

    fn bereaved(&mut self, ward: &Ward, exit: Exit, now_ms: u64) -> Option<i32> {
        match exit {
            Exit::Code(0) => return Some(0),
            Exit::Code(code) if i32::from(code) == STEPPED_ASIDE => {
                self.pace.hurry();
                return None;
            }
            Exit::Code(code) if i32::from(code) == NOT_BEGUN && self.is_first => {
                return Some(1);
            }
            _ => {}
        }
        self.is_first = false;
        let lived_ms = now_ms.saturating_sub(ward.since_ms);
        let line = match self.pace.died(exit, lived_ms, now_ms) {
            0 => format!("the supervisor: {exit}; begun again"),
            pause => format!("the supervisor: {exit}; begun again in {pause} ms"),
        };
        self.log.line(Level::Error, &line);
        None
    }
}
