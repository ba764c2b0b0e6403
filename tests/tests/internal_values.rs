//! Values as hostile as can be, from conf.d to the daemon: byte for byte, or refused in one line.

mod internal;
mod openrc;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use internal::{start_count, starts, AT_ONCE, PROBE};
use openrc::{quoted, rc, shells, INTERNAL, KILL, SOON};
use rc_sv_tests::{Lab, Line, Output};

/// Neither `/` nor NUL, so that they can be names of files.
fn values() -> Vec<Vec<u8>> {
    vec![
        b"it's \"quoted\" `touch pwned` $(touch pwned) $HOME ${x} \\ \\n".to_vec(),
        b" a  b\t c ".to_vec(),
        b"line\n\n two\n".to_vec(),
        b"-e --report=x * ? [a] ~ # ; & | < > ( ) { } !".to_vec(),
        b"\xff\xfe caf\xe9 \x81\x88 \xc3\xa9 \x7f \x01\x1b".to_vec(),
        b"%s%n =x= a=b".to_vec(),
    ]
}

/// conf.d/foo: the module, and `lines` of a variable and its value each.
fn conf(lab: &Lab, service: &[u8], lines: &[(&str, &[u8])]) {
    let mut text = format!("{INTERNAL}{AT_ONCE}").into_bytes();
    for (variable, value) in lines {
        text.extend(variable.as_bytes());
        text.push(b'=');
        text.extend(quoted(value));
        text.push(b'\n');
    }
    lab.write(in_directory("/etc/conf.d", service), text, 0o644);
}

fn in_directory(directory: &str, name: &[u8]) -> OsString {
    OsString::from_vec([directory.as_bytes(), b"/", name].concat())
}

/// Starts foo, and looks at it twice: as started, and as respawned.
#[track_caller]
fn seen(lab: &Lab, look: impl Fn(&Line)) {
    let before = start_count(lab, "foo");
    rc(lab, "foo", "start").ok();
    let first = starts(lab, "foo", before + 1)[before].clone();
    look(&first);
    lab.kill(first.pid(), KILL);
    look(&starts(lab, "foo", before + 2)[before + 1]);
    rc(lab, "foo", "stop").ok();
}

/// A start that fails with exactly one line of ours, and starts nothing.
#[track_caller]
fn refused(lab: &Lab, service: &str, words: &[&str]) {
    let before = start_count(lab, service);
    let output: Output = rc(lab, service, "start");
    assert_eq!(output.code(), 1, "{output}");
    let said = output.all();
    let ours: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("rc-sv-loader") || line.contains("too long"))
        .collect();
    assert_eq!(ours.len(), 1, "{output}");
    for word in words {
        assert!(ours[0].contains(word), "{word}: {output}");
    }
    assert!(ours[0].len() < 1000, "{} bytes", ours[0].len());
    assert_eq!(start_count(lab, service), before);
    assert_eq!(rc(lab, service, "status").code(), 3);
}

fn service(lab: &Lab, name: &str) {
    let args = format!("command={PROBE}\ncommand_args=\"--report /tmp/{name} -- \\\"\\$arg\\\"\"");
    lab.service(name, &args);
}

#[test]
fn arguments_and_environment() {
    shells(|shell| {
        let lab = Lab::builder().shell(shell).build();
        service(&lab, "foo");
        for value in values().into_iter().chain([vec![b'q'; 65536]]) {
            conf(&lab, b"foo", &[("arg", &value), ("export HOSTILE", &value)]);
            seen(&lab, |line| {
                let argument = line.get("argv").rsplit(',').next();
                assert_eq!(argument, Some(&hex(&value)[..]));
                let variable = hex(&[b"HOSTILE=", &value[..]].concat());
                let found = line.get("env").split(',').any(|item| item == variable);
                assert!(found, "{}", String::from_utf8_lossy(&value));
            });
        }
        assert_eq!(lab.sh("find / -xdev -name pwned").all(), "");
    });
}

#[test]
fn directories_and_files() {
    shells(|shell| {
        let lab = Lab::builder().shell(shell).build();
        service(&lab, "foo");
        for value in values() {
            let directory = [b"/srv/", &value[..]].concat();
            let log = [&directory[..], b"/", &value, b".log"].concat();
            let input = [&directory[..], b"/in"].concat();
            lab.write(OsString::from_vec(input.clone()), "x", 0o644);
            let lines = [
                ("arg", &b"x"[..]),
                ("directory", &directory),
                ("output_log", &log),
                ("input_file", &input),
            ];
            conf(&lab, b"foo", &lines);
            seen(&lab, |line| {
                assert_eq!(line.bytes("cwd"), directory);
                let target = |fd: i32| {
                    let start = format!("{fd}:");
                    let found = line
                        .get("fds")
                        .split(',')
                        .find_map(|item| item.strip_prefix(&start));
                    found.map(str::to_owned)
                };
                assert_eq!(target(0), Some(hex(&input)));
                assert_eq!(target(1), Some(hex(&log)));
            });
            assert!(lab.exists(OsString::from_vec(log)));
        }
        // Longer than a path can be.
        let long = [b"/".to_vec(), vec![b'q'; 65536]].concat();
        for variable in [
            "directory",
            "output_log",
            "error_log",
            "input_file",
            "chroot",
        ] {
            conf(&lab, b"foo", &[("arg", b"x"), (variable, &long)]);
            refused(&lab, "foo", &[variable_word(variable)]);
        }
        // No path at all.
        for variable in ["directory", "output_log"] {
            conf(&lab, b"foo", &[("arg", b"x"), (variable, b"a\nb")]);
            refused(&lab, "foo", &["conf.d/foo", variable]);
        }
    });
}

/// What a message about it must say.
fn variable_word(variable: &str) -> &str {
    match variable {
        "chroot" => "root",
        other => other,
    }
}

#[test]
fn names_of_services() {
    shells(|shell| {
        let lab = Lab::builder().shell(shell).build();
        let names: [&[u8]; 5] = [b"a b", b"it's", b"a\"b", b"a$HOME;x", b"caf\xe9"];
        for name in names {
            let script =
                format!("#!/sbin/openrc-run\ncommand={PROBE}\ncommand_args='--report /tmp/foo'\n");
            lab.write(in_directory("/etc/init.d", name), script, 0o755);
            conf(&lab, name, &[]);
            let word = OsString::from_vec(name.to_vec());
            let command = |command: &str| {
                lab.run([&OsString::from("rc-service"), &word, &command.into()])
                    .output()
            };
            let before = start_count(&lab, "foo");
            let output = command("start");
            if output.code() == 0 {
                let pid = starts(&lab, "foo", before + 1)[before].pid();
                let recorded = in_directory("/run/openrc/options", name);
                assert!(lab.exists(&recorded), "{output}");
                assert_eq!(command("status").code(), 0);
                command("stop").ok();
                lab.wait_dead(pid, SOON);
            } else {
                assert_eq!(start_count(&lab, "foo"), before, "{output}");
                assert!(!output.all().is_empty());
            }
        }
        for name in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            ".hidden",
            "a\nb",
            &"x".repeat(65536),
        ] {
            let output = lab
                .run(["rc-sv-loader", "start", name, "--", PROBE])
                .output();
            assert!([1, 2].contains(&output.code()), "{output}");
            assert_eq!(output.stderr.lines().count(), 1, "{output}");
            assert!(output.stderr.len() < 1000, "{}", output.stderr.len());
        }
        assert!(!lab.exists("/run/openrc/rc-sv/x"));
    });
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
