//! What a service says through its notification socket: sd_notify(3), without systemd.
//!
//! A datagram is lines of `NAME=value`. It comes from whoever can write to the socket, so it is
//! bounded, and what is malformed is left out; nothing here can fail. Unknown names are skipped,
//! as the protocol demands.

use std::time::Duration;

/// The longest datagram that is read; that of systemd (`NOTIFY_BUFFER_MAX`).
pub const LONGEST: usize = 4096;

/// The longest `STATUS=` that is kept, in bytes: it becomes part of one line.
const LONGEST_STATUS: usize = 120;

/// The longest name of a stored descriptor; that of systemd (`FDNAME_MAX`).
const LONGEST_NAME: usize = 255;

/// One datagram, understood. Where a name comes twice the first one counts, of [`Phase`] the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// `READY=1`, `RELOADING=1` or `STOPPING=1`.
    pub phase: Option<Phase>,
    /// `STATUS=`: one line without control characters.
    pub status: Option<String>,
    /// `ERRNO=`: why it fails.
    pub errno: Option<i32>,
    /// `EXIT_STATUS=`: the code with which it is about to exit.
    pub exit_status: Option<u8>,
    /// `MAINPID=`: more than 1, and not to be believed yet.
    pub main_pid: Option<i32>,
    /// `EXTEND_TIMEOUT_USEC=`: it needs this long from now on.
    pub extend: Option<Duration>,
    /// `WATCHDOG=1` or `WATCHDOG=trigger`.
    pub watchdog: Option<Watchdog>,
    /// `WATCHDOG_USEC=`: how often it will say `WATCHDOG=1` at least; zero for not at all.
    pub watchdog_interval: Option<Duration>,
    /// `NOTIFYACCESS=`: whom to listen to from now on.
    pub access: Option<Access>,
    /// `FDSTORE=1` or `FDSTOREREMOVE=1`.
    pub store: Option<Store>,
    /// `FDNAME=`: the name of the descriptors.
    pub name: Option<String>,
    /// `FDPOLL=0`: they are kept even when their other end is closed.
    pub unwatched: bool,
    /// `BARRIER=1`: closing the descriptor that came along tells that all before was heard. Then
    /// there is nothing else.
    pub barrier: bool,
}

/// Where it is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It does its work.
    Ready,
    /// It reads its configuration again.
    Reloading,
    /// It is about to end.
    Stopping,
}

/// What it says to its watchdog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watchdog {
    /// It is alive.
    Alive,
    /// It is to be treated as if it had said nothing for too long.
    Trigger,
}

/// Whom to listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nobody.
    Nobody,
    /// The main process.
    Main,
    /// Every process of the service.
    All,
}

/// What is to become of descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Those that came along are kept for the next instance.
    Keep,
    /// Those of that name are closed.
    Remove,
}

/// Reads a datagram; `None` for one that is to be dropped as a whole: it is too long, or has a NUL
/// byte before its end.
pub fn parse(datagram: &[u8]) -> Option<Message> {
    let text = datagram.strip_suffix(&[0]).unwrap_or(datagram);
    if datagram.len() > LONGEST || text.contains(&0) {
        return None;
    }
    let lines = || {
        text.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
    };
    let is_barrier = |line: &[u8]| line == b"BARRIER=1";
    if lines().any(is_barrier) {
        return Some(Message {
            barrier: lines().all(is_barrier),
            ..Message::default()
        });
    }
    let mut message = Message::default();
    for line in lines() {
        if let Some(at) = line.iter().position(|byte| *byte == b'=') {
            message.take(&line[..at], &line[at + 1..]);
        }
    }
    Some(message)
}

impl Message {
    fn take(&mut self, name: &[u8], value: &[u8]) {
        match (name, value) {
            (b"READY", b"1") => self.phase = Some(Phase::Ready),
            (b"RELOADING", b"1") => self.phase = Some(Phase::Reloading),
            (b"STOPPING", b"1") => self.phase = Some(Phase::Stopping),
            (b"STATUS", _) => first(&mut self.status, status(value)),
            (b"ERRNO", _) => first(&mut self.errno, number(value).filter(|errno| *errno > 0)),
            (b"EXIT_STATUS", _) => first(&mut self.exit_status, number(value)),
            (b"MAINPID", _) => first(&mut self.main_pid, number(value).filter(|pid| *pid > 1)),
            (b"EXTEND_TIMEOUT_USEC", _) => first(&mut self.extend, micros(value)),
            (b"WATCHDOG_USEC", _) => first(&mut self.watchdog_interval, micros(value)),
            (b"WATCHDOG", b"1") => first(&mut self.watchdog, Some(Watchdog::Alive)),
            (b"WATCHDOG", b"trigger") => first(&mut self.watchdog, Some(Watchdog::Trigger)),
            (b"NOTIFYACCESS", _) => first(&mut self.access, access(value)),
            (b"FDSTORE", b"1") => first(&mut self.store, Some(Store::Keep)),
            (b"FDSTOREREMOVE", b"1") => first(&mut self.store, Some(Store::Remove)),
            (b"FDNAME", _) => first(&mut self.name, fd_name(value)),
            (b"FDPOLL", b"0") => self.unwatched = true,
            _ => {}
        }
    }
}

fn first<T>(place: &mut Option<T>, value: Option<T>) {
    if place.is_none() {
        *place = value;
    }
}

fn number<N: std::str::FromStr>(value: &[u8]) -> Option<N> {
    // A sign, which Rust takes, is none of the protocol.
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value)
        .ok()?
        .parse()
        .ok()
        .filter(|_| digits)
}

/// As long as a setting may be at most: a larger number means for ever.
fn micros(value: &[u8]) -> Option<Duration> {
    let micros = number(value)?;
    Some(Duration::from_micros(micros).min(rc_sv_api::duration::MAX))
}

fn status(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let mut line: String = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect();
    let end = (0..=LONGEST_STATUS.min(line.len())).rfind(|at| line.is_char_boundary(*at));
    line.truncate(end.unwrap_or(0));
    Some(line.trim().to_string())
}

fn access(value: &[u8]) -> Option<Access> {
    match value {
        b"none" => Some(Access::Nobody),
        // There are no control processes here besides the commands of the spec, which say nothing.
        b"main" | b"exec" => Some(Access::Main),
        b"all" => Some(Access::All),
        _ => None,
    }
}

fn fd_name(value: &[u8]) -> Option<String> {
    let fits = |byte: &u8| (b' '..0x7f).contains(byte) && *byte != b':';
    let good = !value.is_empty() && value.len() <= LONGEST_NAME && value.iter().all(fits);
    String::from_utf8(value.to_vec()).ok().filter(|_| good)
}

#[cfg(test)]
#[path = "sd_notify_tests.rs"]
mod tests;
