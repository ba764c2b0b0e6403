//! The runit module against the real runit.

mod suite;

use suite::{faults, kills, life, many, native, start, RUNIT};

#[test]
fn from_start_to_end() {
    life::from_start_to_end(&RUNIT);
}

#[test]
fn promises_are_kept() {
    life::promises_are_kept(&RUNIT);
}

#[test]
fn restart_in_one_step() {
    life::restart_in_one_step(&RUNIT);
}

#[test]
fn stop_by_the_ladder() {
    life::stop_by_the_ladder(&RUNIT);
}

#[test]
fn a_crash_loop_is_told_and_given_up() {
    life::a_crash_loop_is_told_and_given_up(&RUNIT);
}

#[test]
fn ordinary_users_are_told_what_is_recorded() {
    life::ordinary_users_are_told_what_is_recorded(&RUNIT);
}

#[test]
fn what_cannot_be_executed_fails_in_words() {
    start::what_cannot_be_executed_fails_in_words(&RUNIT);
}

#[test]
fn what_is_not_done_is_refused() {
    start::what_is_not_done_is_refused(&RUNIT);
}

#[test]
fn hostile_arguments_arrive() {
    start::hostile_arguments_arrive(&RUNIT);
}

#[test]
fn without_a_scanner() {
    start::without_a_scanner(&RUNIT);
}

#[test]
fn a_name_that_is_taken() {
    start::a_name_that_is_taken(&RUNIT);
}

#[test]
fn no_tool_is_executed() {
    start::no_tool_is_executed(&RUNIT);
}

#[test]
fn a_program_says_that_it_is_ready() {
    start::a_program_says_that_it_is_ready(&RUNIT);
}

#[test]
fn a_scanner_that_hangs() {
    faults::a_scanner_that_hangs(&RUNIT);
}

#[test]
fn a_stop_without_the_scanner() {
    faults::a_stop_without_the_scanner(&RUNIT);
}

#[test]
fn a_supervisor_that_hangs() {
    faults::a_supervisor_that_hangs(&RUNIT);
}

#[test]
fn a_supervisor_that_is_killed() {
    faults::a_supervisor_that_is_killed(&RUNIT);
}

#[test]
fn everything_is_killed() {
    faults::everything_is_killed(&RUNIT);
}

#[test]
fn stale_files_tell_no_lies() {
    faults::stale_files_tell_no_lies(&RUNIT);
}

#[test]
fn nothing_leaks() {
    many::nothing_leaks(&RUNIT);
}

#[test]
fn a_directory_says_how_it_ends() {
    let script = "#!/bin/sh\nexec kill -QUIT $(cat supervise/pid)\n";
    native::a_directory_says_how_it_ends(&RUNIT, "control/t", script, 3);
}

#[test]
fn a_directory_that_is_gone() {
    native::a_directory_that_is_gone(&RUNIT);
}

#[test]
fn a_directory_of_another_scanner() {
    native::a_directory_of_another_scanner(&RUNIT);
}

#[test]
fn a_directory_is_used_as_it_is() {
    native::a_directory_is_used_as_it_is(&RUNIT);
}

#[test]
fn a_link_of_the_scanner() {
    native::a_link_of_the_scanner(&RUNIT);
}

#[test]
fn a_directory_of_the_scanner() {
    native::a_directory_of_the_scanner(&RUNIT);
}

#[test]
fn the_usual_place() {
    native::the_usual_place(&RUNIT, "/etc/sv/foo");
}

#[test]
fn supervisors_are_killed_at_random() {
    kills::supervisors_are_killed_at_random(&RUNIT);
}

#[test]
fn a_directory_by_hand_is_not_guarded() {
    kills::a_directory_by_hand_is_not_guarded(&RUNIT);
}
