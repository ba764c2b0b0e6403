//! A user's services, as OpenRC 0.60 and later start them. For `make user-services`: Debian's suites
//! have such an OpenRC in sid only, so these take a root of their own.

mod internal;
mod openrc;

use internal::{AT_ONCE, PROBE};
use openrc::{alive, INTERNAL, KILL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Lab, Line, Output};

const CONFIG: &str = "/home/alice/.config/rc";
const SVCDIR: &str = "/run/user/alice/openrc";

/// A lab in which alice has logged in.
fn lab() -> Lab {
    let lab = Lab::new();
    let script = format!(
        "useradd -m alice && install -d -o alice -m 700 /run/user/alice && \
         su alice -c 'mkdir -p {CONFIG}/init.d {CONFIG}/conf.d {CONFIG}/rc-sv.d'"
    );
    lab.sh(&script).ok();
    lab
}

/// What alice's shell makes of this.
fn alice(lab: &Lab, script: &str) -> Output {
    let login = ["runuser", "-u", "alice", "--", "sh", "-c", script];
    let run = lab.run(login).env("HOME", "/home/alice");
    run.env("XDG_RUNTIME_DIR", "/run/user/alice").output()
}

/// One of alice's services: the probe with `args`, more of a script, and lines of conf.d.
fn service(lab: &Lab, name: &str, args: &str, script: &str, conf: &str) {
    let script = format!(
        "#!/sbin/openrc-run\ncommand={PROBE}\n\
         command_args=\"--report /tmp/$RC_SVCNAME {args}\"\n{script}\n"
    );
    lab.write(format!("{CONFIG}/init.d/{name}"), script, 0o755);
    lab.write(
        format!("{CONFIG}/conf.d/{name}"),
        format!("{INTERNAL}{conf}\n"),
        0o644,
    );
}

fn starts(lab: &Lab, name: &str, count: usize) -> Vec<Line> {
    lab.report(&format!("/tmp/{name}"), "start", count, SOON)
}

#[track_caller]
fn until_said(lab: &Lab, script: &str, words: &str) {
    until(&format!("{script}: {words}"), SOON, || {
        alice(lab, script).stdout.contains(words).then_some(())
    });
}

#[test]
#[ignore = "takes another OpenRC: make user-services"]
fn they_start_respawn_and_stop_as_the_user() {
    let lab = lab();
    service(&lab, "foo", "", "", AT_ONCE);
    alice(&lab, "rc-service --user foo start").ok();
    let first = starts(&lab, "foo", 1)[0].clone();
    let uid = lab.sh("id -u alice").ok();
    let uids = format!("{},", uid.trim());
    assert!(first.get("uid").starts_with(&uids), "{first:?}");
    let said = alice(&lab, "rc-service --user foo status").ok();
    assert!(said.contains(&format!("pid {},", first.pid())), "{said}");
    lab.kill(first.pid(), KILL);
    starts(&lab, "foo", 2);
    until_said(&lab, "rc-service --user foo status", "1 restart");
    let all = alice(&lab, "rc-status --user --all").ok();
    assert!(all.contains("started 00:0") && all.contains("(1)"), "{all}");
    alice(&lab, "rc-service --user foo restart").ok();
    let third = starts(&lab, "foo", 3)[2].pid();
    alice(&lab, "rc-service --user foo stop").ok();
    lab.wait_dead(third, SOON);
    assert_eq!(alice(&lab, "rc-service --user foo status").code(), 3);
    // The system's services have nothing to do with it.
    assert_eq!(
        lab.sh("ls -A /run/openrc/rc-sv 2>/dev/null | wc -l").ok(),
        "0\n"
    );
}

#[test]
#[ignore = "takes another OpenRC: make user-services"]
fn a_runlevel_starts_and_stops_them() {
    let lab = lab();
    for name in ["foo", "bar"] {
        service(&lab, name, "", "", "");
    }
    let script = format!(
        "mkdir -p {CONFIG}/runlevels/default && rc-update --user add foo default && \
         rc-update --user add bar default && openrc --user default"
    );
    alice(&lab, &script).ok();
    let pids = ["foo", "bar"].map(|name| starts(&lab, name, 1)[0].pid());
    assert!(pids.into_iter().all(|pid| alive(&lab, pid)));
    alice(&lab, "openrc --user shutdown").ok();
    for pid in pids {
        lab.wait_dead(pid, SOON);
    }
}

#[test]
#[ignore = "takes another OpenRC: make user-services"]
fn what_comes_back_to_openrc_comes_to_the_users_services() {
    let lab = lab();
    // All at first: OpenRC compares the times of its cache and of scripts by the second.
    let script = "start_pre() { echo \"$RC_CMD $WORD\" >>/tmp/foo.pre; }";
    let conf = format!("{AT_ONCE}WORD=own\nrc_supervise_respawn=script\n");
    service(&lab, "foo", "", script, &conf);
    let conf = format!(
        "{AT_ONCE}respawn_max=1\nrc_supervise_alternate=spare\nrc_supervise_propagate=yes\n"
    );
    service(&lab, "main", "", "", &conf);
    service(&lab, "spare", "", "", "");
    service(&lab, "above", "", "depend() { need main; }", "");

    // The runscript, which needs the user's conf.d.
    alice(&lab, "rc-service --user foo start").ok();
    lab.kill(starts(&lab, "foo", 1)[0].pid(), KILL);
    starts(&lab, "foo", 2);
    assert_eq!(lab.text("/tmp/foo.pre"), "start own\nrcsv_respawn own\n");

    // A service that takes the place of another, which others need.
    alice(&lab, "rc-service --user above start").ok();
    let above = starts(&lab, "above", 1)[0].pid();
    lab.kill(starts(&lab, "main", 1)[0].pid(), KILL);
    lab.kill(starts(&lab, "main", 2)[1].pid(), KILL);
    assert!(alive(&lab, starts(&lab, "spare", 1)[0].pid()));
    lab.wait_dead(above, SOON);
}

#[test]
#[ignore = "takes another OpenRC: make user-services"]
fn their_configuration_is_the_users() {
    let lab = lab();
    lab.write("/etc/rc-sv.toml", "[defaults]\nrespawn_max = 9\n", 0o644);
    let all = "[defaults]\nrespawn_max = 3\nrespawn_delay = 7\n";
    lab.write("/etc/user/rc-sv.toml", all, 0o644);
    let own = "[defaults]\nrespawn_max = 4\n";
    lab.write(format!("{CONFIG}/rc-sv.toml"), own, 0o600);
    let foo = format!("{CONFIG}/rc-sv.d/foo.toml");
    lab.write(&foo, "respawn_max = 0\n", 0o600);
    lab.sh(&format!("chown -R alice {CONFIG}")).ok();
    for name in ["foo", "bar"] {
        service(&lab, name, "", "", "");
        alice(&lab, &format!("rc-service --user {name} start")).ok();
    }
    let set = |name: &str| {
        let spec = lab.text(format!("{SVCDIR}/rc-sv/{name}/spec"));
        spec.replace('\0', " ")
    };
    for (name, most) in [("foo", 0), ("bar", 4)] {
        let spec = set(name);
        assert!(spec.contains(&format!("respawn_max {most} ")), "{spec}");
        assert!(spec.contains("respawn_delay 7000 "), "{spec}");
    }
    let check = format!("RC_SVCDIR={SVCDIR} rc-sv-loader check foo");
    let said = alice(&lab, &check).ok();
    assert!(said.contains("module: internal"), "{said}");
    lab.write(&foo, "respawn_max = zero\n", 0o600);
    lab.sh(&format!("chown alice {foo}")).ok();
    let said = alice(&lab, "rc-service --user foo restart");
    let text = format!("{said}");
    assert!(text.contains(&format!("{foo}:1: ")), "{text}");
}
