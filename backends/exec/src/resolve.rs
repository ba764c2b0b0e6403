//! From what an administrator wrote to a spec that is complete in itself.

use rc_sv_api::{Code, Error, Result, Settings, Spec};

/// Resolves `spec`: users and groups become numbers, options of `supervise_daemon_args` become
/// settings, HOME, USER and LOGNAME are set, and what contradicts itself or cannot be run is
/// refused. May block on the name service, so it is called by the client, never by the supervisor.
///
/// # Errors
/// [`Code::Invalid`], [`Code::NotFound`] or [`Code::Permission`] with the variable that is wrong.
pub fn resolve(_spec: &dyn Settings) -> Result<Spec> {
    Err(Error::new(Code::Unsupported, "not there yet"))
}
