//! What a generated service directory contains.

use crate::call::Call;
use crate::tree::Files;
use rc_sv_exec::run;
use std::path::Path;

/// The files for the service of `call`; `program` is `rc-sv-exec`.
pub(crate) fn files(call: &Call, program: &Path) -> Files {
    let mut files = Files::default();
    files.link(run::LINK, call.dir.path());
    files.link("run", program);
    if call.suite.finish {
        files.link("finish", program);
    }
    // s6-supervise would kill it after five seconds; the spec has a limit of its own. The other
    // suites do not look at the file.
    files.text("timeout-finish", "0\n");
    files
}
