//! Modules that must not be used, each with its own line.

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{chown, symlink, PermissionsExt};
use support::Place;

#[test]
fn a_good_module_is_opened() {
    let place = Place::new();
    place.build("sample", &[]);
    let mut module = place.open("sample").unwrap();
    assert_eq!(
        (module.name(), module.version(), module.abi()),
        ("sample", "1.2.3", "1.0".into())
    );
    assert_eq!(module.description(), "a module for tests");
    assert_eq!(
        module.caps().names().collect::<Vec<_>>(),
        ["owns-process", "signal"]
    );
    assert_eq!(
        module.probe().unwrap().names().collect::<Vec<_>>(),
        ["signal"]
    );
}

#[test]
fn names_that_are_none_never_reach_the_file_system() {
    let place = Place::new();
    for name in ["../../tmp/evil", "", "a.b", "a/b", "s6\n"] {
        let rule = "must be 1 to 32 letters, digits, dashes and underscores";
        assert_eq!(place.refusal(name), format!("module name {name:?}: {rule}"));
    }
}

#[test]
fn unknown_modules_are_told_with_those_that_exist() {
    let place = Place::new();
    assert_eq!(
        place.refusal("s7"),
        place.plain(&format!(
            "unknown module; there is none at all in {}",
            place.modules().display()
        ))
    );
    place.build("s6", &[]);
    fs::write(place.module("broken"), "x").unwrap();
    fs::write(place.modules().join("README"), "x").unwrap();
    assert_eq!(
        place.refusal("s7"),
        "unknown module; there are broken, s6 in modules"
    );
}

#[test]
fn what_others_can_write_is_refused() {
    let place = Place::new();
    let file = place.build("sample", &[]);
    let advice = "use chmod go-w";
    fs::set_permissions(&file, Permissions::from_mode(0o775)).unwrap();
    assert_eq!(
        place.refusal("sample"),
        format!("modules/librc_sv_sample.so: can be written by others (mode 0775); {advice}")
    );
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(place.modules(), Permissions::from_mode(0o777)).unwrap();
    let expected = format!("modules: can be written by others (mode 0777); {advice}");
    assert_eq!(place.refusal("sample"), expected);
    let (listed, errors) = place.loader().list();
    assert!(listed.is_empty());
    assert_eq!(place.plain(&errors[0].message), expected);
}

#[test]
fn what_belongs_to_somebody_else_is_refused() {
    let place = Place::new();
    let file = place.build("sample", &[]);
    chown(&file, Some(12345), None).expect("this test gives files away and must be run by root");
    let rest = "is owned by user 12345; it must belong to root";
    assert_eq!(
        place.refusal("sample"),
        format!("modules/librc_sv_sample.so: {rest}")
    );
    chown(&file, Some(0), None).unwrap();
    chown(place.modules(), Some(12345), None).unwrap();
    assert_eq!(place.refusal("sample"), format!("modules: {rest}"));
}

#[test]
fn links_stay_within_their_directory() {
    let place = Place::new();
    let file = place.build("sample", &[]);
    let outside = place.0.join("outside.so");
    fs::rename(&file, &outside).unwrap();
    for target in ["../outside.so", outside.to_str().unwrap()] {
        symlink(target, &file).unwrap();
        let expected =
            "modules/librc_sv_sample.so: leads out of its directory; put the file itself there";
        assert_eq!(place.refusal("sample"), expected, "{target}");
        fs::remove_file(&file).unwrap();
    }
    fs::rename(&outside, place.modules().join("sample.so.1")).unwrap();
    symlink("sample.so.1", &file).unwrap();
    assert!(place.open("sample").is_ok(), "within the directory");
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let place = Place::new();
    fs::create_dir(place.module("directory")).unwrap();
    assert_eq!(
        place.refusal("directory"),
        "modules/librc_sv_directory.so: is no regular file"
    );
    nix::unistd::mkfifo(&place.module("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(
        place.refusal("fifo"),
        "modules/librc_sv_fifo.so: is no regular file"
    );
}

#[test]
fn files_that_are_no_whole_modules_are_refused() {
    let place = Place::new();
    let good = fs::read(place.build("sample", &[])).unwrap();
    let mut arm = good.clone();
    (arm[4], arm[18]) = (1, 40);
    let no_elf = "is no ELF file";
    let damaged = "is truncated or damaged";
    let cases: [(&[u8], String); 6] = [
        (b"#!/bin/sh\nexec evil\n", no_elf.into()),
        (b"", no_elf.into()),
        (&good[..20], damaged.into()),
        (&good[..good.len() / 2], damaged.into()),
        (&good[..good.len() - 1], damaged.into()),
        (
            &arm,
            format!(
                "is built for arm (32 bits), not for {}",
                std::env::consts::ARCH
            ),
        ),
    ];
    for (bytes, expected) in cases {
        fs::write(place.module("x"), bytes).unwrap();
        fs::set_permissions(place.module("x"), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(
            place.refusal("x"),
            format!("modules/librc_sv_x.so: {expected}")
        );
    }
}

#[test]
fn modules_that_do_not_fit_are_refused() {
    let unterminated = format!("-DTABLE_NAME=\"{}\"", "n".repeat(4000));
    let cases: [(&[&str], &str); 17] = [
        (
            &["-DTABLE_SIZE=80"],
            "its table has 80 bytes; at least 104 are due",
        ),
        (
            &["-DSTATUS_SIZE=512"],
            "its rc_sv_status has 512 bytes; ABI 1 has 256",
        ),
        (&[&unterminated], "its name is longer than 32 bytes"),
        (&["-DVERSION=NULL"], "its version is NULL"),
        (
            &["-DVERSION=\"1\\n2\""],
            "its version is not one line of UTF-8",
        ),
        (
            &["-DTABLE_LAYOUT=1"],
            "its layout is 0x0000000000000001; ABI 1.0 has 0x1100163e50e4f2fd",
        ),
        (
            &["-DNO_NOTE"],
            "has no note .note.rc_sv: it is no module of rc-sv",
        ),
        (
            &["-DNOTE_NAME=\"other\""],
            "its note is that of \"other\", not of \"x\"",
        ),
        (&["-DNOTE_NAME=\"a/b\""], "the note names \"a/b\""),
        (&["-DNOTE_ABI=0x20003u"], "has ABI 2.3; this host needs 1.x"),
        (&["-DNO_ENTRY"], "exports no rc_sv_backend_entry_v1"),
        (
            &["-DNO_TABLE"],
            "its entry returned no table: it does not support this host's ABI",
        ),
        (
            &["-DMAGIC=0x12345678"],
            "its table starts with 0x12345678, not 0x56534352",
        ),
        (
            &["-DTABLE_ABI=0x20000u"],
            "it has ABI 2.0; this host needs 1.x",
        ),
        (
            &["-DTABLE_NAME=\"y\""],
            "its table is that of \"y\", not of \"x\"",
        ),
        (&["-DSTOP=NULL"], "its mandatory slot stop is NULL"),
        (
            &["-DTABLE_CAPS=1"],
            "its note says ABI 1.0 and capabilities 0x101, its table ABI 1.0 and capabilities 0x1",
        ),
    ];
    let messages: std::collections::BTreeSet<_> = cases.iter().map(|case| case.1).collect();
    assert_eq!(messages.len(), cases.len(), "each has its own");
    for (options, expected) in cases {
        let place = Place::new();
        place.build("x", options);
        assert_eq!(
            place.refusal("x"),
            format!("modules/librc_sv_x.so: {expected}")
        );
    }
}

#[test]
fn a_module_that_cannot_be_linked_is_refused_with_the_reason() {
    let place = Place::new();
    let stub = place.0.join("libgone.so");
    place.build("gone", &[]);
    fs::rename(place.module("gone"), &stub).unwrap();
    let needs = format!("-Wl,--no-as-needed,{}", stub.display());
    place.build("x", &[&needs]);
    fs::remove_file(&stub).unwrap();
    let refusal = place.refusal("x");
    let begin =
        "modules/librc_sv_x.so: cannot be loaded: libgone.so: cannot open shared object file";
    assert!(refusal.starts_with(begin), "{refusal}");
    assert!(!refusal.contains("/proc/self/fd"), "{refusal}");
}

#[test]
fn a_module_that_cannot_be_opened_says_why() {
    let place = Place::new();
    place.build("sample", &[]);
    fs::write(
        place.0.join("etc/rc-sv.toml"),
        "[modules.sample]\nrefuse = \"not today\"\n",
    )
    .unwrap();
    fs::set_permissions(
        place.0.join("etc/rc-sv.toml"),
        Permissions::from_mode(0o644),
    )
    .unwrap();
    assert_eq!(place.refusal("sample"), "not today");
    place.build("hollow", &["-DNO_INSTANCE"]);
    assert_eq!(
        place.refusal("hollow"),
        "open succeeded without an instance"
    );
}

#[test]
fn the_list_shows_what_is_refused_and_runs_nothing() {
    let place = Place::new();
    place.build("good", &[]);
    place.build("liar", &["-DNOTE_NAME=\"other\""]);
    // What is wrong beyond the note only shows when the module is loaded.
    place.build("nocode", &["-DNO_ENTRY"]);
    let (listed, errors) = place.loader().list();
    let names: Vec<_> = listed
        .iter()
        .map(|it| (it.name.as_str(), it.identity.is_ok()))
        .collect();
    assert_eq!(names, [("good", true), ("liar", false), ("nocode", true)]);
    assert!(errors.is_empty());
}

#[test]
fn the_first_directory_wins_and_hides_the_others() {
    use rc_sv_loader::config::{Config, Variables};
    use rc_sv_loader::search::Directories;
    let (first, second) = (Place::new(), Place::new());
    first.build("a", &[]);
    second.build("a", &[]);
    second.build("b", &[]);
    let directories = Directories::only(vec![first.modules(), second.modules()]);
    struct Silent;
    impl rc_sv_loader::Listener for Silent {
        fn log(&self, _: &str, _: i32, _: &str) {}
    }
    let config = Config::new(first.0.join("etc"), Variables::default());
    let loader = rc_sv_loader::Loader::new(directories, config, std::rc::Rc::new(Silent));
    assert_eq!(loader.open("a").unwrap().path(), first.module("a"));
    assert_eq!(loader.open("b").unwrap().path(), second.module("b"));
    let (listed, _) = loader.list();
    let hidden = listed[1].identity.as_ref().unwrap_err();
    assert_eq!(
        hidden.message,
        format!("is hidden by {}", first.module("a").display())
    );
}
