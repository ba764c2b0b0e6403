//! Numbers of the host's side. `include/rc_sv.h` is generated from this file, `types.rs` and the
//! functions.

/// rc_sv_options.flags: operations run in this process. For a program that ends soon, or trusts
/// its modules with its life.
pub const RC_SV_OPEN_DIRECT: u32 = 0x1;
/// rc_sv_options.flags: operations run in a forked child. Only for a program with one thread.
pub const RC_SV_OPEN_FORK: u32 = 0x2;
/// rc_sv_options.flags: operations are run by the program rc-sv-loader.
pub const RC_SV_OPEN_EXEC: u32 = 0x4;

/// rc_sv_report.standing, which is the exit code of `rc-service SERVICE status`: it runs, or will
/// again by itself.
pub const RC_SV_STANDING_UP: i32 = 0;
/// It is down, or was given up.
pub const RC_SV_STANDING_STOPPED: i32 = 3;
/// It is being stopped.
pub const RC_SV_STANDING_STOPPING: i32 = 4;
/// It runs and is not ready yet.
pub const RC_SV_STANDING_STARTING: i32 = 8;
/// It is dead, and nobody brings it back.
pub const RC_SV_STANDING_CRASHED: i32 = 32;
/// It runs, and nobody looks after it.
pub const RC_SV_STANDING_UNSUPERVISED: i32 = 64;
