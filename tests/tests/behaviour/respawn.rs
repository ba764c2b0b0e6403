//! When a service is started again, and when it is given up.

use super::{gaps, Scene, AT_ONCE};
use crate::suite::openrc::SOON;
use std::time::Duration;

pub fn pauses_grow_until_it_is_given_up_once(scene: &Scene) {
    let note = "#!/bin/sh\necho \"$RC_SVCNAME $*\" >>/tmp/gave-up\n";
    scene.lab.write("/tmp/note", note, 0o755);
    let conf = "respawn_delay=1500ms\nrc_supervise_delay_factor=2\nrespawn_delay_cap=2s\n\
                rc_supervise_jitter=10\nrc_supervise_min_interval=0\nrespawn_max=3\n\
                rc_supervise_on_give_up=/tmp/note\n";
    // Begun later and given up later: until then nothing more may come of the first.
    scene.service("clock", "--exit 3", &conf.replace("max=3", "max=5"));
    scene.service("foo", "--exit 3", conf);
    scene.begin("foo");
    scene.begin("clock");
    let seen = scene.starts("foo", 4);
    for (gap, pause) in gaps(&seen).into_iter().zip([1500, 2000, 2000]) {
        assert!(
            gap >= Duration::from_millis(pause * 9 / 10),
            "{gap:?} {pause}"
        );
    }
    scene.until_failed("foo");
    assert_eq!(scene.rc("foo", "status").code(), 3);
    let said = scene.until_status("foo", "gave up");
    assert!(said.contains("exited 3"), "{said}");
    scene.until_failed("clock");
    assert_eq!((scene.count("foo"), scene.count("clock")), (4, 6));
    let mut told = scene.lab.wait_for_lines("/tmp/gave-up", 2, SOON);
    told.sort();
    assert_eq!(told, ["clock 3 0", "foo 3 0"]);
    let json = scene.json("foo");
    assert_eq!(json["state"], "gave-up", "{json}");
    assert_eq!(json["last_exit"]["value"], 3, "{json}");
    // A person may try again, with the full allowance.
    scene.service("foo", "", conf);
    scene.begin("foo");
    scene.until_status("foo", " up ");
    assert!(!scene.failed("foo"));
    scene.lab.kill(scene.nth("foo", 5).pid(), 9);
    scene.starts("foo", 6);
    scene.until_json("foo", "one respawn by a kill", |json| {
        json["restarts"] == 1 && json["last_exit"]["kind"] == "signal"
    });
}

pub fn pauses_grow_by_steps(scene: &Scene) {
    let conf = "respawn_delay=100ms\nrespawn_delay_step=1400ms\nrc_supervise_jitter=0\n\
                respawn_delay_cap=2s\nrc_supervise_min_interval=0\nrespawn_max=3\n";
    scene.service("foo", "--exit 3", conf);
    scene.begin("foo");
    for (gap, pause) in gaps(&scene.starts("foo", 4))
        .into_iter()
        .zip([100, 1500, 2000])
    {
        assert!(gap >= Duration::from_millis(pause), "{gap:?} {pause}");
    }
}

pub fn the_window_slides(scene: &Scene) {
    let conf = "rc_supervise_delay_factor=1\nrc_supervise_jitter=0\nrc_supervise_min_interval=0\n\
                respawn_max=1\nrespawn_delay=1500ms\n";
    // Each pause is longer than the window; or no window is.
    scene.service("slow", "--exit 3", &format!("{conf}respawn_period=1s\n"));
    scene.service("fast", "--exit 3", &format!("{conf}respawn_period=1h\n"));
    scene.start_all(["slow", "fast"]);
    scene.until_failed("fast");
    assert_eq!(scene.count("fast"), 2);
    scene.starts("slow", 4);
    assert!(!scene.failed("slow"));
}

pub fn a_long_run_brings_the_first_pause_back(scene: &Scene) {
    let conf = "respawn_delay=1500ms\nrc_supervise_delay_factor=100\nrespawn_delay_cap=1h\n\
                rc_supervise_jitter=0\nrc_supervise_min_interval=0\n";
    let long = format!("{conf}rc_supervise_reset_after=300ms\n");
    scene.service("long", "--after 1000 --exit 3", &long);
    scene.service("short", "--exit 3", conf);
    scene.start_all(["long", "short"]);
    scene.starts("long", 3);
    scene.starts("short", 2);
    let said = scene.until_status("short", "restarting in 2 min");
    assert!(!said.contains(" pid "), "{said}");
    // A stop ends the pause at once, and nothing comes after it.
    scene.rc("short", "stop").ok();
    assert_eq!(scene.rc("short", "status").code(), 3);
    assert_eq!(scene.count("short"), 2);
}

pub fn one_that_was_given_up_is_tried_again(scene: &Scene) {
    scene.service("spare", "", "");
    let conf = format!(
        "{AT_ONCE}respawn_max=1\nrc_supervise_retry_after=500ms\nrc_supervise_alternate=spare\n"
    );
    scene.service("foo", "--exit 3 --unless /tmp/repaired", &conf);
    scene.begin("foo");
    scene.starts("spare", 1);
    scene.starts("foo", 4);
    scene.lab.write("/tmp/repaired", "", 0o644);
    // The last one was perhaps begun before that, and is about to end; the next one stays.
    let count = scene.count("foo");
    let _ = scene.lab.try_kill(scene.nth("foo", count).pid(), 9);
    let pid = scene.nth("foo", count + 1).pid();
    scene.until_json("foo", "one that stays", |json| {
        json["state"] == "up" && json["pid"] == pid
    });
    // A stop is the module's again, not OpenRC's, which would end all that is the same program.
    let marked = "/run/openrc/started/foo";
    scene.lab.wait_for_file(marked, |_| true, SOON);
    scene.rc("foo", "stop").ok();
    assert_eq!(scene.rc("foo", "status").code(), 3);
    assert_eq!(scene.count("spare"), 1);
}
