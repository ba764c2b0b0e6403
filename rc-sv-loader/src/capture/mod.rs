//! What a supervisor that already runs cannot inherit: the surroundings of the runscript.
//!
//! They are taken once, at start, and become a part of the spec, so that each respawn has the very
//! same ones: arguments, environment, limits, priorities, mask and cgroups.

mod cgroup;
mod environment;
mod program;

use crate::config::Variables;
use crate::{limits, sys};
use environment::Account;
use rc_sv_api::{Error, Result, ServiceName, Spec, Value};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// Adds to `spec`, which has what the administrator set, the surroundings of this process.
/// `argv` is the daemon's; it may be empty where the suite knows what to run.
///
/// # Errors
/// A variable of OpenRC does not fit, the program cannot be found, or `/proc` cannot be read.
pub fn capture(
    spec: &mut Spec,
    service: &ServiceName,
    argv: Vec<Vec<u8>>,
    variables: &Variables,
) -> Result<()> {
    identify(spec, service, variables)?;
    take_argv(spec, argv, variables)?;
    spec.put("environment", Value::List(environment(variables)));
    spec.put(
        "rlimits",
        Value::List(limits::of_service().iter().map(limit).collect()),
    );
    take_priorities(spec, variables)?;
    if !spec.has("umask") {
        spec.put("umask", Value::Int(umask()?));
    }
    take_cgroups(spec, service)
}

/// Adds to `spec` which service of which OpenRC it is; that is all that a call after the start needs.
///
/// # Errors
/// `RC_SVCDIR` does not fit.
pub fn identify(spec: &mut Spec, service: &ServiceName, variables: &Variables) -> Result<()> {
    spec.put("service", Value::Text(service.as_str().into()));
    spec.put(
        "svcdir",
        Value::Text(variables.svcdir()?.into_os_string().into_vec()),
    );
    if let Some(path) = variables.runscript(service.as_str()) {
        spec.put("runscript", Value::Text(path.to_vec()));
    }
    Ok(())
}

/// The environment of this process as the daemon shall have it, as NAME=value.
pub fn environment(variables: &Variables) -> Vec<Vec<u8>> {
    environment::cleaned(variables, || {
        let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok()??;
        Some(Account {
            name: user.name.into_bytes(),
            home: user.dir.into_os_string().into_vec(),
        })
    })
}

fn take_argv(spec: &mut Spec, mut argv: Vec<Vec<u8>>, variables: &Variables) -> Result<()> {
    let Some(first) = argv.first_mut() else {
        return Ok(());
    };
    let chroot = rc_sv_api::Settings::text(spec, "chroot").map(<[u8]>::to_vec);
    *first = program::absolute(first, variables, chroot.as_deref())?;
    spec.put("argv", Value::List(argv));
    Ok(())
}

/// A limit as NUMBER=SOFT:HARD.
fn limit(limit: &sys::Limit) -> Vec<u8> {
    let text = |value: Option<u64>| value.map_or("-1".to_string(), |value| value.to_string());
    format!("{}={}:{}", limit.number, text(limit.soft), text(limit.hard)).into_bytes()
}

/// Own settings go before the variables that OpenRC reads (`SSD_*`), and those before what the
/// runscript itself has.
fn take_priorities(spec: &mut Spec, variables: &Variables) -> Result<()> {
    let nice = variables.number("SSD_NICELEVEL", -20, 19)?;
    if !spec.has("rc_supervise_nice") {
        spec.put(
            "rc_supervise_nice",
            Value::Int(nice.unwrap_or(sys::nice().into())),
        );
    }
    let oom = variables.number("SSD_OOM_SCORE_ADJ", -1000, 1000)?;
    if !spec.has("rc_supervise_oom_score_adj") {
        let oom = oom.map_or_else(oom_score_adj, Ok)?;
        spec.put("rc_supervise_oom_score_adj", Value::Int(oom));
    }
    let io = variables
        .get("SSD_IONICELEVEL")
        .filter(|text| !text.is_empty());
    let io = io.map(io_priority).transpose()?;
    if !spec.has("rc_supervise_ionice") {
        let own = || sys::io_priority().map(|(class, level)| format!("{class}:{level}"));
        if let Some(text) = io.or_else(own) {
            spec.put("rc_supervise_ionice", Value::Text(text.into_bytes()));
        }
    }
    Ok(())
}

/// Checks the value of `SSD_IONICELEVEL`.
fn io_priority(raw: &[u8]) -> Result<String> {
    let text = String::from_utf8_lossy(raw);
    let (class, level) = text.split_once(':').unwrap_or((&text, "0"));
    let fits = |word: &str, max| word.parse::<u8>().is_ok_and(|number| number <= max);
    if fits(class, 3) && fits(level, 7) {
        return Ok(text.into_owned());
    }
    let wanted = "must be CLASS or CLASS:LEVEL, with classes 0 to 3 and levels 0 to 7";
    Err(Error::invalid(format!(
        "SSD_IONICELEVEL={text:?}: {wanted}"
    )))
}

fn oom_score_adj() -> Result<i64> {
    let path = Path::new("/proc/self/oom_score_adj");
    let text = String::from_utf8_lossy(&read(path)?).trim().to_string();
    text.parse()
        .map_err(|_| Error::invalid(format!("{}: holds {text:?}", path.display())))
}

/// The file mode mask of this process. umask(2) tells it only to who sets it, and other threads of a
/// host write files meanwhile.
fn umask() -> Result<i64> {
    let path = Path::new("/proc/thread-self/status");
    let text = read(path)?;
    let text = String::from_utf8_lossy(&text);
    let mask = text.lines().find_map(|line| line.strip_prefix("Umask:"));
    let mask = mask.and_then(|mask| i64::from_str_radix(mask.trim(), 8).ok());
    mask.ok_or_else(|| Error::invalid(format!("{}: has no Umask", path.display())))
}

fn take_cgroups(spec: &mut Spec, service: &ServiceName) -> Result<()> {
    let proc_cgroup = read(Path::new("/proc/self/cgroup"))?;
    let memberships = cgroup::memberships(&proc_cgroup, service.as_str());
    if memberships.is_empty() {
        return Ok(());
    }
    let cgroups = cgroup::locate(&memberships, &read(Path::new("/proc/self/mountinfo"))?);
    if let Some(path) = cgroups.unified {
        spec.put("cgroup", Value::Text(path));
    }
    if !cgroups.legacy.is_empty() {
        spec.put("cgroups_v1", Value::List(cgroups.legacy));
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::io(path.display(), &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::{key, Settings};

    fn captured(settings: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Spec> {
        let mut spec = Spec::default();
        for (name, value) in settings {
            spec.set(name, value.as_bytes(), "test").unwrap();
        }
        let service = ServiceName::new(b"foo").unwrap();
        let variables = Variables::new(variables.iter().copied());
        capture(
            &mut spec,
            &service,
            vec![b"/bin/foo".to_vec(), b"-d".to_vec()],
            &variables,
        )?;
        Ok(spec)
    }

    #[test]
    fn everything_that_is_captured_is_in_the_registry() {
        let spec = captured(
            &[],
            &[("RC_SVCNAME", "foo"), ("RC_SERVICE", "/etc/init.d/foo")],
        );
        let spec = spec.unwrap();
        for (name, value) in spec.iter() {
            let key = key::find(name).unwrap_or_else(|| panic!("{name} is not in the registry"));
            let fits = match value {
                Value::List(_) => key.kind == key::Kind::List,
                Value::Int(_) => !matches!(key.kind, key::Kind::Text | key::Kind::List),
                Value::Text(_) => key.kind == key::Kind::Text,
            };
            assert!(fits, "{name} = {value:?}");
        }
        assert_eq!(spec.text("service"), Some(&b"foo"[..]));
        assert_eq!(spec.text("svcdir"), Some(&b"/run/openrc"[..]));
        assert_eq!(spec.text("runscript"), Some(&b"/etc/init.d/foo"[..]));
        assert_eq!(spec.list("argv").unwrap(), [&b"/bin/foo"[..], b"-d"]);
        assert_eq!(spec.list("rlimits").unwrap().len(), 16);
        for name in [
            "environment",
            "umask",
            "rc_supervise_nice",
            "rc_supervise_oom_score_adj",
        ] {
            assert!(spec.has(name), "{name}");
        }
    }

    #[test]
    fn own_settings_go_before_ssd_variables_and_those_before_what_is_inherited() {
        let ssd = [
            ("SSD_NICELEVEL", "7"),
            ("SSD_IONICELEVEL", "2:3"),
            ("SSD_OOM_SCORE_ADJ", "100"),
        ];
        let spec = captured(&[], &ssd).unwrap();
        assert_eq!(spec.int("rc_supervise_nice"), Some(7));
        assert_eq!(spec.text("rc_supervise_ionice"), Some(&b"2:3"[..]));
        assert_eq!(spec.int("rc_supervise_oom_score_adj"), Some(100));
        let own = [
            ("rc_supervise_nice", "1"),
            ("rc_supervise_ionice", "3"),
            ("rc_supervise_oom_score_adj", "-1"),
            ("umask", "077"),
        ];
        let spec = captured(&own, &ssd).unwrap();
        assert_eq!(spec.int("rc_supervise_nice"), Some(1));
        assert_eq!(spec.text("rc_supervise_ionice"), Some(&b"3"[..]));
        assert_eq!(spec.int("rc_supervise_oom_score_adj"), Some(-1));
        assert_eq!(spec.int("umask"), Some(0o77));
    }

    #[test]
    fn the_mask_is_read_and_never_changed() {
        let before = umask().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|_| assert_eq!(umask().unwrap(), before)));
            }
        });
    }

    #[test]
    fn bad_ssd_variables_are_named() {
        let message = |name, value| captured(&[], &[(name, value)]).unwrap_err().message;
        assert_eq!(
            message("SSD_NICELEVEL", "20"),
            "SSD_NICELEVEL=\"20\": must be a whole number from -20 to 19"
        );
        assert_eq!(
            message("SSD_IONICELEVEL", "4:1"),
            "SSD_IONICELEVEL=\"4:1\": must be CLASS or CLASS:LEVEL, with classes 0 to 3 and levels 0 to 7"
        );
    }

    #[test]
    fn limits_have_the_form_of_the_registry() {
        let text = |soft, hard| {
            limit(&sys::Limit {
                number: 7,
                soft,
                hard,
            })
        };
        assert_eq!(text(Some(1024), None), b"7=1024:-1");
        assert_eq!(
            text(Some(0), Some(u64::MAX - 1)),
            b"7=0:18446744073709551614"
        );
    }
}
