//! Tests of the directories' safety. They run as root, because most of it is about other owners.

use super::*;
use crate::spec_file;
use nix::sched::{unshare, CloneFlags};
use rc_sv_api::{Spec, Value};
use std::fs;
use std::os::unix::fs::{chown, symlink, MetadataExt, PermissionsExt};

const NOBODY: u32 = 65534;

fn svcdir() -> tempfile::TempDir {
    assert!(geteuid().is_root(), "these tests need root");
    let dir = tempfile::tempdir().unwrap();
    chmod(dir.path(), 0o755);
    dir
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn foo() -> ServiceName {
    ServiceName::new(b"foo").unwrap()
}

fn spec(argv: &str) -> Spec {
    let mut spec = Spec::of_service(&foo());
    spec.put("argv", Value::List(vec![argv.into()]));
    spec
}

fn refused<T: std::fmt::Debug>(result: Result<T>, code: Code, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code, code, "{error}");
    assert!(error.message.contains(words), "{error}");
}

#[test]
fn directories_have_their_modes_whatever_the_umask_is() {
    let svcdir = svcdir();
    // That of this thread alone: others write files meanwhile.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            unshare(CloneFlags::CLONE_FS).unwrap();
            nix::sys::stat::umask(Mode::from_bits_truncate(0o777));
            let dir = Dir::make_service(svcdir.path(), &foo()).unwrap();
            spec_file::write(&dir, &spec("/bin/x")).unwrap();
            Dir::make_internal(svcdir.path()).unwrap();
        });
    });
    assert_eq!(mode(&svcdir.path().join("rc-sv")), 0o755);
    assert_eq!(mode(&svcdir.path().join("rc-sv/foo")), 0o700);
    assert_eq!(mode(&svcdir.path().join("rc-sv/foo/spec")), 0o600);
    assert_eq!(mode(&svcdir.path().join("rc-sv/.internal")), 0o755);
    assert_eq!(Dir::services(svcdir.path()).unwrap(), [foo()]);
}

#[test]
fn a_spec_is_written_read_replaced_and_removed() {
    let svcdir = svcdir();
    refused(
        Dir::open_service(svcdir.path(), &foo()),
        Code::NotFound,
        "rc-sv",
    );
    assert_eq!(Dir::services(svcdir.path()).unwrap(), []);
    let dir = Dir::make_service(svcdir.path(), &foo()).unwrap();
    refused(spec_file::read(&dir), Code::NotFound, "foo/spec");
    for argv in ["/bin/a", "/bin/b"] {
        spec_file::write(&dir, &spec(argv)).unwrap();
        let again = Dir::open_service(svcdir.path(), &foo()).unwrap();
        assert_eq!(spec_file::read(&again).unwrap(), spec(argv));
    }
    let names: Vec<_> = dir.entries().unwrap();
    assert_eq!(names, [b"spec"], "nothing else is left");
    Dir::remove_service(svcdir.path(), &foo()).unwrap();
    assert!(!svcdir.path().join("rc-sv/foo").exists());
    Dir::remove_service(svcdir.path(), &foo()).unwrap();
}

#[test]
fn many_writers_leave_one_whole_spec() {
    let svcdir = svcdir();
    let dir = Dir::make_service(svcdir.path(), &foo()).unwrap();
    spec_file::write(&dir, &spec("/bin/0")).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let dir = &dir;
            scope.spawn(move || {
                for round in 0..50 {
                    spec_file::write(dir, &spec(&format!("/bin/{writer}/{round}"))).unwrap();
                    spec_file::read(dir).unwrap();
                }
            });
        }
    });
    assert_eq!(dir.entries().unwrap(), [b"spec"]);
}

#[test]
fn a_damaged_spec_is_named_and_refused() {
    let svcdir = svcdir();
    let dir = Dir::make_service(svcdir.path(), &foo()).unwrap();
    let path = dir.path().join("spec");
    spec_file::write(&dir, &spec("/bin/x")).unwrap();
    let half = fs::metadata(&path).unwrap().len() / 2;
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(half)
        .unwrap();
    refused(
        spec_file::read(&dir),
        Code::Protocol,
        "foo/spec: is cut off or damaged",
    );
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(9 << 20)
        .unwrap();
    refused(spec_file::read(&dir), Code::Protocol, "larger than 8 MiB");
}

#[test]
fn files_of_others_open_files_links_and_fifos_are_refused() {
    let svcdir = svcdir();
    let dir = Dir::make_service(svcdir.path(), &foo()).unwrap();
    let path = dir.path().join("spec");
    let fresh = || spec_file::write(&dir, &spec("/bin/x")).unwrap();
    fresh();
    chown(&path, Some(NOBODY), None).unwrap();
    refused(
        spec_file::read(&dir),
        Code::Permission,
        "belongs to user 65534",
    );
    for open in [0o644, 0o620, 0o602, 0o700] {
        fresh();
        chmod(&path, open);
        refused(
            spec_file::read(&dir),
            Code::Permission,
            "must be 0600 or stricter",
        );
    }
    fs::rename(&path, dir.path().join("elsewhere")).unwrap();
    symlink("elsewhere", &path).unwrap();
    refused(spec_file::read(&dir), Code::Permission, "foo/spec");
    fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, Mode::from_bits_truncate(0o600)).unwrap();
    refused(
        spec_file::read(&dir),
        Code::Permission,
        "must be a regular file",
    );
}

#[test]
fn directories_of_others_open_ones_and_links_are_refused() {
    let svcdir = svcdir();
    let service = Dir::make_service(svcdir.path(), &foo())
        .unwrap()
        .path()
        .to_path_buf();
    let tree = svcdir.path().join("rc-sv");
    let both = |words: &str| {
        refused(
            Dir::open_service(svcdir.path(), &foo()),
            Code::Permission,
            words,
        );
        refused(
            Dir::make_service(svcdir.path(), &foo()),
            Code::Permission,
            words,
        );
    };
    chmod(&service, 0o750);
    both("has mode 0750; must be 0700 or stricter");
    chmod(&service, 0o700);
    chown(&service, Some(NOBODY), None).unwrap();
    both("belongs to user 65534");
    refused(
        Dir::remove_service(svcdir.path(), &foo()),
        Code::Permission,
        "belongs to user",
    );
    chown(&service, Some(0), None).unwrap();
    chmod(&tree, 0o777);
    both("has mode 0777; must be 0755 or stricter");
    chmod(&tree, 0o755);
    fs::rename(&service, tree.join("bar")).unwrap();
    symlink("bar", &service).unwrap();
    both("no link");
    fs::rename(&tree, svcdir.path().join("other")).unwrap();
    symlink("other", &tree).unwrap();
    both("no link");
    chmod(svcdir.path(), 0o777);
    both("has mode 0777; must be 0775 or stricter");
    chmod(svcdir.path(), 0o775);
    chown(svcdir.path(), None, Some(7)).unwrap();
    both("has mode 0775; must be 0755 or stricter");
}

#[test]
fn openrcs_own_directory_is_as_it_makes_it() {
    let svcdir = svcdir();
    chown(svcdir.path(), Some(0), Some(0)).unwrap();
    chmod(svcdir.path(), 0o775);
    Dir::make_service(svcdir.path(), &foo()).unwrap();
    assert!(Dir::open_service(svcdir.path(), &foo()).is_ok());
}

#[test]
fn a_file_of_one_length_is_written_in_place() {
    let svcdir = svcdir();
    let dir = Dir::make_service(svcdir.path(), &foo()).unwrap();
    let write = |name: &str, text: &str| dir.overwrite(name, 0o600, text.as_bytes());
    let path = dir.path().join("few");
    for text in ["one", "two"] {
        write("few", text).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    symlink("few", dir.path().join("link")).unwrap();
    assert!(write("link", "x").is_err());
    chmod(&path, 0o666);
    refused(write("few", "x"), Code::Permission, "has mode 0666");
    assert_eq!(fs::read_to_string(&path).unwrap(), "two");
}
