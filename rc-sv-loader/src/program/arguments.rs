//! The command line. Help, manual page and completion are made from it.

use clap::{Parser, Subcommand, ValueEnum};
use rc_sv_api::duration::{self, Unit};
use rc_sv_api::{signal, ServiceName};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

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

/// What to do with which service.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a service.
    ///
    /// Its settings are the variables RCSV_NAME, which are those of conf.d exported by the drop-in,
    /// and the configuration files; see rc-sv(5). A service that is up is left alone.
    Start {
        /// Name of the service.
        #[arg(value_parser = service_name)]
        service: ServiceName,
        /// The module; without it rc_supervise_module says which.
        #[arg(long, value_name = "NAME")]
        module: Option<String>,
        /// The program goes into the background by itself: a module that can watch a service leaves
        /// its start to OpenRC.
        #[arg(long)]
        forks: bool,
        /// The program and its arguments.
        #[arg(last = true, value_name = "ARGV")]
        argv: Vec<OsString>,
    },
    /// Show what a start of a service would do, and start nothing; or what a module lacks.
    ///
    /// Everything is resolved and refused as by start: by the script of the service, which is
    /// run for that by rc-service, unless a module or a program is given. A line for each part of
    /// the plan, such as how it is stopped and when it is given up. Without a service the module
    /// is looked at: a line for each thing that keeps it from its work or will, with what to do, and
    /// exit status 1; nothing is changed. That of monit looks at socket, credentials, version,
    /// control files, pace, modes of directories and limits.
    Check {
        /// Name of the service.
        #[arg(value_parser = service_name, required_unless_present = "module")]
        service: Option<ServiceName>,
        /// The module; without it rc_supervise_module says which.
        #[arg(long, value_name = "NAME")]
        module: Option<String>,
        /// Tell what would happen, and when, to a service that does this; see SIMULATION.
        #[arg(long, value_name = "WORDS", requires = "service")]
        simulate: Option<String>,
        /// As for start.
        #[arg(long, hide = true)]
        forks: bool,
        /// The script has a start() of its own.
        #[arg(long, hide = true)]
        own_start: bool,
        /// The program and its arguments.
        #[arg(last = true, value_name = "ARGV", requires = "service")]
        argv: Vec<OsString>,
    },
    /// Let a module watch a service that runs already.
    ///
    /// Settings are taken as by start, and the module is recorded as the one that watches. One that
    /// hangs is killed after 30 seconds, as by detach.
    Attach {
        /// Name of the service.
        #[arg(value_parser = service_name)]
        service: ServiceName,
        /// The module; without it rc_supervise_module says which.
        #[arg(long, value_name = "NAME")]
        module: Option<String>,
        /// The program and its arguments, as far as they are known.
        #[arg(last = true, value_name = "ARGV")]
        argv: Vec<OsString>,
    },
    /// End watching a service, which runs on.
    ///
    /// Where the module or its supervisor is gone, nobody watches any more.
    Detach {
        /// Name of the service.
        #[arg(value_parser = service_name)]
        service: ServiceName,
    },
    /// Stop a service through the module that started it.
    Stop {
        /// Name of the service.
        #[arg(value_parser = service_name)]
        service: ServiceName,
    },
    /// Restart a service as it was started.
    ///
    /// The runscript is not run again, and conf.d is not read.
    Restart {
        /// Name of the service.
        #[arg(value_parser = service_name)]
        service: ServiceName,
    },
    /// Make a service read its configuration again.
    ///
    /// As its module does that, else by HUP to its main process.
    Reload {
        /// Name of the service.
        #[arg(value_parser = service_name)]
        service: ServiceName,
    },
    /// Drop all memory of a service, which must be down.
    Forget {
        /// Name of the service.
        #[arg(value_parser = service_name)]
        service: ServiceName,
    },
    /// Show a service, or all that a module has started.
    Status {
        /// Name of the service.
        #[arg(value_parser = service_name)]
        service: Option<ServiceName>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Have the supervisor that is installed take the place of the one that runs.
    ///
    /// For module internal, after an update. Services are not disturbed and nothing is forgotten. Where
    /// the new program cannot be executed, or does not stay, the old one goes on. Only root may do this.
    Upgrade,
    /// Show what happens to services: what happened lately, or with --follow what happens from now on.
    ///
    /// Module internal remembers its last events, at least a thousand. Of other modules the last event
    /// of each service is shown as its status tells it; followed, what OpenRC's state directory shows.
    Events {
        /// Names of services; all, if none is given.
        #[arg(value_parser = service_name, value_name = "SERVICE")]
        services: Vec<ServiceName>,
        /// Go on until the reader of standard output is gone, or a signal ends it.
        #[arg(long, short)]
        follow: bool,
        /// One JSON object on each line.
        #[arg(long)]
        json: bool,
    },
    /// Wait until a service is up and ready, or down.
    Wait {
        /// Name of the service.
        #[arg(value_parser = service_name)]
        service: ServiceName,
        /// What to wait for: up, or down. What was given up is down.
        #[arg(default_value = "up")]
        goal: Goal,
        /// For how long at most, in seconds or with a unit: ms, s, m, h.
        #[arg(long, value_name = "TIME", default_value = "60", value_parser = time)]
        timeout: Duration,
    },
    /// Send a signal to the main process of a service.
    Signal {
        /// Name of the service.
        #[arg(value_parser = service_name)]
        service: ServiceName,
        /// A name such as HUP, or a number.
        #[arg(value_parser = signal_number)]
        signal: Signal,
    },
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Goal {
    /// It runs, and is ready where it can tell.
    Up,
    /// Nothing of it runs and nothing will, also because it was given up.
    Down,
}

/// The number of a signal.
#[derive(Clone, Copy, Debug)]
pub struct Signal(pub i32);

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

impl Command {
    /// The service that is meant, if it is one.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Command::Start { service, .. }
            | Command::Attach { service, .. }
            | Command::Detach { service }
            | Command::Reload { service }
            | Command::Forget { service }
            | Command::Stop { service }
            | Command::Restart { service }
            | Command::Wait { service, .. }
            | Command::Signal { service, .. } => Some(service),
            Command::Check { service, .. } | Command::Status { service, .. } => service.as_ref(),
            Command::Events { .. } | Command::Upgrade => None,
        }
    }
}

fn service_name(text: &str) -> Result<ServiceName, String> {
    ServiceName::new(text.as_bytes()).map_err(|error| error.message)
}

fn time(text: &str) -> Result<Duration, String> {
    duration::parse(text, Unit::Seconds)
}

fn signal_number(text: &str) -> Result<Signal, &'static str> {
    signal::parse(text)
        .map(Signal)
        .ok_or("must be a signal such as TERM or 15")
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
