//! Alerts: what the command is told, and what becomes of one that hangs.

mod scene;

use rc_sv_api::{Spec, State};
use scene::{exists, with, Scene};
use std::time::Instant;

/// A command that reports what it is told, and then does this.
fn alert(scene: &Scene, then: &str) -> String {
    let path = scene.dir.join("alert");
    let words = "$RC_SVCNAME|$RC_SV_EVENT|$RC_SV_REASON|$RC_SV_EXIT|$EXIT_CODE|$EXIT_STATUS|\
                 $SERVICE_RESULT|$RESPAWN_COUNT|$*";
    let script = format!("#!/bin/sh\necho \"{words}\" >> $R.alert\n{then}\n");
    scene::executable(&path, &script);
    path.to_str().unwrap().to_string()
}

/// One that is given up at its second crash.
fn hopeless(scene: &Scene, service: &str, script: &str, alert: &str) -> Spec {
    let settings = [
        ("respawn_delay", "0"),
        ("rc_supervise_min_interval", "0"),
        ("respawn_max", "1"),
        ("rc_supervise_alert", alert),
    ];
    with(scene.spec(service, script), &settings)
}

/// One that has recovered when it was up for a moment. A crash that takes longer is its first one
/// again, so this is not for counting them.
fn soon_healthy(spec: Spec) -> Spec {
    with(spec, &[("rc_supervise_reset_after", "300ms")])
}

#[test]
fn it_is_told_what_happened_and_once_that_it_is_over() {
    let scene = Scene::new();
    let alert = alert(&scene, "echo $RC_SV_TIME >> $R.time");
    let script = "[ -e $R.well ] && exec sleep 1000; exit 3";
    let command = format!("{alert} 'a b'");
    let spec = hopeless(&scene, "foo", script, &command);
    scene.start(&spec).unwrap();
    scene.until("foo", State::GaveUp);
    let told = scene.reports.until("foo.alert", 1);
    let parts: Vec<_> = told[0].split('|').collect();
    assert_eq!(parts[..2], ["foo", "gave-up"]);
    assert!(
        parts[2].starts_with("gave up after 1 restart in "),
        "{told:?}"
    );
    let rest = ["exited 3", "exited", "3", "start-limit-hit", "1", "a b"];
    assert_eq!(parts[3..], rest);
    let moment: u64 = scene.reports.until("foo.time", 1)[0].parse().unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!((now - 60..=now).contains(&moment), "{moment} {now}");

    std::fs::write(scene.reports.path("foo.well"), "").unwrap();
    scene.start(&soon_healthy(spec)).unwrap();
    let told = scene.reports.until("foo.alert", 2);
    let parts: Vec<_> = told[1].split('|').collect();
    assert_eq!(parts[..3], ["foo", "recovered", "up for 300 ms"]);
}

#[test]
fn one_that_hangs_is_killed_with_its_children_and_delays_nothing() {
    let scene = Scene::new();
    let alert = alert(
        &scene,
        "[ $RC_SV_EVENT = recovered ] && exit; sleep 1001 & echo $! >> $R.child; wait; wait",
    );
    let script = "echo $$ >> $R; [ -e $R.well ] && exec sleep 1000; exit 3";
    let spec = hopeless(&scene, "foo", script, &alert);
    let slow = [("rc_supervise_alert_timeout", "12s")];
    let spec = soon_healthy(with(spec, &slow));
    scene.start(&spec).unwrap();
    scene.reports.until("foo.alert", 1);
    let child: i32 = scene.reports.until("foo.child", 1)[0].parse().unwrap();
    // While it hangs the service is started, and another is given up and told of.
    std::fs::write(scene.reports.path("foo.well"), "").unwrap();
    scene.start(&spec).unwrap();
    scene.until("foo", State::Up);
    let other = alert_of_another(&scene);
    scene
        .start(&hopeless(&scene, "bar", "exit 4", &other))
        .unwrap();
    scene.reports.until("bar.alert", 1);
    // Nobody hears of the end before the one that hangs is over.
    assert_eq!(scene.reports.until("foo.alert", 2).len(), 2);
    let deadline = Instant::now() + scene::PATIENCE;
    while exists(child) {
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        if stat.contains(") Z ") {
            break;
        }
        assert!(Instant::now() < deadline, "its child is left: {stat}");
    }
}

fn alert_of_another(scene: &Scene) -> String {
    let path = scene.dir.join("other");
    scene::executable(&path, "#!/bin/sh\necho $RC_SV_EVENT >> $R.alert\n");
    path.to_str().unwrap().to_string()
}

#[test]
fn many_at_once_are_told_of_one_after_the_other() {
    let scene = Scene::new();
    let alert = alert(&scene, "");
    for index in 0..60 {
        let spec = hopeless(&scene, &format!("s{index}"), "exit 3", &alert);
        scene.start(&spec).unwrap();
    }
    for index in 0..60 {
        let service = format!("s{index}");
        scene.reports.until(&format!("{service}.alert"), 1);
        assert_eq!(scene.status(&service).state, State::GaveUp);
    }
}
