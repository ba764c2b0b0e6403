use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A directory with configuration files; removed at the end.
struct Etc(PathBuf);

impl Etc {
    fn new(files: &[(&str, &str)]) -> Etc {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("rc-sv-etc-{}-{number}", std::process::id()));
        fs::create_dir_all(root.join("rc-sv.d")).unwrap();
        for (name, text) in files {
            fs::write(root.join(name), text).unwrap();
            fs::set_permissions(root.join(name), fs::Permissions::from_mode(0o644)).unwrap();
        }
        Etc(root)
    }

    fn config(&self, variables: &[(&str, &str)]) -> Config {
        Config::new(&self.0, Variables::new(variables.iter().copied()))
    }

    fn service(&self, variables: &[(&str, &str)]) -> Result<Spec> {
        self.config(variables)
            .service(&ServiceName::new(b"foo").unwrap())
    }

    /// The complaint, with this directory as /etc.
    fn complaint(&self, variables: &[(&str, &str)]) -> String {
        let message = self.service(variables).unwrap_err().message;
        message.replace(self.0.to_str().unwrap(), "/etc")
    }
}

impl Drop for Etc {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn a_users_files_beat_those_for_all_users_and_nothing_else_is_read() {
    let etc = Etc::new(&[
        ("rc-sv.toml", "[defaults]\nrespawn_max = 9\n"),
        ("rc-sv.d/foo.toml", "respawn_max = 9\n"),
    ]);
    let put = |path: &str, text: &str| {
        let path = etc.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    put(
        "user/rc-sv.toml",
        "[defaults]\nrespawn_max = 1\nrespawn_delay = 1\nrespawn_period = 1\n\
         [modules.one]\nname = \"all\"\nway = \"all\"\n",
    );
    put("user/rc-sv.d/foo.toml", "respawn_max = 2\n");
    put(
        "home/.config/rc/rc-sv.toml",
        "[defaults]\nrespawn_max = 3\nrespawn_delay = 3\n[modules.one]\nname = \"own\"\n",
    );
    put("other/rc/rc-sv.d/foo.toml", "respawn_max = 4\n");
    let home = etc.0.join("home").display().to_string();
    let other = etc.0.join("other").display().to_string();
    let login = [
        ("RC_SVCDIR", "/run/user/7/openrc"),
        ("XDG_RUNTIME_DIR", "/run/user/7"),
        ("HOME", home.as_str()),
    ];
    let number = |spec: &Spec, name| spec.settings().int_or_default(name);
    let spec = etc.service(&login).unwrap();
    assert_eq!(number(&spec, "respawn_max"), Some(2));
    assert_eq!(number(&spec, "respawn_delay"), Some(3000));
    assert_eq!(number(&spec, "respawn_period"), Some(1000));
    let module = etc.config(&login).module("one").unwrap();
    assert_eq!(module.settings().text("name"), Some(&b"own"[..]));
    assert_eq!(module.settings().text("way"), Some(&b"all"[..]));
    let elsewhere = [&login[..], &[("XDG_CONFIG_HOME", other.as_str())]].concat();
    let spec = etc.service(&elsewhere).unwrap();
    assert_eq!(number(&spec, "respawn_max"), Some(4));
    // Who has that login looks after the system's services all the same.
    let spec = etc.service(&login[1..]).unwrap();
    assert_eq!(number(&spec, "respawn_max"), Some(9));
}

#[test]
fn variables_beat_the_services_file_and_that_beats_the_defaults() {
    let etc = Etc::new(&[
        (
            "rc-sv.toml",
            "[defaults]\nrespawn_max = 1\nrespawn_delay = 1\nrespawn_period = 1\n",
        ),
        ("rc-sv.d/foo.toml", "respawn_max = 2\nrespawn_delay = 2\n"),
        ("rc-sv.d/bar.toml", "respawn_max = 9\n"),
    ]);
    let spec = etc
        .service(&[("RCSV_respawn_max", "3"), ("respawn_max", "9")])
        .unwrap();
    let settings = spec.settings();
    let number = |name| settings.int_or_default(name);
    assert_eq!(number("respawn_max"), Some(3));
    assert_eq!(number("respawn_delay"), Some(2000));
    assert_eq!(number("respawn_period"), Some(1000));
    assert_eq!(number("respawn_delay_cap"), Some(60_000), "the registry's");
    assert!(!spec.has("respawn_delay_cap"));
}

#[test]
fn an_empty_value_takes_back_what_a_lower_layer_set() {
    let etc = Etc::new(&[
        ("rc-sv.toml", "[defaults]\numask = \"027\"\nretry = \"5\"\n"),
        ("rc-sv.d/foo.toml", "umask = \"\"\n"),
    ]);
    let spec = etc.service(&[("RCSV_retry", "")]).unwrap();
    assert_eq!(spec, Spec::default());
}

#[test]
fn without_files_and_variables_nothing_is_set() {
    let etc = Etc::new(&[]);
    assert_eq!(etc.service(&[]).unwrap(), Spec::default());
    assert_eq!(etc.config(&[]).module("s6").unwrap(), Spec::default());
}

#[test]
fn values_are_written_as_toml_writes_them() {
    let etc = Etc::new(&[(
        "rc-sv.d/foo.toml",
        "stopgroup = true\nrespawn_delay = 1.5\nrc_supervise_delay_factor = 1.5\nstopsig = 2\n\
         rc_supervise_finish = [\"/bin/x\", \"a b\"]\nrc_supervise_on_give_up = \"/bin/y 'c d'\"\n\
         retry = 5\nrc_supervise_nice = -5\nrc_supervise_prevent_codes = 78\n",
    )]);
    let spec = etc.service(&[]).unwrap();
    let settings = spec.settings();
    assert!(settings.flag("stopgroup"));
    assert_eq!(settings.int("respawn_delay"), Some(1500));
    assert_eq!(settings.int("rc_supervise_delay_factor"), Some(1500));
    assert_eq!(settings.int("stopsig"), Some(2));
    assert_eq!(settings.int("rc_supervise_nice"), Some(-5));
    assert_eq!(settings.text("retry"), Some(&b"5"[..]));
    assert_eq!(
        settings.text("rc_supervise_prevent_codes"),
        Some(&b"78"[..])
    );
    assert_eq!(
        settings.list("rc_supervise_finish").unwrap(),
        [&b"/bin/x"[..], b"a b"]
    );
    assert_eq!(
        settings.list("rc_supervise_on_give_up").unwrap(),
        [&b"/bin/y"[..], b"c d"]
    );
}

#[test]
fn what_openrc_reads_itself_is_let_pass_but_not_handed_on() {
    let etc = Etc::new(&[]);
    let spec = etc
        .service(&[("RCSV_command", "/bin/x"), ("RCSV_rc_ulimit", "-n 9")])
        .unwrap();
    assert_eq!(spec, Spec::default());
}

#[test]
fn complaints_about_variables_name_them() {
    let etc = Etc::new(&[]);
    assert_eq!(
        etc.complaint(&[("RCSV_rc_supervise_finsh", "x")]),
        "conf.d/foo: unknown setting rc_supervise_finsh; did you mean rc_supervise_finish?"
    );
    assert_eq!(
        etc.complaint(&[("RCSV_stopsig", "FOO")]),
        "conf.d/foo: stopsig=\"FOO\": must be a signal such as TERM or 15"
    );
    assert_eq!(
        etc.complaint(&[("RCSV_argv", "x")]),
        "conf.d/foo: argv cannot be set here"
    );
}

#[test]
fn complaints_about_the_services_file_name_file_and_line() {
    let cases = [
        (
            "\nrespawn_dealy = 1",
            "2: unknown setting respawn_dealy; did you mean respawn_delay?",
        ),
        ("stopgroup = 1", "1: stopgroup: must be true or false"),
        (
            "umask = 22",
            "1: umask: must be an octal mask in quotes, such as \"022\"",
        ),
        (
            "rc_supervise_finish = 1",
            "1: rc_supervise_finish: must be a string or an array of strings",
        ),
        (
            "respawn_delay = true",
            "1: respawn_delay: must be a string or a number",
        ),
        ("directory = [\"/\"]", "1: directory: must be a string"),
        (
            "respawn_max = -1",
            "1: respawn_max=\"-1\": must be a whole number from 0 to 1000",
        ),
        (
            "command = \"/bin/x\"",
            "1: command is read by OpenRC: it belongs into conf.d/foo",
        ),
        ("argv = \"/bin/x\"", "1: argv cannot be set here"),
        (
            "\n\n[defaults]",
            "3: [defaults]: this file has no tables, only settings",
        ),
    ];
    for (text, expected) in cases {
        let etc = Etc::new(&[("rc-sv.d/foo.toml", text)]);
        assert_eq!(
            etc.complaint(&[]),
            format!("/etc/rc-sv.d/foo.toml:{expected}"),
            "{text}"
        );
    }
}

#[test]
fn complaints_about_the_global_file_name_file_and_line() {
    let cases = [
        (
            "respawn_max = 1",
            "1: respawn_max belongs below [defaults] or [modules.NAME]",
        ),
        (
            "[modules]\nscandir = \"/x\"",
            "2: scandir belongs below [modules.NAME]",
        ),
        (
            "[default]\n",
            "1: unknown table [default]; there are [defaults] and [modules.NAME]",
        ),
        (
            "[defaults.x]\n",
            "1: unknown table [defaults.x]; there are [defaults] and [modules.NAME]",
        ),
        (
            "[defaults]\n\nx = 1",
            "3: unknown setting x; see rc-sv(5) for the settings",
        ),
        (
            "[defaults]\nstopsig = 0",
            "2: stopsig=\"0\": must be a signal such as TERM or 15",
        ),
    ];
    for (text, expected) in cases {
        let etc = Etc::new(&[("rc-sv.toml", text)]);
        assert_eq!(
            etc.complaint(&[]),
            format!("/etc/rc-sv.toml:{expected}"),
            "{text}"
        );
    }
}

#[test]
fn a_module_gets_its_own_table() {
    let etc = Etc::new(&[(
        "rc-sv.toml",
        "[modules.s6]\nscandir = \"/run/s6\"\nwait = 5\nlog = true\nargs = [\"a\"]\n[modules.monit]\nx = 1\n",
    )]);
    let spec = etc.config(&[]).module("s6").unwrap();
    let settings = spec.settings();
    assert_eq!(settings.text("scandir"), Some(&b"/run/s6"[..]));
    assert_eq!(
        (settings.int("wait"), settings.int("log")),
        (Some(5), Some(1))
    );
    assert_eq!(settings.list("args").unwrap(), [b"a"]);
    assert_eq!(settings.keys().len(), 4);
    etc.service(&[]).unwrap();
}

#[test]
fn files_that_others_can_write_are_refused() {
    let etc = Etc::new(&[("rc-sv.toml", "")]);
    let path = etc.0.join("rc-sv.toml");
    for mode in [0o664, 0o646] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(
            etc.complaint(&[]),
            format!("/etc/rc-sv.toml: can be written by others (mode {mode:04o}); use chmod go-w")
        );
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(etc.complaint(&[]), "/etc/rc-sv.toml: is no regular file");
}

#[test]
fn files_that_are_no_text_are_refused() {
    let etc = Etc::new(&[("rc-sv.toml", "")]);
    fs::write(etc.0.join("rc-sv.toml"), b"x = \"\xff\"").unwrap();
    assert_eq!(etc.complaint(&[]), "/etc/rc-sv.toml: must be UTF-8");
    fs::write(etc.0.join("rc-sv.toml"), vec![b'#'; (1 << 20) + 1]).unwrap();
    assert_eq!(
        etc.complaint(&[]),
        "/etc/rc-sv.toml: is larger than 1048576 bytes"
    );
}
