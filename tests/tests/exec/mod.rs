//! What the tests of rc-sv-exec share: a service directory as a module would make it, and the real
//! supervisor of each suite.
#![allow(dead_code)] // Each test file uses a part of it.

use rc_sv_api::{ServiceName, Spec, Value};
use rc_sv_exec::spec_file;
use rc_sv_tests::lab::until as wait_until;
use rc_sv_tests::{Job, Lab, Line};
use std::thread;
use std::time::Duration;

/// Far longer than anything here takes.
pub const SOON: Duration = Duration::from_secs(30);
pub const KILL: i32 = 9;

pub const PROBE: &str = "/usr/lib/rc-sv-tests/probe-daemon";
const PROGRAM: &str = "/usr/libexec/rc-sv/rc-sv-exec";

/// No pause between two runs.
pub const AT_ONCE: [(&str, &str); 2] = [("respawn_delay", "0"), ("rc_supervise_min_interval", "0")];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    S6,
    Runit,
    Daemontools,
}

impl Suite {
    const ALL: [Suite; 3] = [Suite::S6, Suite::Runit, Suite::Daemontools];

    pub fn supervisor(self) -> &'static str {
        match self {
            Suite::S6 => "s6-supervise",
            Suite::Runit => "runsv",
            Suite::Daemontools => "supervise",
        }
    }

    /// Whether it runs `finish`.
    pub fn has_finish(self) -> bool {
        self != Suite::Daemontools
    }
}

/// Runs the test with each suite, at the same time. The panic of a thread names its suite.
pub fn each_suite(test: impl Fn(Suite, &Lab) + Sync) {
    let test = &test;
    thread::scope(|scope| {
        for suite in Suite::ALL {
            thread::Builder::new()
                .name(format!("{suite:?}"))
                .spawn_scoped(scope, move || test(suite, &Lab::new()))
                .expect("a thread");
        }
    });
}

/// The probe daemon as service `foo`, reporting to /tmp/foo, with these options and settings.
pub fn probe(lab: &Lab, suite: Suite, options: &[&str], settings: &[(&str, &str)]) {
    let argv = [&[PROBE, "--report", "/tmp/foo"], options].concat();
    service(lab, suite, &argv, settings);
}

/// The service `foo`: its own directory with a spec, and the service directory /sv/foo.
pub fn service(lab: &Lab, suite: Suite, argv: &[&str], settings: &[(&str, &str)]) {
    let script = format!(
        "set -e; mkdir -p -m 711 /run/openrc/rc-sv; mkdir -p -m 700 /run/openrc/rc-sv/foo
         mkdir -p /sv/foo; cd /sv/foo; ln -s /run/openrc/rc-sv/foo rc-sv; ln -s {PROGRAM} run
         case {suite:?} in Daemontools) ;; *) ln -s {PROGRAM} finish; esac
         echo 0 >timeout-finish"
    );
    lab.sh(&script).ok();
    write_spec(lab, argv, settings);
}

/// Writes the spec as a start would.
pub fn write_spec(lab: &Lab, argv: &[&str], settings: &[(&str, &str)]) {
    let mut spec = Spec::of_service(&ServiceName::new(b"foo").unwrap());
    let list =
        |words: &[&str]| Value::List(words.iter().map(|word| word.as_bytes().to_vec()).collect());
    spec.put("argv", list(argv));
    spec.put(
        "environment",
        list(&["PATH=/usr/bin:/bin", "WHERE=in the spec"]),
    );
    for (name, value) in settings {
        match *name {
            "uid" | "gid" => spec.put(name, Value::Int(value.parse().unwrap())),
            "groups" => spec.put(name, list(&[value])),
            "cgroup" | "runscript" => spec.put(name, Value::Text(value.as_bytes().to_vec())),
            _ => spec.set(name, value.as_bytes(), "test").unwrap(),
        }
    }
    let bytes = spec_file::encode(spec.settings()).unwrap();
    lab.write("/run/openrc/rc-sv/foo/spec", bytes, 0o600);
}

/// Starts the suite's supervisor on the service. A child of one that was killed has its lock until its
/// execve, and who finds it held ends; a scanner would begin another.
pub fn supervise(lab: &Lab, suite: Suite) -> Job<'_> {
    let lock = "/sv/foo/supervise/lock";
    lab.sh(&format!("[ ! -e {lock} ] || flock -w 30 {lock} true"))
        .ok();
    lab.run([suite.supervisor(), "/sv/foo"]).spawn()
}

/// Gives the supervisor an order.
#[track_caller]
pub fn order(lab: &Lab, byte: char) {
    lab.sh(&format!("printf {byte} >/sv/foo/supervise/control"))
        .ok();
}

/// As a module does it for a person.
#[track_caller]
pub fn stop(lab: &Lab) {
    lab.write("/run/openrc/rc-sv/foo/down", "", 0o600);
    order(lab, 'd');
}

/// As a module does it for a person.
#[track_caller]
pub fn start(lab: &Lab) {
    lab.sh("rm -f /run/openrc/rc-sv/foo/record /run/openrc/rc-sv/foo/down")
        .ok();
    order(lab, 'u');
}

/// The starts of the probe, when there are at least `count`.
#[track_caller]
pub fn starts(lab: &Lab, count: usize) -> Vec<Line> {
    lab.report("/tmp/foo", "start", count, SOON)
}

/// How often the probe was started so far.
pub fn start_count(lab: &Lab) -> usize {
    lab.reported("/tmp/foo", "start")
}

/// The record, as soon as a field of it has this value.
#[track_caller]
pub fn until(lab: &Lab, field: &str, value: &str) -> Record {
    let wanted = format!("\n{field} {value}\n");
    let is_there = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&wanted);
    let bytes = lab.wait_for_file("/run/openrc/rc-sv/foo/record", is_there, SOON);
    Record(String::from_utf8_lossy(&bytes).into_owned())
}

pub struct Record(String);

impl Record {
    #[track_caller]
    pub fn get(&self, field: &str) -> &str {
        let mut values = self
            .0
            .lines()
            .filter_map(|line| line.strip_prefix(field)?.strip_prefix(' '));
        values
            .next()
            .unwrap_or_else(|| panic!("no {field} in {}", self.0))
    }

    #[track_caller]
    pub fn number(&self, field: &str) -> u64 {
        self.get(field).parse().unwrap()
    }
}

/// The pid of the supervisor, as OpenRC is told.
#[track_caller]
pub fn supervisor(lab: &Lab) -> i32 {
    lab.text("/run/openrc/rc-sv/.supervisors/foo")
        .trim()
        .parse()
        .unwrap()
}

/// The first words of the supervisor's status by the suite's own tool.
#[track_caller]
pub fn native_status(lab: &Lab, suite: Suite) -> String {
    let tool = match suite {
        Suite::S6 => "s6-svstat",
        Suite::Runit => "sv status",
        Suite::Daemontools => "svstat",
    };
    lab.sh(&format!("{tool} /sv/foo")).all()
}

/// Waits until the newest run of the probe stays, and returns its pid.
#[track_caller]
pub fn until_up(lab: &Lab) -> i32 {
    wait_until("a run that stays", SOON, || {
        let run = starts(lab, 1).pop()?;
        let is_there = lab.exists(format!("/proc/{}", run.pid()));
        let record = until(lab, "phase", "running");
        (is_there && record.number("pid") == run.pid() as u64).then_some(run.pid())
    })
}

/// Waits until the supervisor itself says that the service is down, and `finish` over.
#[track_caller]
pub fn until_down(lab: &Lab, suite: Suite) {
    wait_until("the supervisor to say down", SOON, || {
        let status = native_status(lab, suite);
        // What still runs "want"s "down", and s6-svstat says down while finish runs, and adds when it
        // was ready for the next run.
        let is_down = match suite {
            Suite::S6 => status.starts_with("down ") && status.contains(", ready "),
            Suite::Runit => status.starts_with("down:"),
            Suite::Daemontools => status.contains(": down "),
        };
        is_down.then_some(())
    });
}
