//! The manual pages for those who program: nothing of the headers is missing, and what they show
//! as a whole program is one.

mod kit;
mod openrc;

use kit::{repository, Author};
use openrc::{rc, INTERNAL, SOON};
use std::collections::BTreeSet;
use std::fs;

const STRICT: &str = "-Wall -Wextra -Werror -pedantic";

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

/// A page as words: what is a name there, whatever its font.
fn words(path: &str) -> BTreeSet<String> {
    let page = read(path)
        .replace("\\-", "-")
        .replace("\\fI", " ")
        .replace("\\fB", " ");
    page.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .map(str::to_owned)
        .collect()
}

/// The names of the functions that a struct of a header has, `(*name)(` and `rc_sv_op name;`.
fn slots(header: &str, name: &str) -> Vec<String> {
    let begin = format!("\nstruct {name} {{");
    let (_, body) = header
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no struct {name}"));
    let (body, _) = body.split_once("\n};").expect("its end");
    let slot = |line: &str| {
        let pointer = line
            .split_once("(*")
            .and_then(|(_, rest)| rest.split_once(')'));
        let op = line.trim().strip_prefix("rc_sv_op ");
        let name = pointer
            .map(|(name, _)| name)
            .or(op.map(|op| op.trim_end_matches(';')));
        name.filter(|_| !line.trim().starts_with("//"))
            .map(str::to_owned)
    };
    body.lines().filter_map(slot).collect()
}

#[track_caller]
fn all_are_named(names: &[String], page: &str) {
    assert!(names.len() > 8, "too few: {names:?}");
    let words = words(page);
    for name in names {
        assert!(words.contains(name), "{page}: does not name {name}");
    }
}

#[test]
fn every_slot_is_in_the_page_for_modules() {
    let header = read("include/rc_sv_backend.h");
    let page = "man/rc-sv-module.3";
    let slots_of_modules = slots(&header, "rc_sv_backend");
    assert!(slots_of_modules.contains(&"watch_close".to_string()));
    assert!(slots_of_modules.contains(&"start".to_string()));
    all_are_named(&slots_of_modules, page);
    // Each has a paragraph of its own, or three have one.
    let text = read(page);
    for slot in slots_of_modules {
        let heads = [
            format!("\n.B {slot}\n"),
            format!(" {slot}\n"),
            format!(".BR {slot} "),
        ];
        assert!(heads.iter().any(|head| text.contains(head)), "{slot}");
    }
    let mut host = slots(&header, "rc_sv_host");
    host.extend(["rc_sv_backend_entry_v1", "RC_SV_NOTE"].map(str::to_owned));
    all_are_named(&host, page);
    let caps = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define RC_SV_CAP_"));
    let caps: Vec<String> = caps
        .map(|cap| cap.split(' ').next().unwrap().to_owned())
        .collect();
    all_are_named(&caps, page);
}

#[test]
fn every_function_is_in_the_page_for_hosts() {
    let header = read("include/rc_sv.h");
    let code = header
        .lines()
        .filter(|line| !line.starts_with("//") && !line.starts_with(' '));
    let function = |line: &str| {
        let (before, _) = line.split_once('(')?;
        let name = before.rsplit([' ', '*']).next()?;
        (name.starts_with("rc_sv_") && !line.starts_with("typedef")).then(|| name.to_owned())
    };
    let functions: Vec<String> = code.filter_map(function).collect();
    assert!(
        functions.contains(&"rc_sv_watch_next".to_string()),
        "{functions:?}"
    );
    all_are_named(&functions, "man/rc_sv.3");
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = read("man/rc_sv.3");
    let (synopsis, _) = page.split_once("\n.SH DESCRIPTION\n").expect("a synopsis");
    let synopsis = plain(synopsis);
    let declared: Vec<&str> = header
        .lines()
        .filter(|line| !["//", "/*", " *"].iter().any(|it| line.starts_with(it)))
        .collect();
    let declared = declared.join("\n");
    for name in &functions {
        let at = declared.find(&format!("{name}(")).expect("a declaration");
        let begin = declared[..at].rfind('\n').map_or(0, |at| at + 1);
        let end = begin + declared[begin..].find(';').expect("its end");
        let declaration = plain(&declared[begin..=end]);
        assert!(
            synopsis.contains(&declaration),
            "man/rc_sv.3 lacks: {declaration}"
        );
    }
    let constants = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define RC_SV_"));
    let constants = constants.filter(|rest| rest.starts_with("OPEN_") || rest.starts_with("STAND"));
    let name = |rest: &str| format!("RC_SV_{}", rest.split(' ').next().unwrap());
    all_are_named(&constants.map(name).collect::<Vec<_>>(), "man/rc_sv.3");
}

/// The program that a page shows as its example.
fn example(page: &str) -> String {
    let text = read(page);
    let (_, example) = text.split_once("\n.EX\n").expect("an example");
    let (example, _) = example.split_once(".EE\n").expect("its end");
    let unescaped = example
        .replace("\\(aq", "'")
        .replace("\\-", "-")
        .replace("\\&", "");
    unescaped.replace("\\e", "\\")
}

#[test]
fn the_example_of_a_module_keeps_its_promises() {
    let author = Author::new();
    fs::write(author.home().join("ssd.c"), example("man/rc-sv-module.3")).expect("ssd.c");
    for (compiler, standard) in [("gcc", "c17"), ("clang", "c11")] {
        author.sh(&format!(
            "{compiler} -std={standard} {STRICT} -O2 -fPIC -shared -fvisibility=hidden -Wl,-z,defs \
             $(pkg-config --cflags rc_sv_backend) -o librc_sv_ssd.so ssd.c"
        ));
    }
    author.sh("install -m 644 librc_sv_ssd.so $(pkg-config --variable=moduledir rc_sv_backend)");
    let lab = author.lab();
    let report = lab
        .sh("rc-sv-loader --verify /usr/lib/rc-sv/librc_sv_ssd.so")
        .ok();
    assert!(
        report.contains(" 0 failed, 0 doubtful, 0 not run"),
        "{report}"
    );
    lab.service("foo", "command=/bin/sleep\ncommand_args=4242");
    lab.conf("foo", "rc_supervise_module=ssd\n");
    rc(&lab, "foo", "start").ok();
    assert_eq!(rc(&lab, "foo", "status").code(), 0);
    rc(&lab, "foo", "stop").ok();
    assert_eq!(rc(&lab, "foo", "status").code(), 3);

    // Whoever has the number now is not the daemon: neither shown nor signalled.
    rc(&lab, "foo", "start").ok();
    let noted = lab.text("/run/openrc/ssd.foo.pid");
    let (_, began) = noted.trim().split_once(' ').expect("PID SINCE");
    let other = lab.spawn("exec sleep 4243").pid;
    lab.write(
        "/run/openrc/ssd.foo.pid",
        format!("{other} {began}0\n"),
        0o600,
    );
    assert_ne!(rc(&lab, "foo", "status").code(), 0);
    rc(&lab, "foo", "stop").ok();
    lab.sh(&format!("kill -0 {other}")).ok();
}

#[test]
fn the_example_of_a_host_shows_what_happens() {
    let author = Author::new();
    fs::write(author.home().join("services.c"), example("man/rc_sv.3")).expect("services.c");
    for (compiler, standard) in [
        ("g++ -x c++", "c++11"),
        ("clang++ -x c++", "c++17"),
        ("clang", "c17"),
        ("gcc", "c99"),
    ] {
        author.sh(&format!(
            "{compiler} -std={standard} -D_POSIX_C_SOURCE=200809L {STRICT} -o services services.c \
             $(pkg-config --cflags --libs rc_sv)"
        ));
    }
    author.sh("install -D -m 755 services /usr/local/bin/services");
    let lab = author.lab();
    lab.service("foo", "command=/bin/sleep\ncommand_args=4242");
    lab.conf("foo", INTERNAL);
    assert_eq!(lab.sh("services foo").ok(), "foo: unmanaged\n");
    rc(&lab, "foo", "start").ok();
    let pid = lab.text("/run/openrc/options/foo/child_pid");
    let up = format!("foo: up, pid {}\n", pid.trim());
    assert_eq!(lab.sh("services").ok(), up);
    let follower = lab.spawn("services foo >/tmp/seen");
    lab.wait_for_lines("/tmp/seen", 1, SOON);
    rc(&lab, "foo", "stop").ok();
    follower.wait(SOON).ok();
    let seen = lab.text("/tmp/seen");
    assert!(seen.starts_with(&up), "{seen}");
    let last = seen.lines().last().unwrap_or_default();
    assert!(["foo: unmanaged", "foo: down"].contains(&last), "{seen}");

    // A service that is given up is not waited for either.
    lab.sh("mkfifo /tmp/fifo").ok();
    lab.service("bar", "command=/bin/cat\ncommand_args=/tmp/fifo");
    lab.conf(
        "bar",
        &format!("{INTERNAL}respawn_delay=0\nrespawn_max=1\n"),
    );
    rc(&lab, "bar", "start").ok();
    let follower = lab.spawn("services bar >/tmp/seen");
    lab.wait_for_lines("/tmp/seen", 1, SOON);
    lab.sh("exec 3>/tmp/fifo; rm /tmp/fifo").ok();
    follower.wait(SOON).ok();
    let seen = lab.text("/tmp/seen");
    let last = seen.lines().last().unwrap_or_default();
    assert!(last.starts_with("bar: gave-up"), "{seen}");
}
