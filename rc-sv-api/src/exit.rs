//! How a process ended, and sets of such ends.

use crate::signal;
use std::fmt;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Exit {
    /// It exited with this code, 0 to 255.
    Code(u8),
    /// It was killed by this signal.
    Signal(u8),
    /// It was killed by this signal and dumped core.
    Dumped(u8),
    /// It never ran: `execve` or the preparation before it failed with this `errno`.
    NotRun(i32),
    /// It is gone and nobody can tell how.
    Unknown,
}

impl Exit {
    /// Decodes a wait status as `waitpid(2)` delivers it.
    pub fn from_wait_status(status: i32) -> Exit {
        let signal = (status & 0x7f) as u8;
        match (signal, status & 0x80) {
            (0, _) => Exit::Code((status >> 8) as u8),
            (signal, 0) => Exit::Signal(signal),
            (signal, _) => Exit::Dumped(signal),
        }
    }

    /// Whether the end was clean in systemd's sense: code 0, or HUP, INT, TERM or PIPE.
    pub fn is_clean(self) -> bool {
        match self {
            Exit::Code(code) => code == 0,
            Exit::Signal(number) => {
                [signal::HUP, signal::INT, signal::TERM, signal::PIPE].contains(&i32::from(number))
            }
            _ => false,
        }
    }

    /// The signal that killed it, if one did.
    pub fn signal(self) -> Option<u8> {
        match self {
            Exit::Signal(number) | Exit::Dumped(number) => Some(number),
            _ => None,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Exit::Code(code) => write!(out, "exited {code}"),
            Exit::Signal(number) => write!(out, "killed by {}", signal::name(i32::from(number))),
            Exit::Dumped(number) => {
                write!(
                    out,
                    "killed by {} (core dumped)",
                    signal::name(i32::from(number))
                )
            }
            Exit::NotRun(errno) => {
                let cause = crate::Error::io("not run", &std::io::Error::from_raw_os_error(errno));
                out.write_str(&cause.message)
            }
            Exit::Unknown => out.write_str("ended in an unknown way"),
        }
    }
}

/// A set of exit codes and signals, as in `rc_supervise_prevent_codes="78 100-103 SEGV"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExitSet {
    codes: Vec<(u8, u8)>,
    signals: u64,
}

impl ExitSet {
    /// Parses codes (`3`), ranges (`100-103`) and signal names (`SEGV`), separated by blanks or
    /// commas. A number is always an exit code.
    ///
    /// # Errors
    /// The words for what would be right.
    pub fn parse(text: &str) -> Result<ExitSet, String> {
        let mut set = ExitSet::default();
        for word in text
            .split([' ', '\t', '\n', ','])
            .filter(|word| !word.is_empty())
        {
            if word.starts_with(|c: char| c.is_ascii_digit()) {
                let (from, to) = word.split_once('-').unwrap_or((word, word));
                match (from.parse(), to.parse()) {
                    (Ok(from), Ok(to)) if from <= to => set.codes.push((from, to)),
                    _ => return Err(wanted(word)),
                }
            } else {
                let number = signal::parse(word).ok_or_else(|| wanted(word))?;
                set.signals |= 1 << (number - 1);
            }
        }
        Ok(set)
    }

    /// Whether `exit` is in the set. An unknown end and one that never ran are in none.
    pub fn contains(&self, exit: Exit) -> bool {
        match exit {
            Exit::Code(code) => self
                .codes
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&code)),
            Exit::Signal(number) | Exit::Dumped(number) => {
                (1..=64).contains(&number) && self.signals & (1 << (number - 1)) != 0
            }
            Exit::NotRun(_) | Exit::Unknown => false,
        }
    }
}

fn wanted(word: &str) -> String {
    format!("exit codes 0 to 255, ranges such as 100-103 and signal names, but {word:?} is none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_statuses() {
        assert_eq!(Exit::from_wait_status(3 << 8), Exit::Code(3));
        assert_eq!(Exit::from_wait_status(9), Exit::Signal(9));
        assert_eq!(Exit::from_wait_status(11 | 0x80), Exit::Dumped(11));
    }

    #[test]
    fn sets_of_codes_ranges_and_signals() {
        let set = ExitSet::parse("78 100-103,SEGV").unwrap();
        for exit in [
            Exit::Code(78),
            Exit::Code(101),
            Exit::Signal(11),
            Exit::Dumped(11),
        ] {
            assert!(set.contains(exit), "{exit}");
        }
        for exit in [
            Exit::Code(0),
            Exit::Code(104),
            Exit::Signal(9),
            Exit::Unknown,
        ] {
            assert!(!set.contains(exit), "{exit}");
        }
        for text in ["256", "5-3", "NOPE", "-1", "1-"] {
            assert!(ExitSet::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn clean_as_systemd_has_it() {
        assert!(Exit::Code(0).is_clean() && Exit::Signal(13).is_clean());
        assert!(!Exit::Code(1).is_clean() && !Exit::Signal(9).is_clean());
    }
}
