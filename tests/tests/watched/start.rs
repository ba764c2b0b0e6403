//! What a daemon that monit watches is started as: by OpenRC, and then by rc-sv-exec.

use crate::behaviour::{Scene, AT_ONCE};
use crate::suite::openrc::{KILL, SOON};
use crate::suite::PROBE;
use rc_sv_tests::Line;

/// Debian's start-stop-daemon has not all options that OpenRC's has; without them it starts as
/// well, and what is looked at is the next run.
const STAND_IN: &str = "#!/bin/sh\nfor word; do\n\tshift\n\tcase $skip$word in\n\
    \t--capabilities|--secbits|--stdout|--stderr) skip=x; continue ;;\n\
    \t--no-new-privs) continue ;;\n\tx*) skip=; continue ;;\n\tesac\n\tset -- \"$@\" \"$word\"\ndone\n\
    exec /usr/sbin/start-stop-daemon \"$@\"\n";

/// Starts foo with `conf`: what it is by OpenRC, and what after a crash, if that is ours.
#[track_caller]
fn both(scene: &Scene, args: &str, conf: &str) -> (Line, Option<Line>) {
    let is_ours = scene.module.kind != Some("native");
    let pace = if is_ours { AT_ONCE } else { "" };
    scene.service("foo", args, &format!("{pace}{conf}"));
    let first = scene.begin("foo");
    let next = is_ours.then(|| {
        let before = scene.count("foo");
        scene.lab.kill(first.pid(), KILL);
        scene.nth("foo", before + 1)
    });
    (first, next)
}

#[track_caller]
fn next(scene: &Scene, args: &str, conf: &str) -> Line {
    let path = "/usr/lib/rc/bin/start-stop-daemon";
    scene.lab.write(path, STAND_IN, 0o755);
    both(scene, args, conf).1.expect("the next run")
}

pub fn surroundings_are_those_of_the_settings(scene: &Scene) {
    let prepare = "mkdir -m 777 /srv/home; touch /tmp/foo; chmod 666 /tmp/foo";
    scene.lab.sh(prepare).ok();
    let conf = "command_user=nobody:daemon\ndirectory=/srv/home\numask=0027\n";
    let (first, next) = both(scene, "", conf);
    for line in [Some(first), next].into_iter().flatten() {
        assert_eq!(line.get("uid"), "65534,65534,65534,65534");
        assert_eq!(line.get("gid"), "1,1,1,1");
        assert_eq!(line.path("cwd").to_str(), Some("/srv/home"));
        assert_eq!(line.get("umask"), "0027");
    }
    scene.rc("foo", "stop").ok();
}

pub fn privileges_are_those_of_the_settings(scene: &Scene) {
    let conf = "capabilities='!cap_chown'\nsecbits=noroot\nno_new_privs=yes\n";
    let line = next(scene, "", conf);
    assert_eq!(line.mask("capbnd") & 1, 0, "CAP_CHOWN is number 0");
    assert_eq!((line.get("securebits"), line.get("nnp")), ("1", "1"));
}

pub fn priorities_are_given_to_what_runs(scene: &Scene) {
    let conf = "rc_supervise_nice=3\nrc_supervise_ionice=2:6\nrc_supervise_oom_score_adj=77\n";
    scene.service("foo", "", conf);
    let first = scene.begin("foo").pid();
    // OpenRC has started it, and knows nothing of them.
    let look = format!(
        "cut -d ' ' -f 19 /proc/{first}/stat; cat /proc/{first}/oom_score_adj; ionice -p {first}"
    );
    let said = scene.lab.sh(&look).ok();
    assert_eq!(said, "3\n77\nbest-effort: prio 6\n");
    if scene.module.kind != Some("native") {
        scene.lab.kill(first, KILL);
        let line = scene.nth("foo", 2);
        assert_eq!((line.get("nice"), line.get("oom")), ("3", "77"));
        assert!(line.get("ioprio").contains('6'), "{}", line.get("ioprio"));
    }
    scene.rc("foo", "stop").ok();
}

pub fn files_are_those_of_the_settings(scene: &Scene) {
    let conf = "output_log=/tmp/out\nerror_log=/tmp/err\ninput_file=/etc/fstab\n";
    scene.lab.write("/etc/fstab", "# nothing\n", 0o644);
    let line = next(scene, "--stdout said --stderr cried", conf);
    assert_eq!(line.fds()[&0], "/etc/fstab");
    assert_eq!(line.fds()[&1], "/tmp/out");
    let said = |path| scene.lab.wait_for_lines(path, 1, SOON);
    assert_eq!(
        (said("/tmp/out"), said("/tmp/err")),
        (vec!["said".into()], vec!["cried".into()])
    );
}

pub fn another_root(scene: &Scene) {
    let bound = ["/", "/proc", "/tmp"].map(|path| format!("mount --bind {path} /jail{path}"));
    scene
        .lab
        .sh(&format!("mkdir /jail && {}", bound.join(" && ")))
        .ok();
    let (first, next) = both(scene, "", "chroot=/jail\n");
    drop(first);
    let pid = next.expect("the next run").pid();
    let root = scene.lab.sh(&format!("readlink /proc/{pid}/root")).ok();
    assert_eq!(root, "/jail\n");
}

/// What is for supervise-daemon means nothing, as in OpenRC.
pub fn options_of_the_tool_become_settings(scene: &Scene) {
    let conf = "start_stop_daemon_args='--umask 0123 -N 4'\nsupervise_daemon_args='--umask 0777'\n";
    let (first, next) = both(scene, "", conf);
    for line in [Some(first), next].into_iter().flatten() {
        assert_eq!((line.get("umask"), line.get("nice")), ("0123", "4"));
    }
    scene.rc("foo", "stop").ok();
}

pub fn the_pid_file_tells_the_pid(scene: &Scene) {
    let (first, next) = both(scene, "", "procname=probe-daemon\n");
    let pid = next.map_or(first.pid(), |line| line.pid());
    let is = format!("{pid}\n");
    scene
        .lab
        .wait_for_file("/run/foo.pid", |text| text == is.as_bytes(), SOON);
    scene.until_json("foo", "its pid", |json| json["pid"] == pid);
    scene.rc("foo", "stop").ok();
}

/// A program that does not go into the background in time has failed.
pub fn a_start_has_its_time(scene: &Scene) {
    let slow = format!(
        "#!/bin/sh\n[ ! -e /tmp/slow ] || {{ echo $$ >>/tmp/waits; exec sleep 4242; }}\n\
         {PROBE} --report /tmp/foo </dev/null >/dev/null 2>&1 &\necho $! >/run/foo.pid\n"
    );
    scene.lab.write("/usr/local/bin/slow", slow, 0o755);
    scene
        .lab
        .service("foo", "command=/usr/local/bin/slow\npidfile=/run/foo.pid\n");
    scene.conf("foo", &format!("{AT_ONCE}timeout_ready=1s\n"));
    let first = scene.begin("foo").pid();
    scene.lab.write("/tmp/slow", "", 0o644);
    scene.lab.kill(first, KILL);
    scene.lab.wait_for_lines("/tmp/waits", 2, SOON);
    scene.lab.sh("rm /tmp/slow").ok();
    scene.starts("foo", 2);
}
