//! A caller who is not root: what he may not do is refused in words, never left out. A process of
//! its own that gives up root, so one test.

mod scene;
use nix::sys::resource::{getrlimit, setrlimit, Resource};
use nix::sys::stat::{umask, Mode};
use nix::unistd::{setgroups, setresgid, setresuid, Gid, Uid};
use rc_sv_api::{Code, ServiceName, Spec, Value};
use rc_sv_exec::launch::{spawn, Launch, Stage};
use rc_sv_exec::place::Dir;
use rc_sv_exec::resolve::resolve;
use rc_sv_exec::spec_file;
use scene::{Scene, NOBODY};

#[test]
fn what_only_root_may_do_is_refused_in_words() {
    let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    setgroups(&[gid]).unwrap();
    setresgid(gid, gid, gid).unwrap();
    setresuid(uid, uid, uid).unwrap();
    // As after an execve; else root owns this process's files in /proc.
    nix::sys::prctl::set_dumpable(true).unwrap();
    umask(Mode::from_bits_truncate(0o022));
    it_runs_what_it_may();
    priorities_and_limits();
    identities_roots_and_capabilities();
    settings_that_name_another_user();
    its_own_places_and_files();
    out_of_processes_and_descriptors();
}

fn it_runs_what_it_may() {
    let mut scene = Scene::shell("id -u; nice; umask");
    scene
        .int("rc_supervise_nice", 5)
        .int("umask", 0o077)
        .int("no_new_privs", 1);
    scene
        .int("rc_supervise_oom_score_adj", 100)
        .text("rc_supervise_ionice", "idle");
    scene.text("secbits", "0");
    assert_eq!(scene.output(), "65534\n5\n0077\n");
}

#[track_caller]
fn fails(scene: &Scene, stage: Stage, line: &str) {
    let (failed_at, _, message) = scene.failure();
    assert_eq!((failed_at, message.as_str()), (stage, line));
}

fn priorities_and_limits() {
    let setting = |name: &str, value: i64| {
        let mut scene = Scene::new(&["/bin/true"]);
        scene.int(name, value);
        scene
    };
    let line =
        "cannot set its nice level to -5: Permission denied (lowering it takes CAP_SYS_NICE)";
    fails(&setting("rc_supervise_nice", -5), Stage::Nice, line);
    let line = "cannot set its OOM score adjustment to -500: Permission denied \
                (lowering it takes CAP_SYS_RESOURCE)";
    fails(
        &setting("rc_supervise_oom_score_adj", -500),
        Stage::OomScoreAdj,
        line,
    );
    let mut scene = Scene::new(&["/bin/true"]);
    scene.text("rc_supervise_ionice", "1:0");
    let line = "cannot set its I/O priority: Operation not permitted \
                (the class realtime takes CAP_SYS_NICE)";
    fails(&scene, Stage::Ionice, line);
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let mut scene = Scene::new(&["/bin/true"]);
    scene.list(
        "rlimits",
        &[&format!("{}=10:{}", libc::RLIMIT_NOFILE, hard + 1)],
    );
    let line = "cannot set its resource limit nofile: Operation not permitted \
                (raising a hard limit takes CAP_SYS_RESOURCE)";
    fails(&scene, Stage::Rlimit, line);
}

fn identities_roots_and_capabilities() {
    let mut scene = Scene::new(&["/bin/true"]);
    scene.int("uid", 0);
    fails(
        &scene,
        Stage::User,
        "cannot become user 0: Operation not permitted",
    );
    let mut scene = Scene::new(&["/bin/true"]);
    scene.int("gid", 0);
    fails(
        &scene,
        Stage::Group,
        "cannot become group 0: Operation not permitted",
    );
    let mut scene = Scene::new(&["/bin/true"]);
    scene.list("groups", &["0", "5"]);
    fails(
        &scene,
        Stage::Groups,
        "cannot set its groups to [0, 5]: Operation not permitted",
    );
    let settings = [
        (
            "chroot",
            "/",
            Stage::Chroot,
            "cannot change the root to /: Operation not permitted",
        ),
        (
            "capabilities",
            "cap_chown",
            Stage::Capabilities,
            "cannot set its inheritable capabilities: Operation not permitted",
        ),
        (
            "capabilities",
            "!cap_chown",
            Stage::Bounding,
            "cannot block capabilities: Operation not permitted",
        ),
        (
            "secbits",
            "1",
            Stage::Securebits,
            "cannot set its securebits: Operation not permitted",
        ),
    ];
    for (name, value, stage, line) in settings {
        let mut scene = Scene::new(&["/bin/true"]);
        scene.text(name, value);
        fails(&scene, stage, line);
    }
}

fn settings_that_name_another_user() {
    for (name, value, origin) in [
        ("command_user", "nobody", "command_user"),
        (
            "supervise_daemon_args",
            "-g daemon",
            "supervise_daemon_args: --group",
        ),
        (
            "start_stop_daemon_args",
            "--user daemon",
            "start_stop_daemon_args: --user",
        ),
    ] {
        let mut spec = Spec::default();
        spec.set(name, value.as_bytes(), "conf.d/foo").unwrap();
        spec.put("argv", Value::List(vec![b"/bin/sh".to_vec()]));
        let error = resolve(spec.settings()).unwrap_err();
        assert_eq!(error.code, Code::Permission);
        let words = "only root can run a service as somebody else; unset it";
        assert_eq!(error.message, format!("{origin}: {words}"));
    }
}

fn its_own_places_and_files() {
    let svcdir = tempfile::tempdir().unwrap();
    let service = ServiceName::new(b"foo").unwrap();
    let dir = Dir::make_service(svcdir.path(), &service).unwrap();
    let spec = Spec::of_service(&service);
    spec_file::write(&dir, spec.settings()).unwrap();
    assert_eq!(spec_file::read(&dir).unwrap(), spec);
    let error = Dir::make_service(std::path::Path::new("/"), &service).unwrap_err();
    assert_eq!(error.code, Code::Permission);
}

fn out_of_processes_and_descriptors() {
    let scene = Scene::new(&["/bin/true"]);
    let launch = Launch::from_settings(scene.spec.settings()).unwrap();
    let attempt = |resource| {
        let (soft, hard) = getrlimit(resource).unwrap();
        setrlimit(resource, 1, hard).unwrap();
        let made = spawn(&launch, None);
        setrlimit(resource, soft, hard).unwrap();
        made.unwrap_err()
    };
    let error = attempt(Resource::RLIMIT_NPROC);
    assert_eq!(error.os_errno, libc::EAGAIN);
    let line =
        "cannot make a process: Resource temporarily unavailable (a limit of processes is reached)";
    assert_eq!(error.message, line);
    let error = attempt(Resource::RLIMIT_NOFILE);
    assert_eq!(error.os_errno, libc::EMFILE);
    assert_eq!(error.message, "cannot make a process: Too many open files");
    assert_eq!(scene.output(), "", "and then it works again");
}
