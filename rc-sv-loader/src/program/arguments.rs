//! The command line. Help, manual page and completion are made from it.

use super::command::Command;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// What follows the options in help and manual page.
pub const EXIT_CODES: &str = "\
Exit codes:
  0   done; status: up, also while it waits for a respawn
  1   failed, with one line on standard error: rc-sv-loader: SERVICE: MODULE: what
  2   the command line is wrong
  3   status: stopped, or given up
  4   status: stopping
  5   the service starts and stops itself and is only watched; attach: the module cannot watch
  8   status: starting
  32  status: crashed
  64  status: runs unsupervised
  77  --verify: a part could not be run, nothing failed
  99  wait: the time is over
  102 wait: it was given up, and will not come up by itself";

/// Starts, stops and shows services that modules of rc-sv supervise.
#[derive(Debug, Parser)]
#[command(
    name = "rc-sv-loader",
    version,
    after_help = EXIT_CODES,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
pub struct Arguments {
    /// List the modules, those that cannot be used too, without running anything of theirs.
    #[arg(long, group = "shown", conflicts_with = "describe")]
    pub list: bool,

    /// Verify the file of a module: what it is, what it says of itself, and how it behaves with a
    /// scratch service. For those who write modules, and for their tests.
    #[arg(
        long,
        value_name = "FILE",
        group = "shown",
        conflicts_with = "describe"
    )]
    pub verify: Option<PathBuf>,

    /// The part of --verify that runs the module, with a directory for it.
    #[arg(long, value_name = "DIRECTORY", hide = true, requires = "verify")]
    pub verify_inside: Option<PathBuf>,

    /// With --list or --verify: as JSON.
    #[arg(long, requires = "shown")]
    pub json: bool,

    /// Describe a module: what it can do, whether its supervisor is there, which settings there are.
    #[arg(long, value_name = "MODULE")]
    pub describe: Option<String>,

    /// Print a file that is kept with the sources.
    #[arg(long, value_name = "FILE", hide = true, conflicts_with_all = ["list", "describe", "verify"])]
    pub generate: Option<What>,

    /// Answer what librc_sv asks on standard input.
    #[arg(long, hide = true, exclusive = true)]
    pub answer: bool,

    /// What to do with which service.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The files that are generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// `openrc/rc-sv-keys.sh`
    ShellKeys,
    /// `man/rc-sv-loader.8`
    #[value(name = "man-8")]
    Man8,
    /// `man/rc-sv.5`
    #[value(name = "man-5")]
    Man5,
    /// For bash.
    CompleteBash,
    /// For zsh.
    CompleteZsh,
    /// For fish.
    CompleteFish,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_daemons_arguments_are_taken_as_they_are() {
        let line = [
            "x", "start", "foo", "--module", "s6", "--", "/bin/d", "--module", "-x", "",
        ];
        let Some(Command::Start {
            service,
            module,
            argv,
            ..
        }) = Arguments::try_parse_from(line).unwrap().command
        else {
            panic!("not a start");
        };
        assert_eq!((service.as_str(), module.as_deref()), ("foo", Some("s6")));
        assert_eq!(argv, ["/bin/d", "--module", "-x", ""]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            &["x"][..],
            &["x", "start"],
            &["x", "start", "../foo"],
            &["x", "start", "foo", "/bin/d"],
            &["x", "signal", "foo", "SIGFOO"],
            &["x", "wait"],
            &["x", "wait", "foo", "ready"],
            &["x", "wait", "foo", "--timeout", "soon"],
            &["x", "--json"],
            &["x", "--list", "--describe", "s6"],
            &["x", "--list", "--verify", "f"],
            &["x", "--verify"],
            &["x", "--verify-inside", "d"],
            &["x", "--list", "stop", "foo"],
            &["x", "--generate", "nonsense"],
            &["x", "check"],
            &["x", "check", "--module", "s6", "--", "/bin/d"],
        ] {
            let error = Arguments::try_parse_from(line).expect_err(&line.join(" "));
            assert_eq!(error.exit_code(), 2, "{line:?}");
        }
    }
}
