//! Everything that is asked of a module is done, whatever the setting.

#[path = "../../../exec/tests/sample/mod.rs"]
mod sample;

use crate::core::Plan;
use rc_sv_api::key::{self, Group, Role};
use rc_sv_api::Spec;
use rc_sv_exec::cgroup::limits::Limits;
use rc_sv_exec::launch::{Ending, Launch};
use rc_sv_exec::log::Stream;
use rc_sv_exec::{renewal, resolve};

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
fn each_setting_is_acted_upon_or_belongs_to_a_suite() {
    for key in key::all().filter(|key| key.role == Role::Setting) {
        let (plain, set) = (outcome(&sample::spec_for(key)), sample::spec_with(key));
        assert_eq!(renewal::check(set.settings()), Ok(()), "{}", key.name);
        if key.group != Group::Suite && !ELSEWHERE.contains(&key.name) {
            assert_ne!(outcome(&set), plain, "{} changes nothing", key.name);
        }
    }
}

#[test]
fn a_script_is_for_who_has_one() {
    let mut script = sample::spec();
    script
        .set("rc_supervise_respawn", b"script", "test")
        .unwrap();
    assert_eq!(renewal::check(script.settings()), Ok(()));
    script.remove("runscript");
    let error = renewal::check(script.settings()).unwrap_err();
    assert_eq!(
        error.message,
        "rc_supervise_respawn: script is for a service that has one; set it to spec"
    );
}
