//! The finish and the give-up command.

mod scene;

use rc_sv_api::exit::Exit;
use rc_sv_api::State;
use scene::{exists, signal, with, Scene};
use std::time::{Duration, Instant};

/// A command that reports what it is told, and then does this.
fn finish(scene: &Scene, then: &str) -> String {
    let path = scene.dir.join("finish");
    let words = "$RC_SVCNAME $EXIT_CODE $EXIT_STATUS $SERVICE_RESULT $*";
    scene::executable(
        &path,
        &format!("#!/bin/sh\necho \"{words}\" >> $R.hook\n{then}\n"),
    );
    path.to_str().unwrap().to_string()
}

const AT_ONCE: [(&str, &str); 2] = [("respawn_delay", "0"), ("rc_supervise_min_interval", "0")];

#[test]
fn it_is_told_how_the_service_ended() {
    let scene = Scene::new();
    let finish = finish(&scene, "");
    let script = "echo $$ >> $R; case $(wc -l < $R) in 1) exit 3;; 2) kill -KILL $$;; \
                  3) exit 0;; esac; exec sleep 1000";
    let spec = with(scene.spec("foo", script), &AT_ONCE);
    let command = format!("{finish} 'a b' c");
    scene
        .start(&with(spec, &[("rc_supervise_finish", &command)]))
        .unwrap();
    scene.reports.until("foo", 4);
    scene.stop("foo").unwrap();
    let told = scene.reports.until("foo.hook", 4);
    let expected = [
        "foo exited 3 exit-code a b c 3 0",
        "foo killed KILL signal a b c 256 9",
        "foo exited 0 success a b c 0 0",
        "foo killed TERM success a b c 256 15",
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_next_instance_waits_for_it() {
    let scene = Scene::new();
    let finish = finish(
        &scene,
        "echo finish-begin >> $R; ls / > /dev/null; echo finish-end >> $R",
    );
    let script = "echo run >> $R; [ $(wc -l < $R) -gt 3 ] && exec sleep 1000; exit 1";
    let spec = with(scene.spec("foo", script), &AT_ONCE);
    scene
        .start(&with(spec, &[("rc_supervise_finish", &finish)]))
        .unwrap();
    assert_eq!(
        scene.reports.until("foo", 4),
        ["run", "finish-begin", "finish-end", "run"]
    );
}

#[test]
fn exit_125_forbids_a_respawn() {
    let scene = Scene::new();
    let finish = finish(&scene, "exit 125");
    let spec = with(scene.spec("foo", "echo $$ >> $R; exit 1"), &AT_ONCE);
    scene
        .start(&with(spec, &[("rc_supervise_finish", &finish)]))
        .unwrap();
    let status = scene.until("foo", State::GaveUp);
    assert!(status.detail.contains("125"), "{status:?}");
    assert_eq!(scene.reports.lines("foo").len(), 1);
}

#[test]
fn one_that_hangs_is_killed_with_its_children() {
    let scene = Scene::new();
    let finish = finish(
        &scene,
        "sleep 1001 & echo $! >> $R.child; trap '' TERM; sleep 1000",
    );
    let spec = with(
        scene.spec("foo", "echo $$ >> $R; exec sleep 1000"),
        &AT_ONCE,
    );
    let settings = [
        ("rc_supervise_finish", finish.as_str()),
        ("rc_supervise_finish_timeout", "12s"),
    ];
    scene.start(&with(spec, &settings)).unwrap();
    scene.reports.until("foo", 1);
    signal(scene.pid("foo"), libc::SIGKILL);
    scene.reports.until("foo.child", 1);
    // Status is answered while it hangs.
    assert_eq!(scene.status("foo").state, State::Stopping);
    scene.reports.until("foo", 2);
    let child: i32 = scene.reports.lines("foo.child")[0].parse().unwrap();
    let deadline = Instant::now() + scene::PATIENCE;
    while exists(child) {
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        if stat.contains(") Z ") {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "the child of the hook is left: {stat}"
        );
    }
    assert_eq!(
        scene.until("foo", State::Up).last_exit,
        Some(Exit::Signal(9))
    );
}

#[test]
fn a_stop_ends_in_time_whatever_it_does() {
    let scene = Scene::new();
    let finish = finish(&scene, "sleep 1000");
    let settings = [
        ("rc_supervise_finish", finish.as_str()),
        ("rc_supervise_finish_timeout", "300ms"),
    ];
    scene
        .start(&with(scene.spec("foo", "exec sleep 1000"), &settings))
        .unwrap();
    let begun = Instant::now();
    scene.stop("foo").unwrap();
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert_eq!(scene.status("foo").state, State::Down);
}

#[test]
fn one_that_cannot_be_run_holds_up_nothing_and_is_named() {
    let scene = Scene::new();
    let spec = with(
        scene.spec("foo", "echo $$ >> $R; exec sleep 1000"),
        &AT_ONCE,
    );
    scene
        .start(&with(
            spec,
            &[("rc_supervise_finish", "/nonexistent/finish")],
        ))
        .unwrap();
    scene.reports.until("foo", 1);
    signal(scene.pid("foo"), libc::SIGKILL);
    scene.reports.until("foo", 2);
    let settings = [
        ("rc_supervise_finish", "/nonexistent/finish"),
        ("rc_supervise_on_give_up", "/nonexistent/alert"),
        ("rc_supervise_policy", "no"),
    ];
    scene
        .start(&with(scene.spec("bar", "exit 1"), &settings))
        .unwrap();
    scene.until("bar", State::GaveUp);
    let deadline = Instant::now() + scene::PATIENCE;
    while !scene
        .status("bar")
        .detail
        .contains("rc_supervise_on_give_up: cannot execute")
    {
        assert!(Instant::now() < deadline, "{:?}", scene.status("bar"));
    }
}
