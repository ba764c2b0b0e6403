//! The other end: does a call, and sends what is answered through a pipe.
#![allow(unsafe_code)]

use super::MUTE;
use crate::call::Call;
use crate::host::Listener;
use crate::limits;
use crate::loader::Loader;
use crate::reply::Reply;
use crate::services::{Failure, Services};
use nix::sys::stat::fstat;
use rc_sv_api::event::Event;
use rc_sv_api::{Code, Error, Outcome};
use std::cell::Cell;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;

/// The option of `rc-sv-loader` that makes it [`answer`].
pub const OPTION: &str = "--answer";

/// A pipe whose reader decodes replies.
pub(super) struct Relay {
    pipe: RawFd,
    /// Device and inode: a module may close what it has not opened, and the number is then
    /// somebody else's.
    identity: (u64, u64),
    heard: Cell<bool>,
}

impl Relay {
    /// One that writes to `pipe`, which stays the caller's.
    pub fn new(pipe: RawFd) -> Option<Rc<Relay>> {
        Some(Rc::new(Relay {
            pipe,
            identity: identity(pipe)?,
            heard: Cell::new(true),
        }))
    }

    /// Does `call`, and sends everything, with the end.
    pub fn perform(self: &Rc<Relay>, loader: &Loader, call: &Call) {
        let myself = std::process::id();
        let loader = loader.with_listener(self.clone());
        limits::lift();
        let done = catch_unwind(AssertUnwindSafe(|| {
            let services = Services::new(loader)?;
            call.perform(&services, &mut |reply| self.send(&reply))
        }));
        // A module that forks may return twice.
        if std::process::id() == myself {
            let done = done.unwrap_or_else(|_| panicked(call));
            self.send(&Reply::End(done.map_err(limits::explain)));
        }
    }

    /// Whether everything could be sent so far.
    pub fn is_heard(&self) -> bool {
        self.heard.get()
    }

    fn send(&self, reply: &Reply) {
        let sent = identity(self.pipe) == Some(self.identity) && {
            // SAFETY: it is open: it has just been looked at, and this process has no threads
            // that are ours.
            let pipe = unsafe { BorrowedFd::borrow_raw(self.pipe) };
            write_all(pipe, &reply.encode())
        };
        self.heard.set(self.heard.get() && sent);
    }
}

impl Listener for Relay {
    fn log(&self, module: &str, level: i32, line: &str) {
        self.send(&Reply::Line(module.into(), level, line.into()));
    }

    fn loads(&self, module: &str) {
        self.send(&Reply::Loads(module.into()));
    }

    fn event(&self, module: &str, event: &Event) {
        self.send(&Reply::Event(module.into(), Box::new(event.clone())));
    }
}

fn panicked(call: &Call) -> Result<Outcome, Failure> {
    let what = format!("loader: {}: panicked", call.name());
    Err(Error::new(Code::Panic, what).into())
}

fn identity(pipe: RawFd) -> Option<(u64, u64)> {
    // SAFETY: fstat tells whether it is open, and nothing else is done with it.
    let facts = fstat(unsafe { BorrowedFd::borrow_raw(pipe) }).ok()?;
    #[allow(clippy::unnecessary_cast)] // Not on every machine.
    Some((facts.st_dev as u64, facts.st_ino as u64))
}

fn write_all(pipe: BorrowedFd<'_>, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match nix::unistd::write(pipe, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(nix::errno::Errno::EINTR) => {}
            Err(_) => return false,
        }
    }
    true
}

/// Answers the call on standard input on standard output, for a process that does not want to do
/// it itself. The exit code says whether the answer got out.
///
/// # Errors
/// There is no call that can be understood, or nobody to answer to.
pub fn answer(loader: &Loader) -> Result<u8, Failure> {
    let io = |error: std::io::Error| Error::io("answer a call", &error);
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).map_err(io)?;
    let call = Call::decode(&input)?;
    // What a module prints must not get between the replies.
    let pipe = std::fs::File::from(
        std::os::fd::AsFd::as_fd(&std::io::stdout())
            .try_clone_to_owned()
            .map_err(io)?,
    );
    std::io::stdout().flush().map_err(io)?;
    nix::unistd::dup2_stdout(std::io::stderr()).map_err(|errno| io(errno.into()))?;
    let relay = Relay::new(pipe.as_raw_fd())
        .ok_or_else(|| Error::new(Code::Io, "answer a call: nobody listens"))?;
    relay.perform(loader, &call);
    Ok(if relay.is_heard() { 0 } else { MUTE })
}
