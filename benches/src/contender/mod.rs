//! What is measured beside each other: supervisors, each with a number of the same daemons.

mod floor;
pub mod internal;
mod stock;
mod suite;

use std::ops::Range;
use std::process::{Command, Stdio};
use std::thread;

use crate::stamps::Stamps;
use crate::{clock, Result};

pub use floor::Floor;
pub use internal::Internal;
pub use stock::SuperviseDaemon;
pub use suite::Suite;

/// The measured daemon, in the lab.
pub const STAMP: &str = "/usr/lib/rc-sv-bench/stamp";

/// Longest time for a start or stop of all services of a contender, in seconds.
const LONG: u64 = 60;

/// One kind of supervision.
pub trait Contender {
    /// Its name in the tables.
    fn name(&self) -> &'static str;

    /// The numbers of its services that run.
    fn numbers(&self) -> Range<u32>;

    /// Starts `count` services, as none runs yet. Returns when all have stamped.
    fn start(&mut self, stamps: &mut Stamps, count: u32) -> Result<()>;

    /// The processes that supervise them.
    fn supervisors(&self) -> Result<Vec<i32>>;

    /// Ends services and supervisors.
    fn stop(&mut self, stamps: &mut Stamps) -> Result<()>;

    /// After how long without work, in nanoseconds, the supervisors have given back what they need
    /// for work only.
    fn rests_after(&self) -> u64 {
        0
    }

    /// Whether a service that was up for long is run again at once. Else the measurement does not
    /// wait for it, but goes on with others meanwhile.
    fn is_prompt(&self) -> bool {
        true
    }
}

/// Waits until all these services have stamped. Returns the time of the last first instruction.
pub fn all_up(stamps: &mut Stamps, numbers: Range<u32>) -> Result<u64> {
    let deadline = clock::in_seconds(LONG);
    let mut last = 0;
    for number in numbers {
        let stamp = match stamps.latest(number) {
            Some(stamp) => stamp,
            None => stamps.of(number, deadline)?,
        };
        last = last.max(stamp.ns);
    }
    Ok(last)
}

/// Does `work` for each number, several at a time.
fn in_parallel(numbers: Range<u32>, work: impl Fn(u32) -> Result<()> + Sync) -> Result<()> {
    let workers = thread::available_parallelism().map_or(1, |count| count.get() as u32);
    thread::scope(|scope| {
        let start = |worker: u32| {
            let numbers = numbers.clone();
            let work = &work;
            scope.spawn(move || {
                numbers
                    .skip(worker as usize)
                    .step_by(workers as usize)
                    .try_for_each(work)
            })
        };
        let running: Vec<_> = (0..workers).map(start).collect();
        let mut ended = running.into_iter().map(|worker| worker.join());
        ended.try_for_each(|end| end.unwrap_or_else(|_| Err("a worker panicked".into())))
    })
}

/// A program of the lab, with nothing of our environment.
pub fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Runs a program to its end; anything but success is an error with what it said.
pub fn succeed(command: &mut Command) -> Result<()> {
    let result = command.stderr(Stdio::piped()).output();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let words = words.join(" ");
    let output = result.map_err(|error| format!("{words}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{words}: {}: {}", output.status, said.trim()))
}
