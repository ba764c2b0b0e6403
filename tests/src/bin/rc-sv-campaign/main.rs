//! `rc-sv-campaign`: services of rc-sv-supervisor that crash, and a system that fails, at random,
//! while everything that is promised of them is counted. Runs in a lab; see `make campaign`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod calm;
mod chance;
mod clock;
mod daemon;
mod fault;
mod growth;
mod journal;
mod ledger;
mod order;
mod process;
mod scarcity;
mod scene;
mod storm;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chance::Chance;
use journal::Journal;
use ledger::Ledger;
use scene::Scene;

/// The error is one line for a person.
type Result<T> = std::result::Result<T, String>;

const USAGE: &str = "\
usage: rc-sv-campaign [--seconds N] [--services N] [--harsh yes] [--clock yes]

Lets services crash at random for N seconds (60), kills, stops and continues them and their
supervisor, has it execute itself again, takes away processes, descriptors, space and the right to
write, and starts, stops and restarts at the same time. Prints what it did and counts what was lost,
doubled or forgotten. Exits with 1 when that is not nothing, or something grows. RC_SV_SEED is the
seed; the same one draws the same.

With --harsh supervisors are killed while something is scarce, too.
For a lab only: rc-sv-lab -- /usr/lib/rc-sv-tests/rc-sv-campaign

With --clock the wall's clock jumps, by up to ten years. No namespace has one of its own, so that is
for a machine that is thrown away, where no lab is needed:
unshare --pid --fork --mount-proc /usr/lib/rc-sv-tests/rc-sv-campaign --clock yes
";

/// How long it storms before everything has to be in order again.
const STORM: Duration = Duration::from_secs(8);

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let words: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let done = match words.as_slice() {
        [daemon::ARGUMENT, service] => daemon::run(service).map(|code| code == 0),
        words => match options(words) {
            Some(options) => campaign(&options),
            None => {
                eprint!("{USAGE}");
                return ExitCode::from(2);
            }
        },
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("rc-sv-campaign: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    seconds: u64,
    services: usize,
    is_harsh: bool,
    sets_clock: bool,
}

fn options(words: &[&str]) -> Option<Options> {
    let mut options = Options {
        seconds: 60,
        services: 40,
        is_harsh: false,
        sets_clock: false,
    };
    for pair in words.chunks(2) {
        match pair {
            ["--seconds", number] => options.seconds = number.parse().ok()?,
            ["--services", number] => {
                options.services = number.parse().ok().filter(|count| *count > 0)?;
            }
            ["--harsh", "yes"] => options.is_harsh = true,
            ["--clock", "yes"] => options.sets_clock = true,
            _ => return None,
        }
    }
    Some(options)
}

/// True when nothing was lost, doubled or forgotten, and nothing grows.
fn campaign(options: &Options) -> Result<bool> {
    let seed = match env::var("RC_SV_SEED") {
        Ok(text) => text
            .parse()
            .map_err(|_| format!("RC_SV_SEED={text:?}: must be a number"))?,
        Err(_) => chance::any_seed(),
    };
    println!("seed {seed}: RC_SV_SEED={seed} draws the same again");
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let mut chance = Chance::new(seed);
    let mut scene = Scene::new(seed, options)?;
    let mut ledger = Ledger::new(Journal::open()?);
    scene.start_all(&mut ledger)?;
    scene.calm(&mut ledger)?;
    while Instant::now() < end {
        let left = end.saturating_duration_since(Instant::now());
        storm::storm(&mut scene, &mut chance, &mut ledger, STORM.min(left))?;
        scene.calm(&mut ledger)?;
    }
    if let Err(grown) = ledger.growth.over_all(options.services) {
        ledger.defect(grown);
    }
    scene.end(&mut ledger)?;
    print!("{ledger}");
    Ok(ledger.is_clean())
}
