//! What happens to a service that is up: signals, questions, another main process.

use super::{in_time, kill, require, state, Owning, IMPATIENCE};
use crate::verify::bare::Op;
use crate::verify::report::{doubtful, wrong, Finding, Objection};
use crate::verify::scene::{RESPAWN, SOON};
use nix::poll::PollTimeout;
use rc_sv_api::abi::constants::*;
use rc_sv_api::{Caps, Request, State};
use std::time::Instant;

impl Owning<'_> {
    pub(super) fn signal(&mut self, pid: i32) -> Finding {
        if !self.module.has(Op::Signal) {
            return Ok("is not offered".into());
        }
        let request = signal(libc::SIGUSR1);
        let answer = self.module.act(Op::Signal, &self.named, Some(&request))?;
        require(&answer, "signal")?;
        let who = self.scene.expect("usr1", SOON)?;
        same(pid, who, "got the signal")?;
        Ok("USR1 arrived".into())
    }

    pub(super) fn reload(&mut self, pid: i32) -> Finding {
        if !self.module.has(Op::Reload) {
            return Ok("is not offered; the host sends HUP".into());
        }
        let answer = self
            .module
            .act(Op::Reload, &self.named, Some(&Request::default()))?;
        require(&answer, "reload")?;
        match self.scene.hear(SOON)? {
            Some((word, who)) if word == "hup" => same(pid, who, "got HUP")?,
            Some((word, _)) => return Err(wrong(format!("reload made the daemon say {word:?}"))),
            None => return Err(doubtful("the daemon did not get HUP")),
        }
        Ok("HUP arrived".into())
    }

    pub(super) fn list(&mut self) -> Finding {
        let Some(services) = self.module.list()? else {
            return Ok("is not offered".into());
        };
        let found = services
            .iter()
            .find(|(name, _)| name == self.scene.service());
        match found {
            Some((_, state)) if *state == RC_SV_STATE_UP => Ok("has it, up".into()),
            Some((_, state)) => Err(wrong(format!(
                "list says that the service has state {state}, status says that it is up"
            ))),
            None => Err(wrong("list does not have the service, which is up")),
        }
    }

    pub(super) fn wait(&mut self) -> Finding {
        let request = |want_state, timeout| Request {
            want_state,
            timeout: Some(timeout),
            ..Request::default()
        };
        let Some(up) = self.module.wait(&self.named, &request(State::Up, SOON))? else {
            return Ok("is not offered; the host polls".into());
        };
        require(&up, "wait for up")?;
        let begin = Instant::now();
        let down = self
            .module
            .wait(&self.named, &request(State::Down, IMPATIENCE))?;
        in_time(begin, "wait")?;
        match down {
            Some(answer) if answer.result == RC_SV_E_TIMEOUT => {
                Ok("waits, and not for ever".into())
            }
            Some(answer) => Err(wrong(format!(
                "wait for down {}; the service is up, so RC_SV_E_TIMEOUT is right",
                answer.shown()
            ))),
            None => Err(wrong("wait is not there the second time")),
        }
    }

    pub(super) fn watch(&mut self) -> Finding {
        let Some(stream) = self.module.watch(&self.named)? else {
            return Ok("is not offered".into());
        };
        // The state as it is may come first; then there must be silence.
        while stream.next()?.is_some() {}
        if stream.is_readable(PollTimeout::ZERO) {
            while stream.next()?.is_some() {}
            if stream.is_readable(PollTimeout::ZERO) {
                return Err(wrong(
                    "its descriptor stays readable when there is no event",
                ));
            }
        }
        let spec = self.scene.spec_of(self.scene.argv(false))?;
        let request = Request::default();
        require(
            &self.module.act(Op::Stop, &self.named, Some(&request))?,
            "stop",
        )?;
        let soon = PollTimeout::try_from(SOON).unwrap_or(PollTimeout::MAX);
        if !stream.is_readable(soon) {
            return Err(wrong(
                "a stop made no event: its descriptor is not readable",
            ));
        }
        let about = stream.next()?;
        drop(stream);
        require(&self.module.act(Op::Start, &spec, Some(&request))?, "start")?;
        let pid = self.scene.expect("start", SOON)?;
        self.is_up(pid)?;
        match about {
            Some(name) if name == self.scene.service() => Ok("a stop is an event".into()),
            Some(name) => Err(wrong(format!("its event is about {name:?}"))),
            None => Err(wrong("its descriptor was readable, but there was no event")),
        }
    }

    pub(super) fn restart(&mut self, pid: &mut i32) -> Finding {
        // A watch that was tried has begun another one.
        *pid = self.pid()?;
        if !self.module.has(Op::Restart) {
            return Ok("is not offered; the host stops and starts".into());
        }
        let answer = self
            .module
            .act(Op::Restart, &self.named, Some(&Request::default()))?;
        require(&answer, "restart")?;
        let new = self.scene.expect("start", SOON)?;
        self.gone(*pid, "restart")?;
        self.is_up(new)?;
        let text = format!("pid {new} instead of {pid}");
        *pid = new;
        Ok(text)
    }

    pub(super) fn killed(&mut self, pid: &mut i32) -> Finding {
        *pid = self.pid()?;
        kill(*pid)?;
        self.gone(*pid, "kill -9")?;
        if self.caps.has(Caps::RESTARTS) {
            let new = self.scene.expect("start", RESPAWN).map_err(|objection| {
                wrong(format!("it claims RESTARTS, but {}", objection.text))
            })?;
            let status = self.is_up(new)?;
            if status.valid & RC_SV_ST_RESTARTS != 0 && status.restarts == 0 {
                return Err(wrong("it came back, but status counts 0 restarts"));
            }
            *pid = new;
            return Ok(format!("came back as pid {new}"));
        }
        let down = self.scene.until(SOON, || {
            let (answer, status) = self.module.status(&self.named)?;
            require(&answer, "status")?;
            Ok(!matches!(state(&status), State::Up | State::Starting))
        })?;
        if !down {
            return Err(wrong("the daemon is dead, but status says that it is up"));
        }
        self.scene.expect_silence()?;
        let (_, new) = self.start()?;
        *pid = new;
        Ok("status knows; it was started again".into())
    }
}

/// A request for a signal.
pub(super) fn signal(number: i32) -> Request {
    Request {
        signal: number,
        ..Request::default()
    }
}

fn same(pid: i32, who: i32, what: &str) -> Result<(), Objection> {
    if pid == who {
        return Ok(());
    }
    Err(wrong(format!("process {who} {what}, not {pid}")))
}
