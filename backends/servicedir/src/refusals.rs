//! What is done, and how. What cannot be done is refused, not ignored.

use crate::origin::Origin;
use crate::suite::Suite;
use rc_sv_api::key::{self, Group, Key, Role};
use rc_sv_api::{support, Deed, Error, Result, Settings, Support};

/// The settings of a service with a command that are acted upon: by `rc-sv-exec`, or by the stop.
const DONE: [&str; 42] = [
    "command_background",
    "start_stop_daemon_args",
    "supervise_daemon_args",
    "command_user",
    "directory",
    "chroot",
    "umask",
    "capabilities",
    "secbits",
    "no_new_privs",
    "pidfile",
    "procname",
    "output_log",
    "error_log",
    "input_file",
    "notify",
    "ready",
    "timeout_ready",
    "retry",
    "stopsig",
    "stopgroup",
    "respawn_delay",
    "respawn_delay_step",
    "respawn_delay_cap",
    "respawn_max",
    "respawn_period",
    "rc_supervise_module",
    "rc_supervise_policy",
    "rc_supervise_success_codes",
    "rc_supervise_prevent_codes",
    "rc_supervise_force_codes",
    "rc_supervise_delay_factor",
    "rc_supervise_jitter",
    "rc_supervise_min_interval",
    "rc_supervise_reset_after",
    "rc_supervise_on_give_up",
    "rc_supervise_finish",
    "rc_supervise_finish_timeout",
    "rc_supervise_kill_mode",
    "rc_supervise_nice",
    "rc_supervise_ionice",
    "rc_supervise_oom_score_adj",
];

/// Those of a directory that was written by hand: how it is stopped; and those that the loader
/// finds in the surroundings of the runscript, if nobody has set them.
const DONE_FOR_NATIVE: [&str; 7] = [
    "rc_supervise_module",
    "retry",
    "stopsig",
    "umask",
    "rc_supervise_nice",
    "rc_supervise_ionice",
    "rc_supervise_oom_score_adj",
];

/// What to do instead of what is not done.
const INSTEAD: [(&str, &str); 8] = [
    ("timeout_down", "unset it and set retry"),
    ("timeout_kill", "unset it and set retry"),
    ("s6_service_timeout_stop", "unset it and set retry"),
    ("s6_force_kill", "unset it and set retry"),
    ("output_logger", "unset it and set output_log"),
    ("error_logger", "unset it and set error_log"),
    ("rc_supervise_respawn", "set it to spec"),
    ("rc_supervise_propagate", "set it to no"),
];

/// How `suite` does what the setting asks of a service with a command.
pub fn of_setting(suite: &Suite, key: &Key) -> Support {
    let is_of_suite = key.name.starts_with(suite.name);
    if key.name == suite.native_setting {
        return Support::Native;
    }
    if key.role != Role::Setting || (key.group == Group::Suite && !is_of_suite) {
        return Support::Foreign;
    }
    match key.name {
        "rc_supervise_module" => Support::Native,
        "rc_supervise_finish" if suite.finish => Support::Native,
        name if DONE.contains(&name) => Support::Emulated,
        name => {
            let instead = INSTEAD.into_iter().find(|(of, _)| *of == name);
            Support::Refused(instead.map_or("unset it", |(_, instead)| instead))
        }
    }
}

/// How a suite does what needs no setting: it begins what has ended, and rc-sv-exec does the rest.
pub fn of_deed(deed: Deed) -> Support {
    match deed {
        Deed::Respawn => Support::Native,
        _ => Support::Emulated,
    }
}

/// Refuses the settings of `spec` that are set and that nothing acts upon.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub(crate) fn check(suite: &Suite, origin: &Origin, spec: &dyn Settings) -> Result<()> {
    let mut set = spec.keys().into_iter().filter_map(key::find);
    let refused = set.find_map(|key| {
        let message = refusal(suite, origin, key)?;
        (!support::is_default(spec, key)).then_some(message)
    });
    refused.map_or(Ok(()), |message| Err(Error::invalid(message)))
}

/// Why the setting cannot be acted upon.
fn refusal(suite: &Suite, origin: &Origin, key: &Key) -> Option<String> {
    let (name, is_native) = (key.name, matches!(origin, Origin::Native(_)));
    match of_setting(suite, key) {
        Support::Foreign => None,
        Support::Refused(instead) => Some(format!(
            "{name}: {} does not do this in this version; {instead}",
            suite.name
        )),
        Support::Native | Support::Emulated if !is_native => None,
        _ if DONE_FOR_NATIVE.contains(&name) || name == suite.native_setting => None,
        _ => Some(format!("{name}: is for a service with a command; a service directory written by hand decides that itself")),
    }
}

/// Refuses the same in a spec that was checked and then resolved: options of OpenRC's tools have
/// become settings by then.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub(crate) fn check_options(suite: &Suite, resolved: &dyn Settings) -> Result<()> {
    check(suite, &Origin::Generated, resolved).map_err(|error| {
        let message = format!(
            "supervise_daemon_args or start_stop_daemon_args sets {}",
            error.message
        );
        Error { message, ..error }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{DAEMONTOOLS, RUNIT, S6};
    use rc_sv_api::exit::Exit;
    use rc_sv_api::key::Kind;
    use rc_sv_api::policy::Policy;
    use rc_sv_api::{ServiceName, Spec, Value};
    use rc_sv_exec::launch::{Ending, Launch};
    use rc_sv_exec::readiness::{self, Readiness};
    use rc_sv_exec::resolve;
    use rc_sv_exec::stop::Stop;
    use std::path::PathBuf;

    /// Settings that neither the launch nor policy nor stop shows: who acts upon them.
    const ELSEWHERE: [&str; 5] = [
        // rc-sv-exec writes the pid file.
        "command_background",
        "pidfile",
        // For those who are not the parent: there is nothing to look for.
        "procname",
        // The loader: it is how this module came to be asked.
        "rc_supervise_module",
        // Only where there is a finish command.
        "rc_supervise_finish_timeout",
    ];

    /// A value other than the default that fits a service that runs /bin/true as root.
    fn sample(key: &Key) -> String {
        let text = match key.name {
            "chroot" => "/",
            "directory" => "/usr",
            "capabilities" => "!cap_chown",
            "secbits" => "noroot",
            "command_user" => "nobody",
            "rc_supervise_ionice" => "2:7",
            "notify" | "ready" => "fd:3",
            "supervise_daemon_args" | "start_stop_daemon_args" => "--umask 0123",
            _ => match key.kind {
                Kind::Flag => ["yes", "no"][usize::from(key.default == "yes")],
                Kind::Choice(words) if key.default == words[0] => words[words.len() - 1],
                Kind::Choice(words) => words[0],
                Kind::Path | Kind::Command => "/bin/true",
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
        spec
    }

    fn with(key: &Key) -> Spec {
        let mut set = spec();
        set.set(key.name, sample(key).as_bytes(), "test").unwrap();
        set
    }

    /// Everything that decides what happens, as text.
    fn outcome(spec: &Spec) -> String {
        let resolved = resolve::resolve(spec.settings()).unwrap();
        let settings = resolved.settings();
        let ending = Ending {
            exit: Exit::Code(0),
            result: None,
            restarts: 0,
        };
        let hooks = ["rc_supervise_finish", "rc_supervise_on_give_up"]
            .map(|hook| Launch::for_hook(settings, hook, ending).ok());
        let launch = Launch::from_settings(settings).unwrap();
        let policy = Policy::from_settings(settings);
        let ready = Readiness::of(settings).unwrap();
        let limit = readiness::timeout(settings);
        format!(
            "{policy:?} {:?} {launch:?} {hooks:?} {ready:?} {limit:?}",
            Stop::from_settings(settings)
        )
    }

    fn settings() -> impl Iterator<Item = &'static Key> {
        key::all().filter(|key| key.role == Role::Setting)
    }

    #[test]
    fn each_setting_is_acted_upon_or_refused_or_belongs_to_another_suite() {
        let plain = outcome(&spec());
        for suite in [&S6, &RUNIT, &DAEMONTOOLS] {
            for key in settings() {
                let set = with(key);
                match check(suite, &Origin::Generated, set.settings()) {
                    Err(error) => {
                        assert!(error.message.starts_with(key.name), "{}: {error}", key.name);
                        assert!(error.message.contains("set"), "{}: {error}", key.name);
                    }
                    Ok(()) if of_setting(suite, key) == Support::Foreign => {}
                    Ok(()) if key.name == suite.native_setting => {}
                    Ok(()) if ELSEWHERE.contains(&key.name) => {}
                    Ok(()) => assert_ne!(outcome(&set), plain, "{} changes nothing", key.name),
                }
            }
        }
    }

    #[test]
    fn a_directory_written_by_hand_takes_its_stop_and_nothing_else() {
        let native = Origin::Native(PathBuf::from("/var/svc.d/foo"));
        let ours = |key: &&Key| of_setting(&RUNIT, key) != Support::Foreign;
        for key in settings().filter(ours) {
            let refused = check(&RUNIT, &native, with(key).settings()).is_err();
            let done = DONE_FOR_NATIVE.contains(&key.name) || key.name == "runit_service";
            assert_eq!(refused, !done, "{}", key.name);
        }
    }

    #[test]
    fn what_is_named_here_is_a_setting() {
        let named = DONE.iter().chain(INSTEAD.iter().map(|(name, _)| name));
        for name in named.chain(&DONE_FOR_NATIVE) {
            assert!(settings().any(|key| key.name == *name), "{name}");
        }
    }

    #[test]
    fn whoever_sets_the_default_is_not_refused() {
        for (name, value) in [
            ("rc_supervise_propagate", "no"),
            ("rc_supervise_respawn", "spec"),
        ] {
            let mut set = spec();
            set.set(name, value.as_bytes(), "test").unwrap();
            assert_eq!(
                check(&S6, &Origin::Generated, set.settings()),
                Ok(()),
                "{name}"
            );
        }
    }
}
