//! The module internal: rc-sv-supervisor, one process for all services.

use std::ops::Range;

use super::{all_up, in_parallel, program, succeed, Contender, STAMP};
use crate::stamps::Stamps;
use crate::{clock, process, Result};

/// rc-sv-supervisor, asked through rc-sv-loader, without any pause and without a limit.
#[derive(Debug)]
pub struct Internal {
    numbers: Range<u32>,
}

impl Internal {
    /// Numbers begin with `first`.
    pub fn new(first: u32) -> Internal {
        Internal {
            numbers: first..first,
        }
    }
}

/// Settings with which a service that ends is run again at once, always.
pub const AT_ONCE: [(&str, &str); 5] = [
    ("RCSV_rc_supervise_module", "internal"),
    ("RCSV_respawn_delay", "0"),
    ("RCSV_respawn_max", "0"),
    ("RCSV_rc_supervise_jitter", "0"),
    ("RCSV_rc_supervise_min_interval", "0"),
];

/// The name of service `number`.
pub fn service(number: u32) -> String {
    format!("bench-{number}")
}

/// `rc-sv-loader OPERATION SERVICE`.
pub fn loader(operation: &str, service: &str) -> std::process::Command {
    let mut command = program("rc-sv-loader");
    command.args([operation, service]);
    command
}

impl Internal {
    /// The other contenders run under the real-time priority of this program, if it has one.
    /// rc-sv-supervisor takes over nothing from whoever starts it, so it is given it.
    fn hasten(&self) -> Result<()> {
        let priority = process::priority()?.to_string();
        if priority == "0" {
            return Ok(());
        }
        for pid in self.supervisors()? {
            let words = [
                "--all-tasks",
                "--fifo",
                "--pid",
                &priority,
                &pid.to_string(),
            ];
            succeed(program("chrt").args(words))?;
        }
        Ok(())
    }
}

impl Contender for Internal {
    fn name(&self) -> &'static str {
        "internal"
    }

    fn numbers(&self) -> Range<u32> {
        self.numbers.clone()
    }

    fn start(&mut self, stamps: &mut Stamps, count: u32) -> Result<()> {
        self.numbers.end = self.numbers.start + count;
        in_parallel(self.numbers(), |number| {
            let mut command = loader("start", &service(number));
            command.args(["--", STAMP]).envs(AT_ONCE);
            succeed(command.env("STAMP", number.to_string()))
        })?;
        all_up(stamps, self.numbers())?;
        self.hasten()
    }

    fn supervisors(&self) -> Result<Vec<i32>> {
        let guardian = process::called("rc-sv-guardian")?;
        let supervisor = process::called("rc-sv-supervisor")?;
        Ok(guardian.into_iter().chain(supervisor).collect())
    }

    fn rests_after(&self) -> u64 {
        clock::SECOND * 5 / 2
    }

    fn stop(&mut self, stamps: &mut Stamps) -> Result<()> {
        in_parallel(self.numbers(), |number| {
            succeed(&mut loader("stop", &service(number)))
        })?;
        stamps.forget(self.numbers());
        self.numbers.end = self.numbers.start;
        Ok(())
    }
}
