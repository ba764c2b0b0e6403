//! What asking internal costs: the program rc-sv-loader and the module's calls.

use std::process::{Command, Stdio};
use std::rc::Rc;

use rc_sv_api::Spec;
use rc_sv_loader::host::Listener;
use rc_sv_loader::module::Module;
use rc_sv_loader::search::Directories;

use crate::contender::internal::{loader, service, Internal, AT_ONCE};
use crate::contender::{program, succeed, Contender, STAMP};
use crate::figure::Figure;
use crate::stamps::Stamps;
use crate::{clock, host, module, process, storm, Result};

/// Where modules are in the lab.
pub const MODULES: &str = "/usr/lib/rc-sv";

/// The name of this section.
pub const SECTION: &str = "control of internal";

/// How long a stop takes of a service that waits for its next start.
pub const OUT_OF_BACK_OFF: &str = "stop out of a back-off of 20 s";

/// Calls of each kind.
const ROUNDS: usize = 50;
/// Those that take longer.
const FEWER: usize = 20;
/// Lists in the process.
const LISTS: usize = 500;
/// Longest wait for anything, in seconds.
const LONG: u64 = 10;

/// Start, status and stop of one service, a stop out of back-off, a program that is missing, the
/// loading of the module, and sizes.
pub fn measure(stamps: &mut Stamps, number: u32) -> Result<Vec<Figure>> {
    // Another service keeps the supervisor up.
    start(stamps, number, &[])?;
    let (one, name) = (number + 1, service(number + 1));
    let (mut starts, mut states, mut stops) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        starts.push(start(stamps, one, &[])?);
        states.push(timed(&mut loader("status", &name))?);
        stops.push(timed(&mut loader("stop", &name))?);
    }
    let mut out_of_back_off = Vec::new();
    for _ in 0..FEWER {
        start(stamps, one, &[("RCSV_respawn_delay", "20")])?;
        back_off(stamps, one)?;
        out_of_back_off.push(timed(&mut loader("stop", &name))?);
    }
    let mut refusals = Vec::new();
    for _ in 0..FEWER {
        refusals.push(refused(&name)?);
    }
    let (loads, sizes) = (module::measure()?, module::sizes()?);
    let hosts = host::measure(&service(number))?;
    succeed(&mut loader("stop", &service(number)))?;
    stamps.forget(number..one + 1);
    let mut figures = vec![
        Figure::ns(SECTION, "rc-sv-loader start", &starts),
        Figure::ns(SECTION, "rc-sv-loader status", &states),
        Figure::ns(SECTION, "rc-sv-loader stop", &stops),
        Figure::ns(SECTION, OUT_OF_BACK_OFF, &out_of_back_off),
        Figure::ns(
            SECTION,
            "start of a program that is missing, refused",
            &refusals,
        ),
    ];
    figures.extend(hosts.into_iter().chain(loads).chain(sizes));
    Ok(figures)
}

/// The list of as many services as in a storm.
pub fn many(stamps: &mut Stamps, first: u32) -> Result<Vec<Figure>> {
    let mut internal = Internal::new(first);
    internal.start(stamps, storm::SERVICES)?;
    let figures = lists(storm::SERVICES)?;
    internal.stop(stamps)?;
    Ok(figures)
}

/// The list of `services` services, by the program and in the process.
pub fn lists(services: u32) -> Result<Vec<Figure>> {
    let mut by_program = Vec::new();
    for _ in 0..FEWER {
        let mut command = program("rc-sv-loader");
        let (ns, result) = clock::time(|| succeed(command.args(["status", "--json"])));
        result?;
        by_program.push(ns);
    }
    let mut module = load("internal")?;
    let mut in_process = Vec::new();
    for _ in 0..LISTS {
        let mut count = 0;
        let (ns, result) = clock::time(|| {
            module.list(&mut |_, _| {
                count += 1;
                true
            })
        });
        result.map_err(|error| format!("list: {error}"))?;
        if count != services {
            return Err(format!("list: {count} services instead of {services}"));
        }
        in_process.push(ns);
    }
    Ok(vec![
        Figure::ns(
            SECTION,
            format!("rc-sv-loader status --json, {services}"),
            &by_program,
        ),
        Figure::ns(SECTION, list_name(services), &in_process),
    ])
}

/// What a list of `services` services is called that needs no program.
pub fn list_name(services: u32) -> String {
    format!("list, in the process, {services}")
}

/// Loads and opens a module as rc-sv-loader does.
pub fn load(name: &str) -> Result<Module> {
    let directories = Directories::only(vec![MODULES.into()]);
    let found = directories.find(name).map_err(|error| error.to_string())?;
    Module::load(found, &Spec::default(), Rc::new(Silent)).map_err(|error| error.to_string())
}

/// What a module says is no part of the measurement.
struct Silent;

impl Listener for Silent {
    fn log(&self, _module: &str, _level: i32, _line: &str) {}
}

fn start(stamps: &mut Stamps, number: u32, further: &[(&str, &str)]) -> Result<u64> {
    let mut command = loader("start", &service(number));
    command
        .args(["--", STAMP])
        .env("STAMP", number.to_string())
        .envs(AT_ONCE)
        .envs(further.iter().copied());
    let ns = timed(&mut command)?;
    stamps.of(number, clock::in_seconds(LONG))?;
    Ok(ns)
}

/// Kills the service and waits until it has no process any more.
fn back_off(stamps: &Stamps, number: u32) -> Result<()> {
    let stamp = stamps.latest(number).ok_or("the service is not up")?;
    process::kill_now(stamp.pid)?;
    let deadline = clock::in_seconds(LONG);
    loop {
        let output = loader("status", &service(number))
            .arg("--json")
            .stdout(Stdio::piped())
            .output()
            .map_err(|error| error.to_string())?;
        let status: serde_json::Value =
            serde_json::from_slice(&output.stdout).map_err(|error| format!("status: {error}"))?;
        if status["pid"].as_i64().is_none_or(|pid| pid <= 0) {
            return Ok(());
        }
        if clock::now() > deadline {
            return Err(format!("still with a process: {status}"));
        }
    }
}

fn refused(name: &str) -> Result<u64> {
    let mut command = loader("start", name);
    command.args(["--", "/nowhere/daemon"]).envs(AT_ONCE);
    let (ns, result) = clock::time(|| succeed(&mut command));
    match result {
        Err(said) if said.contains("No such file") => Ok(ns),
        Err(said) => Err(format!("not the errno: {said}")),
        Ok(()) => Err("a program that is missing was started".into()),
    }
}

/// How long a program takes from its fork to its end.
pub fn timed(command: &mut Command) -> Result<u64> {
    let (ns, result) = clock::time(|| succeed(command));
    result.map(|()| ns)
}
