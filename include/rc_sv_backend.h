/* rc_sv_backend.h - the C ABI of rc-sv's modules, version 1.0.
 *
 * Generated from rc-sv-api/src/abi by cbindgen; do not edit.
 *
 * A module is a shared object librc_sv_NAME.so that exports one function,
 * rc_sv_backend_entry_v1(), and carries one ELF note, RC_SV_NOTE(). Order of calls:
 *
 *     dlopen -> rc_sv_backend_entry_v1 -> open -> any operation, one at a time -> close
 *
 * A module is never unloaded. Nothing is allocated on one side and freed on the other, but
 * instances and watches, which the module makes and ends.
 */

#ifndef RC_SV_BACKEND_H
#define RC_SV_BACKEND_H

#include <stddef.h>
#include <stdint.h>

/* C99 has no assertion of its own: an array of negative size is refused as well. */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define RC_SV_STATIC_ASSERT(condition, text) static_assert(condition, text)
#elif !defined(__cplusplus) && defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define RC_SV_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#else
#define RC_SV_STATIC_ASSERT(condition, text) extern char rc_sv_assert[(condition) ? 1 : -1]
#endif

/* Layout literals of the minors so far. RC_SV_LAYOUT, that of this header, goes into
 * rc_sv_backend.layout. */
#define RC_SV_LAYOUT_1_0 UINT64_C(0x1100163e50e4f2fd)
#define RC_SV_LAYOUT RC_SV_LAYOUT_1_0

/* Makes the entry visible when everything else is hidden (-fvisibility=hidden). */
#define RC_SV_EXPORT __attribute__((visibility("default")))


// First word of a module's table: "RCSV" on a little-endian machine.
#define RC_SV_MAGIC 0x56534352u

// Changes when an old module could break. A host refuses another major.
#define RC_SV_ABI_MAJOR 0x1u

// Grows when slots, fields or interfaces are added. A host takes any minor.
#define RC_SV_ABI_MINOR 0x0u

// Major and minor in one word, as they stand in tables and notes.
#define RC_SV_ABI 0x10000u

// It is the parent: start() runs the daemon.
#define RC_SV_CAP_OWNS_PROCESS UINT64_C(0x0001)

// It watches: attach() and detach() around the service's own start and stop.
#define RC_SV_CAP_MONITORS UINT64_C(0x0002)

// It respawns.
#define RC_SV_CAP_RESTARTS UINT64_C(0x0004)

// With a growing pause.
#define RC_SV_CAP_BACKOFF UINT64_C(0x0008)

// It gives up at a limit.
#define RC_SV_CAP_GIVE_UP UINT64_C(0x0010)

// It waits for readiness.
#define RC_SV_CAP_READINESS UINT64_C(0x0020)

// It checks health.
#define RC_SV_CAP_HEALTH UINT64_C(0x0040)

// It takes the output.
#define RC_SV_CAP_LOGGING UINT64_C(0x0080)

// It sends signals.
#define RC_SV_CAP_SIGNAL UINT64_C(0x0100)

// It reloads.
#define RC_SV_CAP_RELOAD UINT64_C(0x0200)

// Its events can be polled.
#define RC_SV_CAP_EVENTS_FD UINT64_C(0x0400)

// It serves ordinary users.
#define RC_SV_CAP_USER_SERVICES UINT64_C(0x0800)

// It runs a clean-up command after each end.
#define RC_SV_CAP_FINISH_SCRIPT UINT64_C(0x1000)

// The supervisor may be on another machine.
#define RC_SV_CAP_REMOTE UINT64_C(0x2000)

// It tells a person.
#define RC_SV_CAP_NOTIFY UINT64_C(0x4000)

// It can take over a running process.
#define RC_SV_CAP_ADOPTS UINT64_C(0x8000)

// rc_sv_status.valid: state is filled.
#define RC_SV_ST_STATE 0x1u

// rc_sv_status.valid: pid is filled.
#define RC_SV_ST_PID 0x2u

// rc_sv_status.valid: supervisor_pid is filled.
#define RC_SV_ST_SUPERVISOR 0x4u

// rc_sv_status.valid: since_real_ns is filled.
#define RC_SV_ST_SINCE 0x8u

// rc_sv_status.valid: restarts and failures are filled.
#define RC_SV_ST_RESTARTS 0x10u

// rc_sv_status.valid: exit_kind and exit_value are filled.
#define RC_SV_ST_EXIT 0x20u

// rc_sv_status.valid: next_restart_ms is filled.
#define RC_SV_ST_NEXT 0x40u

// rc_sv_status.valid: RC_SV_SF_HEALTHY means something.
#define RC_SV_ST_HEALTH 0x80u

// rc_sv_status.valid: RC_SV_SF_READY means something.
#define RC_SV_ST_READY 0x100u

// rc_sv_status.valid: RC_SV_SF_WANT_UP means something.
#define RC_SV_ST_WANT 0x200u

// rc_sv_status.valid: detail is filled.
#define RC_SV_ST_DETAIL 0x400u

// rc_sv_status.flags: the service is wanted up.
#define RC_SV_SF_WANT_UP 0x1u

// rc_sv_status.flags: it said that it is ready.
#define RC_SV_SF_READY 0x2u

// rc_sv_status.flags: its health checks pass.
#define RC_SV_SF_HEALTHY 0x4u

// rc_sv_status.flags: it is being watched.
#define RC_SV_SF_MONITORED 0x8u

// rc_sv_status.exit_kind: exit_value is an exit code.
#define RC_SV_EXIT_CODE 1

// rc_sv_status.exit_kind: exit_value is a signal.
#define RC_SV_EXIT_SIGNAL 2

// rc_sv_status.exit_kind: exit_value is a signal, and core was dumped.
#define RC_SV_EXIT_DUMPED 3

// rc_sv_status.exit_kind: it never ran; exit_value is errno.
#define RC_SV_EXIT_NOT_RUN 4

// rc_sv_status.exit_kind: it is gone and nobody can tell how.
#define RC_SV_EXIT_UNKNOWN 5

// rc_sv_event.kind: the state changed.
#define RC_SV_EVENT_STATE 0x1u

// rc_sv_event.kind: the health changed.
#define RC_SV_EVENT_HEALTH 0x2u

// rc_sv_event.kind: the service was given up.
#define RC_SV_EVENT_GAVE_UP 0x3u

// rc_sv_event.kind: contact to the supervisor was lost.
#define RC_SV_EVENT_SUPERVISOR_LOST 0x4u

// rc_sv_event.kind: the service wrote a line; it is in status.detail.
#define RC_SV_EVENT_LOG_LINE 0x5u

// rc_sv_req.flags: return when the command is accepted.
#define RC_SV_RQ_NOWAIT 0x1u

// rc_sv_req.flags: overrule what would be refused.
#define RC_SV_RQ_FORCE 0x2u

// rc_sv_req.flags: check everything, change nothing.
#define RC_SV_RQ_DRY_RUN 0x4u

// rc_sv_req.flags: the supervisor itself started the runscript that asks.
#define RC_SV_RQ_FROM_SUPERVISOR 0x8u

// rc_sv_cmd.flags: standard error goes where standard output goes.
#define RC_SV_CMD_MERGE_STDERR 0x1u

// rc_sv_output.flags: there was more than fits into the buffer.
#define RC_SV_OUT_TRUNCATED 0x1u

// rc_sv_output.flags: the command was killed because its time-out passed.
#define RC_SV_OUT_TIMED_OUT 0x2u

// One opened backend: opaque, the module's. Made by open(), ended by close().
struct rc_sv_instance;

// A service's settings: opaque, the host's. Valid during the call to which it is handed.
struct rc_sv_spec;

// One stream of events: opaque, of whoever made it by watch_open(). Ended by watch_close().
struct rc_sv_watch;

// What a call answers: RC_SV_OK, RC_SV_PENDING, RC_SV_DELEGATE or RC_SV_E_*.
typedef int32_t rc_sv_result;

// What a service is doing: RC_SV_STATE_*. Treat unknown numbers as RC_SV_STATE_UNKNOWN.
typedef int32_t rc_sv_state;

// A command for host->run. In-struct, as rc_sv_req.
struct rc_sv_cmd {
    // sizeof(struct rc_sv_cmd), set by the caller.
    uint32_t struct_size;
    // RC_SV_CMD_*.
    uint32_t flags;
    // NULL-terminated; the first is an absolute path. No shell is involved. Standard error is the
    // host's unless RC_SV_CMD_MERGE_STDERR is set.
    const char *const *argv;
    // NULL-terminated; NULL is the host's cleaned environment.
    const char *const *envp;
    // Working directory; NULL is "/".
    const char *cwd;
    // Bytes for its standard input; NULL is /dev/null.
    const void *input;
    // Number of those bytes.
    size_t input_len;
    // After this long it is killed, milliseconds; 0 is 10,000.
    uint32_t timeout_ms;
    // Zero.
    uint32_t reserved;
};

// What a command wrote. The caller sets struct_size, buf and cap; the host fills the others.
struct rc_sv_output {
    // sizeof(struct rc_sv_output), set by the caller.
    uint32_t struct_size;
    // RC_SV_OUT_*.
    uint32_t flags;
    // Its wait status, as from waitpid(2).
    int32_t wait_status;
    // Zero.
    uint32_t reserved;
    // The caller's buffer; may be NULL if cap is 0. Not NUL-terminated.
    char *buf;
    // Its size.
    size_t cap;
    // How many bytes were written to it.
    size_t len;
};

// Why a call failed. Caller-owned; the caller zeroes it and sets struct_size. Frozen in ABI 1:
// 256 bytes. May be NULL wherever it is a parameter.
struct rc_sv_error {
    // sizeof(struct rc_sv_error), set by the caller.
    uint32_t struct_size;
    // The same as the returned value.
    rc_sv_result code;
    // errno of the system call that failed, or 0.
    int32_t os_errno;
    // Wait status of a command that was run, or -1.
    int32_t exit_status;
    // Zero.
    uint32_t reserved[2];
    // UTF-8, NUL-terminated, one line, no trailing dot: what is wrong and what would be right. The
    // host puts the names of service and module before it.
    char message[232];
};

// One snapshot of a service. Caller-owned; the caller zeroes it and sets struct_size. Frozen in
// ABI 1: 256 bytes. Fields are meaningful where `valid` says so.
struct rc_sv_status {
    // sizeof(struct rc_sv_status), set by the caller.
    uint32_t struct_size;
    // RC_SV_ST_*: which fields the backend filled.
    uint32_t valid;
    // RC_SV_STATE_*.
    rc_sv_state state;
    // RC_SV_SF_*.
    uint32_t flags;
    // Main process. A backend that owns it tells it whenever the service is up.
    int32_t pid;
    // The process that waits on it.
    int32_t supervisor_pid;
    // CLOCK_REALTIME of the last change of state, nanoseconds.
    int64_t since_real_ns;
    // CLOCK_BOOTTIME of the last change of state, nanoseconds; 0 when unknown.
    uint64_t since_boot_ns;
    // Respawns since the supervisor took the service.
    uint32_t restarts;
    // Consecutive failures.
    uint32_t failures;
    // RC_SV_EXIT_*: how the main process ended last.
    int32_t exit_kind;
    // The code, signal or errno, by exit_kind.
    int32_t exit_value;
    // Milliseconds until the scheduled respawn.
    uint32_t next_restart_ms;
    // Zero.
    uint32_t reserved0;
    // Zero.
    uint64_t reserved[6];
    // UTF-8, NUL-terminated, one line for people; empty when there is nothing to add.
    char detail[144];
};

// One event. Caller-owned; the caller zeroes it and sets struct_size. Frozen in ABI 1: 512 bytes.
struct rc_sv_event {
    // sizeof(struct rc_sv_event), set by the caller.
    uint32_t struct_size;
    // RC_SV_EVENT_*. Ignore unknown kinds.
    uint32_t kind;
    // Number in its stream, growing by one; a gap means that events were lost.
    uint64_t seq;
    // NUL-terminated name of the service.
    char service[240];
    // Its status after the event; since_real_ns and since_boot_ns are the moment of the event.
    struct rc_sv_status status;
};

// What the host offers to a module. Owned by the host, valid from open() to the end of close().
// Grows at its end; a module looks at struct_size before it uses a slot added after ABI 1.0.
// Every slot may be called from the thread that is inside a call of the backend, only there.
//
// NULL: host must not be; for a key that is NULL there is no setting, and no line for a message.
// Blocking: only in run(), at most its time-out and 2 s. Texts are the bytes that were set; they
// need not be UTF-8.
struct rc_sv_host {
    // sizeof(struct rc_sv_host) of the host.
    uint32_t struct_size;
    // RC_SV_ABI of the host.
    uint32_t abi;
    // The host's own; not for modules.
    void *ctx;
    // Logs one line, which is copied; level is that of syslog(3), 0 to 7. Never fails.
    void (*log)(const struct rc_sv_host *host, int32_t level, const char *message);
    // The text of a setting, NUL-terminated, owned by the host, valid until the call of the
    // backend returns; NULL when it is unset or no text. With spec == NULL: the setting of the
    // module's own section in the host's configuration, valid until close() has returned.
    const char *(*spec_str)(const struct rc_sv_host *host,
                            const struct rc_sv_spec *spec,
                            const char *key);
    // The list of a setting: NULL-terminated, *n its length; ownership as spec_str. NULL when it
    // is unset or no list. An empty list is not NULL. n may be NULL.
    const char *const *(*spec_list)(const struct rc_sv_host *host,
                                    const struct rc_sv_spec *spec,
                                    const char *key,
                                    size_t *n);
    // The number of a setting: flags are 0 or 1, durations milliseconds, factors thousandths,
    // signals their number. Returns 1 and sets *out, or 0 when it is unset or no number.
    int32_t (*spec_int)(const struct rc_sv_host *host,
                        const struct rc_sv_spec *spec,
                        const char *key,
                        int64_t *out);
    // The name of the setting after `previous` in the host's order, the first one for NULL; NULL
    // at the end. Only settings that are set appear. Ownership as spec_str.
    const char *(*spec_next)(const struct rc_sv_host *host,
                             const struct rc_sv_spec *spec,
                             const char *previous);
    // Runs a command and waits for it. The only way to run one inside a host: hosts such as
    // openrc-run reap every child themselves. It has a process group of its own, which is killed
    // when the time is over; what it wrote beyond cap is dropped. Command, output and error stay
    // the module's. RC_SV_OK when it ran, whatever its status;
    // RC_SV_E_TIMEOUT when it was killed; RC_SV_E_IO when it could not be run; RC_SV_E_INVALID when
    // command or output is NULL or too short. error may be NULL.
    rc_sv_result (*run)(const struct rc_sv_host *host,
                        const struct rc_sv_cmd *command,
                        struct rc_sv_output *output,
                        struct rc_sv_error *error);
    // Tells the host of an event that was seen during a call. It is copied; NULL, or one that is
    // too short, does nothing. Never fails.
    void (*emit)(const struct rc_sv_host *host, const struct rc_sv_event *event);
    // A further interface by its name "rc-sv.NAME/REVISION", or NULL. Owned by the host, valid as
    // the host is.
    const void *(*query)(const struct rc_sv_host *host, const char *interface);
};

// Options of one call. In-struct: may grow at its end in a later minor; zero means default. NULL
// is the same as all zero. Owned by the caller, valid during the call.
struct rc_sv_req {
    // sizeof(struct rc_sv_req), set by the caller.
    uint32_t struct_size;
    // RC_SV_RQ_*.
    uint32_t flags;
    // How long the call may take, milliseconds; 0 is the backend's documented default.
    uint32_t timeout_ms;
    // signal(): the number of the signal.
    int32_t signo;
    // wait(): the state to wait for.
    rc_sv_state want_state;
    // Zero.
    uint32_t reserved;
};

// A slot that acts upon one service. `spec` names it (keys "service" and "svcdir", and "runscript"
// where there is one); in start() and attach() it also holds its settings and what the host has captured, in the others nothing more:
// what a module needs then it has to remember. `request` may be NULL.
//
// Thread: calls on one instance never overlap, but may come from different threads. Order: after
// open() and before close(). Ownership: everything handed over stays the caller's. Blocking: at
// most request->timeout_ms. Errors: the result, and `error` unless it is NULL.
typedef rc_sv_result (*rc_sv_op)(struct rc_sv_instance *instance,
                                 const struct rc_sv_spec *spec,
                                 const struct rc_sv_req *request,
                                 struct rc_sv_error *error);

// Receives one service of list(), in the thread of that call. Both pointers are valid during the
// callback and not NULL; `user` is what list() was given. Non-zero ends list(), which answers
// RC_SV_OK. The module calls it only within list(), and may use its host's functions meanwhile.
typedef int32_t (*rc_sv_list_cb)(void *user, const char *service, const struct rc_sv_status *status);

// A module's table: static, const, returned by rc_sv_backend_entry_v1(). It grows at its end; the
// host copies what both sides know. The slots up to status are mandatory, the others may be NULL.
//
// What rc_sv_op says of thread, order, ownership and errors holds for every slot. NULL: spec, request
// and error as said there; instance, callbacks and what a slot fills are not NULL, but where it says
// so. Lifetime: an instance lives from open() to close(), a watch from watch_open() to watch_close().
// Blocking: open() and close() do not wait for the supervisor; a slot without a request returns
// within a few seconds, and a host may end a call after 30. A host may call from a child that it has
// forked, and may end at any moment without close(): what has to last is in files, or elsewhere.
struct rc_sv_backend {
    // RC_SV_MAGIC.
    uint32_t magic;
    // sizeof(struct rc_sv_backend) of the header with which the module was built.
    uint32_t struct_size;
    // RC_SV_ABI of that header.
    uint32_t abi;
    // sizeof(struct rc_sv_status).
    uint16_t status_size;
    // sizeof(struct rc_sv_error).
    uint16_t error_size;
    // RC_SV_LAYOUT_* of that header; 0 when the module does not state it.
    uint64_t layout;
    // RC_SV_CAP_*: what the backend can do at best.
    uint64_t caps;
    // [A-Za-z0-9_-]{1,32}; NAME of the file librc_sv_NAME.so. NUL-terminated, static.
    const char *name;
    // Version of the module. NUL-terminated, static, at most 64 bytes.
    const char *version;
    // One line for people. NUL-terminated, static, at most 256 bytes.
    const char *description;
    // Makes an instance; does not touch the supervisor. `host` is valid until close() returns.
    // RC_SV_OK sets *instance; anything else leaves it NULL.
    rc_sv_result (*open)(const struct rc_sv_host *host,
                         struct rc_sv_instance **instance,
                         struct rc_sv_error *error);
    // Ends an instance, after its watches. NULL does nothing. Services are left as they are.
    void (*close)(struct rc_sv_instance *instance);
    // Whether the supervisor is there, and what it can do as it is (*caps_now; may be NULL).
    // Changes nothing. RC_SV_E_UNAVAILABLE or RC_SV_E_NOT_RUNNING say what to install or start.
    // What else a person should mend is logged, a line each, at syslog's level NOTICE (5).
    rc_sv_result (*probe)(struct rc_sv_instance *instance,
                          uint64_t *caps_now,
                          struct rc_sv_error *error);
    // Starts the service; returns when it is ready or cannot be. A service that is up is left
    // alone. After an error nothing runs and nothing is retried. RC_SV_E_INVALID or
    // RC_SV_E_UNSUPPORTED for a setting, RC_SV_E_IO with os_errno when the program cannot be executed,
    // RC_SV_E_CONFLICT when somebody else has the service, RC_SV_E_FAILED when it ended before it
    // was ready, RC_SV_E_TIMEOUT. RC_SV_DELEGATE from a module that only watches.
    rc_sv_op start;
    // Stops the service, from any state; returns when it is down. Not up or not known is RC_SV_OK.
    // RC_SV_E_TIMEOUT when it still runs. RC_SV_DELEGATE from a module that only watches.
    rc_sv_op stop;
    // Fills one snapshot, without waiting for the service. One that is not known has
    // RC_SV_STATE_UNMANAGED. An error only when it cannot be found out.
    rc_sv_result (*status)(struct rc_sv_instance *instance,
                           const struct rc_sv_spec *spec,
                           struct rc_sv_status *status,
                           struct rc_sv_error *error);
    // Optional: begins to watch a service that runs already.
    rc_sv_op attach;
    // Optional: ends watching; the service is left as it is.
    rc_sv_op detach;
    // Optional: stop and start in one step. Without it the host does both.
    rc_sv_op restart;
    // Optional: makes the service read its configuration again. Without it the host sends HUP.
    rc_sv_op reload;
    // Optional: sends request->signo to the main process. RC_SV_E_NOT_FOUND when nothing runs.
    rc_sv_op signal;
    // Optional: waits for request->want_state and fills the snapshot (which may be NULL).
    // RC_SV_E_TIMEOUT, or RC_SV_E_FAILED when the state can no longer be reached.
    rc_sv_result (*wait)(struct rc_sv_instance *instance,
                         const struct rc_sv_spec *spec,
                         const struct rc_sv_req *request,
                         struct rc_sv_status *status,
                         struct rc_sv_error *error);
    // Optional: drops all memory of a service that is down; RC_SV_E_CONFLICT when it is not.
    rc_sv_result (*forget)(struct rc_sv_instance *instance,
                           const struct rc_sv_spec *spec,
                           struct rc_sv_error *error);
    // Optional: one snapshot of each service, by callback, from this thread, before it returns.
    rc_sv_result (*list)(struct rc_sv_instance *instance,
                         rc_sv_list_cb callback,
                         void *user,
                         struct rc_sv_error *error);
    // Optional: begins a stream of events, of all services if spec is NULL. *pollfd becomes
    // readable, and stays so, while watch_next() has something; it stays the module's. Anything but
    // RC_SV_OK leaves *watch NULL. All three or none of watch_*.
    rc_sv_result (*watch_open)(struct rc_sv_instance *instance,
                               const struct rc_sv_spec *spec,
                               struct rc_sv_watch **watch,
                               int *pollfd,
                               struct rc_sv_error *error);
    // Optional, with watch_open: the next event without blocking; RC_SV_PENDING for none. When
    // the supervisor is gone it is RC_SV_EVENT_SUPERVISOR_LOST, and from then on RC_SV_E_NOT_RUNNING.
    rc_sv_result (*watch_next)(struct rc_sv_instance *instance,
                               struct rc_sv_watch *watch,
                               struct rc_sv_event *event,
                               struct rc_sv_error *error);
    // Optional, with watch_open: ends the stream. NULL does nothing.
    void (*watch_close)(struct rc_sv_instance *instance, struct rc_sv_watch *watch);
    // Optional: a further interface by its name "rc-sv.NAME/REVISION", or NULL. Owned by the
    // module, valid until close().
    const void *(*query)(struct rc_sv_instance *instance, const char *interface);
};

// Done.
#define RC_SV_OK 0

// Accepted; ask status() or wait(), or read events. From watch_next(): no event is there.
#define RC_SV_PENDING 1

// The host must run the service's own start or stop; the backend only watches.
#define RC_SV_DELEGATE 2

// The operation or option is not offered. A NULL slot means the same.
#define RC_SV_E_UNSUPPORTED (-1)

// The spec or an argument is missing, malformed or contradictory.
#define RC_SV_E_INVALID (-2)

// The supervisor does not know the service.
#define RC_SV_E_NOT_FOUND (-3)

// The supervisor is not installed.
#define RC_SV_E_UNAVAILABLE (-4)

// The supervisor is installed, but its daemon or scan directory is not up.
#define RC_SV_E_NOT_RUNNING (-5)

// The caller may not do this.
#define RC_SV_E_PERMISSION (-6)

// A named time-out passed.
#define RC_SV_E_TIMEOUT (-7)

// The service is supervised elsewhere, or the name is taken.
#define RC_SV_E_CONFLICT (-8)

// The supervisor or the service said no.
#define RC_SV_E_FAILED (-9)

// A system call failed; see os_errno.
#define RC_SV_E_IO (-10)

// The supervisor's answer was not understood.
#define RC_SV_E_PROTOCOL (-11)

// Out of memory.
#define RC_SV_E_NOMEM (-12)

// Set by hosts only: the module does not fit.
#define RC_SV_E_ABI (-125)

// Set by hosts only: the isolated module died.
#define RC_SV_E_CRASHED (-126)

// A Rust panic was caught at the module's entry.
#define RC_SV_E_PANIC (-127)

// It could not be found out.
#define RC_SV_STATE_UNKNOWN 0

// The supervisor has no entry for the service.
#define RC_SV_STATE_UNMANAGED 1

// Down, and not going to be respawned.
#define RC_SV_STATE_DOWN 2

// Running, not ready yet.
#define RC_SV_STATE_STARTING 3

// Running.
#define RC_SV_STATE_UP 4

// Being stopped, or cleaned up after its end.
#define RC_SV_STATE_STOPPING 5

// Dead; a respawn is scheduled, see next_restart_ms.
#define RC_SV_STATE_BACKOFF 6

// Failed; will not be respawned by itself.
#define RC_SV_STATE_GAVE_UP 7

// Running, but stopped by a signal.
#define RC_SV_STATE_PAUSED 8

#ifdef __cplusplus
extern "C" {
#endif

/* The one symbol of a module. host_abi is the host's RC_SV_ABI; answer NULL for a major that the
 * module does not support. The table is static and const. May be called more than once, from any
 * thread. */
RC_SV_EXPORT const struct rc_sv_backend *rc_sv_backend_entry_v1(uint32_t host_abi);

#ifdef __cplusplus
}
#endif

/* The ELF note, by which a host knows a module without running it. NAME is a string literal of 1 to
 * 32 bytes, in C++ to 31; CAPS the same capabilities as in the table. Use it once, at file scope. */
#define RC_SV_NOTE(NAME, CAPS)                                                                  \
    __attribute__((used, aligned(4), section(".note.rc_sv"))) static const struct {             \
        uint32_t namesz, descsz, type;                                                          \
        char vendor[8];                                                                         \
        uint32_t abi;                                                                           \
        uint16_t status_size, error_size;                                                       \
        uint32_t caps_low, caps_high;                                                           \
        char name[32];                                                                          \
    } rc_sv_note_ = {6u, 48u, 1u, "rc-sv", RC_SV_ABI, 256u, 256u,                               \
                     (uint32_t)((uint64_t)(CAPS) & 0xffffffffu),                                \
                     (uint32_t)((uint64_t)(CAPS) >> 32), NAME}

RC_SV_STATIC_ASSERT(sizeof(struct rc_sv_error) == 256, "frozen in ABI 1");
RC_SV_STATIC_ASSERT(sizeof(struct rc_sv_status) == 256, "frozen in ABI 1");
RC_SV_STATIC_ASSERT(sizeof(struct rc_sv_event) == 512, "frozen in ABI 1");
RC_SV_STATIC_ASSERT(sizeof(struct rc_sv_req) >= 24, "in-structs only grow");
RC_SV_STATIC_ASSERT(offsetof(struct rc_sv_error, message) == 24, "frozen in ABI 1");
RC_SV_STATIC_ASSERT(offsetof(struct rc_sv_status, since_real_ns) == 24, "frozen in ABI 1");
RC_SV_STATIC_ASSERT(offsetof(struct rc_sv_status, detail) == 112, "frozen in ABI 1");
RC_SV_STATIC_ASSERT(offsetof(struct rc_sv_event, status) == 256, "frozen in ABI 1");
RC_SV_STATIC_ASSERT(offsetof(struct rc_sv_backend, name) == 32, "tables only grow");
RC_SV_STATIC_ASSERT(offsetof(struct rc_sv_host, ctx) == 8, "tables only grow");

#endif /* RC_SV_BACKEND_H */
