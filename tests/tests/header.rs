//! The headers are what cbindgen makes of rc-sv-api and rc-sv-c, and compile everywhere.

use rc_sv_api::abi::constants::RC_SV_ABI_MINOR;
use rc_sv_api::abi::layout;
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
    let header = generated(&api, &["abi/constants.rs", "abi/types.rs"]);
    (0..=RC_SV_ABI_MINOR).fold(header, |header, minor| {
        let literal = layout::literal(minor).expect("a literal of each minor");
        header.replace(&format!("@LAYOUT_1_{minor}@"), &format!("{literal:#018x}"))
    })
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

/// A module and a host in one: everything that the headers define is used.
const EVERYTHING: &str = r#"
#include "rc_sv.h"
RC_SV_NOTE("probe", RC_SV_CAP_ADOPTS | RC_SV_CAP_MONITORS);
static struct rc_sv_backend table;
RC_SV_EXPORT const struct rc_sv_backend *rc_sv_backend_entry_v1(uint32_t host_abi)
{
    table.magic = RC_SV_MAGIC;
    table.struct_size = sizeof table;
    table.abi = RC_SV_ABI;
    table.layout = RC_SV_LAYOUT;
    table.caps = RC_SV_CAP_ADOPTS | RC_SV_CAP_MONITORS;
    table.name = "probe";
    return host_abi == RC_SV_ABI ? &table : NULL;
}
rc_sv_result is_up(struct rc_sv_loader *loader, const char *service, struct rc_sv_report *report);
rc_sv_result is_up(struct rc_sv_loader *loader, const char *service, struct rc_sv_report *report)
{
    rc_sv_result result = rc_sv_status(loader, service, report, NULL);
    if (result < 0)
        return result;
    return report->standing == RC_SV_STANDING_UP ? RC_SV_OK : RC_SV_E_FAILED;
}
"#;

/// Compilers of each language with its standards. The header for modules stands alone as well.
const LANGUAGES: [(&str, [&str; 2], &[&str]); 2] = [
    ("c", ["gcc", "clang"], &["c99", "c11", "c17"]),
    ("c++", ["g++", "clang++"], &["c++11", "c++17", "c++20"]),
];

/// Machines with other sizes, orders and alignments; clang knows them all.
const TARGETS: [&str; 8] = [
    "aarch64-linux-gnu",
    "armv7-linux-gnueabihf",
    "i386-linux-gnu",
    "m68k-linux-gnu",
    "powerpc-linux-gnu",
    "riscv64-linux-gnu",
    "s390x-linux-gnu",
    "x86_64-linux-gnu",
];

/// What the compiler says to `source`, if it does not like it.
fn complaint(compiler: &str, language: &str, options: &[&str], source: &str) -> Option<String> {
    let scratch = tempfile::tempdir().expect("a directory");
    let file = scratch.path().join("probe");
    std::fs::write(&file, source).expect("writing the source");
    let output = Command::new(compiler)
        .args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-fPIC"])
        // What the authors of programs and modules may have switched on.
        .args([
            "-Wshadow",
            "-Wconversion",
            "-Wundef",
            "-Wcast-qual",
            "-Wwrite-strings",
        ])
        .args(["-fsyntax-only", "-x", language])
        .args(options)
        .arg("-I")
        .arg(repository().join("include"))
        .arg(&file)
        .output()
        .unwrap_or_else(|cause| panic!("{compiler} (apt: gcc g++ clang): {cause}"));
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then_some(messages)
}

#[test]
fn the_headers_compile_as_c_and_cxx_by_gcc_and_clang() {
    let alone = "#include \"rc_sv_backend.h\"\n";
    let twice = "#include \"rc_sv.h\"\n#include \"rc_sv_backend.h\"\n#include \"rc_sv.h\"\n";
    for (language, compilers, standards) in LANGUAGES {
        for (compiler, standard) in compilers.iter().flat_map(|compiler| {
            let standards = standards.iter();
            standards.map(move |standard| (compiler, format!("-std={standard}")))
        }) {
            for source in [EVERYTHING, alone, twice] {
                let said = complaint(compiler, language, &[&standard], source);
                assert_eq!(said, None, "{compiler} {standard}");
            }
        }
    }
}

#[test]
fn the_headers_compile_for_every_machine() {
    for target in TARGETS {
        for (language, compilers, standards) in LANGUAGES {
            for standard in standards {
                // The C library of that machine is not here.
                let standard = format!("-std={standard}");
                let target = format!("--target={target}");
                let options = [standard.as_str(), &target, "-ffreestanding"];
                let said = complaint(compilers[1], language, &options, EVERYTHING);
                assert_eq!(said, None, "{options:?}");
            }
        }
    }
}

#[test]
fn a_struct_of_another_size_is_refused_by_every_standard() {
    let assertion = "#include \"rc_sv.h\"\n\
        RC_SV_STATIC_ASSERT(sizeof(struct rc_sv_report) == 641, \"it has 640\");\n";
    for (language, compilers, standards) in LANGUAGES {
        for compiler in compilers {
            for standard in standards {
                let standard = format!("-std={standard}");
                let said = complaint(compiler, language, &[&standard], assertion);
                assert!(said.is_some(), "{compiler} {standard}");
            }
        }
    }
}

#[test]
fn every_function_of_the_host_says_what_it_takes_to_call_it() {
    let header = host_header();
    let mut comment = String::new();
    let mut functions = 0;
    for paragraph in header.split("\n\n") {
        let is_comment = |line: &&str| line.starts_with("//");
        for line in paragraph.lines().filter(is_comment) {
            comment += &line.to_lowercase();
        }
        let declaration: Vec<&str> = paragraph.lines().filter(|it| !is_comment(it)).collect();
        let declaration = declaration.join(" ");
        let is_function = declaration.ends_with(");")
            && ["rc_sv_result ", "void ", "struct ", "const char "]
                .iter()
                .any(|start| declaration.starts_with(start));
        if is_function {
            functions += 1;
            let mut due = vec!["order", "thread"];
            if declaration.contains("rc_sv_error *error") {
                due.extend(["null", "errors", "blocking"]);
            }
            for word in due {
                assert!(comment.contains(word), "no {word:?}: {declaration}");
            }
        }
        if !declaration.is_empty() {
            comment.clear();
        }
    }
    assert!(functions > 25, "{functions}");
}
