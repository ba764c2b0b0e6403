//! Output that goes through loggers: into files, into the system's log, and into programs. Whoever
//! is killed, no line is lost or doubled.

mod internal;
mod openrc;

use std::collections::BTreeMap;
use std::time::Duration;

use internal::{probe, starts, AT_ONCE};
use openrc::{rc, INTERNAL, KILL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;

/// Writes numbered lines, and notes each as soon as it is written. Pauses now and then, so that the
/// machine does not only do this.
const NUMBERS: &str = r#"#!/bin/dash
n=0
echo $$ >>/tmp/pids
while :; do
	n=$((n + 1))
	echo "$$ $n"
	echo $n >>/tmp/sent.$$
	[ $((n % 64)) -ne 0 ] || sleep 0.01
done
"#;

fn numbers(lab: &Lab, conf: &str) {
    lab.write("/usr/local/bin/numbers", NUMBERS, 0o755);
    lab.service("numbers", "command=/usr/local/bin/numbers\n");
    let conf = format!("{INTERNAL}{AT_ONCE}respawn_max=0\n{conf}\n");
    lab.conf("numbers", &conf);
}

fn pids(lab: &Lab, pattern: &str) -> Vec<i32> {
    let found = lab.sh(&format!("pgrep -f '{pattern}'")).stdout;
    found.lines().filter_map(|line| line.parse().ok()).collect()
}

/// The logger of a service.
fn logger(lab: &Lab, service: &str) -> i32 {
    let pattern = format!("^[^ ]*rc-sv-logger /run/openrc {service} output");
    until("a logger", SOON, || pids(lab, &pattern).first().copied())
}

/// The daemon that has this number, and has written something.
fn daemon(lab: &Lab, nth: usize) -> i32 {
    let pid = lab.wait_for_lines("/tmp/pids", nth, SOON)[nth - 1]
        .parse()
        .expect("a pid");
    lab.wait_for_lines(format!("/tmp/sent.{pid}"), 50, SOON);
    pid
}

/// Stops the service, and waits until its output has arrived. There must be a logger for that: one
/// that was killed is not begun again at once.
fn stop(lab: &Lab, service: &str) {
    logger(lab, service);
    rc(lab, service, "stop").ok();
    until("the end of the logger", SOON, || {
        let pattern = format!("^[^ ]*rc-sv-logger /run/openrc {service} ");
        pids(lab, &pattern).is_empty().then_some(())
    });
}

/// Looks at the numbers of each daemon: all, once, in order.
fn complete(lab: &Lab, text: &str) {
    let mut last: BTreeMap<i32, u64> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split(' ').rev();
        let mut next = || words.next().expect("two words");
        let number: u64 = next().parse().expect(line);
        let pid: i32 = next().parse().expect(line);
        let before = last.insert(pid, number).unwrap_or(0);
        assert_eq!(number, before + 1, "{line}");
    }
    let pids = lab.text("/tmp/pids");
    for pid in pids.lines() {
        let sent = lab.text(format!("/tmp/sent.{pid}"));
        let sent: u64 = sent.lines().last().expect("a number").parse().expect(pid);
        let logged = last[&pid.parse().expect("a pid")];
        // What was killed in between had no time to note the last one.
        assert!(
            logged == sent || logged == sent + 1,
            "{pid}: {logged} {sent}"
        );
    }
}

/// Kills the daemon and others in turn, `rounds` times.
fn kill_in_turn(lab: &Lab, rounds: usize, other: impl Fn() -> i32) {
    let mut nth = 1;
    for round in 0..rounds {
        let pid = daemon(lab, nth);
        let other = other();
        lab.kill(other, KILL);
        if round % 2 == 0 {
            lab.kill(pid, KILL);
            nth += 1;
        } else {
            let sent = format!("/tmp/sent.{pid}");
            let count = lab.text(&sent).lines().count();
            lab.wait_for_lines(&sent, count + 50 + round * 7, SOON);
        }
        // It must not be found again.
        lab.wait_dead(other, SOON);
    }
}

#[test]
fn no_line_is_lost_or_doubled_whoever_is_killed() {
    let lab = Lab::new();
    let conf = "output_log=/var/log/numbers\nrc_supervise_log_timestamp=yes\n\
                rc_supervise_log_max_size=16K\nrc_supervise_log_keep=900";
    numbers(&lab, conf);
    rc(&lab, "numbers", "start").ok();
    kill_in_turn(&lab, 12, || logger(&lab, "numbers"));
    stop(&lab, "numbers");
    let all = lab.sh("cat $(ls /var/log/numbers.* | sort -t . -k 2 -n -r) /var/log/numbers");
    let all = all.ok();
    complete(&lab, &all);
    assert!(
        all.lines().all(|line| line.as_bytes()[26] == b'Z'),
        "stamps"
    );
    let sizes = lab.sh("stat -c '%s %a %U' /var/log/numbers*").ok();
    assert!(sizes.lines().count() > 2, "{sizes}");
    for line in sizes.lines() {
        let (size, rest) = line.split_once(' ').expect("two words");
        assert!(size.parse::<u32>().expect("a size") <= 16 << 10, "{sizes}");
        assert_eq!(rest, "600 root");
    }
}

#[test]
fn a_logger_program_and_its_logger_may_die() {
    let lab = Lab::new();
    lab.write(
        "/usr/local/bin/sink",
        "#!/bin/sh\nexec cat >>/var/log/sink\n",
        0o755,
    );
    numbers(&lab, "output_logger=/usr/local/bin/sink");
    rc(&lab, "numbers", "start").ok();
    kill_in_turn(&lab, 10, || logger(&lab, "numbers"));
    stop(&lab, "numbers");
    until("the end of the program", SOON, || {
        pids(&lab, "^cat$").is_empty().then_some(())
    });
    complete(&lab, &lab.text("/var/log/sink"));

    // What a program that is killed has read is its own affair; the others go on.
    rc(&lab, "numbers", "start").ok();
    let program = until("a program", SOON, || pids(&lab, "^cat$").first().copied());
    lab.kill(program, KILL);
    let size = lab.text("/var/log/sink").lines().count();
    lab.wait_for_lines("/var/log/sink", size + 1_000, SOON);
    stop(&lab, "numbers");
}

#[test]
fn the_system_log_gets_every_line_and_holds_nobody_up() {
    let lab = Lab::new();
    lab.write(
        "/usr/local/bin/talk",
        "#!/bin/sh\nfor n in $(seq 1 200); do echo line $n; done\necho bad >&2\nexec sleep 4242\n",
        0o755,
    );
    lab.service("talk", "command=/usr/local/bin/talk\n");
    lab.conf(
        "talk",
        &format!("{INTERNAL}rc_supervise_syslog=local3.notice\n"),
    );
    let _socat =
        lab.spawn("socat -u UNIX-RECV:/dev/log,unlink-early OPEN:/tmp/syslog,creat,append");
    until("/dev/log", SOON, || lab.exists("/dev/log").then_some(()));
    rc(&lab, "talk", "start").ok();
    let said = |text: &[u8]| {
        let text = String::from_utf8_lossy(text).into_owned();
        text.contains("talk: bad").then_some(text)
    };
    let text = until("the last line", SOON, || {
        said(&lab.try_read("/tmp/syslog").unwrap_or_default())
    });
    for n in 1..=200 {
        let line = format!("<157>talk: line {n}<");
        assert_eq!(text.matches(&line).count(), 1, "{line}");
    }
    stop(&lab, "talk");

    // Without anybody who reads.
    lab.sh("pkill socat; rm -f /dev/log");
    lab.conf("numbers", "");
    numbers(&lab, "rc_supervise_syslog=daemon.info");
    rc(&lab, "numbers", "start").ok();
    let pid = daemon(&lab, 1);
    // Far more than all pipes and the spool hold.
    lab.wait_for_lines(format!("/tmp/sent.{pid}"), 60_000, SOON * 6);
    stop(&lab, "numbers");
}

#[test]
fn a_full_disk_loses_lines_and_says_how_many() {
    let lab = Lab::new();
    lab.sh("mkdir /var/small && mount -t tmpfs -o size=64k x /var/small")
        .ok();
    numbers(
        &lab,
        "output_log=/var/small/log\nrc_supervise_log_timestamp=yes",
    );
    rc(&lab, "numbers", "start").ok();
    let pid = daemon(&lab, 1);
    lab.wait_for_lines(format!("/tmp/sent.{pid}"), 60_000, SOON * 6);
    lab.sh("mount -o remount,size=64m /var/small").ok();
    lab.wait_for_file(
        "/var/small/log",
        |bytes| String::from_utf8_lossy(bytes).contains("lines lost"),
        SOON,
    );
    stop(&lab, "numbers");
    // Only now is the last line written to its end.
    let text = lab.text("/var/small/log");
    let whole = |line: &str| line.as_bytes().get(26) == Some(&b'Z');
    assert!(text.lines().all(whole), "a line is cut");
}

#[test]
fn a_file_that_is_gone_is_made_again() {
    let lab = Lab::new();
    numbers(
        &lab,
        "output_log=/var/log/numbers\nrc_supervise_log_rate=1000000",
    );
    rc(&lab, "numbers", "start").ok();
    lab.wait_for_lines("/var/log/numbers", 100, SOON);
    lab.sh("mv /var/log/numbers /var/log/away").ok();
    lab.wait_for_lines("/var/log/numbers", 100, SOON);
    stop(&lab, "numbers");
    let all = lab.sh("cat /var/log/away /var/log/numbers").ok();
    complete(&lab, &all);
}

#[test]
fn a_link_is_not_followed() {
    let lab = Lab::new();
    lab.sh("mkdir /var/log/of && ln -s /tmp/elsewhere /var/log/of/numbers && touch /tmp/elsewhere")
        .ok();
    numbers(
        &lab,
        "output_log=/var/log/of/numbers\nrc_supervise_log_timestamp=yes",
    );
    rc(&lab, "numbers", "start").ok();
    let pid = daemon(&lab, 1);
    lab.wait_for_lines(format!("/tmp/sent.{pid}"), 2_000, SOON);
    lab.sh("rm /var/log/of/numbers").ok();
    lab.wait_for_lines("/var/log/of/numbers", 10, SOON);
    stop(&lab, "numbers");
    assert_eq!(lab.text("/tmp/elsewhere"), "");
}

#[test]
fn a_flood_costs_the_supervisor_nothing() {
    let lab = Lab::new();
    lab.service("flood", "command=/usr/bin/yes\n");
    let conf = "output_log=/var/log/flood\nrc_supervise_log_max_size=1M\nrc_supervise_log_keep=1";
    lab.conf("flood", &format!("{INTERNAL}{conf}\n"));
    probe(&lab, "quiet", "", "");
    rc(&lab, "flood", "start").ok();
    lab.wait_for_file("/var/log/flood.1", |_| true, SOON);
    let supervisor = internal::supervisor(&lab);
    let before = lab.used(supervisor);
    rc(&lab, "quiet", "start").ok();
    starts(&lab, "quiet", 1);
    let inode = || lab.sh("stat -c %i /var/log/flood").stdout;
    for _ in 0..5 {
        let now = inode();
        until("a new file", SOON, || (inode() != now).then_some(()));
    }
    let spent = lab.used(supervisor) - before;
    assert!(spent < Duration::from_millis(300), "{spent:?}");
    stop(&lab, "flood");
    let files = lab.sh("ls /var/log | grep -c flood").ok();
    assert_eq!(files.trim(), "2");
}

#[test]
fn errors_have_a_logger_of_their_own() {
    let lab = Lab::new();
    for name in ["out", "err"] {
        let sink = format!("#!/bin/sh\nexec cat >>/var/log/{name}\n");
        lab.write(format!("/usr/local/bin/{name}"), &sink, 0o755);
    }
    let script = "#!/bin/sh\necho one\necho two >&2\nexec sleep 4242\n";
    lab.write("/usr/local/bin/both", script, 0o755);
    lab.service("both", "command=/usr/local/bin/both\n");
    let conf = "output_logger=/usr/local/bin/out\nerror_logger=/usr/local/bin/err";
    lab.conf("both", &format!("{INTERNAL}{conf}\n"));
    rc(&lab, "both", "start").ok();
    assert_eq!(lab.wait_for_lines("/var/log/out", 1, SOON), ["one"]);
    assert_eq!(lab.wait_for_lines("/var/log/err", 1, SOON), ["two"]);
    rc(&lab, "both", "stop").ok();
}
