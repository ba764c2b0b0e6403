//! `rc-sv-exec`: a service under a supervisor of somebody else.
//!
//! s6-supervise, runsv and supervise start whatever is called `run` in a service directory, and
//! the first two run `finish` after its end. Both are links to `rc-sv-exec`, which knows from the
//! spec what to run and from the record when. A service directory has these files:
//!
//! | file | what it is |
//! |---|---|
//! | `rc-sv` | a symbolic link to the service's own directory, `SVCDIR/rc-sv/SERVICE`, an absolute path without links below `SVCDIR` |
//! | `run` | a link to `rc-sv-exec` |
//! | `finish` | the same, where the supervisor runs it; its time is limited by the spec, so s6 needs `timeout-finish` 0 |
//! | `log` | where the suite has a logger, which is `rc-sv-logger`: what its stream takes goes there; the rest goes to the files that the spec names, or to /dev/null |
//!
//! The directory must belong to root or to the caller, and only they may write to it.
//!
//! **`run`** waits until the policy allows the next run, then becomes the program: its pid is that
//! of the daemon, and nothing stays in between. Where there is no `finish` it stays as the parent
//! instead, because nobody else would know how the program ended; and also where somebody has to
//! find out whether the program is ready, and whether it still works ([`vigil`]), or where it goes
//! into the background ([`background`]). To s6, whose
//! service directory has a file `notification-fd` then, it passes on that the program is ready.
//! Where a supervisor was killed
//! and the program still runs, it looks after that one, and passes signals on: there is never a
//! second copy.
//!
//! **`finish`** clears up, runs the finish command, and decides. What is not to be run again is
//! taken down by the byte `d` to the supervisor, and by exit 125.
//!
//! **`respawn`** is for services that OpenRC starts and stops, and that somebody only watches, such as
//! monit; see `respawn.rs` and [`crate::watched`]. It becomes the program, or runs one that goes
//! into the background by itself.
//!
//! A module that drives a suite calls [`record::forget`] before a start and [`record::want_down`]
//! before a stop, both before the supervisor is told; [`await_executed`] or [`await_ready`] after a start; and it
//! reads [`record::read`] for its status. The pid that the suite shows is not always that of the
//! program, the one in the record is.
//!
//! In the service's own directory lie `spec` ([`crate::spec_file`]), `record` ([`record`]),
//! `instance` ([`crate::instance`]), `lock` (who is at work), `failure` (why the last program was not
//! executed), `down` (nobody wants it up), `renew` (the runscript comes before the next run) and `script`
//! (which process that is).

mod alarm;
mod attend;
mod background;
mod begin;
mod call;
mod cgroup;
mod command;
mod dependents;
mod ear;
mod executed;
mod finish;
mod given;
mod lock;
mod output;
mod plain;
pub mod record;
mod recovery;
mod report;
mod respawn;
mod script;
mod sickness;
mod signals;
mod tell;
mod vigil;

pub use alarm::Told;
pub use call::{Call, LINK};
pub use executed::{await_executed, await_ready, executed, is_executing, ready};
pub use given::Given;
pub use lock::{is_at_work, rouse};
pub use plain::{keep, plain, KEEPER};
pub use recovery::is_awaited;
pub use respawn::Reason;
pub use script::{awaits_script, end_script};
pub use signals::Signals;
pub(crate) use signals::{is_ending, Woken};

use rc_sv_api::exit::Exit;
use rc_sv_api::Result;
use record::Record;

/// The exit code of `finish` by which s6-supervise does not run the service again.
pub const NEVER_AGAIN: u8 = 125;

/// What is to be done for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The next run.
    Run,
    /// The same, as the child of one that stays.
    Child(Given),
    /// What follows an end.
    Finish(Exit),
    /// The next run of a service that OpenRC has started, asked for by who watches it.
    Respawn(Reason),
    /// Alerting a person.
    Alert(Told),
    /// Telling those that need the service whether it does its work.
    Dependents,
    /// Having a person told when a watched service works again; or waiting for that.
    Recover {
        /// This process is the one who waits.
        waits: bool,
    },
    /// Telling OpenRC, and whom else it concerns, that the service is down.
    Tell {
        /// How it was then.
        told: Box<Record>,
        /// Who only watches it is to let it go.
        watched: bool,
    },
}

impl Part {
    /// What a program is to do that was called by this name with these arguments.
    pub fn parse(name: &str, arguments: &[String]) -> Option<Part> {
        match name {
            "run" => Some(Part::Run),
            "child" => Given::parse(arguments).map(Part::Child),
            "finish" => Some(Part::Finish(finish::exit_of(arguments))),
            "respawn" => Some(Part::Respawn(Reason::parse(arguments.first()?)?)),
            "dependents" => Some(Part::Dependents),
            "recover" => Some(Part::Recover {
                waits: arguments
                    .first()
                    .is_some_and(|word| word == recovery::WAITS),
            }),
            "alert" => Told::parse(arguments).map(Part::Alert),
            "tell" => Some(Part::Tell {
                told: Box::new(record::parse(arguments.first()?.as_bytes())?),
                watched: arguments.get(1).is_some_and(|word| word == tell::WATCHED),
            }),
            _ => None,
        }
    }

    /// Takes what was inherited, before the first descriptor is opened.
    ///
    /// # Errors
    /// It is not there.
    pub fn settle(&self) -> Result<()> {
        match self {
            Part::Child(given) => given.settle(),
            _ => Ok(()),
        }
    }

    /// Does it. Answers the exit code; where the program was executed, this does not come back.
    ///
    /// # Errors
    /// It could not be done.
    pub fn play(self, call: Call, signals: &Signals) -> Result<u8> {
        match self {
            Part::Run => begin::run(&call, signals),
            Part::Child(given) => begin::child(&call, &given, signals),
            Part::Finish(exit) => finish::finish(&call, exit, signals),
            Part::Respawn(reason) => respawn::respawn(&call.of_watched(), reason, signals),
            Part::Dependents => dependents::tell(&call, signals),
            Part::Recover { waits: false } => recovery::leave(&call),
            Part::Recover { waits: true } => recovery::wait(&call, signals),
            Part::Alert(told) => alarm::tell(&call, &told, signals),
            Part::Tell { told, watched } => match watched {
                false => tell::tell(&call, &told, signals),
                true => tell::tell(&call.of_watched(), &told, signals),
            },
        }
    }
}
