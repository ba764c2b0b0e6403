//! Services with limits under which the loader itself could hardly work.

use rc_sv_tests::Lab;

/// Starts foo below `limits`, and prints the daemon's limit of files and sizes.
fn start(lab: &Lab, before: &str, limits: &str) -> rc_sv_tests::Output {
    let script = format!(
        "ulimit {limits}; exec {before} rc-sv-loader start foo --module internal -- /bin/sleep 4242"
    );
    lab.run(["/bin/bash", "-c", &script]).output()
}

fn limit_of_daemon(lab: &Lab, name: &str) -> Vec<String> {
    let pid = lab.text("/run/openrc/options/foo/child_pid");
    let all = lab.sh(&format!("cat /proc/{}/limits", pid.trim())).ok();
    let line = all.lines().find_map(|line| line.strip_prefix(name));
    let words = line.expect("the limit").split_whitespace();
    words.take(2).map(str::to_string).collect()
}

#[test]
fn soft_limits_are_the_daemons_only() {
    let lab = Lab::new();
    for (limits, name, soft) in [
        ("-S -f 0", "Max file size", "0"),
        ("-S -n 8", "Max open files", "8"),
        ("-S -d 4096", "Max data size", "4194304"),
        // Less than clap needs, and about the least that OpenRC can do with.
        ("-S -s 32", "Max stack size", "32768"),
    ] {
        start(&lab, "", limits).ok();
        assert_eq!(limit_of_daemon(&lab, name)[0], soft, "{limits}");
        lab.sh("rc-sv-loader stop foo").ok();
    }
}

#[test]
fn a_limit_that_may_not_be_raised_is_named() {
    let lab = Lab::new();
    let without = "setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource";
    for (limits, words) in [
        (
            "-f 0",
            "File too large (rc_ulimit or `ulimit -f` of the service is too low: 0, and may not \
             be raised)\n",
        ),
        (
            "-n 6",
            "Too many open files (rc_ulimit or `ulimit -n` of the service is too low: 6, and may \
             not be raised)\n",
        ),
    ] {
        let output = start(&lab, without, limits);
        assert_eq!(output.code(), 1, "{limits}: {output}");
        assert!(output.stderr.starts_with("rc-sv-loader: foo: "), "{output}");
        assert!(output.stderr.ends_with(words), "{limits}: {output}");
        assert_eq!(output.stderr.lines().count(), 1, "{limits}: {output}");
        // Nothing runs, and nothing is recorded.
        let output = lab.sh("rc-sv-loader status foo");
        assert_eq!(output.code(), 3, "{limits}: {output}");
    }
}
