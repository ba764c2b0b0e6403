//! After which ends a service is started again, and when it has failed: the table of systemd.service(5).

/// One way to end, and under which policies there is a respawn.
pub struct End {
    pub name: &'static str,
    pub args: &'static str,
    /// Under [`POLICIES`]: whether there is a respawn.
    pub respawned: [bool; 6],
    /// Whether it counts as a failure when there is none.
    pub is_failure: bool,
}

pub const POLICIES: [&str; 6] = [
    "always",
    "on-success",
    "on-failure",
    "on-abnormal",
    "on-abort",
    "no",
];

const fn end(
    name: &'static str,
    args: &'static str,
    respawned: [bool; 6],
    is_failure: bool,
) -> End {
    End {
        name,
        args,
        respawned,
        is_failure,
    }
}

/// The table of systemd.service(5).
const CLEAN: [bool; 6] = [true, true, false, false, false, false];
const CODE: [bool; 6] = [true, false, true, false, false, false];
const SIGNAL: [bool; 6] = [true, false, true, true, true, false];

pub const ENDS: [End; 9] = [
    end("zero", "--exit 0", CLEAN, false),
    end("three", "--exit 3", CODE, true),
    end("hup", "--die HUP", CLEAN, false),
    end("int", "--die INT", CLEAN, false),
    end("term", "--die TERM", CLEAN, false),
    end("pipe", "--die PIPE", CLEAN, false),
    end("segv", "--die SEGV", SIGNAL, true),
    end("abrt", "--die ABRT", SIGNAL, true),
    end("kill", "--die KILL", SIGNAL, true),
];
