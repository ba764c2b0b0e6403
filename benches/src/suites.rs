//! The modules s6, runit and daemontools, beside the tools of their suites and OpenRC's own
//! scripts for them.

mod lives;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command};

use rc_sv_api::{ServiceName, Spec, Value};

use crate::contender::{program, succeed, STAMP};
use crate::control::load;
use crate::figure::Figure;
use crate::stamps::Stamps;
use crate::{clock, Result};

/// Until `rc-service` comes back.
pub const START: &str = "start under a suite";
/// Until the daemon's first instruction.
pub const UP: &str = "up under a suite";
/// Until `rc-service` is back and the daemon's process has ended, whoever waits for what.
pub const STOP: &str = "stop under a suite";
/// What of that is more than OpenRC itself takes, for a service that does nothing.
pub const BEYOND: &str = "stop under a suite, beyond OpenRC's own time";
/// Until the daemon's process has ended.
pub const GONE: &str = "gone under a suite";
/// One service, and all of them.
pub const STATUS: &str = "status under a suite";

/// So many services are looked at; no scanner takes more.
pub const SERVICES: u32 = 1_000;

/// Starts and stops of each.
const ROUNDS: usize = 7;
/// Looks at one service.
const LOOKS: usize = 2_000;
/// Looks at all.
const LISTS: usize = 20;
/// Processes that start services at a time: scanners that look once a second look once for them.
const AT_A_TIME: u32 = 250;
/// Longest wait for anything, in seconds.
const LONG: u64 = 60;
/// Between a start and a stop, and a stop and a start.
const BETWEEN: u64 = 1_370_000_000;

/// A suite.
struct Suite {
    name: &'static str,
    /// The service that runs its scanner, and its script, where none is installed.
    scanner: &'static str,
    script: &'static str,
    scan_dir: &'static str,
    /// How often the scanner looks by itself, in nanoseconds; 0 where it looks when it is told to.
    period: u64,
    /// The tool that shows the status of a service directory.
    tool: &'static [&'static str],
    /// What stands in conf.d for OpenRC's own script, which takes a directory written by hand.
    stock: &'static str,
}

const SUITES: [Suite; 3] = [
    Suite {
        name: "s6",
        scanner: "s6-svscan",
        script: "command=/usr/bin/s6-svscan\ncommand_args=\"-c 1010 $RC_SVCDIR/s6-scan\"\n\
                 command_background=yes\npidfile=/run/s6-svscan.pid\n\
                 start_pre() { checkpath -d $RC_SVCDIR/s6-scan; }\n",
        scan_dir: "/run/openrc/s6-scan",
        period: 0,
        tool: &["s6-svstat"],
        stock: "supervisor=s6\ns6_service_path=/srv/bench/stock-s6\n",
    },
    Suite {
        name: "runit",
        scanner: "runsvdir",
        script: "command=/usr/bin/runsvdir\n\
                 command_args=\"-P $RC_SVCDIR/sv 'log: ................................'\"\n\
                 command_background=yes\npidfile=/run/runsvdir.pid\n\
                 start_pre() { checkpath -d $RC_SVCDIR/sv; }\n",
        scan_dir: "/run/openrc/sv",
        period: clock::SECOND,
        tool: &["sv", "status"],
        stock: "supervisor=runit\nrunit_service=/srv/bench/stock-runit\n",
    },
    Suite {
        name: "daemontools",
        scanner: "svscan",
        script: "",
        scan_dir: "/run/openrc/svscan",
        period: 5 * clock::SECOND,
        tool: &["svstat"],
        // OpenRC has none for daemontools.
        stock: "",
    },
];

/// The name of what is ours, and of what it is compared to.
pub fn ours(suite: &str) -> String {
    format!("{suite}, rc-sv")
}

/// See [`ours`].
pub fn theirs(suite: &str) -> String {
    format!("{suite}, OpenRC's script")
}

/// The name of what OpenRC takes by itself, for a service that does nothing.
pub fn alone(suite: &str) -> String {
    format!("{suite}, a service that does nothing")
}

/// The names of the figures of [`STATUS`].
pub fn one(suite: &str) -> String {
    format!("{suite}, one service, in the process")
}

/// See [`one`].
pub fn all(suite: &str) -> String {
    format!("{suite}, {SERVICES} services, in the process")
}

/// See [`one`].
pub fn forked(suite: &str) -> String {
    format!("{suite}, {SERVICES} services, its tool for each")
}

/// The names of the suites, and whether OpenRC has a script for them.
pub fn names() -> impl Iterator<Item = (&'static str, bool)> {
    SUITES
        .iter()
        .map(|suite| (suite.name, !suite.stock.is_empty()))
}

/// Measures each suite by itself. Numbers begin with `first`.
pub fn measure(stamps: &mut Stamps, first: u32, say: &dyn Fn(&str)) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for suite in &SUITES {
        say(&format!("suites: {}", suite.name));
        if !suite.script.is_empty() {
            write_service(suite.scanner, suite.script, "")?;
        }
        rc_service(suite.scanner, "start")?;
        figures.extend(lives::measure(suite, stamps, first)?);
        figures.extend(states(suite, stamps, first + 10)?);
        rc_service(suite.scanner, "stop")?;
    }
    Ok(figures)
}

/// The status of one service and of all, and of all by the suite's tool.
fn states(suite: &Suite, stamps: &mut Stamps, first: u32) -> Result<Vec<Figure>> {
    let numbers: Vec<u32> = (first..first + SERVICES).collect();
    for batch in numbers.chunks(AT_A_TIME as usize) {
        let starts: Vec<Command> = batch.iter().map(|number| start(suite, *number)).collect();
        together(starts)?;
    }
    crate::contender::all_up(stamps, first..first + SERVICES)?;
    let said = |error: rc_sv_api::Error| error.to_string();
    let mut module = load(suite.name)?;
    let name = ServiceName::new(service(first).as_bytes()).map_err(said)?;
    let mut spec = Spec::of_service(&name);
    spec.put("svcdir", Value::Text(b"/run/openrc".to_vec()));
    let (mut looks, mut lists, mut tools) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..LOOKS {
        let (ns, status) = clock::time(|| module.status(&spec));
        status.map_err(said)?;
        looks.push(ns);
    }
    for _ in 0..LISTS {
        let mut up = 0;
        let (ns, listed) = clock::time(|| {
            module.list(&mut |_, status| {
                up += u32::from(status.state == rc_sv_api::State::Up);
                true
            })
        });
        listed.map_err(said)?;
        if up != SERVICES {
            return Err(format!(
                "{}: {up} of {SERVICES} services are up",
                suite.name
            ));
        }
        lists.push(ns);
    }
    for _ in 0..2 {
        let (ns, shown) = clock::time(|| {
            numbers.iter().try_for_each(|number| {
                let mut tool = program(suite.tool[0]);
                tool.args(&suite.tool[1..]);
                succeed(tool.arg(format!("{}/{}", suite.scan_dir, service(*number))))
            })
        });
        shown?;
        tools.push(ns);
    }
    for batch in numbers.chunks(AT_A_TIME as usize) {
        together(batch.iter().map(|number| {
            let mut stop = program("rc-sv-loader");
            stop.args(["stop", &service(*number)]);
            stop
        }))?;
    }
    stamps.forget(first..first + SERVICES);
    Ok(vec![
        Figure::ns(STATUS, one(suite.name), &looks),
        Figure::ns(STATUS, all(suite.name), &lists),
        Figure::ns(STATUS, forked(suite.name), &tools),
    ])
}

fn service(number: u32) -> String {
    format!("suite-{number}")
}

fn start(suite: &Suite, number: u32) -> Command {
    let mut command = program("rc-sv-loader");
    command.args([
        "start",
        &service(number),
        "--module",
        suite.name,
        "--",
        STAMP,
    ]);
    command.env("STAMP", number.to_string());
    command
}

/// Runs all of them at the same time.
fn together(commands: impl IntoIterator<Item = Command>) -> Result<()> {
    let begin = |mut command: Command| command.spawn().map_err(|error| error.to_string());
    let children: Vec<Child> = commands.into_iter().map(begin).collect::<Result<_>>()?;
    for mut child in children {
        let status = child.wait().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("rc-sv-loader: {status}; its own words are above"));
        }
    }
    Ok(())
}

fn rc_service(name: &str, operation: &str) -> Result<u64> {
    let mut command = program("rc-service");
    command.args([name, operation]);
    let (ns, result) = clock::time(|| succeed(&mut command));
    result.map(|()| ns)
}

fn write_service(name: &str, script: &str, conf: &str) -> Result<()> {
    let text = format!("#!/sbin/openrc-run\n{script}");
    write(&format!("/etc/init.d/{name}"), &text, 0o755)?;
    write(&format!("/etc/conf.d/{name}"), conf, 0o644)
}

fn write(path: &str, text: &str, mode: u32) -> Result<()> {
    let said = |error: std::io::Error| format!("{path}: {error}");
    if let Some(directory) = std::path::Path::new(path).parent() {
        fs::create_dir_all(directory).map_err(said)?;
    }
    fs::write(path, text).map_err(said)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(said)
}
