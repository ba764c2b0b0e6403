//! What the proofs share: a lab with each module, all at the same time.

pub mod alert;
pub mod dependents;
pub mod fate;
pub mod finish;
pub mod health;
pub mod limits;
pub mod logs;
pub mod news;
pub mod process;
pub mod ready;
pub mod refusal;
pub mod respawn;
pub mod script;
pub mod stop;

use crate::modules::{self, Module, MODULES};
use crate::suite::openrc::{rc, SOON};
use crate::suite::{self, DAEMONTOOLS, PROBE, RUNIT, S6};
use rc_sv_tests::lab::until_ok;
use rc_sv_tests::{Lab, Line, Output};
use std::thread;
use std::time::Duration;

/// No pause between two runs but that of a suite.
pub const AT_ONCE: &str = "respawn_delay=0\nrc_supervise_min_interval=0\n";

/// A lab in which a module can be used.
pub struct Scene {
    pub lab: Lab,
    pub module: Module,
}

/// Runs the proof with each module that does all of `proven`. The panic of a thread names its
/// module.
pub fn each_module(proven: &[&str], prove: impl Fn(&Scene) + Sync) {
    let prove = &prove;
    let able = MODULES.into_iter().filter(|module| {
        let refuses = |name: &&str| modules::refuses(module, name);
        !proven.iter().any(refuses)
    });
    thread::scope(|scope| {
        for module in able {
            thread::Builder::new()
                .name(module.name.into())
                .spawn_scoped(scope, move || prove(&Scene::new(module)))
                .expect("a thread");
        }
    });
}

impl Scene {
    fn new(module: Module) -> Scene {
        let suite = [S6, RUNIT, DAEMONTOOLS]
            .into_iter()
            .find(|suite| suite.module == module.name);
        let lab = suite.map_or_else(Lab::new, |suite| suite.lab());
        Scene { lab, module }
    }

    /// Defines `service`: the probe daemon with `args`, which reports to /tmp/SERVICE, with more
    /// lines of conf.d.
    #[track_caller]
    pub fn service(&self, service: &str, args: &str, conf: &str) {
        let mut script =
            format!("command={PROBE}\ncommand_args=\"--report /tmp/$RC_SVCNAME {args}\"\n");
        if self.module.kind.is_some() {
            script += "command_background=yes\npidfile=/run/$RC_SVCNAME.pid\n";
        }
        self.lab.service(service, &script);
        self.conf(service, conf);
    }

    /// Its lines of conf.d.
    #[track_caller]
    pub fn conf(&self, service: &str, conf: &str) {
        let name = self.module.name;
        let kind = self
            .module
            .kind
            .map(|kind| format!("rc_monit_type={kind}\n"));
        let kind = kind.unwrap_or_default();
        self.lab.conf(
            service,
            &format!("rc_supervise_module={name}\n{kind}{conf}\n"),
        );
    }

    #[track_caller]
    pub fn rc(&self, service: &str, command: &str) -> Output {
        rc(&self.lab, service, command)
    }

    /// Starts the services, all at the same time.
    #[track_caller]
    pub fn start_all<'a>(&self, services: impl IntoIterator<Item = &'a str>) {
        let start = |service| self.lab.spawn(&format!("rc-service {service} start"));
        let starts: Vec<_> = services.into_iter().map(start).collect();
        for start in starts {
            start.wait(2 * SOON).ok();
        }
    }

    /// Starts a service; its first report.
    #[track_caller]
    pub fn begin(&self, service: &str) -> Line {
        let before = self.count(service);
        self.rc(service, "start").ok();
        self.nth(service, before + 1)
    }

    /// The report of the `nth` start, when there is one.
    #[track_caller]
    pub fn nth(&self, service: &str, nth: usize) -> Line {
        self.starts(service, nth)[nth - 1].clone()
    }

    /// The starts of a service, when there are at least `count`.
    #[track_caller]
    pub fn starts(&self, service: &str, count: usize) -> Vec<Line> {
        self.lab
            .report(&format!("/tmp/{service}"), "start", count, 2 * SOON)
    }

    /// How often it has been started so far.
    pub fn count(&self, service: &str) -> usize {
        suite::start_count(&self.lab, service)
    }

    /// Waits until OpenRC has been told that it has failed.
    #[track_caller]
    pub fn until_failed(&self, service: &str) {
        self.lab
            .wait_for_file(format!("/run/openrc/failed/{service}"), |_| true, 2 * SOON);
    }

    pub fn failed(&self, service: &str) -> bool {
        self.lab.exists(format!("/run/openrc/failed/{service}"))
    }

    /// Waits until the module says so.
    #[track_caller]
    pub fn until_status(&self, service: &str, words: &str) -> String {
        suite::until_status(&self.lab, service, words)
    }

    /// What the module says of the service, by members.
    #[track_caller]
    pub fn json(&self, service: &str) -> serde_json::Value {
        let output = self
            .lab
            .run(["rc-sv-loader", "status", service, "--json"])
            .output();
        serde_json::from_str(&output.stdout).unwrap_or_else(|cause| panic!("{cause}: {output}"))
    }

    /// Waits until these members have these values.
    #[track_caller]
    pub fn until_json(&self, service: &str, what: &str, is: impl Fn(&serde_json::Value) -> bool) {
        until_ok(what, SOON, || {
            let json = self.json(service);
            is(&json).then_some(()).ok_or(json)
        });
    }

    /// A start that fails with exactly one line of ours that has these words, and runs nothing.
    #[track_caller]
    pub fn refused(&self, service: &str, words: &[&str]) {
        let output = self.rc(service, "start");
        assert_eq!(output.code(), 1, "{output}");
        let said = output.all();
        let ours: Vec<&str> = said
            .lines()
            .filter(|line| line.contains("rc-sv-loader:"))
            .collect();
        assert_eq!(ours.len(), 1, "{words:?}: {output}");
        for word in words {
            assert!(ours[0].contains(word), "{word}: {output}");
        }
    }
}

/// From each start to the next.
pub fn gaps(starts: &[Line]) -> Vec<Duration> {
    let pairs = starts.windows(2);
    pairs.map(|pair| pair[1].time() - pair[0].time()).collect()
}
