//! The monit module against the real monit: a person is told once that a service failed, or is
//! unhealthy, and once that this is over.

mod monit;

use monit::openrc::{rc, KILL, SOON};
use monit::{assert_one, lab, monit as run_monit, monit_pid, simple, starts, AT_ONCE};
use rc_sv_tests::Lab;

/// Notes what it is told; of bad news it never ends by itself.
const TELL: &str = "#!/bin/sh\n\
    echo \"$RC_SVCNAME $RC_SV_EVENT $RC_SV_EXIT\" >>/tmp/told\n\
    [ \"$RC_SV_EVENT\" = recovered ] || exec sleep 4243\n";

const ALERTED: &str = "rc_supervise_alert=/usr/local/bin/tell\nrc_supervise_alert_timeout=10s\n";

fn told(lab: &Lab, count: usize) -> Vec<String> {
    lab.wait_for_lines("/tmp/told", count, SOON)
}

#[test]
fn a_person_is_told_of_a_give_up_and_of_the_recovery() {
    let lab = lab();
    let _monit = run_monit(&lab);
    lab.write("/usr/local/bin/tell", TELL, 0o755);
    let conf = format!("{AT_ONCE}{ALERTED}respawn_max=1\nrc_supervise_reset_after=300ms\n");
    simple(&lab, "foo", "", &conf);
    rc(&lab, "foo", "start").ok();
    for count in 1..3 {
        let pid = starts(&lab, "foo", count)[count - 1].pid();
        lab.kill(pid, KILL);
        if count == 2 {
            lab.wait_for_file("/run/openrc/failed/foo", |_| true, SOON);
        }
    }
    // How its daemon ended, nobody knows who only watches.
    let end = "ended in an unknown way";
    assert_eq!(told(&lab, 1), [format!("foo gave-up {end}")]);
    // He who tells is killed in the end, and nothing waits for him.
    lab.wait_for_file("/run/openrc/rc-sv/foo/alarm", |_| true, SOON);
    rc(&lab, "foo", "start").ok();
    assert_eq!(told(&lab, 2)[1..], [format!("foo recovered {end}")]);
    assert!(!lab.exists("/run/openrc/rc-sv/foo/alarm"));
    assert_one(&lab, "foo", 2);
    // Nobody is told of a recovery from nothing.
    let pid = starts(&lab, "foo", 3)[2].pid();
    lab.kill(pid, KILL);
    starts(&lab, "foo", 4);
    rc(&lab, "foo", "stop").ok();
    assert_eq!(told(&lab, 2).len(), 2);
}

#[test]
fn a_person_is_told_that_a_service_is_unhealthy_and_of_the_recovery() {
    let lab = lab();
    let _monit = run_monit(&lab);
    lab.write("/usr/local/bin/tell", TELL, 0o755);
    let health = "rc_supervise_health='exec:\"/usr/bin/test ! -e /tmp/sick\" interval=1s \
                  failures=1 action=alert'\n";
    simple(&lab, "foo", "", &format!("{AT_ONCE}{ALERTED}{health}"));
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    lab.write("/tmp/sick", "", 0o644);
    assert_eq!(told(&lab, 1), ["foo unhealthy "]);
    lab.sh("rm /tmp/sick").ok();
    assert_eq!(told(&lab, 2)[1..], ["foo recovered "]);
    // It was left alone.
    assert_eq!(assert_one(&lab, "foo", 1), first);
    rc(&lab, "foo", "stop").ok();
}

/// A monit that begins anew knows nothing of a fault that is over by then.
#[test]
fn a_monit_that_is_killed_meanwhile_costs_no_news() {
    let lab = lab();
    let monit = run_monit(&lab);
    lab.write("/usr/local/bin/tell", TELL, 0o755);
    let health = "rc_supervise_health='exec:\"/usr/bin/test ! -e /tmp/sick\" interval=1s \
                  failures=1 action=alert'\n";
    simple(&lab, "foo", "", &format!("{AT_ONCE}{ALERTED}{health}"));
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    lab.write("/tmp/sick", "", 0o644);
    assert_eq!(told(&lab, 1), ["foo unhealthy "]);
    lab.kill(monit_pid(&lab), KILL);
    monit.wait(SOON);
    lab.sh("rm /tmp/sick").ok();
    let lines = lab.wait_for_lines("/tmp/told", 2, 4 * SOON);
    assert_eq!(lines[1..], ["foo recovered "]);
    // And the next fault is news again.
    let _monit = run_monit(&lab);
    lab.write("/tmp/sick", "", 0o644);
    assert_eq!(told(&lab, 3)[2..], ["foo unhealthy "]);
    lab.sh("rm /tmp/sick").ok();
    assert_eq!(told(&lab, 4)[3..], ["foo recovered "]);
    assert_eq!(assert_one(&lab, "foo", 1), first);
    rc(&lab, "foo", "stop").ok();
    assert_eq!(told(&lab, 4).len(), 4);
}
