use super::*;
use std::os::unix::fs::symlink;

#[test]
fn only_files_with_a_modules_name_are_listed() {
    assert_eq!(module_of("librc_sv_s6.so"), Some("s6"));
    for other in [
        "librc_sv.so",
        "librc_sv_.so",
        "librc_sv_a.b.so",
        "rc_sv_s6.so",
        "x",
    ] {
        assert_eq!(module_of(other), None, "{other}");
    }
}

#[test]
fn the_callers_directories_come_first_and_none_twice() {
    let Directories(all) = Directories::installed(vec!["/a".into(), LOCAL.into()]);
    assert_eq!(all[..2], [PathBuf::from("/a"), LOCAL.into()]);
    let unique: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(unique.len(), all.len());
}

#[test]
fn both_ways_of_opening_agree() {
    let root = std::env::temp_dir().join(format!("rc-sv-search-{}", std::process::id()));
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("real"), "x").unwrap();
    symlink("real", root.join("sibling")).unwrap();
    symlink("/etc/passwd", root.join("absolute")).unwrap();
    symlink("../../../../../../../../etc/passwd", root.join("upwards")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    let directory = open_directory(&root).unwrap().unwrap();
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    for (name, expected) in [
        ("real", None),
        ("sibling", None),
        ("absolute", Some(Errno::EXDEV)),
        ("upwards", Some(Errno::EXDEV)),
        ("loop", Some(Errno::ELOOP)),
        ("absent", Some(Errno::ENOENT)),
    ] {
        assert_eq!(
            open_beneath(&directory, name).err(),
            expected,
            "openat2 {name}"
        );
        let found = open_siblings(directory.as_fd(), name, flags).err();
        assert_eq!(found, expected, "openat {name}");
    }
    std::fs::remove_dir_all(&root).unwrap();
}
