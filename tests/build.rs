//! For `--features abi-check`: the types of the ABI as they are and as they were in 1.0, such that
//! abi_stable can tell what they look like. The types themselves know nothing of it.

use std::path::Path;
use std::{env, fs};

/// Structs that may grow at their end. abi_stable knows growth only of tables that are made its own
/// way (prefix types); so of these only the fields are compared that 1.0 had.
const MAY_GROW: [&str; 5] = [
    "rc_sv_backend",
    "rc_sv_host",
    "rc_sv_req",
    "rc_sv_cmd",
    "rc_sv_output",
];

const RELEASED: &str = "abi/1.0/types.rs";
const TODAY: &str = "../rc-sv-api/src/abi/types.rs";
/// An edit that must be found out.
const SWAP: [&str; 2] = [
    "    pub pid: i32,\n    pub supervisor_pid: i32,\n",
    "    pub supervisor_pid: i32,\n    pub pid: i32,\n",
];

fn main() {
    for path in ["build.rs", RELEASED, TODAY] {
        println!("cargo:rerun-if-changed={path}");
    }
    if env::var_os("CARGO_FEATURE_ABI_CHECK").is_none() {
        return;
    }
    let (released, today) = (code(RELEASED), code(TODAY));
    let cut = MAY_GROW
        .iter()
        .fold(today, |today, name| cut(&today, &released, name));
    let swapped = cut.replace(SWAP[0], SWAP[1]);
    assert_ne!(cut, swapped, "{TODAY} has no pid and supervisor_pid");
    let out = env::var_os("OUT_DIR").expect("cargo");
    for (name, code) in [("released", released), ("today", cut), ("swapped", swapped)] {
        let path = Path::new(&out).join(name).with_extension("rs");
        fs::write(path, with_layout(&code)).expect("writing to OUT_DIR");
    }
}

/// The file without comments and inner attributes.
fn code(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let code = |line: &&str| {
        let line = line.trim_start();
        !line.starts_with("//") && !line.starts_with("#!")
    };
    text.lines()
        .filter(code)
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Where the body of the struct begins and ends.
fn body(code: &str, name: &str) -> (usize, usize) {
    let head = format!("pub struct {name} {{\n");
    let begin = code.find(&head).expect(name) + head.len();
    (begin, begin + code[begin..].find("\n}\n").expect(name) + 1)
}

/// The struct without the fields that it did not have in 1.0.
fn cut(today: &str, released: &str, name: &str) -> String {
    let fields = |body: &str| -> Vec<usize> {
        let field = |at: &usize| *at == 0 || body.as_bytes()[*at - 1] == b'\n';
        body.match_indices("    pub ")
            .map(|(at, _)| at)
            .filter(field)
            .collect()
    };
    let (begin, end) = body(released, name);
    let had = fields(&released[begin..end]).len();
    let (begin, end) = body(today, name);
    match fields(&today[begin..end]).get(had) {
        Some(first_new) => format!("{}{}", &today[..begin + first_new], &today[end..]),
        None => today.to_string(),
    }
}

/// Makes each struct tell its layout. What is opaque is one byte here, so that it has one.
fn with_layout(code: &str) -> String {
    const DERIVE: &str = "#[repr(C)]\n#[derive(abi_stable::StableAbi)]\n";
    let mut code = code.replace("#[repr(C)]\n", DERIVE);
    for name in ["spec", "instance", "watch"] {
        let opaque = format!("pub struct rc_sv_{name} {{\n    _opaque: (),");
        let byte = format!("{DERIVE}pub struct rc_sv_{name} {{\n    _opaque: u8,");
        code = code.replace(&opaque, &byte);
    }
    // A derive does not see through the name of a type of functions.
    let of = |name: &str| {
        let head = format!("pub type {name} = ");
        let begin = code.find(&head).expect(name) + head.len();
        let end = begin + code[begin..].find(";\n").expect(name);
        (begin - head.len(), end + 2, code[begin..end].to_string())
    };
    let (_, _, op) = of("rc_sv_op");
    let (begin, end, callback) = of("rc_sv_list_cb");
    // A function whose parameter is a function cannot be expressed, but by a struct around it.
    let wrapped = format!(
        "#[repr(transparent)]\n#[derive(abi_stable::StableAbi)]\n\
         pub struct rc_sv_list_cb {{\n    pub function: {callback},\n}}\n"
    );
    code.replace_range(begin..end, &wrapped);
    code.replace(": rc_sv_op,", &format!(": {op},"))
}
