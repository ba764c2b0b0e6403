//! A program in a root directory of its own.

mod scene;
use rc_sv_exec::launch::Stage;
use scene::Scene;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Copies `program` and the libraries that it loads below `root`.
fn install(root: &Path, program: &str) {
    let listing = Command::new("ldd").arg(program).output().unwrap();
    assert!(listing.status.success(), "ldd {program} failed");
    let listing = String::from_utf8(listing.stdout).unwrap();
    let words = listing
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    for file in words.chain([program]) {
        let copy = root.join(&file[1..]);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        // Not by this process: see `Scene::program`.
        assert!(Command::new("cp")
            .arg(file)
            .arg(copy)
            .status()
            .unwrap()
            .success());
    }
}

fn jail(argv: &[&str]) -> Scene {
    let mut scene = Scene::new(argv);
    let root = scene.path("root");
    install(&root, argv[0]);
    fs::create_dir(root.join("log")).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(root.join("log"), open).unwrap();
    scene.file("chroot", "root").text("output_log", "/log/out");
    // Where the scene looks for it.
    std::os::unix::fs::symlink("root/log/out", scene.path("out")).unwrap();
    scene
}

#[test]
fn program_directory_logs_and_input_are_those_inside() {
    let mut scene = jail(&["/bin/cat", "here", "-"]);
    fs::create_dir(scene.path("root/data")).unwrap();
    fs::write(scene.path("root/data/here"), "inside ").unwrap();
    fs::write(scene.path("root/data/in"), "input").unwrap();
    scene
        .text("directory", "/data")
        .text("input_file", "/data/in")
        .as_nobody();
    assert_eq!(scene.output(), "inside input");
}

#[test]
fn the_directory_is_the_new_root_unless_set() {
    let scene = jail(&["/bin/ls", "-x"]);
    assert_eq!(
        scene.output().split_whitespace().collect::<Vec<_>>(),
        ["bin", "lib", "lib64", "log"]
    );
}

#[test]
fn dev_null_is_that_outside() {
    // There is no /dev in the new root, and yet a program has its three descriptors.
    let mut scene = jail(&["/bin/cat"]);
    scene.file("error_log", "unused").spec.remove("error_log");
    assert_eq!(scene.output(), "");
}

#[test]
fn what_is_outside_cannot_be_executed() {
    let mut scene = jail(&["/bin/cat"]);
    scene.list("argv", &["/bin/ls"]);
    let (stage, errno, message) = scene.failure();
    assert_eq!((stage, errno), (Stage::Execute, libc::ENOENT));
    assert_eq!(message, "cannot execute /bin/ls: No such file or directory");
}

#[test]
fn a_missing_loader_inside_is_told_from_a_missing_program() {
    let scene = jail(&["/bin/cat"]);
    let listing = Command::new("ldd").arg("/bin/cat").output().unwrap();
    let listing = String::from_utf8(listing.stdout).unwrap();
    let loader = listing
        .split_whitespace()
        .find(|word| word.starts_with("/") && word.contains("ld-linux"));
    fs::remove_file(scene.path("root").join(&loader.expect("a loader")[1..])).unwrap();
    let (_, _, message) = scene.failure();
    assert!(
        message.ends_with("(it is there, but not the interpreter or loader that it names)"),
        "{message}"
    );
}
