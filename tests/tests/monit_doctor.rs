//! `rc-sv-loader check --module monit` against the real monit: what keeps it from watching is found,
//! a line each, with what would be right.

mod monit;

use monit::openrc::{rc, SOON};
use monit::{ask, lab, monit as run_monit, monit_pid, simple};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Lab, Output};

const STOP: i32 = 19;

/// monit's control file, as administrators are told to write it.
const CONTROL: &str = include_str!("../../examples/monit/monitrc");

fn check(lab: &Lab) -> Output {
    let argv = ["rc-sv-loader", "check", "--module", "monit"];
    lab.run(argv).output()
}

/// Exactly these complaints, in any order, each in a line of its own.
#[track_caller]
fn assert_found(lab: &Lab, complaints: &[&str]) {
    let said = check(lab);
    let text = said.all();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains(", looks every"))
        .collect();
    for complaint in complaints {
        let count = lines.iter().filter(|line| line.contains(complaint)).count();
        assert_eq!(count, 1, "{complaint:?} in {text}");
    }
    assert_eq!(lines.len(), complaints.len(), "{text}");
    assert!(
        lines.iter().all(|line| line.starts_with("monit: ")),
        "{text}"
    );
    assert_eq!(said.code(), 1, "{text}");
}

/// monit with this control file, in a lab of its own.
#[track_caller]
fn with(control: &str, test: impl FnOnce(&Lab)) {
    let lab = lab();
    lab.write("/etc/monitrc", control, 0o600);
    let _monit = lab.run(["monit", "-Ic", "/etc/monitrc"]).spawn();
    until("monit", SOON, || {
        (ask(&lab, &["summary"]).code() == 0).then_some(())
    });
    test(&lab);
}

#[test]
fn a_monit_that_is_set_up_as_told_is_well() {
    with(CONTROL, |lab| {
        let well = |said: Output| {
            assert_eq!(said.code(), 0, "{said}");
            let pid = monit_pid(lab);
            let fact = format!(", pid {pid}, looks every 5 s, read /etc/monitrc\n");
            assert!(said.all().contains(&fact), "{said}");
            assert!(
                said.all().ends_with("monit: nothing is to be mended\n"),
                "{said}"
            );
        };
        well(check(lab));
        simple(lab, "foo", "", "");
        rc(lab, "foo", "start").ok();
        well(check(lab));
        // Nothing was changed by looking.
        assert_eq!(rc(lab, "foo", "status").code(), 0);
        assert!(!lab.text("/etc/monitrc").contains("foo"));
    });
}

#[test]
fn a_monit_that_cannot_be_asked() {
    let lab = lab();
    let no_socket =
        "monit does not run, or its control file lacks `set httpd unixsocket /run/monit.sock`";
    assert_found(&lab, &[no_socket]);
    let _monit = run_monit(&lab);
    lab.kill(monit_pid(&lab), STOP);
    assert_found(&lab, &["monit does not answer at /run/monit.sock"]);
    lab.kill(monit_pid(&lab), monit::openrc::KILL);
    until("a stale socket", SOON, || {
        check(&lab).all().contains("nobody listens").then_some(())
    });
    lab.sh("rm /usr/bin/monit").ok();
    assert_found(&lab, &["monit is not installed"]);
}

#[test]
fn each_thing_that_is_wrong_has_its_line() {
    let change = |from: &str, to: &str| {
        let changed = CONTROL.replace(from, to);
        assert_ne!(changed, CONTROL, "{from}");
        changed
    };
    let password = change("allow localhost", "allow someone:hush");
    with(&password, |lab| {
        assert_found(lab, &["wants a password: set user and password"]);
        let right = "[modules.monit]\nuser = \"someone\"\npassword = \"hush\"\n";
        lab.write("/etc/rc-sv.toml", right, 0o600);
        let said = check(lab);
        assert_eq!(said.code(), 0, "{said}");
        assert!(!said.all().contains("hush"), "{said}");
    });
    with(&change("include /run/openrc-monit/*.monitrc", ""), |lab| {
        assert_found(lab, &["/etc/monitrc does not include /run/openrc-monit: add `include /run/openrc-monit/*.monitrc` and reload"]);
        lab.write("/etc/monit.d/ours", "INCLUDE /run/openrc-monit/*\n", 0o600);
        lab.write(
            "/etc/monitrc",
            change("/run/openrc-monit/*.monitrc", "/etc/monit.d/*"),
            0o600,
        );
        assert_eq!(check(lab).code(), 0);
    });
    let slow = change("set daemon 5 ", "set daemon 30 with start delay 1");
    with(&slow, |lab| {
        assert_found(
            lab,
            &[
                "a crash is seen after up to 30 s: write `set daemon 5`",
                "looks at nothing for 1 s",
            ],
        );
    });
    with(&change("permission 0600", "permission 0666"), |lab| {
        assert_found(lab, &["/run/monit.sock has mode 0666"]);
    });
    with(
        &change("permission 0600", "permission 0600 read-only"),
        |lab| {
            assert_found(lab, &["lets us only read: drop `read-only`"]);
        },
    );
    let manual = "set httpd port 2812 and use address 127.0.0.1\n  allow admin:monit\n";
    with(&format!("{CONTROL}{manual}"), |lab| {
        let toml = "[modules.monit]\naddress = \"127.0.0.1:2812\"\nuser = \"admin\"\npassword = \"monit\"\n";
        lab.write("/etc/rc-sv.toml", toml, 0o600);
        assert_found(
            lab,
            &[
                "monit cannot be told over TCP",
                "user admin and password monit are those of its manual",
            ],
        );
    });
    with(&format!("{CONTROL}include /etc/monit.d/*\n"), |lab| {
        lab.write("/etc/monit.d/bad", "nonsense\n", 0o600);
        assert_found(lab, &["monit would end at its next reload: monit does not take the control file: /etc/monit.d/bad:1: syntax error"]);
        lab.sh("pgrep -x monit").ok();
    });
}

#[test]
fn directories_and_limits() {
    let lab = lab();
    let quick = CONTROL.replace("set daemon 5", "set daemon 1");
    lab.write("/etc/monitrc", quick, 0o600);
    let _monit = lab.spawn("ulimit -n 40; exec monit -Ic /etc/monitrc");
    until("monit", SOON, || {
        (ask(&lab, &["summary"]).code() == 0).then_some(())
    });
    lab.sh(
        "mkdir -p -m 700 /run/openrc-monit; cd /run/openrc-monit; for i in 1 2 3 4 5 6 7 8 9; do \
        echo \"check process s$i with pidfile /run/s$i.pid\" >s$i.monitrc; done; chmod 777 .; \
        mkdir -p /etc/conf.d/monit-files; chmod 777 /etc/conf.d/monit-files",
    )
    .ok();
    assert_found(
        &lab,
        &[
            "/run/openrc-monit: has mode 0777; must be 0700 or stricter",
            "/etc/conf.d/monit-files: has mode 0777; must be 0755 or stricter",
            "monit may open 40 files, which is too few for 9 control files in /run/openrc-monit: raise `ulimit -n`",
        ],
    );
    let say = "[modules.monit]\nsockte = \"/x\"\n";
    lab.write("/etc/rc-sv.toml", say, 0o644);
    let said = check(&lab);
    assert_eq!(said.code(), 1, "{said}");
    assert!(
        said.all().contains("[modules.monit] sockte is unknown"),
        "{said}"
    );
}
