//! monit's columns of rc-sv-modules(7), with the real monit: each line of them for each kind of
//! control file. What other modules do in the same way is proven by the same means.

#![allow(dead_code)] // Not all of what the proofs for other modules need.
#![allow(clippy::duplicate_mod)] // What those and the tests of monit share is in both.

mod behaviour;
#[path = "support/ends.rs"]
mod ends;
#[path = "support/modules.rs"]
mod modules;
mod monit;
mod suite;
mod watched;

use behaviour::{finish, refusal, respawn, Scene};
use modules::WATCHERS;
use rc_sv_api::key::{self, Role};
use rc_sv_api::{Deed, Support};
use std::thread;
use watched::{alert, deeds, health, pace, start, stop};

/// Runs the proof with each kind of control file with which monit does all of `proven`.
fn each_kind(proven: &[&str], prove: impl Fn(&Scene) + Sync) {
    let prove = &prove;
    let able = WATCHERS.into_iter().filter(|module| {
        let refuses = |name: &&str| modules::refuses(module, name);
        !proven.iter().any(refuses)
    });
    thread::scope(|scope| {
        for module in able {
            thread::Builder::new()
                .name(format!("{:?}", module.kind))
                .spawn_scoped(scope, move || prove(&watched::scene(module)))
                .expect("a thread");
        }
    });
}

/// One test for each proof, and the list of what they prove: settings, and deeds by their text.
macro_rules! proofs {
    ($($place:ident :: $name:ident ($($proven:literal)+))+) => {
        const PROOFS: &[&[&str]] = &[$(&[$($proven),+]),+];
        $(#[test]
        fn $name() {
            each_kind(&[$($proven),+], $place::$name);
        })+
    };
}

// Where what OpenRC does is looked at in the next run, that has to be ours: respawn_max.
proofs! {
    start::surroundings_are_those_of_the_settings("command_user" "directory" "umask"
        "rc_supervise_module" "rc_monit_type")
    start::privileges_are_those_of_the_settings("capabilities" "secbits" "no_new_privs" "respawn_max")
    start::priorities_are_given_to_what_runs("rc_supervise_nice" "rc_supervise_ionice"
        "rc_supervise_oom_score_adj")
    start::files_are_those_of_the_settings("output_log" "error_log" "input_file" "respawn_max")
    start::another_root("chroot" "respawn_max")
    start::options_of_the_tool_become_settings("start_stop_daemon_args")
    start::the_pid_file_tells_the_pid("pidfile" "command_background" "procname")
    start::a_start_has_its_time("timeout_ready" "respawn_max")
    respawn::pauses_grow_by_steps("respawn_delay_step")
    respawn::the_window_slides("respawn_period")
    respawn::a_long_run_brings_the_first_pause_back("rc_supervise_reset_after")
    finish::it_has_its_time("rc_supervise_finish_timeout")
    pace::it_is_given_up_once("respawn_delay" "respawn_delay_cap" "respawn_max"
        "rc_supervise_delay_factor" "rc_supervise_jitter" "rc_supervise_on_give_up"
        "gave-up and failed" "count of respawns")
    pace::two_starts_are_some_time_apart("rc_supervise_min_interval")
    pace::monit_runs_it_again("respawn")
    stop::openrc_stops_it_as_the_settings_say("retry" "stopsig")
    stop::the_clean_up_is_done_after_each_end("rc_supervise_finish")
    alert::a_person_is_told_once_and_in_time("rc_supervise_alert" "rc_supervise_alert_timeout")
    health::checks_follow_their_rules("rc_supervise_health" "rc_supervise_health_interval"
        "rc_supervise_health_timeout" "rc_supervise_health_failures" "rc_supervise_health_within"
        "rc_supervise_health_start" "rc_supervise_health_action" "rc_supervise_unhealthy"
        "rc_supervise_memory_limit")
    health::a_command_has_no_start("rc_supervise_health_start")
    health::a_command_is_run_for_a_sick_one("rc_supervise_unhealthy")
    deeds::monits_own_check_has_another_name("rc_monit_service")
}

#[test]
fn what_it_lacks_is_said() {
    each_kind(&[], deeds::what_it_lacks_is_said);
}

#[test]
fn what_is_refused_is_refused_in_one_line() {
    each_kind(&[], refusal::each_refused_setting);
}

#[test]
fn nothing_of_monits_columns_is_unproven() {
    for module in WATCHERS {
        let done = |support| matches!(support, Support::Native | Support::Emulated);
        let settings = key::all().filter(|key| key.role == Role::Setting);
        let settings = settings.filter(|key| done((module.of_setting)(key)));
        let deeds = Deed::ALL
            .into_iter()
            .filter(|deed| done((module.of_deed)(*deed)));
        let kind = module.kind.expect("a kind");
        for name in settings.map(|key| key.name).chain(deeds.map(Deed::text)) {
            let proof = PROOFS.iter().find(|proof| {
                proof.contains(&name) && proof.iter().all(|name| !modules::refuses(&module, name))
            });
            assert!(proof.is_some(), "{kind}: nothing proves {name}");
        }
    }
}
