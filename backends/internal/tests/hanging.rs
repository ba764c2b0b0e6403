//! Programs on a file server that does not answer. A lease does the same to whoever opens a file.

#[path = "../../exec/tests/scene/lease.rs"]
mod lease;
mod scene;

use lease::Lease;
use rc_sv_api::{ServiceName, State};
use rc_sv_internal::client::connection::Connection;
use rc_sv_internal::protocol::{Reply, Request};
use scene::{name, signal, with, Scene, PATIENCE};
use std::process::Command;
use std::time::Instant;

/// More services than the supervisor has threads for them.
const MANY: usize = 6;

/// Starts a service whose program hangs. Who asked is answered on the connection.
fn start_hanging(scene: &Scene, service: &str) -> (ServiceName, Lease, Connection) {
    let program = scene.dir.join(service);
    // By another process: a child that another test has just forked would have it open, too.
    let copied = Command::new("cp").arg("/bin/sleep").arg(&program).status();
    assert!(copied.unwrap().success());
    let lease = Lease::of(&program);
    let settings = [("retry", "100")];
    let spec = scene.spec_of(service, &[program.to_str().unwrap(), "1000"]);
    let service = scene.write(&with(spec, &settings));
    let mut connection = scene.connect();
    let request = Request::Start(service.clone());
    connection
        .send(&request, Instant::now() + PATIENCE)
        .unwrap();
    lease.until_wanted();
    (service, lease, connection)
}

fn answer(connection: &mut Connection) -> Reply {
    connection.receive(Instant::now() + PATIENCE).unwrap().0
}

#[test]
fn they_hold_up_no_other_service() {
    let scene = Scene::new();
    let settings = [("respawn_delay", "0"), ("rc_supervise_min_interval", "0")];
    let other = with(
        scene.spec("other", "echo $$ >> $R; exec sleep 1000"),
        &settings,
    );
    scene.start(&other).unwrap();
    scene.reports.until("other", 1);
    let hanging: Vec<_> = (0..MANY)
        .map(|index| start_hanging(&scene, &format!("slow{index}")))
        .collect();
    for (service, ..) in &hanging {
        assert_eq!(scene.status(service.as_str()).state, State::Starting);
    }
    for lives in 1..=5 {
        let pid = scene.reports.lines("other")[lives - 1].parse().unwrap();
        signal(pid, libc::SIGKILL);
        scene.reports.until("other", lives + 1);
    }
    scene.until("other", State::Up);
    scene
        .start(&scene.spec_of("new", &["/bin/sleep", "1000"]))
        .unwrap();

    for (service, lease, mut connection) in hanging {
        drop(lease);
        assert_eq!(answer(&mut connection), Reply::Done);
        assert_eq!(scene.status(service.as_str()).state, State::Up);
    }
}

#[test]
fn one_can_be_stopped() {
    let scene = Scene::new();
    let (service, _lease, mut starter) = start_hanging(&scene, "slow");
    scene.order(Request::Stop(service)).unwrap();
    assert_eq!(scene.status("slow").state, State::Down);
    assert!(matches!(answer(&mut starter), Reply::Refused(_)));
    assert_eq!(scene.status("slow").pid, None);
    scene.order(Request::Forget(name("slow"))).unwrap();
}
