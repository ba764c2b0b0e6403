//! Hosts and modules in C, C++ and Rust: every pair keeps all promises, with no error of memory and
//! no leak by ASan and by valgrind.

mod kit;

use kit::Author;
use std::path::Path;

/// What a host is compiled with.
const HOSTS: [&str; 2] = ["gcc -std=c99 -pedantic", "g++ -x c++ -std=c++17"];

/// Modules that are compiled here, and what with; `internal` is installed.
const MODULES: [(&str, &str); 2] = [
    ("plainc", "gcc -std=c11"),
    (
        "plainxx",
        "g++ -x c++ -std=c++17 -Wno-missing-field-initializers",
    ),
];

const ASAN: &str = "-fsanitize=address -fno-omit-frame-pointer";

/// An author with the sources in his home and modules in `modules`, built with `options`.
fn author(options: &str) -> Author {
    let author = Author::new();
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for file in [
        "tests/conformance/host.c",
        "rc-sv-loader/tests/modules/plain.c",
    ] {
        let name = file.rsplit('/').next().expect("a name");
        std::fs::copy(top.join(file), author.home().join(name)).expect(file);
    }
    let mut script = "umask 022; mkdir modules\n".to_string();
    for (name, compiler) in MODULES {
        script += &format!(
            "{compiler} -Wall -Wextra -Werror {options} -g -shared -fPIC -fvisibility=hidden \
             -DNAME='\"{name}\"' plain.c -o modules/librc_sv_{name}.so\n"
        );
    }
    for (index, compiler) in HOSTS.iter().enumerate() {
        script += &format!(
            "{compiler} -Wall -Wextra -Werror {options} -g host.c -o host{index} \
             $(pkg-config --cflags --libs rc_sv)\n"
        );
    }
    author.sh(&script);
    author
}

/// Runs host `host` with `module`, below the program `under`.
#[track_caller]
fn run(author: &Author, host: usize, module: &str, isolation: &str, under: &str) {
    let script = format!(
        "d=$(mktemp -d); export RC_SVCDIR=$d/svc RC_SV_PATH=$PWD/modules; mkdir $d/svc\n\
         end() {{ kill $(cat $d/svc/rc-sv/.internal/pid 2>/dev/null) 2>/dev/null || true; }}\n\
         trap end EXIT\n\
         {under} ./host{host} {module} $d {isolation}"
    );
    let output = author.runs(&script);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let which = format!("{} with {module}, {isolation}", HOSTS[host]);
    assert!(output.status.success(), "{which}: {said}{complaint}");
    assert!(said.ends_with(" checks\n"), "{which}: {said}{complaint}");
}

#[test]
fn every_pair_of_host_and_module_keeps_its_promises() {
    let author = author("-O1");
    for host in 0..HOSTS.len() {
        for module in ["internal", MODULES[0].0, MODULES[1].0] {
            for isolation in ["direct", "fork", "exec"] {
                run(&author, host, module, isolation, "");
            }
        }
    }
}

#[test]
fn the_address_sanitizer_finds_nothing_on_either_side() {
    let author = author(&format!("{ASAN} -O1"));
    let under = "env ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:strict_string_checks=1";
    for host in 0..HOSTS.len() {
        for module in ["internal", MODULES[0].0, MODULES[1].0] {
            run(&author, host, module, "direct", under);
        }
    }
}

#[test]
fn valgrind_finds_nothing_on_either_side() {
    let author = author("-O1");
    let under = "valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect \
        --show-leak-kinds=definite,indirect --error-exitcode=99 --child-silent-after-fork=yes";
    for module in [MODULES[0].0, MODULES[1].0] {
        run(&author, 0, module, "direct", under);
    }
    // valgrind does not have openat2, without which internal starts nothing.
    for module in ["internal", "s6", "runit", "daemontools", "monit"] {
        author.sh(&format!("{under} rc-sv-loader --describe {module}"));
    }
}
