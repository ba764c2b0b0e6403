//! Limits by cgroup, under the internal module, besides what one_behaviour.rs proves of them for
//! each module.

mod internal;
mod openrc;

use internal::{probe, starts, status};
use openrc::{rc, KILL};
use rc_sv_tests::Lab;

const LIMITS: &str =
    "rc_supervise_memory_max=512M\nrc_supervise_pids_max=100\nrc_supervise_cpu_weight=50\n";

/// The service's cgroup, where OpenRC of this lab makes it.
const CGROUP: &str = "/sys/fs/cgroup/unified/foo";

#[test]
fn a_host_without_cgroups_runs_the_service_and_says_so() {
    let lab = Lab::builder().without_cgroup().build();
    probe(&lab, "foo", "", LIMITS);
    rc(&lab, "foo", "start").ok();
    let said = status(&lab, "foo");
    let note = "limits without effect: the service has no cgroup of version 2";
    assert!(said.contains(note), "{said}");
    // The next supervisor says so too.
    let supervisor = lab.text("/run/openrc/rc-sv/.internal/pid");
    lab.kill(supervisor.trim().parse().expect("a pid"), KILL);
    internal::until_status(&lab, "foo", note);
    lab.conf("bar", "");
    probe(&lab, "bar", "", "");
    rc(&lab, "bar", "start").ok();
    assert!(!status(&lab, "bar").contains("limits"));
}

#[test]
fn what_openrc_sets_itself_holds_for_each_run_and_not_for_the_supervisor() {
    let lab = Lab::new();
    // Of the kernel's files those that need no controller.
    let settings = "rc_cgroup_settings='\ncgroup.max.depth 3\ncgroup.max.descendants 7\n'\n";
    let conf = format!("{}{settings}", internal::AT_ONCE);
    probe(&lab, "foo", "", &conf);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    lab.kill(first, KILL);
    let second = starts(&lab, "foo", 2)[1].clone();
    assert_eq!(second.path("cgroup").to_str(), Some("/foo/rc-sv"));
    assert_eq!(lab.text(format!("{CGROUP}/cgroup.max.depth")), "3\n");
    assert_eq!(lab.text(format!("{CGROUP}/cgroup.max.descendants")), "7\n");
    let pid = lab.text("/run/openrc/rc-sv/.internal/pid");
    let cgroups = lab.text(format!("/proc/{}/cgroup", pid.trim()));
    assert!(
        cgroups
            .lines()
            .any(|line| line.starts_with("0::") && line.ends_with("/rc-sv-supervisor")),
        "{cgroups}"
    );
    assert!(!cgroups.contains("foo"), "{cgroups}");
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let lab = Lab::new();
    for (setting, value) in [
        ("rc_supervise_memory_max", "lots"),
        ("rc_supervise_pids_max", "-1"),
        ("rc_supervise_cpu_weight", "0"),
        ("rc_supervise_cpu_weight", "10001"),
    ] {
        probe(&lab, "foo", "", &format!("{setting}={value}\n"));
        let output = rc(&lab, "foo", "start");
        assert_eq!(output.code(), 1, "{output}");
        assert!(output.all().contains(setting), "{output}");
    }
}
