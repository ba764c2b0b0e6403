//! A copy of rc-sv-api to be changed, and what is kept of ABI 1.0.
#![allow(dead_code)] // Each test file uses a part of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

pub const TYPES: &str = "src/abi/types.rs";
pub const LAYOUT: &str = "src/abi/layout.rs";
pub const CONSTANTS: &str = "src/abi/constants.rs";

const MANIFEST: &str =
    "[package]\nname = \"rc-sv-api\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
    [workspace]\n";

/// The top of the sources.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the repository").to_path_buf()
}

/// A file that is kept of ABI 1.0.
pub fn kept(name: &str) -> PathBuf {
    repository().join("tests/abi/1.0").join(name)
}

/// rc-sv-api outside of the workspace.
pub struct Copy(TempDir);

impl Copy {
    pub fn new() -> Copy {
        let copy = Copy(tempfile::tempdir().expect("a directory"));
        let api = repository().join("rc-sv-api");
        copy_all(&api.join("src"), &copy.path("src"));
        fs::copy(api.join("cbindgen.toml"), copy.path("cbindgen.toml")).expect("cbindgen.toml");
        fs::write(copy.path("Cargo.toml"), MANIFEST).expect("Cargo.toml");
        // Edits are made between fields, whatever is said of them.
        let code: String = copy
            .read(TYPES)
            .lines()
            .filter(|line| !line.trim_start().starts_with("///"))
            .map(|line| format!("{line}\n"))
            .collect();
        fs::write(copy.path(TYPES), code).expect(TYPES);
        copy
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Replaces `from`, which must be there exactly once.
    #[track_caller]
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert_eq!(text.matches(from).count(), 1, "{name}: {from:?}");
        fs::write(self.path(name), text.replace(from, to)).expect(name);
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect(name)
    }

    /// `cargo COMMAND` here, with the words `more`.
    pub fn cargo(&self, command: &str, more: &[&str]) -> Output {
        Command::new(env!("CARGO"))
            .args([command, "--offline", "--quiet"])
            .args(more)
            .env("CARGO_TARGET_DIR", self.path("target"))
            .env_remove("RUSTFLAGS")
            .current_dir(self.0.path())
            .output()
            .expect("cargo")
    }

    /// What the compiler complains about, without line ends and margins; `None` if it does not.
    pub fn complaint(&self) -> Option<String> {
        let output = self.cargo("check", &[]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let words: Vec<&str> = text
            .split_whitespace()
            .filter(|word| *word != "|")
            .collect();
        (!output.status.success()).then(|| words.join(" "))
    }

    /// Follows the rules of layout.rs: a slot more in two tables, a field more in a command, and
    /// minor 1.
    pub fn release_1_1(&self) {
        let slot = "    >,\n}";
        for table in ["rc_sv_host", "rc_sv_backend"] {
            let text = self.read(TYPES);
            let begin = text.find(&format!("pub struct {table} {{")).expect(table);
            let end = begin + text[begin..].find(slot).expect(table);
            let more = "    >,\n    /// Optional: new in 1.1.\n    pub pause: rc_sv_op,\n}";
            let text = format!("{}{more}{}", &text[..end], &text[end + slot.len()..]);
            fs::write(self.path(TYPES), text).expect(TYPES);
        }
        self.edit(
            "src/abi/export.rs",
            "        query: None,",
            "        query: None,\n        pause: None,",
        );
        let text = self.read(TYPES);
        let begin = text.find("pub struct rc_sv_cmd {").expect("rc_sv_cmd");
        let end = begin + text[begin..].find("\n}").expect("its end");
        let text = format!("{}\n    pub later: u64,{}", &text[..end], &text[end..]);
        fs::write(self.path(TYPES), text).expect(TYPES);
        let last = "            reserved: 0,\n        };\n        let mut output";
        let more = last.replace("0,\n        };", "0,\n            later: 0,\n        };");
        self.edit("src/abi/host.rs", last, &more);
        self.edit(CONSTANTS, "MINOR: u32 = 0", "MINOR: u32 = 1");
        self.edit(
            CONSTANTS,
            "RC_SV_ABI: u32 = 0x0001_0000",
            "RC_SV_ABI: u32 = 0x0001_0001",
        );
        self.renew_literal();
        let define = "#define RC_SV_LAYOUT_1_0 UINT64_C(@LAYOUT_1_0@)";
        let more = format!("{define}\n#define RC_SV_LAYOUT_1_1 UINT64_C(@LAYOUT_1_1@)");
        self.edit("cbindgen.toml", define, &more);
        let define = "#define RC_SV_LAYOUT RC_SV_LAYOUT_1_";
        self.edit(
            "cbindgen.toml",
            &format!("{define}0"),
            &format!("{define}1"),
        );
    }

    /// Adds the literal of minor 1, with the hash that the compiler finds, as its message says.
    pub fn renew_literal(&self) {
        let complaint = self.complaint().expect("the lock");
        let found = complaint.split("found one with a size of ").nth(1);
        let found = found.unwrap_or_else(|| panic!("no hash in: {complaint}"));
        let hash: String = found.chars().take_while(char::is_ascii_digit).collect();
        let current = "/// The literal of the current minor.";
        let more = format!("/// Of 1.1.\npub const RC_SV_LAYOUT_1_1: u64 = {hash};\n\n{current}");
        self.edit(LAYOUT, current, &more);
        self.edit(
            LAYOUT,
            "CURRENT: u64 = RC_SV_LAYOUT_1_0",
            "CURRENT: u64 = RC_SV_LAYOUT_1_1",
        );
        let first = "0 => Some(RC_SV_LAYOUT_1_0),";
        self.edit(
            LAYOUT,
            first,
            &format!("{first}\n        1 => Some(RC_SV_LAYOUT_1_1),"),
        );
    }

    /// Makes the header of this copy, in a directory of its own.
    pub fn make_header(&self) -> PathBuf {
        let config =
            cbindgen::Config::from_file(self.path("cbindgen.toml")).expect("cbindgen.toml");
        let bindings = cbindgen::Builder::new()
            .with_config(config)
            .with_src(self.path(CONSTANTS))
            .with_src(self.path(TYPES))
            .generate()
            .expect("cbindgen");
        let mut bytes = Vec::new();
        bindings.write(&mut bytes);
        let mut header = String::from_utf8(bytes).expect("UTF-8");
        for line in self.read(LAYOUT).lines() {
            let literal = line.strip_prefix("pub const RC_SV_");
            if let Some((name, value)) = literal.and_then(|rest| rest.split_once(": u64 = ")) {
                let value = value.trim_end_matches(';').replace('_', "");
                header = header.replace(&format!("@{name}@"), &value);
            }
        }
        let directory = self.path("include");
        fs::create_dir_all(&directory).expect("include");
        fs::write(directory.join("rc_sv_backend.h"), header).expect("the header");
        directory
    }
}

/// Runs a compiler of C, which must not complain.
#[track_caller]
pub fn compile(compiler: &mut Command) {
    let output = compiler.output().expect("a compiler: make tools");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler:?}: {said}");
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy_all(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).expect("a copy")),
        }
    }
}
