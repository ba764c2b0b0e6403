//! Descriptors that services give into keeping, and the barrier.

mod internal;
mod openrc;

use internal::{probe, starts, AT_ONCE};
use openrc::{rc, KILL, SOON};
use rc_sv_tests::{Lab, Line};

/// A variable of the environment that a daemon was started with.
fn variable(start: &Line, name: &str) -> Option<String> {
    let wanted = format!("{name}=");
    let all = start.list("env").into_iter();
    all.filter_map(|entry| entry.strip_prefix(&wanted).map(str::to_string))
        .next()
}

#[test]
fn a_crash_leaves_what_was_kept_and_a_stop_does_not() {
    let lab = Lab::new();
    let args = "--notify-with FDSTORE=1%nFDNAME=state%nREADY=1=kept --barrier here";
    probe(
        &lab,
        "keeper",
        args,
        &format!("{AT_ONCE}notify=socket:ready"),
    );
    rc(&lab, "keeper", "start").ok();
    let first = &starts(&lab, "keeper", 1)[0];
    assert_eq!(variable(first, "LISTEN_FDS"), None);
    assert_eq!(variable(first, "FDSTORE").as_deref(), Some("64"));
    lab.kill(first.pid(), KILL);
    let second = starts(&lab, "keeper", 2).remove(1);
    assert_eq!(variable(&second, "LISTEN_FDS").as_deref(), Some("2"));
    assert_eq!(
        variable(&second, "LISTEN_FDNAMES").as_deref(),
        Some("state:state")
    );
    let pid = second.pid().to_string();
    assert_eq!(variable(&second, "LISTEN_PID"), Some(pid));
    // It has given two more by the time it says that it is up again.
    internal::until_status(&lab, "keeper", "status: started");
    lab.kill(second.pid(), KILL);
    let third = starts(&lab, "keeper", 3).remove(2);
    let words = lab
        .sh(&format!("head -c 4 /proc/{}/fd/3", third.pid()))
        .ok();
    assert_eq!(words, "kept");
    rc(&lab, "keeper", "restart").ok();
    let count = internal::start_count(&lab, "keeper");
    let last = starts(&lab, "keeper", count).remove(count - 1);
    assert_eq!(
        variable(&last, "LISTEN_FDS"),
        None,
        "a stop ends the keeping"
    );
    rc(&lab, "keeper", "stop").ok();
}

#[test]
fn what_is_given_back_is_kept_once() {
    let lab = Lab::new();
    let args = "--notify-with FDSTORE=1%nFDNAME=state=kept --notify-again FDSTORE=1 \
                --notify-again FDSTORE=1%nFDNAME=again --barrier here --notify READY=1";
    let conf = format!("{AT_ONCE}notify=socket:ready");
    probe(&lab, "back", args, &conf);
    rc(&lab, "back", "start").ok();
    for (nth, count) in [(1, None), (2, Some("2")), (3, Some("4"))] {
        let start = starts(&lab, "back", nth).remove(nth - 1);
        assert_eq!(variable(&start, "LISTEN_FDS").as_deref(), count, "{nth}");
        // It has given all of them by the time it says that it is ready.
        rc_sv_tests::lab::until("it is ready", SOON, || {
            let said = lab.sh("rc-sv-loader status back --json");
            let status: serde_json::Value = serde_json::from_str(&said.stdout).ok()?;
            (status["ready"] == true && status["pid"] == start.pid()).then_some(())
        });
        lab.kill(start.pid(), KILL);
    }
}

#[test]
fn what_is_removed_or_too_much_is_closed() {
    let lab = Lab::new();
    let many = "--notify-with FDSTORE=1%nFDNAME=many=x ".repeat(40);
    let args = format!("{many} --barrier here --notify READY=1");
    probe(
        &lab,
        "greedy",
        &args,
        &format!("{AT_ONCE}notify=socket:ready"),
    );
    let args = "--notify-with FDSTORE=1%nFDNAME=a=x --notify-with FDSTORE=1%nFDNAME=b=x \
                --notify FDSTOREREMOVE=1%nFDNAME=a --barrier here --notify READY=1";
    probe(&lab, "tidy", args, &format!("{AT_ONCE}notify=socket:ready"));
    // What has lost its other end is worth nothing, unless somebody says so.
    let args = "--notify-with FDSTORE=1%nFDNAME=gone= \
                --notify-with FDSTORE=1%nFDPOLL=0%nFDNAME=stays= --barrier here --notify READY=1";
    probe(&lab, "half", args, &format!("{AT_ONCE}notify=socket:ready"));
    for (service, count) in [("greedy", "64"), ("tidy", "2"), ("half", "1")] {
        rc(&lab, service, "start").ok();
        lab.kill(starts(&lab, service, 1)[0].pid(), KILL);
        let second = starts(&lab, service, 2).remove(1);
        assert_eq!(
            variable(&second, "LISTEN_FDS").as_deref(),
            Some(count),
            "{service}"
        );
    }
}
