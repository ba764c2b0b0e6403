//! One call of the host: what is asked of the supervisor, until when, and by the next one when it
//! dies meanwhile.

use super::connection::{unexpected, Connection};
use super::leftovers;
use crate::protocol::{self, Reply};
use rc_sv_api::{Code, Outcome, Request, Result, ServiceName, Settings, State, Status};
use rc_sv_exec::svcdir;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long the supervisor may take for what it does at once.
pub(super) const AT_ONCE: Duration = Duration::from_secs(10);

/// One call: about what, and until when.
pub(super) struct Call {
    pub(super) service: ServiceName,
    pub(super) svcdir: PathBuf,
    pub(super) patience: Duration,
    /// The request itself says how long.
    pub(super) is_limited: bool,
}

impl Call {
    /// `patience` holds where the request gives no time-out.
    pub(super) fn new(spec: &dyn Settings, request: &Request, patience: Duration) -> Result<Call> {
        Ok(Call {
            service: spec.service()?,
            svcdir: svcdir::find(spec.text("svcdir")),
            patience: request.timeout.unwrap_or(patience),
            is_limited: request.timeout.is_some(),
        })
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.patience
    }

    /// The supervisor, if it is there.
    pub(super) fn connect(&self) -> Result<Option<Connection>> {
        Connection::open(&self.svcdir, self.patience.min(AT_ONCE))
    }

    pub(super) fn status(&self, connection: &mut Connection) -> Result<Status> {
        let question = protocol::Request::Status(self.service.clone());
        let deadline = Instant::now() + AT_ONCE;
        loop {
            match connection.ask(&question, deadline) {
                Ok(Reply::Status(status)) => return Ok(status),
                Ok(_) => return Err(unexpected()),
                // The next one is asked.
                Err(error) if error.code == Code::NotRunning && Instant::now() < deadline => {
                    *connection = self.connect()?.ok_or(error)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Ends what is left of the service, where the supervisor does not know it.
    pub(super) fn settle(&self, connection: Option<&mut Connection>) -> Result<()> {
        let Some(leftovers) = leftovers::leftovers(self) else {
            return Ok(());
        };
        match connection
            .map(|connection| self.status(connection))
            .transpose()?
        {
            // The supervisor clears up itself.
            Some(status) if status.state != State::Unmanaged => Ok(()),
            _ => leftovers::end(&leftovers),
        }
    }

    /// Asks for something that may take its time. When the supervisor dies meanwhile, the next one
    /// is asked, where asking twice is asking once.
    pub(super) fn order(
        &self,
        mut connection: Connection,
        order: &protocol::Request,
        nowait: bool,
    ) -> Result<Outcome> {
        let deadline = self.deadline();
        loop {
            let result = self.order_once(connection, order, nowait);
            let has_died = matches!(&result, Err(error) if error.code == Code::NotRunning);
            if !has_died || !order.may_be_repeated() || Instant::now() >= deadline {
                return result;
            }
            match self.connect()? {
                Some(next) => connection = next,
                None => return result,
            }
        }
    }

    /// Waits for the answer; with `nowait` only until it is known that the order is not refused. The
    /// time-outs of the service are the supervisor's, and the service may extend them: while it is
    /// on its way, it is waited for.
    fn order_once(
        &self,
        mut connection: Connection,
        order: &protocol::Request,
        nowait: bool,
    ) -> Result<Outcome> {
        let mut deadline = self.deadline();
        let ordered = connection.send(order, deadline)?;
        // Answers come in order, unless they are deferred: what is refused is refused before the
        // answer to the second request.
        let pinged = match nowait {
            true => Some(connection.send(&protocol::Request::Ping, deadline)?),
            false => None,
        };
        loop {
            match connection.receive(deadline) {
                Ok((Reply::Refused(error), _, _)) => return Err(error),
                Ok((Reply::Done, id, _)) if id == ordered => return Ok(Outcome::Done),
                Ok((_, id, _)) if id == ordered => return Err(unexpected()),
                Ok((_, id, _)) if Some(id) == pinged => return Ok(Outcome::Pending),
                Ok(_) => {}
                Err(error) if error.code == Code::Timeout && !nowait && self.is_on_its_way() => {
                    deadline = Instant::now() + AT_ONCE;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the service takes longer than its settings say, because it asked for more time.
    fn is_on_its_way(&self) -> bool {
        let status = || self.status(&mut self.connect().ok()??).ok();
        let moves = |status: Status| matches!(status.state, State::Starting | State::Stopping);
        !self.is_limited && status().is_some_and(moves)
    }
}
