//! What is different in each suite of the family.

mod daemontools;
mod runit;
mod s6;

use crate::observed::Observed;

pub use daemontools::DAEMONTOOLS;
pub use runit::RUNIT;
pub use s6::S6;

/// A suite: names, files and bytes. Everything else is the same in all of them.
#[derive(Debug)]
pub struct Suite {
    /// Its name, which is that of the module.
    pub name: &'static str,
    /// One line for people.
    pub description: &'static str,
    /// The program that looks through a scan directory and begins supervisors.
    pub scanner: &'static str,
    /// The program that supervises one service.
    pub supervisor: &'static str,
    /// The service of OpenRC that runs the scanner.
    pub scanner_service: &'static str,
    /// The scan directory of that service, in OpenRC's state directory.
    pub openrc_scan_dir: &'static str,
    /// Where others have their scan directory.
    pub scan_dirs: &'static [&'static str],
    /// How the scanner is told to look.
    pub nudge: Nudge,
    /// The FIFO in `supervise/` that has a reader while the supervisor lives.
    pub alive: &'static str,
    /// The control byte for "do not run it again".
    pub once: u8,
    /// The files by which a directory written by hand says how its program is ended on `d`.
    pub end_files: &'static [&'static str],
    /// Its own setting for the time after which KILL ends a stop.
    pub kill_setting: Option<&'static str>,
    /// Whether its supervisor that was told to end forgets that when it is told `d`, as `finish` does.
    pub forgets_end: bool,
    /// Whether `finish` is run after `run`.
    pub finish: bool,
    /// Whether its supervisor listens to a descriptor on which the program tells that it is ready.
    pub listens: bool,
    /// How many seconds its TAI64N labels are ahead of the clock.
    pub tai_offset: u64,
    /// Understands a `supervise/status`. The length says which version wrote it; `None` for any
    /// other.
    pub decode: fn(&[u8]) -> Option<Observed>,
    /// The setting with a service directory written by hand.
    pub native_setting: &'static str,
    /// Where such a directory, called like the service, is looked for without that setting.
    pub native_root: Option<&'static str>,
}

/// How a scanner is told that its directory has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nudge {
    /// It reads a FIFO.
    Control,
    /// It looks by itself, and a signal that it catches makes it look earlier.
    Wake,
    /// It looks by itself, every five seconds.
    None,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// Hexadecimal digits as bytes.
    pub(super) fn bytes(digits: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        (0..digits.len()).step_by(2).map(digit).collect()
    }

    /// Bytes of every kind, often of a length that some suite uses.
    pub(super) fn hostile() -> impl Strategy<Value = Vec<u8>> {
        let lengths = prop_oneof![Just(18), Just(20), Just(35), Just(43), 0..100usize];
        lengths.prop_flat_map(|length| proptest::collection::vec(any::<u8>(), length))
    }
}
