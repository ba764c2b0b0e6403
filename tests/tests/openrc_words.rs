//! What a script and conf.d say reaches the loader and the daemon byte for byte.

mod openrc;

use openrc::{each_shell, quoted, rc, recorded_args, spawn_count, start, supervised, words};
use openrc::{INTERNAL, RECORDED};
use rc_sv_tests::Lab;

/// In front of the real loader: writes down what a start gets.
const SPY: &str = r#"#!/bin/dash
if [ "$1" = start ]; then
	cat /proc/$$/cmdline >/tmp/spy.argv
	cat /proc/$$/environ >/tmp/spy.environ
fi
exec /usr/bin/rc-sv-loader.real "$@"
"#;

fn spy(lab: &Lab) {
    lab.sh("mv /usr/bin/rc-sv-loader /usr/bin/rc-sv-loader.real")
        .ok();
    lab.write("/usr/bin/rc-sv-loader", SPY, 0o755);
}

/// The value of a variable that the last start got.
fn spied(lab: &Lab, variable: &str) -> Option<Vec<u8>> {
    let prefix = format!("{variable}=").into_bytes();
    words(lab, "/tmp/spy.environ")
        .into_iter()
        .find_map(|word| word.strip_prefix(&prefix[..]).map(<[u8]>::to_vec))
}

/// conf.d/foo with the module and `variable=value`.
fn conf(lab: &Lab, variable: &str, value: &[u8]) {
    let line = [variable.as_bytes(), b"=", &quoted(value)].concat();
    lab.write(
        "/etc/conf.d/foo",
        [INTERNAL.as_bytes(), &line, b"\n"].concat(),
        0o644,
    );
}

/// Every byte but NUL.
fn all_bytes() -> Vec<u8> {
    (1..=255).collect()
}

#[test]
fn arguments_are_those_of_supervise_daemon() {
    let high: Vec<u8> = [b"'", &(128..=255).collect::<Vec<u8>>()[..], b"'"].concat();
    let lines: [&[u8]; 12] = [
        b"one \"two three\" 'four  five' \\$x a\\ b *.nosuch",
        b"--path=\"$HOME/x\" '$HOME' \"\\\"\" \"it's\"",
        b"'' \"\" x''y",
        b"/etc/rc*.d '/etc/rc*.d' \\/etc/rc*.d",
        b"a\nb\t\tc   d",
        b"'a\nb' \"c\td\"",
        b"\\\\ \\' \\\" \\| \\; \\& \\> \\#",
        b"'a;b' 'a|b' 'a&b' 'a>b' '#c' '`d`' '$(e)'",
        b"-x --long=1 -- -y",
        b"~ '~' {a,b} !",
        b"%s %d \\%n",
        &high,
    ];
    each_shell(|lab| {
        for line in lines {
            let line = [b"\"/tmp/$RC_SVCNAME\" ", line].concat();
            let script = [
                b"#!/sbin/openrc-run\ncommand=/usr/local/bin/recorder\ncommand_args=",
                &quoted(&line)[..],
                b"\ncommand_args_foreground='--fore \"ground args\"'\nsupervisor=supervise-daemon\n",
            ]
            .concat();
            lab.sh("rm -rf /tmp/stock /tmp/foo /tmp/xy").ok();
            lab.write("/etc/init.d/stock", &script, 0o755);
            lab.write("/etc/init.d/foo", &script, 0o755);
            lab.conf("foo", INTERNAL);
            let said = rc(lab, "stock", "start");
            assert_eq!(said.code(), 0, "{said}");
            rc(lab, "foo", "start").ok();
            let expected = recorded_args(lab, "stock", 1);
            assert!(expected.ends_with(&[b"--fore".to_vec(), b"ground args".to_vec()]));
            let shown = String::from_utf8_lossy(&line);
            assert_eq!(recorded_args(lab, "foo", 1), expected, "{shown}");
            rc(lab, "stock", "stop").ok();
            rc(lab, "foo", "stop").ok();
        }
    });
}

#[test]
fn a_long_argument_arrives_and_one_too_long_is_an_error() {
    each_shell(|lab| {
        lab.service("foo", &format!("{RECORDED}command_args_foreground=$long"));
        conf(lab, "long", &[b'q'; 65536]);
        start(lab, "foo");
        assert_eq!(recorded_args(lab, "foo", 1), [vec![b'q'; 65536]]);
        rc(lab, "foo", "stop").ok();

        conf(lab, "long", &[b'q'; 200_000]);
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 1, "{output}");
        assert!(output.all().contains("rgument list too long"), "{output}");
        assert_eq!(spawn_count(lab, "foo"), 1);
        assert_eq!(rc(lab, "foo", "status").code(), 3);
    });
}

#[test]
fn settings_arrive_unchanged() {
    each_shell(|lab| {
        lab.service("foo", RECORDED);
        spy(lab);
        let values: [Vec<u8>; 8] = [
            b"".to_vec(),
            b" a  b ".to_vec(),
            b"it's \"quoted\" \\ $HOME `x` $(y) *".to_vec(),
            b"\nline\n\nline\n\n".to_vec(),
            b"rc_supervise_fake=1\nrc_supervise_fake='2'".to_vec(),
            b"\xff\xfe caf\xe9 \x81\x88 \xc3\xa9".to_vec(),
            all_bytes(),
            vec![b'q'; 65536],
        ];
        for value in values {
            // The start may fail for that value; it is given unchanged all the same.
            conf(lab, "output_logger", &value);
            rc(lab, "foo", "start");
            assert_eq!(spied(lab, "RCSV_output_logger").as_ref(), Some(&value));
            assert_eq!(spied(lab, "RCSV_rc_supervise_fake"), None);
            rc(lab, "foo", "zap");
        }
        conf(lab, "unrelated", b"x");
        rc(lab, "foo", "start").ok();
        assert_eq!(spied(lab, "RCSV_output_logger"), None, "it is not set");
        let everybodys = spied(lab, "RCSV_s6_service_path");
        assert_eq!(everybodys, None, "OpenRC sets that for every service");
    });
}

#[test]
fn every_setting_of_the_list_is_exported() {
    // These OpenRC itself acts upon, and not every value does no harm.
    const OPENRC: [&str; 16] = [
        "command",
        "command_args",
        "command_args_foreground",
        "command_background",
        "extra_commands",
        "extra_started_commands",
        "extra_stopped_commands",
        "in_background_fake",
        "name",
        "rc_supervise_module",
        "required_dirs",
        "required_files",
        "start_inactive",
        "start_stop_daemon_args",
        "supervise_daemon_args",
        "supervisor",
    ];
    each_shell(|lab| {
        let list = lab
            .sh(". /usr/libexec/rc-sv/rc-sv-keys.sh; echo $_rcsv_keys")
            .ok();
        let names: Vec<&str> = list
            .split_whitespace()
            .filter(|name| !OPENRC.contains(name) && !name.starts_with("rc_cgroup"))
            .filter(|name| *name != "rc_ulimit" && *name != "pidfile")
            .collect();
        assert!(names.len() > 40, "{names:?}");
        lab.service("foo", RECORDED);
        spy(lab);
        let mut text = INTERNAL.to_owned();
        for name in &names {
            text += &format!("{name}='the $value of\n{name}'\n");
        }
        lab.conf("foo", &text);
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 1, "a duration cannot be that: {output}");
        for name in &names {
            let value = format!("the $value of\n{name}").into_bytes();
            assert_eq!(spied(lab, &format!("RCSV_{name}")), Some(value), "{name}");
        }
        assert_eq!(spawn_count(lab, "foo"), 0);
    });
}

#[test]
fn arguments_for_start_stop_daemon_are_evaluated_as_openrc_does() {
    each_shell(|lab| {
        lab.service("foo", RECORDED);
        spy(lab);
        let cases: [(&[u8], &[u8]); 4] = [
            (b"", b""),
            (b"-N 5 --nicelevel=5", b"'-N' '5' '--nicelevel=5'"),
            (
                b"-e \"FOO=it's $RC_SVCNAME\" -e 'B=\"'",
                b"'-e' 'FOO=it'\\''s foo' '-e' 'B=\"'",
            ),
            (b"-e X=\\\"\xff\\\\", b"'-e' 'X=\"\xff\\'"),
        ];
        for (value, expected) in cases {
            for variable in ["start_stop_daemon_args", "supervise_daemon_args"] {
                conf(lab, variable, value);
                rc(lab, "foo", "start");
                let got = spied(lab, &format!("RCSV_{variable}"));
                assert_eq!(got.as_deref(), Some(expected), "{variable}");
                rc(lab, "foo", "stop");
                rc(lab, "foo", "zap");
            }
        }
    });
}

#[test]
fn a_script_with_an_ifs_of_its_own_keeps_its_settings_and_its_messages() {
    each_shell(|lab| {
        spy(lab);
        lab.service("foo", &format!("{RECORDED}\nIFS=:\n"));
        conf(lab, "respawn_delay", b"7");
        rc(lab, "foo", "start").ok();
        let got = spied(lab, "RCSV_respawn_delay");
        assert_eq!(got.as_deref(), Some(&b"7"[..]));
        rc(lab, "foo", "stop").ok();
        conf(lab, "respawn_delay", b"soon");
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 1, "{output}");
        assert!(output.all().contains("respawn_delay"), "{output}");
        assert!(!output.all().contains("not found"), "{output}");
    });
}

#[test]
fn an_unknown_setting_of_ours_fails_the_start() {
    each_shell(|lab| {
        supervised(lab, "foo", "rc_supervise_polcy=always\n");
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 1, "{output}");
        for word in ["rc_supervise_polcy", "rc_supervise_policy"] {
            assert!(output.all().contains(word), "{output}");
        }
        assert_eq!(spawn_count(lab, "foo"), 0);
    });
}

#[test]
fn the_environment_is_that_of_supervise_daemon() {
    each_shell(|lab| {
        let script = "start_post() { env >/tmp/$RC_SVCNAME.post; }\nexport ADMIN=\"it's\nset\"\n";
        let [stock, foo] = ["stock", "foo"].map(|service| {
            lab.service(
                service,
                &format!("{RECORDED}supervisor=supervise-daemon\n{script}"),
            );
            lab.conf("foo", INTERNAL);
            start(lab, service);
            let post = lab.text(format!("/tmp/{service}.post"));
            assert!(!post.contains("RCSV_"), "{service}: {post}");
            let mut environment: Vec<String> = words(lab, &format!("/tmp/{service}/environ"))
                .into_iter()
                .map(|word| String::from_utf8(word).expect("UTF-8"))
                // bash tells what it executed.
                .filter(|word| !word.starts_with("_="))
                .map(|word| word.replace(service, "NAME"))
                .collect();
            environment.sort();
            environment
        });
        assert_eq!(foo, stock);
        assert!(foo.contains(&"ADMIN=it's\nset".to_owned()), "{foo:?}");
    });
}
