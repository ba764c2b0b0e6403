//! Starts that cannot succeed under the internal module, and what a daemon finds when one does.

mod internal;
mod openrc;

use std::time::{Duration, Instant};

use internal::{probe, quickest, starts, PROBE};
use openrc::{alive, rc, spawn_count, INTERNAL, KILL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;

#[test]
fn what_cannot_be_executed_fails_in_words_at_once() {
    let lab = openrc::with_recorder(Lab::new());
    lab.write("/srv/plain", "x", 0o644);
    lab.write("/srv/garbage", b"\x7fno program", 0o755);
    lab.write("/srv/script", "#!/nonexistent/interpreter\n", 0o755);
    lab.write("/srv/shut/log", "", 0o600);
    lab.sh("mkdir /srv/directory; chmod 700 /srv/shut").ok();
    let good = "command=/usr/local/bin/recorder\ncommand_args=/tmp/foo";
    let cases = [
        ("command=/nonexistent/x", "", "No such file or directory"),
        ("command=/srv/plain", "", "Permission denied"),
        ("command=/srv/directory", "", "must be a file"),
        ("command=/srv/garbage", "", "Exec format error"),
        ("command=/srv/script", "", "No such file or directory"),
        (good, "command_user=nosuch", "nosuch"),
        (good, "command_user=nobody:nosuch", "nosuch"),
        (good, "directory=/nonexistent", "No such file or directory"),
        (good, "directory=/srv/plain", "Not a directory"),
        (good, "chroot=/nonexistent", "/nonexistent"),
        (
            good,
            "output_log=/nonexistent/log",
            "No such file or directory",
        ),
        (good, "output_log=/srv", "Is a directory"),
        (good, "input_file=/nonexistent", "No such file or directory"),
        (
            good,
            "command_user=nobody\noutput_log=/srv/shut/log",
            "Permission denied",
        ),
        (
            good,
            "rc_supervise_finish=/nonexistent/finish",
            "/nonexistent/finish",
        ),
        (good, "umask=9", "umask"),
        (good, "retry=SIGNONE/5", "retry"),
        (good, "rc_supervise_policy=sometimes", "rc_supervise_policy"),
    ];
    for (script, conf, words) in cases {
        lab.service("foo", script);
        lab.conf("foo", &format!("{INTERNAL}{conf}\n"));
        let took = quickest(Duration::from_secs(1), || {
            let output = rc(&lab, "foo", "start");
            assert_eq!(output.code(), 1, "{script} {conf}: {output}");
            let said = output.all();
            let ours: Vec<&str> = said
                .lines()
                .filter(|line| line.contains(" foo: "))
                .collect();
            assert_eq!(ours.len(), 1, "{script} {conf}: {output}");
            assert!(ours[0].contains(words), "{words}: {output}");
        });
        // On a busy machine everything takes its time.
        let begun = Instant::now();
        assert_eq!(rc(&lab, "foo", "status").code(), 3, "{script} {conf}");
        let limit = Duration::from_secs(1) + 2 * begun.elapsed();
        assert!(took < limit, "{script} {conf}: {took:?}");
        assert_eq!(spawn_count(&lab, "foo"), 0, "{script} {conf}");
    }
    // Nothing of all that is tried again.
    let listed = lab.run(["rc-sv-loader", "status", "foo"]).output();
    assert_eq!(listed.code(), 3, "{listed}");
    assert!(!listed.all().contains("restarting"), "{listed}");
}

/// A variable that is set to nothing says nothing, to whom ever looks for the supervisor.
#[test]
fn an_empty_state_directory_is_that_of_openrc() {
    let lab = Lab::new();
    probe(&lab, "foo", "", internal::AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let listed = lab.run(["rc-sv-loader", "status"]);
    let listed = listed.env("RC_SVCDIR", "").output().ok();
    assert!(listed.starts_with("foo  up  pid "), "{listed}");
}

#[test]
fn a_daemon_has_three_descriptors_and_nothing_of_its_caller() {
    let lab = Lab::new();
    probe(&lab, "foo", "", internal::AT_ONCE);
    // Signals ignored and blocked, descriptors open, and variables that are OpenRC's.
    let script = "trap '' PIPE XFSZ HUP; exec 5</etc/passwd 9>/tmp/nine; \
                  export SSD_NICELEVEL=0 EINFO_QUIET=no RC_MINE=1; exec rc-service foo start";
    lab.sh(script).ok();
    let first = starts(&lab, "foo", 1)[0].clone();
    lab.kill(first.pid(), KILL);
    let second = starts(&lab, "foo", 2)[1].clone();
    for line in [first, second] {
        let fds = line.fds();
        assert_eq!(
            fds.keys().copied().collect::<Vec<_>>(),
            [0, 1, 2],
            "{fds:?}"
        );
        assert!(fds.values().all(|target| target == "/dev/null"), "{fds:?}");
        assert_eq!((line.mask("sigign"), line.mask("sigblk")), (0, 0));
        assert_eq!(line.number("sid"), line.number("pid"));
        assert_eq!(line.number("pgid"), line.number("pid"));
        assert_eq!(line.number("deathsig"), 0);
        // This OpenRC lets its own supervise-daemon keep RC_SERVICE, RC_SVCNAME and EINFO_*.
        for leaked in ["RC_MINE", "RC_SVCDIR", "RC_LIBEXECDIR", "SSD_NICELEVEL"] {
            assert_eq!(line.env(leaked), None, "{leaked}");
        }
        let settings = line.list("env");
        assert!(
            !settings.iter().any(|pair| pair.starts_with("RCSV_")),
            "{settings:?}"
        );
        let path = line.env("PATH").unwrap_or_default();
        assert!(!path.contains("rc/"), "{path}");
        assert_eq!(line.argv(), [PROBE, "--report", "/tmp/foo"]);
    }
}

#[test]
fn a_daemon_as_debian_ships_it() {
    let lab = Lab::new();
    lab.service(
        "cache",
        "command=/usr/bin/redis-server\n\
         command_args='--port 0 --unixsocket /run/cache.d/socket --dir /run/cache.d --save \"\"'\n\
         command_user=redis:redis\n\
         start_pre() { checkpath -d -o redis:redis /run/cache.d; }\n",
    );
    lab.conf("cache", &format!("{INTERNAL}{}", internal::AT_ONCE));
    let ping = |was: Option<i32>| {
        until("an answer", SOON, || {
            let ask = "redis-cli -s /run/cache.d/socket info server | sed -n s/^process_id://p";
            let answer = lab.sh(ask).all();
            let pid: i32 = answer.trim().parse().ok()?;
            (Some(pid) != was).then_some(pid)
        })
    };
    rc(&lab, "cache", "start").ok();
    let first = ping(None);
    lab.kill(first, KILL);
    let second = ping(Some(first));
    assert_eq!(rc(&lab, "cache", "status").code(), 0);
    let user = lab.sh(&format!("ps -o user= -p {second}")).ok();
    assert_eq!(user.trim(), "redis");
    rc(&lab, "cache", "stop").ok();
    assert!(!alive(&lab, second));
    assert_eq!(rc(&lab, "cache", "status").code(), 3);
}
