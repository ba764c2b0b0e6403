//! Stops, which are OpenRC's own.

use crate::behaviour::Scene;
use crate::suite::openrc::SOON;

pub fn openrc_stops_it_as_the_settings_say(scene: &Scene) {
    scene.service(
        "ladder",
        "--ignore INT --ignore USR2",
        "retry=INT/2/USR2/2/KILL/20",
    );
    scene.service("stopsig", "--exit-on USR2=0 --ignore TERM", "stopsig=USR2");
    for (service, expected) in [("ladder", &[2, 12][..]), ("stopsig", &[12])] {
        let pid = scene.begin(service).pid();
        scene.rc(service, "stop").ok();
        // OpenRC looks for its program, which one that is ending has no more.
        scene.lab.wait_dead(pid, SOON);
        let path = format!("/tmp/{service}");
        let said = scene.lab.report(&path, "signal", expected.len(), SOON);
        let numbers: Vec<i64> = said.iter().map(|line| line.number("number")).collect();
        assert_eq!(numbers, expected, "{service}");
        assert_eq!(scene.rc(service, "status").code(), 3);
        assert_eq!(scene.count(service), 1);
    }
}

pub fn the_clean_up_is_done_after_each_end(scene: &Scene) {
    let finish = "#!/bin/sh\necho \"$RC_SVCNAME $EXIT_CODE $#:$*\" >>/tmp/finished\n\
                  [ ! -e /tmp/never ] || exit 125\n";
    scene.lab.write("/tmp/finish", finish, 0o755);
    let conf = "rc_supervise_finish=\"/tmp/finish 'a b' '\\$HOME' ''\"";
    scene.service("foo", "", &format!("{}{conf}", crate::behaviour::AT_ONCE));
    scene.lab.kill(scene.begin("foo").pid(), 9);
    scene.starts("foo", 2);
    let told = scene.lab.wait_for_lines("/tmp/finished", 1, SOON);
    // How it ended nobody saw.
    assert_eq!(told, ["foo unknown 5:a b $HOME  256 0"]);
    // 125 forbids.
    scene.lab.write("/tmp/never", "", 0o644);
    scene.lab.kill(scene.nth("foo", 2).pid(), 9);
    scene.until_failed("foo");
    assert_eq!(scene.count("foo"), 2);
}
