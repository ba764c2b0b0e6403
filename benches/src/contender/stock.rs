//! OpenRC's own supervise-daemon: one process for each service.

use std::fs;
use std::ops::Range;

use super::{all_up, in_parallel, program, succeed, Contender, STAMP};
use crate::process::kill_now;
use crate::stamps::{Stamps, PLACE};
use crate::Result;

/// supervise-daemon of the lab's OpenRC, without a pause and without a limit.
#[derive(Debug)]
pub struct SuperviseDaemon {
    numbers: Range<u32>,
}

impl SuperviseDaemon {
    /// Numbers begin with `first`.
    pub fn new(first: u32) -> SuperviseDaemon {
        SuperviseDaemon {
            numbers: first..first,
        }
    }
}

fn pidfile(number: u32) -> String {
    format!("{PLACE}/supervise-daemon-{number}.pid")
}

impl Contender for SuperviseDaemon {
    fn name(&self) -> &'static str {
        "supervise-daemon"
    }

    fn numbers(&self) -> Range<u32> {
        self.numbers.clone()
    }

    fn start(&mut self, stamps: &mut Stamps, count: u32) -> Result<()> {
        self.numbers.end = self.numbers.start + count;
        in_parallel(self.numbers(), |number| {
            let service = format!("stock-{number}");
            // Its pause is 0 by default, and 0 is not accepted.
            let mut command = program("supervise-daemon");
            command
                .args([&service, "--start", "--respawn-max", "0"])
                .args(["--pidfile", &pidfile(number), "--", STAMP])
                .env("RC_SVCNAME", &service)
                .env("STAMP", number.to_string());
            succeed(&mut command)
        })?;
        all_up(stamps, self.numbers())?;
        Ok(())
    }

    fn supervisors(&self) -> Result<Vec<i32>> {
        let read = |number| {
            let path = pidfile(number);
            let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
            text.trim()
                .parse()
                .map_err(|_| format!("{path}: no pid: {text:?}"))
        };
        self.numbers().map(read).collect()
    }

    fn stop(&mut self, stamps: &mut Stamps) -> Result<()> {
        for pid in self.supervisors()? {
            kill_now(pid)?;
        }
        for number in self.numbers() {
            stamps
                .latest(number)
                .map_or(Ok(()), |stamp| kill_now(stamp.pid))?;
            fs::remove_file(pidfile(number)).map_err(|error| error.to_string())?;
        }
        stamps.forget(self.numbers());
        self.numbers.end = self.numbers.start;
        Ok(())
    }
}
