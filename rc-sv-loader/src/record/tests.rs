use super::*;
use std::fs::{self, Permissions};
use std::os::unix::fs::{symlink, MetadataExt, PermissionsExt};

/// A state directory; removed at the end.
struct State(PathBuf);

impl State {
    fn new() -> State {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rc-sv-rec-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        State(path)
    }

    fn records(&self) -> Records {
        Records::new(&self.0)
    }

    fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.0.join(path)).unwrap().mode() & 0o7777
    }

    /// What the records complain about, with this directory as /run.
    fn complaint(&self) -> String {
        let message = self.records().read(&foo()).unwrap_err().message;
        message.replace(self.0.to_str().unwrap(), "/run")
    }
}

impl Drop for State {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn foo() -> ServiceName {
    ServiceName::new(b"foo").unwrap()
}

#[test]
fn what_is_written_is_read_and_goes() {
    let state = State::new();
    let records = state.records();
    assert_eq!(records.read(&foo()), Ok(None));
    assert_eq!(records.all(), Ok(Vec::new()));
    records.write(&foo(), "s6").unwrap();
    records.write(&foo(), "internal").unwrap();
    assert_eq!(records.read(&foo()), Ok(Some("internal".into())));
    assert_eq!(
        (state.mode("rc-sv"), state.mode("rc-sv/foo")),
        (0o755, 0o700)
    );
    assert_eq!(state.mode("rc-sv/foo/module"), 0o600);
    assert_eq!(state.mode("rc-sv/.modules"), 0o755);
    let link = fs::read_link(state.0.join("rc-sv/.modules/foo"));
    assert_eq!(link.unwrap(), Path::new("internal"));
    let public = || fs::read_dir(state.0.join("rc-sv/.modules")).unwrap();
    assert_eq!(public().count(), 1, "nothing aside");
    assert_eq!(
        fs::read(state.0.join("rc-sv/foo/module")).unwrap(),
        b"internal\n"
    );
    assert_eq!(
        fs::read_dir(state.0.join("rc-sv/foo")).unwrap().count(),
        1,
        "nothing aside"
    );
    records.remove(&foo()).unwrap();
    assert_eq!(records.read(&foo()), Ok(None));
    assert!(!state.0.join("rc-sv/foo").exists());
    assert_eq!(public().count(), 0);
    records.remove(&foo()).unwrap();
}

#[test]
fn a_write_that_fails_leaves_nothing() {
    let state = State::new();
    fs::create_dir_all(state.0.join("rc-sv/foo/module")).unwrap();
    for path in ["rc-sv", "rc-sv/foo"] {
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(state.0.join(path), mode).unwrap();
    }
    assert!(state.records().write(&foo(), "s6").is_err());
    let left = fs::read_dir(state.0.join("rc-sv/foo")).unwrap().count();
    assert_eq!(left, 1, "only what was there before");
}

#[test]
fn what_the_module_keeps_stays() {
    let state = State::new();
    state.records().write(&foo(), "s6").unwrap();
    fs::write(state.0.join("rc-sv/foo/spec"), "x").unwrap();
    state.records().remove(&foo()).unwrap();
    assert!(state.0.join("rc-sv/foo/spec").exists());
    assert_eq!(state.records().read(&foo()), Ok(None));
}

#[test]
fn all_records_are_listed_by_name() {
    let state = State::new();
    for (service, module) in [("b", "s6"), ("a", "internal"), ("c", "s6")] {
        state
            .records()
            .write(&ServiceName::new(service.as_bytes()).unwrap(), module)
            .unwrap();
    }
    fs::create_dir(state.0.join("rc-sv/.internal")).unwrap();
    fs::create_dir(state.0.join("rc-sv/unrecorded")).unwrap();
    let public = state.0.join("rc-sv/.modules");
    fs::remove_file(public.join("c")).unwrap();
    symlink("../evil", public.join("c")).unwrap();
    fs::write(public.join("d"), "s6").unwrap();
    symlink("s6", public.join(".hidden")).unwrap();
    let all = state.records().all().unwrap();
    let text = |module: &Result<String>| match module {
        Ok(name) => name.clone(),
        Err(error) => error.message.replace(state.0.to_str().unwrap(), "/run"),
    };
    let all: Vec<_> = all
        .iter()
        .map(|(name, module)| (name.as_str(), text(module)))
        .collect();
    assert_eq!(
        all,
        [
            ("a", "internal".into()),
            ("b", "s6".into()),
            (
                "c",
                "/run/rc-sv/.modules/c: holds no module's name".to_string()
            ),
            (
                "d",
                "/run/rc-sv/.modules/d: holds no module's name".to_string()
            )
        ]
    );
}

#[test]
fn links_are_not_followed() {
    let state = State::new();
    fs::create_dir(state.0.join("elsewhere")).unwrap();
    symlink("elsewhere", state.0.join("rc-sv")).unwrap();
    let no_link = "must be a directory or file, no link";
    assert_eq!(state.complaint(), format!("/run/rc-sv: {no_link}"));
    assert!(state.records().write(&foo(), "s6").is_err());
    fs::remove_file(state.0.join("rc-sv")).unwrap();
    fs::create_dir(state.0.join("rc-sv")).unwrap();
    symlink("../elsewhere", state.0.join("rc-sv/foo")).unwrap();
    assert_eq!(state.complaint(), format!("/run/rc-sv/foo: {no_link}"));
    fs::remove_file(state.0.join("rc-sv/foo")).unwrap();
    fs::create_dir(state.0.join("rc-sv/foo")).unwrap();
    symlink("/etc/hostname", state.0.join("rc-sv/foo/module")).unwrap();
    assert_eq!(
        state.complaint(),
        format!("/run/rc-sv/foo/module: {no_link}")
    );
}

#[test]
fn what_others_can_write_is_not_believed() {
    for path in ["", "rc-sv", "rc-sv/foo", "rc-sv/foo/module"] {
        let state = State::new();
        state.records().write(&foo(), "s6").unwrap();
        fs::set_permissions(state.0.join(path), Permissions::from_mode(0o777)).unwrap();
        let at = format!("/run/{path}");
        let expected = format!(
            "{}: can be written by others (mode 0777); use chmod go-w",
            at.trim_end_matches('/')
        );
        assert_eq!(state.complaint(), expected);
    }
}

#[test]
fn openrcs_own_directory_is_as_it_makes_it() {
    let state = State::new();
    let mode = |mode| fs::set_permissions(&state.0, Permissions::from_mode(mode)).unwrap();
    mode(0o775);
    std::os::unix::fs::chown(&state.0, Some(0), Some(0)).unwrap();
    state.records().write(&foo(), "s6").unwrap();
    std::os::unix::fs::chown(&state.0, None, Some(7)).unwrap();
    assert!(state
        .complaint()
        .contains("can be written by others (mode 0775)"));
}

#[test]
fn without_a_state_directory_nothing_is_recorded() {
    let records = Records::new("/nonexistent/openrc");
    assert_eq!(records.read(&foo()), Ok(None));
    let message = records.write(&foo(), "s6").unwrap_err().message;
    assert_eq!(message, "/nonexistent/openrc: No such file or directory");
}

#[test]
fn a_module_that_only_watches_is_recorded_as_such() {
    let state = State::new();
    let records = state.records();
    assert_eq!(records.is_attached(&foo()), Ok(false));
    records.write_attached(&foo(), "monit").unwrap();
    assert_eq!(records.read(&foo()), Ok(Some("monit".into())));
    assert_eq!(records.is_attached(&foo()), Ok(true));
    records.write(&foo(), "monit").unwrap();
    assert_eq!(records.is_attached(&foo()), Ok(false));
    fs::write(state.0.join("rc-sv/foo/module"), "monit sometimes\n").unwrap();
    let complaint = state.complaint();
    assert_eq!(complaint, "/run/rc-sv/foo/module: holds no module's name");
}
