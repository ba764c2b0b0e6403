//! One conf.d, one behaviour: each line of rc-sv-modules(7) with the real programs. The same test
//! is run for every module; what differs between them stands in the table, and nowhere else.

mod behaviour;
#[path = "support/ends.rs"]
mod ends;
#[path = "support/modules.rs"]
mod modules;
mod suite;

use behaviour::{
    alert, dependents, each_module, fate, finish, health, limits, logs, news, process, ready,
    refusal, respawn, script, stop,
};
use modules::MODULES;
use rc_sv_api::key::{self, Role};
use rc_sv_api::{Deed, Support};

/// One test for each proof, and the list of what they prove: settings, and deeds by their text.
macro_rules! proofs {
    ($($place:ident :: $name:ident ($($proven:literal)+))+) => {
        const PROOFS: &[&[&str]] = &[$(&[$($proven),+]),+];
        $(#[test]
        fn $name() {
            each_module(&[$($proven),+], $place::$name);
        })+
    };
}

proofs! {
    process::surroundings_are_those_of_the_settings("command_user" "directory" "umask"
        "capabilities" "secbits" "no_new_privs" "rc_supervise_nice" "rc_supervise_ionice"
        "rc_supervise_oom_score_adj" "rc_supervise_module")
    process::files_are_those_of_the_settings("output_log" "error_log" "input_file")
    logs::files_are_exchanged_and_nothing_is_lost("rc_supervise_log_timestamp"
        "rc_supervise_log_max_size" "rc_supervise_log_keep")
    logs::a_program_reads_what_there_is("output_logger")
    logs::errors_alone_have_a_logger("error_logger")
    logs::the_system_log_gets_every_line("rc_supervise_syslog")
    logs::too_many_lines_are_left_out("rc_supervise_log_rate" "rc_supervise_log_max_age")
    logs::the_last_lines_say_why_it_died("rc_supervise_log_buffer")
    limits::they_hold_or_the_status_says_which_do_not("rc_supervise_memory_max"
        "rc_supervise_pids_max" "rc_supervise_cpu_weight")
    process::another_root("chroot")
    process::options_of_the_tools_become_settings("supervise_daemon_args" "start_stop_daemon_args")
    process::the_pid_file_tells_the_pid("pidfile" "command_background" "procname")
    respawn::pauses_grow_until_it_is_given_up_once("respawn_delay" "respawn_delay_cap"
        "respawn_max" "rc_supervise_delay_factor" "rc_supervise_jitter"
        "rc_supervise_min_interval" "rc_supervise_on_give_up" "respawn" "gave-up and failed"
        "count of respawns" "last exit")
    respawn::pauses_grow_by_steps("respawn_delay_step")
    respawn::the_window_slides("respawn_period")
    respawn::a_long_run_brings_the_first_pause_back("rc_supervise_reset_after")
    respawn::one_that_was_given_up_is_tried_again("rc_supervise_retry_after"
        "rc_supervise_alternate")
    script::each_respawn_has_what_it_says_then("rc_supervise_respawn")
    script::its_failure_is_one_of_the_service("rc_supervise_respawn")
    script::it_has_its_time_and_ends_with_the_service("rc_supervise_respawn" "timeout_ready")
    alert::a_person_is_told_once_that_it_failed_and_once_that_it_is_over("rc_supervise_alert"
        "rc_supervise_alert_timeout")
    dependents::they_stop_while_it_does_not_work_and_start_with_it("rc_supervise_propagate")
    dependents::they_follow_one_that_only_runs("rc_supervise_propagate")
    fate::the_policy_decides("rc_supervise_policy")
    fate::codes_go_before_the_policy("rc_supervise_prevent_codes" "rc_supervise_force_codes"
        "rc_supervise_success_codes")
    finish::it_is_told_and_can_forbid("rc_supervise_finish")
    finish::it_has_its_time("rc_supervise_finish_timeout")
    stop::signals_follow_the_ladder("retry" "stopsig")
    stop::time_outs_end_it("timeout_kill" "timeout_down")
    stop::signals_reach_whom_they_should("rc_supervise_kill_mode" "stopgroup")
    stop::any_signal_is_sent("any signal, pause" "reload")
    ready::a_start_waits_for_a_newline("notify" "timeout_ready")
    ready::more_time_can_be_asked_for("notify" "timeout_ready")
    ready::what_it_says_is_told("notify")
    ready::another_process_becomes_the_main_one("notify")
    ready::the_older_name("ready")
    ready::a_start_waits_for_an_answer("rc_supervise_ready")
    ready::a_daemon_goes_into_the_background("rc_supervise_ready")
    health::failures_make_it_unhealthy("rc_supervise_health" "rc_supervise_health_interval"
        "rc_supervise_health_failures" "rc_supervise_health_timeout" "rc_supervise_health_within"
        "rc_supervise_health_successes" "rc_supervise_health_start" "rc_supervise_unhealthy"
        "rc_supervise_health_action" "rc_supervise_alert")
    health::the_function_of_the_runscript("healthcheck_timer" "healthcheck_delay")
    health::the_checks_outlive_who_makes_them("rc_supervise_health")
    health::a_check_that_cannot_be_made_is_told("rc_supervise_health_failures")
    health::nobody_looks_at_what_is_down("rc_supervise_health_action")
    health::a_missed_watchdog("rc_supervise_watchdog" "rc_supervise_watchdog_signal")
    health::too_much_memory("rc_supervise_memory_limit")
}

/// Proven elsewhere, as one module has them: directories written by hand by
/// a_directory_is_used_as_it_is of each suite's tests, s6's own time-out by suite_s6.rs, and operators
/// by internal_operators.rs.
const ELSEWHERE: [&str; 5] = [
    "s6_service_timeout_stop",
    "s6_service_path",
    "runit_service",
    "daemontools_service",
    "rc_supervise_operators",
];

#[test]
fn what_is_refused_is_refused_in_one_line() {
    each_module(&[], refusal::each_refused_setting);
}

/// Also what no setting changes: hostile starts.
#[test]
fn what_cannot_be_executed_fails_in_words() {
    each_module(&[], process::what_cannot_be_executed);
}

#[test]
fn what_happens_is_told() {
    each_module(&[], news::events_are_shown_and_followed);
}

#[test]
fn nothing_of_the_table_is_unproven() {
    for module in MODULES {
        let done = |support| matches!(support, Support::Native | Support::Emulated);
        let settings = key::all().filter(|key| key.role == Role::Setting);
        let settings = settings.filter(|key| done((module.of_setting)(key)));
        let deeds = Deed::ALL
            .into_iter()
            .filter(|deed| done((module.of_deed)(*deed)));
        let names = settings.map(|key| key.name).chain(deeds.map(Deed::text));
        for name in names.filter(|name| !ELSEWHERE.contains(name)) {
            // A proof is left out where something of it is refused.
            let proof = PROOFS.iter().find(|proof| {
                proof.contains(&name) && proof.iter().all(|name| !modules::refuses(&module, name))
            });
            assert!(proof.is_some(), "{}: nothing proves {name}", module.name);
        }
    }
    // What is proven is in the table.
    for name in PROOFS.iter().copied().flatten() {
        let is_deed = Deed::ALL.iter().any(|deed| deed.text() == *name);
        assert!(is_deed || key::find(name).is_some(), "{name}");
    }
}
