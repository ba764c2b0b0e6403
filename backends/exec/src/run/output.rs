//! The last lines that a service wrote, as the commands that are run about it find them.

use super::Call;
use crate::log::Stream;
use crate::logger::spool;
use nix::sys::stat::{fstat, SFlag};
use rc_sv_api::Settings;
use std::fs::File;
use std::io;

/// What of its output is kept, and what its logger has not read yet; empty where it has none.
pub(super) fn last_lines(call: &Call, spec: &dyn Settings) -> String {
    if call.is_watched() {
        return String::new();
    }
    let Ok(Some(stream)) = Stream::only(spec) else {
        return String::new();
    };
    let Ok(kept) = call.dir.open_private(stream.which.name()) else {
        // Its logger was never begun.
        return String::new();
    };
    match pipe() {
        Some(pipe) => spool::last_lines(&kept, pipe),
        None => spool::last_lines(&kept, &kept),
    }
}

/// The pipe to the logger, to look into: whoever runs under a suite has its other end.
fn pipe() -> Option<File> {
    let output = fstat(io::stdout()).ok()?;
    let is_pipe = output.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFIFO.bits();
    // Somebody has its other end, so this waits for nobody.
    is_pipe.then(|| File::open("/proc/self/fd/1").ok())?
}
