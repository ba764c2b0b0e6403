//! Killing those who supervise.

use super::{await_death, exists, kill_and_await, signal, Scene, PATIENCE};
use std::time::Instant;

/// Does something while there is no supervisor, and waits for the next one.
pub fn without_supervisor(scene: &Scene, act: impl FnOnce()) {
    let old = scene.supervisor();
    // The guardian does not see it before.
    signal(scene.guardian(), libc::SIGSTOP);
    kill_and_await(old);
    act();
    signal(scene.guardian(), libc::SIGCONT);
    assert_ne!(scene.supervisor(), old);
}

/// Kills supervisor and guardian as if at once.
pub fn kill_both(scene: &Scene) {
    let (guardian, supervisor) = (scene.guardian(), scene.supervisor());
    signal(supervisor, libc::SIGSTOP);
    kill_and_await(guardian);
    signal(supervisor, libc::SIGKILL);
    await_death(supervisor);
}

/// Its zombie is the guardian's, who takes it away in its own time.
pub fn is_gone(pid: i32) {
    let deadline = Instant::now() + PATIENCE;
    while exists(pid) {
        assert!(Instant::now() < deadline, "its zombie is left");
    }
}
