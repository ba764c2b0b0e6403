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
mod dependents;
mod ear;
mod effects;
mod errand;
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
mod making;
mod notes;
mod notify;
mod operators;
mod outlet;
mod parting;
mod process;
pub mod program;
mod reactor;
mod recorder;
mod requests;
mod signals;
mod state_file;
mod store;
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
}

use crate::core::{Core, Effect, Event, Hook, Id};
use crate::protocol::Reply;
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
use rc_sv_exec::launch::{Ending, Spawner};
use rc_sv_exec::process::open_process;
use reactor::{Interest, Kind, Reactor, Token};
use recorder::Recorder;
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

/// After so long without any event the supervisor is idle.
const REST_MS: u64 = 2_000;

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

    /// Runs until it was told to end and everything is down.
    fn run(&mut self) -> Result<()> {
        sys::release_memory();
        while !self.is_over {
            let patience = self.patience();
            self.reactor
                .wait(patience)
                .map_err(|cause| Error::io("wait for events", &cause))?;
            for index in 0..self.reactor.count() {
                if let Some(token) = self.reactor.happened(index) {
                    self.happened(token);
                }
            }
            self.do_what_is_due();
        }
        while self.recorder.is_due() {
            self.recorder.write(None, &mut self.log);
        }
        self.leave_nothing();
        Ok(())
    }

    /// How long nothing may happen, in milliseconds; `None` is for ever.
    fn patience(&mut self) -> Option<u64> {
        if self.may_record() {
            return Some(0);
        }
        let deadlines = [
            self.core.deadline(),
            self.listener.deadline(),
            self.spawner.as_ref().and_then(Spawner::deadline),
            self.outlets.deadline(),
            self.alerts.deadline(),
            self.dependents.deadline(),
            self.rest_at,
            self.succeeds_at,
        ];
        let next = deadlines.into_iter().flatten().min()?;
        Some(next.saturating_sub(self.clock.now().boot_ms))
    }

    fn happened(&mut self, token: Token) {
        match token.kind {
            Kind::Signals => self.signalled(),
            Kind::Listener => self.connected(),
            Kind::Client => self.client_said(token),
            Kind::Process => self.process_ended(token),
            Kind::Report => self.reported(token),
            Kind::Cgroup => self.cgroup_changed(token),
            Kind::Finish => self.hook_ended(token, Hook::Finish),
            Kind::GiveUp => self.hook_ended(token, Hook::GiveUp),
            Kind::Spawner => self.hear_spawner(),
            Kind::Alternate => self.hook_ended(token, Hook::Alternate),
            Kind::Unhealthy => self.hook_ended(token, Hook::Unhealthy),
            Kind::Look => self.look_goes_on(token),
            Kind::Ear => self.service_said(token),
            Kind::Line => self.line_changed(token),
            Kind::Stored => self.lost(token),
            Kind::Awaited => self.pid_file_changed(token),
            Kind::Alert => self.alert_ended(token),
            Kind::Dependents => self.telling_ended(token),
            Kind::Successor => self.successor_ended(token),
            Kind::Attendant => self.attendant_ended(token),
            Kind::Guardian => self.bereaved(),
            Kind::Keeper => self.guardian_said(),
            Kind::Locks => self.recorder.locks_changed(&mut self.log),
        }
    }

    fn do_what_is_due(&mut self) {
        let now_ms = self.clock.now().boot_ms;
        self.rest(now_ms);
        if self
            .core
            .deadline()
            .is_some_and(|deadline| deadline <= now_ms)
        {
            self.feed(Event::Deadline);
        }
        let spawner = self.spawner.as_ref();
        if spawner
            .and_then(Spawner::deadline)
            .is_some_and(|due| due <= now_ms)
        {
            self.hear_spawner();
        }
        if self.outlets.deadline().is_some_and(|due| due <= now_ms) {
            self.begin_due_loggers();
        }
        if self.alerts.deadline().is_some_and(|due| due <= now_ms) {
            self.kill_late_alerts(now_ms);
        }
        if self.dependents.deadline().is_some_and(|due| due <= now_ms) {
            self.kill_late_tellings(now_ms);
        }
        if self.stream.take_news() {
            self.clients.tell(&self.stream, &self.reactor);
        }
        if self.succeeds_at.is_some_and(|at| at <= now_ms) {
            self.succeed();
        }
        self.listener.resume(&self.reactor, now_ms);
        if !self.strays.is_empty() {
            self.reap_strays();
        }
        if self.reactor.count() == 0 && self.may_record() {
            self.recorder.write(None, &mut self.log);
        }
        self.watch_locks();
    }

    /// OpenRC is told when nothing more urgent is to be done: no process is about to be there.
    fn may_record(&self) -> bool {
        let spawner = self.spawner.as_ref();
        self.recorder.is_due() && spawner.and_then(Spawner::deadline).is_none()
    }

    /// Gives memory back, once after some time without work.
    fn rest(&mut self, now_ms: u64) {
        if self.reactor.count() > 0 {
            self.rest_at = Some(now_ms + REST_MS);
        } else if self.rest_at.is_some_and(|at| at <= now_ms) {
            self.rest_at = None;
            self.events.shrink_to_fit();
            self.effects.shrink_to_fit();
            sys::release_memory();
        }
    }

    /// Gives the core an event, and everything that follows from it.
    fn feed(&mut self, event: Event) {
        self.events.push_back(event);
        self.catch_up();
    }

    /// Gives the core the events that are there, and everything that follows from them.
    fn catch_up(&mut self) {
        // Whoever carries out an effect adds events, but does not call this again.
        while let Some(event) = self.events.pop_front() {
            let mut effects = std::mem::take(&mut self.effects);
            self.core.step(event, self.clock.now(), &mut effects);
            self.carry_out(effects);
        }
    }

    /// Does what the core wants, once it is written down.
    fn carry_out(&mut self, mut effects: Vec<Effect>) {
        self.keep_changes();
        for effect in effects.drain(..) {
            self.perform(effect);
        }
        self.effects = effects;
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn { id, run } if self.is_leaving => self.left_over.push((id, run)),
            Effect::Spawn { id, run } => self.spawn(id, run),
            Effect::Signal {
                id,
                run,
                signal,
                whom,
            } => self.signal(id, run, signal, whom),
            Effect::Sweep { id, run } => self.sweep(id, run),
            Effect::Reap { id, run } => self.reap(id, run),
            Effect::RunHook {
                id,
                run,
                hook,
                exit,
                result,
                restarts,
            } => {
                let ending = Ending {
                    exit,
                    result,
                    restarts,
                };
                self.run_hook(id, run, hook, ending);
            }
            Effect::KillHook { id, run, hook } => self.kill_hook(id, run, hook),
            Effect::Probe { id, run, look } => self.probe(id, run, look),
            Effect::KillProbe { id, run, look } => self.kill_probe(id, run, look),
            Effect::Answer { waiter, result } => {
                // Whoever is told that a service runs finds it so in OpenRC's state.
                if let Some(service) = self.clients.service_of(waiter) {
                    self.recorder.write(Some(service), &mut self.log);
                }
                let reply = result.map_or_else(Reply::Refused, |()| Reply::Done);
                self.clients.answer(waiter, &reply, &self.reactor);
            }
            Effect::Record { id, what } => self.record(id, what),
            Effect::Dependents { id, up } => self.tell_dependents(id, up),
            Effect::Alert { id, alert } => self.alert(id, *alert),
            Effect::Emit(mut event) => {
                event.status.supervisor_pid = Some(std::process::id() as i32);
                self.stream.push(*event);
            }
            Effect::Quit => self.is_over = true,
        }
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
