/* rc_sv.h - rc-sv for programs: find modules, start and stop services, ask for their state.
 *
 * Generated from rc-sv-loader/c-api by cbindgen; do not edit. C99 or later, C++11 or later; link
 * with `pkg-config --cflags --libs rc_sv`.
 *
 *     rc_sv_open -> modules, describe, caps, probe
 *                -> spec_new, spec_set, spec_add -> start or attach -> spec_free
 *                -> status, list, wait, stop, restart, reload, signal, detach, forget
 *                -> watch_open -> watch_next -> watch_close
 *                -> rc_sv_close
 *
 * Results, states, capabilities and the structs for errors, statuses, events and requests are those
 * of rc_sv_backend.h. A function that can fail answers RC_SV_OK (or RC_SV_PENDING) or a negative
 * RC_SV_E_*, fills `error`, and keeps the whole line for rc_sv_last_error().
 *
 * Isolation. Modules are foreign code. Unless RC_SV_OPEN_DIRECT says otherwise, an operation runs in
 * a child process: a module that crashes, exits, hangs, closes descriptors, forks, or changes
 * directory, mask or signals harms nobody, and is RC_SV_E_CRASHED or RC_SV_E_TIMEOUT with a line such
 * as "module x: start: killed by SIGSEGV". The program's handlers do not matter: one for SIGCHLD may
 * reap every child (it sees one that it does not know), and what it does about SIGTERM does not
 * happen in the child. With RC_SV_OPEN_DIRECT the program should ignore SIGPIPE.
 *
 * Errors are not RC_SV_E_PANIC unless there is a bug in this library. Nothing is printed.
 */

#ifndef RC_SV_H
#define RC_SV_H

#include "rc_sv_backend.h"

#ifdef __cplusplus
extern "C" {
/* One function has the name of a struct, as stat(2) has. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif


// rc_sv_options.flags: operations run in this process. For a program that ends soon, or trusts
// its modules with its life.
#define RC_SV_OPEN_DIRECT 0x1u

// rc_sv_options.flags: operations run in a forked child. Only for a program with one thread.
#define RC_SV_OPEN_FORK 0x2u

// rc_sv_options.flags: operations are run by the program rc-sv-loader.
#define RC_SV_OPEN_EXEC 0x4u

// rc_sv_report.standing, which is the exit code of `rc-service SERVICE status`: it runs, or will
// again by itself.
#define RC_SV_STANDING_UP 0

// It is down, or was given up.
#define RC_SV_STANDING_STOPPED 3

// It is being stopped.
#define RC_SV_STANDING_STOPPING 4

// It runs and is not ready yet.
#define RC_SV_STANDING_STARTING 8

// It is dead, and nobody brings it back.
#define RC_SV_STANDING_CRASHED 32

// It runs, and nobody looks after it.
#define RC_SV_STANDING_UNSUPERVISED 64

// Finds modules and calls them: opaque, of this library. Made by rc_sv_open(), ended by
// rc_sv_close().
struct rc_sv_loader;

// Receives a line from a module, or about one. `level` is that of syslog(3), 0 to 7; `module` and
// `line` are valid during the call. Called from the thread that is inside a call of this library,
// before that returns. It must not call this library with the same loader.
typedef void (*rc_sv_log_cb)(void *user, int32_t level, const char *module, const char *line);

// How a loader behaves. In-struct: may grow at its end; the caller zeroes it and sets
// struct_size; zero means default. Owned by the caller, read by rc_sv_open() only.
struct rc_sv_options {
    // sizeof(struct rc_sv_options), set by the caller.
    uint32_t struct_size;
    // One of RC_SV_OPEN_*. 0 chooses at each operation: a forked child while the program has one
    // thread, else the program rc-sv-loader.
    uint32_t flags;
    // Called with what modules log; NULL is the system's log, which is never waited for.
    rc_sv_log_cb log;
    // Handed to log.
    void *log_user;
};

// What is known of one module. Caller-owned; the caller zeroes it and sets struct_size. Frozen in
// version 1: 1024 bytes. Texts are NUL-terminated, and cut if they are too long.
struct rc_sv_module {
    // sizeof(struct rc_sv_module), set by the caller.
    uint32_t struct_size;
    // RC_SV_ABI of the module; 0 when it is not known.
    uint32_t abi;
    // RC_SV_CAP_*: what it can do at best.
    uint64_t caps;
    // RC_SV_CAP_*: what it can do here and now; 0 in a list, and when result is no success.
    uint64_t caps_now;
    // RC_SV_OK when it can be used, as far as that was looked at; else RC_SV_E_*.
    rc_sv_result result;
    // Zero.
    uint32_t reserved;
    // Its name.
    char name[40];
    // Its version; empty in a list, for which no module is loaded.
    char version[72];
    // One line for people; empty in a list.
    char description[264];
    // Why it cannot be used; empty when it can.
    char problem[232];
    // Its file.
    char path[384];
};

// Receives one module of rc_sv_modules(). `module` is valid during the call. Non-zero ends the
// list. It must not call this library with the same loader.
typedef int32_t (*rc_sv_module_cb)(void *user, const struct rc_sv_module *module);

// How one service stands. Caller-owned; the caller zeroes it and sets struct_size. Frozen in
// version 1: 640 bytes.
struct rc_sv_report {
    // sizeof(struct rc_sv_report), set by the caller.
    uint32_t struct_size;
    // RC_SV_STANDING_*: what the status means to OpenRC.
    int32_t standing;
    // RC_SV_OK; in a list, else why this service could not be asked: then standing is
    // RC_SV_STANDING_CRASHED, and the line is in status.detail, which may cut it.
    rc_sv_result result;
    // Zero.
    uint32_t reserved0;
    // The module that started the service, NUL-terminated; empty if none did.
    char module[48];
    // The name of the service, NUL-terminated.
    char service[240];
    // What the module says.
    struct rc_sv_status status;
    // Zero.
    uint64_t reserved[10];
};

// Receives one service of rc_sv_list(). `report` is valid during the call. Non-zero ends the list.
// It must not call this library with the same loader.
typedef int32_t (*rc_sv_report_cb)(void *user, const struct rc_sv_report *report);

// Makes a loader. Reads the environment (RC_SVCDIR, RC_SV_PATH, RCSV_*), which is that of all its
// operations from then on; no module is touched.
//
// Order: first of all. Thread: any; a loader is used by one thread at a time, different loaders by
// different threads at the same time. Not while another thread changes the environment.
// Ownership: *loader is the caller's, up to rc_sv_close(). NULL: options is all default; error may
// be NULL; loader must not. Errors: RC_SV_E_INVALID, and *loader is NULL. Blocking: never.
rc_sv_result rc_sv_open(const struct rc_sv_options *options,
                        struct rc_sv_loader **loader,
                        struct rc_sv_error *error);

// Ends a loader, after its watches. Services are left as they are.
//
// Order: last. Thread: any, when no other uses the loader. NULL: does nothing. Blocking: never.
void rc_sv_close(struct rc_sv_loader *loader);

// The version of this library, such as "0.1.0": static, never NULL. Order, thread: any.
const char *rc_sv_version(void);

// The line about the last failure in this thread, whole even where rc_sv_error cuts it. Never
// NULL, empty before the first failure; this library's, valid until the next failure in this
// thread. Order, thread: any.
const char *rc_sv_last_error(void);

// Hands each module that is installed to `callback`, also those that cannot be used, and those
// directories of modules that must not be used, as modules without a name. Nothing of a module is
// run: this is what its file says.
//
// Order: after rc_sv_open(). Thread: as the loader's; callback is called from this thread.
// Ownership: the module is this library's, during the callback. NULL: user and error may be NULL,
// the others not. Errors: RC_SV_E_INVALID for NULL. Blocking: on the file system only.
rc_sv_result rc_sv_modules(struct rc_sv_loader *loader,
                           rc_sv_module_cb callback,
                           void *user,
                           struct rc_sv_error *error);

// Loads the module `name` and fills what it says of itself, and in caps_now, result and problem
// what it can do here and now.
//
// Order: after rc_sv_open(). Thread: as the loader's. Ownership: module is the caller's. NULL:
// error may be NULL, the others not. Errors: RC_SV_E_NOT_FOUND, RC_SV_E_PERMISSION or RC_SV_E_ABI
// when there is none, it must not be used, or does not fit. That its supervisor is not there is no
// error. Blocking: as long as the module, at most 32 s.
rc_sv_result rc_sv_describe(struct rc_sv_loader *loader,
                            const char *name,
                            struct rc_sv_module *module,
                            struct rc_sv_error *error);

// What the module `name` can do at best: RC_SV_CAP_*, from its file. Nothing of it is run.
//
// Order, thread: as rc_sv_modules(). NULL: error may be NULL, the others not. Errors: *caps is 0;
// RC_SV_E_NOT_FOUND, RC_SV_E_PERMISSION or RC_SV_E_INVALID when there is none, it must not be used,
// or is no module. Blocking: on the file system only.
rc_sv_result rc_sv_caps(struct rc_sv_loader *loader,
                        const char *name,
                        uint64_t *caps,
                        struct rc_sv_error *error);

// Asks the module `name` whether its supervisor is there, and what it can do here and now.
//
// Order, thread: as rc_sv_describe(). NULL: caps_now and error may be NULL, the others not. Errors:
// *caps_now is 0; RC_SV_E_UNAVAILABLE or RC_SV_E_NOT_RUNNING say what to install or to start; or those
// of rc_sv_describe(). Blocking: as long as the module, at most 32 s.
rc_sv_result rc_sv_probe(struct rc_sv_loader *loader,
                         const char *name,
                         uint64_t *caps_now,
                         struct rc_sv_error *error);

// Makes a spec for the service of this name. What it does not say comes from the configuration
// files (rc-sv.toml, rc-sv.d) and from built-in defaults.
//
// Order, thread: any; a spec is used by one thread at a time. Ownership: the spec is the
// caller's, up to rc_sv_spec_free(). NULL: service must not be. Errors: NULL, and
// rc_sv_last_error() says why: the name cannot be that of a service. Blocking: never.
struct rc_sv_spec *rc_sv_spec_new(const char *service);

// Ends a spec. NULL does nothing. Order: last. Thread: any, when no other uses the spec.
void rc_sv_spec_free(struct rc_sv_spec *spec);

// Sets one setting of rc-sv(5) as an administrator writes it, such as "respawn_delay" to "500ms"
// or "rc_supervise_module" to "internal". An empty value unsets it, whatever is configured.
//
// Order: any. Thread: as the spec's. Ownership: both texts are copied. NULL: error may be NULL,
// the others not. Errors: RC_SV_E_INVALID, with what would be right; the spec is as before.
// Blocking: never.
rc_sv_result rc_sv_spec_set(struct rc_sv_spec *spec,
                            const char *key,
                            const char *value,
                            struct rc_sv_error *error);

// Adds a word to a list: "argv", the program and its arguments; "environment", lines NAME=value,
// of which the first one replaces the environment of this process; or a setting that is a
// command, such as "rc_supervise_finish", word by word.
//
// Order, thread, ownership, NULL, errors, blocking: as rc_sv_spec_set().
rc_sv_result rc_sv_spec_add(struct rc_sv_spec *spec,
                            const char *key,
                            const char *word,
                            struct rc_sv_error *error);

// Lets the variables RCSV_NAME of the environment count as settings, as OpenRC's scripts export
// them from conf.d. They go before the configuration files, and what is set here goes before them.
// They are read when the service is started, from the environment as it was at rc_sv_open().
//
// Order, thread, NULL, blocking: as rc_sv_spec_set(). Errors: RC_SV_E_INVALID for NULL.
rc_sv_result rc_sv_spec_environment(struct rc_sv_spec *spec, struct rc_sv_error *error);

// Starts the service of `spec` by the module that its setting rc_supervise_module names, with what
// the spec says and what is configured, in the surroundings of this process: limits, priorities,
// mask, cgroup, and the environment of rc_sv_open(), cleaned as OpenRC does it. Returns when the
// service is ready or cannot be. A service that is up is left alone. The module is recorded: all
// other functions go where start went. RC_SV_DELEGATE: the module only watches. Run the service's
// own start, then rc_sv_attach().
//
// Order: after rc_sv_open(). Thread: as the loader's. Ownership: everything stays the caller's; the
// spec can be used again. NULL: request is all default; error may be NULL; loader and spec must not.
// Errors: RC_SV_E_*, and then nothing runs and nothing is retried; but after RC_SV_E_CRASHED, or
// RC_SV_E_TIMEOUT from this library, nobody knows: ask rc_sv_status(). RC_SV_PENDING with
// RC_SV_RQ_NOWAIT. Blocking: at most request->timeout_ms and 2 s; without it as long as the service's
// own time-outs, at most 600 s.
rc_sv_result rc_sv_start(struct rc_sv_loader *loader,
                         const struct rc_sv_spec *spec,
                         const struct rc_sv_req *request,
                         struct rc_sv_error *error);

// Lets the module that the setting rc_supervise_module names watch the service of `spec`, which
// runs already. The module is recorded.
//
// Order, thread, ownership, NULL, blocking: as rc_sv_start(). Errors: RC_SV_E_*, and then it is not
// watched; the service runs on. RC_SV_E_UNSUPPORTED before anything else for a module without
// RC_SV_CAP_MONITORS.
rc_sv_result rc_sv_attach(struct rc_sv_loader *loader,
                          const struct rc_sv_spec *spec,
                          const struct rc_sv_req *request,
                          struct rc_sv_error *error);

// Stops a service through the module that started it. Returns when it is down. RC_SV_DELEGATE: the
// module only watches. Call rc_sv_detach(), then run the service's own stop.
//
// Order: after rc_sv_open(); the service may have been started by anybody. Thread: as the loader's.
// Ownership: everything stays the caller's. NULL: request is all default; error may be NULL; loader
// and service must not. Errors: RC_SV_E_NOT_FOUND when no module started it; else RC_SV_E_*, and it
// may still run. Blocking: at most request->timeout_ms and 2 s; without it as long as the service's
// own time-outs, at most 600 s.
rc_sv_result rc_sv_stop(struct rc_sv_loader *loader,
                        const char *service,
                        const struct rc_sv_req *request,
                        struct rc_sv_error *error);

// Restarts a service, with the spec of its start, through the module that started it.
//
// Order, thread, ownership, NULL, errors, blocking: as rc_sv_stop().
rc_sv_result rc_sv_restart(struct rc_sv_loader *loader,
                           const char *service,
                           const struct rc_sv_req *request,
                           struct rc_sv_error *error);

// Makes a service read its configuration again, through the module that started it: by a way of the
// module's own, or by the signal HUP.
//
// Order, thread, ownership, NULL, errors, blocking: as rc_sv_stop().
rc_sv_result rc_sv_reload(struct rc_sv_loader *loader,
                          const char *service,
                          const struct rc_sv_req *request,
                          struct rc_sv_error *error);

// Sends the signal request->signo to the main process of a service, through the module that
// started it.
//
// Order, thread, ownership, blocking: as rc_sv_stop(). NULL: error may be NULL, the others not.
// Errors: RC_SV_E_INVALID for a number that is no signal; RC_SV_E_NOT_FOUND when nothing runs.
rc_sv_result rc_sv_signal(struct rc_sv_loader *loader,
                          const char *service,
                          const struct rc_sv_req *request,
                          struct rc_sv_error *error);

// Ends watching a service, which runs on, through the module that watches it. The record of the
// module goes. Where the module or its supervisor is gone, nobody watches any more.
//
// Order, thread, ownership, NULL, blocking: as rc_sv_stop(). Errors: RC_SV_E_UNSUPPORTED from a
// module that only looks after what it has started itself.
rc_sv_result rc_sv_detach(struct rc_sv_loader *loader,
                          const char *service,
                          const struct rc_sv_req *request,
                          struct rc_sv_error *error);

// Drops all memory of a service that is down: what the module keeps, and which one it was. A service
// that no module has started is forgotten already.
//
// Order, thread, ownership, NULL, blocking: as rc_sv_stop(). Errors: RC_SV_E_CONFLICT when it is
// not down, or RC_SV_E_*; nothing is forgotten then.
rc_sv_result rc_sv_forget(struct rc_sv_loader *loader,
                          const char *service,
                          const struct rc_sv_req *request,
                          struct rc_sv_error *error);

// Fills how a service stands. One that no module has started is RC_SV_STATE_UNMANAGED, and stopped.
//
// Order: after rc_sv_open(). Thread: as the loader's. Ownership: report is the caller's. NULL: error
// may be NULL, the others not. Errors: RC_SV_E_* when the module cannot be asked; report is then as
// before. Blocking: as long as the module, at most 32 s.
rc_sv_result rc_sv_status(struct rc_sv_loader *loader,
                          const char *service,
                          struct rc_sv_report *report,
                          struct rc_sv_error *error);

// Waits until a service has the state request->want_state, whoever brings it there, and fills how
// it stands then. RC_SV_STATE_DOWN is reached by whatever does not run and will not by itself.
//
// Order, thread, ownership: as rc_sv_status(). NULL: report and error may be NULL, the others not.
// Errors: RC_SV_E_TIMEOUT; RC_SV_E_FAILED when the service was given up, and so will not come to that
// state by itself; RC_SV_E_INVALID for a state that cannot be waited for. Blocking: at most
// request->timeout_ms and 2 s; 60 s without it.
rc_sv_result rc_sv_wait(struct rc_sv_loader *loader,
                        const char *service,
                        const struct rc_sv_req *request,
                        struct rc_sv_report *report,
                        struct rc_sv_error *error);

// Hands how each service that a module has started stands to `callback`, by name. Each module is
// asked once. A service that cannot be asked is in its place, with the reason in report->result.
//
// Order, thread: as rc_sv_status(); callback is called from this thread. Ownership: the report is
// this library's, during the callback. NULL: user and error may be NULL, the others not. Errors:
// RC_SV_E_* when the records cannot be read. Blocking: as long as the modules, at most 32 s.
rc_sv_result rc_sv_list(struct rc_sv_loader *loader,
                        rc_sv_report_cb callback,
                        void *user,
                        struct rc_sv_error *error);

// The word for a state, such as "up": static, never NULL; "unknown" for a number that is none.
// Order, thread: any.
const char *rc_sv_state_name(rc_sv_state state);

// Begins a stream of events: of one service, or of all that modules have started if service is
// NULL. When *pollfd is readable, there may be something for rc_sv_watch_next().
//
// An event is a change of state, pid, restarts or health that lasts until it is looked at: who is
// slow sees fewer. In a loader with RC_SV_OPEN_DIRECT the stream of one service is that of its module,
// if that has one; it ends with RC_SV_EVENT_SUPERVISOR_LOST and, from then on, RC_SV_E_NOT_RUNNING.
//
// Order: after rc_sv_open(), before rc_sv_close(). Thread: as the loader's. Ownership: *watch is the
// caller's, up to rc_sv_watch_close(); *pollfd is this library's: only poll it. NULL: service and
// error may be NULL, the others not. Errors: RC_SV_E_*, and *watch is NULL, *pollfd -1. Blocking: as
// rc_sv_status().
rc_sv_result rc_sv_watch_open(struct rc_sv_loader *loader,
                              const char *service,
                              struct rc_sv_watch **watch,
                              int *pollfd,
                              struct rc_sv_error *error);

// Fills the next event, if there is one, without waiting for it: RC_SV_OK, or RC_SV_PENDING when
// there is none. To be called until it answers RC_SV_PENDING, before *pollfd is polled again.
//
// Order: between rc_sv_watch_open() and rc_sv_watch_close(), with the same loader. Thread: as the
// loader's. Ownership: event is the caller's. NULL: error may be NULL, the others not. Errors:
// RC_SV_E_* when the services cannot be asked; the stream goes on. Blocking: as rc_sv_status().
rc_sv_result rc_sv_watch_next(struct rc_sv_loader *loader,
                              struct rc_sv_watch *watch,
                              struct rc_sv_event *event,
                              struct rc_sv_error *error);

// Ends a stream of events. NULL for watch does nothing. Order: before rc_sv_close(). Thread: as the
// loader's. Blocking: as long as the module, with RC_SV_OPEN_DIRECT; else never.
void rc_sv_watch_close(struct rc_sv_loader *loader, struct rc_sv_watch *watch);

#ifdef __cplusplus
#pragma GCC diagnostic pop
}
#endif

RC_SV_STATIC_ASSERT(sizeof(struct rc_sv_report) == 640, "frozen in version 1");
RC_SV_STATIC_ASSERT(sizeof(struct rc_sv_module) == 1024, "frozen in version 1");
RC_SV_STATIC_ASSERT(offsetof(struct rc_sv_report, service) == 64, "frozen in version 1");
RC_SV_STATIC_ASSERT(offsetof(struct rc_sv_report, status) == 304, "frozen in version 1");
RC_SV_STATIC_ASSERT(offsetof(struct rc_sv_module, name) == 32, "frozen in version 1");
RC_SV_STATIC_ASSERT(offsetof(struct rc_sv_module, path) == 640, "frozen in version 1");
RC_SV_STATIC_ASSERT(offsetof(struct rc_sv_options, log) == 8, "in-structs only grow");

#endif /* RC_SV_H */
