//! The monit module: listed, checked and honest about what it cannot do yet.
//!
//! This version of rc-sv finds out whether monit is there; driving it needs the code that the
//! daemontools family and monit get next, and until then every operation says so.

use rc_sv_api::abi::Host;
use rc_sv_api::{Backend, Caps, Outcome, Request, Result, Settings, Status};
use rc_sv_exec::suite;

mod attach;
mod client;
mod control_file;
mod settings;

struct Monit;

/// monit's daemon.
const PROGRAM: &str = "monit";

impl Backend for Monit {
    const NAME: &'static str = "monit";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "watching by monit";
    const CAPS: Caps = Caps(0);

    fn open(_host: Host) -> Result<Monit> {
        Ok(Monit)
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

rc_sv_api::export_backend!(Monit);
