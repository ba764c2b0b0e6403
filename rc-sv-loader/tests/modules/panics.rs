//! A module in Rust that panics in every operation. tests/tests/verify.rs builds it.

use rc_sv_api::abi::Host;
use rc_sv_api::{Backend, Caps, Outcome, Request, Result, Settings, State, Status};

struct Panics {
    stopped: bool,
}

impl Backend for Panics {
    const NAME: &'static str = "panics";
    const VERSION: &'static str = "1";
    const DESCRIPTION: &'static str = "panics";
    const CAPS: Caps = Caps::OWNS_PROCESS;

    fn open(_host: Host) -> Result<Panics> {
        Ok(Panics { stopped: false })
    }

    fn probe(&mut self) -> Result<Caps> {
        Ok(Self::CAPS)
    }

    fn start(&mut self, _spec: &dyn Settings, _request: &Request) -> Result<Outcome> {
        panic!("start was called, stopped: {}", self.stopped)
    }

    fn stop(&mut self, _spec: &dyn Settings, _request: &Request) -> Result<Outcome> {
        self.stopped = true;
        Ok(Outcome::Done)
    }

    fn status(&mut self, _spec: &dyn Settings) -> Result<Status> {
        Ok(Status::of_state(State::Unmanaged))
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        panic!("close was called")
    }
}

rc_sv_api::export_backend!(Panics);
