//! What is to be done with which service, on the command line.

use clap::{Subcommand, ValueEnum};
use rc_sv_api::duration::{self, Unit};
use rc_sv_api::{signal, ServiceName};
use std::ffi::OsString;
use std::time::Duration;

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
        /// The supervisor itself has run the script: what it says is for the respawn.
        #[arg(long, hide = true)]
        respawn: bool,
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
    ///
    /// Also one that OpenRC does not stop, because its start goes on, or because it was given up and
    /// rc_supervise_retry_after is set.
    Stop {
        /// Name of the service.
        #[arg(value_parser = service_name)]
        service: ServiceName,
    },
    /// Restart a service as it was started.
    ///
    /// The runscript is not run again, and conf.d is not read, unless rc_supervise_respawn is script.
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

fn service_name(text: &str) -> Result<ServiceName, String> {
    ServiceName::new(text.as_bytes()).map_err(|error| error.message)
}

fn time(text: &str) -> Result<Duration, String> {
    duration::parse(text, Unit::Seconds)
}

fn signal_number(text: &str) -> Result<Signal, String> {
    signal::parse(text)
        .map(Signal)
        .ok_or_else(|| format!("signal {text:?}: must be a name or number such as TERM or 15"))
}
