//! What OpenRC's tree of dependencies gets from a module: the service of its scanner.

mod openrc;

use openrc::each_shell;
use rc_sv_tests::Lab;

/// Services, with the lines of conf.d.
fn services(lab: &Lab, all: &[(&str, &str, &str)]) {
    for (name, script, conf) in all {
        lab.service(name, script);
        if !conf.is_empty() {
            lab.conf(name, conf);
        }
    }
}

/// What the tree, made anew, says of `service`: the values of `kind`.
fn depends(lab: &Lab, service: &str, kind: &str) -> Vec<String> {
    let tree = lab.text("/run/openrc/deptree");
    let value = |line: &str| line.split('\'').nth(1).unwrap_or_default().to_string();
    let line = tree
        .lines()
        .find(|line| line.contains("_service=") && value(line) == service)
        .unwrap_or_else(|| panic!("no {service} in:\n{tree}"));
    let number = line.split('_').nth(1).expect("a number");
    let prefix = format!("depinfo_{number}_{kind}_");
    let mut values: Vec<String> = tree
        .lines()
        .filter(|line| line.starts_with(&prefix))
        .map(value)
        .collect();
    values.sort();
    values
}

const DAEMON: &str = "command=/bin/sleep\ncommand_args=4242\n";

#[test]
fn a_scanner_that_is_a_service_is_needed() {
    each_shell(|lab| {
        for scanner in ["s6-svscan", "runsvdir", "svscan"] {
            services(lab, &[(scanner, DAEMON, "")]);
        }
        for (module, scanner) in [
            ("s6", &["s6-svscan"][..]),
            ("runit", &["runsvdir"]),
            ("daemontools", &["svscan"]),
            ("internal", &[]),
            ("monit", &[]),
        ] {
            lab.service("foo", &format!("{DAEMON}depend() {{ use net; }}"));
            lab.conf("foo", &format!("rc_supervise_module={module}"));
            lab.sh("rc-update --update").ok();
            assert_eq!(depends(lab, "foo", "ineed"), scanner, "{module}");
            assert_eq!(depends(lab, "foo", "iuse"), ["net"], "{module}");
            assert_eq!(depends(lab, "foo", "supervise"), [module]);
            for scanner in scanner {
                assert_eq!(depends(lab, scanner, "needsme"), ["foo"]);
            }
        }
        // OpenRC starts it first.
        lab.conf("foo", "rc_supervise_module=s6");
        lab.service("s6-svscan", "start() { touch /tmp/scanner; }");
        lab.sh("rc-update --update").ok();
        openrc::rc(lab, "foo", "start");
        assert!(lab.exists("/tmp/scanner"));
    });
}

#[test]
fn a_scanner_that_is_none_is_not() {
    each_shell(|lab| {
        services(lab, &[("foo", DAEMON, "rc_supervise_module=s6")]);
        lab.write("/etc/init.d/s6-svscan", "#!/sbin/openrc-run\n", 0o644);
        lab.sh("rc-update --update").ok();
        for kind in ["ineed", "broken"] {
            assert_eq!(depends(lab, "foo", kind), [""; 0], "{kind}");
        }
    });
}

#[test]
fn what_counts_is_what_counts_at_a_start() {
    each_shell(|lab| {
        lab.sh("echo rc_supervise_module=s6 >>/etc/rc.conf").ok();
        let chosen = |module: &str| format!("rc_supervise_module={module}\n");
        let in_script = format!("{DAEMON}: ${{rc_supervise_module:=runit}}\n");
        services(
            lab,
            &[
                ("s6-svscan", DAEMON, ""),
                ("runsvdir", DAEMON, &chosen("")),
                ("global", DAEMON, ""),
                ("tracked", "pidfile=/run/x.pid", ""),
                ("without", "start() { :; }", ""),
                ("byhand", "name=byhand", ""),
                ("own", DAEMON, &chosen("runit")),
                ("none", DAEMON, &chosen("")),
                ("multi.a", DAEMON, ""),
                ("script", &in_script, ""),
            ],
        );
        lab.conf("multi", &chosen("runit"));
        lab.sh("mkdir -p /var/svc.d/byhand").ok();
        let check = |expected: &[(&str, &[&str])]| {
            lab.sh("rc-update --update").ok();
            for (service, needs) in expected {
                assert_eq!(depends(lab, service, "ineed"), *needs, "{service}");
            }
        };
        check(&[
            ("global", &["s6-svscan"]),
            ("tracked", &["s6-svscan"]),
            ("s6-svscan", &[]),
            ("without", &[]),
            ("byhand", &["s6-svscan"]),
            ("own", &["runsvdir"]),
            ("none", &[]),
            ("multi.a", &["runsvdir"]),
            ("script", &["s6-svscan"]),
        ]);
        // Without a module for all, the one that the script wants.
        lab.sh("sed -i /supervise/d /etc/rc.conf").ok();
        check(&[("script", &["runsvdir"]), ("global", &[])]);
        // A module for all that is empty does not undo that of a service.
        lab.sh("echo rc_supervise_module= >>/etc/rc.conf").ok();
        check(&[("own", &["runsvdir"]), ("global", &[])]);
    });
}

#[test]
fn without_our_files_services_are_found_all_the_same() {
    each_shell(|lab| {
        services(lab, &[("foo", DAEMON, "rc_supervise_module=s6")]);
        lab.sh("rm -r /usr/libexec/rc-sv && rc-update --update")
            .ok();
        assert_eq!(depends(lab, "foo", "supervise"), [""; 0]);
    });
}
