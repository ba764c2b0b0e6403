//! What is not done for a service that monit watches, and said.

use crate::behaviour::{Scene, AT_ONCE};
use crate::monit::{until_unwatched, until_watched};
use crate::suite::openrc::KILL;

pub fn what_it_lacks_is_said(scene: &Scene) {
    scene.service("foo", "", AT_ONCE_OR_NOT[usize::from(is_native(scene))]);
    let first = scene.begin("foo").pid();
    let said = (scene.lab.run(["rc-sv-loader", "signal", "foo", "USR1"])).output();
    let line = "monit: signal is not offered by this module";
    assert!(said.code() == 1 && said.all().contains(line), "{said}");
    let said = scene.rc("foo", "reload");
    assert!(said.code() == 1 && said.all().contains("reload"), "{said}");
    assert_eq!(scene.count("foo"), 1);
    if !is_native(scene) {
        scene.lab.kill(first, KILL);
        scene.starts("foo", 2);
        scene.until_json("foo", "an end that nobody saw", |json| {
            json["last_exit"]["kind"] == "unknown"
        });
    }
    scene.rc("foo", "stop").ok();
}

/// Of monit's own check nothing of the pace is ours.
const AT_ONCE_OR_NOT: [&str; 2] = [AT_ONCE, ""];

fn is_native(scene: &Scene) -> bool {
    scene.module.kind == Some("native")
}

pub fn monits_own_check_has_another_name(scene: &Scene) {
    scene.service("foo", "", "rc_monit_service=bar");
    scene.lab.sh("ln -s foo.pid /run/bar.pid").ok();
    scene.begin("foo");
    until_watched(&scene.lab, "bar");
    scene.rc("foo", "stop").ok();
    until_unwatched(&scene.lab, "bar");
}
