//! What the core wants done.

use super::{Id, Waiter};
use rc_sv_api::exit::Exit;
use rc_sv_api::{event, Error};
use rc_sv_exec::alert::Alert;

/// What the core wants done, in this order. None of it may block.
///
/// `run` is the number of the instance, new for each `Spawn` of the whole core. Signals and sweeps
/// for an instance that is gone by now are dropped without a complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the spec and make a main process. Answer: `Spawned` or `SpawnFailed`.
    Spawn {
        /// The service.
        id: Id,
        /// The new instance.
        run: u32,
    },
    /// Send a signal.
    Signal {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
        /// Number of the signal.
        signal: i32,
        /// To whom.
        whom: Whom,
    },
    /// KILL everything of the instance, in its process group and its cgroup, the main process
    /// included. Answer: `Emptied`, at once or when it is empty. The zombie of a main process that
    /// ended still holds the number of the group.
    Sweep {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
    },
    /// The main process has ended, and its pid is not needed any more: take its zombie away and
    /// close its pidfd. Exactly one for each `Spawned`. After `Spawn` of the next instance where
    /// there is no pause between the two, because the next is waited for and the zombie is not.
    Reap {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
    },
    /// Run a command of the spec, in a process group of its own. Answer: `HookEnded` or
    /// `HookFailed`.
    RunHook {
        /// The service.
        id: Id,
        /// The instance that it is about.
        run: u32,
        /// Which command.
        hook: Hook,
        /// How the instance, or the one before it, ended.
        exit: Exit,
        /// systemd's `$SERVICE_RESULT` where `exit` does not tell it.
        result: Option<&'static str>,
        /// Respawns since somebody started the service.
        restarts: u32,
    },
    /// KILL the process group of a command that takes too long. `HookEnded` still follows.
    KillHook {
        /// The service.
        id: Id,
        /// The instance that ended.
        run: u32,
        /// Which command.
        hook: Hook,
    },
    /// Look at the service from the outside. Answer: `Probed`.
    Probe {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
        /// At what.
        look: Look,
    },
    /// End a look that takes too long or is of no use any more. `Probed` still follows.
    KillProbe {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
        /// At what.
        look: Look,
    },
    /// Answer somebody who waits.
    Answer {
        /// Who waits; one that has left is no error.
        waiter: Waiter,
        /// What to say.
        result: Result<(), Error>,
    },
    /// Write it into OpenRC's state. Only the last one of a service counts.
    Record {
        /// The service.
        id: Id,
        /// What.
        what: Record,
    },
    /// Stop the services that need this one and run, or start those again.
    Dependents {
        /// The service.
        id: Id,
        /// It does its work.
        up: bool,
    },
    /// Alert a person, by a command that nothing waits for.
    Alert {
        /// The service.
        id: Id,
        /// Of what.
        alert: Box<Alert>,
    },
    /// Tell everybody who follows what happens.
    Emit(Box<event::Event>),
    /// Nothing is left to be done: the supervisor ends.
    Quit,
}

impl Effect {
    /// The answer, if there is somebody to be answered.
    pub(super) fn answer(waiter: Option<Waiter>, result: Result<(), Error>) -> Option<Effect> {
        waiter.map(|waiter| Effect::Answer { waiter, result })
    }
}

/// To whom a signal goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// The main process.
    Main,
    /// The process group of the main process.
    Group,
}

/// A command of the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hook {
    /// `rc_supervise_finish`: after each end of a program that was executed.
    Finish,
    /// `rc_supervise_on_give_up`: once each time that the service is given up.
    GiveUp,
    /// Starts `rc_supervise_alternate`: at the same time.
    Alternate,
    /// `rc_supervise_unhealthy`: when it becomes unhealthy, while it lives.
    Unhealthy,
    /// The runscript, which makes the spec of the next instance: before that is spawned.
    Script,
}

impl Hook {
    /// The setting that asks for it.
    pub fn setting(self) -> &'static str {
        match self {
            Hook::Finish => "rc_supervise_finish",
            Hook::GiveUp => "rc_supervise_on_give_up",
            Hook::Alternate => "rc_supervise_alternate",
            Hook::Unhealthy => "rc_supervise_unhealthy",
            Hook::Script => "rc_supervise_respawn",
        }
    }
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Look {
    /// What shows that the service is ready.
    Ready,
    /// The check with this index in [`rc_sv_exec::check::Check::all`].
    Check(u8),
}

/// What OpenRC is to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A main process was made.
    Spawned {
        /// Its pid.
        pid: i32,
        /// Respawns since somebody started the service.
        restarts: u32,
    },
    /// It died and will be respawned later.
    Backoff,
    /// It is down and not to be respawned.
    Down,
    /// It is down and failed, for this reason.
    GaveUp(String),
    /// It was down and failed, and is tried once more.
    Retried,
    /// It is unhealthy, for this reason. OpenRC need not know.
    Sick(String),
    /// It is healthy again. OpenRC need not know.
    Well,
}
