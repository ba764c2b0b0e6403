//! The s6 module: listed, checked and honest about what it cannot do yet.
//!
//! This version of rc-sv finds out whether s6 is there; driving it needs the code that the
//! daemontools family and monit get next, and until then every operation says so.

use rc_sv_api::abi::Host;
use rc_sv_api::{Backend, Caps, Outcome, Request, Result, Settings, Status};
use rc_sv_exec::suite;

struct S6;

/// The scanner of s6.
const PROGRAM: &str = "s6-svscan";

impl Backend for S6 {
    const NAME: &'static str = "s6";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "supervision by s6";
    const CAPS: Caps = Caps(0);

    fn open(_host: Host) -> Result<S6> {
        Ok(S6)
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

rc_sv_api::export_backend!(S6);
