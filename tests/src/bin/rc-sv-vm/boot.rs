//! A boot and a shutdown, with services in the default runlevel.

use std::path::Path;

use rc_sv_tests::lab::until;
use rc_sv_tests::Line;

use crate::machine::{called, is_alive, ok, sh, text, SOON};

/// The services of the runlevel, in their order.
const SERVICES: [&str; 2] = ["first", "second"];

fn reports(service: &str, kind: &str) -> Vec<Line> {
    let report = text(format!("/tmp/{service}"));
    let lines = report.lines().map(Line::parse);
    lines.filter(|line| line.kind == kind).collect()
}

/// Each runs once, as OpenRC and the module say, and one supervisor looks after both.
pub fn services_are_up() {
    for service in SERVICES {
        let starts = reports(service, "start");
        assert_eq!(starts.len(), 1, "{service}");
        let pid = starts[0].pid();
        assert!(is_alive(pid), "{service}");
        ok(&format!("rc-service {service} status"));
        let said = ok(&format!("rc-sv-loader status {service}"));
        assert!(said.contains(&format!("pid {pid} ")), "{said}");
        let cgroup = format!("/{service}/rc-sv");
        assert_eq!(starts[0].path("cgroup").to_str(), Some(cgroup.as_str()));
    }
    let [first, second] = SERVICES.map(|service| reports(service, "start")[0].time());
    assert!(first < second);
    assert_eq!(reports("first", "child").len(), 2);
    let [guardians, supervisors] = ["rc-sv-guardian", "rc-sv-superviso"].map(called);
    assert_eq!((guardians.len(), supervisors.len()), (1, 1));
}

/// OpenRC has stopped them in its order, and what they had left has gone with them.
pub fn nothing_is_left() {
    assert_eq!(text("/run/openrc/softlevel").trim(), "shutdown");
    for service in SERVICES {
        let report = text(format!("/tmp/{service}"));
        assert_eq!(reports(service, "start").len(), 1, "{service}: {report}");
        assert!(!Path::new("/run/openrc/started").join(service).exists());
        assert!(!Path::new("/sys/fs/cgroup").join(service).exists());
    }
    let left = || {
        let names = [
            "probe-daemon",
            "rc-sv-logger",
            "rc-sv-guardian",
            "rc-sv-superviso",
        ];
        names.map(|name| called(name).len())
    };
    let processes = || sh("ps -e -o pid,ppid,stat,args --ppid 2 --deselect").1;
    assert_eq!(left()[..2], [0, 0], "{}", processes());
    // As OpenRC's own killprocs does at the end of a shutdown.
    ok("killall5 -15");
    until("the end of the supervisor", SOON, || {
        (left() == [0; 4]).then_some(())
    });
}
