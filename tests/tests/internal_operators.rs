//! Operators: ordinary accounts that may restart a service, and nothing else.

mod internal;
mod openrc;

use internal::{probe, start_count, starts, until_status};
use openrc::{alive, rc, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Lab, Output};

const STOP: i32 = 19;
const CONT: i32 = 18;

/// A lab with a member of the group `ops`, one whose primary group it is, and somebody else.
fn lab() -> Lab {
    let lab = Lab::new();
    let script = "groupadd -r ops && useradd -M -G daemon,ops,bin alice && \
                  useradd -M -g ops carol && useradd -M -G daemon mallory";
    lab.sh(script).ok();
    lab
}

/// `rc-sv-loader WORDS` as an ordinary account, with the groups of a login.
#[track_caller]
fn ask(lab: &Lab, user: &str, words: &[&str]) -> Output {
    let login = ["runuser", "-u", user, "--", "rc-sv-loader"];
    lab.run(login.iter().chain(words)).output()
}

/// Refused with one line of ours that says this.
#[track_caller]
fn refused(output: &Output, words: &str) {
    internal::refused(output, "rc-sv-loader: foo: ", words);
}

#[test]
fn members_restart_and_nothing_else() {
    let lab = lab();
    probe(&lab, "foo", "", "rc_supervise_operators=ops\n");
    probe(&lab, "bar", "", "");
    for service in ["foo", "bar"] {
        rc(&lab, service, "start").ok();
        // One that is stopped before it has reported never does.
        starts(&lab, service, 1);
    }
    for (count, user) in [(2, "alice"), (3, "carol")] {
        ask(&lab, user, &["restart", "foo"]).ok();
        let starts = starts(&lab, "foo", count);
        let said = ask(&lab, user, &["status", "foo"]).ok();
        let pid = starts[count - 1].pid();
        assert!(said.contains(&format!("pid {pid} ")), "{user}: {said}");
        assert!(!alive(&lab, starts[count - 2].pid()), "{user}");
    }
    let pid = starts(&lab, "foo", 3)[2].pid();
    for user in ["alice", "mallory"] {
        for words in [&["stop", "foo"][..], &["signal", "foo", "KILL"]] {
            refused(&ask(&lab, user, words), "internal: only root may do this");
        }
        for words in [
            &["start", "foo", "--module", "internal", "--", "/bin/true"][..],
            &["forget", "foo"],
            &["detach", "foo"],
        ] {
            refused(&ask(&lab, user, words), "");
        }
        let other = ask(&lab, user, &["restart", "bar"]);
        assert_eq!(other.code(), 1, "{other}");
        assert!(other.stderr.contains("only root may restart it"), "{other}");
    }
    let no = ask(&lab, "mallory", &["restart", "foo"]);
    refused(&no, "internal: only root may restart it, and members");
    ask(&lab, "mallory", &["status", "foo"]).ok();
    assert!(alive(&lab, pid));
    assert_eq!((start_count(&lab, "foo"), start_count(&lab, "bar")), (3, 1));
}

#[test]
fn what_was_stopped_they_do_not_start() {
    let lab = lab();
    probe(&lab, "foo", "", "rc_supervise_operators=ops\n");
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 1);
    // The supervisor still knows it, and the loader would still find it.
    lab.run(["rc-sv-loader", "stop", "foo"]).output().ok();
    lab.sh("ln -s internal /run/openrc/rc-sv/.modules/foo").ok();
    let output = ask(&lab, "alice", &["restart", "foo"]);
    refused(&output, "it was stopped, and operators may only restart");
    assert_eq!(start_count(&lab, "foo"), 1);
}

#[test]
fn what_was_given_up_they_bring_back() {
    let lab = lab();
    let conf = "rc_supervise_operators=ops\nrespawn_max=1\nrespawn_delay=0\n\
                rc_supervise_min_interval=0\n";
    probe(&lab, "foo", "--exit 3", conf);
    // Some starts are over before they are answered.
    rc(&lab, "foo", "start");
    internal::until_failed(&lab, "foo");
    until_status(&lab, "foo", "gave up");
    let before = start_count(&lab, "foo");
    ask(&lab, "alice", &["restart", "foo"]);
    starts(&lab, "foo", before + 1);
}

#[test]
fn the_group_can_be_everybodys_default_and_is_taken_at_the_start() {
    let lab = lab();
    lab.write(
        "/etc/rc-sv.toml",
        "[defaults]\nrc_supervise_operators = \"ops\"\n",
        0o644,
    );
    probe(&lab, "foo", "", "");
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 1);
    ask(&lab, "alice", &["restart", "foo"]).ok();
    starts(&lab, "foo", 2);
    // A later start has the later group, though the process stays.
    let gid = lab.sh("id -g daemon").ok();
    let given = ("RCSV_rc_supervise_operators", gid.trim());
    let start = lab.run([
        "rc-sv-loader",
        "start",
        "foo",
        "--module",
        "internal",
        "--",
        "/bin/true",
    ]);
    start.env(given.0, given.1).output().ok();
    refused(
        &ask(&lab, "carol", &["restart", "foo"]),
        "only root may restart it",
    );
    lab.conf(
        "foo",
        "rc_supervise_module=internal\nrc_supervise_operators=nosuch\n",
    );
    rc(&lab, "foo", "stop").ok();
    let output = rc(&lab, "foo", "start");
    assert_eq!(output.code(), 1, "{output}");
    let line = "rc_supervise_operators: group \"nosuch\" does not exist";
    assert!(output.all().contains(line), "{output}");
    assert_eq!(start_count(&lab, "foo"), 2);
}

#[test]
fn a_member_who_restarts_all_the_time_is_slowed_down() {
    let lab = lab();
    probe(
        &lab,
        "foo",
        "",
        "rc_supervise_operators=ops\nrc_supervise_min_interval=0\n",
    );
    rc(&lab, "foo", "start").ok();
    // It finds more than it takes at once when it looks, however long they take to ask.
    let supervisor = internal::supervisor(&lab);
    lab.kill(supervisor, STOP);
    let ask = ["runuser", "-u", "alice", "--", "rc-sv-loader"];
    let restart = ask.iter().chain(&["restart", "foo"]);
    let asked: Vec<_> = (0..12).map(|_| lab.run(restart.clone()).spawn()).collect();
    until("enough of them wait", SOON, || {
        let pids = lab.pids("rc-sv-loader");
        let waits = |pid: &i32| lab.state(*pid) == Some('S');
        (pids.iter().filter(|pid| waits(pid)).count() >= 10).then_some(())
    });
    lab.kill(supervisor, CONT);
    let said = asked.into_iter().map(|job| job.wait(SOON).stderr);
    let said: String = said.collect();
    assert!(said.contains("too often just now"), "{said}");
    // Root is not, and the service is whole.
    rc(&lab, "foo", "restart").ok();
    rc(&lab, "foo", "status").ok();
}
