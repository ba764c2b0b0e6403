//! Services that start themselves, and that a module watches.

mod openrc;
mod watch;

use openrc::{alive, rc, shells, INTERNAL, SOON};
use rc_sv_tests::Lab;
use watch::{calls, daemon, is_watched, log, misbehave, with_module, FORKS, OWN, WATCH};

/// Whether the own stop of `service` has run.
fn no_daemon(lab: &Lab, service: &str) -> bool {
    !lab.exists(format!("/run/{service}.pid"))
}

/// Runs the test in a lab with the module for each shell.
fn each_shell(test: impl Fn(&Lab) + Sync) {
    shells(|shell| test(&with_module(Lab::builder().shell(shell))));
}

/// Defines `service` under the module that watches.
fn watched(lab: &Lab, service: &str, script: &str) {
    lab.service(service, script);
    lab.conf(service, WATCH);
}

#[test]
fn a_script_of_its_own_is_watched_while_it_is_started() {
    each_shell(|lab| {
        let post =
            "start_post() { touch /tmp/post; }\nstop_pre() { cat /run/watch/log >/tmp/pre; }\n";
        watched(lab, "foo", &format!("{OWN}{post}"));
        let said = rc(lab, "foo", "start").ok();
        assert!(said.contains("Own start"), "{said}");
        assert_eq!(log(lab), ["attach foo pidfile=/run/foo.pid"]);
        assert!(is_watched(lab, "foo") && lab.exists("/tmp/post"));
        let first = daemon(lab, "foo");

        // Other commands meanwhile change nothing.
        for command in ["status", "describe", "start"] {
            assert_eq!(rc(lab, "foo", command).code(), 0, "{command}");
        }
        assert_eq!(calls(lab), ["attach foo"]);

        rc(lab, "foo", "restart").ok();
        assert_eq!(calls(lab), ["attach foo", "detach foo", "attach foo"]);
        let second = daemon(lab, "foo");
        // Its own stop sends TERM and does not wait.
        lab.wait_dead(first, SOON);
        assert!(alive(lab, second));

        lab.sh("rm /run/watch/log").ok();
        rc(lab, "foo", "stop").ok();
        assert_eq!(calls(lab), ["detach foo"]);
        // It was let go before anything of the script ran.
        assert!(lab.text("/tmp/pre").starts_with("detach foo"));
        assert!(!is_watched(lab, "foo"));
        lab.wait_dead(second, SOON);
        assert_eq!(rc(lab, "foo", "status").code(), 3);
        assert!(!lab.exists("/run/openrc/rc-sv/foo/module"));
    });
}

#[test]
fn openrc_starts_what_the_module_only_watches() {
    each_shell(|lab| {
        watched(lab, "foo", FORKS);
        let said = rc(lab, "foo", "start").all();
        assert_eq!(said.matches("Starting foo").count(), 1, "{said}");
        assert!(!said.contains("cannot supervise"), "{said}");
        let line = "attach foo pidfile=/run/foo.pid /bin/sleep 4242";
        assert_eq!(log(lab), [line]);
        let pid = daemon(lab, "foo");
        let said = rc(lab, "foo", "status");
        assert_eq!(said.code(), 0, "{said}");
        assert!(said.all().contains("watched"), "{said}");
        let said = rc(lab, "foo", "stop").ok();
        assert_eq!(said.matches("Stopping foo").count(), 1, "{said}");
        assert_eq!(calls(lab), ["attach foo", "detach foo"]);
        lab.wait_dead(pid, SOON);

        // The same under supervise-daemon.
        let script = "command=/bin/sleep\ncommand_args=4242\nsupervisor=supervise-daemon\n\
                      command_args_foreground=1\n";
        watched(lab, "bar", script);
        rc(lab, "bar", "start").ok();
        let line = "attach bar pidfile=- /bin/sleep 4242 1";
        assert_eq!(log(lab).last().map(String::as_str), Some(line));
        rc(lab, "bar", "stop").ok();
        assert_eq!(calls(lab)[2..], ["attach bar", "detach bar"]);
    });
}

#[test]
fn a_service_that_cannot_be_watched_does_not_stay() {
    each_shell(|lab| {
        let post = "stop_post() { touch /tmp/stopped; }\n";
        watched(lab, "foo", &format!("{OWN}{post}"));
        misbehave(lab, "attach", "fail");
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 1, "{output}");
        assert!(output.all().contains("it was told to fail"), "{output}");
        assert!(no_daemon(lab, "foo"));
        assert!(lab.exists("/tmp/stopped"), "{output}");
        assert_eq!(rc(lab, "foo", "status").code(), 3);

        misbehave(lab, "attach", "crash");
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 1, "{output}");
        assert!(output.all().contains("killed by SIGSEGV"), "{output}");
        let said = "foo: module watch does not watch it: stopping it again";
        assert!(output.all().contains(said), "{output}");
        assert!(no_daemon(lab, "foo"));

        // A daemon that cannot be stopped is not called stopped.
        watched(lab, "foo", &format!("{OWN}stop() {{ exit 7; }}\n"));
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 0, "{output}");
        let said = "foo: runs on, and module watch does not watch it";
        assert!(output.all().contains(said), "{output}");
        assert!(alive(lab, daemon(lab, "foo")));
        assert_eq!(rc(lab, "foo", "status").code(), 0);
        misbehave(lab, "attach", "");
        lab.service("foo", OWN);
        rc(lab, "foo", "stop").ok();
        assert!(!calls(lab).contains(&"detach foo".to_string()));
    });
}

#[test]
fn a_stop_that_fails_leaves_the_service_watched() {
    each_shell(|lab| {
        watched(lab, "foo", &format!("{OWN}stop_pre() {{ return 1; }}\n"));
        rc(lab, "foo", "start").ok();
        assert_eq!(rc(lab, "foo", "stop").code(), 1);
        assert_eq!(calls(lab), ["attach foo", "detach foo", "attach foo"]);
        assert!(is_watched(lab, "foo"));
        assert_eq!(rc(lab, "foo", "status").code(), 0);

        // Whoever cannot be let go is not stopped.
        lab.service("foo", OWN);
        misbehave(lab, "detach", "fail");
        let before = daemon(lab, "foo");
        let output = rc(lab, "foo", "stop");
        assert_eq!(output.code(), 1, "{output}");
        assert!(output.all().contains("it was told to fail"), "{output}");
        assert!(alive(lab, before));
        assert_eq!(rc(lab, "foo", "status").code(), 0);
        misbehave(lab, "detach", "");
        rc(lab, "foo", "stop").ok();
        assert!(!is_watched(lab, "foo"));
    });
}

#[test]
fn the_module_that_watches_is_the_recorded_one() {
    each_shell(|lab| {
        watched(lab, "foo", OWN);
        rc(lab, "foo", "start").ok();
        lab.conf("foo", INTERNAL);
        rc(lab, "foo", "stop").ok();
        assert_eq!(calls(lab), ["attach foo", "detach foo"]);

        // After zap it is watched still, and the next start knows it.
        watched(lab, "foo", OWN);
        rc(lab, "foo", "start").ok();
        rc(lab, "foo", "zap").ok();
        let output = rc(lab, "foo", "status");
        assert_eq!(output.code(), 3, "{output}");
        assert!(output.all().contains("its module still has it"), "{output}");
    });
}

#[test]
fn the_module_for_all_watches_those_that_have_a_daemon() {
    each_shell(|lab| {
        lab.sh(&format!("echo '{WATCH}' >>/etc/rc.conf")).ok();
        lab.service("own", OWN);
        lab.service("none", "start() { :; }\nstop() { :; }\n");
        lab.service("out", OWN);
        lab.conf("out", "rc_supervise_module=\n");
        for service in ["own", "none", "out"] {
            rc(lab, service, "start").ok();
            rc(lab, service, "stop").ok();
        }
        assert_eq!(calls(lab), ["attach own", "detach own"]);
    });
}

#[test]
fn a_reload_is_the_modules() {
    each_shell(|lab| {
        watched(lab, "foo", FORKS);
        rc(lab, "foo", "start").ok();
        lab.sh("rc-sv-loader reload foo").ok();
        let line = "reload foo pidfile=-";
        assert_eq!(log(lab).last().map(String::as_str), Some(line));
    });
}

#[test]
fn what_the_module_has_lost_openrc_still_knows() {
    each_shell(|lab| {
        watched(lab, "foo", FORKS);
        rc(lab, "foo", "start").ok();
        let pid = daemon(lab, "foo");
        lab.sh("rm /run/watch/foo").ok();
        let output = rc(lab, "foo", "status");
        assert_eq!(output.code(), 0, "{output}");
        assert!(output.all().contains("not watched"), "{output}");
        assert_eq!(lab.sh("rc-sv-loader status foo").code(), 64);

        // A module that was removed does not keep a service from stopping.
        lab.sh("rm /usr/lib/rc-sv/librc_sv_watch.so").ok();
        rc(lab, "foo", "stop").ok();
        lab.wait_dead(pid, SOON);
        assert_eq!(rc(lab, "foo", "status").code(), 3);
        assert!(!lab.exists("/run/openrc/rc-sv/foo/module"));
    });
}

#[test]
fn a_module_that_hangs_is_not_waited_for_for_ever() {
    let lab = with_module(Lab::builder());
    watched(&lab, "foo", OWN);
    misbehave(&lab, "attach", "hang");
    // Longer than the loader waits.
    let start = lab.run(["rc-service", "foo", "start"]).timeout(2 * SOON);
    let output = start.output();
    assert_eq!(output.code(), 1, "{output}");
    assert!(output.all().contains("stopping it again"), "{output}");
    assert!(no_daemon(&lab, "foo"));
}
