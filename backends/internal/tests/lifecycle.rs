//! Start, stop, restart, signal, forget, status and list.

mod scene;

use rc_sv_api::{Code, State, Value};
use rc_sv_internal::protocol::{Reply, Request};
use scene::{exists, list, name, signal, with, Scene, PATIENCE};
use std::time::Instant;

/// Reports its pid and stays.
const STAY: &str = "echo $$ >> $R; exec sleep 1000";

#[test]
fn a_service_is_started_and_stopped() {
    let scene = Scene::new();
    assert_eq!(scene.status("foo").state, State::Unmanaged);
    scene.start(&scene.spec("foo", STAY)).unwrap();
    let status = scene.status("foo");
    assert_eq!((status.state, status.wanted_up), (State::Up, Some(true)));
    assert_eq!(status.supervisor_pid, Some(scene.supervisor()));
    let pid = status.pid.unwrap();
    assert_eq!(scene.reports.until("foo", 1), [pid.to_string()]);
    scene.stop("foo").unwrap();
    assert!(!exists(pid));
    let status = scene.status("foo");
    assert_eq!((status.state, status.pid), (State::Down, None));
}

#[test]
fn a_start_of_what_is_up_changes_nothing_until_the_next_spawn() {
    let scene = Scene::new();
    scene.start(&scene.spec("foo", STAY)).unwrap();
    scene.reports.until("foo", 1);
    let pid = scene.pid("foo");
    scene
        .start(&scene.spec("foo", "echo new >> $R; exec sleep 1000"))
        .unwrap();
    assert_eq!(scene.pid("foo"), pid);
    scene.order(Request::Restart(name("foo"))).unwrap();
    assert_ne!(scene.pid("foo"), pid);
    assert_eq!(
        scene.reports.until("foo", 2),
        [pid.to_string(), "new".into()]
    );
}

#[test]
fn two_starts_at_once_make_one_instance() {
    let scene = Scene::new();
    let service = scene.write(&scene.spec("foo", STAY));
    let deadline = Instant::now() + PATIENCE;
    let mut connections: Vec<_> = (0..8).map(|_| scene.connect()).collect();
    for connection in &mut connections {
        connection
            .send(&Request::Start(service.clone()), deadline)
            .unwrap();
    }
    for connection in &mut connections {
        assert_eq!(connection.receive(deadline).unwrap().0, Reply::Done);
    }
    let pid = scene.pid("foo");
    scene.reports.until("foo", 1);
    scene.stop("foo").unwrap();
    assert_eq!(scene.reports.lines("foo"), [pid.to_string()]);
}

#[test]
fn what_cannot_be_executed_fails_in_words_and_is_not_tried_again() {
    let scene = Scene::new();
    let script = scene.dir.join("script");
    scene::executable(&script, "#!/nonexistent/interpreter\n");
    let garbage = scene.dir.join("garbage");
    scene::executable(&garbage, "\u{7f}no program");
    let plain = scene.dir.join("plain");
    std::fs::write(&plain, "x").unwrap();
    let run = |path: &std::path::Path| scene.spec_of("foo", &[path.to_str().unwrap()]);
    let good = || scene.spec("foo", STAY);
    let mut bad_user = good();
    bad_user.put("uid", Value::Int(65534));
    bad_user.put("gid", Value::Int(65534));
    let bad_user = with(bad_user, &[("output_log", "/root/log")]);
    let cases = [
        (
            scene.spec_of("foo", &["/nonexistent/x"]),
            "execute /nonexistent/x: No such file",
            libc::ENOENT,
        ),
        (run(&plain), "Permission denied", libc::EACCES),
        (run(&script), "No such file or directory", libc::ENOENT),
        (run(&garbage), "Exec format error", libc::ENOEXEC),
        (
            with(good(), &[("directory", "/nonexistent")]),
            "change to the directory /nonexistent",
            libc::ENOENT,
        ),
        (
            with(good(), &[("chroot", "/nonexistent")]),
            "change the root to /nonexistent",
            libc::ENOENT,
        ),
        (
            with(good(), &[("output_log", "/nonexistent/log")]),
            "open output_log",
            libc::ENOENT,
        ),
        (bad_user, "open output_log", libc::EACCES),
    ];
    for (spec, words, errno) in cases {
        let error = scene.start(&spec).unwrap_err();
        assert!(error.message.contains(words), "{words}: {error}");
        assert_eq!(error.os_errno, errno, "{error}");
        let status = scene.status("foo");
        assert_eq!(
            (status.state, status.wanted_up),
            (State::Down, Some(false)),
            "{status:?}"
        );
        assert_eq!(status.next_restart_ms, None);
    }
    assert_eq!(scene.reports.lines("foo"), [""; 0]);
    scene.start(&good()).unwrap();
}

#[test]
fn a_start_without_a_usable_spec_is_refused() {
    let scene = Scene::new();
    let error = scene.order(Request::Start(name("foo"))).unwrap_err();
    assert_eq!(error.code, Code::NotFound, "{error}");
    let mut spec = scene.spec("foo", STAY);
    spec.remove("argv");
    let error = scene.start(&spec).unwrap_err();
    assert!(error.message.contains("argv"), "{error}");
    let service = scene.write(&scene.spec("foo", STAY));
    let dir = scene.svcdir.join("rc-sv");
    std::fs::rename(dir.join("foo"), dir.join("bar")).unwrap();
    let error = scene.order(Request::Start(name("bar"))).unwrap_err();
    assert!(error.message.contains("of another service"), "{error}");
    assert_eq!(scene.status(service.as_str()).state, State::Down);
}

#[test]
fn signals_arrive_or_are_refused() {
    let scene = Scene::new();
    let script =
        "trap 'echo usr1 >> $R' USR1; echo ready >> $R; while :; do sleep 1000 & wait; done";
    scene.start(&scene.spec("foo", script)).unwrap();
    scene.reports.until("foo", 1);
    for count in 2..5 {
        scene
            .order(Request::Signal(name("foo"), libc::SIGUSR1))
            .unwrap();
        assert_eq!(scene.reports.until("foo", count)[count - 1], "usr1");
    }
    scene.stop("foo").unwrap();
    for service in ["foo", "unknown"] {
        let error = scene
            .order(Request::Signal(name(service), libc::SIGUSR1))
            .unwrap_err();
        assert_eq!(error.code, Code::NotFound, "{error}");
    }
}

#[test]
fn stop_and_forget_of_what_is_not_up_are_done() {
    let scene = Scene::new();
    scene.stop("foo").unwrap();
    scene.order(Request::Forget(name("foo"))).unwrap();
    scene.start(&scene.spec("foo", STAY)).unwrap();
    let error = scene.order(Request::Forget(name("foo"))).unwrap_err();
    assert_eq!(error.code, Code::Conflict, "{error}");
    scene.stop("foo").unwrap();
    scene.stop("foo").unwrap();
    scene.order(Request::Forget(name("foo"))).unwrap();
    assert_eq!(scene.status("foo").state, State::Unmanaged);
}

#[test]
fn commands_of_one_connection_are_carried_out_in_order() {
    let scene = Scene::new();
    let service = scene.write(&scene.spec("foo", STAY));
    let deadline = Instant::now() + PATIENCE;
    let mut connection = scene.connect();
    // It finds all of them when it looks.
    signal(scene.supervisor(), libc::SIGSTOP);
    let ids = [
        Request::Start(service.clone()),
        Request::Status(service.clone()),
        Request::Stop(service.clone()),
        Request::Ping,
    ]
    .map(|request| connection.send(&request, deadline).unwrap());
    signal(scene.supervisor(), libc::SIGCONT);
    let mut answers = Vec::new();
    for _ in ids {
        let (reply, id, _) = connection.receive(deadline).unwrap();
        answers.push((id, reply));
    }
    answers.sort_by_key(|(id, _)| *id);
    let [(_, start), (_, status), (_, stop), (_, pong)] = &answers[..] else {
        panic!("{answers:?}");
    };
    // The stop came before the program was executed: it goes before the start.
    let Reply::Refused(error) = start else {
        panic!("{start:?}");
    };
    assert_eq!(error.code, Code::Conflict, "{error}");
    let Reply::Status(status) = status else {
        panic!("{status:?}");
    };
    assert_eq!(status.state, State::Starting);
    assert_eq!(stop, &Reply::Done);
    let version = env!("CARGO_PKG_VERSION").to_string();
    assert_eq!(pong, &Reply::Here(scene.supervisor(), version));
}

#[test]
fn the_list_has_every_service_by_name() {
    let scene = Scene::new();
    assert_eq!(scene.connect().list(Instant::now() + PATIENCE).unwrap(), []);
    for service in ["b", "c", "a"] {
        scene.start(&scene.spec(service, STAY)).unwrap();
    }
    scene.stop("b").unwrap();
    let listed = scene.connect().list(Instant::now() + PATIENCE).unwrap();
    let seen: Vec<_> = listed
        .iter()
        .map(|(name, status)| (name.as_str(), status.state))
        .collect();
    assert_eq!(
        seen,
        [("a", State::Up), ("b", State::Down), ("c", State::Up)]
    );
    assert_eq!(listed[0].1.pid, Some(scene.pid("a")));
}

#[test]
fn the_process_has_what_its_spec_says_and_nothing_of_the_supervisor() {
    let scene = Scene::new();
    let script = "env | sort >> $R; ls -l /proc/self/fd | grep -v /proc >> $R; \
                  grep -E 'Sig(Blk|Ign)' /proc/self/status >> $R; umask >> $R; pwd >> $R; \
                  ps -o sid=,pgid= -p $$ >> $R; echo end >> $R; exec sleep 1000";
    let mut spec = scene.spec("foo", script);
    let report = format!("R={}", scene.reports.path("foo").display());
    spec.put(
        "environment",
        list(&["PATH=/usr/bin:/bin", "A=b c", &report]),
    );
    scene
        .start(&with(spec, &[("umask", "027"), ("directory", "/usr")]))
        .unwrap();
    let lines = scene.reports.until_line("foo", "end").join("\n");
    let pid = scene.pid("foo");
    for expected in [
        "A=b c",
        "SigBlk:\t0000000000000000",
        "SigIgn:\t0000000000000000",
        "\n0027\n/usr\n",
    ] {
        assert!(lines.contains(expected), "{expected}: {lines}");
    }
    assert!(!lines.contains("RC_"), "{lines}");
    let session_and_group = lines.lines().rev().nth(1).unwrap();
    let numbers: Vec<_> = session_and_group.split_whitespace().collect();
    assert_eq!(numbers, [pid.to_string(), pid.to_string()], "{lines}");
    for fd in ["0 -> /dev/null", "1 -> ", "2 -> /dev/null"] {
        assert!(lines.contains(fd), "{fd}: {lines}");
    }
}
