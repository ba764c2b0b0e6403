//! The module in Rust in examples/: built with cargo outside of the workspace, tested by its own
//! tests, and used by OpenRC with the real supervisord.

mod kit;
mod openrc;

use kit::{repository, Author};
use openrc::{alive, rc, KILL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Lab, Line};
use std::path::{Path, PathBuf};
use std::process::Command;

const PROBE: &str = "/usr/lib/rc-sv-tests/probe-daemon";

/// Runs cargo on the example, which has a target directory of its own; returns that.
#[track_caller]
fn cargo(arguments: &[&str]) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| repository().join("target"), PathBuf::from)
        .join("module-rust");
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(repository().join("examples/module-rust"))
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .expect("cargo");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}:\n{said}");
    target
}

/// An author who has installed the module.
fn author() -> Author {
    let target = cargo(&["build", "--release", "--locked", "--offline"]);
    let module = target.join("release/librc_sv_supervisord.so");
    let author = Author::new();
    author.sh(&format!(
        "install -D -m 644 {} /usr/lib/rc-sv/librc_sv_supervisord.so",
        module.display()
    ));
    author
}

/// A lab with the module and, once it has returned, a supervisord that listens.
fn lab(author: &Author) -> Lab {
    let lab = author.lab();
    lab.sh("mkdir -p /var/log/supervisor; chmod 1777 /var/tmp")
        .ok();
    // Without the nice value of who runs the tests: those that it gives come on top of its own.
    lab.sh("nice -n -$(nice) supervisord -c /etc/supervisor/supervisord.conf")
        .ok();
    lab
}

/// The probe daemon as a service under `supervisord`, reporting to /var/tmp/SERVICE.
fn service(lab: &Lab, name: &str, args: &str, conf: &str) {
    let args = format!("--report /var/tmp/{name} {args}");
    lab.service(name, &format!("command={PROBE}\ncommand_args=\"{args}\""));
    lab.conf(name, &format!("rc_supervise_module=supervisord\n{conf}"));
}

/// The first `count` runs of a service, when there are so many.
fn runs(lab: &Lab, name: &str, count: usize) -> Vec<Line> {
    lab.report(&format!("/var/tmp/{name}"), "start", count, SOON)
}

#[test]
fn the_module_in_rust_passes_its_own_tests() {
    cargo(&["fmt", "--check"]);
    cargo(&["test", "--locked", "--offline"]);
    let lints = [
        "--all-targets",
        "--locked",
        "--offline",
        "--",
        "-D",
        "warnings",
    ];
    cargo(&[&["clippy"], &lints[..]].concat());
}

#[test]
fn the_module_in_rust_has_one_symbol_and_is_listed() {
    let author = author();
    let symbols = author.sh("nm -D --defined-only /usr/lib/rc-sv/librc_sv_supervisord.so");
    assert!(
        symbols.ends_with(" T rc_sv_backend_entry_v1\n"),
        "{symbols}"
    );
    assert_eq!(symbols.lines().count(), 1, "{symbols}");
    let listed = author.sh("rc-sv-loader --list");
    let line = listed.lines().find(|line| line.starts_with("supervisord "));
    assert!(line.is_some_and(|line| line.contains("usable")), "{listed}");
}

#[test]
fn the_module_in_rust_keeps_its_promises() {
    let author = author();
    let lab = lab(&author);
    let report = lab
        .sh("rc-sv-loader --verify /usr/lib/rc-sv/librc_sv_supervisord.so")
        .ok();
    assert!(report.contains(" keeps its promises: "), "{report}");
    assert!(
        report.contains(" 0 failed, 0 doubtful, 0 not run"),
        "{report}"
    );
}

#[test]
fn under_supervisord_a_service_lives_from_start_to_stop() {
    let author = author();
    let lab = lab(&author);
    service(&lab, "foo", "", "");
    rc(&lab, "foo", "start").ok();
    let first = runs(&lab, "foo", 1)[0].pid();
    let status = rc(&lab, "foo", "status");
    assert_eq!(status.code(), 0, "{status}");
    assert!(status.all().contains(&format!("pid {first}")), "{status}");
    let programs = lab.sh("supervisorctl status").ok();
    assert!(programs.contains("RUNNING"), "{programs}");

    lab.kill(first, KILL);
    let second = runs(&lab, "foo", 2)[1].pid();
    // A reload is HUP, of which the probe dies.
    until("the second run is up", SOON, || {
        (rc(&lab, "foo", "status").code() == 0).then_some(())
    });
    rc(&lab, "foo", "reload").ok();
    let third = runs(&lab, "foo", 3)[2].pid();

    rc(&lab, "foo", "stop").ok();
    assert!(!alive(&lab, second) && !alive(&lab, third));
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    assert_eq!(lab.sh("ls /etc/supervisor/conf.d").stdout, "");
    assert_eq!(lab.sh("supervisorctl status").stdout, "");
}

#[test]
fn supervisord_gives_a_service_what_it_is_told() {
    let author = author();
    let lab = lab(&author);
    let settings = "command_user=daemon:mail\ndirectory=/var\numask=027\nrc_ulimit='-n 321'\n\
                    rc_supervise_nice=5\nrc_supervise_ionice=2:7\nrc_supervise_oom_score_adj=9\n\
                    retry=INT/300/KILL/5\nexport HARD=\"100% 'x'\n ;#\"\n";
    let words = r"-- 'a b' 'it'\''s' '50% ;no #comment' ''";
    service(&lab, "foo", words, settings);
    rc(&lab, "foo", "start").ok();
    let run = runs(&lab, "foo", 1).remove(0);
    assert_eq!(
        run.argv()[3..],
        ["--", "a b", "it's", "50% ;no #comment", ""]
    );
    assert_eq!((run.get("uid"), run.get("gid")), ("1,1,1,1", "8,8,8,8"));
    assert_eq!(run.path("cwd"), Path::new("/var"));
    assert_eq!((run.get("umask"), run.get("nice")), ("0027", "5"));
    assert_eq!((run.get("ioprio"), run.get("oom")), ("2:7", "9"));
    assert_eq!(run.rlimit("nofile").0, Some(321));
    assert_eq!(run.path("cgroup"), Path::new("/foo"));
    for (name, value) in [
        ("USER", "daemon"),
        ("HOME", "/usr/sbin"),
        ("HARD", "100% 'x'\n ;#"),
    ] {
        assert_eq!(run.env(name).as_deref(), Some(value), "{name}");
    }
    rc(&lab, "foo", "stop").ok();
    let ends = lab.report("/var/tmp/foo", "signal", 1, SOON);
    assert_eq!(ends[0].number("number"), 2, "INT");
}

#[test]
fn supervisord_says_what_it_cannot_do() {
    let author = author();
    let lab = lab(&author);
    let refused = |name: &str, message: &str| {
        let output = rc(&lab, name, "start");
        assert_ne!(output.code(), 0, "{output}");
        let line = format!("rc-sv-loader: {name}: supervisord: {message}");
        assert!(output.all().contains(&line), "{line}\n{output}");
    };
    service(&lab, "foo", "", "respawn_delay=1\n");
    refused(
        "foo",
        "respawn_delay: supervisord has no such thing; unset it",
    );
    service(&lab, "foo", "", "command_user=nobody-here\n");
    refused("foo", "command_user: there is no user nobody-here");
    service(&lab, "foo", "--exit 1", "");
    // What supervisord says of it is gone when it tries again.
    let said = rc(&lab, "foo", "start");
    let is_refused = said.code() == 1 && said.all().contains("xited too quickly");
    assert!(is_refused, "{said}");
    assert_eq!(
        lab.sh("ls /etc/supervisor/conf.d").stdout,
        "",
        "nothing is left"
    );

    let theirs = "[program:cat]\ncommand=/bin/cat\n";
    lab.write("/etc/supervisor/conf.d/cat.conf", theirs, 0o644);
    lab.sh("supervisorctl update").ok();
    service(&lab, "cat", "", "");
    refused(
        "cat",
        "supervisord has a program cat that is not ours; rename one",
    );

    lab.sh("supervisorctl shutdown").ok();
    lab.wait_for_absence("/run/supervisor.sock", SOON);
    service(&lab, "foo", "", "");
    let why = "no supervisord listens at /run/supervisor.sock; start it, or install supervisor";
    refused("foo", why);
}

#[test]
fn supervisord_gives_up_and_the_list_shows_it() {
    let author = author();
    let lab = lab(&author);
    let section = "[modules.supervisord]\nstartsecs = 0\nstartretries = 0\n";
    lab.write("/etc/rc-sv.toml", section, 0o644);
    service(&lab, "good", "", "");
    service(
        &lab,
        "bad",
        "--unless /var/tmp/up --exit 3",
        "rc_supervise_policy=no\n",
    );
    lab.write("/var/tmp/up", "", 0o644);
    rc(&lab, "good", "start").ok();
    rc(&lab, "bad", "start").ok();
    lab.kill(runs(&lab, "bad", 1)[0].pid(), KILL);
    until("bad is down", SOON, || {
        (rc(&lab, "bad", "status").code() == 3).then_some(())
    });
    let listed = lab.sh("rc-sv-loader status").stdout;
    let state = |name: &str| {
        let line = listed.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1))
            .map(str::to_owned)
    };
    assert_eq!(state("good").as_deref(), Some("up"), "{listed}");
    assert_eq!(state("bad").as_deref(), Some("down"), "{listed}");
    rc(&lab, "bad", "stop").ok();
    rc(&lab, "good", "stop").ok();
}
