//! The supervisor: one thread that waits for everything at once and does what the core wants. Only
//! the processes are made by others, which wait for their execve.
//!
//! It wakes up only when something happens: a signal, the end of a process, a client, or the time
//! that the core has set. An idle supervisor does not wake up at all.

mod adopt;
mod afterlife;
mod alert;
mod births;
mod cgroup;
mod claim;
mod clients;
mod clock;
mod companion;
mod dependents;
mod errand;
mod event_loop;
mod guardian;
mod handover;
mod held;
mod hook;
mod keeping;
mod limits;
mod listener;
mod log;
mod logging;
mod looks;
mod main_process;
mod making;
mod notes;
mod notify;
mod operators;
mod outlet;
mod owed;
mod parting;
mod process;
pub mod program;
mod reactor;
mod recorder;
mod requests;
mod signals;
mod specs;
mod state_file;
mod steps;
mod store;
mod strays;
mod stream;
mod succession;
mod successor;
mod surroundings;
mod sweep;
pub(crate) mod sys;
pub mod upgrade;

/// What fuzz/ calls.
#[cfg(fuzzing)]
pub mod fuzzed {
    pub use super::handover::fuzzed::again as handed_over;
    pub use super::owed::fuzzed::again as owed;
    pub use super::state_file::fuzzed::again as page;
}

use crate::core::{Core, Effect, Event, Id};
use afterlife::Afterlife;
use alert::Alerts;
use claim::Claim;
use clients::Clients;
use clock::Clock;
use dependents::Dependents;
use guardian::{Estate, Legacy};
use held::Keeper;
use listener::Listener;
use log::{Level, Log};
use logging::Outlets;
use nix::sys::signalfd::SignalFd;
use operators::Patience;
use process::Slots;
use rc_sv_api::{Error, Result};
use rc_sv_exec::launch::Spawner;
use rc_sv_exec::process::open_process;
use reactor::{Interest, Kind, Reactor, Token};
use recorder::Recorder;
use specs::Specs;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use stream::Stream;

/// Everything that the supervisor holds.
struct Supervisor {
    svcdir: PathBuf,
    claim: Claim,
    own_cgroup: Option<PathBuf>,
    guardian: OwnedFd,
    keeper: Keeper,
    afterlife: Afterlife,
    core: Core,
    clock: Clock,
    reactor: Reactor,
    signals: SignalFd,
    listener: Listener,
    clients: Clients,
    /// How often operators may restart services.
    patience: Patience,
    stream: Stream,
    alerts: Alerts,
    dependents: Dependents,
    slots: Slots,
    specs: Specs,
    /// The limits that could not be set, of the services that have such.
    unlimited: BTreeMap<Id, Box<str>>,
    /// Makes main processes, where it is possible.
    spawner: Option<Spawner>,
    /// How many looks there were.
    looks: u32,
    /// The ways of output through loggers.
    outlets: Outlets,
    /// Children that could not be watched, and were killed.
    strays: Vec<OwnedFd>,
    recorder: Recorder,
    /// The reactor waits for OpenRC's locks.
    watches_locks: bool,
    log: Log,
    /// What the core is to be told next.
    events: VecDeque<Event>,
    effects: Vec<Effect>,
    /// When memory is given back, if nothing happens before.
    rest_at: Option<u64>,
    is_over: bool,
    /// It was told to end.
    is_ending: bool,
    /// Another supervisor is about to go on: what is to be spawned is left to that one.
    is_leaving: bool,
    /// Who waits for another program in place of this one.
    upgraders: Vec<(Token, u64)>,
    left_over: Vec<(Id, u32)>,
    /// When it tries again to become the guardian, which is gone.
    succeeds_at: Option<u64>,
}

impl Supervisor {
    /// A supervisor that goes on with what the one before has left.
    fn new(legacy: Legacy) -> Result<Supervisor> {
        let failed = |cause: io::Error| Error::io("prepare the event loop", &cause);
        let Legacy {
            estate,
            keeper,
            guardian,
        } = legacy;
        let Estate {
            svcdir,
            claim,
            own_cgroup,
            listener,
            afterlife,
            held,
        } = estate;
        claim.join()?;
        let reactor = Reactor::new().map_err(failed)?;
        let signals = signals::wanted(&[]).map_err(|errno| failed(errno.into()))?;
        let guardian = open_process(guardian).map_err(failed)?;
        reactor
            .add(&guardian, Interest::Read, Token::of(Kind::Guardian))
            .map_err(failed)?;
        reactor
            .add(&keeper, Interest::Read, Token::of(Kind::Keeper))
            .map_err(failed)?;
        reactor
            .add(&signals, Interest::Read, Token::of(Kind::Signals))
            .map_err(failed)?;
        let pid_file = CString::new(claim.pid_file().as_os_str().as_bytes())
            .map_err(|_| Error::invalid("the path of the state directory contains a NUL byte"))?;
        let spawner = Spawner::new().map_err(failed)?;
        if let Some(spawner) = &spawner {
            reactor
                .add(spawner, Interest::Read, Token::of(Kind::Spawner))
                .map_err(failed)?;
        }
        let listener = Listener::new(listener, &reactor).map_err(failed)?;
        let recorder = Recorder::new(&svcdir, pid_file);
        let mut supervisor = Supervisor {
            svcdir,
            claim,
            own_cgroup,
            guardian,
            keeper,
            afterlife,
            core: Core::new(),
            clock: Clock::new(),
            reactor,
            signals,
            listener,
            clients: Clients::default(),
            patience: Patience::default(),
            stream: Stream::default(),
            alerts: Alerts::default(),
            dependents: Dependents::default(),
            slots: Slots::default(),
            specs: Specs::default(),
            unlimited: BTreeMap::new(),
            spawner,
            looks: 0,
            outlets: Outlets::new(),
            strays: Vec::new(),
            recorder,
            watches_locks: false,
            log: Log::new(),
            events: VecDeque::new(),
            effects: Vec::new(),
            rest_at: None,
            is_over: false,
            is_ending: false,
            is_leaving: false,
            upgraders: Vec::new(),
            left_over: Vec::new(),
            succeeds_at: None,
        };
        supervisor.adopt_all(held)?;
        Ok(supervisor)
    }

    fn warn(&mut self, id: Id, message: &str) {
        let service = self
            .core
            .name(id)
            .map_or("a forgotten service", |name| name.as_str());
        self.log
            .line(Level::Warning, &format!("{service}: {message}"));
    }
}
