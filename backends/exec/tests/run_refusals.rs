//! What rc-sv-exec does not trust, each in one line and exit 100.

mod seat;

use seat::{finished, said, Seat};
use std::fs::{self, Permissions};
use std::os::unix::fs::{chown, symlink, PermissionsExt};
use std::process::{Command, Stdio};

#[track_caller]
fn refused(seat: &Seat, wanted: &str) {
    for name in ["run", "finish"] {
        let output = finished(seat.command(name).spawn().unwrap());
        let said = said(&output);
        assert_eq!(output.status.code(), Some(100), "{name}: {said}");
        assert!(
            said.starts_with("rc-sv-exec: ") && said.contains(wanted),
            "{name}: {said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert!(!seat.here().join("ran").exists());
}

fn seat() -> Seat {
    Seat::new(": >ran")
}

fn link_to(seat: &Seat, target: &str) {
    let link = seat.here().join("rc-sv");
    fs::remove_file(&link).unwrap();
    symlink(target, link).unwrap();
}

#[test]
fn a_service_directory_of_others() {
    let seat = seat();
    fs::set_permissions(seat.here(), Permissions::from_mode(0o775)).unwrap();
    refused(
        &seat,
        "must belong to root or the caller, and only they may write to it",
    );
    fs::set_permissions(seat.here(), Permissions::from_mode(0o755)).unwrap();
    chown(seat.here(), Some(65534), None).unwrap();
    refused(&seat, "must belong to root or the caller");
}

#[test]
fn a_link_that_leads_elsewhere() {
    let seat = seat();
    let own = seat.own().display().to_string();
    for target in ["rc-sv/foo", "/", "/etc", "/etc/rc-sv", "/nonexistent/foo"] {
        link_to(&seat, target);
        refused(&seat, "must be SVCDIR/rc-sv/SERVICE, an absolute path");
    }
    link_to(&seat, &own.replace("foo", "bar"));
    refused(&seat, "rc-sv/bar: No such file or directory");
    link_to(&seat, &own.replace("foo", ".internal"));
    refused(&seat, "must not start with a dot");
    fs::remove_file(seat.here().join("rc-sv")).unwrap();
    refused(
        &seat,
        "read the link rc-sv of the service directory: No such file or directory",
    );
    fs::write(seat.here().join("rc-sv"), own).unwrap();
    refused(
        &seat,
        "read the link rc-sv of the service directory: Invalid argument",
    );
}

#[test]
fn a_directory_of_the_service_that_others_may_read() {
    let seat = seat();
    fs::set_permissions(seat.own(), Permissions::from_mode(0o750)).unwrap();
    refused(&seat, "rc-sv/foo: has mode 0750; must be 0700 or stricter");
    fs::set_permissions(seat.own(), Permissions::from_mode(0o700)).unwrap();
    chown(seat.own(), Some(65534), None).unwrap();
    refused(
        &seat,
        "rc-sv/foo: belongs to user 65534; must belong to root or the caller",
    );
    chown(seat.own(), Some(0), None).unwrap();
    let real = seat.svcdir().join("rc-sv/real");
    fs::rename(seat.own(), &real).unwrap();
    symlink("real", seat.own()).unwrap();
    refused(&seat, "must be a directory, no link");
}

#[test]
fn files_of_the_service_that_are_not_safe() {
    let seat = seat();
    let spec = seat.own().join("spec");
    fs::set_permissions(&spec, Permissions::from_mode(0o644)).unwrap();
    refused(
        &seat,
        "rc-sv/foo/spec: has mode 0644; must be 0600 or stricter",
    );
    fs::set_permissions(&spec, Permissions::from_mode(0o600)).unwrap();
    fs::write(seat.own().join("record"), "rc-sv record 1\nphase running\n").unwrap();
    fs::set_permissions(seat.own().join("record"), Permissions::from_mode(0o600)).unwrap();
    refused(&seat, "rc-sv/foo/record: is no record of rc-sv");
    fs::remove_file(seat.own().join("record")).unwrap();
    fs::remove_file(seat.own().join("lock")).unwrap();
    symlink("/etc/passwd", seat.own().join("lock")).unwrap();
    refused(&seat, "rc-sv/foo/lock");
    fs::remove_file(seat.own().join("lock")).unwrap();
    fs::remove_file(&spec).unwrap();
    refused(&seat, "rc-sv/foo/spec: open: No such file or directory");
}

#[test]
fn calls_that_make_no_sense() {
    let call = |arguments: &[&str]| {
        let mut command = Command::new(seat::PROGRAM);
        command.args(arguments).stdin(Stdio::null());
        finished(
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    };
    for arguments in [&[][..], &["run"], &["walk", "/"], &["-x"], &["", ""]] {
        let output = call(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = said(&output);
        assert!(said.starts_with("rc-sv-exec: ") && said.ends_with("; see --help"));
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    }
    for path in ["relative/rc-sv/foo", "/", "", "/nonexistent/rc-sv/foo"] {
        assert_eq!(call(&["run", path]).status.code(), Some(100), "{path:?}");
    }
    let help = call(&["--help"]);
    assert!(help.status.success() && help.stdout.starts_with(b"usage: run "));
    let version = call(&["--version"]);
    assert_eq!(
        version.stdout,
        format!("rc-sv-exec {}\n", env!("CARGO_PKG_VERSION")).as_bytes()
    );
}

#[test]
fn a_logger_that_is_called_wrongly_says_so_in_one_line() {
    for (arguments, code, line) in [
        (
            &["--nonsense"][..],
            2,
            "rc-sv-logger: three arguments are needed, not 1; see --help",
        ),
        (
            &["/", "../foo", "output"],
            1,
            "rc-sv-logger: service name \"../foo\": must not start with a dot",
        ),
    ] {
        let mut logger = Command::new(env!("CARGO_BIN_EXE_rc-sv-logger"));
        let output = logger
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert_eq!(said(&output), line);
    }
}
