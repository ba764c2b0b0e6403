//! What must fail, and what must change nothing.

use super::changes::signal;
use super::{require, state, Owning};
use crate::verify::bare::Op;
use crate::verify::report::{wrong, Finding};
use rc_sv_api::abi::constants::{RC_SV_E_UNSUPPORTED, RC_SV_OK};
use rc_sv_api::{Caps, Request, Spec, State};

impl Owning<'_> {
    pub(super) fn unknown(&mut self) -> Finding {
        let (answer, status) = self.module.status(&self.named)?;
        require(&answer, "status of a service that nobody has started")?;
        let state = state(&status);
        if state != State::Unmanaged {
            return Err(wrong(format!(
                "status of a service that nobody has started is {}; it must be unmanaged",
                state.name()
            )));
        }
        let request = Request::default();
        let stop = self.module.act(Op::Stop, &self.named, Some(&request))?;
        require(&stop, "stop of a service that nobody has started")?;
        if self.caps.has(Caps::SIGNAL) {
            let request = signal(libc::SIGUSR1);
            let sent = self.module.act(Op::Signal, &self.named, Some(&request))?;
            if sent.result == RC_SV_OK {
                let right = "RC_SV_E_NOT_FOUND is right";
                return Err(wrong(format!("a signal to nobody was sent; {right}")));
            }
        }
        Ok("is unmanaged; stop is harmless".into())
    }

    /// A module may know by itself what to run, but not for a service that it does not know.
    pub(super) fn no_program(&mut self) -> Finding {
        let spec = self.scene.spec_of(Vec::new())?;
        self.refused(&spec, "start without argv")
    }

    pub(super) fn cannot_run(&mut self) -> Finding {
        let spec = self.scene.spec_of(vec![b"/nonexistent/rc-sv".to_vec()])?;
        self.refused(&spec, "start of a program that does not exist")
    }

    /// A start that must fail, with nothing left of it.
    pub(super) fn refused(&mut self, spec: &Spec, what: &str) -> Finding {
        let request = Request::default();
        let answer = self.module.act(Op::Start, spec, Some(&request))?;
        if answer.result >= 0 {
            let answer = answer.result;
            self.module.act(Op::Stop, &self.named, Some(&request))?;
            return Err(wrong(format!("{what} answered {answer}; it must fail")));
        }
        let (_, status) = self.module.status(&self.named)?;
        let state = state(&status);
        if matches!(state, State::Up | State::Starting | State::Backoff) {
            return Err(wrong(format!(
                "{what} failed, but its state is {}; nothing may run or be retried",
                state.name()
            )));
        }
        Ok(answer.text)
    }

    pub(super) fn dry_run(&mut self) -> Finding {
        let spec = self.scene.spec_of(self.scene.argv(false))?;
        let request = Request {
            dry_run: true,
            ..Request::default()
        };
        let answer = self.module.act(Op::Start, &spec, Some(&request))?;
        if answer.result < 0 && answer.result != RC_SV_E_UNSUPPORTED {
            return Err(wrong(format!("start with DRY_RUN {}", answer.shown())));
        }
        let (_, status) = self.module.status(&self.named)?;
        if state(&status) == State::Up {
            self.module
                .act(Op::Stop, &self.named, Some(&Request::default()))?;
            return Err(wrong("RC_SV_RQ_DRY_RUN started it; it must change nothing"));
        }
        self.scene.expect_silence()?;
        Ok("changes nothing".into())
    }
}
