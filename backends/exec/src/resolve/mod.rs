//! From what an administrator wrote to a spec that is complete in itself.

mod care;
mod option_table;
mod options;
mod program;
mod user;

use crate::capability::Iab;
use crate::environment::Environment;
use crate::{ioprio, securebits};
use option_table::{Meaning, Tool};
use options::Given;
use rc_sv_api::key::{self, Group};
use rc_sv_api::{Error, Result, ServiceName, Settings, Spec, Value};
pub use user::uid;
use user::Wanted;

/// Settings that have done their work when a spec is resolved.
const SPENT: [&str; 7] = [
    "command_user",
    "procname",
    "ready",
    "rc_supervise_module",
    "rc_supervise_operators",
    "start_stop_daemon_args",
    "supervise_daemon_args",
];

/// Commands that are run besides the program, always outside of a chroot.
const HOOKS: [&str; 4] = [
    "rc_supervise_finish",
    "rc_supervise_on_give_up",
    "rc_supervise_alert",
    "rc_supervise_unhealthy",
];

/// Resolves `spec`: users and groups become numbers, options of `supervise_daemon_args` (or, where
/// that is unset, of `start_stop_daemon_args`, as in OpenRC 0.45) become settings and go before
/// variables, because OpenRC gives them last; HOME, USER and LOGNAME are those of `command_user`;
/// programs of hooks become absolute paths; and what contradicts itself or cannot be run is
/// refused. May block on the name service, so it is called by the client, never by the supervisor.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the variable that is wrong and what would be right;
/// [`rc_sv_api::Code::Permission`] when somebody other than root asks for another user.
pub fn resolve(spec: &dyn Settings) -> Result<Spec> {
    let mut resolved = needed(spec);
    let mut environment = Environment::from_settings(spec)?;
    let mut wanted = Wanted::default();
    if let Some(text) = spec.text("command_user") {
        become_user(&mut wanted, &mut environment, text, "command_user")?;
    }
    if let Some(tool) = tool(spec) {
        let line = spec.text(tool.variable()).unwrap_or_default();
        for option in options::parse(tool, line)? {
            apply(tool, &option, &mut resolved, &mut wanted, &mut environment)?;
        }
    }
    wanted.put(&mut resolved)?;
    if let Some(group) = spec.text("rc_supervise_operators") {
        let gid = user::group(group, "rc_supervise_operators")?;
        resolved.put("operators", Value::Int(gid.as_raw().into()));
    }
    one_name_for_readiness(spec, &mut resolved)?;
    check_rights(&resolved)?;
    check_formats(&resolved)?;
    check_contradictions(resolved.settings())?;
    check_programs(&mut resolved, &environment)?;
    resolved.put("environment", Value::List(environment.into_list()));
    Ok(resolved)
}

/// The settings that launch or the policy can need.
fn needed(spec: &dyn Settings) -> Spec {
    let mut all = spec.to_spec();
    let spent = |name: &str| {
        SPENT.contains(&name) || key::find(name).is_none_or(|key| key.group == Group::Suite)
    };
    for name in spec.keys().into_iter().filter(|name| spent(name)) {
        all.remove(name);
    }
    all
}

/// Whose options count.
fn tool(spec: &dyn Settings) -> Option<Tool> {
    let tools = [Tool::SuperviseDaemon, Tool::StartStopDaemon];
    tools
        .into_iter()
        .find(|tool| spec.text(tool.variable()).is_some())
}

/// As supervise-daemon's `--user`, which sets HOME and USER, but LOGNAME too.
fn become_user(
    wanted: &mut Wanted,
    environment: &mut Environment,
    text: &[u8],
    origin: &str,
) -> Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let user = wanted.user(text, origin)?;
    environment.set(b"HOME", user.dir.as_os_str().as_bytes());
    environment.set(b"USER", user.name.as_bytes());
    environment.set(b"LOGNAME", user.name.as_bytes());
    Ok(())
}

fn apply(
    tool: Tool,
    option: &Given,
    resolved: &mut Spec,
    wanted: &mut Wanted,
    environment: &mut Environment,
) -> Result<()> {
    let origin = format!("{}: --{}", tool.variable(), option.name);
    match option.meaning {
        Meaning::Setting(setting) => resolved.set(setting, &option.value, &origin),
        Meaning::Yes(setting) => resolved.set(setting, b"yes", &origin),
        Meaning::User => become_user(wanted, environment, &option.value, &origin),
        Meaning::Group => wanted.group(&option.value, &origin),
        Meaning::Variable => match crate::environment::split(&option.value) {
            Some((name, value)) => {
                environment.set(name, value);
                Ok(())
            }
            None => Err(Error::invalid(format!("{origin}: must be NAME=value"))),
        },
        // They are not handed on.
        Meaning::Always | Meaning::Nothing | Meaning::NothingWithValue => Ok(()),
    }
}

/// `ready` is the older name of `notify`.
fn one_name_for_readiness(spec: &dyn Settings, resolved: &mut Spec) -> Result<()> {
    let Some(ready) = spec.text("ready") else {
        return Ok(());
    };
    match resolved.text("notify") {
        Some(notify) if notify != ready => Err(Error::invalid(
            "ready and notify contradict each other; unset ready",
        )),
        _ => {
            resolved.put("notify", Value::Text(ready.to_vec()));
            Ok(())
        }
    }
}

/// What nobody but root can ever have. The rest depends on limits, and the kernel says it.
fn check_rights(resolved: &Spec) -> Result<()> {
    let secbits = resolved.text("secbits").map(String::from_utf8_lossy);
    // None is what everybody has.
    let has_none = secbits.is_none_or(|text| securebits::parse(&text) == Ok(0));
    let of_root = [
        ("chroot", "change the root directory"),
        ("capabilities", "set capabilities"),
        ("secbits", "set secure bits"),
    ];
    let mut set = of_root
        .iter()
        .filter(|(name, _)| resolved.has(name) && !(*name == "secbits" && has_none));
    set.try_for_each(|(name, what)| user::only_root(name, what))
}

/// Texts whose format only this crate knows.
fn check_formats(resolved: &Spec) -> Result<()> {
    let check = |name: &str, parse: &dyn Fn(&str) -> std::result::Result<(), String>| {
        let text = String::from_utf8_lossy(resolved.text(name).unwrap_or_default());
        match resolved.has(name).then(|| parse(&text)) {
            Some(Err(wanted)) => Err(Error::invalid(format!("{name}={text:?}: must be {wanted}"))),
            _ => Ok(()),
        }
    };
    check("rc_supervise_ionice", &|text| ioprio::parse(text).map(drop))?;
    check("capabilities", &|text| Iab::parse(text).map(drop))?;
    check("secbits", &|text| securebits::parse(text).map(drop))?;
    check("rc_supervise_alternate", &|text| {
        let other = ServiceName::new(text.as_bytes());
        other.map(drop).map_err(|_| "the name of a service".into())
    })?;
    care::check(resolved.settings())
}

fn check_contradictions(resolved: &dyn Settings) -> Result<()> {
    let set = |name| resolved.text(name).is_some();
    for (file, command) in [
        ("output_log", "output_logger"),
        ("error_log", "error_logger"),
    ] {
        if set(file) && set(command) {
            let message = format!("{file} and {command} contradict each other; unset one of them");
            return Err(Error::invalid(message));
        }
    }
    if resolved.flag("stopgroup") && resolved.word("rc_supervise_kill_mode") == "process" {
        return Err(Error::invalid(
            "stopgroup=yes and rc_supervise_kill_mode=process contradict each other; unset one of \
             them",
        ));
    }
    Ok(())
}

fn check_programs(resolved: &mut Spec, environment: &Environment) -> Result<()> {
    let argv = resolved.list("argv").unwrap_or_default();
    let Some(program) = argv.first() else {
        return Err(Error::invalid("command: must name the program to run"));
    };
    program::check(program, resolved.text("chroot"), "command")?;
    for hook in HOOKS {
        let Some(words) = resolved.list(hook) else {
            continue;
        };
        let mut words: Vec<Vec<u8>> = words.into_iter().map(<[u8]>::to_vec).collect();
        let Some(first) = words.first_mut() else {
            return Err(Error::invalid(format!("{hook}: must name a program")));
        };
        *first = program::find(first, environment.get(b"PATH"), hook)?;
        resolved.put(hook, Value::List(words));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
