//! The layout lock: who changes a type of the ABI without following the rules cannot build it, and
//! is told what to do; who writes a new literal all the same is found out by abidiff.

mod abi;

use abi::{kept, repository, Copy, TYPES};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An edit: what it is, what it replaces, and by what.
type Edit = (&'static str, &'static str, &'static str);

const EDITS: [Edit; 7] = [
    (
        "swap",
        "    pub pid: i32,\n    pub supervisor_pid: i32,",
        "    pub supervisor_pid: i32,\n    pub pid: i32,",
    ),
    ("widen", "    pub signo: i32,", "    pub signo: i64,"),
    (
        "insert",
        "    pub argv: *const *const c_char,",
        "    pub urgency: u32,\n    pub argv: *const *const c_char,",
    ),
    (
        "append to what is frozen",
        "    pub detail: [c_char; 144],",
        "    pub detail: [c_char; 144],\n    /// New.\n    pub more: u64,",
    ),
    (
        "append to a table",
        "        ) -> *const c_void,\n    >,\n}\n",
        "        ) -> *const c_void,\n    >,\n    /// New.\n    pub pause: rc_sv_op,\n}\n",
    ),
    ("rename", "    pub want_state: rc_sv_state,", "    pub wanted_state: rc_sv_state,"),
    (
        "extra parameter",
        "        request: *const rc_sv_req,\n        error: *mut rc_sv_error,\n    ) -> rc_sv_result,\n>;",
        "        request: *const rc_sv_req,\n        error: *mut rc_sv_error,\n        more: u32,\n    ) -> rc_sv_result,\n>;",
    ),
];

#[test]
fn an_edit_that_breaks_the_rules_does_not_compile_and_says_what_to_do() {
    assert_eq!(Copy::new().complaint(), None, "nothing is edited yet");
    for (what, from, to) in EDITS {
        let copy = Copy::new();
        copy.edit(TYPES, from, to);
        let complaint = copy
            .complaint()
            .unwrap_or_else(|| panic!("{what} compiles"));
        for words in [
            "the C ABI in rc-sv-api/src/abi/types.rs was changed",
            "Frozen are rc_sv_error, rc_sv_status and rc_sv_event: put them back",
            "only grow at the end",
            "add RC_SV_LAYOUT_1_<minor> with the size that is found in the error about an array",
            "found one with a size of ",
        ] {
            assert!(complaint.contains(words), "{what}: {complaint}");
        }
    }
    let copy = Copy::new();
    copy.edit(
        TYPES,
        "    pub pid: i32,",
        "\n    /// Another word.\n    pub  pid : i32,",
    );
    assert_eq!(copy.complaint(), None, "words and blanks are free");
}

#[test]
fn a_slot_that_is_appended_by_the_rules_compiles_and_is_compatible() {
    let copy = Copy::new();
    copy.release_1_1();
    assert_eq!(copy.complaint(), None);
    assert_eq!(differences(&copy), None);
}

/// The literal is renewed, so that the lock says nothing; the shape is still that of 1.0 or not.
#[test]
fn who_picks_the_lock_is_found_out_by_abidiff() {
    let today = Copy::new();
    assert_eq!(
        differences(&today),
        None,
        "the header of today is compatible with 1.0"
    );
    for (what, from, to) in EDITS {
        if what == "append to a table" {
            continue;
        }
        let copy = Copy::new();
        copy.edit(TYPES, from, to);
        copy.renew_literal();
        let found = differences(&copy).unwrap_or_else(|| panic!("{what} is compatible"));
        assert!(found.contains("rc_sv_"), "{what}: {found}");
    }
}

/// What abidiff says of the header of `copy` beside that of 1.0; `None` for nothing.
fn differences(copy: &Copy) -> Option<String> {
    let include = copy.make_header();
    let probe = match build_probe(&include, &copy.path("probe.so")) {
        Ok(probe) => probe,
        // The header's own assertions.
        Err(said) => return Some(said),
    };
    let baseline = match cfg!(target_arch = "x86_64") {
        true => kept("probe.abi"),
        false => build_probe(&kept(""), &copy.path("probe-1.0.so")).expect("the kept header"),
    };
    let output = Command::new("abidiff")
        .args(["--leaf-changes-only", "--harmless"])
        .args([&baseline, &probe])
        .output()
        .expect("abidiff (apt: abigail-tools)");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (!is_growth(&said)).then_some(said)
}

/// Whether all that changed, by the report of abidiff, is that structs which may grow have grown at
/// their end. (abidiff's own suppressions take widened fields for growth.)
fn is_growth(report: &str) -> bool {
    const MAY_GROW: [&str; 5] = [
        "rc_sv_backend",
        "rc_sv_host",
        "rc_sv_req",
        "rc_sv_cmd",
        "rc_sv_output",
    ];
    let mut size = 0;
    report.lines().map(str::trim).all(|line| {
        let number = |begin: &str| -> Option<u64> {
            let rest = line.split_once(begin)?.1;
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        };
        if let Some(rest) = line.strip_prefix("'struct ") {
            return rest
                .strip_suffix("' changed:")
                .is_some_and(|name| MAY_GROW.contains(&name));
        }
        if let Some(before) = number("type size changed from ") {
            size = before;
            return true;
        }
        if let Some(offset) = number("', at offset ") {
            return offset >= size;
        }
        let summary = line.contains("summary:") && !line.starts_with("Removed");
        let nothing_else = "0 Removed, 0 Changed, 0 Added";
        line.is_empty() || summary || line.contains(nothing_else) || line.contains("insertion")
    })
}

/// The probe against the header in `include`, or why it cannot be compiled.
fn build_probe(include: &Path, target: &Path) -> Result<PathBuf, String> {
    let output = Command::new("gcc")
        .args([
            "-std=c11",
            "-g",
            "-shared",
            "-fPIC",
            "-fvisibility=hidden",
            "-I",
        ])
        .arg(include)
        .arg(repository().join("tests/abi/probe.c"))
        .arg("-o")
        .arg(target)
        .output()
        .expect("gcc");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    output
        .status
        .success()
        .then(|| target.to_path_buf())
        .ok_or(said)
}
