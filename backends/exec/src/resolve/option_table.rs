//! Which options OpenRC's tools have, and what stands for them here.

/// The tool whose options a variable holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    /// `supervise_daemon_args`.
    SuperviseDaemon,
    /// `start_stop_daemon_args`.
    StartStopDaemon,
}

/// What an option means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Its value is that of this setting.
    Setting(&'static str),
    /// Without a value it is `yes` for this setting.
    Yes(&'static str),
    /// `--user`: a user, or user:group.
    User,
    /// `--group`.
    Group,
    /// `--env`: NAME=value.
    Variable,
    /// Every module does it anyway.
    Always,
    /// There is no equal.
    Nothing,
    /// There is no equal, and it has a value.
    NothingWithValue,
}

impl Meaning {
    /// Whether the option has a value.
    pub(super) fn takes_value(self) -> bool {
        !matches!(self, Meaning::Yes(_) | Meaning::Always | Meaning::Nothing)
    }
}

/// One option: its letter, if it has one, its long name and its meaning.
pub(super) type Row = (Option<u8>, &'static str, Meaning);

use Meaning::{Always, Group, Nothing, NothingWithValue, Setting, User, Variable, Yes};

const fn letter(letter: u8) -> Option<u8> {
    Some(letter)
}

/// What both have.
const BOTH: &[Row] = &[
    (letter(b'I'), "ionice", Setting("rc_supervise_ionice")),
    (letter(b'N'), "nicelevel", Setting("rc_supervise_nice")),
    (None, "oom-score-adj", Setting("rc_supervise_oom_score_adj")),
    (letter(b'R'), "retry", Setting("retry")),
    (letter(b'd'), "chdir", Setting("directory")),
    (letter(b'r'), "chroot", Setting("chroot")),
    (letter(b'k'), "umask", Setting("umask")),
    (letter(b'e'), "env", Variable),
    (letter(b'g'), "group", Group),
    (letter(b'u'), "user", User),
    (letter(b'0'), "stdin", Setting("input_file")),
    (letter(b'1'), "stdout", Setting("output_log")),
    (letter(b'2'), "stderr", Setting("error_log")),
    (letter(b'G'), "stop-group", Yes("stopgroup")),
    (None, "capabilities", Setting("capabilities")),
    (None, "secbits", Setting("secbits")),
    (None, "no-new-privs", Yes("no_new_privs")),
    (None, "notify", Setting("notify")),
    (letter(b'S'), "start", Nothing),
    (letter(b'K'), "stop", Nothing),
    (letter(b's'), "signal", NothingWithValue),
    (letter(b'h'), "help", Nothing),
    (letter(b'C'), "nocolor", Nothing),
    (letter(b'V'), "version", Nothing),
    (letter(b'v'), "verbose", Nothing),
    (letter(b'q'), "quiet", Nothing),
];

/// What only supervise-daemon has. Its pid file is that of the supervisor.
const SUPERVISE_DAEMON: &[Row] = &[
    (
        letter(b'a'),
        "healthcheck-timer",
        Setting("healthcheck_timer"),
    ),
    (
        letter(b'A'),
        "healthcheck-delay",
        Setting("healthcheck_delay"),
    ),
    (letter(b'D'), "respawn-delay", Setting("respawn_delay")),
    (None, "respawn-delay-step", Setting("respawn_delay_step")),
    (None, "respawn-delay-cap", Setting("respawn_delay_cap")),
    (letter(b'm'), "respawn-max", Setting("respawn_max")),
    (letter(b'P'), "respawn-period", Setting("respawn_period")),
    (None, "stdout-logger", Setting("output_logger")),
    (None, "stderr-logger", Setting("error_logger")),
    (letter(b'p'), "pidfile", NothingWithValue),
    (letter(b'3'), "reexec", Nothing),
];

/// What only start-stop-daemon has.
const START_STOP_DAEMON: &[Row] = &[
    (letter(b'b'), "background", Always),
    (letter(b'c'), "chuid", User),
    (letter(b'm'), "make-pidfile", Yes("command_background")),
    (letter(b'p'), "pidfile", Setting("pidfile")),
    (letter(b'n'), "name", Setting("procname")),
    (letter(b'3'), "stdout-logger", Setting("output_logger")),
    (letter(b'4'), "stderr-logger", Setting("error_logger")),
    (letter(b'a'), "startas", NothingWithValue),
    (letter(b'x'), "exec", NothingWithValue),
    (letter(b'w'), "wait", NothingWithValue),
    (letter(b'i'), "interpreted", Nothing),
    (letter(b'o'), "oknodo", Nothing),
    (letter(b't'), "test", Nothing),
    (letter(b'P'), "progress", Nothing),
    (None, "scheduler", NothingWithValue),
    (None, "scheduler-priority", NothingWithValue),
];

impl Tool {
    /// The variable with its options.
    pub(super) fn variable(self) -> &'static str {
        match self {
            Tool::SuperviseDaemon => "supervise_daemon_args",
            Tool::StartStopDaemon => "start_stop_daemon_args",
        }
    }

    /// All its options.
    pub(super) fn rows(self) -> impl Iterator<Item = &'static Row> {
        let own = match self {
            Tool::SuperviseDaemon => SUPERVISE_DAEMON,
            Tool::StartStopDaemon => START_STOP_DAEMON,
        };
        BOTH.iter().chain(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::key::{self, Kind, Role};
    use std::collections::BTreeSet;

    #[test]
    fn options_are_unique_and_name_settings_that_can_be_set() {
        for tool in [Tool::SuperviseDaemon, Tool::StartStopDaemon] {
            let (mut letters, mut names) = (BTreeSet::new(), BTreeSet::new());
            for (letter, name, meaning) in tool.rows() {
                assert!(names.insert(name), "--{name} twice");
                assert!(
                    letter.is_none_or(|letter| letters.insert(letter)),
                    "--{name}: its letter"
                );
                if let Setting(setting) | Yes(setting) = meaning {
                    let key = key::find(setting).unwrap_or_else(|| panic!("--{name}: {setting}"));
                    assert_eq!(key.role, Role::Setting, "{setting}");
                    assert_eq!(key.kind == Kind::Flag, !meaning.takes_value(), "{setting}");
                }
            }
        }
    }
}
