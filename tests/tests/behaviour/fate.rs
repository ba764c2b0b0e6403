//! After which ends a service is started again.

use super::{Scene, AT_ONCE};
use crate::ends::{ENDS, POLICIES};
use crate::suite::openrc::SOON;

/// Of all ends, one of each kind: a service each under every policy takes its time.
const KINDS: [&str; 4] = ["zero", "term", "three", "segv"];

/// Waits for the last end of a service that has at most one respawn.
#[track_caller]
fn outcome(scene: &Scene, service: &str, count: usize, is_failure: bool) {
    if is_failure {
        scene.until_failed(service);
    } else {
        scene
            .lab
            .wait_for_absence(format!("/run/openrc/started/{service}"), 2 * SOON);
        assert!(!scene.failed(service), "{service}");
    }
    assert_eq!(scene.count(service), count, "{service}");
    assert_eq!(scene.rc(service, "status").code(), 3, "{service}");
}

pub fn the_policy_decides(scene: &Scene) {
    let kinds = KINDS.map(|name| ENDS.iter().find(|end| end.name == name));
    for end in kinds.map(|end| end.expect("it is in the table")) {
        let services = POLICIES.map(|policy| format!("{}.{policy}", end.name));
        for (service, policy) in services.iter().zip(POLICIES) {
            let once = format!("{AT_ONCE}respawn_max=1\nrc_ulimit='-c 0'\n");
            scene.service(
                service,
                end.args,
                &format!("{once}rc_supervise_policy={policy}\n"),
            );
        }
        scene.start_all(services.iter().map(String::as_str));
        for (service, respawned) in services.iter().zip(end.respawned) {
            // What has used up its only respawn has failed, whatever the last end was.
            let count = 1 + usize::from(respawned);
            outcome(scene, service, count, respawned || end.is_failure);
        }
    }
}

pub fn codes_go_before_the_policy(scene: &Scene) {
    let cases = [
        (
            "config",
            "--exit 78",
            "rc_supervise_prevent_codes=78",
            1,
            true,
        ),
        (
            "signal",
            "--die USR1",
            "rc_supervise_prevent_codes='1,100-103 USR1'",
            1,
            true,
        ),
        (
            "both",
            "--exit 78",
            "rc_supervise_prevent_codes=78\nrc_supervise_force_codes=78",
            1,
            true,
        ),
        (
            "forced",
            "--exit 3",
            "rc_supervise_policy=no\nrc_supervise_force_codes=3",
            2,
            true,
        ),
        (
            "good",
            "--exit 7",
            "rc_supervise_policy=on-failure\nrc_supervise_success_codes='7 USR2'",
            1,
            false,
        ),
    ];
    for (service, args, conf, ..) in cases {
        scene.service(service, args, &format!("{AT_ONCE}respawn_max=1\n{conf}\n"));
    }
    scene.start_all(cases.map(|(service, ..)| service));
    for (service, _, _, count, is_failure) in cases {
        outcome(scene, service, count, is_failure);
    }
}
