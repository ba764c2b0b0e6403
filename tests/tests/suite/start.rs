//! Starts that cannot succeed, and what a daemon finds when one does.

use super::openrc::{rc, spawn_count, KILL, SOON};
use super::{start_count, starts, status, Suite};
use rc_sv_tests::lab::until;

/// The one line that says why.
#[track_caller]
fn refused(lab: &rc_sv_tests::Lab, service: &str, words: &str) {
    let output = rc(lab, service, "start");
    assert_eq!(output.code(), 1, "{words}: {output}");
    let said = output.all();
    let ours: Vec<&str> = said
        .lines()
        .filter(|line| line.contains(&format!(" {service}: ")))
        .collect();
    assert_eq!(ours.len(), 1, "{words}: {output}");
    assert!(ours[0].contains(words), "{words}: {output}");
}

/// What cannot be executed fails in words, and leaves nothing.
pub fn what_cannot_be_executed_fails_in_words(suite: &Suite) {
    let lab = suite.lab();
    let good = "command=/usr/local/bin/recorder\ncommand_args=/tmp/foo";
    let cases = [
        ("command=/nonexistent/x", "", "No such file or directory"),
        ("command=/etc/passwd", "", "Permission denied"),
        (good, "command_user=nosuch", "nosuch"),
        (good, "directory=/nonexistent", "No such file or directory"),
    ];
    for (script, conf, words) in cases {
        lab.service("foo", script);
        lab.conf(
            "foo",
            &format!("rc_supervise_module={}\n{conf}\n", suite.module),
        );
        refused(&lab, "foo", words);
        assert_eq!(rc(&lab, "foo", "status").code(), 3, "{script} {conf}");
        assert_eq!(spawn_count(&lab, "foo"), 0, "{script} {conf}");
        suite.assert_nothing_left(&lab);
    }
}

/// What is not done is refused.
pub fn what_is_not_done_is_refused(suite: &Suite) {
    let lab = suite.lab();
    suite.probe(&lab, "foo", "", "rc_supervise_operators=daemon");
    refused(&lab, "foo", "rc_supervise_operators");
    let said = rc(&lab, "foo", "start").all();
    assert!(said.contains("does not do this in this version"), "{said}");
    assert_eq!(start_count(&lab, "foo"), 0);
    // There is one pipe from a service to its logger.
    suite.probe(&lab, "foo", "", "output_logger=cat\nerror_logger=tac");
    refused(&lab, "foo", "a suite has one pipe");
    suite.assert_nothing_left(&lab);
}

/// Every byte of every argument arrives, after a respawn too.
pub fn hostile_arguments_arrive(suite: &Suite) {
    let lab = suite.lab();
    let words: [&[u8]; 14] = [
        b"",
        b" ",
        b"a b",
        b"say \"hi\"",
        b"it's",
        b"$1 ${1} $(id) `id`",
        b"back\\slash\\n",
        b"line\nline",
        b"\ttab",
        b"-- --",
        b"\xff\xfe",
        b"*?[a]",
        b"#;&|<>",
        b"x=1",
    ];
    let quoted = words.map(|word| {
        let mut octal = Vec::new();
        for byte in word {
            octal.extend(format!("\\{byte:03o}").bytes());
        }
        octal
    });
    // As a shell would be asked for these very bytes.
    let mut script = b"command=/usr/local/bin/recorder\ncommand_args='/tmp/foo".to_vec();
    for octal in &quoted {
        script.extend(b" \"$(printf \"");
        script.extend(octal);
        script.extend(b"\"x)\"");
    }
    script.extend(b"'\n");
    let text = String::from_utf8(script).expect("ASCII");
    // A command substitution loses newlines at the end, hence the x.
    lab.service("foo", &text.replace("\"x)\"", "x\")\""));
    lab.conf("foo", &format!("rc_supervise_module={}\n", suite.module));
    rc(&lab, "foo", "start").ok();
    let arrived = super::openrc::recorded_args(&lab, "foo", 1);
    let expected: Vec<Vec<u8>> = words.iter().map(|word| [*word, b"x"].concat()).collect();
    assert_eq!(arrived, expected);
    let pid = super::openrc::spawns(&lab, "foo", 1)[0];
    lab.kill(pid, KILL);
    assert_eq!(super::openrc::recorded_args(&lab, "foo", 2), expected);
}

/// A scanner that is absent is named, with what to run.
pub fn without_a_scanner(suite: &Suite) {
    let lab = suite.lab_without_scanner();
    suite.probe(&lab, "foo", "", "");
    let output = lab
        .run([
            "rc-sv-loader",
            "start",
            "foo",
            "--module",
            suite.module,
            "--",
            "/bin/true",
        ])
        .output();
    assert_eq!(output.code(), 1, "{output}");
    let expected = format!(
        "{} does not run: rc-service {} start",
        suite.scanner, suite.service
    );
    assert!(output.all().contains(&expected), "{output}");
    // OpenRC starts it: the service needs it.
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 1);
    // A scanner of another directory is used when it is configured.
    lab.sh("mkdir -p /srv/scan").ok();
    let begin = match suite.scanner {
        "runsvdir" => "exec runsvdir -P /srv/scan",
        other => &format!("exec {other} /srv/scan"),
    };
    let _scanner = lab.spawn(begin);
    lab.write(
        "/etc/rc-sv.toml",
        format!("[modules.{}]\nscandir = \"/srv/scan\"\n", suite.module),
        0o644,
    );
    suite.probe(&lab, "bar", "", "");
    super::openrc::rc(&lab, "bar", "start").ok();
    starts(&lab, "bar", 1);
    assert!(lab
        .sh("readlink /srv/scan/bar")
        .ok()
        .contains("/rc-sv/.servicedir/"));
    // What was started elsewhere is stopped there, whatever is configured by now.
    for service in ["foo", "bar"] {
        rc(&lab, service, "stop").ok();
    }
    assert_eq!(lab.sh("ls /srv/scan").ok(), "");
    suite.assert_nothing_left(&lab);
}

/// What has the service's name in the scan directory is left alone.
pub fn a_name_that_is_taken(suite: &Suite) {
    let lab = suite.lab();
    lab.sh(&format!(
        "mkdir /srv/other; ln -s /srv/other {}/foo",
        suite.scan_dir
    ))
    .ok();
    suite.probe(&lab, "foo", "", "");
    refused(&lab, "foo", "is something else");
    assert_eq!(
        lab.sh(&format!("readlink {}/foo", suite.scan_dir))
            .ok()
            .trim(),
        "/srv/other"
    );
    assert!(status(&lab, "foo").contains("no module has started it"));
}

/// No program of the suite is executed by ours: not for anything that can be asked for, and not
/// under its supervisor.
pub fn no_tool_is_executed(suite: &Suite) {
    let lab = suite.lab();
    let conf = "respawn_delay=0\nrespawn_max=2\nrc_supervise_finish=/bin/true";
    suite.probe(&lab, "foo", "--ignore HUP", conf);
    let scanner = lab.pids(suite.scanner)[0];
    let under = lab.spawn(&format!(
        "exec strace -f -qq -e trace=execve -o /tmp/trace.scanner -p {scanner}"
    ));
    until("strace", SOON, || {
        let status = lab.text(format!("/proc/{scanner}/status"));
        let is_traced = |line: &str| line.starts_with("TracerPid:") && !line.ends_with("\t0");
        status.lines().any(is_traced).then_some(())
    });
    // How often it has been started after each.
    let commands = [
        ("rc-service foo start", 1),
        ("rc-service foo status", 1),
        ("rc-service foo reload", 1),
        ("rc-service foo restart", 2),
        ("rc-service foo stop", 2),
        ("rc-service foo start", 3),
        ("rc-sv-loader status foo", 3),
        ("rc-sv-loader status", 3),
        ("rc-sv-loader --list", 3),
        ("rc-sv-loader signal foo HUP", 3),
        ("rc-sv-loader restart foo", 4),
        ("rc-sv-loader stop foo", 4),
    ];
    let programs: String = commands
        .iter()
        .map(|(command, count)| {
            let trace = format!("strace -f -qq -e trace=execve -o /tmp/trace {command}");
            let run = lab.run(["/bin/sh", "-c", &trace]);
            run.timeout(2 * SOON).output().ok();
            // What would end it may come from here on.
            assert_eq!(starts(&lab, "foo", *count).len(), *count, "{command}");
            lab.text("/tmp/trace")
        })
        .collect();
    let above = executed(&programs);
    assert!(above.contains(&"rc-sv-loader"), "{above:?}");

    // Until it is given up, with what clears it up each time.
    suite.probe(&lab, "foo", "--exit 7", conf);
    // OpenRC does not know that it was stopped.
    rc(&lab, "foo", "zap").ok();
    rc(&lab, "foo", "start").ok();
    super::until_status(&lab, "foo", "gave up");
    // OpenRC may have been told by now that it is down, and would do nothing.
    lab.sh("rc-sv-loader stop foo").ok();
    // What it traces has ended then, so that it ends too.
    lab.kill(scanner, KILL);
    under.wait(SOON);
    let beneath = lab.text("/tmp/trace.scanner");
    let beneath = executed(&beneath);
    assert!(beneath.contains(&"true"), "{beneath:?}");

    let lists = "for package in s6 runit daemontools execline; do \
                 cat /var/lib/dpkg/info/$package.list; done 2>/dev/null";
    let tools = lab.sh(lists).all();
    let is_program = |path: &&str| path.contains("/bin/") || path.contains("/sbin/");
    let tools: Vec<&str> = tools.lines().filter(is_program).map(file_name).collect();
    assert!(tools.len() > 20, "{tools:?}");
    let bad = |name: &&&str| tools.contains(*name);
    assert_eq!(above.iter().filter(bad).collect::<Vec<_>>(), [&""; 0]);
    // The scanner begins supervisors, and nothing else of the suite runs there.
    let bad = |name: &&&str| tools.contains(*name) && **name != suite.supervisor;
    assert_eq!(beneath.iter().filter(bad).collect::<Vec<_>>(), [&""; 0]);
}

/// The names of the programs in a trace.
fn executed(trace: &str) -> Vec<&str> {
    let paths = trace
        .lines()
        .filter_map(|line| line.split_once("execve(\"")?.1.split('"').next());
    paths.map(file_name).collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// A start comes back when the program said that it is ready, and fails when it does not.
pub fn a_program_says_that_it_is_ready(suite: &Suite) {
    let lab = suite.lab();
    // Says so when there is a file, by its descriptor 7 or to the socket.
    let wait = "until [ -e /tmp/go ]; do sleep 0.05; done\n";
    let line = format!("#!/bin/sh\n{wait}echo >&7\nexec sleep 4242\n");
    // The main process itself: of a short-lived child nobody can tell whose it was.
    let socket = "#!/usr/bin/perl\nuse Socket;\n\
                  select undef, undef, undef, 0.05 until -e '/tmp/go';\n\
                  socket my $socket, PF_UNIX, SOCK_DGRAM, 0 or die;\n\
                  send $socket, 'READY=1', 0, sockaddr_un $ENV{NOTIFY_SOCKET} or die;\n\
                  sleep 4242;\n";
    lab.write("/srv/line", line, 0o755);
    lab.write("/srv/socket", socket, 0o755);
    let conf = |notify: &str, more: &str| {
        let module = suite.module;
        lab.conf(
            "foo",
            &format!("rc_supervise_module={module}\nnotify={notify}\n{more}\n"),
        );
    };
    for (program, notify) in [("/srv/line", "fd:7"), ("/srv/socket", "socket:ready")] {
        lab.service("foo", &format!("command={program}"));
        conf(notify, "timeout_ready=30000");
        let start = lab.spawn("rc-service foo start");
        super::until_status(&lab, "foo", "starting");
        lab.write("/tmp/go", "", 0o644);
        start.wait(SOON).ok();
        let said = status(&lab, "foo");
        assert!(said.contains(" up "), "{said}");
        rc(&lab, "foo", "stop").ok();
        lab.sh("rm /tmp/go").ok();
        suite.assert_nothing_left(&lab);

        conf(notify, "timeout_ready=300");
        refused(&lab, "foo", "ready");
        suite.assert_nothing_left(&lab);
        lab.service("foo", "command=/bin/false");
        conf(notify, "respawn_delay=30");
        refused(&lab, "foo", "before it was ready");
        suite.assert_nothing_left(&lab);
    }
}
