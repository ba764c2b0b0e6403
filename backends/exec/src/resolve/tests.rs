//! Tests of the whole resolution. They run as root, who may choose users.

use super::*;
use crate::launch::Launch;

fn spec(settings: &[(&str, &str)]) -> Spec {
    let mut spec = Spec::default();
    for (name, value) in settings {
        spec.set(name, value.as_bytes(), "conf.d/foo").unwrap();
    }
    spec.put("service", Value::Text(b"foo".to_vec()));
    spec.put("runscript", Value::Text(b"/etc/init.d/foo".to_vec()));
    spec.put(
        "argv",
        Value::List(vec![b"/bin/sh".to_vec(), b"-c".to_vec()]),
    );
    let environment = [
        &b"PATH=/usr/bin:/bin"[..],
        b"USER=root",
        b"HOME=/root",
        b"A=1",
    ];
    spec.put(
        "environment",
        Value::List(environment.map(<[u8]>::to_vec).to_vec()),
    );
    spec
}

fn resolved(settings: &[(&str, &str)]) -> Spec {
    let resolved = resolve(spec(settings).settings()).unwrap();
    Launch::from_settings(resolved.settings()).unwrap();
    resolved
}

fn message(settings: &[(&str, &str)]) -> String {
    resolve(spec(settings).settings()).unwrap_err().message
}

fn environment(spec: &Spec) -> Vec<String> {
    let list = spec.list("environment").unwrap();
    list.into_iter()
        .map(|text| String::from_utf8(text.to_vec()).unwrap())
        .collect()
}

#[test]
fn without_a_user_nothing_changes() {
    let resolved = resolved(&[("umask", "027"), ("retry", "TERM/5")]);
    assert_eq!(
        environment(&resolved),
        ["PATH=/usr/bin:/bin", "USER=root", "HOME=/root", "A=1"]
    );
    for name in ["uid", "gid", "groups"] {
        assert!(!resolved.has(name), "{name}");
    }
    assert_eq!(
        (resolved.int("umask"), resolved.text("retry")),
        (Some(0o27), Some(&b"TERM/5"[..]))
    );
}

#[test]
fn a_user_becomes_numbers_and_an_environment() {
    let resolved = resolved(&[("command_user", "daemon:bin")]);
    assert_eq!(
        (resolved.int("uid"), resolved.int("gid")),
        (Some(1), Some(2))
    );
    assert!(resolved.list("groups").unwrap().contains(&&b"2"[..]));
    assert!(!resolved.has("command_user"));
    assert_eq!(
        environment(&resolved),
        [
            "PATH=/usr/bin:/bin",
            "USER=daemon",
            "HOME=/usr/sbin",
            "A=1",
            "LOGNAME=daemon"
        ]
    );
}

#[test]
fn only_what_is_needed_is_kept() {
    let resolved = resolved(&[
        ("rc_supervise_module", "internal"),
        ("procname", "x"),
        ("s6_force_kill", "yes"),
        ("rc_monit_type", "simple"),
        ("supervise_daemon_args", "-N 3"),
        ("pidfile", "/run/x.pid"),
        ("rc_supervise_jitter", "0"),
    ]);
    let names: Vec<&str> = resolved.iter().map(|(name, _)| name).collect();
    let expected = [
        "argv",
        "environment",
        "pidfile",
        "rc_supervise_jitter",
        "rc_supervise_nice",
        "runscript",
        "service",
    ];
    assert_eq!(names, expected);
    let mut foreign = spec(&[]);
    foreign.put("unknown_to_this_version", Value::Int(1));
    assert!(!resolve(foreign.settings())
        .unwrap()
        .has("unknown_to_this_version"));
}

#[test]
fn options_go_before_variables() {
    let resolved = resolved(&[
        ("command_user", "daemon"),
        ("rc_supervise_nice", "1"),
        ("respawn_max", "1"),
        (
            "supervise_daemon_args",
            "-N 3 --ionice 2:7 --oom-score-adj 5 -e A=2 --env 'B=x y' -g bin -d / -k 077 -1 /o \
             -2 /e -0 /i -R TERM/1/KILL/1 -D 2 -m 3 -P 4 --respawn-delay-step 1 \
             --respawn-delay-cap 9 --capabilities ^cap_net_raw --secbits 1 --no-new-privs \
             --stop-group -a 5 -A 6 --notify fd:3",
        ),
    ]);
    let numbers = [
        ("uid", 1),
        ("gid", 2),
        ("rc_supervise_nice", 3),
        ("rc_supervise_oom_score_adj", 5),
        ("umask", 0o77),
        ("respawn_delay", 2000),
        ("respawn_max", 3),
        ("respawn_period", 4000),
        ("respawn_delay_step", 1000),
        ("respawn_delay_cap", 9000),
        ("no_new_privs", 1),
        ("stopgroup", 1),
        ("healthcheck_timer", 5000),
        ("healthcheck_delay", 6000),
    ];
    for (name, value) in numbers {
        assert_eq!(resolved.int(name), Some(value), "{name}");
    }
    let texts = [
        ("rc_supervise_ionice", "2:7"),
        ("directory", "/"),
        ("output_log", "/o"),
        ("error_log", "/e"),
        ("input_file", "/i"),
        ("retry", "TERM/1/KILL/1"),
        ("capabilities", "^cap_net_raw"),
        ("secbits", "1"),
        ("notify", "fd:3"),
    ];
    for (name, value) in texts {
        assert_eq!(resolved.text(name), Some(value.as_bytes()), "{name}");
    }
    let environment = environment(&resolved);
    assert!(environment.contains(&"A=2".into()) && environment.contains(&"B=x y".into()));
}

#[test]
fn an_option_may_choose_another_user_and_later_variables_win() {
    let args = "-u daemon -e HOME=/elsewhere";
    let resolved = resolved(&[
        ("command_user", "bin:games"),
        ("supervise_daemon_args", args),
    ]);
    assert_eq!(resolved.int("uid"), Some(1));
    let environment = environment(&resolved);
    assert!(
        environment.contains(&"HOME=/elsewhere".into()),
        "{environment:?}"
    );
    assert!(
        environment.contains(&"USER=daemon".into()),
        "{environment:?}"
    );
}

#[test]
fn options_of_start_stop_daemon_count_only_where_the_others_are_unset() {
    let own = [(
        "start_stop_daemon_args",
        "-b -m -p /run/x.pid --chuid daemon -N 4",
    )];
    let resolved_own = resolved(&own);
    assert_eq!(resolved_own.int("command_background"), Some(1));
    assert_eq!(resolved_own.text("pidfile"), Some(&b"/run/x.pid"[..]));
    assert_eq!(
        (
            resolved_own.int("uid"),
            resolved_own.int("rc_supervise_nice")
        ),
        (Some(1), Some(4))
    );
    let both = resolved(&[own[0], ("supervise_daemon_args", "-N 5")]);
    assert_eq!(
        (both.int("rc_supervise_nice"), both.has("pidfile")),
        (Some(5), false)
    );
}

#[test]
fn the_older_name_of_notify() {
    assert_eq!(
        resolved(&[("ready", "fd:3")]).text("notify"),
        Some(&b"fd:3"[..])
    );
    let both = [("ready", "fd:3"), ("notify", "socket:ready")];
    assert_eq!(
        message(&both),
        "ready and notify contradict each other; unset ready"
    );
}

#[test]
fn programs_of_hooks_become_absolute() {
    let resolved = resolved(&[("rc_supervise_finish", "sh -c 'exit 3'")]);
    let words = resolved.list("rc_supervise_finish").unwrap();
    assert_eq!(words[1..], [&b"-c"[..], b"exit 3"]);
    assert!(words[0] == b"/usr/bin/sh" || words[0] == b"/bin/sh");
}

#[test]
fn what_is_wrong_is_named_with_its_variable() {
    let cases: [(&[(&str, &str)], &str); 12] = [
        (&[("command_user", "nope")], "command_user: user \"nope\" does not exist"),
        (&[("supervise_daemon_args", "-u nope")], "supervise_daemon_args: --user: user \"nope\" does not exist"),
        (&[("supervise_daemon_args", "-g nope")], "supervise_daemon_args: --group: group \"nope\" does not exist"),
        (&[("supervise_daemon_args", "-e A")], "supervise_daemon_args: --env: must be NAME=value"),
        (&[("supervise_daemon_args", "--wait 3")], "supervise_daemon_args: there is no option --wait"),
        (
            &[("start_stop_daemon_args", "--wait 3")],
            "start_stop_daemon_args: --wait has no equal under a module; remove it",
        ),
        (
            &[("supervise_daemon_args", "-N 99")],
            "supervise_daemon_args: --nicelevel: rc_supervise_nice=\"99\": must be a whole number from -20 to 19",
        ),
        (&[("capabilities", "nope")], "capabilities=\"nope\": must be capabilities joined by commas"),
        (&[("secbits", "nope")], "secbits=\"nope\": must be a number from 0 to 255 or some of"),
        (&[("rc_supervise_ionice", "9")], "rc_supervise_ionice=\"9\": must be a class"),
        (&[("chroot", "/nowhere")], "chroot=\"/nowhere\": No such file or directory"),
        (&[("rc_supervise_finish", "/nowhere/x")], "rc_supervise_finish=\"/nowhere/x\": No such file or directory"),
    ];
    for (settings, words) in cases {
        let message = message(settings);
        assert!(message.starts_with(words), "{message}");
    }
}

#[test]
fn a_check_needs_the_commands_that_it_names() {
    for (settings, words) in [
        (
            &[("rc_supervise_ready", "exec:/nowhere/x -a")][..],
            "rc_supervise_ready: exec=\"/nowhere/x\": No such file or directory",
        ),
        (
            &[("rc_supervise_health", "tcp:80;exec:/etc/passwd")],
            "rc_supervise_health: exec=\"/etc/passwd\": Permission denied: must be executable",
        ),
        (
            &[("rc_supervise_health", "tcp:80"), ("rc_supervise_health_action", "exec")],
            "rc_supervise_health_action=exec: needs rc_supervise_unhealthy, the command that is \
             run then",
        ),
        (
            &[("rc_supervise_health", "tcp:80;tcp:81 action=exec")],
            "rc_supervise_health: action=exec needs rc_supervise_unhealthy, the command that is run \
             then",
        ),
        (
            &[("rc_supervise_health", "tcp:80 timeout=1"), ("rc_supervise_health_timeout", "0")],
            "rc_supervise_health_timeout: must be at least 10 ms",
        ),
    ] {
        assert_eq!(message(settings), words);
    }
    // Those that are there, or are functions of the runscript; and where nothing would be run.
    for settings in [
        &[("rc_supervise_ready", "exec:/bin/true")][..],
        &[("rc_supervise_health", "hook action=exec;tcp:80 action=exec")],
        &[
            ("rc_supervise_health", "tcp:80 action=exec"),
            ("rc_supervise_unhealthy", "true"),
        ],
        &[
            ("rc_supervise_health", "tcp:80 action=alert"),
            ("rc_supervise_health_action", "exec"),
        ],
        &[
            ("rc_supervise_health_action", "exec"),
            ("rc_supervise_memory_limit", "1G"),
        ],
    ] {
        resolved(settings);
    }
}

#[test]
fn contradictions_are_refused() {
    let logs = message(&[("output_log", "/x"), ("output_logger", "logger")]);
    assert_eq!(
        logs,
        "output_log and output_logger contradict each other; unset one of them"
    );
    let kill = message(&[("stopgroup", "yes"), ("rc_supervise_kill_mode", "process")]);
    assert!(kill.starts_with("stopgroup=yes and rc_supervise_kill_mode=process contradict"));
}

#[test]
fn the_program_is_checked() {
    let run = |argv: &[&str]| {
        let mut spec = spec(&[]);
        let argv = argv.iter().map(|word| word.as_bytes().to_vec()).collect();
        spec.put("argv", Value::List(argv));
        resolve(spec.settings()).unwrap_err().message
    };
    assert_eq!(run(&[]), "command: must name the program to run");
    assert_eq!(run(&["sh"]), "command=\"sh\": must be an absolute path");
    assert_eq!(
        run(&["/nowhere/x"]),
        "command=\"/nowhere/x\": No such file or directory"
    );
    assert_eq!(
        run(&["/etc/passwd"]),
        "command=\"/etc/passwd\": Permission denied: must be executable"
    );
}
