//! The daemontools module: listed, checked and honest about what it cannot do yet.
//!
//! This version of rc-sv finds out whether daemontools is there; driving it needs the code that the
//! daemontools family and monit get next, and until then every operation says so.

use rc_sv_api::abi::Host;
use rc_sv_api::{Backend, Caps, Outcome, Request, Result, Settings, Status};
use rc_sv_exec::suite;

struct Daemontools;

/// The scanner of daemontools.
const PROGRAM: &str = "svscan";

impl Backend for Daemontools {
    const NAME: &'static str = "daemontools";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "supervision by daemontools";
    const CAPS: Caps = Caps(0);

    fn open(_host: Host) -> Result<Daemontools> {
        Ok(Daemontools)
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

rc_sv_api::export_backend!(Daemontools);
