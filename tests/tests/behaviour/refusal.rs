//! What a module does not do.

use super::Scene;
use rc_sv_api::key::{self, Key, Kind};
use rc_sv_api::Support;

/// Each refused setting, with a value that asks for something.
pub fn each_refused_setting(scene: &Scene) {
    for key in key::all() {
        let Support::Refused(instead) = (scene.module.of_setting)(key) else {
            continue;
        };
        scene.service("foo", "", &format!("{}='{}'", key.name, sample(key)));
        let line = format!(
            "{}: {} does not do this in this version; {instead}",
            key.name, scene.module.name
        );
        scene.refused("foo", &[&line]);
    }
    assert_eq!(scene.count("foo"), 0);
    // The value that holds anyway asks for nothing.
    scene.service(
        "foo",
        "",
        "rc_supervise_respawn=spec\nrc_supervise_propagate=no",
    );
    scene.begin("foo");
}

/// A value other than the default.
fn sample(key: &Key) -> &'static str {
    match key.kind {
        Kind::Flag if key.default == "yes" => "no",
        Kind::Flag => "yes",
        Kind::Choice(words) if words[0] != key.default => words[0],
        Kind::Choice(words) => words[words.len() - 1],
        Kind::Path | Kind::Command => "/bin/true",
        Kind::Signal => "QUIT",
        Kind::Ladder => "INT/3/KILL/1",
        Kind::Umask => "0123",
        Kind::Text if key.name.ends_with("ready") || key.name == "notify" => "fd:3",
        Kind::Text if key.name == "rc_supervise_health" => "tcp:80",
        _ => "7",
    }
}
