//! The service: reports that it was started, holds a lock so that a second copy is noticed, and
//! ends in one of many ways.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg};
use nix::poll::{poll, PollTimeout};
use nix::sys::signal::{raise, SigSet, Signal};

use crate::chance::Chance;
use crate::process::Identity;
use crate::scene::{self, CALM};
use crate::Result;

/// The first argument of this program when it is the service.
pub const ARGUMENT: &str = "@service";

/// Its variables: the seed of the campaign, and whether it has to say that it is ready.
pub const SEED: &str = "CAMPAIGN_SEED";
pub const SAYS: &str = "CAMPAIGN_SAYS";

/// The exit code of a second copy.
const DOUBLED: i32 = 99;

/// One way to end.
enum Fate {
    Stays,
    Exits(i32),
    Dies(Signal),
}

/// Lives as the service of this name; answers its exit code.
pub fn run(service: &str) -> Result<i32> {
    let own = Identity::of_self()?;
    let is_alone = lock(service)?;
    let word = if is_alone { "start" } else { "double" };
    let starts = report(service, &format!("{word} {own}\n"))?;
    if !is_alone {
        return Ok(DOUBLED);
    }
    if env::var_os(SAYS).is_some() {
        // Descriptor 3, of which Rust knows nothing.
        let mut ready = OpenOptions::new().write(true).open("/proc/self/fd/3");
        // Nobody listens when the supervisor has just been killed.
        let _ = ready.as_mut().map(|pipe| pipe.write_all(b"\n"));
    }
    let seed = env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let number: u64 = service.bytes().map(u64::from).sum();
    let mut chance = Chance::new(seed.unwrap_or(0) ^ (number << 32) ^ starts as u64);
    live(service, &mut chance)
}

fn live(service: &str, chance: &mut Chance) -> Result<i32> {
    if chance.percent(10) {
        // The ladder goes on to KILL.
        SigSet::from(Signal::SIGTERM)
            .thread_block()
            .map_err(|errno| format!("block a signal: {errno}"))?;
    }
    if chance.percent(15) {
        // It is left behind, and has to be swept away. There may be no room for it.
        let _ = Command::new("/bin/sleep").arg(scene::left(service)).spawn();
    }
    let fate = match chance.below(100) {
        0..=54 => Fate::Stays,
        55..=74 => Fate::Exits(chance.one_of(&[0, 1, 3, 111])),
        75..=84 => Fate::Exits(3),
        _ => Fate::Dies(chance.one_of(&[Signal::SIGKILL, Signal::SIGTERM, Signal::SIGUSR1])),
    };
    let wait = match chance.below(4) {
        0 => chance.millis(0, 5),
        _ => chance.millis(5, 3_000),
    };
    let is_calm = || Path::new(CALM).exists();
    if matches!(fate, Fate::Stays) || is_calm() {
        pass(PollTimeout::NONE);
    }
    pass(PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO));
    if is_calm() {
        pass(PollTimeout::NONE);
    }
    match fate {
        Fate::Stays => Ok(0),
        Fate::Exits(code) => std::process::exit(code),
        Fate::Dies(signal) => {
            let _ = SigSet::all().thread_unblock();
            raise(signal).map_err(|errno| format!("die: {errno}"))?;
            Ok(0)
        }
    }
}

/// Lets time pass in which nothing but a signal comes.
fn pass(wait: PollTimeout) {
    while poll(&mut [], wait) == Err(Errno::EINTR) {}
}

/// Whether this is the only copy. A record lock ends with the process and with nothing else.
fn lock(service: &str) -> Result<bool> {
    let path = scene::lock(service);
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    let whole = nix::libc::flock {
        l_type: nix::libc::F_WRLCK as i16,
        l_whence: nix::libc::SEEK_SET as i16,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    let done = fcntl(&file, FcntlArg::F_SETLK(&whole));
    std::mem::forget(file);
    match done {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(errno) => Err(failed(errno.into())),
    }
}

/// Adds a line to the reports of the service, in one step; how many lines there are now.
fn report(service: &str, line: &str) -> Result<usize> {
    let path = scene::report(service);
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(failed)?;
    file.write_all(line.as_bytes()).map_err(failed)?;
    let text = std::fs::read_to_string(&path).map_err(failed)?;
    Ok(text.lines().count())
}
