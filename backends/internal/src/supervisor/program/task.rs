//! What the program `rc-sv-supervisor` is asked to do by its arguments.

use rc_sv_api::{Error, Result};
use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` says.
pub const USAGE: &str = "\
usage: rc-sv-supervisor --daemon [--svcdir DIR]
       rc-sv-supervisor --foreground [--svcdir DIR]
       rc-sv-supervisor --upgrade [--svcdir DIR]
       rc-sv-supervisor --help | --version";

/// What the program is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Go into the background, and return when the supervisor can be reached.
    Daemon(PathBuf),
    /// Supervise; while there is another supervisor, wait for its end.
    Foreground(PathBuf),
    /// Take the place of the program that runs.
    Upgrade(PathBuf),
    /// Go on as the guardian, with what the file with this number tells of.
    Succeed(i32),
    /// Print [`USAGE`].
    Help,
    /// Print the version.
    Version,
}

impl Task {
    /// The task of a command line without the program's name. `svcdir` is the state directory
    /// where none is given.
    ///
    /// # Errors
    /// [`Code::Invalid`] with what would be right.
    pub fn parse(
        arguments: impl IntoIterator<Item = OsString>,
        mut svcdir: PathBuf,
    ) -> Result<Task> {
        let mut make: Option<fn(PathBuf) -> Task> = None;
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--daemon") if make.is_none() => make = Some(Task::Daemon),
                Some("--foreground") if make.is_none() => make = Some(Task::Foreground),
                // Nobody has to know: see `handover`.
                Some("--succeed") => {
                    let number = arguments.next();
                    let number = number
                        .as_ref()
                        .and_then(|number| number.to_str()?.parse().ok());
                    return number
                        .map(Task::Succeed)
                        .ok_or_else(|| Error::invalid("--succeed needs a descriptor"));
                }
                Some("--upgrade") if make.is_none() => make = Some(Task::Upgrade),
                Some("--help" | "-h") => return Ok(Task::Help),
                Some("--version" | "-V") => return Ok(Task::Version),
                Some("--svcdir") => match arguments.next() {
                    Some(dir) => svcdir = dir.into(),
                    None => return Err(Error::invalid("--svcdir needs a directory")),
                },
                _ => {
                    let shown = argument.to_string_lossy();
                    return Err(Error::invalid(format!("unexpected {shown:?}; see --help")));
                }
            }
        }
        if !svcdir.is_absolute() {
            let shown = svcdir.display();
            return Err(Error::invalid(format!(
                "--svcdir {shown}: must be absolute"
            )));
        }
        match make {
            Some(make) => Ok(make(svcdir)),
            None => Err(Error::invalid(
                "--daemon, --foreground or --upgrade is needed; see --help",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::Code;

    fn parse(line: &str) -> Result<Task> {
        Task::parse(line.split_whitespace().map(OsString::from), "/s".into())
    }

    #[test]
    fn command_lines() {
        assert_eq!(parse("--daemon").unwrap(), Task::Daemon("/s".into()));
        let given = parse("--svcdir /x --foreground").unwrap();
        assert_eq!(given, Task::Foreground("/x".into()));
        assert_eq!(parse("--help").unwrap(), Task::Help);
        for line in [
            "",
            "--daemon --foreground",
            "--svcdir",
            "--svcdir x --daemon",
            "--x",
        ] {
            assert_eq!(parse(line).unwrap_err().code, Code::Invalid, "{line}");
        }
    }
}
