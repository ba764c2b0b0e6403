//! Taking apart the options of OpenRC's tools as getopt_long(3) does. Pure.

use super::option_table::{Meaning, Row, Tool};
use rc_sv_api::{words, Error, Result};

/// An option that has an equal here, with its value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// Its long name, for messages.
    pub(super) name: &'static str,
    /// What it stands for.
    pub(super) meaning: Meaning,
    /// Empty where it takes none.
    pub(super) value: Vec<u8>,
}

/// The options in `line`, in their order. Letters may be joined (`-bm`) and have their value in
/// the same word (`-N5`), long names may be shortened and have it after `=`.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`]: an option that the tool does not have or that has no equal here,
/// a value that is missing or too much, or a word that is no option.
pub(super) fn parse(tool: Tool, line: &[u8]) -> Result<Vec<Given>> {
    let parser = Parser { tool };
    let words = words::split(line).map_err(|wanted| parser.wrong(format!("must be {wanted}")))?;
    let mut words = words.into_iter();
    let mut given = Vec::new();
    while let Some(word) = words.next() {
        match word.as_slice() {
            [b'-', b'-', name @ ..] if !name.is_empty() => {
                given.extend(parser.long(name, &mut words)?);
            }
            [b'-', letters @ ..] if !letters.is_empty() && letters != b"-" => {
                parser.letters(letters, &mut words, &mut given)?;
            }
            other => {
                let other = String::from_utf8_lossy(other);
                return Err(parser.wrong(format!("{other:?} is no option")));
            }
        }
    }
    Ok(given)
}

struct Parser {
    tool: Tool,
}

impl Parser {
    fn wrong(&self, what: impl std::fmt::Display) -> Error {
        Error::invalid(format!("{}: {what}", self.tool.variable()))
    }

    fn long(&self, text: &[u8], rest: &mut impl Iterator<Item = Vec<u8>>) -> Result<Option<Given>> {
        let end = text.iter().position(|byte| *byte == b'=');
        let name = &text[..end.unwrap_or(text.len())];
        let row = self.find(name)?;
        let value = end.map(|end| text[end + 1..].to_vec());
        if value.is_some() && !row.2.takes_value() {
            return Err(self.wrong(format!("--{} takes no value", row.1)));
        }
        self.take(row, value, rest)
    }

    fn letters(
        &self,
        letters: &[u8],
        rest: &mut impl Iterator<Item = Vec<u8>>,
        given: &mut Vec<Given>,
    ) -> Result<()> {
        for (index, letter) in letters.iter().enumerate() {
            let known = self.tool.rows().find(|row| row.0 == Some(*letter));
            let Some(row) = known else {
                let letter = String::from_utf8_lossy(&letters[index..index + 1]).into_owned();
                return Err(self.wrong(format!("there is no option -{letter}")));
            };
            if row.2.takes_value() {
                let value = Some(letters[index + 1..].to_vec()).filter(|value| !value.is_empty());
                given.extend(self.take(row, value, rest)?);
                return Ok(());
            }
            given.extend(self.take(row, None, rest)?);
        }
        Ok(())
    }

    /// The option called `name`, or the only one that begins so.
    fn find(&self, name: &[u8]) -> Result<&'static Row> {
        let shown = String::from_utf8_lossy(name);
        if let Some(row) = self.tool.rows().find(|row| row.1.as_bytes() == name) {
            return Ok(row);
        }
        let mut candidates = self
            .tool
            .rows()
            .filter(|row| row.1.as_bytes().starts_with(name));
        match (candidates.next(), candidates.next()) {
            (Some(row), None) => Ok(row),
            (Some(one), Some(other)) => {
                let message = format!("--{shown} may be --{} or --{}", one.1, other.1);
                Err(self.wrong(message))
            }
            (None, _) => Err(self.wrong(format!("there is no option --{shown}"))),
        }
    }

    fn take(
        &self,
        (_, name, meaning): &Row,
        value: Option<Vec<u8>>,
        rest: &mut impl Iterator<Item = Vec<u8>>,
    ) -> Result<Option<Given>> {
        let value = match value {
            None if meaning.takes_value() => rest
                .next()
                .ok_or_else(|| self.wrong(format!("--{name} needs a value")))?,
            value => value.unwrap_or_default(),
        };
        match meaning {
            Meaning::Always => Ok(None),
            Meaning::Nothing | Meaning::NothingWithValue => {
                Err(self.wrong(format!("--{name} has no equal under a module; remove it")))
            }
            meaning => Ok(Some(Given {
                name,
                meaning: *meaning,
                value,
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use Tool::{StartStopDaemon, SuperviseDaemon};

    fn values(tool: Tool, line: &str) -> Vec<(&'static str, String)> {
        let given = parse(tool, line.as_bytes()).unwrap();
        let text = |given: Given| (given.name, String::from_utf8(given.value).unwrap());
        given.into_iter().map(text).collect()
    }

    fn message(tool: Tool, line: &str) -> String {
        parse(tool, line.as_bytes()).unwrap_err().message
    }

    #[test]
    fn every_way_to_write_an_option() {
        for line in [
            "-N5",
            "-N 5",
            "--nicelevel 5",
            "--nicelevel=5",
            "--nice=5",
            "--ni '5'",
        ] {
            assert_eq!(
                values(SuperviseDaemon, line),
                [("nicelevel", "5".into())],
                "{line}"
            );
        }
        assert_eq!(
            values(
                SuperviseDaemon,
                "-e 'A=b c' --env=D=e -N -5 --no-new-privs -G -1/log"
            ),
            [
                ("env", "A=b c".into()),
                ("env", "D=e".into()),
                ("nicelevel", "-5".into()),
                ("no-new-privs", String::new()),
                ("stop-group", String::new()),
                ("stdout", "/log".into()),
            ]
        );
        assert_eq!(values(SuperviseDaemon, " \t "), []);
    }

    #[test]
    fn letters_mean_what_they_mean_to_their_tool() {
        assert_eq!(
            values(SuperviseDaemon, "-m 3"),
            [("respawn-max", "3".into())]
        );
        assert_eq!(
            values(StartStopDaemon, "-bmp /run/x.pid"),
            [
                ("make-pidfile", String::new()),
                ("pidfile", "/run/x.pid".into())
            ]
        );
        let joined = values(SuperviseDaemon, "--respawn-delay 2");
        assert_eq!(
            joined,
            [("respawn-delay", "2".into())],
            "a whole name is no abbreviation"
        );
    }

    #[test]
    fn what_has_no_equal_is_named_with_its_variable() {
        let cases = [
            (
                StartStopDaemon,
                "-b --wait 1000",
                "--wait has no equal under a module; remove it",
            ),
            (
                StartStopDaemon,
                "-x /bin/y",
                "--exec has no equal under a module; remove it",
            ),
            (
                SuperviseDaemon,
                "-p /run/x.pid",
                "--pidfile has no equal under a module; remove it",
            ),
            (
                SuperviseDaemon,
                "--quiet",
                "--quiet has no equal under a module; remove it",
            ),
            (SuperviseDaemon, "--nope", "there is no option --nope"),
            (SuperviseDaemon, "-Z", "there is no option -Z"),
            (
                SuperviseDaemon,
                "--background",
                "there is no option --background",
            ),
            (
                SuperviseDaemon,
                "--respawn=1",
                "--respawn may be --respawn-delay or --respawn-delay-step",
            ),
            (SuperviseDaemon, "-N", "--nicelevel needs a value"),
            (
                SuperviseDaemon,
                "--no-new-privs=yes",
                "--no-new-privs takes no value",
            ),
            (SuperviseDaemon, "-N 5 word", "\"word\" is no option"),
            (SuperviseDaemon, "--", "\"--\" is no option"),
            (SuperviseDaemon, "-", "\"-\" is no option"),
            (
                SuperviseDaemon,
                "'a",
                "must be a command line in which each ' is closed",
            ),
        ];
        for (tool, line, words) in cases {
            assert_eq!(
                message(tool, line),
                format!("{}: {words}", tool.variable()),
                "{line}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_line_is_taken_apart_or_refused(line in "[-a-zA-Z0-4= ']{0,40}") {
            for tool in [SuperviseDaemon, StartStopDaemon] {
                if let Err(error) = parse(tool, line.as_bytes()) {
                    prop_assert!(error.message.starts_with(tool.variable()));
                }
            }
        }
    }
}
