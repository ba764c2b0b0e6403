//! Variables that rc-sv adds.

use super::Group::{Health, Limits, Output, Process, Readiness, Respawn, Service, Stop};
use super::Kind::{
    Choice, Command, Count, Duration, Exits, Factor, Flag, Number, Signal, Size, Text,
};
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
    key(Service, "rc_supervise_respawn", Choice(&["spec", "script"]), "spec", "Respawn what was captured at start (spec); or (script) run start_pre() and start() of the runscript before each respawn, without OpenRC's lock, and respawn what they say then. They have timeout_ready; a failure counts as one of the service. RC_CMD is rcsv_respawn then."),
    key(Service, "rc_supervise_propagate", Flag, "no", "Services that need this one and run stop when it ends unasked, is unhealthy or is given up, and start again with it: when it is ready, or healthy again."),
    key(Service, "rc_supervise_operators", Text, "", "A group whose members may restart the service with rc-sv-loader, and nothing else; everybody may ask for its status. One that was stopped they cannot start."),
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
    key(Respawn, "rc_supervise_retry_after", Duration(Seconds), "", "This long after it was given up for failing too often the service is started once more. If that fails too, it is given up again, and tried again as long after. OpenRC calls it stopped meanwhile, so rc-service does nothing to stop it: rc-sv-loader stop ends the tries."),
    key(Respawn, "rc_supervise_alternate", Text, "", "Service of OpenRC that is started when this one is given up."),
    key(Respawn, "rc_supervise_alert", Command, "", "Command that tells a person: once when the service is given up, when a check with action=alert makes it unhealthy, and once when that is over: it is healthy again, or has been up for rc_supervise_reset_after."),
    key(Respawn, "rc_supervise_alert_timeout", Duration(Seconds), "30s", "After this long the alert command is killed, with what it started in its process group."),
    key(Readiness, "rc_supervise_ready", Text, "", "What shows that the service is ready, where it does not say so itself by notify: pidfile, for a daemon that goes into the background and writes pidfile; tcp:[HOST:]PORT or unix:/path accepts a connection, http://HOST[:PORT]/path answers with a status from 200 to 399, exec:COMMAND exits with 0. HOST is an address or localhost."),
    key(Health, "rc_supervise_health", Text, "", "Checks, separated by newlines or semicolons. Each is a target as in rc_supervise_ready, or hook for healthcheck() of the runscript; then options that override the settings below, such as interval=10s: interval, timeout, failures, successes, within, start, action. A command with arguments is quoted: exec:'/bin/x -a'."),
    key(Health, "rc_supervise_health_interval", Duration(Seconds), "30s", "From one check to the next."),
    key(Health, "rc_supervise_health_timeout", Duration(Seconds), "10s", "A check that takes longer is killed and has failed."),
    key(Health, "rc_supervise_health_failures", Count(64), "3", "So many failures make the service unhealthy. A check that could not be made is none; the status says why."),
    key(Health, "rc_supervise_health_successes", Count(64), "1", "So many successes in a row make it healthy again."),
    key(Health, "rc_supervise_health_within", Count(64), "0", "The failures are counted among so many last checks; 0 counts those in a row."),
    key(Health, "rc_supervise_health_start", Duration(Seconds), "0", "From readiness to the first check; 0 is one interval."),
    key(Health, "rc_supervise_health_action", Choice(&["restart", "alert", "exec"]), "restart", "What is done about an unhealthy service: restart stops it, and the policy decides as after a failure; alert says so in the log and the status; exec only runs rc_supervise_unhealthy, which has to be set then."),
    key(Health, "rc_supervise_unhealthy", Command, "", "Command that is run when the service becomes unhealthy, before it is stopped; at most rc_supervise_health_timeout long; a stop or restart meanwhile does not wait for it. When unset and the check is hook, unhealthy() of the runscript is called."),
    key(Health, "rc_supervise_watchdog", Duration(Seconds), "", "The service has to send WATCHDOG=1 at least this often once it is ready (notify=socket:ready); it finds WATCHDOG_USEC in its environment."),
    key(Health, "rc_supervise_watchdog_signal", Signal, "ABRT", "Signal to a service that missed its watchdog; the stop ladder follows."),
    key(Health, "rc_supervise_memory_limit", Size, "", "A service that uses more memory than this is stopped in good order and respawned. Looked at every 5 s: at what its cgroup uses, or, without one, at what is resident of its main process."),
    key(Stop, "rc_supervise_kill_mode", Choice(&["mixed", "group", "process"]), "mixed", "Whom stop signals reach: mixed, the main process, and at the end everything; group, always the process group; process, only the main process, ever. Everything is the cgroup; where there is none, it is the process group, and what made a session of its own survives."),
    key(Output, "rc_supervise_syslog", Text, "", "Output that goes to no file and no logger goes to the system's log, line by line, as this: facility.level, such as daemon.info."),
    key(Output, "rc_supervise_log_max_size", Size, "", "output_log and error_log are exchanged for new files before they get larger than this; the old ones are called FILE.1, FILE.2 and so on."),
    key(Output, "rc_supervise_log_max_age", Duration(Seconds), "", "The same when they are older than this, with the next line that is written."),
    key(Output, "rc_supervise_log_keep", Count(1000), "5", "So many old files are kept."),
    key(Output, "rc_supervise_log_timestamp", Flag, "no", "Each line in output_log and error_log begins with the time, in UTC."),
    key(Output, "rc_supervise_log_rate", Count(1_000_000), "0", "No more lines than this are written to files and to the system's log in a second; how many were left out is said in one line. 0 is without a limit."),
    key(Output, "rc_supervise_log_buffer", Size, "16K", "So much of the last output stays in memory, and is shown by rc-sv-loader status, wherever there is a logger. Set, it is kept also of output that goes to a plain file or nowhere."),
    key(Limits, "rc_supervise_memory_max", Size, "", "No more memory than this: the kernel kills what takes more, and the status says so (memory.max of the service's cgroup)."),
    key(Limits, "rc_supervise_pids_max", Count(4_194_304), "", "No more processes and threads than this (pids.max of the service's cgroup)."),
    key(Limits, "rc_supervise_cpu_weight", Number(1, 10_000), "", "The service's share of the processors when they are all busy; others have 100 (cpu.weight of the service's cgroup)."),
    key(Process, "rc_supervise_nice", Number(-20, 19), "", "Scheduling priority; that of the runscript when unset."),
    key(Process, "rc_supervise_ionice", Text, "", "I/O priority as CLASS or CLASS:LEVEL; that of the runscript when unset."),
    key(Process, "rc_supervise_oom_score_adj", Number(-1000, 1000), "", "Adjustment of the score for the kernel's OOM killer; that of the runscript when unset."),
];
