#[path = "../../exec/tests/sample/mod.rs"]
mod sample;

use super::*;
use crate::suite::{DAEMONTOOLS, RUNIT, S6};
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::Policy;
use rc_sv_api::{key, Spec};
use rc_sv_exec::cgroup::limits::Limits;
use rc_sv_exec::check::Check;
use rc_sv_exec::launch::{Ending, Launch};
use rc_sv_exec::log::Stream;
use rc_sv_exec::readiness::{self, Readiness};
use rc_sv_exec::resolve;
use rc_sv_exec::stop::Stop;
use std::path::PathBuf;

/// Settings that neither the launch nor policy nor stop shows: who acts upon them.
const ELSEWHERE: [&str; 13] = [
    // It becomes timeout_kill: timeouts.rs.
    "s6_service_timeout_stop",
    // rc-sv-exec writes the pid file.
    "command_background",
    "pidfile",
    // For those who are not the parent: there is nothing to look for.
    "procname",
    // The loader: it is how this module came to be asked.
    "rc_supervise_module",
    // Only where there is a finish command.
    "rc_supervise_finish_timeout",
    // rc-sv-exec when it looks after the program, and after it was given up.
    "rc_supervise_watchdog",
    "rc_supervise_watchdog_signal",
    "rc_supervise_retry_after",
    // rc-sv-exec, in a process of its own.
    "rc_supervise_alert",
    "rc_supervise_alert_timeout",
    "rc_supervise_propagate",
    // rc-sv-exec, before a respawn.
    "rc_supervise_respawn",
];

/// Everything that decides what happens, as text.
fn outcome(spec: &Spec) -> String {
    let resolved = resolve::resolve(spec.settings()).unwrap();
    let settings = resolved.settings();
    let ending = Ending {
        exit: Exit::Code(0),
        result: None,
        restarts: 0,
    };
    let hooks = ["rc_supervise_finish", "rc_supervise_on_give_up"]
        .map(|hook| Launch::for_hook(settings, hook, ending).ok());
    let others =
        [Launch::for_unhealthy, Launch::for_alternate].map(|launch| launch(settings, ending).ok());
    let checks = Check::all(settings).unwrap();
    let stream = Stream::only(settings).unwrap();
    let launch = Launch::from_settings(settings).unwrap();
    let policy = Policy::from_settings(settings);
    let ready = Readiness::of(settings).unwrap();
    let limit = (readiness::timeout(settings), Limits::of(settings));
    format!(
        "{policy:?} {:?} {launch:?} {hooks:?} {others:?} {checks:?} {stream:?} {ready:?} {limit:?}",
        Stop::from_settings(settings)
    )
}

fn settings() -> impl Iterator<Item = &'static Key> {
    key::all().filter(|key| key.role == Role::Setting)
}

#[test]
fn each_setting_is_acted_upon_or_refused_or_belongs_to_another_suite() {
    for suite in [&S6, &RUNIT, &DAEMONTOOLS] {
        for key in settings() {
            let (plain, set) = (outcome(&sample::spec_for(key)), sample::spec_with(key));
            match check(suite, &Origin::Generated, set.settings()) {
                Err(error) => {
                    assert!(error.message.starts_with(key.name), "{}: {error}", key.name);
                    assert!(error.message.contains("set"), "{}: {error}", key.name);
                }
                Ok(()) if of_setting(suite, key) == Support::Foreign => {}
                Ok(()) if key.name == suite.native_setting => {}
                Ok(()) if ELSEWHERE.contains(&key.name) => {}
                Ok(()) => assert_ne!(outcome(&set), plain, "{} changes nothing", key.name),
            }
        }
    }
}

#[test]
fn a_directory_written_by_hand_takes_its_stop_and_nothing_else() {
    let native = Origin::Native(PathBuf::from("/var/svc.d/foo"));
    let ours = |key: &&Key| of_setting(&RUNIT, key) != Support::Foreign;
    for key in settings().filter(ours) {
        let refused = check(&RUNIT, &native, sample::spec_with(key).settings()).is_err();
        let done = DONE_FOR_NATIVE.contains(&key.name)
            || ["runit_service", "rc_supervise_finish_timeout"].contains(&key.name);
        assert_eq!(refused, !done, "{}", key.name);
    }
}

#[test]
fn what_is_named_here_is_a_setting() {
    let named = DONE.iter().chain(INSTEAD.iter().map(|(name, _)| name));
    for name in named.chain(&DONE_FOR_NATIVE) {
        assert!(settings().any(|key| key.name == *name), "{name}");
    }
}

#[test]
fn whoever_sets_the_default_is_not_refused() {
    for (name, value) in [
        ("rc_supervise_propagate", "no"),
        ("rc_supervise_respawn", "spec"),
    ] {
        let mut set = sample::spec();
        set.set(name, value.as_bytes(), "test").unwrap();
        assert_eq!(
            check(&S6, &Origin::Generated, set.settings()),
            Ok(()),
            "{name}"
        );
    }
}
