//! The signals to the supervisor.

use super::Supervisor;
use crate::core::Event;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

impl Supervisor {
    /// Takes in signals.
    pub(super) fn signalled(&mut self) {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            if signal.ssi_signo == Signal::SIGHUP as u32 {
                self.log.reconnect();
            } else {
                self.is_ending = true;
                self.feed(Event::Shutdown);
            }
        }
    }
}

/// HUP, INT and TERM, readable. All other signals whose default would end the supervisor, and that
/// mean nothing to it, are blocked as well: a stray one must not cost all services their supervisor.
/// `more` are readable too.
pub(super) fn wanted(more: &[Signal]) -> nix::Result<SignalFd> {
    /// Faults, and what somebody at a terminal or with a debugger wants.
    const LEFT: [Signal; 11] = [
        Signal::SIGABRT,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGQUIT,
        Signal::SIGSEGV,
        Signal::SIGSYS,
        Signal::SIGTRAP,
        Signal::SIGTSTP,
        Signal::SIGTTIN,
        Signal::SIGTTOU,
    ];
    let mut blocked = SigSet::all();
    LEFT.into_iter().for_each(|signal| blocked.remove(signal));
    blocked.thread_block()?;
    let usual = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM];
    let wanted: SigSet = usual.iter().chain(more).copied().collect();
    SignalFd::with_flags(&wanted, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
}
