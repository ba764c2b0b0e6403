//! Tests of the service directories.

use super::*;
use crate::suite::S6;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

fn scene() -> (tempfile::TempDir, Tree, ServiceName) {
    let temporary = tempfile::tempdir().unwrap();
    let svcdir = temporary.path().join("svcdir");
    fs::DirBuilder::new().mode(0o755).create(&svcdir).unwrap();
    assert!(Tree::open(&svcdir, &S6).unwrap().is_none());
    let tree = Tree::make(&svcdir, &S6).unwrap();
    assert!(Tree::open(&svcdir, &S6).unwrap().is_some());
    (temporary, tree, ServiceName::new(b"foo").unwrap())
}

#[test]
fn a_directory_is_there_as_a_whole() {
    let (_temporary, tree, foo) = scene();
    let mut files = Files::default();
    files.link("run", Path::new("/bin/true"));
    files.text("rc-sv", "/run/x");
    tree.build(&foo, &files).unwrap();
    let path = tree.path(&foo);
    assert_eq!(
        fs::read_link(path.join("run")).unwrap(),
        Path::new("/bin/true")
    );
    assert_eq!(fs::read(path.join("rc-sv")).unwrap(), b"/run/x");
    assert_eq!(tree.services().unwrap(), std::slice::from_ref(&foo));
    // What an earlier one has left is gone.
    fs::create_dir(path.join("supervise")).unwrap();
    tree.build(&foo, &files).unwrap();
    assert!(!path.join("supervise").exists());
    assert_eq!(
        fs::metadata(path.parent().unwrap())
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    tree.remove(&foo).unwrap();
    assert!(!tree.has(&foo));
    tree.remove(&foo).unwrap();
}

#[test]
fn a_build_that_fails_leaves_nothing() {
    let (_temporary, tree, foo) = scene();
    let mut files = Files::default();
    files.text("no/such/place", "");
    assert!(tree.build(&foo, &files).is_err());
    assert_eq!(
        fs::read_dir(tree.path(&foo).parent().unwrap())
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn a_directory_written_by_hand_is_never_touched() {
    let (temporary, tree, foo) = scene();
    let native = temporary.path().join("native");
    fs::create_dir(&native).unwrap();
    fs::write(native.join("run"), "x").unwrap();
    tree.link(&foo, &native).unwrap();
    assert_eq!(fs::read(tree.path(&foo).join("run")).unwrap(), b"x");
    tree.link(&foo, &native).unwrap();
    tree.remove(&foo).unwrap();
    assert!(!tree.has(&foo));
    assert_eq!(fs::read(native.join("run")).unwrap(), b"x");
}
