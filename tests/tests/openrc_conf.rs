//! Where rc_supervise_module may be set, and what it is taken for.

mod openrc;

use openrc::{alive, each_shell, rc, recorded_args, spawn_count, spawns, start, supervised};
use openrc::{INTERNAL, RECORDED, SOON};
use rc_sv_tests::Lab;

/// The line of a service that OpenRC itself supervises.
const STOCK: &str = "supervisor=supervise-daemon\n";

/// Whether a module has the service.
fn recorded(lab: &Lab, service: &str) -> bool {
    lab.exists(format!("/run/openrc/options/{service}/rcsv_module"))
}

#[test]
fn for_all_services_in_rc_conf_leaves_those_without_a_daemon_alone() {
    each_shell(|lab| {
        lab.sh("echo 'rc_supervise_module=internal' >>/etc/rc.conf")
            .ok();
        lab.service("daemon", RECORDED);
        lab.service("oneshot", "start() { echo once >/tmp/once; }");
        lab.service("nothing", "description=Nothing");
        lab.service("optout", &format!("{RECORDED}{STOCK}"));
        lab.conf("optout", "rc_supervise_module=\n");

        start(lab, "daemon");
        assert!(recorded(lab, "daemon"));
        let output = rc(lab, "oneshot", "start");
        assert_eq!((output.code(), output.all().as_str()), (0, ""), "{output}");
        assert_eq!(lab.text("/tmp/once"), "once\n");
        let output = rc(lab, "nothing", "start");
        assert!(
            output.all().contains("The command variable is undefined"),
            "{output}"
        );
        assert!(!output.all().contains("module"), "{output}");
        start(lab, "optout");
        for service in ["oneshot", "nothing", "optout"] {
            assert!(!recorded(lab, service), "{service}");
            assert_eq!(rc(lab, service, "status").code(), 0, "{service}");
            rc(lab, service, "stop").ok();
            assert_eq!(rc(lab, service, "status").code(), 3, "{service}");
        }
        assert_eq!(rc(lab, "daemon", "status").code(), 0);
    });
}

#[test]
fn for_one_service_without_a_daemon_it_is_a_mistake_that_is_named() {
    each_shell(|lab| {
        lab.service("oneshot", "start() { :; }");
        lab.conf("oneshot", INTERNAL);
        let output = rc(lab, "oneshot", "start");
        let warning = "oneshot: has no command: there is nothing for module internal to supervise";
        assert_eq!(output.all().matches(warning).count(), 1, "{output}");
        assert_eq!(output.code(), 0);
    });
}

#[test]
fn the_script_can_have_a_default() {
    each_shell(|lab| {
        lab.service(
            "foo",
            &format!("{RECORDED}: ${{rc_supervise_module=internal}}\n"),
        );
        start(lab, "foo");
        assert!(recorded(lab, "foo"));
        rc(lab, "foo", "stop").ok();
        lab.conf("foo", &format!("rc_supervise_module=\n{STOCK}"));
        rc(lab, "foo", "start").ok();
        spawns(lab, "foo", 2);
        assert!(!recorded(lab, "foo"));
    });
}

#[test]
fn the_environment_of_the_caller_has_no_say() {
    each_shell(|lab| {
        lab.service("foo", &format!("{RECORDED}{STOCK}"));
        let run = lab.run(["rc-service", "foo", "start"]);
        run.env("rc_supervise_module", "internal").output().ok();
        spawns(lab, "foo", 1);
        assert!(!recorded(lab, "foo"));
    });
}

#[test]
fn an_openrc_supervisor_in_the_script_is_overruled() {
    each_shell(|lab| {
        lab.service("foo", &format!("{RECORDED}{STOCK}"));
        lab.conf("foo", INTERNAL);
        start(lab, "foo");
        assert!(recorded(lab, "foo"));
        assert!(!lab.sh("pgrep -x supervise-daemo").status.success());
    });
}

#[test]
fn instances_inherit_and_override() {
    each_shell(|lab| {
        lab.service(
            "multi",
            &format!("{RECORDED}command_args=\"$command_args $words\"\n"),
        );
        lab.conf("multi", &format!("{INTERNAL}words=base\n"));
        lab.conf("multi.b", "words=\"own 'of b'\"\n");
        lab.conf("multi.c", &format!("rc_supervise_module=\n{STOCK}"));
        for instance in ["a", "b", "c"] {
            lab.sh(&format!("ln -s multi /etc/init.d/multi.{instance}"))
                .ok();
        }
        let first = start(lab, "multi.a");
        let second = start(lab, "multi.b");
        start(lab, "multi.c");
        assert_eq!(recorded_args(lab, "multi.a", 1), [b"base".to_vec()]);
        assert_eq!(
            recorded_args(lab, "multi.b", 1),
            [b"own".to_vec(), b"of b".to_vec()]
        );
        assert!(recorded(lab, "multi.a") && recorded(lab, "multi.b"));
        assert!(!recorded(lab, "multi.c") && !recorded(lab, "multi"));
        assert_eq!(rc(lab, "multi", "status").code(), 3);

        rc(lab, "multi.a", "stop").ok();
        assert!(!alive(lab, first));
        assert!(alive(lab, second));
        assert_eq!(rc(lab, "multi.a", "status").code(), 3);
        assert_eq!(rc(lab, "multi.b", "status").code(), 0);
    });
}

#[test]
fn conf_d_of_a_runlevel_replaces_the_other() {
    each_shell(|lab| {
        lab.service(
            "foo",
            &format!("{RECORDED}command_args=\"$command_args $words\"\n"),
        );
        lab.conf(
            "foo",
            &format!("{INTERNAL}words=\"base $extra\"\nextra=x\n"),
        );
        lab.conf("foo.special", &format!("{INTERNAL}words=special\n"));
        start(lab, "foo");
        assert_eq!(recorded_args(lab, "foo", 1), [b"base".to_vec()]);
        rc(lab, "foo", "stop").ok();

        lab.sh("mkdir -p /etc/runlevels/special; rc-update add foo special")
            .ok();
        lab.sh("openrc special").ok();
        assert_eq!(recorded_args(lab, "foo", 2), [b"special".to_vec()]);
        assert!(recorded(lab, "foo"));
        assert_eq!(rc(lab, "foo", "status").code(), 0);

        // Then without the module: the service that runs stays with it.
        lab.conf("foo.special", &format!("words=stock\n{STOCK}"));
        let daemon = spawns(lab, "foo", 2)[1];
        rc(lab, "foo", "restart").ok();
        assert!(!alive(lab, daemon));
        assert_eq!(recorded_args(lab, "foo", 3), [b"stock".to_vec()]);
        assert!(!recorded(lab, "foo"));
    });
}

#[test]
fn a_module_changed_while_it_runs_does_not_matter_until_the_next_start() {
    each_shell(|lab| {
        supervised(lab, "foo", "");
        for conf in ["rc_supervise_module=gone\n", "rc_supervise_module=\n", ""] {
            let before = spawn_count(lab, "foo");
            lab.conf("foo", INTERNAL);
            rc(lab, "foo", "start").ok();
            let daemon = spawns(lab, "foo", before + 1)[before];
            lab.conf("foo", conf);
            assert_eq!(rc(lab, "foo", "status").code(), 0, "{conf}");
            rc(lab, "foo", "stop").ok();
            assert!(!alive(lab, daemon), "{conf}");
            assert_eq!(rc(lab, "foo", "status").code(), 3, "{conf}");
        }
        lab.conf("foo", "rc_supervise_module=gone\n");
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 1, "{output}");
        assert!(output.all().contains("gone"), "{output}");
    });
}

#[test]
fn from_stock_to_supervised_and_back_by_restart() {
    each_shell(|lab| {
        lab.service("foo", &format!("{RECORDED}{STOCK}"));
        let first = start(lab, "foo");
        lab.conf("foo", INTERNAL);
        rc(lab, "foo", "restart").ok();
        let second = spawns(lab, "foo", 2)[1];
        lab.wait_dead(first, SOON);
        assert!(recorded(lab, "foo"));
        lab.conf("foo", "");
        rc(lab, "foo", "restart").ok();
        spawns(lab, "foo", 3);
        lab.wait_dead(second, SOON);
        assert!(!recorded(lab, "foo"));
        assert_eq!(rc(lab, "foo", "status").code(), 0);
    });
}
