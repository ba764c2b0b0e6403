//! What a process that is to become the program was given by its parent, to say that it is ready.

use crate::process;
use rc_sv_api::{Error, Result, Spec, Value};
use std::os::fd::RawFd;

/// By arguments, because it goes through an execve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Given {
    /// Nothing: nobody listens.
    #[default]
    Nothing,
    /// An end of a pipe.
    Line {
        /// The descriptor that was inherited.
        fd: RawFd,
        /// Its number in the program.
        number: RawFd,
    },
    /// The address of a socket.
    Socket(String),
}

impl Given {
    /// What the arguments say. `None`: they make no sense.
    pub(super) fn parse(arguments: &[String]) -> Option<Given> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match words[..] {
            [] => Some(Given::Nothing),
            ["socket", address] => Some(Given::Socket(address.into())),
            ["line", fd, number] => {
                let standard = |fd: &RawFd| *fd > 2;
                let fd = fd.parse().ok().filter(standard)?;
                let number = number.parse().ok().filter(standard)?;
                Some(Given::Line { fd, number })
            }
            _ => None,
        }
    }

    /// Gives the pipe its number, before anything else can have that.
    pub(super) fn settle(&self) -> Result<()> {
        match *self {
            Given::Line { fd, number } => {
                let moved = process::move_descriptor(fd, number);
                moved.map_err(|cause| Error::io("take over the descriptor of notify", &cause))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn descriptor(&self) -> Option<RawFd> {
        match *self {
            Given::Line { number, .. } => Some(number),
            _ => None,
        }
    }

    /// Adds the address of the socket to the environment of the program, and how often it is to say
    /// there that it is alive.
    pub(super) fn add_to(&self, spec: &mut Spec) {
        if let Given::Socket(address) = self {
            let watchdog = spec.settings().duration("rc_supervise_watchdog");
            let watchdog = watchdog.filter(|interval| !interval.is_zero());
            let settings = spec.settings().list("environment").unwrap_or_default();
            let mut environment: Vec<Vec<u8>> = settings
                .into_iter()
                .filter(|variable| !variable.starts_with(b"NOTIFY_SOCKET="))
                .filter(|variable| !variable.starts_with(b"WATCHDOG_USEC="))
                .map(<[u8]>::to_vec)
                .collect();
            environment.push(format!("NOTIFY_SOCKET={address}").into_bytes());
            environment.extend(watchdog.map(|interval| {
                let micros = interval.as_micros();
                format!("WATCHDOG_USEC={micros}").into_bytes()
            }));
            spec.put("environment", Value::List(environment));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Option<Given> {
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        Given::parse(&words)
    }

    #[test]
    fn what_is_given_and_what_is_not() {
        assert_eq!(parse(&[]), Some(Given::Nothing));
        assert_eq!(parse(&["socket", "@a"]), Some(Given::Socket("@a".into())));
        let line = Given::Line { fd: 9, number: 3 };
        assert_eq!(parse(&["line", "9", "3"]), Some(line));
        for words in [
            &["line"][..],
            &["line", "2", "3"],
            &["line", "9", "0"],
            &["line", "9", "x"],
            &["socket"],
            &["x"],
        ] {
            assert_eq!(parse(words), None, "{words:?}");
        }
    }

    #[test]
    fn the_address_takes_the_place_of_an_older_one() {
        let mut spec = Spec::default();
        let before = ["A=1", "NOTIFY_SOCKET=/old", "B=2"].map(|text| text.into());
        spec.put("environment", Value::List(before.into()));
        Given::Nothing.add_to(&mut spec);
        assert_eq!(spec.settings().list("environment").unwrap().len(), 3);
        Given::Socket("/new".into()).add_to(&mut spec);
        let after: [&[u8]; 3] = [b"A=1", b"B=2", b"NOTIFY_SOCKET=/new"];
        assert_eq!(spec.settings().list("environment").unwrap(), after);
    }
}
