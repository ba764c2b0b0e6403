//! Whether a person is told of a service that monit watches.

use crate::behaviour::{Scene, AT_ONCE};
use crate::suite::openrc::SOON;

pub fn a_person_is_told_once_and_in_time(scene: &Scene) {
    let lab = &scene.lab;
    let note = "#!/bin/sh\necho \"$RC_SVCNAME $RC_SV_EVENT\" >>/tmp/told\n\
                [ \"$RC_SV_EVENT\" = recovered ] || exec sleep 4243\n";
    lab.write("/usr/local/bin/tell", note, 0o755);
    let conf = format!(
        "{AT_ONCE}respawn_max=1\nrc_supervise_reset_after=300ms\n\
         rc_supervise_alert=/usr/local/bin/tell\nrc_supervise_alert_timeout=10s\n"
    );
    scene.service("foo", "--exit 3 --unless /tmp/repaired", &conf);
    scene.begin("foo");
    scene.until_failed("foo");
    assert_eq!(lab.wait_for_lines("/tmp/told", 1, SOON), ["foo gave-up"]);
    // Who tells of it never ends by himself.
    rc_sv_tests::lab::until("its end", SOON, || {
        lab.pids("sleep").is_empty().then_some(())
    });
    lab.write("/tmp/repaired", "", 0o644);
    scene.rc("foo", "start").ok();
    let told = lab.wait_for_lines("/tmp/told", 2, SOON);
    assert_eq!(told[1..], ["foo recovered"]);
}
