//! The runit module: listed, checked and honest about what it cannot do yet.
//!
//! This version of rc-sv finds out whether runit is there; driving it needs the code that the
//! daemontools family and monit get next, and until then every operation says so.

use rc_sv_api::abi::Host;
use rc_sv_api::{Backend, Caps, Outcome, Request, Result, Settings, Status};
use rc_sv_exec::suite;

struct Runit;

/// The scanner of runit.
const PROGRAM: &str = "runsvdir";

impl Backend for Runit {
    const NAME: &'static str = "runit";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "supervision by runit";
    const CAPS: Caps = Caps(0);

    fn open(_host: Host) -> Result<Runit> {
        Ok(Runit)
    }

    fn probe(&mut self) -> Result<Caps> {
        suite::refuse(Self::NAME, PROGRAM)
    }

    fn start(&mut self, _spec: &dyn Settings, _request: &Request) -> Result<Outcome> {
        suite::refuse(Self::NAME, PROGRAM)
    }

    fn stop(&mut self, _spec: &dyn Settings, _request: &Request) -> Result<Outcome> {
        suite::refuse(Self::NAME, PROGRAM)
    }

    fn status(&mut self, _spec: &dyn Settings) -> Result<Status> {
        suite::refuse(Self::NAME, PROGRAM)
    }
}

rc_sv_api::export_backend!(Runit);
