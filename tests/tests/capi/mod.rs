//! What the tests of librc_sv share: hosts and modules in C, compiled against the staged tree.
#![allow(dead_code)] // Each test file uses a part of it.

use rc_sv_tests::{Lab, Output};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a host is in a lab.
pub const HOST: &str = "/usr/local/bin/host";
/// Where the modules of a test are in a lab.
pub const MODULES: &str = "/usr/local/lib/rc-sv";

/// The compilers and standards of hosts: what somebody may write a host in.
pub const COMPILERS: [(&str, &str); 4] = [
    ("gcc", "c99"),
    ("clang", "c99"),
    ("g++", "c++17"),
    ("clang++", "c++17"),
];

/// Where operations run, as the host is told.
pub const ISOLATIONS: [&str; 4] = ["direct", "fork", "exec", "threads"];

pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/capi")
        .join(name)
}

/// The tree that `make stage` made.
pub fn stage() -> PathBuf {
    rc_sv_tests::lab::stage().unwrap()
}

/// What a command says when it succeeds.
#[track_caller]
pub fn said(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|cause| panic!("{command:?} (see tests/lab/tools): {cause}"));
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}:\n{messages}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The options by which a program is built against the staged tree, as a distribution does it.
pub fn pkg_config(package: &str) -> Vec<String> {
    let stage = stage();
    let options = said(
        Command::new("pkg-config")
            .args(["--cflags", "--libs", package])
            .env("PKG_CONFIG_LIBDIR", stage.join("usr/lib/pkgconfig"))
            .env("PKG_CONFIG_SYSROOT_DIR", &stage)
            .env("PKG_CONFIG_ALLOW_SYSTEM_CFLAGS", "1")
            .env("PKG_CONFIG_ALLOW_SYSTEM_LIBS", "1"),
    );
    options.split_whitespace().map(str::to_string).collect()
}

/// Compiles the host with further options.
#[track_caller]
pub fn host(compiler: &str, standard: &str, options: &[&str]) -> Vec<u8> {
    let scratch = tempfile::tempdir().expect("a directory");
    let program = scratch.path().join("host");
    let language = if compiler.ends_with("++") { "c++" } else { "c" };
    said(
        Command::new(compiler)
            .args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-pthread"])
            .arg(format!("-std={standard}"))
            .args(options)
            .args(["-x", language])
            .arg(source("host.c"))
            .args(["-x", "none", "-o"])
            .arg(&program)
            .args(pkg_config("rc_sv")),
    );
    fs::read(program).expect("the host")
}

/// Compiles the module that does the harm of its name.
#[track_caller]
pub fn module(name: &str, options: &[&str]) -> Vec<u8> {
    let scratch = tempfile::tempdir().expect("a directory");
    let module = scratch.path().join("module.so");
    said(
        Command::new("gcc")
            .args([
                "-std=c11",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Wno-infinite-recursion",
            ])
            .args(["-shared", "-fPIC", "-pthread"])
            .arg(format!("-DNAME=\"{name}\""))
            .args(options)
            .arg("-I")
            .arg(stage().join("usr/include"))
            .arg(source("module.c"))
            .arg("-o")
            .arg(&module),
    );
    fs::read(module).expect("the module")
}

/// A lab with a host in C99.
pub fn lab() -> Lab {
    let lab = Lab::new();
    lab.write(HOST, host("gcc", "c99", &[]), 0o755);
    lab
}

/// Puts a module into a lab.
pub fn install(lab: &Lab, name: &str, options: &[&str]) {
    let path = format!("{MODULES}/librc_sv_{name}.so");
    lab.write(path, module(name, options), 0o755);
}

/// Runs the host with these words.
pub fn run(lab: &Lab, words: &str) -> Output {
    let argv = [HOST].into_iter().chain(words.split_whitespace());
    lab.run(argv).dir("/srv").output()
}
