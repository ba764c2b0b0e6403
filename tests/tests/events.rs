//! `rc-sv-loader events`: who follows, until when, and what he is told.

mod internal;
mod openrc;

use internal::{probe, until_failed, AT_ONCE};
use openrc::{rc, KILL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Job, Lab};
use serde_json::Value;

const INTERRUPT: i32 = 2;

/// Somebody who follows everything and writes to `path`. He has begun when this returns.
fn follower<'a>(lab: &'a Lab, path: &str) -> Job<'a> {
    let command = format!("echo $$ >{path}.pid; exec rc-sv-loader events --follow --json >{path}");
    let job = lab.spawn(&command);
    until("somebody who follows", SOON, || {
        rc(lab, "mark", "restart").ok();
        let text = lab.try_read(path).unwrap_or_default();
        (!text.is_empty()).then_some(())
    });
    job
}

fn marked() -> Lab {
    let lab = Lab::new();
    probe(&lab, "mark", "", AT_ONCE);
    rc(&lab, "mark", "start").ok();
    lab
}

fn objects(lab: &Lab, path: &str) -> Vec<Value> {
    let text = lab.text(path);
    // The last line may be there by half.
    let text = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|it| panic!("{it}: {line}"));
    text.lines().map(parse).collect()
}

/// Waits for an event, by a part of its object.
fn until_told(lab: &Lab, path: &str, words: &str) {
    let is_told = |text: &[u8]| String::from_utf8_lossy(text).contains(words);
    lab.wait_for_file(path, is_told, SOON);
}

#[test]
fn two_who_follow_see_the_same_numbers_without_a_gap() {
    let lab = marked();
    let jobs = ["/tmp/a", "/tmp/b"].map(|path| follower(&lab, path));
    probe(
        &lab,
        "foo",
        "--exit 3",
        &format!("{AT_ONCE}respawn_max=30\n"),
    );
    rc(&lab, "foo", "start").ok();
    until_failed(&lab, "foo");
    let told = ["/tmp/a", "/tmp/b"].map(|path| {
        until_told(&lab, path, "\"event\":\"gave-up\"");
        let all = objects(&lab, path);
        let first = all
            .iter()
            .position(|it| it["service"] == "foo")
            .expect("an event");
        // What comes later one of them may have already, and the other one not yet.
        let last = all.iter().rposition(|it| it["event"] == "gave-up");
        all[first..=last.expect("a give-up")].to_vec()
    });
    assert_eq!(told[0], told[1]);
    let numbers: Vec<u64> = told[0]
        .iter()
        .map(|it| it["seq"].as_u64().expect("a number"))
        .collect();
    assert!(numbers.len() > 60, "{numbers:?}");
    let gap = numbers.windows(2).find(|pair| pair[1] != pair[0] + 1);
    assert_eq!(gap, None, "{numbers:?}");
    assert!(told[0].iter().all(|it| it["lost"] == 0));
    drop(jobs);
}

#[test]
fn it_ends_with_its_reader_and_by_a_signal_with_whole_lines() {
    let lab = marked();
    // Nothing happens meanwhile.
    lab.sh("rc-sv-loader events --follow | true").ok();
    lab.sh("rc-sv-loader events | true").ok();
    let job = follower(&lab, "/tmp/a");
    let pid = lab.text("/tmp/a.pid").trim().parse().expect("a pid");
    lab.kill(pid, INTERRUPT);
    lab.wait_dead(pid, SOON);
    assert!(!objects(&lab, "/tmp/a").is_empty());
    assert!(lab.text("/tmp/a").ends_with('\n'));
    drop(job);
}

#[test]
fn it_goes_on_with_the_next_supervisor() {
    let lab = marked();
    let job = follower(&lab, "/tmp/a");
    let supervisor = || -> i32 {
        let text = lab.text("/run/openrc/rc-sv/.internal/pid");
        text.trim().parse().expect("a pid")
    };
    let pids = lab.sh("pgrep -x 'rc-sv-(guardian|superviso)'").ok();
    // Stopped first: none must see another die and replace it.
    let pids: Vec<i32> = pids
        .lines()
        .map(|pid| pid.parse().expect("a pid"))
        .collect();
    let old = supervisor();
    pids.iter().for_each(|&pid| lab.kill(pid, 19));
    pids.iter().for_each(|&pid| lab.kill(pid, KILL));
    until_told(&lab, "/tmp/a", "\"event\":\"supervisor-lost\"");
    probe(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    assert_ne!(supervisor(), old);
    until_told(
        &lab,
        "/tmp/a",
        "\"service\":\"foo\",\"module\":\"internal\",\"event\":\"state\",\"state\":\"up\"",
    );
    drop(job);
}

#[test]
fn everybody_may_see_what_status_shows() {
    let lab = marked();
    let text = lab
        .sh("setpriv --reuid nobody --clear-groups rc-sv-loader events")
        .ok();
    assert!(text.contains(" mark up pid "), "{text}");
}
