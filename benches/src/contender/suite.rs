//! The daemontools family: one supervising process for each service, without a scanner.

use std::fs;
use std::io;
use std::ops::Range;
use std::os::unix::fs::symlink;
use std::process::Child;

use super::{all_up, program, Contender, STAMP};
use crate::process::kill_now;
use crate::stamps::{Stamps, PLACE};
use crate::Result;

/// One suite.
#[derive(Debug)]
pub struct Suite {
    name: &'static str,
    program: &'static str,
    /// Whether the service tells s6 that it is ready.
    ready: bool,
    prompt: bool,
    numbers: Range<u32>,
    children: Vec<Child>,
}

impl Suite {
    /// runit's runsv.
    pub fn runit(first: u32) -> Suite {
        Suite::new("runit", "runsv", first)
    }

    /// daemontools' supervise.
    pub fn daemontools(first: u32) -> Suite {
        Suite::new("daemontools", "supervise", first)
    }

    /// s6-supervise; it waits a second before each restart.
    pub fn s6(first: u32) -> Suite {
        Suite {
            prompt: false,
            ..Suite::new("s6", "s6-supervise", first)
        }
    }

    /// s6-supervise, for services that use its readiness protocol.
    pub fn s6_ready(first: u32) -> Suite {
        Suite {
            ready: true,
            ..Suite::new("s6, readiness", "s6-supervise", first)
        }
    }

    fn new(name: &'static str, program: &'static str, first: u32) -> Suite {
        Suite {
            name,
            program,
            ready: false,
            prompt: true,
            numbers: first..first,
            children: Vec::new(),
        }
    }

    fn directory(&self) -> String {
        format!("{PLACE}/{}", self.name)
    }

    fn start_one(&self, number: u32) -> io::Result<Child> {
        let directory = format!("{}/{number}", self.directory());
        fs::create_dir_all(&directory)?;
        // The program itself: no shell is measured.
        symlink(STAMP, format!("{directory}/run"))?;
        let mut stamp = number.to_string();
        if self.ready {
            fs::write(format!("{directory}/notification-fd"), "3\n")?;
            stamp.push('r');
        }
        program(self.program)
            .arg(directory)
            .env("STAMP", stamp)
            .spawn()
    }
}

impl Contender for Suite {
    fn name(&self) -> &'static str {
        self.name
    }

    fn numbers(&self) -> Range<u32> {
        self.numbers.clone()
    }

    fn start(&mut self, stamps: &mut Stamps, count: u32) -> Result<()> {
        self.numbers.end = self.numbers.start + count;
        for number in self.numbers() {
            let child = self.start_one(number);
            let child = child.map_err(|error| format!("{} {number}: {error}", self.program))?;
            self.children.push(child);
        }
        all_up(stamps, self.numbers())?;
        Ok(())
    }

    fn supervisors(&self) -> Result<Vec<i32>> {
        Ok(self
            .children
            .iter()
            .map(|child| child.id() as i32)
            .collect())
    }

    fn stop(&mut self, stamps: &mut Stamps) -> Result<()> {
        for mut child in self.children.drain(..) {
            let ended = child.kill().and_then(|()| child.wait());
            ended.map_err(|error| format!("{}: {error}", self.program))?;
        }
        for number in self.numbers() {
            stamps
                .latest(number)
                .map_or(Ok(()), |stamp| kill_now(stamp.pid))?;
        }
        stamps.forget(self.numbers());
        self.numbers.end = self.numbers.start;
        fs::remove_dir_all(self.directory()).map_err(|error| format!("{}: {error}", self.name))
    }

    fn is_prompt(&self) -> bool {
        self.prompt
    }
}
