//! Stops and signals.

use super::{Scene, AT_ONCE};
use crate::suite::openrc::{alive, SOON};
use rc_sv_tests::lab::until;

const CONT: i64 = 18;

/// The signals that a service has reported, without those that wake it.
fn signals(scene: &Scene, service: &str, count: usize) -> Vec<i64> {
    let path = format!("/tmp/{service}");
    until("signals", SOON, || {
        let text = scene.lab.try_read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        // The last line may be there by half.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole.lines().filter(|line| line.starts_with("signal "));
        let numbers = lines.map(|line| rc_sv_tests::Line::parse(line).number("number"));
        let numbers: Vec<i64> = numbers.filter(|number| *number != CONT).collect();
        (numbers.len() >= count).then_some(numbers)
    })
}

pub fn signals_follow_the_ladder(scene: &Scene) {
    scene.service("ladder", "--ignore ALL", "retry=INT/4/QUIT/4");
    scene.service("stopsig", "--ignore TERM", "stopsig=USR2");
    for (service, expected) in [("ladder", &[2, 3][..]), ("stopsig", &[12])] {
        let pid = scene.begin(service).pid();
        scene.rc(service, "stop").ok();
        assert!(!alive(&scene.lab, pid), "{service}");
        assert_eq!(
            signals(scene, service, expected.len()),
            expected,
            "{service}"
        );
        assert_eq!(scene.rc(service, "status").code(), 3);
        assert_eq!(scene.count(service), 1);
    }
}

/// What is not set to end soon takes longer than a stop has here.
pub fn time_outs_end_it(scene: &Scene) {
    for (service, conf) in [
        ("kill", "timeout_kill=1500\ntimeout_down=600000"),
        ("down", "timeout_down=1500"),
        (
            "first",
            "timeout_kill=600000\ntimeout_down=1500\nstopsig=QUIT",
        ),
        ("retry", "timeout_kill=600000\nretry=QUIT/1"),
    ] {
        scene.service(service, "--ignore ALL", conf);
        let pid = scene.begin(service).pid();
        scene.rc(service, "stop").ok();
        assert!(!alive(&scene.lab, pid), "{service}");
        let expected = if conf.contains("QUIT") { 3 } else { 15 };
        assert_eq!(signals(scene, service, 1), [expected], "{service}");
        assert_eq!(scene.rc(service, "status").code(), 3);
    }
}

pub fn signals_reach_whom_they_should(scene: &Scene) {
    // Whether a child hears the first signal, and whether it is left at the end.
    for (service, conf, hears, stays) in [
        ("mixed", "", false, false),
        ("group", "rc_supervise_kill_mode=group", true, false),
        ("stopgroup", "stopgroup=yes", true, false),
        ("process", "rc_supervise_kill_mode=process", false, true),
    ] {
        let args = "--ignore USR2 --fork plain";
        scene.service(service, args, &format!("{conf}\nretry=USR2/4/TERM/20\n"));
        scene.begin(service);
        let path = format!("/tmp/{service}");
        let child = scene.lab.report(&path, "child", 1, SOON)[0].pid();
        scene.rc(service, "stop").ok();
        if stays {
            assert!(alive(&scene.lab, child), "{service}");
            scene.lab.kill(child, 9);
        } else {
            scene.lab.wait_dead(child, SOON);
        }
        let said = scene.lab.report(&path, "signal", 1, SOON);
        let heard = said
            .iter()
            .any(|line| line.pid() == child && line.number("number") == 12);
        assert_eq!(heard, hears, "{service}: {said:?}");
    }
}

pub fn any_signal_is_sent(scene: &Scene) {
    let lab = &scene.lab;
    scene.service("foo", "--ignore HUP --ignore USR1 --ignore USR2", AT_ONCE);
    let pid = scene.begin("foo").pid();
    scene.rc("foo", "reload").ok();
    assert_eq!(signals(scene, "foo", 1), [1]);
    let send = |signal| {
        lab.run(["rc-sv-loader", "signal", "foo", signal])
            .output()
            .ok()
    };
    for (signal, expected) in [
        ("USR1", &[1, 10][..]),
        ("SIGUSR2", &[1, 10, 12]),
        ("10", &[1, 10, 12, 10]),
    ] {
        send(signal);
        assert_eq!(signals(scene, "foo", expected.len()), expected);
    }
    // Paused, it goes on when it is told, and can be stopped as it is.
    let state = |wanted: char| {
        until("its state", SOON, || {
            (lab.state(pid) == Some(wanted)).then_some(())
        });
    };
    for (signal, wanted) in [("STOP", 'T'), ("CONT", 'S'), ("STOP", 'T')] {
        send(signal);
        state(wanted);
    }
    assert_eq!(scene.count("foo"), 1);
    scene.rc("foo", "stop").ok();
    assert!(!alive(lab, pid));
}
