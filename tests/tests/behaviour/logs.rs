//! What becomes of output that goes through a logger.

use super::{Scene, AT_ONCE};
use crate::suite::openrc::{KILL, SOON};
use rc_sv_tests::lab::until;
use std::collections::BTreeMap;

/// Counts, says each number with its own, and notes what it has said.
const NUMBERS: &str = r#"#!/bin/sh
echo $$ >>/tmp/pids
n=0
while :; do
	n=$((n + 1))
	echo "$$ $n"
	echo $n >>/tmp/sent.$$
	[ $((n % 64)) -ne 0 ] || sleep 0.01
done
"#;

fn numbers(scene: &Scene, conf: &str) {
    scene.lab.write("/usr/local/bin/numbers", NUMBERS, 0o755);
    let script = "command=/usr/local/bin/numbers\n";
    scene.lab.service("numbers", script);
    scene.conf("numbers", &format!("{AT_ONCE}respawn_max=0\n{conf}\n"));
    scene.rc("numbers", "start").ok();
}

/// The loggers: by the program that they are, as they have several names.
fn loggers(scene: &Scene) -> Vec<i32> {
    let look = "for exe in /proc/[0-9]*/exe; do case $(readlink $exe) in */rc-sv-logger) \
                expr $exe : '/proc/\\([0-9]*\\)';; esac; done; :";
    let found = scene.lab.sh(look).ok();
    found.lines().filter_map(|pid| pid.parse().ok()).collect()
}

/// The daemon that has this number, and has written something.
fn daemon(scene: &Scene, nth: usize) -> i32 {
    let pid = scene.lab.wait_for_lines("/tmp/pids", nth, 2 * SOON)[nth - 1]
        .parse()
        .expect("a pid");
    scene
        .lab
        .wait_for_lines(format!("/tmp/sent.{pid}"), 50, SOON);
    pid
}

/// Stops the service, and waits until its output has arrived. Nothing is left.
fn stop(scene: &Scene) {
    scene.rc("numbers", "stop").ok();
    until("the end of the loggers", SOON, || {
        let is_read = ["sink", "cat"].map(|name| scene.lab.pids(name).is_empty());
        (loggers(scene).is_empty() && is_read == [true; 2]).then_some(())
    });
    // A scanner takes away zombies when it looks the next time.
    let find = "ps -e -o stat=,comm= | grep -v ^Z | grep -E ' (s6-supervise|runsv|supervise)$'; \
                find /run/openrc/rc-sv/.servicedir -mindepth 2 2>/dev/null; :";
    until("the end of their supervisors", SOON, || {
        scene.lab.sh(find).ok().is_empty().then_some(())
    });
}

/// Looks at the numbers of each daemon: all, once, in order.
fn complete(scene: &Scene, text: &str) {
    let mut last: BTreeMap<i32, u64> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split(' ').rev();
        let mut next = || words.next().expect("two words");
        let number: u64 = next().parse().expect(line);
        let pid: i32 = next().parse().expect(line);
        let before = last.insert(pid, number).unwrap_or(0);
        assert_eq!(number, before + 1, "{line}");
    }
    let pids = scene.lab.text("/tmp/pids");
    for pid in pids.lines() {
        let sent = scene.lab.text(format!("/tmp/sent.{pid}"));
        let sent: u64 = sent.lines().last().expect("a number").parse().expect(pid);
        let logged = last[&pid.parse().expect("a pid")];
        // What was killed in between had no time to note the last one.
        assert!(
            logged == sent || logged == sent + 1,
            "{pid}: {logged} {sent}"
        );
    }
}

pub fn files_are_exchanged_and_nothing_is_lost(scene: &Scene) {
    let lab = &scene.lab;
    numbers(
        scene,
        "output_log=/var/log/numbers\nrc_supervise_log_timestamp=yes\n\
         rc_supervise_log_max_size=16K\nrc_supervise_log_keep=900",
    );
    for nth in 1..4 {
        let pid = daemon(scene, nth);
        let logger = until("a logger", SOON, || loggers(scene).first().copied());
        lab.kill(logger, KILL);
        lab.kill(pid, KILL);
        // It must not be found again.
        lab.wait_dead(logger, SOON);
    }
    daemon(scene, 4);
    lab.wait_for_file("/var/log/numbers.2", |_| true, SOON);
    until("a logger", SOON, || loggers(scene).first().copied());
    stop(scene);
    let all = lab.sh("cat $(ls /var/log/numbers.* | sort -t . -k 2 -n -r) /var/log/numbers");
    let all = all.ok();
    complete(scene, &all);
    let is_stamped = |line: &str| line.as_bytes().get(26) == Some(&b'Z');
    assert!(all.lines().all(is_stamped), "stamps");
    let sizes = lab.sh("stat -c '%s %a %U' /var/log/numbers*").ok();
    assert!(sizes.lines().count() > 2, "{sizes}");
    for line in sizes.lines() {
        let (size, rest) = line.split_once(' ').expect("two words");
        assert!(size.parse::<u32>().expect("a size") <= 16 << 10, "{sizes}");
        assert_eq!(rest, "600 root");
    }
    // With other settings it is another logger: no more stamps, and one old file.
    lab.sh("rm /var/log/numbers* /tmp/pids").ok();
    numbers(
        scene,
        "output_log=/var/log/numbers\nrc_supervise_log_max_size=16K\nrc_supervise_log_keep=1",
    );
    lab.wait_for_file("/var/log/numbers.1", |_| true, SOON);
    stop(scene);
    let files = lab.sh("ls /var/log | grep -c numbers").ok();
    assert_eq!(files.trim(), "2");
    let text = lab.text("/var/log/numbers.1");
    assert!(!text.lines().any(is_stamped), "stamps");
}

pub fn a_program_reads_what_there_is(scene: &Scene) {
    let lab = &scene.lab;
    let sink = "#!/bin/sh\necho $(id -un) >>/tmp/sinks\nexec cat >>/var/log/sink\n";
    lab.write("/usr/local/bin/sink", sink, 0o755);
    numbers(scene, "output_logger=/usr/local/bin/sink");
    lab.kill(daemon(scene, 1), KILL);
    daemon(scene, 2);
    stop(scene);
    complete(scene, &lab.text("/var/log/sink"));
    assert_eq!(lab.text("/tmp/sinks"), "root\n");
    // What a program that is killed has read is its own affair; another one goes on.
    lab.sh("rm /tmp/pids /tmp/sent.*").ok();
    scene.rc("numbers", "start").ok();
    let size = lab.wait_for_lines("/var/log/sink", 1, SOON).len();
    lab.wait_for_lines("/var/log/sink", size + 1_000, SOON);
    lab.sh("pkill -x cat").ok();
    let size = lab.text("/var/log/sink").lines().count();
    lab.wait_for_lines("/var/log/sink", size + 1_000, SOON);
    stop(scene);
}

pub fn errors_alone_have_a_logger(scene: &Scene) {
    let lab = &scene.lab;
    lab.write(
        "/usr/local/bin/err",
        "#!/bin/sh\nexec cat >>/var/log/err\n",
        0o755,
    );
    let script = "#!/bin/sh\necho one\necho two >&2\nexec sleep 4242\n";
    lab.write("/usr/local/bin/both", script, 0o755);
    lab.service("both", "command=/usr/local/bin/both\n");
    scene.conf(
        "both",
        "error_logger=/usr/local/bin/err\noutput_log=/var/log/out",
    );
    scene.rc("both", "start").ok();
    assert_eq!(lab.wait_for_lines("/var/log/err", 1, SOON), ["two"]);
    assert_eq!(lab.wait_for_lines("/var/log/out", 1, SOON), ["one"]);
    scene.rc("both", "stop").ok();
}

pub fn the_system_log_gets_every_line(scene: &Scene) {
    let lab = &scene.lab;
    lab.write(
        "/usr/local/bin/talk",
        "#!/bin/sh\nfor n in $(seq 1 200); do echo line $n; done\necho bad >&2\nexec sleep 4242\n",
        0o755,
    );
    lab.service("talk", "command=/usr/local/bin/talk\n");
    scene.conf("talk", "rc_supervise_syslog=local3.notice\n");
    let _socat =
        lab.spawn("socat -u UNIX-RECV:/dev/log,unlink-early OPEN:/tmp/syslog,creat,append");
    until("/dev/log", SOON, || lab.exists("/dev/log").then_some(()));
    scene.rc("talk", "start").ok();
    let text = until("the last line", SOON, || {
        let text = lab.try_read("/tmp/syslog").unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.contains("talk: bad").then_some(text)
    });
    for n in 1..=200 {
        let line = format!("<157>talk: line {n}<");
        assert_eq!(text.matches(&line).count(), 1, "{line}");
    }
    scene.rc("talk", "stop").ok();
    until("the end of the loggers", SOON, || {
        loggers(scene).is_empty().then_some(())
    });
}

pub fn too_many_lines_are_left_out(scene: &Scene) {
    let lab = &scene.lab;
    let script = "#!/bin/sh\nseq 1 5000\n\
                  until [ -s /var/log/much ]; do sleep 0.1; done\nsleep 2\necho last\nexec sleep 4242\n";
    lab.write("/usr/local/bin/much", script, 0o755);
    lab.service("much", "command=/usr/local/bin/much\n");
    scene.conf(
        "much",
        "output_log=/var/log/much\nrc_supervise_log_rate=100\nrc_supervise_log_max_age=1s\n",
    );
    scene.rc("much", "start").ok();
    let is_there = |text: &[u8]| text.ends_with(b"last\n");
    lab.wait_for_file("/var/log/much", is_there, SOON);
    // Older than a second, it was exchanged.
    assert!(lab.exists("/var/log/much.1"));
    let all = lab.sh("cat /var/log/much*").ok();
    let lines = all.lines().count();
    assert!((100..2_000).contains(&lines), "{lines}");
    assert!(
        all.contains("lines left out: more than 100 in a second"),
        "{all}"
    );
    scene.rc("much", "stop").ok();
}

pub fn the_last_lines_say_why_it_died(scene: &Scene) {
    let lab = &scene.lab;
    for name in ["hook", "tell", "clear"] {
        let note = format!("#!/bin/sh\nprintf %s \"$SERVICE_OUTPUT\" >/tmp/{name}\n");
        lab.write(format!("/usr/local/bin/{name}"), &note, 0o755);
    }
    let conf = format!(
        "{AT_ONCE}respawn_max=1\nrc_supervise_log_buffer=8K\n\
         rc_supervise_finish=/usr/local/bin/clear\nrc_supervise_alert=/usr/local/bin/tell\n\
         rc_supervise_on_give_up=/usr/local/bin/hook"
    );
    let args = "--stdout begin --stderr 'no such table' --exit 3 --after 20";
    scene.service("dies", args, &conf);
    scene.rc("dies", "start");
    scene.until_failed("dies");
    for name in ["hook", "tell", "clear"] {
        let found = lab.wait_for_file(format!("/tmp/{name}"), |text| !text.is_empty(), SOON);
        let found = String::from_utf8_lossy(&found).into_owned();
        assert!(found.ends_with("begin\nno such table"), "{name}: {found}");
    }
    scene.until_json("dies", "the last output", |json| {
        let said = json["last_output"].as_str();
        said.is_some_and(|said| said.ends_with("begin\nno such table"))
    });
    scene.until_status("dies", "its last output:");
    scene.until_status("dies", "  no such table");
    // Where nothing keeps it there is nothing to be told.
    lab.sh("rm /tmp/hook").ok();
    let conf = conf.replace("rc_supervise_log_buffer=8K\n", "");
    scene.service("quiet", args, &conf);
    scene.rc("quiet", "start");
    scene.until_failed("quiet");
    assert_eq!(lab.wait_for_file("/tmp/hook", |_| true, SOON), b"");
}
