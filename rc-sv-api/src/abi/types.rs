//! The types of the C ABI, exactly as C sees them.
//!
//! This file is locked: `layout.rs` hashes it (without comments and white space) and compares the
//! hash with a literal, so that no field is changed by accident. How to change it on purpose
//! stands there.

#![allow(non_camel_case_types)]

use std::ffi::{c_char, c_int, c_void};

/// What a call answers: RC_SV_OK, RC_SV_PENDING, RC_SV_DELEGATE or RC_SV_E_*.
pub type rc_sv_result = i32;

/// What a service is doing: RC_SV_STATE_*. Treat unknown numbers as RC_SV_STATE_UNKNOWN.
pub type rc_sv_state = i32;

/// A service's settings: opaque, the host's. Valid during the call to which it is handed.
pub struct rc_sv_spec {
    _opaque: (),
}

/// One opened backend: opaque, the module's. Made by open(), ended by close().
pub struct rc_sv_instance {
    _opaque: (),
}

/// One stream of events: opaque, of whoever made it by watch_open(). Ended by watch_close().
pub struct rc_sv_watch {
    _opaque: (),
}

/// Why a call failed. Caller-owned; the caller zeroes it and sets struct_size. Frozen in ABI 1:
/// 256 bytes. May be NULL wherever it is a parameter.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rc_sv_error {
    /// sizeof(struct rc_sv_error), set by the caller.
    pub struct_size: u32,
    /// The same as the returned value.
    pub code: rc_sv_result,
    /// errno of the system call that failed, or 0.
    pub os_errno: i32,
    /// Wait status of a command that was run, or -1.
    pub exit_status: i32,
    /// Zero.
    pub reserved: [u32; 2],
    /// UTF-8, NUL-terminated, one line, no trailing dot: what is wrong and what would be right. The
    /// host puts the names of service and module before it.
    pub message: [c_char; 232],
}

/// One snapshot of a service. Caller-owned; the caller zeroes it and sets struct_size. Frozen in
/// ABI 1: 256 bytes. Fields are meaningful where `valid` says so.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rc_sv_status {
    /// sizeof(struct rc_sv_status), set by the caller.
    pub struct_size: u32,
    /// RC_SV_ST_*: which fields the backend filled.
    pub valid: u32,
    /// RC_SV_STATE_*.
    pub state: rc_sv_state,
    /// RC_SV_SF_*.
    pub flags: u32,
    /// Main process. A backend that owns it tells it whenever the service is up.
    pub pid: i32,
    /// The process that waits on it.
    pub supervisor_pid: i32,
    /// CLOCK_REALTIME of the last change of state, nanoseconds.
    pub since_real_ns: i64,
    /// CLOCK_BOOTTIME of the last change of state, nanoseconds; 0 when unknown.
    pub since_boot_ns: u64,
    /// Respawns since the supervisor took the service.
    pub restarts: u32,
    /// Consecutive failures.
    pub failures: u32,
    /// RC_SV_EXIT_*: how the main process ended last.
    pub exit_kind: i32,
    /// The code, signal or errno, by exit_kind.
    pub exit_value: i32,
    /// Milliseconds until the scheduled respawn.
    pub next_restart_ms: u32,
    /// Zero.
    pub reserved0: u32,
    /// Zero.
    pub reserved: [u64; 6],
    /// UTF-8, NUL-terminated, one line for people; empty when there is nothing to add.
    pub detail: [c_char; 144],
}

/// One event. Caller-owned; the caller zeroes it and sets struct_size. Frozen in ABI 1: 512 bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rc_sv_event {
    /// sizeof(struct rc_sv_event), set by the caller.
    pub struct_size: u32,
    /// RC_SV_EVENT_*. Ignore unknown kinds.
    pub kind: u32,
    /// Number in its stream, growing by one; a gap means that events were lost.
    pub seq: u64,
    /// NUL-terminated name of the service.
    pub service: [c_char; 240],
    /// Its status after the event; since_real_ns and since_boot_ns are the moment of the event.
    pub status: rc_sv_status,
}

/// Options of one call. In-struct: may grow at its end in a later minor; zero means default. NULL
/// is the same as all zero. Owned by the caller, valid during the call.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rc_sv_req {
    /// sizeof(struct rc_sv_req), set by the caller.
    pub struct_size: u32,
    /// RC_SV_RQ_*.
    pub flags: u32,
    /// How long the call may take, milliseconds; 0 is the backend's documented default.
    pub timeout_ms: u32,
    /// signal(): the number of the signal.
    pub signo: i32,
    /// wait(): the state to wait for.
    pub want_state: rc_sv_state,
    /// Zero.
    pub reserved: u32,
}

/// A command for host->run. In-struct, as rc_sv_req.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rc_sv_cmd {
    /// sizeof(struct rc_sv_cmd), set by the caller.
    pub struct_size: u32,
    /// RC_SV_CMD_*.
    pub flags: u32,
    /// NULL-terminated; the first is an absolute path. No shell is involved. Standard error is the
    /// host's unless RC_SV_CMD_MERGE_STDERR is set.
    pub argv: *const *const c_char,
    /// NULL-terminated; NULL is the host's cleaned environment.
    pub envp: *const *const c_char,
    /// Working directory; NULL is "/".
    pub cwd: *const c_char,
    /// Bytes for its standard input; NULL is /dev/null.
    pub input: *const c_void,
    /// Number of those bytes.
    pub input_len: usize,
    /// After this long it is killed, milliseconds; 0 is 10,000.
    pub timeout_ms: u32,
    /// Zero.
    pub reserved: u32,
}

/// What a command wrote. The caller sets struct_size, buf and cap; the host fills the others.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rc_sv_output {
    /// sizeof(struct rc_sv_output), set by the caller.
    pub struct_size: u32,
    /// RC_SV_OUT_*.
    pub flags: u32,
    /// Its wait status, as from waitpid(2).
    pub wait_status: i32,
    /// Zero.
    pub reserved: u32,
    /// The caller's buffer; may be NULL if cap is 0. Not NUL-terminated.
    pub buf: *mut c_char,
    /// Its size.
    pub cap: usize,
    /// How many bytes were written to it.
    pub len: usize,
}

/// What the host offers to a module. Owned by the host, valid from open() to the end of close().
/// Grows at its end; a module looks at struct_size before it uses a slot added after ABI 1.0.
/// Every slot may be called from the thread that is inside a call of the backend, only there.
///
/// NULL: host must not be; for a key that is NULL there is no setting, and no line for a message.
/// Blocking: only in run(), at most its time-out and 2 s. Texts are the bytes that were set; they
/// need not be UTF-8.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rc_sv_host {
    /// sizeof(struct rc_sv_host) of the host.
    pub struct_size: u32,
    /// RC_SV_ABI of the host.
    pub abi: u32,
    /// The host's own; not for modules.
    pub ctx: *mut c_void,
    /// Logs one line, which is copied; level is that of syslog(3), 0 to 7. Never fails.
    pub log:
        Option<unsafe extern "C" fn(host: *const rc_sv_host, level: i32, message: *const c_char)>,
    /// The text of a setting, NUL-terminated, owned by the host, valid until the call of the
    /// backend returns; NULL when it is unset or no text. With spec == NULL: the setting of the
    /// module's own section in the host's configuration, valid until close() has returned.
    pub spec_str: Option<
        unsafe extern "C" fn(
            host: *const rc_sv_host,
            spec: *const rc_sv_spec,
            key: *const c_char,
        ) -> *const c_char,
    >,
    /// The list of a setting: NULL-terminated, *n its length; ownership as spec_str. NULL when it
    /// is unset or no list. An empty list is not NULL. n may be NULL.
    pub spec_list: Option<
        unsafe extern "C" fn(
            host: *const rc_sv_host,
            spec: *const rc_sv_spec,
            key: *const c_char,
            n: *mut usize,
        ) -> *const *const c_char,
    >,
    /// The number of a setting: flags are 0 or 1, durations milliseconds, factors thousandths,
    /// signals their number. Returns 1 and sets *out, or 0 when it is unset or no number.
    pub spec_int: Option<
        unsafe extern "C" fn(
            host: *const rc_sv_host,
            spec: *const rc_sv_spec,
            key: *const c_char,
            out: *mut i64,
        ) -> i32,
    >,
    /// The name of the setting after `previous` in the host's order, the first one for NULL; NULL
    /// at the end. Only settings that are set appear. Ownership as spec_str.
    pub spec_next: Option<
        unsafe extern "C" fn(
            host: *const rc_sv_host,
            spec: *const rc_sv_spec,
            previous: *const c_char,
        ) -> *const c_char,
    >,
    /// Runs a command and waits for it. The only way to run one inside a host: hosts such as
    /// openrc-run reap every child themselves. It has a process group of its own, which is killed
    /// when the time is over; what it wrote beyond cap is dropped. Command, output and error stay
    /// the module's. RC_SV_OK when it ran, whatever its status;
    /// RC_SV_E_TIMEOUT when it was killed; RC_SV_E_IO when it could not be run; RC_SV_E_INVALID when
    /// command or output is NULL or too short. error may be NULL.
    pub run: Option<
        unsafe extern "C" fn(
            host: *const rc_sv_host,
            command: *const rc_sv_cmd,
            output: *mut rc_sv_output,
            error: *mut rc_sv_error,
        ) -> rc_sv_result,
    >,
    /// Tells the host of an event that was seen during a call. It is copied; NULL, or one that is
    /// too short, does nothing. Never fails.
    pub emit: Option<unsafe extern "C" fn(host: *const rc_sv_host, event: *const rc_sv_event)>,
    /// A further interface by its name "rc-sv.NAME/REVISION", or NULL. Owned by the host, valid as
    /// the host is.
    pub query: Option<
        unsafe extern "C" fn(host: *const rc_sv_host, interface: *const c_char) -> *const c_void,
    >,
}

/// Receives one service of list(), in the thread of that call. Both pointers are valid during the
/// callback and not NULL; `user` is what list() was given. Non-zero ends list(), which answers
/// RC_SV_OK. The module calls it only within list(), and may use its host's functions meanwhile.
pub type rc_sv_list_cb = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        service: *const c_char,
        status: *const rc_sv_status,
    ) -> i32,
>;

/// A slot that acts upon one service. `spec` names it (keys "service" and "svcdir", and "runscript"
/// where there is one); in start() and attach() it also holds its settings and what the host has captured, in the others nothing more:
/// what a module needs then it has to remember. `request` may be NULL.
///
/// Thread: calls on one instance never overlap, but may come from different threads. Order: after
/// open() and before close(). Ownership: everything handed over stays the caller's. Blocking: at
/// most request->timeout_ms. Errors: the result, and `error` unless it is NULL.
pub type rc_sv_op = Option<
    unsafe extern "C" fn(
        instance: *mut rc_sv_instance,
        spec: *const rc_sv_spec,
        request: *const rc_sv_req,
        error: *mut rc_sv_error,
    ) -> rc_sv_result,
>;

/// A module's table: static, const, returned by rc_sv_backend_entry_v1(). It grows at its end; the
/// host copies what both sides know. The slots up to status are mandatory, the others may be NULL.
///
/// What rc_sv_op says of thread, order, ownership and errors holds for every slot. NULL: spec, request
/// and error as said there; instance, callbacks and what a slot fills are not NULL, but where it says
/// so. Lifetime: an instance lives from open() to close(), a watch from watch_open() to watch_close().
/// Blocking: open() and close() do not wait for the supervisor; a slot without a request returns
/// within a few seconds, and a host may end a call after 30. A host may call from a child that it has
/// forked, and may end at any moment without close(): what has to last is in files, or elsewhere.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rc_sv_backend {
    /// RC_SV_MAGIC.
    pub magic: u32,
    /// sizeof(struct rc_sv_backend) of the header with which the module was built.
    pub struct_size: u32,
    /// RC_SV_ABI of that header.
    pub abi: u32,
    /// sizeof(struct rc_sv_status).
    pub status_size: u16,
    /// sizeof(struct rc_sv_error).
    pub error_size: u16,
    /// RC_SV_LAYOUT_* of that header; 0 when the module does not state it.
    pub layout: u64,
    /// RC_SV_CAP_*: what the backend can do at best.
    pub caps: u64,
    /// [A-Za-z0-9_-]{1,32}; NAME of the file librc_sv_NAME.so. NUL-terminated, static.
    pub name: *const c_char,
    /// Version of the module. NUL-terminated, static, at most 64 bytes.
    pub version: *const c_char,
    /// One line for people. NUL-terminated, static, at most 256 bytes.
    pub description: *const c_char,
    /// Makes an instance; does not touch the supervisor. `host` is valid until close() returns.
    /// RC_SV_OK sets *instance; anything else leaves it NULL.
    pub open: Option<
        unsafe extern "C" fn(
            host: *const rc_sv_host,
            instance: *mut *mut rc_sv_instance,
            error: *mut rc_sv_error,
        ) -> rc_sv_result,
    >,
    /// Ends an instance, after its watches. NULL does nothing. Services are left as they are.
    pub close: Option<unsafe extern "C" fn(instance: *mut rc_sv_instance)>,
    /// Whether the supervisor is there, and what it can do as it is (*caps_now; may be NULL).
    /// Changes nothing. RC_SV_E_UNAVAILABLE or RC_SV_E_NOT_RUNNING say what to install or start.
    /// What else a person should mend is logged, a line each, at syslog's level NOTICE (5).
    pub probe: Option<
        unsafe extern "C" fn(
            instance: *mut rc_sv_instance,
            caps_now: *mut u64,
            error: *mut rc_sv_error,
        ) -> rc_sv_result,
    >,
    /// Starts the service; returns when it is ready or cannot be. A service that is up is left
    /// alone. After an error nothing runs and nothing is retried. RC_SV_E_INVALID or
    /// RC_SV_E_UNSUPPORTED for a setting, RC_SV_E_IO with os_errno when the program cannot be executed,
    /// RC_SV_E_CONFLICT when somebody else has the service, RC_SV_E_FAILED when it ended before it
    /// was ready, RC_SV_E_TIMEOUT. RC_SV_DELEGATE from a module that only watches.
    pub start: rc_sv_op,
    /// Stops the service, from any state; returns when it is down. Not up or not known is RC_SV_OK.
    /// RC_SV_E_TIMEOUT when it still runs. RC_SV_DELEGATE from a module that only watches.
    pub stop: rc_sv_op,
    /// Fills one snapshot, without waiting for the service. One that is not known has
    /// RC_SV_STATE_UNMANAGED. An error only when it cannot be found out.
    pub status: Option<
        unsafe extern "C" fn(
            instance: *mut rc_sv_instance,
            spec: *const rc_sv_spec,
            status: *mut rc_sv_status,
            error: *mut rc_sv_error,
        ) -> rc_sv_result,
    >,
    /// Optional: begins to watch a service that runs already.
    pub attach: rc_sv_op,
    /// Optional: ends watching; the service is left as it is.
    pub detach: rc_sv_op,
    /// Optional: stop and start in one step. Without it the host does both.
    pub restart: rc_sv_op,
    /// Optional: makes the service read its configuration again. Without it the host sends HUP.
    pub reload: rc_sv_op,
    /// Optional: sends request->signo to the main process. RC_SV_E_NOT_FOUND when nothing runs.
    pub signal: rc_sv_op,
    /// Optional: waits for request->want_state and fills the snapshot (which may be NULL).
    /// RC_SV_E_TIMEOUT, or RC_SV_E_FAILED when the state can no longer be reached.
    pub wait: Option<
        unsafe extern "C" fn(
            instance: *mut rc_sv_instance,
            spec: *const rc_sv_spec,
            request: *const rc_sv_req,
            status: *mut rc_sv_status,
            error: *mut rc_sv_error,
        ) -> rc_sv_result,
    >,
    /// Optional: drops all memory of a service that is down; RC_SV_E_CONFLICT when it is not.
    pub forget: Option<
        unsafe extern "C" fn(
            instance: *mut rc_sv_instance,
            spec: *const rc_sv_spec,
            error: *mut rc_sv_error,
        ) -> rc_sv_result,
    >,
    /// Optional: one snapshot of each service, by callback, from this thread, before it returns.
    pub list: Option<
        unsafe extern "C" fn(
            instance: *mut rc_sv_instance,
            callback: rc_sv_list_cb,
            user: *mut c_void,
            error: *mut rc_sv_error,
        ) -> rc_sv_result,
    >,
    /// Optional: begins a stream of events, of all services if spec is NULL. *pollfd becomes
    /// readable, and stays so, while watch_next() has something; it stays the module's. Anything but
    /// RC_SV_OK leaves *watch NULL. All three or none of watch_*.
    pub watch_open: Option<
        unsafe extern "C" fn(
            instance: *mut rc_sv_instance,
            spec: *const rc_sv_spec,
            watch: *mut *mut rc_sv_watch,
            pollfd: *mut c_int,
            error: *mut rc_sv_error,
        ) -> rc_sv_result,
    >,
    /// Optional, with watch_open: the next event without blocking; RC_SV_PENDING for none. When
    /// the supervisor is gone it is RC_SV_EVENT_SUPERVISOR_LOST, and from then on RC_SV_E_NOT_RUNNING.
    pub watch_next: Option<
        unsafe extern "C" fn(
            instance: *mut rc_sv_instance,
            watch: *mut rc_sv_watch,
            event: *mut rc_sv_event,
            error: *mut rc_sv_error,
        ) -> rc_sv_result,
    >,
    /// Optional, with watch_open: ends the stream. NULL does nothing.
    pub watch_close:
        Option<unsafe extern "C" fn(instance: *mut rc_sv_instance, watch: *mut rc_sv_watch)>,
    /// Optional: a further interface by its name "rc-sv.NAME/REVISION", or NULL. Owned by the
    /// module, valid until close().
    pub query: Option<
        unsafe extern "C" fn(
            instance: *mut rc_sv_instance,
            interface: *const c_char,
        ) -> *const c_void,
    >,
}
