//! The command lines that scripts run most, in their plainest form: what to do, the service, and the
//! daemon's arguments.
//!
//! Clap makes every command with all its texts before it looks at the first word: a third of the page
//! faults of a whole `rc-sv-loader status`. What is not as plain as here, and every mistake, is clap's.

use super::arguments::Arguments;
use super::command::Command;
use rc_sv_api::ServiceName;
use std::ffi::OsString;

/// The meaning of the words after the program's name, if they are such a line.
pub fn parse(words: &[OsString]) -> Option<Arguments> {
    let [what, service, rest @ ..] = words else {
        return None;
    };
    let service = service.to_str().filter(|name| !name.starts_with('-'))?;
    let service = ServiceName::new(service.as_bytes()).ok()?;
    let command = match (what.to_str()?, rest) {
        ("start", [dashes, argv @ ..]) if dashes == "--" => Command::Start {
            service,
            module: None,
            forks: false,
            respawn: false,
            argv: argv.to_vec(),
        },
        ("stop", []) => Command::Stop { service },
        ("restart", []) => Command::Restart { service },
        ("status", []) => Command::Status {
            service: Some(service),
            json: false,
        },
        ("status", [option]) if option == "--json" => Command::Status {
            service: Some(service),
            json: true,
        },
        _ => return None,
    };
    Some(Arguments {
        command: Some(command),
        ..Arguments::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn words(line: &[&str]) -> Vec<OsString> {
        line.iter().map(OsString::from).collect()
    }

    #[test]
    fn plain_lines_mean_what_they_mean_to_clap() {
        for line in [
            &["start", "foo", "--", "/bin/d", "-x", "--", "--module", ""][..],
            &["start", "foo", "--"],
            &["stop", "foo"],
            &["restart", "foo.bar"],
            &["status", "foo"],
            &["status", "foo", "--json"],
            &["status", "--json"],
            &["status", "help"],
        ] {
            let all = [&["x"][..], line].concat();
            let expected = Arguments::try_parse_from(words(&all));
            let expected = expected.unwrap_or_else(|error| panic!("{line:?}: {error}"));
            match parse(&words(line)) {
                Some(got) => assert_eq!(format!("{got:?}"), format!("{expected:?}")),
                None => assert_eq!(line, ["status", "--json"], "it is plain"),
            }
        }
    }

    #[test]
    fn whatever_else_is_left_to_clap() {
        for line in [
            &[][..],
            &["--list"],
            &["status"],
            &["stop", "-h"],
            &["stop", "--", "foo"],
            &["stop", "../foo"],
            &["stop", "foo", "bar"],
            &["start", "foo"],
            &["start", "foo", "/bin/d"],
            &["start", "foo", "--module", "s6", "--", "/bin/d"],
            &["status", "foo", "-j"],
            &["signal", "foo", "HUP"],
            &["stopp", "foo"],
        ] {
            assert!(parse(&words(line)).is_none(), "{line:?}");
        }
    }
}
