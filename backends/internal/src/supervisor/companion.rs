//! A command that runs beside a service: made here, or gone on with after an earlier supervisor.

use super::afterlife::Afterlife;
use super::sys;
use rc_sv_api::exit::Exit;
use rc_sv_api::Result;
use rc_sv_exec::clock;
use rc_sv_exec::instance::AsOf;
use rc_sv_exec::launch::{Launch, Running};
use rc_sv_exec::process::signal_group;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// One that runs. Its descriptor is readable when it has ended.
pub(super) struct Companion {
    /// The process.
    pub who: AsOf,
    origin: Origin,
}

enum Origin {
    Made(Box<Running>),
    Adopted(OwnedFd),
}

impl Companion {
    /// Begins one.
    ///
    /// # Errors
    /// No process can be made.
    pub(super) fn begin(launch: Launch) -> Result<Companion> {
        let running = Running::begin(launch)?;
        let who = AsOf::now(running.pid(), clock::boot_ms(), running.as_fd());
        Ok(Companion {
            who,
            origin: Origin::Made(Box::new(running)),
        })
    }

    /// One that another supervisor has begun.
    pub(super) fn adopted(who: AsOf, pidfd: OwnedFd) -> Companion {
        Companion {
            who,
            origin: Origin::Adopted(pidfd),
        }
    }

    /// Whether it was begun here.
    pub(super) fn is_made(&self) -> bool {
        matches!(self.origin, Origin::Made(_))
    }

    /// How it ended; `None` while it runs. To be asked once when it has.
    ///
    /// # Errors
    /// It could not be executed.
    pub(super) fn end(&self, afterlife: &mut Afterlife) -> Option<Result<Exit>> {
        let pidfd = match &self.origin {
            Origin::Made(running) => return running.end(),
            Origin::Adopted(pidfd) => pidfd.as_fd(),
        };
        match sys::ending(pidfd, true) {
            Ok(exit) => exit.map(Ok),
            Err(_) => Some(Ok(afterlife.exit_of(self.who, Some(pidfd)))),
        }
    }

    /// Kills it, and what it started as far as that stayed in its group. What ended already is as
    /// good as killed.
    pub(super) fn kill(&self) {
        match &self.origin {
            Origin::Made(running) => running.kill(),
            Origin::Adopted(pidfd) => {
                let _ = signal_group(pidfd.as_fd(), libc::SIGKILL);
                let _ = sys::send_signal(pidfd.as_fd(), libc::SIGKILL);
            }
        }
    }

    /// Its process.
    pub(super) fn into_process(self) -> OwnedFd {
        match self.origin {
            Origin::Made(running) => running.into_process(),
            Origin::Adopted(pidfd) => pidfd,
        }
    }
}

impl AsFd for Companion {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.origin {
            Origin::Made(running) => running.as_fd(),
            Origin::Adopted(pidfd) => pidfd.as_fd(),
        }
    }
}
