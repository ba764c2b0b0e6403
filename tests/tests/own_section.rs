//! The tables `[modules.NAME]` of rc-sv.toml: what does not fit is refused at a start, and hinders
//! nobody in looking after what runs.

use rc_sv_tests::{Lab, Output};

const FILE: &str = "/etc/rc-sv.toml";

const START: &str = "rc-sv-loader start foo --module MODULE -- /bin/sleep 4243";

#[track_caller]
fn refused(output: &Output, line: &str) {
    assert_eq!(output.code(), 1, "{output}");
    assert_eq!(output.stderr, line, "{output}");
}

#[test]
fn what_a_module_does_not_know_is_refused_before_a_start() {
    let lab = Lab::new();
    for (module, known) in [
        ("internal", "supervisor"),
        ("s6", "scandir, exec"),
        ("runit", "scandir, exec"),
        ("daemontools", "scandir, exec"),
    ] {
        lab.write(FILE, format!("[modules.{module}]\nscan = 3\n"), 0o644);
        let line = format!("rc-sv.toml: [modules.{module}] scan is unknown; there are {known}\n");
        let output = lab.sh(&START.replace("MODULE", module));
        refused(&output, &format!("rc-sv-loader: foo: {module}: {line}"));
        let output = lab.sh(&format!("rc-sv-loader check --module {module}"));
        assert_eq!(output.code(), 1, "{output}");
        assert!(output.all().contains(line.trim_end()), "{output}");
    }
    lab.write(FILE, "[modules.s6]\nscandir = \"run\"\n", 0o644);
    let line = "rc-sv-loader: foo: s6: rc-sv.toml: [modules.s6] scandir must be an absolute path\n";
    refused(&lab.sh(&START.replace("MODULE", "s6")), line);
}

#[test]
fn a_broken_file_keeps_nobody_from_showing_and_stopping_what_runs() {
    let lab = Lab::new();
    lab.sh(&START.replace("MODULE", "internal")).ok();
    lab.write(FILE, "[modules.internal\n", 0o644);
    let warned = |output: &Output| {
        assert_eq!(output.code(), 0, "{output}");
        assert_eq!(output.stderr.lines().count(), 1, "{output}");
        let end = "; going on without [modules.internal]\n";
        assert!(output.stderr.ends_with(end), "{output}");
        assert!(output.stderr.contains("/etc/rc-sv.toml:1: "), "{output}");
    };
    for command in ["status foo", "status", "wait foo up"] {
        let output = lab.sh(&format!("rc-sv-loader {command}"));
        warned(&output);
    }
    // It holds a password, perhaps.
    lab.write(FILE, "", 0o600);
    let output = lab.sh("setpriv --reuid=65534 --clear-groups rc-sv-loader status foo");
    assert!(output.stdout.starts_with("foo  up "), "{output}");
    assert_eq!(output.code(), 0, "{output}");
    lab.write(FILE, "[modules.internal\n", 0o644);
    warned(&lab.sh("rc-sv-loader stop foo"));
    // What is started would not be what was configured.
    let output = lab.sh(&START.replace("MODULE", "internal"));
    assert_eq!(output.code(), 1, "{output}");
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
}
