//! The monit module on a system that was booted: sysvinit is pid 1, its inittab is Debian's, OpenRC
//! runs the runlevels, and monit is set up by the steps that an administrator is told.

mod monit;

use monit::openrc::{KILL, SOON};
use monit::{control_file, runs, starts, NOTED, PROBE};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Job, Lab, Output};

/// monit's line of inittab.
const INITTAB: &str = include_str!("../../examples/monit/inittab");
/// The control file that is given for foo.
const GIVEN: &str = include_str!("../../examples/monit/monit-files/foo");

/// A lab in which sysvinit has booted OpenRC. It has processes of its own, numbered from 1.
struct Booted<'lab> {
    lab: &'lab Lab,
    /// sysvinit, as the lab numbers it.
    init: i32,
    _namespace: Job<'lab>,
}

impl<'lab> Booted<'lab> {
    /// Boots, and waits for the runlevel.
    #[track_caller]
    fn boot(lab: &'lab Lab) -> Booted<'lab> {
        // What Debian's inittab calls; and no consoles here.
        lab.sh(
            "cp /usr/share/init.d-debian/rc /usr/share/init.d-debian/rcS /etc/init.d && \
             sed -i /getty/d /etc/inittab && rm -r /run/openrc",
        )
        .ok();
        let own = ["--pid", "--mount", "--fork", "--mount-proc", "--kill-child"];
        let namespace = lab.run(["unshare"].iter().chain(&own).chain(&["/sbin/init"]));
        let namespace = namespace.spawn();
        let reached = |level: &str| {
            let softlevel = lab.try_read("/run/openrc/softlevel");
            softlevel.is_ok_and(|text| text.trim_ascii() == level.as_bytes())
        };
        until("the runlevel", 4 * SOON, || {
            (reached("default") && !lab.exists("/run/openrc/rc.starting")).then_some(())
        });
        // What it makes has its name until its execve; it is older.
        let init = lab.sh("pgrep -o -x init").ok();
        Booted {
            lab,
            init: init.trim().parse().expect("one init"),
            _namespace: namespace,
        }
    }

    /// Runs a command in it.
    fn sh(&self, script: &str) -> Output {
        let init = self.init.to_string();
        let enter = ["nsenter", "--pid", "--mount", "--target", &init];
        let shell = ["/bin/sh", "-c", script];
        self.lab.run(enter.iter().chain(&shell)).output()
    }

    /// The pid of the monit that runs and answers.
    #[track_caller]
    fn monit(&self) -> i32 {
        until("monit", SOON, || {
            let said = self.sh("monit -c /etc/monitrc summary >/dev/null && cat /run/monit.pid");
            said.all().trim().parse().ok()
        })
    }

    #[track_caller]
    fn until_watched(&self) {
        until("monit's watch", SOON, || {
            let said = self.sh("monit -c /etc/monitrc status foo").all();
            let line = said.lines().find(|line| line.contains("monitoring status"));
            line.filter(|line| line.contains("Monitored")).map(|_| ())
        });
    }

    #[track_caller]
    fn kill(&self, pid: i32) {
        self.sh(&format!("kill -{KILL} {pid}")).ok();
    }

    /// The daemons that live.
    fn daemons(&self) -> Vec<i32> {
        let ps = "ps -e -o pid=,stat=,comm=";
        let said = self.sh(ps).ok();
        let words = said
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        words
            .filter(|words| !words[1].starts_with('Z') && words[2] == "probe-daemon")
            .map(|words| words[0].parse().expect("a pid"))
            .collect()
    }
}

/// The steps: a line of inittab, INCLUDE, a control file, two variables. monit is init's, foo is
/// OpenRC's, and each brings back what is its.
#[test]
fn the_steps_of_an_administrator() {
    let lab = Lab::new();
    // 1. The line of inittab, before that of the default runlevel.
    let own = lab.text("/etc/inittab");
    let (before, after) = own.split_once("l0:0:wait").expect("Debian's inittab");
    lab.write(
        "/etc/inittab",
        format!("{before}{INITTAB}l0:0:wait{after}"),
        0o644,
    );
    // 2. monit's control file, with INCLUDE.
    lab.write(
        "/etc/monitrc",
        "set daemon 1\nset log /tmp/monit.log\nset pidfile /run/monit.pid\n\
         set idfile /var/lib/monit/id\nset statefile /var/lib/monit/state\n\
         set httpd unixsocket /run/monit.sock permission 0600 allow localhost\n\
         INCLUDE /run/openrc-monit/*\n",
        0o600,
    );
    lab.sh("mkdir -p /var/lib/monit").ok();
    // 3. The control file of the service.
    let given = GIVEN.replace("/usr/local/", "/usr/");
    lab.write("/etc/conf.d/monit-files/foo", given, 0o644);
    // 4. Two variables.
    lab.conf(
        "foo",
        "rc_supervise_module=\"monit\"\nrc_monit_type=\"file\"\n",
    );
    lab.service(
        "foo",
        &format!(
            "command={PROBE}\ncommand_args=\"--report /tmp/foo\"\ncommand_background=yes\n\
             pidfile=/run/foo.pid\n{NOTED}"
        ),
    );
    lab.sh("rc-update add foo default").ok();

    let booted = Booted::boot(&lab);
    let first = starts(&lab, "foo", 1)[0].pid();
    let monit = booted.monit();
    booted.until_watched();
    let parent = booted.sh(&format!("ps -o ppid= -p {monit}")).ok();
    assert_eq!(parent.trim(), "1", "init runs monit");

    // A crash is monit's business, and OpenRC says the truth of it.
    booted.kill(first);
    let second = starts(&lab, "foo", 2)[1].pid();
    assert_eq!(booted.daemons(), [second]);
    let said = booted.sh("rc-service foo status").ok();
    assert!(said.contains("started"), "{said}");

    // monit's own is init's.
    booted.kill(monit);
    let next = until("another monit", SOON, || {
        Some(booted.monit()).filter(|pid| *pid != monit)
    });
    booted.until_watched();
    booted.kill(second);
    let third = starts(&lab, "foo", 3)[2].pid();
    assert_eq!(booted.daemons(), [third]);
    assert_eq!(runs(&lab, "foo"), 1, "OpenRC started it once");

    // A stop is a stop, and a start is a start.
    booted.sh("rc-service foo stop").ok();
    assert!(!lab.exists(control_file("foo")));
    // One that is ending is seen for a while.
    until("no daemon", SOON, || {
        booted.daemons().is_empty().then_some(())
    });
    booted.sh("rc-service foo start").ok();
    let fourth = starts(&lab, "foo", 4)[3].pid();
    booted.until_watched();
    assert_eq!((booted.daemons(), booted.monit()), (vec![fourth], next));

    // At the end of the day init takes monit down and OpenRC the service, in whichever order.
    booted.sh("init 0").ok();
    until("the end", 4 * SOON, || {
        let softlevel = lab.try_read("/run/openrc/softlevel").unwrap_or_default();
        (softlevel.trim_ascii() == b"shutdown").then_some(())
    });
    until("nobody", SOON, || {
        let left = booted
            .sh("pgrep -x probe-daemon; pgrep -x monit; pgrep -x rc-sv-exec")
            .all();
        left.is_empty().then_some(())
    });
    assert_eq!((runs(&lab, "foo"), starts(&lab, "foo", 4).len()), (2, 4));
    assert!(!lab.exists(control_file("foo")) && !lab.exists("/run/openrc/rc-sv/foo"));
}
