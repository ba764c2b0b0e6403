//! A command that runs beside a service, until it ends or is killed.

use super::{spawn, Child, Failure, Launch};
use crate::process;
use rc_sv_api::exit::Exit;
use rc_sv_api::{signal, Code, Error, Result};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A command that runs. Its descriptor is readable when it has ended.
pub struct Running {
    child: Child,
    launch: Launch,
}

impl Running {
    /// Begins it.
    ///
    /// # Errors
    /// No process can be made.
    pub fn begin(launch: Launch) -> Result<Running> {
        let child = spawn(&launch, None)?;
        Ok(Running { child, launch })
    }

    /// How it ended; `None` while it runs. To be asked once when it has.
    ///
    /// # Errors
    /// It could not be executed.
    pub fn end(&self) -> Option<Result<Exit>> {
        let exit = match process::ending(self.child.pidfd.as_fd(), true) {
            Ok(None) => return None,
            Ok(Some(exit)) => exit,
            Err(_) => Exit::Unknown,
        };
        // One that hung before its execve was killed by its time-out, so this never waits.
        let mut record = [0u8; Failure::SIZE];
        let length = match self.child.report.try_clone() {
            Ok(report) => File::from(report).read(&mut record).unwrap_or(0),
            Err(_) => 0,
        };
        Some(match Failure::decode(&record[..length]) {
            None => Ok(exit),
            Some(failure) => Err(Error {
                os_errno: failure.errno,
                ..Error::new(Code::Failed, failure.message(&self.launch))
            }),
        })
    }

    /// Kills it, and what it started as far as that stayed in its group. What ended already is as
    /// good as killed.
    pub fn kill(&self) {
        // It may not have made its group yet, so it is killed by itself too.
        let _ = process::kill_group(self.child.pid, signal::KILL);
        let _ = process::send_signal(self.child.pidfd.as_fd(), signal::KILL);
    }

    /// Its pid, which stays its own until it has been asked for its end.
    pub fn pid(&self) -> i32 {
        self.child.pid
    }

    /// Its process.
    pub fn into_process(self) -> OwnedFd {
        self.child.pidfd
    }
}

impl AsFd for Running {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.child.pidfd.as_fd()
    }
}
