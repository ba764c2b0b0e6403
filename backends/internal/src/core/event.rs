//! What the core is told.

use super::{Hook, Id, Look, Plan, Waiter};
use rc_sv_api::exit::Exit;
use rc_sv_api::ServiceName;
use rc_sv_exec::check::Outcome;
use std::time::Duration;

/// What the core is told, one at a time.
///
/// `run` is the number that [`super::Effect::Spawn`] gave to the instance. Events of an instance
/// that is not the current one of its service, and repeated events, change nothing.
///
/// Per instance the order is: `Spawned`, then `Executed` or `ExecFailed`, then `Exited`; or
/// `SpawnFailed` alone. Whoever sees the end of a main process reads its report first. A main
/// process that was killed before its `execve` may send neither of the middle two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody wants something.
    Command {
        /// Of which service; one that is not known yet is made by [`Command::Start`].
        service: ServiceName,
        /// What.
        command: Command,
        /// Who is to be answered, exactly once, by [`super::Effect::Answer`].
        waiter: Option<Waiter>,
    },
    /// The main process exists; it has not executed its program yet.
    Spawned {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
        /// Pid of the main process.
        pid: i32,
    },
    /// There is no main process: `fork` failed, or the spec could not be read.
    SpawnFailed {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
        /// One line for people, such as `cannot fork: Resource temporarily unavailable`.
        message: String,
        /// What the system call said, or 0.
        errno: i32,
    },
    /// The main process executes its program: the report pipe was closed by `execve`.
    Executed {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
    },
    /// The main process could not execute its program and is about to end; `Exited` follows.
    ExecFailed {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
        /// One line for people, such as `cannot execute /x: No such file or directory`.
        message: String,
        /// What the system call said, or 0.
        errno: i32,
    },
    /// The main process ended. It is a zombie until [`super::Effect::Reap`].
    Exited {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
        /// How.
        exit: Exit,
        /// It is known that no other process of the instance is left, as by an empty cgroup; then
        /// a respawn without a pause follows in this very step. When in doubt, false:
        /// [`super::Effect::Sweep`] follows, and `Emptied` may be given back at once.
        alone: bool,
    },
    /// Nothing of the instance is left besides the main process, as far as can be known: the
    /// answer to [`super::Effect::Sweep`]. Where only a process group is known, it is given as
    /// soon as the group was signalled.
    Emptied {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
    },
    /// A command of [`super::Effect::RunHook`] ended.
    HookEnded {
        /// The service.
        id: Id,
        /// The instance after whose end it was run.
        run: u32,
        /// Which command.
        hook: Hook,
        /// How.
        exit: Exit,
    },
    /// A command of [`super::Effect::RunHook`] could not be run.
    HookFailed {
        /// The service.
        id: Id,
        /// The instance after whose end it should have been run.
        run: u32,
        /// Which command.
        hook: Hook,
        /// One line for people.
        message: String,
    },
    /// Another process of the instance is the main process from now on.
    Main {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
        /// Its pid.
        pid: i32,
    },
    /// The service says something. Whoever sees the end of a main process and what it said tells
    /// first what it said.
    Said {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
        /// What.
        word: Word,
    },
    /// What [`super::Effect::Probe`] began is over. One for each, also after
    /// [`super::Effect::KillProbe`].
    Probed {
        /// The service.
        id: Id,
        /// The instance.
        run: u32,
        /// What was looked at.
        look: Look,
        /// How it ended.
        outcome: Outcome,
        /// Why, where it did not pass: part of a line for people.
        found: String,
    },
    /// The time of [`super::Core::deadline`] has come. Too early is harmless.
    Deadline,
    /// The supervisor is to end: everything is stopped, then [`super::Effect::Quit`].
    Shutdown,
}

impl Event {
    /// The instance that it is about, if it is about one.
    pub(super) fn instance(&self) -> Option<(Id, u32)> {
        match *self {
            Event::Spawned { id, run, .. }
            | Event::SpawnFailed { id, run, .. }
            | Event::Executed { id, run }
            | Event::ExecFailed { id, run, .. }
            | Event::Exited { id, run, .. }
            | Event::Emptied { id, run }
            | Event::HookEnded { id, run, .. }
            | Event::HookFailed { id, run, .. }
            | Event::Main { id, run, .. }
            | Event::Said { id, run, .. }
            | Event::Probed { id, run, .. } => Some((id, run)),
            Event::Command { .. } | Event::Deadline | Event::Shutdown => None,
        }
    }
}

/// What a service says, in the words of sd_notify(3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// It is ready, or has read its configuration again.
    Ready,
    /// It can never become ready: for this reason.
    NeverReady(&'static str),
    /// It reads its configuration again.
    Reloading,
    /// It is about to end.
    Stopping,
    /// What it is doing: one line, bounded.
    Status(Box<str>),
    /// This `errno` is why it fails.
    Errno(i32),
    /// The kernel says it of it: it was killed for want of memory.
    Starved,
    /// It needs this long from now on, for becoming ready or for ending.
    Extend(Duration),
    /// It is alive.
    Alive,
    /// It is to be treated as if its watchdog was missed.
    Trigger,
    /// It will say that it is alive this often; zero is not at all.
    Watchdog(Duration),
}

/// What somebody wants of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// It is to be up. The answer comes when the program is executed. A service that is up is not
    /// disturbed; the plan holds from its next decision on.
    Start(Box<Plan>),
    /// The runscript that runs before a respawn has made the spec anew. The answer comes at once.
    Renew(Box<Plan>),
    /// It is to be down. The answer comes when it is.
    Stop,
    /// It is to be stopped and started, with this plan or the one it has. The answer comes when
    /// it is up again. A service that is down is started.
    Restart(Option<Box<Plan>>),
    /// The main process gets this signal.
    Signal(i32),
    /// The entry is dropped; the service must be down or given up.
    Forget,
}
