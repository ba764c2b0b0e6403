//! As whom a program runs, and with which capabilities.

mod scene;
use scene::{field, Scene};

const STATUS: [&str; 2] = ["/bin/cat", "/proc/self/status"];
const NET_RAW: u64 = 1 << 13;
const CHOWN: u64 = 1;
const NET_BIND: u64 = 1 << 10;

fn set(status: &str, name: &str) -> u64 {
    u64::from_str_radix(field(status, name), 16).unwrap()
}

#[test]
fn user_group_and_groups() {
    let mut scene = Scene::new(&STATUS);
    scene
        .int("uid", 4321)
        .int("gid", 1234)
        .list("groups", &["1234", "70000", "5"]);
    let status = scene.output();
    assert_eq!(field(&status, "Uid"), "4321\t4321\t4321\t4321");
    assert_eq!(field(&status, "Gid"), "1234\t1234\t1234\t1234");
    assert_eq!(field(&status, "Groups"), "5 1234 70000");
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(field(&status, set), "0000000000000000", "{set}");
    }
}

#[test]
fn a_group_alone() {
    let mut scene = Scene::new(&STATUS);
    scene.int("gid", 1234);
    let status = scene.output();
    assert_eq!(field(&status, "Uid"), "0\t0\t0\t0");
    assert_eq!(field(&status, "Gid"), "1234\t1234\t1234\t1234");
}

#[test]
fn ambient_capabilities_reach_an_ordinary_user() {
    let mut scene = Scene::new(&STATUS);
    scene.as_nobody().text(
        "capabilities",
        "^cap_net_raw,cap_chown,!cap_net_bind_service",
    );
    let status = scene.output();
    assert_eq!(field(&status, "Uid"), "65534\t65534\t65534\t65534");
    assert_eq!(set(&status, "CapAmb"), NET_RAW);
    assert_eq!(set(&status, "CapEff"), NET_RAW);
    assert_eq!(set(&status, "CapPrm"), NET_RAW);
    assert_eq!(set(&status, "CapInh"), NET_RAW | CHOWN);
    assert_eq!(set(&status, "CapBnd") & NET_BIND, 0);
    assert_ne!(set(&status, "CapBnd") & NET_RAW, 0);
}

#[test]
fn root_keeps_what_is_not_blocked() {
    let plain = Scene::new(&STATUS).output();
    let mut scene = Scene::new(&STATUS);
    scene.text("capabilities", "!cap_net_raw,!cap_chown");
    let status = scene.output();
    let left = set(&plain, "CapBnd") & !(NET_RAW | CHOWN);
    assert_eq!(set(&status, "CapBnd"), left);
    assert_eq!(set(&status, "CapEff"), left);
    assert_eq!(set(&status, "CapInh"), 0);
}

#[test]
fn a_blocked_capability_that_this_kernel_does_not_know_is_not_there() {
    let mut scene = Scene::new(&STATUS);
    scene.text("capabilities", "!63,!cap_chown");
    assert_eq!(set(&scene.output(), "CapBnd") & CHOWN, 0);
}

#[test]
fn securebits_also_of_an_ordinary_user() {
    for user in [false, true] {
        let mut scene = Scene::new(&["/usr/bin/setpriv", "--dump"]);
        if user {
            scene.as_nobody();
        }
        scene.text("secbits", "noroot,noroot_locked");
        let dump = scene.output();
        assert_eq!(field(&dump, "Securebits"), "noroot,noroot_locked", "{dump}");
        assert_eq!(field(&dump, "uid"), if user { "65534" } else { "0" });
    }
}

#[test]
fn ambient_capabilities_come_before_the_securebit_that_forbids_them() {
    let mut scene = Scene::new(&["/usr/bin/setpriv", "--dump"]);
    scene
        .as_nobody()
        .text("capabilities", "^cap_net_raw")
        .text("secbits", "0x40");
    let dump = scene.output();
    assert_eq!(field(&dump, "Ambient capabilities"), "net_raw");
    assert!(
        field(&dump, "Securebits").contains("ambient") || dump.contains("0x40"),
        "{dump}"
    );
}

#[test]
fn no_new_privileges() {
    assert_eq!(field(&Scene::new(&STATUS).output(), "NoNewPrivs"), "0");
    let mut scene = Scene::new(&STATUS);
    scene.int("no_new_privs", 1);
    assert_eq!(field(&scene.output(), "NoNewPrivs"), "1");
}

#[test]
fn logs_are_opened_without_the_capabilities_of_root() {
    // cap_dac_override is ambient, but the log is opened with the user's own rights.
    let mut scene = Scene::new(&STATUS);
    scene
        .as_nobody()
        .text("capabilities", "^cap_dac_override")
        .file("error_log", "closed/err");
    std::fs::create_dir(scene.path("closed")).unwrap();
    let (stage, errno, message) = scene.failure();
    assert_eq!(
        (stage, errno),
        (rc_sv_exec::launch::Stage::Error, libc::EACCES)
    );
    assert!(message.contains("as user 65534"), "{message}");
}
