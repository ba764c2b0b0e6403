//! The module monit, beside the ways in which people drive monit from scripts.

mod daemon;

use std::fs;
use std::thread;
use std::time::Duration;

use rc_sv_api::{Request, ServiceName, Spec, Value};

use crate::contender::{program, succeed, STAMP};
use crate::control::{load, timed};
use crate::figure::Figure;
use crate::stamps::Stamps;
use crate::{clock, process, Result};
use daemon::{write, Monit, CONTROL, INCLUDE};

/// Putting a service under watch.
pub const ATTACH: &str = "under monit's watch";
/// Taking it out.
pub const DETACH: &str = "out of monit's watch";
/// Asking how it is.
pub const STATUS: &str = "status under monit";
/// From the death of one service to the first instruction of its successor, while another one dies
/// again and again.
pub const RECOVERY: &str = "recovery under monit beside a crash loop";

/// What is ours, with a control file that monit has to read first.
pub const BY_PROGRAM: &str = "rc-sv-loader";
/// The same without a program around it.
pub const IN_PROCESS: &str = "rc-sv, in the process";
/// Without a control file that is new.
const AGAIN: &str = "rc-sv, in the process, monit knows the file";
/// What it is compared to: the scripts of the first who wanted this.
pub const SCRIPTS: &str = "copy, monit reload, sleep 1, monit monitor";
const UNSCRIPTS: &str = "monit unmonitor, remove, monit reload";
const TOOL: &str = "monit status";
/// Who runs again what has died.
pub const BY_EXEC: &str = "rc-sv-exec, as rc-sv writes it";
/// See [`BY_EXEC`].
pub const BY_MONIT: &str = "monit's own restart";

const ROUNDS: u64 = 30;
/// The scripts sleep.
const FEWER: u64 = 5;
const LOOKS: usize = 500;
/// Crashes beside our crash loop, and beside monit's own, which takes ten seconds.
const CRASHES: usize = 10;
const SLOW_CRASHES: usize = 3;
/// Longest wait for anything, in seconds.
const LONG: u64 = 60;

/// Numbers of services begin with `first`.
pub fn measure(stamps: &mut Stamps, first: u32) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    {
        let _monit = Monit::run()?;
        figures.extend(watches(stamps, first)?);
        figures.extend(scripts(stamps, first + 1)?);
        figures.push(recoveries(stamps, first + 2)?);
    }
    figures.push(restarts(stamps, first + 3)?);
    Ok(figures)
}

/// By the module, in the process and by the program, in turn.
fn watches(stamps: &mut Stamps, number: u32) -> Result<Vec<Figure>> {
    let said = |error: rc_sv_api::Error| error.to_string();
    let pid = daemon(stamps, number)?;
    let mut module = load("monit")?;
    let name = format!("watched-{number}");
    let request = Request::default();
    let (mut attaches, mut agains, mut detaches) = (Vec::new(), Vec::new(), Vec::new());
    let (mut looks, mut by_program) = (Vec::new(), [Vec::new(), Vec::new(), Vec::new()]);
    for round in 0..ROUNDS {
        let spec = spec(&name, number, 2 * round)?;
        for (known, samples) in [(false, &mut attaches), (true, &mut agains)] {
            let (ns, done) = clock::time(|| module.attach(&spec, &request));
            done.map_err(said)?;
            samples.push(ns);
            if !known {
                // Another one is written anew, so that each is the first.
                for _ in 0..LOOKS / ROUNDS as usize {
                    let (ns, status) = clock::time(|| module.status(&spec));
                    status.map_err(said)?;
                    looks.push(ns);
                }
            }
            let (ns, done) = clock::time(|| module.detach(&spec, &request));
            done.map_err(said)?;
            detaches.push(ns);
        }
        let mut attach = program("rc-sv-loader");
        attach.args(["attach", &name, "--module", "monit", "--", STAMP]);
        attach.env("RCSV_pidfile", pid_file(number));
        attach.env("RCSV_command_background", "yes");
        attach.env("RCSV_rc_supervise_memory_limit", limit(2 * round + 1));
        let [attaches, looks, detaches] = &mut by_program;
        attaches.push(timed(&mut attach)?);
        looks.push(timed(program("rc-sv-loader").args(["status", &name]))?);
        detaches.push(timed(program("rc-sv-loader").args(["detach", &name]))?);
    }
    process::kill_now(pid)?;
    stamps.forget(number..number + 1);
    let [program_attaches, program_looks, program_detaches] = by_program;
    Ok(vec![
        Figure::ns(ATTACH, IN_PROCESS, &attaches),
        Figure::ns(ATTACH, AGAIN, &agains),
        Figure::ns(ATTACH, BY_PROGRAM, &program_attaches),
        Figure::ns(DETACH, IN_PROCESS, &detaches),
        Figure::ns(DETACH, BY_PROGRAM, &program_detaches),
        Figure::ns(STATUS, IN_PROCESS, &looks),
        Figure::ns(STATUS, BY_PROGRAM, &program_looks),
    ])
}

/// By scripts and monit's program.
fn scripts(stamps: &mut Stamps, number: u32) -> Result<Vec<Figure>> {
    let pid = daemon(stamps, number)?;
    let name = format!("scripted-{number}");
    let path = format!("{INCLUDE}/{name}.monitrc");
    let monit = |words: &[&str]| succeed(program("monit").args(["-c", CONTROL]).args(words));
    let (mut attaches, mut detaches, mut looks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..FEWER {
        let text = format!("check process {name} with pidfile {}\n", pid_file(number));
        let (ns, done) = clock::time(|| {
            write(&path, &text, 0o600)?;
            monit(&["reload"])?;
            thread::sleep(Duration::from_secs(1));
            monit(&["monitor", &name])
        });
        done?;
        attaches.push(ns);
        for _ in 0..5 {
            let (ns, done) = clock::time(|| monit(&["status", &name]));
            done?;
            looks.push(ns);
        }
        let (ns, done) = clock::time(|| {
            monit(&["unmonitor", &name])?;
            fs::remove_file(&path).map_err(|error| format!("{path}: {error}"))?;
            monit(&["reload"])
        });
        done?;
        detaches.push(ns);
        // What was told to monit is done later.
        thread::sleep(Duration::from_secs(2));
    }
    process::kill_now(pid)?;
    stamps.forget(number..number + 1);
    Ok(vec![
        Figure::ns(ATTACH, SCRIPTS, &attaches),
        Figure::ns(DETACH, UNSCRIPTS, &detaches),
        Figure::ns(STATUS, TOOL, &looks),
    ])
}

/// One service crashes beside one that does so all the time; both are ours.
fn recoveries(stamps: &mut Stamps, number: u32) -> Result<Figure> {
    let policy = "rc_supervise_module=monit\nrespawn_delay=0\nrc_supervise_min_interval=0\n\
                  respawn_max=0\n";
    let background = "command_background=yes\npidfile=/run/$RC_SVCNAME.pid\n";
    write_service(
        "looping",
        &format!("command=/bin/true\n{background}"),
        policy,
    )?;
    let script = format!("command={STAMP}\nexport STAMP={number}\n{background}");
    write_service("steady", &script, policy)?;
    for name in ["looping", "steady"] {
        succeed(program("rc-service").args([name, "start"]))?;
    }
    let samples = crashes(stamps, number, CRASHES)?;
    for name in ["looping", "steady"] {
        succeed(program("rc-service").args([name, "stop"]))?;
    }
    Ok(Figure::ns(RECOVERY, BY_EXEC, &samples))
}

/// The same by monit's own start programs.
fn restarts(stamps: &mut Stamps, number: u32) -> Result<Figure> {
    let pid_file = pid_file(number);
    let start = "/usr/local/bin/steady-by-monit";
    let script = format!(
        "#!/bin/sh\nSTAMP={number} exec start-stop-daemon -S -b -m -p {pid_file} -x {STAMP}\n"
    );
    write(start, &script, 0o755)?;
    let text = format!(
        "check process looping-by-monit with pidfile /run/none.pid\n  \
           start program = \"/bin/true\" with timeout 10 seconds\n\
         check process steady-by-monit with pidfile {pid_file}\n  \
           start program = \"{start}\" with timeout 10 seconds\n"
    );
    write(&format!("{INCLUDE}/restarts.monitrc"), &text, 0o600)?;
    let monit = Monit::run()?;
    let samples = crashes(stamps, number, SLOW_CRASHES)?;
    drop(monit);
    if let Some(stamp) = stamps.latest(number) {
        process::kill_now(stamp.pid)?;
    }
    stamps.forget(number..number + 1);
    Ok(Figure::ns(RECOVERY, BY_MONIT, &samples))
}

fn crashes(stamps: &mut Stamps, number: u32, count: usize) -> Result<Vec<u64>> {
    let mut pid = stamps.of(number, clock::in_seconds(LONG))?.pid;
    let mut samples = Vec::new();
    for _ in 0..count {
        // In no step with monit, which looks every second.
        stamps.pass(clock::now() + 1_370_000_000)?;
        let from = clock::now();
        process::kill_now(pid)?;
        let stamp = stamps.of(number, clock::in_seconds(LONG))?;
        samples.push(stamp.ns.saturating_sub(from));
        pid = stamp.pid;
    }
    Ok(samples)
}

/// A daemon of which monit learns by its pid file.
fn daemon(stamps: &mut Stamps, number: u32) -> Result<i32> {
    let mut start = program("start-stop-daemon");
    start.args(["-S", "-b", "-m", "-p", &pid_file(number), "-x", STAMP]);
    succeed(start.env("STAMP", number.to_string()))?;
    Ok(stamps.of(number, clock::in_seconds(LONG))?.pid)
}

/// As from conf.d, but with a limit that makes another control file of it in each round.
fn spec(name: &str, number: u32, round: u64) -> Result<Spec> {
    let said = |error: rc_sv_api::Error| error.to_string();
    let service = ServiceName::new(name.as_bytes()).map_err(said)?;
    let mut spec = Spec::of_service(&service);
    spec.put("svcdir", Value::Text(b"/run/openrc".to_vec()));
    spec.put("argv", Value::List(vec![STAMP.into()]));
    for (key, value) in [
        ("pidfile", pid_file(number)),
        ("command_background", "yes".to_owned()),
        ("rc_supervise_memory_limit", limit(round)),
    ] {
        spec.set(key, value.as_bytes(), "bench").map_err(said)?;
    }
    Ok(spec)
}

fn limit(round: u64) -> String {
    format!("{}M", 1_000 + round)
}

fn pid_file(number: u32) -> String {
    format!("/run/bench-{number}.pid")
}

fn write_service(name: &str, script: &str, conf: &str) -> Result<()> {
    let text = format!("#!/sbin/openrc-run\n{script}");
    write(&format!("/etc/init.d/{name}"), &text, 0o755)?;
    write(&format!("/etc/conf.d/{name}"), conf, 0o644)
}
