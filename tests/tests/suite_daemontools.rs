//! The daemontools module against the real daemontools.

mod suite;

use suite::{faults, kills, life, many, native, start, DAEMONTOOLS};

#[test]
fn from_start_to_end() {
    life::from_start_to_end(&DAEMONTOOLS);
}

#[test]
fn promises_are_kept() {
    life::promises_are_kept(&DAEMONTOOLS);
}

#[test]
fn restart_in_one_step() {
    life::restart_in_one_step(&DAEMONTOOLS);
}

#[test]
fn stop_by_the_ladder() {
    life::stop_by_the_ladder(&DAEMONTOOLS);
}

#[test]
fn a_crash_loop_is_told_and_given_up() {
    life::a_crash_loop_is_told_and_given_up(&DAEMONTOOLS);
}

#[test]
fn ordinary_users_are_told_what_is_recorded() {
    life::ordinary_users_are_told_what_is_recorded(&DAEMONTOOLS);
}

#[test]
fn what_cannot_be_executed_fails_in_words() {
    start::what_cannot_be_executed_fails_in_words(&DAEMONTOOLS);
}

#[test]
fn what_is_not_done_is_refused() {
    start::what_is_not_done_is_refused(&DAEMONTOOLS);
}

#[test]
fn hostile_arguments_arrive() {
    start::hostile_arguments_arrive(&DAEMONTOOLS);
}

#[test]
fn without_a_scanner() {
    start::without_a_scanner(&DAEMONTOOLS);
}

#[test]
fn a_name_that_is_taken() {
    start::a_name_that_is_taken(&DAEMONTOOLS);
}

#[test]
fn no_tool_is_executed() {
    start::no_tool_is_executed(&DAEMONTOOLS);
}

#[test]
fn a_program_says_that_it_is_ready() {
    start::a_program_says_that_it_is_ready(&DAEMONTOOLS);
}

#[test]
fn a_scanner_that_hangs() {
    faults::a_scanner_that_hangs(&DAEMONTOOLS);
}

#[test]
fn a_stop_without_the_scanner() {
    faults::a_stop_without_the_scanner(&DAEMONTOOLS);
}

#[test]
fn a_supervisor_that_hangs() {
    faults::a_supervisor_that_hangs(&DAEMONTOOLS);
}

#[test]
fn a_supervisor_that_is_killed() {
    faults::a_supervisor_that_is_killed(&DAEMONTOOLS);
}

#[test]
fn everything_is_killed() {
    faults::everything_is_killed(&DAEMONTOOLS);
}

#[test]
fn stale_files_tell_no_lies() {
    faults::stale_files_tell_no_lies(&DAEMONTOOLS);
}

#[test]
fn nothing_leaks() {
    many::nothing_leaks(&DAEMONTOOLS);
}

#[test]
fn a_directory_that_is_gone() {
    native::a_directory_that_is_gone(&DAEMONTOOLS);
}

#[test]
fn a_directory_of_another_scanner() {
    native::a_directory_of_another_scanner(&DAEMONTOOLS);
}

#[test]
fn a_directory_is_used_as_it_is() {
    native::a_directory_is_used_as_it_is(&DAEMONTOOLS);
}

#[test]
fn a_link_of_the_scanner() {
    native::a_link_of_the_scanner(&DAEMONTOOLS);
}

#[test]
fn a_directory_of_the_scanner() {
    native::a_directory_of_the_scanner(&DAEMONTOOLS);
}

#[test]
fn supervisors_are_killed_at_random() {
    kills::supervisors_are_killed_at_random(&DAEMONTOOLS);
}

#[test]
fn a_directory_by_hand_is_not_guarded() {
    kills::a_directory_by_hand_is_not_guarded(&DAEMONTOOLS);
}
