//! What is written to OpenRC's state, through a library that only takes notes. The real ones are
//! for the tests in the lab.

use rc_sv_api::ServiceName;
use rc_sv_exec::openrc::{Spawn, State};
use rc_sv_exec::stat::Stat;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

/// Notes each call; `rc_service_mark` refuses the service `locked`.
const LIBRARY: &str = r#"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void note(const char *what, const char *a, const char *b, const char *c) {
    FILE *file = fopen(getenv("NOTES"), "a");
    fprintf(file, "%s %s %s %s\n", what, a, b ? b : "-", c ? c : "-");
    fclose(file);
}
#ifdef NEW
const char *rc_svcdir(void) { return getenv("RC_SVCDIR"); }
#endif
bool rc_service_daemon_set(const char *s, const char *e, const char *const *a, const char *p, bool on) {
    note(on && !a ? "daemon" : "wrong", s, e, p);
    return true;
}
bool rc_service_value_set(const char *s, const char *k, const char *v) { note("set", s, k, v); return true; }
char *rc_service_value_get(const char *s, const char *k) {
    note("get", s, k, 0);
    return strcmp(k, "child_pid") ? 0 : strdup("4711");
}
bool rc_service_mark(const char *s, int state) {
    char number[20];
    sprintf(number, "%x", state);
    note("mark", s, number, 0);
    return strcmp(s, "locked") != 0;
}
int rc_service_state(const char *s) { note("state", s, 0, 0); return 0x2; }
"#;

/// Runs `inner` below in a process that finds this library, and returns its notes.
fn with_library(flags: &[&str], svcdir: &Path, test: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("librc.c");
    fs::write(&source, LIBRARY).unwrap();
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-o"])
        .arg(dir.path().join("librc.so.1"))
        .arg(&source);
    assert!(
        compiler.args(flags).status().unwrap().success(),
        "cc failed"
    );
    let notes = dir.path().join("notes");
    let inner = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", test, "--nocapture"])
        .env("LD_LIBRARY_PATH", dir.path())
        .env("NOTES", &notes)
        .env("RC_SVCDIR", svcdir)
        .env("TZ", "XXX-2")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&inner.stdout);
    assert!(
        inner.status.success() && output.contains("1 passed"),
        "{output}"
    );
    fs::read_to_string(notes).unwrap_or_default()
}

fn svcdir() -> std::path::PathBuf {
    std::env::var_os("RC_SVCDIR")
        .expect("run by another test")
        .into()
}

fn service(name: &str) -> ServiceName {
    ServiceName::new(name.as_bytes()).unwrap()
}

#[test]
fn a_life_is_recorded_as_supervise_daemon_does() {
    let svcdir = tempfile::tempdir().unwrap();
    let notes = with_library(&["-DNEW"], svcdir.path(), "inner_life");
    let expected = "daemon foo /bin/x /run/sv.pid\n\
        set foo start_time 2026-11-22 13:20:00\n\
        set foo start_count 0\n\
        set foo child_began OWN\n\
        set foo child_pid PID\n\
        set foo child_pid -\n\
        set foo child_began -\n\
        set foo start_time 2026-11-22 13:20:01\n\
        set foo start_count 1\n\
        set foo child_began -\n\
        set foo child_pid 4194305\n\
        state foo - -\n\
        get foo child_pid -\n\
        get foo nothing -\n\
        mark foo 1 -\n\
        mark foo 1 -\n\
        mark foo 200 -\n\
        mark locked 1 -\n";
    let own = fs::read_to_string(svcdir.path().join("own")).unwrap();
    let (pid, _) = own.split_once(' ').unwrap();
    let expected = expected.replace("OWN", &own).replace("PID", pid);
    assert_eq!(notes, expected);
}

#[test]
#[ignore = "run by a_life_is_recorded_as_supervise_daemon_does"]
fn inner_life() {
    let state = State::open(&svcdir()).unwrap();
    let foo = service("foo");
    let noon = UNIX_EPOCH + Duration::from_secs(1_795_346_400);
    let mut spawn = Spawn {
        exec: c"/bin/x",
        pidfile: c"/run/sv.pid",
        at: noon,
        respawns: 0,
        pid: std::process::id() as i32,
    };
    let began = Stat::of(spawn.pid).unwrap().began;
    fs::write(svcdir().join("own"), format!("{} {began}", spawn.pid)).unwrap();
    state.record_spawn(&foo, &spawn).unwrap();
    state.clear_child(&foo).unwrap();
    // As librc would have done: from now on the daemon is known.
    fs::create_dir_all(svcdir().join("daemons/foo")).unwrap();
    fs::write(svcdir().join("daemons/foo/001"), "").unwrap();
    spawn = Spawn {
        at: noon + Duration::from_secs(1),
        respawns: 1,
        // No process has it.
        pid: 4_194_305,
        ..spawn
    };
    state.record_spawn(&foo, &spawn).unwrap();
    assert!(state.is_started(&foo).unwrap());
    assert_eq!(
        state.value(&foo, c"child_pid").unwrap(),
        Some(b"4711".to_vec())
    );
    assert_eq!(state.value(&foo, c"nothing").unwrap(), None);
    state.mark_stopped(&foo).unwrap();
    state.mark_failed(&foo).unwrap();
    let error = state.mark_failed(&service("locked")).unwrap_err();
    assert_eq!(
        error.message,
        "locked: librc cannot record that it is stopped in OpenRC's state directory"
    );
}

#[test]
fn the_state_of_another_openrc_is_left_alone() {
    let other = tempfile::tempdir().unwrap();
    with_library(&["-DNEW"], other.path(), "inner_other_directory");
    // An old librc knows /run/openrc only, which this is not.
    with_library(&[], other.path(), "inner_old_library");
}

#[test]
#[ignore = "run by the_state_of_another_openrc_is_left_alone"]
fn inner_other_directory() {
    assert!(State::open(&svcdir()).is_some());
    assert!(State::open(Path::new("/")).is_none());
    assert!(State::open(Path::new("/nowhere")).is_none());
}

#[test]
#[ignore = "run by the_state_of_another_openrc_is_left_alone"]
fn inner_old_library() {
    assert!(State::open(&svcdir()).is_none());
    let run = Path::new("/run/openrc");
    assert_eq!(State::open(run).is_some(), run.exists());
}

#[test]
fn without_openrc_there_is_nothing_to_tell() {
    let inner = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "inner_without_library"])
        .env("LD_LIBRARY_PATH", "/nowhere")
        .output()
        .unwrap();
    assert!(
        inner.status.success(),
        "{}",
        String::from_utf8_lossy(&inner.stdout)
    );
}

#[test]
#[ignore = "run by without_openrc_there_is_nothing_to_tell"]
fn inner_without_library() {
    // Where OpenRC is installed, its library is found all the same.
    let installed = Command::new("ldconfig")
        .arg("-p")
        .output()
        .is_ok_and(|list| String::from_utf8_lossy(&list.stdout).contains("librc.so.1"));
    let run = Path::new("/run/openrc");
    assert_eq!(State::open(run).is_some(), installed && run.exists());
}
