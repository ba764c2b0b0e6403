//! What the supervisor does not take over from whoever happened to start it.

use super::sys;
use nix::sys::resource::{getrlimit, setrlimit, Resource};
use nix::sys::stat::{umask, Mode};
use nix::unistd::{geteuid, setgroups};
use rc_sv_exec::launch::dependents::{OF_USER, SEARCH_PATH};
use rc_sv_exec::svcdir::is_users;
use std::ffi::OsString;
use std::path::Path;

/// Descriptors: a pidfd and for a moment a pipe for each service, and one for each client.
const DESCRIPTORS: u64 = 65_536;

/// The kernel's OOM killer goes for nearly everything else first.
const OOM_SCORE: &str = "-900";

/// Resets everything that is inherited and that could harm the supervisor or later services.
/// What an ordinary user may not reset stays as it is: their supervisor serves only themselves.
pub(super) fn reset(svcdir: &Path) {
    sys::share_heap();
    sys::reset_signals();
    sys::default_scheduling();
    // It fails only for a root directory that was removed.
    let _ = std::env::set_current_dir("/");
    umask(Mode::from_bits_truncate(0o022));
    clear_environment(svcdir);
    if geteuid().is_root() {
        // A service without a user of its own has none but root's rights.
        let _ = setgroups(&[]);
        // Those of init, not those that rc_ulimit gave to the first service.
        sys::copy_limits(1);
        let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    }
    raise_descriptors();
}

/// librc finds the state directory by its variable, and a user's services by some more; everything
/// else is in the specs.
fn clear_environment(svcdir: &Path) {
    let runtime_dir = std::env::var_os("XDG_RUNTIME_DIR");
    let of_user: &[&str] = match is_users(svcdir, runtime_dir.as_deref()) {
        true => &OF_USER,
        false => &[],
    };
    let names: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
    let is_kept = |name: &&OsString| *name == "TZ" || of_user.iter().any(|known| *name == *known);
    for name in names.iter().filter(|name| !is_kept(name)) {
        std::env::remove_var(name);
    }
    // That of hooks and of what they call.
    std::env::set_var("PATH", SEARCH_PATH);
    std::env::set_var("RC_SVCDIR", svcdir);
}

fn raise_descriptors() {
    let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    let wanted = hard.max(DESCRIPTORS);
    let set = setrlimit(Resource::RLIMIT_NOFILE, wanted, wanted);
    if set.is_err() {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
