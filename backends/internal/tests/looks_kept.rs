//! Commands that look at a service while its supervisor is killed.

mod scene;

use rc_sv_api::State;
use scene::{await_death, kill_and_await, signal, with, Scene};

#[test]
fn a_check_that_hangs_ends_with_its_supervisor_and_is_made_again() {
    let scene = Scene::new();
    let path = scene.dir.join("check");
    // It has a child, which has to go with it.
    let script = "#!/bin/sh\nsleep 1001 &\necho $! >> $R.child\necho $$ >> $R.check\nwait\n";
    scene::executable(&path, script);
    let health = format!("exec:{} interval=50ms timeout=10m", path.display());
    let spec = scene.spec("foo", "echo $$ >> $R; exec sleep 1000");
    let spec = with(spec, &[("rc_supervise_health", &health)]);
    scene.start(&spec).unwrap();
    scene.reports.until("foo", 1);
    for count in 1..4 {
        let pid = |report: &str| -> i32 {
            let lines = scene.reports.until(report, count);
            assert_eq!(lines.len(), count);
            lines[count - 1].parse().unwrap()
        };
        let both = [pid("foo.check"), pid("foo.child")];
        let old = scene.supervisor();
        match count {
            // The other one is killed, and this becomes it.
            3 => kill_and_await(scene.guardian()),
            _ => {
                signal(scene.guardian(), libc::SIGSTOP);
                kill_and_await(old);
                signal(scene.guardian(), libc::SIGCONT);
            }
        }
        both.into_iter().for_each(await_death);
    }
    scene.reports.until("foo.check", 4);
    assert_eq!(scene.status("foo").state, State::Up);
    assert_eq!(scene.reports.lines("foo").len(), 1);
}
