//! Variables that rc-sv adds.

use super::Group::{Process, Respawn, Service, Stop};
use super::Kind::{Choice, Command, Count, Duration, Exits, Factor, Flag, Number, Text};
use super::Role::Setting;
use super::Since::RcSv;
use super::{Group, Key, Kind};
use crate::duration::Unit::Seconds;

const fn key(
    group: Group,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    doc: &'static str,
) -> Key {
    Key {
        name,
        kind,
        default,
        group,
        role: Setting,
        since: RcSv,
        doc,
    }
}

/// When a service that ended is respawned; the words and their meaning are systemd's.
pub(super) const POLICIES: &[&str] = &[
    "always",
    "on-success",
    "on-failure",
    "on-abnormal",
    "on-abort",
    "no",
];

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    key(Service, "rc_supervise_module", Text, "", "The module that supervises the service. Empty or unset leaves it to OpenRC."),
    key(Service, "rc_supervise_respawn", Choice(&["spec", "script"]), "spec", "Respawn from what was captured at start, or through the runscript."),
    key(Service, "rc_supervise_propagate", Flag, "no", "Services that need this one stop while it is down or unhealthy, and start again with it."),
    key(Respawn, "rc_supervise_policy", Choice(POLICIES), "always", "After which ends the service is respawned."),
    key(Respawn, "rc_supervise_success_codes", Exits, "", "Exits that count as success besides 0, HUP, INT, TERM and PIPE."),
    key(Respawn, "rc_supervise_prevent_codes", Exits, "", "Exits after which the service is never respawned, but failed for good. 78 (EX_CONFIG) is a good habit."),
    key(Respawn, "rc_supervise_force_codes", Exits, "", "Exits after which it is respawned whatever rc_supervise_policy says."),
    key(Respawn, "rc_supervise_delay_factor", Factor, "2", "The pause is multiplied by this with each respawn."),
    key(Respawn, "rc_supervise_jitter", Count(100), "10", "Percentage by which a pause may be longer or shorter, by chance, so that services that died together do not come back together."),
    key(Respawn, "rc_supervise_min_interval", Duration(Seconds), "1s", "Shortest time between two starts, however short the pause."),
    key(Respawn, "rc_supervise_reset_after", Duration(Seconds), "60s", "After this long up the pause is back at its beginning."),
    key(Respawn, "rc_supervise_on_give_up", Command, "", "Command that is run once when the service is given up."),
    key(Respawn, "rc_supervise_finish", Command, "", "Command that is run after each end of the service, before anything else happens. Exit 125 forbids a respawn."),
    key(Respawn, "rc_supervise_finish_timeout", Duration(Seconds), "5s", "After this long the finish command is killed."),
    key(Stop, "rc_supervise_kill_mode", Choice(&["mixed", "group", "process"]), "mixed", "Whom stop signals reach: mixed, the main process, and at the end everything; group, always the process group; process, only the main process, ever. Everything is the cgroup; where there is none, it is the process group, and what made a session of its own survives."),
    key(Process, "rc_supervise_nice", Number(-20, 19), "", "Scheduling priority; that of the runscript when unset."),
    key(Process, "rc_supervise_ionice", Text, "", "I/O priority as CLASS or CLASS:LEVEL; that of the runscript when unset."),
    key(Process, "rc_supervise_oom_score_adj", Number(-1000, 1000), "", "Adjustment of the score for the kernel's OOM killer; that of the runscript when unset."),
];
