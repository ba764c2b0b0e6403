//! The s6 module against the real s6.

mod suite;

use suite::openrc::{alive, rc, SOON};
use suite::{faults, kills, life, many, native, start, starts, S6};

#[test]
fn from_start_to_end() {
    life::from_start_to_end(&S6);
}

#[test]
fn promises_are_kept() {
    life::promises_are_kept(&S6);
}

#[test]
fn restart_in_one_step() {
    life::restart_in_one_step(&S6);
}

#[test]
fn stop_by_the_ladder() {
    life::stop_by_the_ladder(&S6);
}

#[test]
fn a_crash_loop_is_told_and_given_up() {
    life::a_crash_loop_is_told_and_given_up(&S6);
}

#[test]
fn ordinary_users_are_told_what_is_recorded() {
    life::ordinary_users_are_told_what_is_recorded(&S6);
}

#[test]
fn what_cannot_be_executed_fails_in_words() {
    start::what_cannot_be_executed_fails_in_words(&S6);
}

#[test]
fn what_is_not_done_is_refused() {
    start::what_is_not_done_is_refused(&S6);
}

#[test]
fn hostile_arguments_arrive() {
    start::hostile_arguments_arrive(&S6);
}

#[test]
fn without_a_scanner() {
    start::without_a_scanner(&S6);
}

#[test]
fn a_name_that_is_taken() {
    start::a_name_that_is_taken(&S6);
}

#[test]
fn no_tool_is_executed() {
    start::no_tool_is_executed(&S6);
}

#[test]
fn a_program_says_that_it_is_ready() {
    start::a_program_says_that_it_is_ready(&S6);
}

#[test]
fn a_scanner_that_hangs() {
    faults::a_scanner_that_hangs(&S6);
}

#[test]
fn a_stop_without_the_scanner() {
    faults::a_stop_without_the_scanner(&S6);
}

#[test]
fn a_supervisor_that_hangs() {
    faults::a_supervisor_that_hangs(&S6);
}

#[test]
fn a_supervisor_that_is_killed() {
    faults::a_supervisor_that_is_killed(&S6);
}

#[test]
fn everything_is_killed() {
    faults::everything_is_killed(&S6);
}

#[test]
fn stale_files_tell_no_lies() {
    faults::stale_files_tell_no_lies(&S6);
}

#[test]
fn nothing_leaks() {
    many::nothing_leaks(&S6);
}

#[test]
fn a_directory_says_how_it_ends() {
    native::a_directory_says_how_it_ends(&S6, "down-signal", "INT\n", 2);
}

#[test]
fn a_directory_tells_that_it_is_ready() {
    native::a_directory_tells_that_it_is_ready(&S6);
}

/// Of OpenRC's own variables for s6: KILL comes when that is over.
#[test]
fn the_time_out_of_a_stop() {
    let lab = S6.lab();
    let conf = "s6_service_timeout_stop=500\ns6_force_kill=yes\n";
    S6.probe(&lab, "foo", "--ignore TERM", conf);
    rc(&lab, "foo", "start").ok();
    let pid = starts(&lab, "foo", 1)[0].pid();
    rc(&lab, "foo", "stop").ok();
    assert!(!alive(&lab, pid));
    let signals = lab.report("/tmp/foo", "signal", 1, SOON);
    assert_eq!(signals[0].number("number"), 15);
    S6.probe(&lab, "foo", "", &format!("{conf}retry=5\n"));
    let output = rc(&lab, "foo", "start");
    let wanted = "s6_service_timeout_stop and retry contradict each other";
    assert!(output.all().contains(wanted), "{output}");
}

#[test]
fn a_directory_that_is_gone() {
    native::a_directory_that_is_gone(&S6);
}

#[test]
fn a_directory_of_another_scanner() {
    native::a_directory_of_another_scanner(&S6);
}

#[test]
fn a_directory_is_used_as_it_is() {
    native::a_directory_is_used_as_it_is(&S6);
}

#[test]
fn a_link_of_the_scanner() {
    native::a_link_of_the_scanner(&S6);
}

#[test]
fn a_directory_of_the_scanner() {
    native::a_directory_of_the_scanner(&S6);
}

#[test]
fn the_usual_place() {
    native::the_usual_place(&S6, "/var/svc.d/foo");
}

#[test]
fn supervisors_are_killed_at_random() {
    kills::supervisors_are_killed_at_random(&S6);
}

#[test]
fn a_directory_by_hand_is_not_guarded() {
    kills::a_directory_by_hand_is_not_guarded(&S6);
}
