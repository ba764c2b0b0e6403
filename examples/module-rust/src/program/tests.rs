use super::*;
use rc_sv_api::{Spec, Value};

const LIMITS: Limits = Limits {
    startsecs: 1,
    startretries: 3,
};

fn list(words: &[&str]) -> Value {
    Value::List(words.iter().map(|word| word.as_bytes().to_vec()).collect())
}

fn spec(settings: &[(&str, &str)]) -> Spec {
    let mut spec = Spec::default();
    for (name, value) in settings {
        spec.set(name, value.as_bytes(), "test").unwrap();
    }
    spec.put("service", Value::Text(b"foo".to_vec()));
    spec.put("argv", list(&["/bin/foo", "-x"]));
    spec.put("environment", list(&["A=b"]));
    spec
}

fn rendered(spec: &Spec, account: Option<Account>) -> Result<Program> {
    render(spec.settings(), &account, &LIMITS, "/etc/x/foo.sh")
}

#[test]
fn settings_become_supervisords_own() {
    let settings = [
        ("directory", "/srv/50%"),
        ("umask", "027"),
        ("output_log", "/var/log/foo"),
        ("retry", "INT/10/KILL/5"),
        ("rc_supervise_policy", "no"),
    ];
    let expected = "[program:foo]\n\
        command=/bin/sh /etc/x/foo.sh\n\
        autostart=false\nautorestart=false\nstartsecs=1\nstartretries=3\n\
        stopsignal=INT\nstopwaitsecs=10\nstopasgroup=false\nkillasgroup=true\n\
        directory=/srv/50%%\numask=027\n\
        stdout_logfile=/var/log/foo\nstdout_logfile_maxbytes=0\n\
        stderr_logfile=NONE\nstderr_logfile_maxbytes=0\n";
    assert_eq!(rendered(&spec(&settings), None).unwrap().config, expected);
}

#[test]
fn the_surroundings_are_made_by_programs_in_between() {
    let mut spec = spec(&[("rc_supervise_nice", "5"), ("rc_supervise_ionice", "2:7")]);
    spec.put("cgroup", Value::Text(b"/sys/fs/cgroup/foo".to_vec()));
    spec.put("rlimits", list(&["7=1024:-1", "4=0:0"]));
    spec.put("rc_supervise_oom_score_adj", Value::Int(-5));
    let account = Account::parse("www:adm", "www:x:33:33:web:/var/www:/bin/sh\n");
    let script = rendered(&spec, account).unwrap().script;
    let expected = "echo 0 >'/sys/fs/cgroup/foo/cgroup.procs' || exit\n\
        exec '/usr/bin/prlimit' '--nofile=1024:-1' '--core=0:0' '/usr/bin/choom' '-n' '-5' '--' \
        '/usr/bin/ionice' '-c' '2' '-n' '7' '/usr/bin/nice' '-n' '5' \
        '/usr/sbin/chroot' '--skip-chdir' '--userspec=www:adm' '/' '/usr/bin/env' '-i' \
        'A=b' 'USER=www' 'LOGNAME=www' 'HOME=/var/www' '/bin/foo' '-x'\n";
    assert_eq!(String::from_utf8(script).unwrap(), expected);
}

#[test]
fn every_word_gets_through_the_shell() {
    assert_eq!(quoted(b"a \"$b\"\n;#"), b"'a \"$b\"\n;#'");
    assert_eq!(quoted(b"it's"), b"'it'\\''s'");
    assert_eq!(quoted(b"\xff"), b"'\xff'");
    assert_eq!(quoted(b""), b"''");
}

#[test]
fn what_supervisord_cannot_do_is_refused_by_name() {
    for (name, value, said) in [
        (
            "respawn_delay",
            "1",
            "respawn_delay: supervisord has no such thing; unset it",
        ),
        (
            "retry",
            "TERM/1/INT/1/KILL/1",
            "retry: TERM/1/INT/1/KILL/1: must be ",
        ),
        ("retry", "301", "retry: 301: must be a time-out up to 300 s"),
        (
            "output_log",
            "/a b",
            "output_log: /a b: must be without blanks",
        ),
        (
            "rc_supervise_policy",
            "on-abort",
            "rc_supervise_policy: on-abort: must be always or no",
        ),
    ] {
        let message = rendered(&spec(&[(name, value)]), None)
            .err()
            .unwrap()
            .message;
        assert!(message.starts_with(said), "{message}");
    }
}

#[test]
fn names_with_a_meaning_of_their_own_are_refused() {
    let mut spec = spec(&[]);
    assert_eq!(name(spec.settings()).unwrap(), "foo");
    spec.put("service", Value::Text(b"foo:bar".to_vec()));
    assert!(name(spec.settings()).is_err());
}
