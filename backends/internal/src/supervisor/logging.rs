//! Output that goes through loggers: laying its ways, and letting services write to them.

mod attendants;

use super::companion::Companion;
use super::outlet::{Attending, Outlet, Role};
use super::reactor::{Interest, Kind, Token};
use super::state_file::Who;
use super::{held, Supervisor};
use crate::core::Id;
use rc_sv_api::{Result, Settings};
use rc_sv_exec::instance::AsOf;
use rc_sv_exec::launch::{Launch, Left};
use rc_sv_exec::log::{Sink, Stream, Which};
use rc_sv_exec::logger::pipe;
use rc_sv_exec::place::Dir;
use rc_sv_exec::resolve;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// All ways.
pub(super) struct Outlets {
    list: Vec<Outlet>,
    /// How many processes were made.
    serial: u32,
    /// `rc-sv-logger`, which lies beside the supervisor.
    program: PathBuf,
    /// When the next process is begun.
    due_ms: Option<u64>,
}

impl Outlets {
    pub(super) fn new() -> Outlets {
        let own = std::env::current_exe().unwrap_or_default();
        Outlets {
            list: Vec::new(),
            serial: 0,
            program: own.with_file_name("rc-sv-logger"),
            due_ms: None,
        }
    }

    /// `rc-sv-logger`.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Outlet> {
        self.list.iter()
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        self.due_ms
    }

    fn of(&mut self, id: Id) -> impl Iterator<Item = &mut Outlet> {
        self.list.iter_mut().filter(move |outlet| outlet.id == id)
    }

    fn look_at_times(&mut self) {
        let all = self.list.iter().flat_map(|outlet| &outlet.attendants);
        self.due_ms = all.filter_map(|attendant| attendant.due_ms).min();
    }
}

impl Supervisor {
    /// Leads the output of an instance to where the spec wants it, as far as the instance does not
    /// open a file itself.
    pub(super) fn lead_output(
        &mut self,
        id: Id,
        settings: &dyn Settings,
        launch: &mut Launch,
    ) -> Result<()> {
        let mut streams = Stream::all(settings)?;
        if streams.is_empty() && self.outlets.list.is_empty() {
            return Ok(());
        }
        let dir = &self.directory(id)?;
        let user = resolve::uid(settings);
        // Of these the program is another one.
        let mut changed = Vec::new();
        for outlet in self.outlets.of(id) {
            let same = |stream: &Stream| stream.which == outlet.stream.which;
            let Some(index) = streams.iter().position(same) else {
                // What it still has on its way arrives.
                outlet.writer = None;
                continue;
            };
            let stream = streams.swap_remove(index);
            lead(launch, &stream, dir)?;
            if outlet.writer.is_none() {
                outlet.writer = Some(pipe::writer(dir, stream.which)?);
            }
            if outlet.stream != stream {
                outlet.restart_logger();
            }
            let had_onward = outlet.has_onward();
            self.strays.extend(outlet.change(stream, &self.reactor));
            if had_onward && !outlet.has_onward() {
                changed.push(outlet.stream.which);
            }
            outlet.man()?;
        }
        for stream in streams {
            let outlet = Outlet::open(id, stream, dir, user)?;
            lead(launch, &outlet.stream, dir)?;
            self.outlets.list.push(outlet);
        }
        for which in changed {
            self.release_onward(id, which);
        }
        self.hold_outlets(id);
        self.begin_loggers()
    }

    /// Has the guardian hold what has to outlive this supervisor.
    fn hold_outlets(&mut self, id: Id) {
        let mut list = std::mem::take(&mut self.outlets.list);
        let new = list.iter_mut().filter(|it| it.id == id && !it.is_held);
        for outlet in new {
            for (kind, fd) in outlet.to_hold() {
                self.hold(kind, id, outlet.stream.which.name(), fd);
            }
            outlet.is_held = true;
        }
        self.outlets.list = list;
    }

    /// Leaves word for processes on the ways that have not come to do so.
    pub(super) fn leave_words_of_loggers(&mut self) {
        let boot_ms = self.clock.now().boot_ms;
        for outlet in self.outlets.iter() {
            for attendant in &outlet.attendants {
                let process = attendant.process.as_ref();
                let Some(process) = process.filter(|it| it.command.is_made()) else {
                    continue;
                };
                let who = AsOf {
                    boot_ms,
                    ..process.command.who
                };
                let left = Left {
                    number: attendant.serial,
                    who,
                };
                let who = Who::Attendant(outlet.stream.which, attendant.role);
                if let Some(state) = &self.slots.of(outlet.id).state {
                    // The page is there, so this does not fail.
                    let _ = state.leave(who, left);
                }
            }
        }
    }

    /// The program on this way is to see the end.
    fn release_onward(&self, id: Id, which: Which) {
        self.release(held::ONWARD_READ, id, which.name());
        self.release(held::ONWARD_WRITE, id, which.name());
    }

    /// Goes on with a way that an earlier supervisor has laid, and with who is on it.
    pub(super) fn adopt_outlet(&mut self, mut outlet: Outlet, on_it: Vec<(Role, AsOf, OwnedFd)>) {
        for (role, who, pidfd) in on_it {
            self.outlets.serial = self.outlets.serial.wrapping_add(1);
            let process = Attending {
                command: Companion::adopted(who, pidfd),
                since_ms: who.boot_ms,
                is_old: false,
            };
            let serial = self.outlets.serial;
            let token = Token::new(Kind::Attendant, serial as usize, 0);
            let added = self.reactor.add(&process.command, Interest::Read, token);
            if added.is_ok() {
                outlet.go_on(role, serial, process);
            }
        }
        let id = outlet.id;
        self.outlets.list.push(outlet);
        self.hold_outlets(id);
    }

    /// Sees to it that there is who is needed on the ways of a service that were adopted.
    pub(super) fn man_outlets(&mut self, id: Id) -> Result<()> {
        for outlet in self.outlets.of(id) {
            outlet.man()?;
        }
        self.hold_outlets(id);
        self.begin_loggers()
    }

    /// Nobody wants the service up any more: its loggers end when they have read everything.
    pub(super) fn let_go_of_output(&mut self, id: Id) {
        self.outlets.of(id).for_each(|outlet| outlet.writer = None);
    }

    /// The last lines of a service; empty where they are not known.
    pub(super) fn last_lines(&mut self, id: Id) -> String {
        let texts = self.outlets.of(id).map(|outlet| outlet.last_lines());
        let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
        texts.join("\n")
    }

    /// Leads the output of a command of the service to where the service's own error output goes,
    /// unless that is a file.
    pub(super) fn lead_hook(&mut self, id: Id, launch: &mut Launch) -> Result<()> {
        if self.outlets.of(id).next().is_none() {
            return Ok(());
        }
        let dir = self.directory(id)?;
        let takes_errors = |outlet: &&mut Outlet| outlet.stream.descriptors.contains(&2);
        let found = self.outlets.of(id).find(takes_errors);
        let Some(outlet) = found.filter(|it| !matches!(it.stream.sink, Sink::File { .. })) else {
            return Ok(());
        };
        for place in 1..=2 {
            launch.give(pipe::writer(&dir, outlet.stream.which)?, place);
        }
        Ok(())
    }
}

/// Lets the service write to a way instead of what its own descriptors would be.
fn lead(launch: &mut Launch, stream: &Stream, dir: &Dir) -> Result<()> {
    for place in &stream.descriptors {
        launch.give(pipe::writer(dir, stream.which)?, *place);
    }
    Ok(())
}
