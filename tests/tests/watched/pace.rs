//! When a service that monit watches is run again, and when it is given up.

use crate::behaviour::{gaps, Scene, AT_ONCE};
use crate::suite::openrc::{KILL, SOON};
use rc_sv_tests::lab::until;
use std::time::Duration;

pub fn it_is_given_up_once(scene: &Scene) {
    let note = "#!/bin/sh\necho \"$RC_SVCNAME\" >>/tmp/gave-up\n";
    scene.lab.write("/tmp/note", note, 0o755);
    let conf = "respawn_delay=1500ms\nrc_supervise_delay_factor=2\nrespawn_delay_cap=2s\n\
                rc_supervise_jitter=10\nrc_supervise_min_interval=0\nrespawn_max=3\n\
                rc_supervise_on_give_up=/tmp/note\n";
    // Begun later and given up later: until then nothing more may come of the first.
    scene.service("bar", "--exit 3", &conf.replace("max=3", "max=5"));
    scene.service("foo", "--exit 3", conf);
    scene.begin("foo");
    scene.begin("bar");
    let seen = scene.starts("foo", 4);
    for (gap, pause) in gaps(&seen).into_iter().zip([1500, 2000, 2000]) {
        let least = Duration::from_millis(pause * 9 / 10);
        assert!(gap >= least, "{gap:?} {pause}");
    }
    scene.until_failed("foo");
    assert_eq!(scene.rc("foo", "status").code(), 3);
    scene.until_status("foo", "gave up");
    scene.until_failed("bar");
    assert_eq!((scene.count("foo"), scene.count("bar")), (4, 6));
    let mut told = scene.lab.wait_for_lines("/tmp/gave-up", 2, SOON);
    told.sort();
    assert_eq!(told, ["bar", "foo"]);
    assert_eq!(scene.json("foo")["state"], "gave-up");
    // A person may try again, with the full allowance.
    scene.service("foo", "", conf);
    scene.begin("foo");
    scene.until_status("foo", " up ");
    assert!(!scene.failed("foo"));
    scene.lab.kill(scene.nth("foo", 5).pid(), KILL);
    scene.starts("foo", 6);
    scene.until_json("foo", "one respawn", |json| json["restarts"] == 1);
}

pub fn two_starts_are_some_time_apart(scene: &Scene) {
    let conf = "respawn_delay=0\nrc_supervise_min_interval=4s\n";
    scene.service("foo", "--exit 3", conf);
    scene.begin("foo");
    for gap in gaps(&scene.starts("foo", 3)) {
        // Without it monit would look again within a second.
        assert!(gap >= Duration::from_millis(2500), "{gap:?}");
    }
}

/// What monit starts by itself, its own control file says.
pub fn monit_runs_it_again(scene: &Scene) {
    if scene.module.kind != Some("native") {
        scene.service("foo", "", AT_ONCE);
        scene.lab.kill(scene.begin("foo").pid(), KILL);
        scene.starts("foo", 2);
        return;
    }
    let again = "#!/bin/sh\nexec start-stop-daemon -S -b -m -p /run/own.pid \
                 -x /usr/lib/rc-sv-tests/probe-daemon -- --report /tmp/own\n";
    scene.lab.write("/usr/local/bin/again", again, 0o755);
    scene.service("own", "", "");
    scene.lab.kill(scene.begin("own").pid(), KILL);
    let second = scene.nth("own", 2).pid();
    until("its pid", SOON, || {
        (scene.json("own")["pid"] == second).then_some(())
    });
    // Nobody told us that it was run again.
    assert_eq!(scene.json("own")["restarts"], 0);
    scene.rc("own", "stop").ok();
    assert_eq!(scene.rc("own", "status").code(), 3);
}
