//! What a daemon is started as, and finds.

use super::Scene;
use crate::suite::openrc::{KILL, SOON};
use rc_sv_tests::Line;

/// Looks at a service as started and as respawned.
#[track_caller]
fn seen(scene: &Scene, args: &str, conf: &str, look: impl Fn(&Line)) {
    scene.service("foo", args, &format!("{}{conf}", super::AT_ONCE));
    let first = scene.begin("foo");
    look(&first);
    let before = scene.count("foo");
    scene.lab.kill(first.pid(), KILL);
    look(&scene.nth("foo", before + 1));
    scene.rc("foo", "stop").ok();
}

pub fn surroundings_are_those_of_the_settings(scene: &Scene) {
    scene
        .lab
        .sh("mkdir -m 777 /srv/home; touch /tmp/foo; chmod 666 /tmp/foo")
        .ok();
    let conf = "command_user=nobody:daemon\ndirectory=/srv/home\numask=0027\nno_new_privs=yes\n\
                rc_supervise_nice=3\nrc_supervise_ionice=2:6\nrc_supervise_oom_score_adj=77\n";
    seen(scene, "", conf, |line| {
        assert_eq!(line.get("uid"), "65534,65534,65534,65534");
        assert_eq!(line.get("gid"), "1,1,1,1");
        assert_eq!(line.path("cwd").to_str(), Some("/srv/home"));
        assert_eq!(line.get("umask"), "0027");
        assert_eq!(line.get("nnp"), "1");
        assert_eq!((line.get("nice"), line.get("oom")), ("3", "77"));
        assert!(line.get("ioprio").contains('6'), "{}", line.get("ioprio"));
        // A session of its own, no blocked or ignored signals, nothing of OpenRC or rc-sv.
        assert_eq!(line.get("sid"), line.get("pid"));
        assert_eq!((line.mask("sigblk"), line.mask("sigign")), (0, 0));
        for name in line.list("env") {
            let wrong = ["RCSV_", "RC_SV_", "SSD_", "RC_SVCDIR"];
            assert!(
                !wrong.iter().any(|prefix| name.starts_with(prefix)),
                "{name}"
            );
        }
        assert_eq!(line.fds().keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
    });
    seen(
        scene,
        "",
        "capabilities='!cap_chown'\nsecbits=noroot\n",
        |line| {
            assert_eq!(line.mask("capbnd") & 1, 0, "CAP_CHOWN is number 0");
            assert_eq!(line.get("securebits"), "1");
        },
    );
}

pub fn files_are_those_of_the_settings(scene: &Scene) {
    let conf = "output_log=/tmp/out\nerror_log=/tmp/err\ninput_file=/etc/fstab\n";
    scene.lab.write("/etc/fstab", "# nothing\n", 0o644);
    seen(scene, "--stdout said --stderr cried", conf, |line| {
        assert_eq!(line.fds()[&0], "/etc/fstab");
        assert_eq!(line.fds()[&1], "/tmp/out");
    });
    // Appended.
    assert_eq!(
        scene.lab.wait_for_lines("/tmp/out", 2, SOON),
        ["said", "said"]
    );
    assert_eq!(
        scene.lab.wait_for_lines("/tmp/err", 2, SOON),
        ["cried", "cried"]
    );
}

pub fn another_root(scene: &Scene) {
    scene.lab.sh("mkdir -p /jail && mount --bind / /jail && mount --bind /proc /jail/proc && mount --bind /tmp /jail/tmp").ok();
    seen(scene, "", "chroot=/jail\n", |line| {
        let root = scene
            .lab
            .sh(&format!("readlink /proc/{}/root", line.pid()))
            .ok();
        assert_eq!(root, "/jail\n");
    });
}

pub fn options_of_the_tools_become_settings(scene: &Scene) {
    for setting in ["supervise_daemon_args", "start_stop_daemon_args"] {
        seen(
            scene,
            "",
            &format!("{setting}='--umask 0123 -N 4'\n"),
            |line| {
                assert_eq!(
                    (line.get("umask"), line.get("nice")),
                    ("0123", "4"),
                    "{setting}"
                );
            },
        );
    }
}

pub fn the_pid_file_tells_the_pid(scene: &Scene) {
    let conf = "command_background=yes\npidfile=/run/foo.pid\nprocname=probe-daemon\n";
    seen(scene, "", conf, |line| {
        let is = format!("{}\n", line.pid());
        scene
            .lab
            .wait_for_file("/run/foo.pid", |text| text == is.as_bytes(), SOON);
    });
    assert!(!scene.lab.exists("/run/foo.pid"));
}

pub fn what_cannot_be_executed(scene: &Scene) {
    scene.lab.write("/tmp/strange", "#!/nowhere/sh\n", 0o755);
    for (script, conf, words) in [
        ("command=/nonexistent/x", "", "No such file or directory"),
        ("command=/etc/passwd", "", "Permission denied"),
        ("command=/tmp/strange", "", "No such file or directory"),
        ("command=/bin/true", "command_user=nosuch", "nosuch"),
        (
            "command=/bin/true",
            "directory=/nonexistent",
            "No such file or directory",
        ),
    ] {
        scene.lab.service("foo", script);
        scene.conf("foo", conf);
        scene.refused("foo", &[words]);
        assert_eq!(scene.rc("foo", "status").code(), 3, "{script} {conf}");
    }
}
