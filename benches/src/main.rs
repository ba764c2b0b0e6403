//! `rc-sv-bench`: measures rc-sv's internal module beside other supervisors, in one lab, in one
//! run, against floors that are measured in the same run.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bars;
mod clock;
mod contender;
mod control;
mod figure;
mod host;
mod inside;
mod memory;
mod module;
mod monit;
mod openrc;
mod pace;
mod process;
mod report;
mod rest;
mod restart;
mod stamps;
mod storm;
mod suites;
mod tree;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Seek};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;

use figure::Figure;
use inside::Part;
use nix::unistd::alarm;
use rc_sv_tests::Lab;

/// The error is one line for a person.
type Result<T> = std::result::Result<T, String>;

const USAGE: &str = "\
usage: rc-sv-bench [--json FILE] [--peers] [--only PART]

Measures for about five minutes and prints tables. Exits with 1 when internal is behind
supervise-daemon or s6, loses or doubles a service, or needs too much memory.

  --json FILE   write all samples to the file
  --peers       without rc-sv: the floors and the other supervisors only
  --only PART   only this part, and no verdict: memory restart storm openrc control suites
                monit

Needs root, cc, and what 'make root' and 'make stage' make.
";

/// The first argument of this program inside of the lab.
const INSIDE: &str = "@inside";

/// After so many seconds the part in the lab is killed.
const TIMEOUT: u32 = 900;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let first = args.first().and_then(|arg| arg.to_str());
    let done = match first {
        Some(INSIDE) => inside(&args[1..]),
        Some(module::ARGUMENT) => module::load_once()
            .map(|ns| println!("{ns}"))
            .map(|()| true),
        Some(module::CHECK_ARGUMENT) => module::check_once()
            .map(|ns| println!("{ns}"))
            .map(|()| true),
        _ => match Options::parse(args) {
            Some(options) => outside(&options),
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
            eprintln!("rc-sv-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    json: Option<PathBuf>,
    peers: bool,
    only: Option<Part>,
}

impl Options {
    fn parse(args: Vec<OsString>) -> Option<Options> {
        let (mut json, mut peers, mut only) = (None, false, None);
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.to_str()? {
                "--json" => json = Some(args.next()?.into()),
                "--peers" => peers = true,
                "--only" => only = Some(Part::from_name(args.next()?.to_str()?)?),
                _ => return None,
            }
        }
        Some(Options { json, peers, only })
    }

    /// Arguments for the program inside of the lab, for [`inside`].
    fn arguments(&self) -> Vec<&'static str> {
        let parts = Part::ALL.into_iter();
        let wanted = parts.filter(|part| self.only.is_none_or(|only| only == *part));
        let mut words = vec![tree::PROGRAM, INSIDE];
        words.push(if self.peers { "peers" } else { "all" });
        words.extend(wanted.map(Part::name));
        words
    }
}

/// True when all bars hold.
fn outside(options: &Options) -> Result<bool> {
    let figures = in_a_lab(options)?;
    let bars = if options.peers || options.only.is_some() {
        Vec::new()
    } else {
        bars::check(&figures)
    };
    print!("{}", report::text(&figures, &bars));
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&figures).map_err(|error| error.to_string())?;
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(bars.iter().all(|bar| bar.holds || !bar.binding))
}

fn in_a_lab(options: &Options) -> Result<Vec<Figure>> {
    let tree = tree::make()?;
    let builder = Lab::builder().over(tree.path());
    let builder = if options.peers {
        builder.without_stage()
    } else {
        builder
    };
    let lab = builder.try_build()?;
    let said = |error: io::Error| format!("the part in the lab: {error}");
    let null = File::open("/dev/null").map_err(said)?;
    let mut figures = tempfile::tempfile().map_err(said)?;
    let stderr = io::stderr();
    let status = lab
        .run(options.arguments())
        .attached([null.as_fd(), figures.as_fd(), stderr.as_fd()])
        .map_err(said)?;
    if !status.success() {
        return Err(format!("the part in the lab ended: {status}"));
    }
    figures.rewind().map_err(said)?;
    serde_json::from_reader(figures).map_err(|error| format!("the part in the lab: {error}"))
}

/// In the lab: figures to standard output, what is going on to standard error.
fn inside(args: &[OsString]) -> Result<bool> {
    alarm::set(TIMEOUT);
    let words: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let with_rc_sv = words.first() == Some(&"all");
    let parts: Vec<Part> = words
        .iter()
        .filter_map(|name| Part::from_name(name))
        .collect();
    let from = clock::now();
    let say = |what: &str| {
        let seconds = (clock::now() - from) / clock::SECOND;
        eprintln!("{seconds:4} s  {what}");
    };
    let figures = inside::run(with_rc_sv, &parts, &say)?;
    say("done");
    serde_json::to_writer(io::stdout(), &figures).map_err(|error| error.to_string())?;
    Ok(true)
}
