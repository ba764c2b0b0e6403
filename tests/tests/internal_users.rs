//! Services of ordinary users: each has a supervisor of their own, for a state directory below
//! XDG_RUNTIME_DIR, which is where OpenRC keeps user services.

mod internal;
mod openrc;

use internal::PROBE;
use openrc::{KILL, SOON};
use rc_sv_tests::{Lab, Output};

const TERM: i32 = 15;

/// A lab with two accounts that are logged in.
fn lab() -> Lab {
    let lab = Lab::new();
    let script = "for user in alice bob; do useradd -M $user && \
                  install -d -o $user -m 755 /srv/$user && \
                  install -d -o $user -m 700 /run/user/$user /run/user/$user/openrc || exit; done";
    lab.sh(script).ok();
    lab
}

/// The state directory of a user's services.
fn svcdir(user: &str) -> String {
    format!("/run/user/{user}/openrc")
}

/// `rc-sv-loader WORDS` as `user`, for the services of `owner`, with settings of conf.d.
#[track_caller]
fn ask_for(
    lab: &Lab,
    user: &str,
    owner: &str,
    settings: &[(&str, &str)],
    words: &[&str],
) -> Output {
    let login = ["runuser", "-u", user, "--", "rc-sv-loader"];
    let run = lab.run(login.iter().chain(words));
    let run = run.env("RC_SVCDIR", svcdir(owner));
    settings
        .iter()
        .fold(run, |run, (name, value)| {
            run.env(format!("RCSV_{name}"), value)
        })
        .output()
}

/// The same for the user's own services.
#[track_caller]
fn ask(lab: &Lab, user: &str, words: &[&str]) -> Output {
    ask_for(lab, user, user, &[("respawn_delay", "0")], words)
}

/// Starts the probe as the user's service `foo`; where it reports.
#[track_caller]
fn start(lab: &Lab, user: &str) -> String {
    let report = format!("/srv/{user}/foo");
    let daemon = [PROBE, "--report", &report];
    let words = ["start", "foo", "--module", "internal", "--"];
    ask(lab, user, &[&words[..], &daemon].concat()).ok();
    report
}

#[track_caller]
fn id(lab: &Lab, user: &str) -> String {
    lab.sh(&format!("id -u {user}")).ok().trim().to_owned()
}

/// The pid of a user's supervisor.
#[track_caller]
fn supervisor(lab: &Lab, user: &str) -> i32 {
    let pid = lab.text(format!("{}/rc-sv/.internal/pid", svcdir(user)));
    pid.trim().parse().expect("a pid")
}

/// Refused with one line of ours that says this.
#[track_caller]
fn refused(output: &Output, words: &str) {
    internal::refused(output, "rc-sv-loader: ", words);
}

#[test]
fn an_ordinary_user_starts_looks_and_stops() {
    let lab = lab();
    let report = start(&lab, "alice");
    let first = lab.report(&report, "start", 1, SOON)[0].clone();
    let uid = id(&lab, "alice");
    assert!(
        first.get("uid").starts_with(&format!("{uid},")),
        "{first:?}"
    );
    let said = ask(&lab, "alice", &["status", "foo"]).ok();
    assert!(said.contains(&format!("up  pid {}", first.pid())), "{said}");

    // Its process, lock, socket and directories are the user's.
    let pid = supervisor(&lab, "alice");
    let status = lab.text(format!("/proc/{pid}/status"));
    let uids = status.lines().find(|line| line.starts_with("Uid:"));
    assert_eq!(
        uids.map(|line| line.matches(&uid).count()),
        Some(4),
        "{status}"
    );
    let script = "cd /run/user/alice/openrc/rc-sv && stat -c '%n %U %a' . foo foo/spec .internal \
                  .internal/lock .internal/socket";
    let owned = ". alice 755\nfoo alice 700\nfoo/spec alice 600\n.internal alice 755\n\
                 .internal/lock alice 600\n.internal/socket alice 666\n";
    assert_eq!(lab.sh(script).ok(), owned);
    // There is one.
    let svcdir = svcdir("alice");
    let begin = [
        "/usr/libexec/rc-sv/rc-sv-supervisor",
        "--daemon",
        "--svcdir",
        &svcdir,
    ];
    lab.run(["runuser", "-u", "alice", "--"].iter().chain(&begin))
        .output()
        .ok();
    assert_eq!(supervisor(&lab, "alice"), pid);

    lab.kill(first.pid(), KILL);
    let second = lab.report(&report, "start", 2, SOON)[1].clone();
    assert!(
        second.get("uid").starts_with(&format!("{uid},")),
        "{second:?}"
    );
    ask(&lab, "alice", &["restart", "foo"]).ok();
    let third = lab.report(&report, "start", 3, SOON)[2].clone();
    ask(&lab, "alice", &["stop", "foo"]).ok();
    lab.wait_dead(third.pid(), SOON);
    assert_eq!(ask(&lab, "alice", &["status", "foo"]).code(), 3);

    // When the user's session ends, so does everything.
    start(&lab, "alice");
    let last = lab.report(&report, "start", 4, SOON)[3].clone();
    lab.kill(pid, TERM);
    lab.wait_dead(pid, SOON);
    lab.wait_dead(last.pid(), SOON);
    let left = lab.sh("ls -A /run/user/alice/openrc/rc-sv/.internal").ok();
    assert_eq!(left, "lock\n");
    assert_eq!(ask(&lab, "alice", &["status", "foo"]).code(), 3);
}

#[test]
fn what_takes_root_is_refused_in_one_line() {
    let lab = lab();
    for (setting, value, words) in [
        ("command_user", "bob", "command_user: only root can"),
        ("command_user", "alice", "command_user: only root can"),
        (
            "supervise_daemon_args",
            "--user bob",
            "--user: only root can",
        ),
        (
            "supervise_daemon_args",
            "--group bob",
            "--group: only root can",
        ),
        ("chroot", "/srv", "internal: chroot: only root can"),
        (
            "capabilities",
            "^cap_net_raw",
            "internal: capabilities: only root can",
        ),
        ("secbits", "noroot", "internal: secbits: only root can"),
        ("rc_supervise_nice", "-5", "CAP_SYS_NICE"),
        ("rc_supervise_oom_score_adj", "-500", "CAP_SYS_RESOURCE"),
    ] {
        let words_of_start = ["start", "foo", "--module", "internal", "--", "/bin/true"];
        let output = ask_for(&lab, "alice", "alice", &[(setting, value)], &words_of_start);
        refused(&output, words);
        let status = ask(&lab, "alice", &["status", "foo"]);
        assert_eq!(status.code(), 3, "{setting}: {status}");
    }
}

#[test]
fn users_have_nothing_to_do_with_one_another() {
    let lab = lab();
    let pids = ["alice", "bob"].map(|user| {
        let report = start(&lab, user);
        lab.report(&report, "start", 1, SOON)[0].pid()
    });
    assert_ne!(supervisor(&lab, "alice"), supervisor(&lab, "bob"));
    for (user, pid) in ["alice", "bob"].into_iter().zip(pids) {
        let said = ask(&lab, user, &["status"]).ok();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(&format!("pid {pid} ")), "{said}");
    }
    let try_all = |words: &str| {
        for user in ["bob", "root"] {
            for command in [&["status", "foo"][..], &["stop", "foo"], &["status"]] {
                refused(&ask_for(&lab, user, "alice", &[], command), words);
            }
        }
    };
    // What is not shown is not opened; what is shown is not believed, by root neither.
    let bobs = ask_for(&lab, "bob", "alice", &[], &["status", "foo"]);
    refused(&bobs, "Permission denied");
    lab.sh("chmod 755 /run/user/alice /run/user/alice/openrc")
        .ok();
    try_all("is owned by user");
    assert!(openrc::alive(&lab, pids[0]) && openrc::alive(&lab, pids[1]));
    ask(&lab, "alice", &["stop", "foo"]).ok();
    assert!(openrc::alive(&lab, pids[1]));
}

#[test]
fn modules_are_roots_or_the_users_own() {
    let lab = lab();
    let script = "install -d -o alice -m 755 /srv/alice/modules && install -o alice -m 644 \
                  /usr/lib/rc-sv/librc_sv_internal.so /srv/alice/modules";
    lab.sh(script).ok();
    let start = |user: &str| {
        let login = [
            "runuser",
            "-u",
            user,
            "--",
            "rc-sv-loader",
            "start",
            "foo",
            "--module",
        ];
        let run = lab.run(
            login
                .iter()
                .chain(&["internal", "--", "/bin/sleep", "1000"]),
        );
        let run = run.env("RC_SVCDIR", svcdir(user));
        run.env("RC_SV_PATH", "/srv/alice/modules").output()
    };
    start("alice").ok();
    refused(&start("bob"), "/srv/alice/modules: is owned by user");
}
