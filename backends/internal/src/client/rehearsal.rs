//! A start that changes nothing.

use crate::core::Plan;
use crate::simulation::{self, Script};
use rc_sv_api::abi::Host;
use rc_sv_api::{Outcome, Result, Settings};
use rc_sv_exec::outline;

/// syslog's LOG_INFO.
const INFO: i32 = 6;

/// Says what a start would do, and what would become of the service where that is to be simulated.
///
/// # Errors
/// Those of a start, or the words of the simulation are wrong.
pub fn tell(host: &Host, resolved: &dyn Settings) -> Result<Outcome> {
    let mut lines = outline::of(resolved)?;
    if let Some(words) = resolved.text("simulate") {
        let script = Script::parse(&String::from_utf8_lossy(words))?;
        lines.extend(simulation::tell(Plan::from_settings(resolved), script)?);
    }
    lines.iter().for_each(|line| host.log(INFO, line));
    Ok(Outcome::Done)
}
