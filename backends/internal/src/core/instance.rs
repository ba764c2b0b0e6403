//! One instance of a service: from a spawn to the end of its main process.

use rc_sv_api::policy::Cause;

/// The current or the last instance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance {
    /// Its number, unique in the core; 0 before the first.
    pub run: u32,
    /// Pid of the main process, once it is known.
    pub pid: Option<i32>,
    /// When it was ordered, in milliseconds of CLOCK_BOOTTIME.
    pub ordered_ms: u64,
    /// When its main process was found dead, or could not be made.
    pub ended_ms: Option<u64>,
    /// The program was executed.
    pub executed: bool,
    /// When it was first told to end, or said that it does.
    pub leaves_ms: Option<u64>,
    /// The program could not be executed, with this `errno`.
    pub not_run: Option<i32>,
    /// Why it ended.
    pub cause: Cause,
    /// Its finish command forbade a respawn.
    pub permanent: bool,
    /// There never was a main process: it could not be made.
    pub unmade: bool,
    /// Its main process is a zombie.
    pub zombie: bool,
    /// The runscript runs, or has failed: the main process is ordered when that has ended well.
    pub awaits_script: bool,
}

impl Instance {
    /// An instance that is ordered now.
    pub(super) fn ordered(run: u32, now_ms: u64) -> Instance {
        Instance {
            run,
            pid: None,
            ordered_ms: now_ms,
            ended_ms: None,
            executed: false,
            leaves_ms: None,
            not_run: None,
            cause: Cause::Itself,
            permanent: false,
            unmade: false,
            zombie: false,
            awaits_script: false,
        }
    }

    /// What stands in for an instance before the first.
    pub(super) fn none() -> Instance {
        Instance {
            ended_ms: Some(0),
            ..Instance::ordered(0, 0)
        }
    }

    /// Whether there is a main process, or will be one.
    pub(super) fn is_live(&self) -> bool {
        self.ended_ms.is_none()
    }

    /// Whether the program runs.
    pub(super) fn runs_program(&self) -> bool {
        self.is_live() && self.executed
    }
}
