//! The headers are what cbindgen makes of rc-sv-api and rc-sv-c, and compile everywhere.

use rc_sv_api::abi::layout::RC_SV_LAYOUT_1_0;
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the repository")
        .to_path_buf()
}

/// `include/rc_sv_backend.h` as it has to be.
fn backend_header() -> String {
    let api = repository().join("rc-sv-api");
    let literal = format!("{RC_SV_LAYOUT_1_0:#018x}");
    let header = generated(&api, &["abi/constants.rs", "abi/types.rs"]);
    header.replace("@LAYOUT_1_0@", &literal)
}

/// `include/rc_sv.h` as it has to be.
fn host_header() -> String {
    let files = [
        "constants.rs",
        "types.rs",
        "loader.rs",
        "modules.rs",
        "spec.rs",
        "order.rs",
        "ask.rs",
        "watch.rs",
    ];
    let header = generated(&repository().join("rc-sv-loader/c-api"), &files);
    // What Rust wants to be said of each unsafe function says nothing in C.
    header.replace("//\n// # Safety\n// As the text above says.\n", "")
}

/// What cbindgen makes of the files of a package.
fn generated(package: &Path, files: &[&str]) -> String {
    let config = cbindgen::Config::from_file(package.join("cbindgen.toml")).expect("cbindgen.toml");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in files {
        builder = builder.with_src(package.join("src").join(file));
    }
    let bindings = builder.generate().expect("cbindgen");
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    let header = String::from_utf8(bytes).expect("UTF-8");
    header.lines().map(|line| with_type(line) + "\n").collect()
}

/// cbindgen writes every integer constant as a plain decimal, which in C is a signed int. Flags
/// become unsigned, capabilities 64 bits wide, and negative numbers get their parentheses.
fn with_type(line: &str) -> String {
    let define = line
        .strip_prefix("#define ")
        .and_then(|define| define.split_once(' '));
    let number = define.and_then(|(_, value)| value.parse::<i64>().ok());
    let (Some((name, _)), Some(number)) = (define, number) else {
        return line.to_string();
    };
    let signed = [
        "RC_SV_STATE_",
        "RC_SV_STANDING_",
        "RC_SV_EXIT_",
        "RC_SV_OK",
        "RC_SV_PENDING",
        "RC_SV_DELEGATE",
    ];
    if number < 0 {
        format!("#define {name} ({number})")
    } else if name.starts_with("RC_SV_CAP_") {
        format!("#define {name} UINT64_C({number:#06x})")
    } else if signed.iter().any(|prefix| name.starts_with(prefix)) {
        line.to_string()
    } else {
        format!("#define {name} {number:#x}u")
    }
}

#[test]
fn the_committed_headers_are_the_generated_ones() {
    for (name, header) in [
        ("rc_sv_backend.h", backend_header()),
        ("rc_sv.h", host_header()),
    ] {
        let path = repository().join("include").join(name);
        if std::env::var_os("RC_SV_WRITE_HEADERS").is_some() {
            std::fs::write(&path, &header).expect("writing the header");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == header,
            "{} is out of date: run `make headers`",
            path.display()
        );
    }
}

const EVERY_MACRO: &str = r#"
#include "rc_sv_backend.h"
RC_SV_NOTE("probe", RC_SV_CAP_ADOPTS | RC_SV_CAP_MONITORS);
static struct rc_sv_backend table;
RC_SV_EXPORT const struct rc_sv_backend *rc_sv_backend_entry_v1(uint32_t host_abi)
{
    table.magic = RC_SV_MAGIC;
    table.struct_size = sizeof table;
    table.abi = RC_SV_ABI;
    table.layout = RC_SV_LAYOUT_1_0;
    table.caps = RC_SV_CAP_ADOPTS | RC_SV_CAP_MONITORS;
    table.name = "probe";
    return host_abi == RC_SV_ABI ? &table : NULL;
}
"#;

#[test]
fn the_header_compiles_as_c_and_cxx_by_gcc_and_clang() {
    let scratch = tempfile::tempdir().expect("a directory");
    for (compilers, suffix, standards) in [
        (["gcc", "clang"], "c", &["c11", "c17"][..]),
        (["g++", "clang++"], "cc", &["c++17"][..]),
    ] {
        let source = scratch.path().join("probe").with_extension(suffix);
        std::fs::write(&source, EVERY_MACRO).expect("writing the source");
        for compiler in compilers {
            for standard in standards {
                let output = Command::new(compiler)
                    .args([
                        "-Wall",
                        "-Wextra",
                        "-Werror",
                        "-pedantic",
                        "-fPIC",
                        "-c",
                        "-o",
                        "/dev/null",
                    ])
                    .arg(format!("-std={standard}"))
                    .arg("-I")
                    .arg(repository().join("include"))
                    .arg(&source)
                    .output()
                    .unwrap_or_else(|cause| panic!("{compiler} (apt: gcc g++ clang): {cause}"));
                let messages = String::from_utf8_lossy(&output.stderr);
                assert!(
                    output.status.success(),
                    "{compiler} -std={standard}:\n{messages}"
                );
            }
        }
    }
}
