//! What a backend has to offer. [`crate::export_backend!`] turns it into a module.

use crate::abi::{Host, Sink, Watch};
use crate::error::{Code, Error, Result};
use crate::spec::Settings;
use crate::status::{State, Status};
use std::ops::BitOr;
use std::time::Duration;

/// A set of capabilities; the bits are part of ABI 1 (`RC_SV_CAP_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps(pub u64);

impl Caps {
    /// It is the parent: `start` runs the daemon.
    pub const OWNS_PROCESS: Caps = Caps(0x0001);
    /// It watches: `attach` and `detach` around the service's own start and stop.
    pub const MONITORS: Caps = Caps(0x0002);
    /// It respawns.
    pub const RESTARTS: Caps = Caps(0x0004);
    /// With a growing pause.
    pub const BACKOFF: Caps = Caps(0x0008);
    /// It gives up at a limit.
    pub const GIVE_UP: Caps = Caps(0x0010);
    /// It waits for readiness.
    pub const READINESS: Caps = Caps(0x0020);
    /// It checks health.
    pub const HEALTH: Caps = Caps(0x0040);
    /// It takes the output.
    pub const LOGGING: Caps = Caps(0x0080);
    /// It sends signals.
    pub const SIGNAL: Caps = Caps(0x0100);
    /// It reloads.
    pub const RELOAD: Caps = Caps(0x0200);
    /// Its events can be polled.
    pub const EVENTS_FD: Caps = Caps(0x0400);
    /// It serves ordinary users.
    pub const USER_SERVICES: Caps = Caps(0x0800);
    /// It runs a clean-up command after each end.
    pub const FINISH_SCRIPT: Caps = Caps(0x1000);
    /// The supervisor may be on another machine.
    pub const REMOTE: Caps = Caps(0x2000);
    /// It tells a person.
    pub const NOTIFY: Caps = Caps(0x4000);
    /// It can take over a running process.
    pub const ADOPTS: Caps = Caps(0x8000);

    /// Every capability with its name, in the order of the bits.
    pub const NAMES: [(Caps, &'static str); 16] = [
        (Caps::OWNS_PROCESS, "owns-process"),
        (Caps::MONITORS, "monitors"),
        (Caps::RESTARTS, "restarts"),
        (Caps::BACKOFF, "backoff"),
        (Caps::GIVE_UP, "give-up"),
        (Caps::READINESS, "readiness"),
        (Caps::HEALTH, "health"),
        (Caps::LOGGING, "logging"),
        (Caps::SIGNAL, "signal"),
        (Caps::RELOAD, "reload"),
        (Caps::EVENTS_FD, "events-fd"),
        (Caps::USER_SERVICES, "user-services"),
        (Caps::FINISH_SCRIPT, "finish-script"),
        (Caps::REMOTE, "remote"),
        (Caps::NOTIFY, "notify"),
        (Caps::ADOPTS, "adopts"),
    ];

    /// Both sets together, in a constant.
    pub const fn and(self, other: Caps) -> Caps {
        Caps(self.0 | other.0)
    }

    /// Whether all of `other` are in here.
    pub const fn has(self, other: Caps) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the capabilities that are in here.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Caps::NAMES
            .into_iter()
            .filter(move |(caps, _)| self.has(*caps))
            .map(|(_, name)| name)
    }
}

impl BitOr for Caps {
    type Output = Caps;
    fn bitor(self, other: Caps) -> Caps {
        self.and(other)
    }
}

/// Options of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Return when the supervisor accepted the command, not when it is done.
    pub nowait: bool,
    /// Overrule what would be refused.
    pub force: bool,
    /// Check everything, change nothing.
    pub dry_run: bool,
    /// This call comes out of a runscript that the supervisor itself started.
    pub from_supervisor: bool,
    /// How long the call may take; `None` is the backend's default.
    pub timeout: Option<Duration>,
    /// For `signal`: its number.
    pub signal: i32,
    /// For `wait`: the state to wait for.
    pub want_state: State,
}

/// How a call that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It was accepted; ask `status` or `wait`.
    Pending,
    /// The host must run the service's own start or stop; the backend only watches.
    Delegate,
}

/// A backend: code that drives one kind of supervisor.
///
/// Calls on one instance never overlap, but may come from different threads. No call may block
/// for longer than the request's time-out, or than the documented default of the backend.
/// Methods with a default body are optional; a module names those that it has in
/// [`crate::export_backend!`].
pub trait Backend: Sized + Send + 'static {
    /// `[A-Za-z0-9_-]{1,32}`, as in the file name `librc_sv_NAME.so`.
    const NAME: &'static str;
    /// Version of the module.
    const VERSION: &'static str;
    /// One line for people.
    const DESCRIPTION: &'static str;
    /// What it can do at best.
    const CAPS: Caps;

    /// Makes an instance. Must not touch the supervisor yet. `host` outlives it.
    ///
    /// # Errors
    /// Its configuration ([`Host::settings`]) does not fit.
    fn open(host: Host) -> Result<Self>;

    /// Whether the supervisor is there, and what it can do as it is. Changes nothing. What else a
    /// person should mend is logged, a line each, at syslog's level NOTICE: `rc-sv-loader check
    /// --module` shows it.
    ///
    /// # Errors
    /// [`Code::Unavailable`] or [`Code::NotRunning`], with what to install or to start.
    fn probe(&mut self) -> Result<Caps>;

    /// Starts the service and returns when it is ready, or when it is clear that it will not be.
    /// A service that is already up is not disturbed.
    ///
    /// # Errors
    /// Nothing runs and nothing is retried after an error, except after [`Code::Timeout`] with
    /// `nowait`.
    fn start(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome>;

    /// Stops the service, from any state, and returns when it is down. A service that is not up
    /// or not known is done.
    ///
    /// # Errors
    /// It still runs, and why.
    fn stop(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome>;

    /// One snapshot. A service that is not known has [`State::Unmanaged`].
    ///
    /// # Errors
    /// The supervisor could not be asked.
    fn status(&mut self, spec: &dyn Settings) -> Result<Status>;

    /// Optional: begins to watch a service that runs already.
    ///
    /// # Errors
    /// It is not watched.
    fn attach(&mut self, _spec: &dyn Settings, _request: &Request) -> Result<Outcome> {
        Err(unsupported("attach"))
    }

    /// Optional: ends watching; the service is left as it is.
    ///
    /// # Errors
    /// It is still watched.
    fn detach(&mut self, _spec: &dyn Settings, _request: &Request) -> Result<Outcome> {
        Err(unsupported("detach"))
    }

    /// Optional: stops and starts in one step. Without it the loader does both.
    ///
    /// # Errors
    /// As `stop` and `start`.
    fn restart(&mut self, _spec: &dyn Settings, _request: &Request) -> Result<Outcome> {
        Err(unsupported("restart"))
    }

    /// Optional: makes the service read its configuration again. Without it the loader sends HUP.
    ///
    /// # Errors
    /// It was not told, or said no.
    fn reload(&mut self, _spec: &dyn Settings, _request: &Request) -> Result<Outcome> {
        Err(unsupported("reload"))
    }

    /// Optional: sends [`Request::signal`] to the main process.
    ///
    /// # Errors
    /// [`Code::NotFound`] when nothing runs.
    fn signal(&mut self, _spec: &dyn Settings, _request: &Request) -> Result<Outcome> {
        Err(unsupported("signal"))
    }

    /// Optional: waits for [`Request::want_state`]. Without it the loader polls `status`.
    ///
    /// # Errors
    /// [`Code::Timeout`], or [`Code::Failed`] when the state can no longer be reached.
    fn wait(&mut self, _spec: &dyn Settings, _request: &Request) -> Result<Status> {
        Err(unsupported("wait"))
    }

    /// Optional: drops all memory of a service that is down.
    ///
    /// # Errors
    /// It is not down.
    fn forget(&mut self, _spec: &dyn Settings) -> Result<()> {
        Err(unsupported("forget"))
    }

    /// Optional: one snapshot of each service, handed to `sink`, which returns false to end it.
    ///
    /// # Errors
    /// The supervisor could not be asked.
    fn list(&mut self, _sink: &mut Sink<'_>) -> Result<()> {
        Err(unsupported("list"))
    }

    /// Optional: begins a stream of events of one service, or of all without a service.
    ///
    /// # Errors
    /// There is no stream.
    fn watch(&mut self, _spec: Option<&dyn Settings>) -> Result<Box<dyn Watch>> {
        Err(unsupported("watch"))
    }
}

fn unsupported(operation: &str) -> Error {
    Error::new(
        Code::Unsupported,
        format!("{operation} is not offered by this module"),
    )
}
