//! What the tests of the suites share: a lab with the scanner, and what is true in each of them.
#![allow(dead_code)] // Each test file uses a part of it.

#[path = "../openrc/mod.rs"]
pub mod openrc;

pub mod faults;
pub mod kills;
pub mod life;
pub mod many;
pub mod native;
pub mod start;

use openrc::{rc, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Lab, Line};

/// The program that reports how it was started and does as it is told.
pub const PROBE: &str = "/usr/lib/rc-sv-tests/probe-daemon";

/// No pause between two runs but that of the suite.
pub const AT_ONCE: &str = "respawn_delay=0\nrc_supervise_min_interval=0\n";

/// A suite, as its users see it.
#[derive(Debug)]
pub struct Suite {
    pub module: &'static str,
    pub scanner: &'static str,
    pub supervisor: &'static str,
    /// The service that runs the scanner.
    pub service: &'static str,
    pub scan_dir: &'static str,
    /// Its script, where rc-sv has none.
    pub script: Option<&'static str>,
    /// The setting with a directory written by hand.
    pub setting: &'static str,
}

pub const S6: Suite = Suite {
    module: "s6",
    scanner: "s6-svscan",
    supervisor: "s6-supervise",
    service: "s6-svscan",
    scan_dir: "/run/openrc/s6-scan",
    script: Some(
        "command=/usr/bin/s6-svscan\ncommand_args=$RC_SVCDIR/s6-scan\ncommand_background=yes\n\
         pidfile=/run/s6-svscan.pid\nstart_pre() { checkpath -d $RC_SVCDIR/s6-scan; }\n",
    ),
    setting: "s6_service_path",
};

pub const RUNIT: Suite = Suite {
    module: "runit",
    scanner: "runsvdir",
    supervisor: "runsv",
    service: "runsvdir",
    scan_dir: "/run/openrc/sv",
    script: Some(
        "command=/usr/bin/runsvdir\n\
         command_args=\"-P $RC_SVCDIR/sv 'log: ........................................'\"\n\
         command_background=yes\npidfile=/run/runsvdir.pid\n\
         start_pre() { checkpath -d $RC_SVCDIR/sv; }\n",
    ),
    setting: "runit_service",
};

pub const DAEMONTOOLS: Suite = Suite {
    module: "daemontools",
    scanner: "svscan",
    supervisor: "supervise",
    service: "svscan",
    scan_dir: "/run/openrc/svscan",
    script: None,
    setting: "daemontools_service",
};

impl Suite {
    /// A lab in which the scanner can be started.
    pub fn lab_without_scanner(&self) -> Lab {
        let lab = openrc::with_recorder(Lab::new());
        if let Some(script) = self.script {
            lab.service(self.service, script);
        }
        lab
    }

    /// A lab in which the scanner runs.
    pub fn lab(&self) -> Lab {
        let lab = self.lab_without_scanner();
        rc(&lab, self.service, "start").ok();
        // OpenRC says so when its process was made, which may not be at work yet.
        until("the scanner", SOON, || self.is_at_work(&lab).then_some(()));
        lab
    }

    /// Whether the scanner is what it will be: by what the module knows it by. runsvdir goes to its
    /// directory for a moment only, so its arguments tell.
    fn is_at_work(&self, lab: &Lab) -> bool {
        let (look, told) = match self.module {
            "s6" => ("readlink fd/*", "/.s6-svscan/control"),
            "runit" => ("tr '\\0' '\\n' <cmdline", ""),
            _ => ("readlink cwd", ""),
        };
        let told = format!("{}{told}", self.scan_dir);
        lab.pids(self.scanner).first().is_some_and(|pid| {
            let said = lab.sh(&format!("cd /proc/{pid} && {look}")).stdout;
            said.lines().any(|line| line == told)
        })
    }

    /// Defines `service`: the probe daemon with `args`, which reports to /tmp/SERVICE, with more
    /// lines of conf.d.
    #[track_caller]
    pub fn probe(&self, lab: &Lab, service: &str, args: &str, conf: &str) {
        let script = format!("command={PROBE}\ncommand_args=\"--report /tmp/$RC_SVCNAME {args}\"");
        lab.service(service, &script);
        lab.conf(
            service,
            &format!("rc_supervise_module={}\n{conf}\n", self.module),
        );
    }

    /// The pid of the service's supervisor, when there is one.
    pub fn supervisor_of(&self, lab: &Lab, service: &str) -> i32 {
        let script = format!("pgrep -fx '{} {service}'", self.supervisor);
        until("a supervisor", SOON, || {
            lab.sh(&script).all().trim().parse().ok()
        })
    }

    /// Nothing of the services is left but the scanner.
    #[track_caller]
    pub fn assert_nothing_left(&self, lab: &Lab) {
        assert_eq!(lab.pids(self.supervisor), [0; 0], "supervisors");
        assert_eq!(lab.pids("probe-daemon"), [0; 0], "daemons");
        let find = format!(
            "find {} -mindepth 1 ! -path '*/.s6-svscan*' ! -name .forced-rescan; \
             find /run/openrc/rc-sv/.servicedir/{} /run/openrc/rc-sv/.supervisors -mindepth 1; \
             find /run/openrc -type p ! -path '*/.s6-svscan/*'",
            self.scan_dir, self.module
        );
        assert_eq!(lab.sh(&find).ok(), "", "files");
    }
}

/// The starts of a service, when there are at least `count`.
#[track_caller]
pub fn starts(lab: &Lab, service: &str, count: usize) -> Vec<Line> {
    lab.report(&format!("/tmp/{service}"), "start", count, SOON)
}

/// How often a service has been started so far.
pub fn start_count(lab: &Lab, service: &str) -> usize {
    lab.reported(&format!("/tmp/{service}"), "start")
}

/// What the module says of the service, in one line.
#[track_caller]
pub fn status(lab: &Lab, service: &str) -> String {
    lab.run(["rc-sv-loader", "status", service]).output().all()
}

/// Waits until the module says so.
#[track_caller]
pub fn until_status(lab: &Lab, service: &str, words: &str) -> String {
    until(words, SOON, || {
        let said = status(lab, service);
        said.contains(words).then_some(said)
    })
}
