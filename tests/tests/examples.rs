//! The modules in examples/: an author builds and installs them against an installed rc-sv, and
//! OpenRC runs services under them.

mod kit;
mod openrc;

use kit::Author;
use openrc::{alive, rc, KILL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Lab, Line};
use std::path::Path;

const PROBE: &str = "/usr/lib/rc-sv-tests/probe-daemon";

/// What an author does with the example in C.
const BUILD_C: &str = "
cp -R $(pkg-config --variable=examplesdir rc_sv_backend)/module-c .
make -C module-c
make -C module-c install
nm -D --defined-only module-c/librc_sv_daemon.so";

const DAEMON: &str = "rc_supervise_module=daemon\n";

/// A lab in which the example in C is installed.
fn lab_with_daemon(author: &Author) -> Lab {
    author.sh(BUILD_C);
    author.lab()
}

/// The probe daemon as a service under `daemon`, reporting to /var/tmp/SERVICE.
fn service(lab: &Lab, name: &str, conf: &str) {
    let args = format!("--report /var/tmp/{name} -- 'a b' %s");
    lab.service(name, &format!("command={PROBE}\ncommand_args=\"{args}\""));
    lab.conf(name, &format!("{DAEMON}{conf}"));
}

/// The first `count` runs of a service, when there are so many.
fn runs(lab: &Lab, name: &str, count: usize) -> Vec<Line> {
    lab.report(&format!("/var/tmp/{name}"), "start", count, SOON)
}

#[test]
fn the_module_in_c_is_built_without_rust() {
    let author = Author::new();
    let symbols = author.sh(BUILD_C);
    assert!(
        symbols.ends_with(" T rc_sv_backend_entry_v1\n"),
        "{symbols}"
    );
    assert_eq!(symbols.matches(" T ").count(), 1, "{symbols}");
    let listed = author.sh("rc-sv-loader --list");
    let line = listed.lines().find(|line| line.starts_with("daemon "));
    let line = line.unwrap_or_else(|| panic!("not listed: {listed}"));
    for word in ["usable", "/usr/lib/rc-sv/librc_sv_daemon.so", "restarts"] {
        assert!(line.contains(word), "{line}");
    }
}

#[test]
fn the_module_in_c_compiles_without_a_warning() {
    let author = Author::new();
    author.clone("examples/module-c");
    for compiler in ["gcc", "clang"] {
        for standard in ["gnu11", "gnu17"] {
            author.sh(&format!(
                "make -B -C examples/module-c CC={compiler} \
                 CFLAGS='-std={standard} -O2 -Wall -Wextra -Werror -pedantic'"
            ));
        }
    }
}

#[test]
fn the_module_in_c_keeps_its_promises() {
    let author = Author::new();
    let lab = lab_with_daemon(&author);
    let report = lab
        .sh("rc-sv-loader --verify /usr/lib/rc-sv/librc_sv_daemon.so")
        .ok();
    assert!(report.contains(" keeps its promises: "), "{report}");
    assert!(
        report.contains(" 0 failed, 0 doubtful, 0 not run"),
        "{report}"
    );
}

/// Builds the example with sanitizers, puts their libraries where the lab finds them, and has
/// daemon(1) run without them: it leaks.
const BUILD_CHECKED: &str = r#"
make -B -C examples/module-c install LDFLAGS='-lasan -lubsan' \
	CFLAGS='-g -O1 -fsanitize=address,undefined -fno-sanitize-recover'
for library in asan ubsan; do
	file=$(gcc -print-file-name=lib$library.so)
	name=$(objdump -p "$file" | sed -n 's/.*SONAME *//p')
	install -D -m 644 "$file" "/usr/lib/checked/$name"
done
printf '#!/bin/sh\nunset LD_PRELOAD\nexec /usr/bin/daemon "$@"\n' >/usr/lib/checked/daemon
chmod 755 /usr/lib/checked/daemon"#;

#[test]
fn the_module_in_c_passes_the_sanitizers_and_a_leak_does_not() {
    let author = Author::new();
    author.clone("examples/module-c");
    author.sh(BUILD_CHECKED);
    let verify = |author: &Author| {
        let lab = author.lab();
        let section = "[modules.daemon]\nprogram = \"/usr/lib/checked/daemon\"\n";
        lab.write("/etc/rc-sv.toml", section, 0o644);
        let verify = "rc-sv-loader --verify /usr/lib/rc-sv/librc_sv_daemon.so";
        let checked = "/usr/lib/checked";
        let preload =
            format!("LD_LIBRARY_PATH={checked} LD_PRELOAD=$(echo {checked}/libasan.so.*)");
        lab.sh(&format!("env {preload} {verify}"))
    };
    let report = verify(&author);
    assert!(
        report.stdout.contains(" 0 failed, 0 doubtful, 0 not run"),
        "{report}"
    );
    author.sh("sed -i 's/^\tfree(words);$//' examples/module-c/daemon.c");
    author.sh(BUILD_CHECKED);
    let report = verify(&author);
    assert!(report.stdout.contains(" 1 failed, "), "{report}");
    assert!(
        report.all().contains("ended its host's process"),
        "{report}"
    );
}

#[test]
fn under_daemon_a_service_lives_from_start_to_stop() {
    let author = Author::new();
    let lab = lab_with_daemon(&author);
    service(&lab, "foo", "");
    rc(&lab, "foo", "start").ok();
    let first = runs(&lab, "foo", 1)[0].pid();
    let status = rc(&lab, "foo", "status");
    assert_eq!(status.code(), 0, "{status}");
    assert!(status.all().contains(&format!("pid {first}")), "{status}");

    lab.kill(first, KILL);
    let second = runs(&lab, "foo", 2)[1].pid();
    until("the status of the second run", SOON, || {
        let status = rc(&lab, "foo", "status").all();
        status.contains(&format!("pid {second}")).then_some(())
    });
    // A reload is HUP, of which the probe dies.
    rc(&lab, "foo", "reload").ok();
    let third = runs(&lab, "foo", 3)[2].pid();

    rc(&lab, "foo", "stop").ok();
    assert!(!alive(&lab, third));
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    assert_eq!(lab.sh("ls /run/openrc/rc-sv-daemon").stdout, "");
}

#[test]
fn daemon_gives_a_service_what_it_is_told() {
    let author = Author::new();
    let lab = lab_with_daemon(&author);
    let settings = "command_user=daemon:mail\ndirectory=/var\numask=027\n\
                    output_log=/var/log/foo.log\nrc_supervise_nice=5\n";
    lab.sh("chmod 1777 /var/tmp").ok();
    service(&lab, "foo", settings);
    rc(&lab, "foo", "start").ok();
    let run = runs(&lab, "foo", 1).remove(0);
    assert_eq!(run.argv()[3..], ["--", "a b", "%s"]);
    assert_eq!((run.get("uid"), run.get("gid")), ("1,1,1,1", "8,8,8,8"));
    assert_eq!(run.path("cwd"), Path::new("/var"));
    assert_eq!(
        (run.get("sigign"), run.argv()[0].as_str()),
        ("0000000000000000", PROBE)
    );
    assert_eq!((run.get("umask"), run.get("nice")), ("0027", "5"));
    for (name, value) in [
        ("USER", "daemon"),
        ("LOGNAME", "daemon"),
        ("HOME", "/usr/sbin"),
    ] {
        assert_eq!(run.env(name).as_deref(), Some(value), "{name}");
    }
    rc(&lab, "foo", "stop").ok();
}

#[test]
fn daemon_says_what_it_cannot_do() {
    let author = Author::new();
    let lab = lab_with_daemon(&author);
    let refusals = [
        (
            "foo",
            "respawn_delay=1\n",
            "respawn_delay: daemon(1) has no such thing; unset it",
        ),
        ("foo", "", "cannot execute /etc/passwd: Permission denied"),
        (
            "foo",
            "command_user=nobody-here\n",
            "command_user: there is no user nobody-here",
        ),
        (
            "f+o",
            "",
            "daemon(1) takes letters, digits, dots, dashes and underscores in a name",
        ),
    ];
    for (name, conf, message) in refusals {
        service(&lab, name, conf);
        if message.starts_with("cannot execute") {
            lab.service(name, "command=/etc/passwd");
        }
        let output = rc(&lab, name, "start");
        assert_ne!(output.code(), 0, "{output}");
        let line = format!("rc-sv-loader: {name}: daemon: {message}");
        assert!(output.all().contains(&line), "{line}\n{output}");
    }
    lab.write(
        "/etc/rc-sv.toml",
        "[modules.daemon]\nprogram = \"/nowhere\"\n",
        0o644,
    );
    let listed = lab.sh("rc-sv-loader --describe daemon").all();
    let why = "/nowhere: No such file or directory; install the package daemon";
    assert!(listed.contains(why), "{listed}");
    lab.write("/etc/rc-sv.toml", "[modules.daemon]\natempts = 2\n", 0o644);
    service(&lab, "foo", "");
    let output = rc(&lab, "foo", "start");
    assert_ne!(output.code(), 0, "{output}");
    let line = "foo: daemon: rc-sv.toml: [modules.daemon] atempts is unknown; unset it";
    assert!(output.all().contains(line), "{output}");
}

#[test]
fn daemon_takes_the_numbers_of_its_own_section() {
    let author = Author::new();
    let lab = lab_with_daemon(&author);
    let section = "[modules.daemon]\nacceptable = 1000\nattempts = 2\ndelay = 4000\n";
    lab.write("/etc/rc-sv.toml", section, 0o644);
    service(&lab, "foo", "");
    rc(&lab, "foo", "start").ok();
    for count in 1..3 {
        lab.kill(runs(&lab, "foo", count)[count - 1].pid(), KILL);
    }
    // One attempt at once; before the next it would wait for an hour.
    until("the pause", SOON, || {
        let shown = lab.sh("rc-sv-loader status foo --json").stdout;
        shown.contains("\"waiting\"").then_some(())
    });
    assert_eq!(rc(&lab, "foo", "status").code(), 0);
    rc(&lab, "foo", "stop").ok();
    assert_eq!(runs(&lab, "foo", 2).len(), 2);
}

#[test]
fn a_service_whose_daemon_was_killed_is_named_and_not_doubled() {
    let author = Author::new();
    let lab = lab_with_daemon(&author);
    service(&lab, "foo", "");
    rc(&lab, "foo", "start").ok();
    let run = runs(&lab, "foo", 1).remove(0);
    let (pid, daemon) = (run.pid(), run.number("ppid") as i32);
    lab.kill(daemon, KILL);
    lab.wait_dead(daemon, SOON);
    let why = format!("pid {pid} runs without its daemon(1), which died: kill {pid}");
    for command in ["stop", "restart"] {
        let output = rc(&lab, "foo", command);
        assert_ne!(output.code(), 0, "{output}");
        assert!(output.all().contains(&why), "{output}");
    }
    assert_eq!(rc(&lab, "foo", "status").code(), 32);
    lab.kill(pid, KILL);
    lab.wait_dead(pid, SOON);
    rc(&lab, "foo", "restart").ok();
    assert_eq!(runs(&lab, "foo", 2).len(), 2);
    rc(&lab, "foo", "stop").ok();
}
