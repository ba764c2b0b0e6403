//! Whether a person is told.

use super::{Scene, AT_ONCE};
use crate::suite::openrc::SOON;

pub fn a_person_is_told_once_that_it_failed_and_once_that_it_is_over(scene: &Scene) {
    let lab = &scene.lab;
    let note = "#!/bin/sh\necho \"$RC_SVCNAME $RC_SV_EVENT $RC_SV_EXIT\" >>/tmp/told\n\
                [ \"$RC_SV_EVENT\" = recovered ] || exec sleep 4243\n";
    lab.write("/usr/local/bin/tell", note, 0o755);
    let conf = format!(
        "{AT_ONCE}respawn_max=1\nrc_supervise_reset_after=300ms\n\
         rc_supervise_alert=/usr/local/bin/tell\nrc_supervise_alert_timeout=1s\n"
    );
    scene.service("foo", "--exit 3 --unless /tmp/repaired", &conf);
    scene.begin("foo");
    scene.until_failed("foo");
    let told = lab.wait_for_lines("/tmp/told", 1, SOON);
    assert_eq!(told, ["foo gave-up exited 3"]);
    lab.write("/tmp/repaired", "", 0o644);
    scene.rc("foo", "start").ok();
    let told = lab.wait_for_lines("/tmp/told", 2, SOON);
    assert_eq!(told[1..], ["foo recovered exited 3"]);
}
