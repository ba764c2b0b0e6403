//! The layout that ARCHITECTURE.md promises: who may depend on whom, where `unsafe` is, what a
//! module exports, and that each dependency says why it is there.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the repository")
        .to_path_buf()
}

fn output_of(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|cause| panic!("{command:?}: {cause}"));
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {messages}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// For each package of the workspace the packages that it is built from, without those of tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = output_of(
        Command::new(env!("CARGO"))
            .args([
                "metadata",
                "--no-deps",
                "--offline",
                "--format-version",
                "1",
            ])
            .current_dir(repository()),
    );
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON of cargo metadata");
    let name = |package: &Value| package["name"].as_str().expect("a name").to_string();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    list(&metadata["packages"])
        .iter()
        .map(|package| {
            let built_from = list(&package["dependencies"])
                .iter()
                .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
                .map(name)
                .collect();
            (name(package), built_from)
        })
        .collect()
}

#[test]
fn arrows_point_only_where_they_may() {
    let modules = [
        "rc-sv-internal",
        "rc-sv-s6",
        "rc-sv-runit",
        "rc-sv-daemontools",
        "rc-sv-monit",
    ];
    for (package, built_from) in dependencies() {
        if package == "rc-sv-tests" || package == "rc-sv-benches" {
            continue;
        }
        let ours: BTreeSet<&str> = built_from
            .iter()
            .map(String::as_str)
            .filter(|name| name.starts_with("rc-sv-"))
            .collect();
        let allowed: &[&str] = match package.as_str() {
            "rc-sv-api" => &[],
            "rc-sv-exec" | "rc-sv-loader" => &["rc-sv-api"],
            "rc-sv-servicedir" => &["rc-sv-api", "rc-sv-exec"],
            "rc-sv-c" => &["rc-sv-api", "rc-sv-loader"],
            module if modules.contains(&module) => &["rc-sv-api", "rc-sv-exec", "rc-sv-servicedir"],
            other => panic!("{other} is not in ARCHITECTURE.md"),
        };
        for arrow in ours {
            assert!(
                allowed.contains(&arrow),
                "{package} must not depend on {arrow}"
            );
        }
    }
}

#[test]
fn heavy_packages_stay_in_the_loader() {
    let heavy = [
        "libloading",
        "toml",
        "toml_edit",
        "serde",
        "serde_json",
        "clap",
        "clap_complete",
    ];
    for (package, built_from) in dependencies() {
        if ["rc-sv-loader", "rc-sv-tests", "rc-sv-benches"].contains(&package.as_str()) {
            continue;
        }
        for name in heavy {
            assert!(
                !built_from.contains(name),
                "{package} must not depend on {name}"
            );
        }
        if package == "rc-sv-api" {
            assert!(
                built_from.is_empty(),
                "rc-sv-api uses std only, but has {built_from:?}"
            );
        }
    }
}

fn tracked(patterns: &[&str]) -> Vec<PathBuf> {
    let list = output_of(
        Command::new("git")
            .args(["ls-files", "--"])
            .args(patterns)
            .current_dir(repository()),
    );
    list.lines().map(|line| repository().join(line)).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

#[test]
fn each_dependency_says_why_it_is_there() {
    for manifest in tracked(&["*Cargo.toml"]) {
        let mut in_dependencies = false;
        let mut explained = false;
        for line in read(&manifest).lines() {
            if line.starts_with('[') {
                in_dependencies = line.trim_end_matches(']').ends_with("dependencies");
            } else if in_dependencies && line.contains(" = ") {
                assert!(
                    explained,
                    "{}: no comment above {line:?}",
                    manifest.display()
                );
            }
            explained = line.starts_with('#');
        }
    }
}

/// The files in which `unsafe` is allowed, each for the reason that its first lines give.
const UNSAFE_FILES: &[&str] = &[
    "backends/exec/src/launch/child.rs",
    "backends/exec/src/launch/sharing.rs",
    "backends/exec/src/launch/syscall.rs",
    "backends/exec/src/openrc/librc.rs",
    "backends/exec/src/openrc/local_time.rs",
    "backends/exec/src/process.rs",
    "backends/exec/tests/hostile_parent.rs",
    "backends/exec/tests/scene/lease.rs",
    "backends/internal/src/supervisor/sys.rs",
    "fuzz/src/allocation.rs",
    "rc-sv-api/src/abi/export.rs",
    "rc-sv-api/src/abi/foreign.rs",
    "rc-sv-api/src/abi/host.rs",
    "rc-sv-api/src/abi/slots.rs",
    "rc-sv-api/src/abi/table.rs",
    "rc-sv-api/tests/crossing.rs",
    "rc-sv-loader/c-api/src/ask.rs",
    "rc-sv-loader/c-api/src/loader.rs",
    "rc-sv-loader/c-api/src/modules.rs",
    "rc-sv-loader/c-api/src/order.rs",
    "rc-sv-loader/c-api/src/pointers.rs",
    "rc-sv-loader/c-api/src/spec.rs",
    "rc-sv-loader/c-api/src/watch.rs",
    "rc-sv-loader/src/host.rs",
    "rc-sv-loader/src/host/command.rs",
    "rc-sv-loader/src/isolation/relay.rs",
    "rc-sv-loader/src/module.rs",
    "rc-sv-loader/src/module/load.rs",
    "rc-sv-loader/src/module/snapshot.rs",
    "rc-sv-loader/src/module/watch.rs",
    "rc-sv-loader/src/run/keeper.rs",
    "rc-sv-loader/src/run/tests.rs",
    "rc-sv-loader/src/sys.rs",
    "rc-sv-loader/src/verify/bare.rs",
    "tests/src/bin/probe-daemon/sys.rs",
    "tests/src/sys.rs",
    "tests/tests/abi_check.rs",
];

#[test]
fn unsafe_is_where_it_is_expected() {
    let found: BTreeSet<String> = tracked(&["*.rs"])
        .into_iter()
        .filter(|path| {
            read(path)
                .lines()
                .any(|line| line.starts_with("#![allow(unsafe_code"))
        })
        .map(|path| {
            path.strip_prefix(repository())
                .expect("inside")
                .display()
                .to_string()
        })
        .collect();
    let expected: BTreeSet<String> = UNSAFE_FILES.iter().map(|path| path.to_string()).collect();
    assert_eq!(found, expected);
    for path in tracked(&["*.rs"]) {
        let stray = read(&path)
            .lines()
            .any(|line| line.trim_start().starts_with("#[allow(unsafe_code"));
        let inside_macro = path.ends_with("abi/export.rs");
        assert!(
            !stray || inside_macro,
            "{}: allow unsafe for a whole file",
            path.display()
        );
    }
}

#[test]
fn each_module_exports_exactly_one_symbol() {
    let stage = std::env::var_os("RC_SV_STAGE")
        .map_or_else(|| repository().join("target/lab/stage"), PathBuf::from);
    for name in ["internal", "s6", "runit", "daemontools", "monit"] {
        let module = stage.join(format!("usr/lib/rc-sv/librc_sv_{name}.so"));
        let symbols = output_of(
            Command::new("nm")
                .args(["-D", "--defined-only"])
                .arg(&module),
        );
        let names: Vec<&str> = symbols
            .lines()
            .filter_map(|line| line.split_whitespace().last())
            .collect();
        assert_eq!(names, ["rc_sv_backend_entry_v1"], "{}", module.display());
    }
}
