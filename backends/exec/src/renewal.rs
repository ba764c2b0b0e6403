//! `rc_supervise_respawn=script`: the runscript makes the spec of each instance anew.

use rc_sv_api::{Error, Result, Settings, Spec};

/// Where OpenRC has put the service when a person started it: before a respawn its script is in no
/// cgroup of the service.
const CGROUPS: [&str; 2] = ["cgroup", "cgroups_v1"];

/// Whether the runscript is run before each respawn.
pub fn is_by_script(spec: &dyn Settings) -> bool {
    spec.word("rc_supervise_respawn") == "script"
}

/// Refuses it where there is no runscript.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub fn check(spec: &dyn Settings) -> Result<()> {
    if is_by_script(spec) && spec.text("runscript").is_none() {
        let why = "rc_supervise_respawn: script is for a service that has one; set it to spec";
        return Err(Error::invalid(why));
    }
    Ok(())
}

/// The spec of the next instance, of what the runscript has said now and what was before.
pub fn renewed(before: &Spec, resolved: &Spec) -> Spec {
    let mut spec = resolved.clone();
    CGROUPS.iter().for_each(|key| spec.remove(key));
    for (key, value) in before.iter().filter(|(key, _)| CGROUPS.contains(key)) {
        spec.put(key, value.clone());
    }
    spec
}
