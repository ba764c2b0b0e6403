//! Alerts while the supervisor is killed: each is told once, and none runs without limit.

mod scene;

use rc_sv_api::{Spec, State};
use scene::{await_death, kill_and_await, signal, with, Scene};
use std::fs;
use std::path::PathBuf;

/// A service that is given up at once, until it is well. Its alert reports, and ends when the file
/// `go` is there to be read; `timeout` is its time.
fn hopeless(scene: &Scene, timeout: &str) -> Spec {
    let go = go(scene);
    nix::unistd::mkfifo(&go, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let path = scene.dir.join("alert");
    // It has a child, which has to go with it.
    let script = format!(
        "#!/bin/sh\necho $RC_SV_EVENT $$ >> $R.alert\n[ $RC_SV_EVENT = recovered ] && exit\n\
         sleep 1001 & echo $! >> $R.child\nread line < {}\nkill $!\necho done >> $R.done\n",
        go.display()
    );
    scene::executable(&path, &script);
    let settings = [
        ("respawn_delay", "0"),
        ("rc_supervise_min_interval", "0"),
        ("respawn_max", "1"),
        // Longer than a crash takes, or it would be the first one again.
        ("rc_supervise_reset_after", "2s"),
        ("rc_supervise_alert", path.to_str().unwrap()),
        ("rc_supervise_alert_timeout", timeout),
    ];
    let script = "[ -e $R.well ] && exec sleep 1000; exit 3";
    with(scene.spec("foo", script), &settings)
}

fn go(scene: &Scene) -> PathBuf {
    scene.dir.join("go")
}

/// It is well and started: that is what is told next.
#[track_caller]
fn assert_recovers(scene: &Scene) {
    fs::write(scene.reports.path("foo.well"), "").unwrap();
    scene
        .order(rc_sv_internal::protocol::Request::Start(scene::name("foo")))
        .unwrap();
    let told = scene.reports.until("foo.alert", 2);
    assert!(told[1].starts_with("recovered "), "{told:?}");
}

/// Kills the supervisor; does something before there is the next one.
fn kill_supervisor(scene: &Scene, then: impl FnOnce()) {
    let old = scene.supervisor();
    signal(scene.guardian(), libc::SIGSTOP);
    kill_and_await(old);
    then();
    signal(scene.guardian(), libc::SIGCONT);
    assert_ne!(scene.supervisor(), old);
    // It has taken over when it answers.
    scene.status("foo");
}

fn pid_in(line: &str) -> i32 {
    line.split(' ').next_back().unwrap().parse().unwrap()
}

#[test]
fn one_that_hangs_is_killed_by_the_next_supervisor() {
    let scene = Scene::new();
    scene.start(&hopeless(&scene, "12s")).unwrap();
    let told = scene.reports.until("foo.alert", 1);
    let child = pid_in(&scene.reports.until("foo.child", 1)[0]);
    kill_supervisor(&scene, || ());
    await_death(pid_in(&told[0]));
    await_death(child);
    // And not by another way of forgetting it: the next one is told.
    assert_recovers(&scene);
}

#[test]
fn one_that_ends_meanwhile_is_not_told_again() {
    let scene = Scene::new();
    scene.start(&hopeless(&scene, "60s")).unwrap();
    let alert = pid_in(&scene.reports.until("foo.alert", 1)[0]);
    kill_supervisor(&scene, || {
        fs::write(go(&scene), "go\n").unwrap();
        await_death(alert);
    });
    // Nor by a third supervisor.
    kill_supervisor(&scene, || ());
    assert_eq!(scene.status("foo").state, State::GaveUp);
    assert_recovers(&scene);
    assert_eq!(scene.reports.lines("foo.done").len(), 1);
}

#[test]
fn one_that_waits_is_not_forgotten() {
    let scene = Scene::new();
    scene.start(&hopeless(&scene, "60s")).unwrap();
    scene.reports.until("foo.alert", 1);
    fs::write(scene.reports.path("foo.well"), "").unwrap();
    scene
        .order(rc_sv_internal::protocol::Request::Start(scene::name("foo")))
        .unwrap();
    // That it has recovered is decided, and has to wait for the first one.
    let owed = scene.svcdir.join("rc-sv/foo/alert-recovered");
    scene::until_there(&owed);
    for _ in 0..3 {
        kill_supervisor(&scene, || ());
    }
    assert_eq!(scene.reports.lines("foo.alert").len(), 1);
    fs::write(go(&scene), "go\n").unwrap();
    let told = scene.reports.until("foo.alert", 2);
    assert!(told[1].starts_with("recovered "), "{told:?}");
    scene::until_gone(&owed);
    kill_supervisor(&scene, || ());
    scene.stop("foo").unwrap();
    assert_eq!(scene.reports.lines("foo.alert").len(), 2);
}
