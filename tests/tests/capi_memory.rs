//! Memory: hosts of librc_sv under ASan with its leak check, and under valgrind.
//!
//! Not in a lab, which has neither: a place of its own with a sample module takes its part.

mod capi;

use capi::{host, said, stage};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// Everything that a host can do with a module that needs no supervisor. `signal` is refused by the
/// module: failures must leak nothing either.
const WORDS: &str =
    "modules , describe sample , start foo sample umask=022 -- /bin/x , status foo \
    , list , wait foo 4 , reload foo , stop foo , wait foo 2 , start fails sample -- /bin/x \
    , start foo nosuch , stop foo , forget foo , nothing , again , life bar sample -- /bin/x";

/// What it prints of the life, among other things.
const SIGNS: [&str; 6] = [
    "module sample abi 0x10000 caps 0x101 usable\n",
    "service foo module sample state up standing 0 result 0 \n",
    "start: -9 sample: it said no\n",
    "nothing: 0.1.0 unknown\n",
    "event bar up\n",
    "event bar unmanaged\n",
];

/// A directory with the host, the sample module and a state directory.
struct Place(tempfile::TempDir);

impl Place {
    fn new(options: &[&str]) -> Place {
        let place = Place(tempfile::tempdir().expect("a directory"));
        for name in ["run", "modules"] {
            let path = place.path(name);
            fs::create_dir(&path).expect("a directory");
            fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("its mode");
        }
        let sample =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../rc-sv-loader/tests/modules/sample.c");
        let module = place.path("modules/librc_sv_sample.so");
        said(
            Command::new("gcc")
                .args(["-shared", "-fPIC", "-g", "-DFULL", "-I"])
                .arg(stage().join("usr/include"))
                .arg(sample)
                .arg("-o")
                .arg(&module),
        );
        let program = place.path("host");
        fs::write(&program, host("gcc", "c99", options)).expect("the host");
        for path in [module, program] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).expect("its mode");
        }
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Runs the host below these words.
    fn run(&self, below: &[&str], isolation: &str) -> Output {
        let host = self.path("host");
        let host = host.to_str().expect("UTF-8");
        let words = isolation.split_whitespace().chain(WORDS.split_whitespace());
        let line: Vec<&str> = below.iter().copied().chain([host]).chain(words).collect();
        Command::new(line[0])
            .args(&line[1..])
            .env("RC_SVCDIR", self.path("run"))
            .env("RC_SV_PATH", self.path("modules"))
            .env("LD_LIBRARY_PATH", stage().join("usr/lib"))
            .env("ASAN_OPTIONS", "exitcode=9:detect_leaks=1")
            .output()
            .unwrap_or_else(|cause| panic!("{} (see tests/lab/tools): {cause}", line[0]))
    }
}

/// Nothing was found, and everything was done.
#[track_caller]
fn check(output: &Output, which: &str) {
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    // Some of the commands are to fail.
    assert_eq!(output.status.code(), Some(1), "{which}:\n{out}\n{err}");
    // Valgrind does not know every system call, and says so.
    let complaints: Vec<&str> = err.lines().filter(|line| !line.starts_with("--")).collect();
    assert_eq!(complaints, [""; 0], "{which}");
    for sign in SIGNS {
        assert!(out.contains(sign), "{which}: {sign:?} is not in:\n{out}");
    }
}

#[test]
fn asan_finds_neither_errors_nor_leaks() {
    let place = Place::new(&["-fsanitize=address,undefined", "-fno-sanitize-recover"]);
    for isolation in ["direct", "fork", "fork handlers"] {
        check(&place.run(&[], isolation), isolation);
    }
}

#[test]
fn valgrind_finds_neither_errors_nor_leaks() {
    let place = Place::new(&[]);
    // A forked child ends without letting go of what is the host's: there a pointer into the middle
    // of something is no sign of a leak.
    for (isolation, kinds) in [
        ("direct", "definite,indirect,possible"),
        ("fork", "definite,indirect"),
    ] {
        let errors = format!("--errors-for-leak-kinds={kinds}");
        let shown = format!("--show-leak-kinds={kinds}");
        let valgrind = [
            "valgrind",
            "--quiet",
            "--error-exitcode=9",
            "--leak-check=full",
            &errors,
            &shown,
        ];
        check(&place.run(&valgrind, isolation), isolation);
    }
}

#[test]
fn a_leak_is_found() {
    let place = Place::new(&["-fsanitize=address", "-DLEAK"]);
    let output = place.run(&[], "direct");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("LeakSanitizer"), "{err}");
}
