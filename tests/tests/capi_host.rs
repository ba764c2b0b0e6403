//! librc_sv from programs in C and C++, against the internal module.

mod capi;

use capi::{host, lab, run, said, stage, COMPILERS, HOST, ISOLATIONS};
use rc_sv_tests::Lab;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// One whole life: what the host prints of it.
const LIFE: &str = "\
open: 0
watch_open: 0
start: 0
event foo up
wait: 0
status: 0
service foo module internal state up standing 0 result 0 
service foo module internal state up standing 0 result 0 
list: 0
restart: 0
signal: 0
stop: 0
";
const LIFE_ENDS: &str = "\
event foo unmanaged
wait: 0
forget: 0
closed
";

const START_LIFE: &str = "life foo internal respawn_delay=0 -- /bin/sleep 4242";

#[test]
fn a_whole_life_by_every_compiler_wherever_operations_run() {
    let lab = Lab::new();
    for (compiler, standard) in COMPILERS {
        lab.write(HOST, host(compiler, standard, &[]), 0o755);
        for isolation in ISOLATIONS {
            let output = run(&lab, &format!("{isolation} {START_LIFE}"));
            let which = format!("{compiler} {isolation}: {output}");
            // How many of the events in between are seen depends on who is faster.
            let lines = &output.stdout;
            assert_eq!(output.code(), 0, "{which}");
            assert!(lines.starts_with(LIFE), "{which}");
            assert!(lines.ends_with(LIFE_ENDS), "{which}");
            assert_eq!(output.stderr, "", "{which}");
        }
    }
}

#[test]
fn modules_are_listed_and_described() {
    let lab = lab();
    let listed: String = ["daemontools", "internal", "monit", "runit", "s6"]
        .map(|name| format!("module {name} abi 0x10000 caps "))
        .join("\n");
    for isolation in ISOLATIONS {
        let output = run(&lab, &format!("{isolation} modules , describe internal")).ok();
        let mut rest = output.as_str();
        for start in listed.lines() {
            let (_, after) = rest.split_once(start).expect(start);
            rest = after;
        }
        let described = "rc-sv's own supervisor: one process for all services as the file says";
        assert!(rest.contains(described), "{output}");
        assert!(rest.ends_with("probe: 0\nclosed\n"), "{output}");
        let output = run(&lab, &format!("{isolation} describe nosuch"));
        assert_eq!(output.code(), 1);
        let words = "describe: -3 nosuch: unknown module; there are ";
        assert!(output.stdout.contains(words), "{output}");
    }
}

#[test]
fn failures_are_told_in_the_same_line_wherever_they_happen() {
    let lab = lab();
    let cases = [
        (
            "stop foo",
            "stop: -3 no module has started it: /run/openrc/rc-sv/foo has no record\n",
        ),
        (
            "status ../x",
            "status: -2 service name \"../x\": must not start with a dot\n",
        ),
        (
            "start foo internal respawn_dealy=1 -- /bin/x",
            "start: -2 spec of foo: unknown setting respawn_dealy; did you mean respawn_delay?\n",
        ),
        (
            "start foo internal -- /nonexistent/x",
            "start: -2 internal: command=\"/nonexistent/x\": No such file or directory\n",
        ),
        (
            "start foo environment -- /bin/x",
            "start: -2 no module is chosen: ",
        ),
        ("wait foo 0", "wait: -2 want_state must be one of "),
        ("wait foo 2", "wait: 0\n"),
        (
            "status foo",
            "service foo module  state unmanaged standing 3 result 0 \n",
        ),
        ("forget foo", "forget: 0\n"),
        (
            "again",
            "again: -8 the loader is in use, by another thread or around this callback\n",
        ),
        ("nothing", "nothing: 0.1.0 unknown\n"),
    ];
    for isolation in ISOLATIONS {
        for (words, line) in cases {
            let output = run(&lab, &format!("{isolation} {words}"));
            assert!(
                output.stdout.contains(line),
                "{isolation} {words}: {output}"
            );
            assert!(!output.stdout.contains("not refused"), "{output}");
            assert_eq!(output.stderr, "", "{isolation} {words}");
        }
    }
}

#[test]
fn settings_come_from_the_environment_when_that_is_wanted() {
    let lab = lab();
    for isolation in ISOLATIONS {
        let words = format!("{isolation} start foo environment -- /bin/sleep 4242 , stop foo");
        let argv = [HOST].into_iter().chain(words.split_whitespace());
        let run = || {
            lab.run(argv.clone())
                .env("RCSV_rc_supervise_module", "internal")
        };
        assert_eq!(run().output().ok(), "open: 0\nstart: 0\nstop: 0\nclosed\n");
        let output = run().env("RCSV_umask", "9").output();
        let line = "start: -2 conf.d/foo: umask=\"9\": must be an octal mask such as 022\n";
        assert!(output.stdout.contains(line), "{output}");
        // Without that word they do not count.
        let words = format!("{isolation} start foo internal -- /bin/sleep 4242 , stop foo");
        let argv = [HOST].into_iter().chain(words.split_whitespace());
        lab.run(argv).env("RCSV_umask", "9").output().ok();
    }
}

#[test]
fn threads_ask_at_the_same_time() {
    let lab = lab();
    let output = run(
        &lab,
        "start foo internal -- /bin/sleep 4242 , ask foo , stop foo",
    );
    let expected = "open: 0\nstart: 0\nthreads: all are up\nstop: 0\nclosed\n";
    assert_eq!(output.ok(), expected);
    // A forked child is not for them, and is refused.
    let output = run(&lab, "fork threads status foo");
    let line = "status: -1 RC_SV_OPEN_FORK is for programs with one thread; use RC_SV_OPEN_EXEC\n";
    assert!(output.stdout.contains(line), "{output}");
}

fn library() -> std::path::PathBuf {
    stage().join("usr/lib/librc_sv.so.1.0.0")
}

fn words_of(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect())
}

#[test]
fn the_library_exports_what_the_header_declares_with_versions() {
    let symbols = said(
        Command::new("nm")
            .args(["-D", "--defined-only"])
            .arg(library()),
    );
    let exported: BTreeSet<String> = words_of(&symbols)
        .filter(|words| words.get(1) != Some(&"A"))
        .filter_map(|words| Some(words.last()?.to_string()))
        .collect();
    let header = stage().join("usr/include/rc_sv.h");
    let header = std::fs::read_to_string(header).expect("the header");
    let declared: BTreeSet<String> = header
        .lines()
        .filter(|line| !line.starts_with("//") && !line.starts_with("typedef"))
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("rc_sv_"))
        .map(|name| format!("{name}@@RC_SV_1.0"))
        .collect();
    assert!(declared.len() > 25, "{declared:?}");
    assert_eq!(exported, declared);
}

#[test]
fn the_library_has_its_name_and_what_it_needs_is_everywhere() {
    let dynamic = said(Command::new("readelf").arg("-dW").arg(library()));
    let values = |tag: &str| -> Vec<String> {
        let lines = dynamic.lines().filter(|line| line.contains(tag));
        let value = |line: &str| Some(line.split_once('[')?.1.split_once(']')?.0.to_string());
        lines.filter_map(value).collect()
    };
    assert_eq!(values("(SONAME)"), ["librc_sv.so.1"]);
    for needed in values("(NEEDED)") {
        let base = [
            "libgcc_s.so",
            "libc.so",
            "ld-linux",
            "libm.so",
            "libpthread",
            "libdl",
        ];
        assert!(base.iter().any(|name| needed.starts_with(name)), "{needed}");
    }
    assert!(!dynamic.contains("(TEXTREL)") && dynamic.contains("NODELETE"));
    let links = ["librc_sv.so", "librc_sv.so.1"]
        .map(|name| std::fs::read_link(stage().join("usr/lib").join(name)).expect(name));
    assert_eq!(
        links,
        [Path::new("librc_sv.so.1"), Path::new("librc_sv.so.1.0.0")]
    );
}
