//! The main processes, as the system knows them.

use super::hook::HookProcess;
use super::looks::Looking;
use super::making::Making;
use super::reactor::Token;
use super::state_file::StateFile;
use super::store::Store;
use super::successor::{Awaited, Successor};
use crate::core::Id;
use rc_sv_exec::cgroup::{Cgroup, Watch};
use rc_sv_exec::ear::Ear;
use rc_sv_exec::launch::Launch;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// One main process, from its making to its reaping.
pub(super) struct Process {
    /// The number of its instance.
    pub run: u32,
    /// 0 when it is gone and another one goes on, and where an earlier supervisor made it.
    pub pid: i32,
    /// There for a child only.
    pub pidfd: Option<OwnedFd>,
    /// It ended; the pidfd is not waited for any more.
    pub ended: bool,
    /// What it reports, until it executes its program.
    pub report: Option<OwnedFd>,
    /// What it was made from, until it executes its program: for messages.
    pub launch: Option<Arc<Launch>>,
    /// Where its service has one.
    pub cgroup: Option<Cgroup>,
    /// While everything in the cgroup is to end.
    pub watch: Option<Watch>,
    /// On which it says that it is ready, until it does.
    pub line: Option<OwnedFd>,
    /// The pid file that is to tell of the main process.
    pub awaited: Option<Box<Awaited>>,
    /// The main process, where that is another one by now.
    pub successor: Option<Box<Successor>>,
    /// By which its group is reached, where it had ended before it was adopted.
    pub remains: Option<OwnedFd>,
    /// The pid file that tells of it.
    pub pid_file: Option<Box<Path>>,
}

impl Process {
    /// One that was made here, with this descriptor.
    pub(super) fn made(run: u32, pid: i32, pidfd: OwnedFd) -> Process {
        Process {
            pid,
            pidfd: Some(pidfd),
            ended: false,
            ..Process::of_another(run)
        }
    }

    /// The one of an instance that an earlier supervisor has made.
    pub(super) fn of_another(run: u32) -> Process {
        Process {
            run,
            pid: 0,
            pidfd: None,
            ended: true,
            report: None,
            launch: None,
            cgroup: None,
            watch: None,
            line: None,
            awaited: None,
            successor: None,
            remains: None,
            pid_file: None,
        }
    }
}

/// The processes of one service.
#[derive(Default)]
pub(super) struct Slot {
    /// Of which service; `None` before the first use.
    id: Option<Id>,
    /// At most two: the current one and the zombie of the one before.
    pub processes: Vec<Process>,
    /// The one that was ordered.
    pub making: Option<Box<Making>>,
    /// Commands of the spec that run.
    pub hooks: Vec<HookProcess>,
    /// Where it says what it has to say, if it has a way to.
    pub ear: Option<Box<Ear>>,
    /// What it has given into keeping.
    pub store: Option<Box<Store>>,
    /// How many descriptors were lost that it had given into keeping.
    pub lost: u32,
    /// What outlives the supervisor, once there is something.
    pub state: Option<StateFile>,
    /// Looks that are being made.
    pub looks: Vec<Looking>,
    /// The service was spawned before in the life of this supervisor, or is looked after since another's.
    pub is_familiar: bool,
    /// Everything in its cgroup was killed.
    pub cgroup_was_killed: bool,
    /// How many processes of the service's cgroup had been killed for want of memory before the
    /// instance that was ordered last, where that is counted.
    pub memory_kills: Option<u64>,
}

/// The processes of all services.
#[derive(Default)]
pub(super) struct Slots(Vec<Slot>);

impl Slot {
    /// Whether there is, and will be, no process of which it is known already.
    pub(super) fn is_empty(&self) -> bool {
        self.processes.is_empty() && self.making.is_none()
    }
}

impl Slots {
    /// The slot of a service; made where it is missing.
    pub(super) fn of(&mut self, id: Id) -> &mut Slot {
        let index = id.index();
        if self.0.len() <= index {
            self.0.resize_with(index + 1, Slot::default);
        }
        let slot = &mut self.0[index];
        slot.id = Some(id);
        slot
    }

    /// The slot of a service, where there is one.
    pub(super) fn get(&self, id: Id) -> Option<&Slot> {
        self.0.get(id.index())
    }

    /// Forgets what was known of the service that had this id; another may get it.
    pub(super) fn renew(&mut self, id: Id) {
        let slot = self.of(id);
        slot.is_familiar = false;
        slot.cgroup_was_killed = false;
        slot.lost = 0;
        slot.state = None;
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Id, &Slot)> {
        self.0.iter().filter_map(|slot| Some((slot.id?, slot)))
    }

    /// The service that an event is about.
    pub(super) fn id_at(&self, token: Token) -> Option<Id> {
        self.id_of(token.index as usize)
    }

    /// The service that has this index.
    pub(super) fn id_of(&self, index: usize) -> Option<Id> {
        self.0.get(index)?.id
    }

    /// The instance that an event is about.
    pub(super) fn instance_at(&self, token: Token) -> Option<(Id, u32)> {
        let slot = self.0.get(token.index as usize)?;
        let id = slot.id?;
        let mut runs = slot.processes.iter().map(|process| process.run);
        let run = runs.find(|run| Token::new(token.kind, id.index(), *run) == token)?;
        Some((id, run))
    }

    /// The program of a main process that has not executed it yet.
    pub(super) fn program_of(&mut self, id: Id, pid: i32) -> Option<CString> {
        let process = self
            .of(id)
            .processes
            .iter()
            .find(|process| process.pid == pid)?;
        let program = process.launch.as_ref()?.program();
        CString::new(program.as_os_str().as_bytes()).ok()
    }

    /// Whether this is the main process of a service, or was made as one.
    pub(super) fn has_main(&self, pid: i32) -> bool {
        let mut processes = self.0.iter().flat_map(|slot| &slot.processes);
        processes.any(|process| process.pid == pid || process.main_pid() == pid)
    }

    /// The process of an instance.
    pub(super) fn process(&mut self, id: Id, run: u32) -> Option<&mut Process> {
        let slot = self.0.get_mut(id.index())?;
        slot.processes.iter_mut().find(|process| process.run == run)
    }

    /// Takes the process of an instance out.
    pub(super) fn take(&mut self, id: Id, run: u32) -> Option<Process> {
        let slot = self.0.get_mut(id.index())?;
        let found = slot
            .processes
            .iter()
            .position(|process| process.run == run)?;
        Some(slot.processes.swap_remove(found))
    }
}
