//! What a person wants of a service, beside its record: an empty file for each wish, because who
//! wishes does not write the record.

use super::contents;
use crate::place::Dir;
use rc_sv_api::Result;

/// There while nobody wants the service up.
pub(super) const DOWN: &str = "down";

/// There while the next run is to have what the runscript says then.
pub(super) const RENEW: &str = "renew";

/// Notes that nobody wants the service up: from now on no end of it is followed by another run.
/// For a stop that a person asked for, before the suite is told.
///
/// # Errors
/// The file cannot be written.
pub fn want_down(dir: &Dir) -> Result<()> {
    dir.replace(DOWN, 0o600, b"")
}

/// Whether nobody wants it up.
pub(in crate::run) fn is_wanted_down(dir: &Dir) -> Result<bool> {
    Ok(contents(dir, DOWN)?.is_some())
}

/// Notes that the runscript comes before the next run, which is no respawn. After
/// [`super::forget`], before the suite is told.
///
/// # Errors
/// The file cannot be written.
pub fn want_script(dir: &Dir) -> Result<()> {
    dir.replace(RENEW, 0o600, b"")
}

/// Whether the runscript comes before the next run, whatever that is.
pub(in crate::run) fn wants_script(dir: &Dir) -> Result<bool> {
    Ok(contents(dir, RENEW)?.is_some())
}

/// It has.
pub(in crate::run) fn script_ended(dir: &Dir) -> Result<()> {
    dir.remove(RENEW)
}
