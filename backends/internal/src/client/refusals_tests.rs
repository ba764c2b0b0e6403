#[path = "../../../exec/tests/sample/mod.rs"]
mod sample;

use super::*;
use crate::core::Plan;
use rc_sv_api::Spec;
use rc_sv_exec::cgroup::limits::Limits;
use rc_sv_exec::launch::{Ending, Launch};
use rc_sv_exec::log::Stream;
use rc_sv_exec::resolve;

/// Settings that neither the plan nor the launch shows: who acts upon them, and which test
/// proves it.
const ELSEWHERE: [&str; 5] = [
    // The supervisor writes the pid file: tests/pid_file.rs.
    "command_background",
    "pidfile",
    // For those who are not the parent: there is nothing to look for.
    "procname",
    // The supervisor, when somebody asks: tests/tests/internal_operators.rs.
    "rc_supervise_operators",
    // The loader: it is how this module came to be asked.
    "rc_supervise_module",
];

/// Everything that decides what happens, as text.
fn outcome(spec: &Spec) -> String {
    let resolved = resolve::resolve(spec.settings()).unwrap();
    let settings = resolved.settings();
    let ending = Ending {
        exit: rc_sv_api::exit::Exit::Code(0),
        result: None,
        restarts: 0,
    };
    let hooks = ["rc_supervise_finish", "rc_supervise_on_give_up"]
        .map(|hook| Launch::for_hook(settings, hook, ending).ok());
    let launch = Launch::from_settings(settings).unwrap();
    let streams = Stream::all(settings).unwrap();
    let plan = Plan::from_settings(settings);
    let alert = rc_sv_exec::alert::timeout(settings);
    let limits = Limits::of(settings);
    format!("{plan:?} {launch:?} {hooks:?} {streams:?} {alert:?} {limits:?}")
}

#[test]
fn each_setting_is_acted_upon_or_refused_or_belongs_to_a_suite() {
    for key in key::all().filter(|key| key.role == Role::Setting) {
        let (plain, set) = (outcome(&sample::spec_for(key)), sample::spec_with(key));
        match check(set.settings()) {
            Err(error) => {
                assert!(error.message.starts_with(key.name), "{}: {error}", key.name);
                assert_ne!(key.group, Group::Suite, "{}", key.name);
            }
            Ok(()) if key.group == Group::Suite || ELSEWHERE.contains(&key.name) => {}
            Ok(()) => assert_ne!(outcome(&set), plain, "{} changes nothing", key.name),
        }
    }
}

#[test]
fn what_is_refused_is_in_the_registry_and_says_what_to_do() {
    for (name, instead) in NOT_YET {
        let key = key::find(name).unwrap_or_else(|| panic!("{name} is no setting"));
        assert_eq!(key.role, Role::Setting, "{name}");
        assert!(instead.contains("set"), "{name}: {instead}");
    }
    let mut late = sample::spec();
    late.set("timeout_kill", b"500", "test").unwrap();
    let error = check(late.settings()).unwrap_err();
    assert_eq!(
        error.message,
        "timeout_kill: internal does not do this in this version; unset it and set retry"
    );
    let mut script = sample::spec();
    script
        .set("rc_supervise_respawn", b"script", "test")
        .unwrap();
    assert_eq!(check(script.settings()), Ok(()));
    script.remove("runscript");
    let error = check(script.settings()).unwrap_err();
    assert_eq!(
        error.message,
        "rc_supervise_respawn: script is for a service that has one; set it to spec"
    );
    for (name, default) in [
        ("rc_supervise_propagate", "no"),
        ("rc_supervise_respawn", "spec"),
    ] {
        let mut spec = sample::spec();
        spec.set(name, default.as_bytes(), "test").unwrap();
        assert_eq!(check(spec.settings()), Ok(()));
    }
}
