//! Numbers of the C ABI. `include/rc_sv_backend.h` is generated from this file and `types.rs`.

#![allow(non_upper_case_globals)]

use super::types::{rc_sv_result, rc_sv_state};

/// First word of a module's table: "RCSV" on a little-endian machine.
pub const RC_SV_MAGIC: u32 = 0x5653_4352;
/// Changes when an old module could break. A host refuses another major.
pub const RC_SV_ABI_MAJOR: u32 = 1;
/// Grows when slots, fields or interfaces are added. A host takes any minor.
pub const RC_SV_ABI_MINOR: u32 = 0;
/// Major and minor in one word, as they stand in tables and notes.
pub const RC_SV_ABI: u32 = 0x0001_0000;

/// Done.
pub const RC_SV_OK: rc_sv_result = 0;
/// Accepted; ask status() or wait(), or read events. From watch_next(): no event is there.
pub const RC_SV_PENDING: rc_sv_result = 1;
/// The host must run the service's own start or stop; the backend only watches.
pub const RC_SV_DELEGATE: rc_sv_result = 2;
/// The operation or option is not offered. A NULL slot means the same.
pub const RC_SV_E_UNSUPPORTED: rc_sv_result = -1;
/// The spec or an argument is missing, malformed or contradictory.
pub const RC_SV_E_INVALID: rc_sv_result = -2;
/// The supervisor does not know the service.
pub const RC_SV_E_NOT_FOUND: rc_sv_result = -3;
/// The supervisor is not installed.
pub const RC_SV_E_UNAVAILABLE: rc_sv_result = -4;
/// The supervisor is installed, but its daemon or scan directory is not up.
pub const RC_SV_E_NOT_RUNNING: rc_sv_result = -5;
/// The caller may not do this.
pub const RC_SV_E_PERMISSION: rc_sv_result = -6;
/// A named time-out passed.
pub const RC_SV_E_TIMEOUT: rc_sv_result = -7;
/// The service is supervised elsewhere, or the name is taken.
pub const RC_SV_E_CONFLICT: rc_sv_result = -8;
/// The supervisor or the service said no.
pub const RC_SV_E_FAILED: rc_sv_result = -9;
/// A system call failed; see os_errno.
pub const RC_SV_E_IO: rc_sv_result = -10;
/// The supervisor's answer was not understood.
pub const RC_SV_E_PROTOCOL: rc_sv_result = -11;
/// Out of memory.
pub const RC_SV_E_NOMEM: rc_sv_result = -12;
/// Set by hosts only: the module does not fit.
pub const RC_SV_E_ABI: rc_sv_result = -125;
/// Set by hosts only: the isolated module died.
pub const RC_SV_E_CRASHED: rc_sv_result = -126;
/// A Rust panic was caught at the module's entry.
pub const RC_SV_E_PANIC: rc_sv_result = -127;

/// It could not be found out.
pub const RC_SV_STATE_UNKNOWN: rc_sv_state = 0;
/// The supervisor has no entry for the service.
pub const RC_SV_STATE_UNMANAGED: rc_sv_state = 1;
/// Down, and not going to be respawned.
pub const RC_SV_STATE_DOWN: rc_sv_state = 2;
/// Running, not ready yet.
pub const RC_SV_STATE_STARTING: rc_sv_state = 3;
/// Running.
pub const RC_SV_STATE_UP: rc_sv_state = 4;
/// Being stopped, or cleaned up after its end.
pub const RC_SV_STATE_STOPPING: rc_sv_state = 5;
/// Dead; a respawn is scheduled, see next_restart_ms.
pub const RC_SV_STATE_BACKOFF: rc_sv_state = 6;
/// Failed; will not be respawned by itself.
pub const RC_SV_STATE_GAVE_UP: rc_sv_state = 7;
/// Running, but stopped by a signal.
pub const RC_SV_STATE_PAUSED: rc_sv_state = 8;

/// It is the parent: start() runs the daemon.
pub const RC_SV_CAP_OWNS_PROCESS: u64 = 0x0001;
/// It watches: attach() and detach() around the service's own start and stop.
pub const RC_SV_CAP_MONITORS: u64 = 0x0002;
/// It respawns.
pub const RC_SV_CAP_RESTARTS: u64 = 0x0004;
/// With a growing pause.
pub const RC_SV_CAP_BACKOFF: u64 = 0x0008;
/// It gives up at a limit.
pub const RC_SV_CAP_GIVE_UP: u64 = 0x0010;
/// It waits for readiness.
pub const RC_SV_CAP_READINESS: u64 = 0x0020;
/// It checks health.
pub const RC_SV_CAP_HEALTH: u64 = 0x0040;
/// It takes the output.
pub const RC_SV_CAP_LOGGING: u64 = 0x0080;
/// It sends signals.
pub const RC_SV_CAP_SIGNAL: u64 = 0x0100;
/// It reloads.
pub const RC_SV_CAP_RELOAD: u64 = 0x0200;
/// Its events can be polled.
pub const RC_SV_CAP_EVENTS_FD: u64 = 0x0400;
/// It serves ordinary users.
pub const RC_SV_CAP_USER_SERVICES: u64 = 0x0800;
/// It runs a clean-up command after each end.
pub const RC_SV_CAP_FINISH_SCRIPT: u64 = 0x1000;
/// The supervisor may be on another machine.
pub const RC_SV_CAP_REMOTE: u64 = 0x2000;
/// It tells a person.
pub const RC_SV_CAP_NOTIFY: u64 = 0x4000;
/// It can take over a running process.
pub const RC_SV_CAP_ADOPTS: u64 = 0x8000;

/// rc_sv_status.valid: state is filled.
pub const RC_SV_ST_STATE: u32 = 0x0001;
/// rc_sv_status.valid: pid is filled.
pub const RC_SV_ST_PID: u32 = 0x0002;
/// rc_sv_status.valid: supervisor_pid is filled.
pub const RC_SV_ST_SUPERVISOR: u32 = 0x0004;
/// rc_sv_status.valid: since_real_ns is filled.
pub const RC_SV_ST_SINCE: u32 = 0x0008;
/// rc_sv_status.valid: restarts and failures are filled.
pub const RC_SV_ST_RESTARTS: u32 = 0x0010;
/// rc_sv_status.valid: exit_kind and exit_value are filled.
pub const RC_SV_ST_EXIT: u32 = 0x0020;
/// rc_sv_status.valid: next_restart_ms is filled.
pub const RC_SV_ST_NEXT: u32 = 0x0040;
/// rc_sv_status.valid: RC_SV_SF_HEALTHY means something.
pub const RC_SV_ST_HEALTH: u32 = 0x0080;
/// rc_sv_status.valid: RC_SV_SF_READY means something.
pub const RC_SV_ST_READY: u32 = 0x0100;
/// rc_sv_status.valid: RC_SV_SF_WANT_UP means something.
pub const RC_SV_ST_WANT: u32 = 0x0200;
/// rc_sv_status.valid: detail is filled.
pub const RC_SV_ST_DETAIL: u32 = 0x0400;

/// rc_sv_status.flags: the service is wanted up.
pub const RC_SV_SF_WANT_UP: u32 = 0x0001;
/// rc_sv_status.flags: it said that it is ready.
pub const RC_SV_SF_READY: u32 = 0x0002;
/// rc_sv_status.flags: its health checks pass.
pub const RC_SV_SF_HEALTHY: u32 = 0x0004;
/// rc_sv_status.flags: it is being watched.
pub const RC_SV_SF_MONITORED: u32 = 0x0008;

/// rc_sv_status.exit_kind: exit_value is an exit code.
pub const RC_SV_EXIT_CODE: i32 = 1;
/// rc_sv_status.exit_kind: exit_value is a signal.
pub const RC_SV_EXIT_SIGNAL: i32 = 2;
/// rc_sv_status.exit_kind: exit_value is a signal, and core was dumped.
pub const RC_SV_EXIT_DUMPED: i32 = 3;
/// rc_sv_status.exit_kind: it never ran; exit_value is errno.
pub const RC_SV_EXIT_NOT_RUN: i32 = 4;
/// rc_sv_status.exit_kind: it is gone and nobody can tell how.
pub const RC_SV_EXIT_UNKNOWN: i32 = 5;

/// rc_sv_event.kind: the state changed.
pub const RC_SV_EVENT_STATE: u32 = 1;
/// rc_sv_event.kind: the health changed.
pub const RC_SV_EVENT_HEALTH: u32 = 2;
/// rc_sv_event.kind: the service was given up.
pub const RC_SV_EVENT_GAVE_UP: u32 = 3;
/// rc_sv_event.kind: contact to the supervisor was lost.
pub const RC_SV_EVENT_SUPERVISOR_LOST: u32 = 4;
/// rc_sv_event.kind: the service wrote a line; it is in status.detail.
pub const RC_SV_EVENT_LOG_LINE: u32 = 5;

/// rc_sv_req.flags: return when the command is accepted.
pub const RC_SV_RQ_NOWAIT: u32 = 0x01;
/// rc_sv_req.flags: overrule what would be refused.
pub const RC_SV_RQ_FORCE: u32 = 0x02;
/// rc_sv_req.flags: check everything, change nothing.
pub const RC_SV_RQ_DRY_RUN: u32 = 0x04;
/// rc_sv_req.flags: the supervisor itself started the runscript that asks.
pub const RC_SV_RQ_FROM_SUPERVISOR: u32 = 0x08;

/// rc_sv_cmd.flags: standard error goes where standard output goes.
pub const RC_SV_CMD_MERGE_STDERR: u32 = 1;
/// rc_sv_output.flags: there was more than fits into the buffer.
pub const RC_SV_OUT_TRUNCATED: u32 = 1;
/// rc_sv_output.flags: the command was killed because its time-out passed.
pub const RC_SV_OUT_TIMED_OUT: u32 = 2;
