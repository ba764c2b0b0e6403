//! The floor: floor.c, one small static process for all services.

use std::ops::Range;
use std::process::Child;

use super::{all_up, program, Contender, STAMP};
use crate::process::kill_now;
use crate::stamps::Stamps;
use crate::Result;

const FLOOR: &str = "/usr/lib/rc-sv-bench/floor";

/// A floor of one kind.
#[derive(Debug)]
pub struct Floor {
    name: &'static str,
    kind: &'static str,
    numbers: Range<u32>,
    child: Option<Child>,
}

impl Floor {
    /// `kind` is the first argument of floor.c.
    pub fn new(name: &'static str, kind: &'static str, first: u32) -> Floor {
        Floor {
            name,
            kind,
            numbers: first..first,
            child: None,
        }
    }
}

impl Contender for Floor {
    fn name(&self) -> &'static str {
        self.name
    }

    fn numbers(&self) -> Range<u32> {
        self.numbers.clone()
    }

    fn start(&mut self, stamps: &mut Stamps, count: u32) -> Result<()> {
        let first = self.numbers.start;
        self.numbers.end = first + count;
        let words = [self.kind, &count.to_string(), &first.to_string(), STAMP];
        let child = program(FLOOR).args(words).spawn();
        self.child = Some(child.map_err(|error| format!("{FLOOR}: {error}"))?);
        all_up(stamps, self.numbers())?;
        Ok(())
    }

    fn supervisors(&self) -> Result<Vec<i32>> {
        Ok(self.child.iter().map(|child| child.id() as i32).collect())
    }

    fn stop(&mut self, stamps: &mut Stamps) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child
                .kill()
                .and_then(|()| child.wait())
                .map_err(|error| format!("floor: {error}"))?;
        }
        for number in self.numbers() {
            stamps
                .latest(number)
                .map_or(Ok(()), |stamp| kill_now(stamp.pid))?;
        }
        stamps.forget(self.numbers());
        self.numbers.end = self.numbers.start;
        Ok(())
    }
}
