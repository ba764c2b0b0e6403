//! What is wrong with a command line, in one line as every other complaint: scripts pass names on,
//! and what they hold must not make lines of its own.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::error::Error as _;

/// The line, or `None` where help or the version is wanted.
pub fn line(error: &clap::Error) -> Option<String> {
    let what = match (error.kind(), error.source()) {
        (
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
            _,
        ) => return None,
        (ErrorKind::ValueValidation, Some(what)) => what.to_string(),
        (ErrorKind::InvalidUtf8, _) => "names must be UTF-8".to_string(),
        _ => first_paragraphs(&error.to_string()),
    };
    let what = what.replace(char::is_control, "?");
    Some(match usage(error) {
        Some(usage) => format!("{what}; usage: {usage}; see --help"),
        None => format!("{what}; see --help"),
    })
}

/// What clap says, without its hints and what follows them.
fn first_paragraphs(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let said =
        lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let said: Vec<&str> = said
        .filter(|line| !line.is_empty() && !line.starts_with("tip:"))
        .collect();
    let said = said.join(" ");
    said.strip_prefix("error: ").unwrap_or(&said).to_string()
}

/// How the command is called, where it is one command.
fn usage(error: &clap::Error) -> Option<String> {
    match error.get(ContextKind::Usage)? {
        ContextValue::StyledStr(usage) => {
            let usage = usage.to_string();
            let usage = usage.strip_prefix("Usage: ")?.trim();
            (!usage.contains('\n')).then(|| usage.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::arguments::Arguments;
    use clap::Parser;

    fn said(line: &[&str]) -> Option<String> {
        super::line(&Arguments::try_parse_from(line).expect_err("refused"))
    }

    #[test]
    fn every_complaint_is_one_line_that_says_what_would_be_right() {
        for (line, expected) in [
            (
                &["rc-sv-loader", "--nonsense"][..],
                "unexpected argument '--nonsense' found; see --help",
            ),
            (
                &["rc-sv-loader", "frob"],
                "unrecognized subcommand 'frob'; see --help",
            ),
            (
                &["rc-sv-loader", "stop"],
                "the following required arguments were not provided: <SERVICE>; \
                 usage: rc-sv-loader stop <SERVICE>; see --help",
            ),
            (
                &["rc-sv-loader", "stop", "foo", "bar"],
                "unexpected argument 'bar' found; usage: rc-sv-loader stop <SERVICE>; see --help",
            ),
            (
                &["rc-sv-loader", "signal", "foo", "-1"],
                "unexpected argument '-1' found; usage: rc-sv-loader signal <SERVICE> <SIGNAL>; \
                 see --help",
            ),
            (
                &["rc-sv-loader", "wait", "foo", "sideways"],
                "invalid value 'sideways' for '[GOAL]' [possible values: up, down]; see --help",
            ),
            (
                &["rc-sv-loader", "status", "../foo"],
                "service name \"../foo\": must not start with a dot; see --help",
            ),
            (
                &["rc-sv-loader", "--list", "--describe", "s6"],
                "the argument '--list' cannot be used with '--describe <MODULE>'; \
                 usage: rc-sv-loader --list; see --help",
            ),
        ] {
            assert_eq!(said(line).as_deref(), Some(expected), "{line:?}");
        }
    }

    #[test]
    fn words_of_the_command_line_make_no_lines_of_their_own() {
        let line = said(&["rc-sv-loader", "stop", "foo", "a\nrc-sv-loader: \u{1b}[2J"]).unwrap();
        assert!(!line.contains(char::is_control), "{line:?}");
    }

    #[test]
    fn help_and_version_are_no_complaint() {
        for word in ["--help", "--version"] {
            assert_eq!(said(&["rc-sv-loader", word]), None);
        }
        assert_eq!(said(&["rc-sv-loader"]), None);
    }
}
