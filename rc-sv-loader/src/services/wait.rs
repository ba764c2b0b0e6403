//! Waiting for a state, and what is waited for.

use super::{Failure, Report, Result, Services};
use crate::changes::Changes;
use crate::module::Stream;
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use rc_sv_api::{Code, Error, Request, ServiceName, State, Status};
use std::time::{Duration, Instant};

/// The time of a wait that has none of its own.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// A module may come to a state without a word to OpenRC, so it is asked once in this while.
const RECHECK: Duration = Duration::from_secs(1);

impl Services {
    /// The events of `service` from the module that started it, if that has such a stream.
    ///
    /// # Errors
    /// The module cannot be asked.
    pub fn stream(&self, service: &ServiceName) -> Result<Option<Stream>> {
        let Some(name) = self.records.read(service)? else {
            return Ok(None);
        };
        let of = |error: Error| Failure::of(&name, error);
        let spec = self.spec(service)?;
        let module = self.loader.open_started(&name).map_err(of)?;
        match Stream::open(module, Some(&spec)) {
            Err(error) if error.code == Code::Unsupported => Ok(None),
            other => Ok(Some(other.map_err(of)?)),
        }
    }

    /// Waits until `service` has [`Request::want_state`]. A service that is down for whatever
    /// reason is [`State::Down`].
    ///
    /// # Errors
    /// [`Code::Timeout`]; [`Code::Failed`] when the service was given up, so that it will not come
    /// up by itself; or it cannot be asked.
    pub fn wait(&self, service: &ServiceName, request: &Request) -> Result<Report> {
        let timeout = request.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let deadline = Instant::now() + timeout;
        if let Some(report) = self.module_waits(service, request)? {
            return Ok(report);
        }
        // Before the first look, so that no change is missed. Without it, the module is asked
        // again in time.
        let mut changes = Changes::open(self.records.svcdir(), Some(service)).ok();
        loop {
            let report = self.status(service)?;
            let failed = |code, what: String| Failure {
                module: report.module.clone(),
                error: Error::new(code, what),
            };
            let (is, wanted) = (report.status.state, request.want_state);
            if reached(&report.status, wanted) {
                return Ok(report);
            }
            if is == State::GaveUp && wanted != State::Unknown {
                let what = format!("it was given up, and is not {}", wanted.name());
                return Err(failed(Code::Failed, what));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let millis = timeout.as_millis();
                let what = format!("is {} after {millis} ms, not {}", is.name(), wanted.name());
                return Err(failed(Code::Timeout, what));
            }
            let timeout = PollTimeout::try_from(left.min(RECHECK)).unwrap_or(PollTimeout::MAX);
            let fds = changes.iter().map(Changes::fd);
            let mut fds: Vec<_> = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
            match poll(&mut fds, timeout) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(Error::io("poll", &errno.into()).into()),
            }
            if let Some(changes) = &mut changes {
                changes.take()?;
            }
        }
    }

    /// The module waits, if it can.
    fn module_waits(&self, service: &ServiceName, request: &Request) -> Result<Option<Report>> {
        let Some(name) = self.records.read(service)? else {
            return Ok(None);
        };
        let of = |error: Error| Failure::of(&name, error);
        let spec = self.spec(service)?;
        match self
            .loader
            .open_started(&name)
            .map_err(of)?
            .wait(&spec, request)
        {
            Err(error) if error.code == Code::Unsupported => Ok(None),
            status => {
                let status = status.map_err(of)?;
                Ok(Some(self.report(service, &name, Ok(status)).map_err(of)?))
            }
        }
    }
}

fn reached(status: &Status, wanted: State) -> bool {
    match wanted {
        State::Down => matches!(status.state, State::Down | State::Unmanaged | State::GaveUp),
        wanted => status.state == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_does_not_run_is_down() {
        for (state, wanted, expected) in [
            (State::Up, State::Up, true),
            (State::Starting, State::Up, false),
            (State::Unmanaged, State::Down, true),
            (State::GaveUp, State::Down, true),
            (State::Backoff, State::Down, false),
            (State::Backoff, State::Backoff, true),
        ] {
            let status = Status::of_state(state);
            assert_eq!(reached(&status, wanted), expected, "{state:?} {wanted:?}");
        }
    }
}
