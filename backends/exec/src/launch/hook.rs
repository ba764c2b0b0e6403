//! Hooks: the commands that are run after the end of a service, and those that check it.

use super::settings;
use super::steps::Identity;
use super::{Launch, LogOwner};
use crate::check::Target;
use crate::environment::Environment;
use crate::svcdir;
use nix::unistd::{getegid, geteuid, getgroups};
use rc_sv_api::exit::Exit;
use rc_sv_api::{signal, Error, Result, Settings};
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What OpenRC's programs are told about a user's services.
const USER: &CStr = c"--user";

/// Where OpenRC has its program for services.
const RC_SERVICE: [&CStr; 3] = [
    c"/sbin/rc-service",
    c"/usr/sbin/rc-service",
    c"/usr/bin/rc-service",
];

/// What a hook is told of the end that it follows.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// How the main process ended.
    pub exit: Exit,
    /// systemd's `$SERVICE_RESULT`; `None` derives `success`, `exit-code`, `signal` or
    /// `core-dump` from `exit`. The supervisor says `timeout`, `start-limit-hit` and the like.
    pub result: Option<&'a str>,
    /// Respawns since somebody started the service.
    pub restarts: u32,
}

impl Launch {
    /// Prepares the hook `key` (`rc_supervise_finish` or `rc_supervise_on_give_up`) of a resolved
    /// spec.
    ///
    /// It runs as the caller's user, in `/` and outside of any chroot, in a session of its own,
    /// with the priorities, limits, umask and environment of the service, but with the HOME, USER
    /// and LOGNAME of root where it is root and the service is not. Its input is /dev/null. Its
    /// output is appended to the service's `error_log`, opened as the service's user; where that
    /// is unset, cannot be opened, or lies in a chroot, it is /dev/null too. `RC_SVCNAME`,
    /// `EXIT_CODE`, `EXIT_STATUS` and `SERVICE_RESULT` are added to its environment, as systemd
    /// does for `ExecStopPost=`, and `RESPAWN_COUNT`; and two arguments, as s6 does for `finish`: the exit code, or
    /// 256, and the number of the signal, or 0.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: the spec has no such hook, or is not resolved.
    pub fn for_hook(spec: &dyn Settings, key: &str, ending: Ending<'_>) -> Result<Launch> {
        let mut argv = settings::command(spec, key)?;
        let words = Words::of(ending.exit);
        argv.extend([number(words.code), number(words.signal)]);
        Launch::of_ending(spec, argv, &words, &ending)
    }

    /// Prepares the alert command `key` of a resolved spec, in the same surroundings, without the two
    /// arguments.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: the spec has no such command, or is not resolved.
    pub fn for_alert(spec: &dyn Settings, key: &str, ending: Ending<'_>) -> Result<Launch> {
        let argv = settings::command(spec, key)?;
        Launch::of_ending(spec, argv, &Words::of(ending.exit), &ending)
    }

    /// Prepares the command about an unhealthy service of a resolved spec, in the same surroundings:
    /// `rc_supervise_unhealthy`, or unhealthy() of the runscript.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: there is no runscript, or the spec is not resolved.
    pub fn for_unhealthy(spec: &dyn Settings, ending: Ending<'_>) -> Result<Launch> {
        const KEY: &str = "rc_supervise_unhealthy";
        if spec.list(KEY).is_some() {
            return Launch::for_hook(spec, KEY, ending);
        }
        let argv = runscript(spec, c"unhealthy")?;
        Launch::of_ending(spec, argv, &Words::of(ending.exit), &ending)
    }

    /// Prepares the runscript before a respawn, in the same surroundings: it has the module make the
    /// spec anew.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: there is no runscript, or the spec is not resolved.
    pub fn for_respawn(spec: &dyn Settings, ending: Ending<'_>) -> Result<Launch> {
        let argv = runscript(spec, c"rcsv_respawn")?;
        Launch::of_ending(spec, argv, &Words::of(ending.exit), &ending)
    }

    /// Prepares the start of the service that takes the place of a resolved spec's, in the same
    /// surroundings.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: there is no such service, or the spec is not resolved.
    pub fn for_alternate(spec: &dyn Settings, ending: Ending<'_>) -> Result<Launch> {
        let is_there = |path: &&CStr| Path::new(OsStr::from_bytes(path.to_bytes())).exists();
        let program = RC_SERVICE
            .into_iter()
            .find(is_there)
            .unwrap_or(RC_SERVICE[0]);
        let other = settings::text(spec, "rc_supervise_alternate")?;
        let other = other.ok_or_else(|| Error::invalid("rc_supervise_alternate: is not set"))?;
        let mut argv = vec![program.into(), c"--".into(), other, c"start".into()];
        if is_users(spec)? {
            argv.insert(1, USER.into());
        }
        Launch::of_ending(spec, argv, &Words::of(ending.exit), &ending)
    }

    /// Prepares a check that is a command, of a resolved spec whose main process is `pid`. It runs
    /// in the surroundings of a hook, without its arguments; `RC_SVCNAME` and `MAINPID` are added
    /// to its environment.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: the target is no command, or the spec is not resolved.
    pub fn for_check(spec: &dyn Settings, target: &Target, pid: Option<i32>) -> Result<Launch> {
        let argv = match target {
            Target::Exec(words) => words
                .iter()
                .map(|word| CString::new(word.as_slice()))
                .collect::<std::result::Result<_, _>>()
                .map_err(|_| Error::invalid("a check: must be free of NUL bytes"))?,
            Target::Hook => runscript(spec, c"healthcheck")?,
            _ => return Err(Error::invalid(format!("{target}: is no command"))),
        };
        let pid = pid.map(|pid| pid.to_string()).unwrap_or_default();
        Launch::beside(spec, argv, &[("MAINPID", &pid)])
    }

    fn of_ending(
        spec: &dyn Settings,
        argv: Vec<CString>,
        words: &Words,
        ending: &Ending<'_>,
    ) -> Result<Launch> {
        let restarts = ending.restarts.to_string();
        let variables = [
            ("EXIT_CODE", words.exit_code),
            ("EXIT_STATUS", words.exit_status.as_str()),
            ("SERVICE_RESULT", ending.result.unwrap_or(words.result)),
            ("RESPAWN_COUNT", restarts.as_str()),
        ];
        Launch::beside(spec, argv, &variables)
    }

    /// A command that is run besides the service.
    fn beside(
        spec: &dyn Settings,
        argv: Vec<CString>,
        variables: &[(&str, &str)],
    ) -> Result<Launch> {
        let mut launch = Launch::in_surroundings(spec, argv)?;
        let identity = settings::identity(spec)?;
        launch.environment = environment(spec, &identity, variables)?;
        if spec.text("chroot").is_none() {
            let log = settings::text(spec, "error_log")?;
            launch.output = log.clone();
            launch.error = log;
        }
        if geteuid().is_root() && identity.uid.is_some_and(|uid| uid != 0) {
            launch.log_owner = Some(LogOwner {
                of_logs: identity,
                of_caller: caller()?,
            });
        } else if launch.error.is_some() {
            let nobody_else = Identity::default();
            launch.log_owner = Some(LogOwner {
                of_logs: nobody_else.clone(),
                of_caller: nobody_else,
            });
        }
        Ok(launch)
    }
}

/// An end in the words of systemd.exec(5) and the numbers of s6-supervise.
struct Words {
    exit_code: &'static str,
    exit_status: String,
    result: &'static str,
    code: u32,
    signal: u32,
}

impl Words {
    fn of(exit: Exit) -> Words {
        let (exit_code, exit_status, result, code, signal) = match exit {
            Exit::Code(0) => ("exited", "0".into(), "success", 0, 0),
            Exit::Code(code) => ("exited", code.to_string(), "exit-code", u32::from(code), 0),
            Exit::Signal(number) => ("killed", name(number), "signal", 256, u32::from(number)),
            Exit::Dumped(number) => ("dumped", name(number), "core-dump", 256, u32::from(number)),
            Exit::NotRun(_) => (
                "exited",
                super::NOT_RUN.to_string(),
                "exit-code",
                u32::from(super::NOT_RUN),
                0,
            ),
            Exit::Unknown => ("unknown", String::new(), "unknown", 256, 0),
        };
        let result = if exit.is_clean() { "success" } else { result };
        Words {
            exit_code,
            exit_status,
            result,
            code,
            signal,
        }
    }
}

fn name(number: u8) -> String {
    signal::name(i32::from(number))
}

fn number(number: u32) -> CString {
    CString::new(number.to_string()).unwrap_or_default()
}

fn environment(
    spec: &dyn Settings,
    identity: &Identity,
    variables: &[(&str, &str)],
) -> Result<Vec<CString>> {
    let mut environment = Environment::from_settings(spec)?;
    if geteuid().is_root() && identity.uid.is_some_and(|uid| uid != 0) {
        for (name, value) in [("HOME", "/root"), ("USER", "root"), ("LOGNAME", "root")] {
            environment.set(name.as_bytes(), value.as_bytes());
        }
    }
    let service = spec.service()?;
    environment.set(b"RC_SVCNAME", service.as_str().as_bytes());
    for (name, value) in variables {
        environment.set(name.as_bytes(), value.as_bytes());
    }
    let strings = environment.into_list().into_iter().map(CString::new);
    strings
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| Error::invalid("environment: must be free of NUL bytes"))
}

/// A function of the runscript, which openrc-run calls without a lock.
fn runscript(spec: &dyn Settings, function: &CStr) -> Result<Vec<CString>> {
    match settings::text(spec, "runscript")? {
        Some(script) if is_users(spec)? => Ok(vec![script, USER.into(), function.into()]),
        Some(script) => Ok(vec![script, function.into()]),
        None => Err(Error::invalid("there is no runscript")),
    }
}

/// Whether it is one of a user's services.
fn is_users(spec: &dyn Settings) -> Result<bool> {
    let svcdir = svcdir::find(spec.text("svcdir"));
    let environment = Environment::from_settings(spec)?;
    let runtime_dir = environment.get(b"XDG_RUNTIME_DIR");
    Ok(svcdir::is_users(
        &svcdir,
        runtime_dir.map(OsStr::from_bytes),
    ))
}

/// Who the caller is, to become it again.
fn caller() -> Result<Identity> {
    let groups = getgroups().map_err(|errno| Error::io("read the own groups", &errno.into()))?;
    Ok(Identity {
        groups: Some(groups.into_iter().map(|group| group.as_raw()).collect()),
        gid: Some(getegid().as_raw()),
        uid: Some(geteuid().as_raw()),
    })
}
