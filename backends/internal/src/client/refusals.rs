//! What is done. What this version does not do yet is refused, not ignored.

use rc_sv_api::key::{self, Group, Key, Role};
use rc_sv_api::{support, Deed, Error, Result, Settings, Support};

/// Settings that are refused, unless they ask for what holds anyway; and what to do instead.
const NOT_YET: [(&str, &str); 3] = [
    ("timeout_down", LADDER),
    ("timeout_kill", LADDER),
    ("rc_supervise_respawn", "set it to spec"),
];

const LADDER: &str = "unset it and set retry";

/// How the supervisor does what the setting asks for.
pub fn of_setting(key: &Key) -> Support {
    if key.role != Role::Setting || key.group == Group::Suite {
        return Support::Foreign;
    }
    let refused = NOT_YET.into_iter().find(|(name, _)| *name == key.name);
    refused.map_or(Support::Native, |(_, instead)| Support::Refused(instead))
}

/// How the supervisor does what needs no setting.
pub fn of_deed(_deed: Deed) -> Support {
    Support::Native
}

/// Refuses the settings of `spec` that are set and that nothing acts upon.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub fn check(spec: &dyn Settings) -> Result<()> {
    for key in spec.keys().into_iter().filter_map(key::find) {
        match of_setting(key) {
            Support::Refused(instead) if !support::is_default(spec, key) => {
                return Err(refused(key.name, instead));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses the same in a spec that was checked and then resolved: options of OpenRC's tools have
/// become settings by then.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub fn check_options(resolved: &dyn Settings) -> Result<()> {
    check(resolved).map_err(|error| {
        let message = format!(
            "supervise_daemon_args or start_stop_daemon_args sets {}",
            error.message
        );
        Error { message, ..error }
    })
}

fn refused(name: &str, instead: &str) -> Error {
    Error::invalid(format!(
        "{name}: internal does not do this in this version; {instead}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Plan;
    use rc_sv_api::key::Kind;
    use rc_sv_api::{ServiceName, Spec, Value};
    use rc_sv_exec::cgroup::limits::Limits;
    use rc_sv_exec::launch::{Ending, Launch};
    use rc_sv_exec::log::Stream;
    use rc_sv_exec::resolve;

    /// Settings that neither the plan nor the launch shows: who acts upon them, and which test
    /// proves it.
    const ELSEWHERE: [&str; 6] = [
        // The supervisor writes the pid file: tests/pid_file.rs.
        "command_background",
        "pidfile",
        // For those who are not the parent: there is nothing to look for.
        "procname",
        // The supervisor, when somebody asks: tests/tests/internal_operators.rs.
        "rc_supervise_operators",
        // The loader: it is how this module came to be asked.
        "rc_supervise_module",
        // `spec` is what is done.
        "rc_supervise_respawn",
    ];

    /// A value other than the default that fits a service that runs /bin/true as root.
    fn sample(key: &Key) -> String {
        let text = match key.name {
            "chroot" => "/",
            "directory" => "/usr",
            "capabilities" => "!cap_chown",
            "secbits" => "noroot",
            "command_user" => "nobody",
            "rc_supervise_operators" => "daemon",
            "rc_supervise_ionice" => "2:7",
            "rc_supervise_respawn" => "spec",
            "supervise_daemon_args" | "start_stop_daemon_args" => "--umask 0123",
            "notify" | "ready" => "fd:3",
            "rc_supervise_ready" | "rc_supervise_health" => "tcp:80",
            "rc_supervise_syslog" => "daemon.info",
            "rc_supervise_log_buffer" => "32K",
            _ => match key.kind {
                Kind::Flag => ["yes", "no"][usize::from(key.default == "yes")],
                Kind::Choice(words) => words[words.len() - 1],
                Kind::Path | Kind::Command => "/bin/true",
                Kind::Text => "word",
                Kind::Signal => "QUIT",
                Kind::Ladder => "INT/3/KILL/1",
                Kind::Exits => "77",
                Kind::Umask => "0123",
                _ => "7",
            },
        };
        text.to_string()
    }

    fn spec() -> Spec {
        let mut spec = Spec::of_service(&ServiceName::new(b"foo").unwrap());
        spec.put("argv", Value::List(vec![b"/bin/true".to_vec()]));
        spec.put("environment", Value::List(vec![b"PATH=/bin".to_vec()]));
        spec.put("runscript", Value::Text(b"/etc/init.d/foo".to_vec()));
        spec
    }

    /// One in which a setting has something to act upon.
    fn spec_for(key: &Key) -> Spec {
        let mut spec = spec();
        let needed = match key.name {
            "healthcheck_delay" => Some(("healthcheck_timer", "5")),
            "rc_supervise_watchdog" => Some(("notify", "socket:ready")),
            name if name.starts_with("rc_supervise_log_") => {
                Some(("rc_supervise_log_buffer", "8K"))
            }
            name if name.starts_with("rc_supervise_health_") => {
                Some(("rc_supervise_health", "tcp:80"))
            }
            _ => None,
        };
        if let Some((name, value)) = needed {
            spec.set(name, value.as_bytes(), "test").unwrap();
        }
        spec
    }

    /// Everything that decides what happens, as text.
    fn outcome(spec: &Spec) -> String {
        let resolved = resolve::resolve(spec.settings()).unwrap();
        let settings = resolved.settings();
        let ending = Ending {
            exit: rc_sv_api::exit::Exit::Code(0),
            result: None,
            restarts: 0,
        };
        let hooks = ["rc_supervise_finish", "rc_supervise_on_give_up"]
            .map(|hook| Launch::for_hook(settings, hook, ending).ok());
        let launch = Launch::from_settings(settings).unwrap();
        let streams = Stream::all(settings).unwrap();
        let plan = Plan::from_settings(settings);
        let alert = rc_sv_exec::alert::timeout(settings);
        let limits = Limits::of(settings);
        format!("{plan:?} {launch:?} {hooks:?} {streams:?} {alert:?} {limits:?}")
    }

    #[test]
    fn each_setting_is_acted_upon_or_refused_or_belongs_to_a_suite() {
        for key in key::all().filter(|key| key.role == Role::Setting) {
            let mut set = spec_for(key);
            let plain = outcome(&set);
            set.set(key.name, sample(key).as_bytes(), "test").unwrap();
            match check(set.settings()) {
                Err(error) => {
                    assert!(error.message.starts_with(key.name), "{}: {error}", key.name);
                    assert_ne!(key.group, Group::Suite, "{}", key.name);
                }
                Ok(()) if key.group == Group::Suite || ELSEWHERE.contains(&key.name) => {}
                Ok(()) => assert_ne!(outcome(&set), plain, "{} changes nothing", key.name),
            }
        }
    }

    #[test]
    fn what_is_refused_is_in_the_registry_and_says_what_to_do() {
        for (name, instead) in NOT_YET {
            let key = key::find(name).unwrap_or_else(|| panic!("{name} is no setting"));
            assert_eq!(key.role, Role::Setting, "{name}");
            assert!(instead.contains("set"), "{name}: {instead}");
        }
        let mut script = spec();
        script
            .set("rc_supervise_respawn", b"script", "test")
            .unwrap();
        let error = check(script.settings()).unwrap_err();
        assert_eq!(
            error.message,
            "rc_supervise_respawn: internal does not do this in this version; set it to spec"
        );
        let mut no = spec();
        no.set("rc_supervise_propagate", b"no", "test").unwrap();
        assert_eq!(check(no.settings()), Ok(()));
    }
}
