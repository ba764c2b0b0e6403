//! The script that stops and starts those that need a service, while the supervisor is killed.

mod scene;

use scene::{kill_and_await, signal, until_gone, with, Scene};
use std::fs;
use std::process::Command;

#[test]
fn they_are_told_once_and_in_order() {
    let scene = Scene::unattended();
    // The script lies beside the program.
    let program = scene.dir.join("rc-sv-supervisor");
    fs::copy(env!("CARGO_BIN_EXE_rc-sv-supervisor"), &program).unwrap();
    let (told, go) = (scene.reports.path("told"), scene.dir.join("go"));
    nix::unistd::mkfifo(&go, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let script = format!(
        "echo $1 >> {}\ncase $1 in\nstop) : > $RC_SV_LIST; read line < {} ;;\n\
         start) rm $RC_SV_LIST ;;\nesac\n",
        told.display(),
        go.display()
    );
    fs::write(scene.dir.join("rc-sv-dependents.sh"), script).unwrap();
    let mut begin = Command::new(&program);
    let begun = begin.args(["--daemon", "--svcdir"]).arg(&scene.svcdir);
    assert!(begun.status().unwrap().success());

    let spec = scene.spec("foo", "echo $$ >> $R; exec sleep 1000");
    let settings = [("respawn_delay", "0"), ("rc_supervise_propagate", "yes")];
    scene.start(&with(spec, &settings)).unwrap();
    // It is started as soon as it is executed, which is before it has said anything.
    scene.reports.until("foo", 1);
    for round in 1..4 {
        kill_and_await(scene.pid("foo"));
        scene.reports.until("foo", 1 + round);
        // It runs, and the other one waits for it.
        assert_eq!(
            scene.reports.until("told", 2 * round - 1).len(),
            2 * round - 1
        );
        let old = scene.supervisor();
        match round {
            // This becomes the guardian.
            3 => kill_and_await(scene.guardian()),
            _ => {
                signal(scene.guardian(), libc::SIGSTOP);
                kill_and_await(old);
                if round == 2 {
                    fs::write(&go, "go\n").unwrap();
                }
                signal(scene.guardian(), libc::SIGCONT);
            }
        }
        assert_ne!(scene.supervisor(), old);
        scene.status("foo");
        if round != 2 {
            fs::write(&go, "go\n").unwrap();
        }
        let words = scene.reports.until("told", 2 * round);
        assert_eq!(words, ["stop", "start"].repeat(round));
        until_gone(&scene.svcdir.join("rc-sv/foo/dependents"));
        // It is up again, or the next end would be one too soon.
        scene.until("foo", rc_sv_api::State::Up);
    }
    assert_eq!(scene.reports.lines("foo").len(), 4);
}
