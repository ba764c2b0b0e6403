//! A value for each setting, for the tests of modules that ask what becomes of it.

use rc_sv_api::key::{Key, Kind};
use rc_sv_api::{ServiceName, Spec, Value};

/// A service that runs /bin/true as root.
pub fn spec() -> Spec {
    let mut spec = Spec::of_service(&ServiceName::new(b"foo").unwrap());
    spec.put("argv", Value::List(vec![b"/bin/true".to_vec()]));
    spec.put("environment", Value::List(vec![b"PATH=/bin".to_vec()]));
    spec.put("runscript", Value::Text(b"/etc/init.d/foo".to_vec()));
    spec
}

/// One in which a setting has something to act upon.
pub fn spec_for(key: &Key) -> Spec {
    let mut spec = spec();
    let needed = match key.name {
        "healthcheck_delay" => Some(("healthcheck_timer", "5")),
        "rc_supervise_watchdog" => Some(("notify", "socket:ready")),
        name if name.starts_with("rc_supervise_log_") => {
            Some(("rc_supervise_syslog", "daemon.info"))
        }
        // With unhealthy() of the runscript, which an action can be.
        "rc_supervise_health_action" => Some(("rc_supervise_health", "hook")),
        name if name.starts_with("rc_supervise_health_") => Some(("rc_supervise_health", "tcp:80")),
        _ => None,
    };
    if let Some((name, value)) = needed {
        spec.set(name, value.as_bytes(), "test").unwrap();
    }
    spec
}

/// The same, and the setting has another value than its default.
pub fn spec_with(key: &Key) -> Spec {
    let mut spec = spec_for(key);
    spec.set(key.name, value(key).as_bytes(), "test").unwrap();
    spec
}

fn value(key: &Key) -> &'static str {
    match key.name {
        "chroot" => "/",
        "directory" => "/usr",
        "capabilities" => "!cap_chown",
        "secbits" => "noroot",
        "command_user" => "nobody",
        "rc_supervise_operators" => "daemon",
        "rc_supervise_ionice" => "2:7",
        "notify" | "ready" => "fd:3",
        "rc_supervise_ready" | "rc_supervise_health" => "tcp:80",
        "rc_supervise_syslog" => "daemon.info",
        "rc_supervise_log_buffer" => "32K",
        "supervise_daemon_args" | "start_stop_daemon_args" => "--umask 0123",
        _ => match key.kind {
            Kind::Flag => ["yes", "no"][usize::from(key.default == "yes")],
            Kind::Choice(words) if key.default == words[0] => words[words.len() - 1],
            Kind::Choice(words) => words[0],
            Kind::Path | Kind::Command => "/bin/true",
            Kind::Text => "word",
            Kind::Signal => "QUIT",
            Kind::Ladder => "INT/3/KILL/1",
            Kind::Exits => "77",
            Kind::Umask => "0123",
            _ => "7",
        },
    }
}
