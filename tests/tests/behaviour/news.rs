//! What is told of what happens.

use super::{Scene, AT_ONCE};
use crate::suite::openrc::SOON;
use rc_sv_tests::lab::until;
use serde_json::Value;

fn objects(text: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|it| panic!("{it}: {line}"));
    // The last line may be there by half.
    let text = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    text.lines().map(parse).collect()
}

pub fn events_are_shown_and_followed(scene: &Scene) {
    let lab = &scene.lab;
    let follower = lab.spawn("exec rc-sv-loader events foo --follow --json >/tmp/followed");
    scene.service("mark", "", AT_ONCE);
    scene.service("foo", "--exit 3", &format!("{AT_ONCE}respawn_max=2\n"));
    // Whether somebody follows yet is only seen by what he is told.
    scene.begin("mark");
    until("somebody who follows", SOON, || {
        scene.rc("foo", "start");
        scene.until_failed("foo");
        let text = lab.try_read("/tmp/followed").unwrap_or_default();
        let followed = objects(&String::from_utf8_lossy(&text));
        let is_told = followed.iter().any(|it| it["event"] == "gave-up");
        is_told.then_some(())
    });
    let followed = objects(&lab.text("/tmp/followed"));
    let gave_up = followed.iter().rfind(|it| it["event"] == "gave-up");
    let gave_up = gave_up.expect("a give-up");
    assert!(
        followed.iter().all(|it| it["service"] == "foo"),
        "{followed:?}"
    );
    assert_eq!(gave_up["module"], scene.module.name, "{gave_up}");
    assert_eq!(gave_up["last_exit"]["value"], 3, "{gave_up}");
    let why = gave_up["detail"].as_str().expect("a reason");
    assert!(why.starts_with("gave up after 2 restarts"), "{why}");
    assert!(gave_up["time"].as_str().is_some_and(|it| it.ends_with('Z')));
    drop(follower);
    scene.until_json("foo", "a give-up", |json| json["state"] == "gave-up");

    let recent = lab.sh("rc-sv-loader events --json").ok();
    let recent = objects(&recent);
    let last = recent.iter().rfind(|it| it["service"] == "foo");
    assert_eq!(last.expect("an event")["event"], "gave-up", "{recent:?}");
    let moments: Vec<_> = recent.iter().map(|it| it["time"].to_string()).collect();
    assert!(moments.is_sorted(), "{moments:?}");
    let text = lab.sh("rc-sv-loader events mark").ok();
    let line = text.lines().last().expect("a line");
    assert!(
        line.contains(" mark up pid ") && !text.contains(" foo "),
        "{text}"
    );
}
