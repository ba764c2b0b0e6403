//! The plugin of openrc-run: whom it lets be watched, and that it costs the others nothing.

mod applet;
mod openrc;
mod watch;

use applet::{plugin, with_plugin};
use openrc::{alive, rc, INTERNAL, SOON};
use rc_sv_tests::{Job, Lab};
use watch::{calls, daemon, is_watched, log, misbehave, OWN, WATCH};

/// Without the drop-in's part of openrc-run, as where a script does not come to its end.
fn lab() -> Lab {
    let lab = with_plugin(Lab::builder());
    let conf = "/etc/rc.conf.d/zz-rc-sv.conf";
    let text = lab
        .text(conf)
        .replace("if command -v default_start ", "if false ");
    lab.write(conf, text, 0o644);
    lab
}

/// Defines `service` under the module that watches, and lets OpenRC see that.
fn watched(lab: &Lab, service: &str, script: &str, conf: &str) {
    lab.service(service, script);
    lab.conf(service, &format!("{WATCH}{conf}"));
    lab.sh("rc-update --update").ok();
}

fn value(lab: &Lab, service: &str, name: &str) -> Option<String> {
    let bytes = lab.try_read(format!("/run/openrc/options/{service}/{name}"));
    bytes
        .ok()
        .map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
}

#[test]
fn a_service_is_watched_while_it_is_started() {
    let lab = lab();
    // Of the settings in conf.d those of rc-sv count, without a shell.
    let conf = "# a comment\npidfile='/run/foo.pid' ; FOO_OPTS=\"-x $HOME\"\nother=1\n";
    watched(&lab, "foo", OWN, conf);
    rc(&lab, "foo", "start").ok();
    assert_eq!(log(&lab), ["attach foo pidfile=/run/foo.pid"]);
    assert_eq!(value(&lab, "foo", "rcsv_hooked").as_deref(), Some("watch"));
    let first = daemon(&lab, "foo");

    for command in ["status", "describe", "start"] {
        assert_eq!(rc(&lab, "foo", command).code(), 0, "{command}");
    }
    rc(&lab, "foo", "restart").ok();
    assert_eq!(calls(&lab), ["attach foo", "detach foo", "attach foo"]);
    let second = daemon(&lab, "foo");
    // Its own stop sends TERM and does not wait.
    lab.wait_dead(first, SOON);
    assert!(alive(&lab, second));
    rc(&lab, "foo", "stop").ok();
    assert_eq!(calls(&lab)[3..], ["detach foo"]);
    lab.wait_dead(second, SOON);
    assert!(!is_watched(&lab, "foo"));
    assert!(!lab.exists("/run/openrc/rc-sv/foo/module"));
}

#[test]
fn a_start_that_fails_is_not_watched_and_a_stop_that_fails_is_again() {
    let lab = lab();
    watched(&lab, "foo", "start() { return 1; }", "");
    assert_eq!(rc(&lab, "foo", "start").code(), 1);
    assert_eq!(calls(&lab), [""; 0]);

    watched(
        &lab,
        "foo",
        &format!("{OWN}stop_pre() {{ [ -e /tmp/stop ]; }}\n"),
        "",
    );
    rc(&lab, "foo", "start").ok();
    let pid = daemon(&lab, "foo");
    assert_eq!(rc(&lab, "foo", "stop").code(), 1);
    assert_eq!(calls(&lab), ["attach foo", "detach foo", "attach foo"]);
    assert!(is_watched(&lab, "foo") && alive(&lab, pid));
    assert_eq!(value(&lab, "foo", "rcsv_hooked").as_deref(), Some("watch"));
    assert_eq!(value(&lab, "foo", "rcsv_unhooked"), None);
    lab.sh("touch /tmp/stop").ok();
    rc(&lab, "foo", "stop").ok();
    assert!(!is_watched(&lab, "foo"));
}

#[test]
fn where_the_shell_has_it_the_plugin_does_nothing() {
    let lab = openrc::with_recorder(with_plugin(Lab::builder()));
    watched(&lab, "foo", OWN, "");
    openrc::supervised(&lab, "bar", "");
    lab.service("baz", OWN);
    lab.conf("baz", INTERNAL);
    lab.sh("rc-update --update").ok();
    for service in ["foo", "bar", "baz"] {
        rc(&lab, service, "start").ok();
        assert_eq!(value(&lab, service, "rcsv_hooked"), None, "{service}");
        rc(&lab, service, "restart").ok();
        rc(&lab, service, "stop").ok();
    }
    // Each call once, as the shell has made it.
    let once = ["attach foo", "detach foo"];
    assert_eq!(calls(&lab), [once, once].concat());
}

#[test]
fn debians_own_scripts_are_watched_too() {
    // openrc-run executes them at boot, and its shell never comes to its end.
    let lab = with_plugin(Lab::builder());
    let script = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: lsb\n# Required-Start:\n\
        # Required-Stop:\n# Default-Start: 2\n# Default-Stop: 0\n### END INIT INFO\n\
        case \"$1\" in\nstart) /bin/sleep 4343 </dev/null >/dev/null 2>&1 & echo $! >/run/lsb.pid ;;\n\
        stop) kill $(cat /run/lsb.pid) ;;\nesac\n";
    lab.write("/etc/init.d/lsb", script, 0o755);
    lab.conf("lsb", &format!("{WATCH}pidfile=/run/lsb.pid\n"));
    lab.sh("rc-update --update").ok();
    lab.sh("openrc-run /etc/init.d/lsb start").ok();
    assert_eq!(log(&lab), ["attach lsb pidfile=/run/lsb.pid"]);
    let pid = daemon(&lab, "lsb");
    lab.sh("openrc-run /etc/init.d/lsb stop").ok();
    assert_eq!(calls(&lab), ["attach lsb", "detach lsb"]);
    lab.wait_dead(pid, SOON);
}

#[test]
fn what_needs_a_shell_is_refused() {
    let lab = lab();
    for (conf, said) in [
        (
            "pidfile=/run/$RC_SVCNAME.pid\n",
            "conf.d/foo:2: is no plain assignment",
        ),
        (
            "\nif true; then\npidfile=/run/x\nfi\n",
            "conf.d/foo:3: is no plain assignment",
        ),
        (
            "umask=abc\n",
            "/etc/conf.d/foo:2: umask=\"abc\": must be an octal mask",
        ),
        (
            "rc_supervise_polcy=x\n",
            "did you mean rc_supervise_policy?",
        ),
        ("X=$(date)\n", "conf.d/foo:2: is no plain assignment"),
    ] {
        watched(&lab, "foo", OWN, conf);
        let output = rc(&lab, "foo", "start");
        assert_eq!(output.code(), 0, "a plugin cannot fail a start: {output}");
        assert!(output.all().contains(said), "{conf}: {output}");
        assert_eq!(calls(&lab), [""; 0], "{conf}");
        rc(&lab, "foo", "stop").ok();
    }
    // Instances and runlevels, as OpenRC reads them.
    lab.service("multi.a", OWN);
    lab.conf("multi", &format!("{WATCH}pidfile=\"/run/all.pid\"\n"));
    lab.conf("multi.a.default", "pidfile=/run/mul\\\nti.a\\.pid\n");
    lab.sh("rc-update --update; mkdir -p /etc/runlevels/default; openrc default")
        .ok();
    rc(&lab, "multi.a", "start").ok();
    assert_eq!(log(&lab), ["attach multi.a pidfile=/run/multi.a.pid"]);
}

#[test]
fn a_module_that_misbehaves_harms_nobody() {
    let lab = lab();
    watched(&lab, "foo", OWN, "");
    for (how, said) in [
        ("crash", "killed by SIGSEGV"),
        ("exit", "foo: runs, and module watch does not watch it"),
        ("fail", "it was told to fail"),
        ("hang", "foo: runs, and module watch does not watch it"),
    ] {
        misbehave(&lab, "attach", how);
        let output = rc(&lab, "foo", "start");
        assert_eq!(output.code(), 0, "{how}: {output}");
        assert!(output.all().contains(said), "{how}: {output}");
        assert_eq!(rc(&lab, "foo", "status").code(), 0, "{how}");
        assert_eq!(value(&lab, "foo", "rcsv_hooked"), None, "{how}");
        rc(&lab, "foo", "stop").ok();
    }
    assert!(!calls(&lab).contains(&"detach foo".into()));
    misbehave(&lab, "attach", "");
    rc(&lab, "foo", "start").ok();
    misbehave(&lab, "detach", "crash");
    let output = rc(&lab, "foo", "stop");
    assert_eq!(output.code(), 0, "{output}");
    assert!(output.all().contains("killed by SIGSEGV"), "{output}");
}

#[test]
fn nothing_that_a_module_leaves_behind_keeps_openrc_run_waiting() {
    let lab = lab();
    watched(&lab, "foo", OWN, "");
    // Holds whatever descriptors it gets until the end of the lab.
    misbehave(&lab, "attach", "linger");
    let job: Job = lab.spawn("rc-service foo start 2>&1 >/dev/null </dev/null");
    assert_eq!(job.wait(SOON).code(), 0);
    assert_eq!(calls(&lab), ["attach foo"]);
    let lingers = lab.wait_for_lines("/run/watch/lingers", 1, SOON);
    assert!(alive(&lab, lingers[0].parse().expect("a pid")));
}

/// The files that the processes of `command` open, by name, without those of the shell's scripts.
fn opened(lab: &Lab, command: &str) -> Vec<String> {
    lab.sh(&format!(
        "strace -f -qq -o /tmp/trace -e trace=execve,openat,open {command}"
    ))
    .ok();
    let trace = lab.text("/tmp/trace");
    let mut names: Vec<String> = trace
        .lines()
        .filter(|line| !line.contains("resumed") && !line.contains("+++"))
        .filter_map(|line| {
            let (call, rest) = line.split_once('"')?;
            let call = call.split_whitespace().nth(1)?.split('(').next()?;
            Some(format!("{call} {}", rest.split('"').next()?))
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_service_without_a_module_costs_two_files() {
    let opens = |with: bool| {
        let lab = lab();
        if !with {
            lab.sh(&format!("rm {}", plugin())).ok();
        }
        lab.service("own", "start() { :; }\nstop() { :; }\n");
        lab.service("other", OWN);
        lab.conf("other", WATCH);
        lab.sh("rc-update --update").ok();
        ["start", "status", "stop"]
            .map(|command| opened(&lab, &format!("rc-service own {command}")))
    };
    let (without, with) = (opens(false), opens(true));
    let mut more = with.clone();
    for (more, without) in more.iter_mut().zip(&without) {
        for name in without {
            if let Some(at) = more.iter().position(|other| other == name) {
                more.remove(at);
            }
        }
    }
    let plugin = format!("openat {}", plugin());
    assert_eq!(
        more,
        [
            vec!["openat /run/openrc/deptree".into(), plugin.clone()],
            vec![plugin.clone()],
            vec![
                "openat /run/openrc/options/own/rcsv_hooked".into(),
                "openat /run/openrc/options/own/rcsv_unhooked".into(),
                plugin,
            ],
        ]
    );
    let programs = |all: &[Vec<String>; 3]| {
        let all = all.iter().flatten();
        all.filter(|name| name.starts_with("execve")).count()
    };
    assert_eq!(programs(&with), programs(&without));
    assert!(programs(&with) > 6, "{with:?}");
}
