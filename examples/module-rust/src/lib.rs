//! rc_supervise_module="supervisord": supervision by supervisord, Debian's package supervisor.
//!
//! Each service becomes a program of the one supervisord that runs. It is described by two files
//! of ours in supervisord's directory, which [`program`] renders, and started, stopped and asked
//! for over supervisord's XML-RPC interface, which [`rpc`] speaks.
//!
//! supervisord has to run before: `rc_need="supervisor"` in conf.d where it is a service of that name.
//! Settings of `[modules.supervisord]` in /etc/rc-sv.toml: `socket`, `directory`, `startsecs`,
//! `startretries`.

mod program;
mod rpc;

use program::{Account, Limits, Program};
use rc_sv_api::abi::{Host, HostCommand, Sink};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Backend, Caps, Code, Error, Outcome, Request, Result, Section, Settings};
use rc_sv_api::{State, Status};
use rpc::{Answer, Fields};
use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

struct Supervisord {
    host: Host,
    socket: PathBuf,
    directory: PathBuf,
}

rc_sv_api::export_backend!(Supervisord: signal, list);

/// Our own settings.
const OWN: [&str; 4] = ["socket", "directory", "startsecs", "startretries"];

/// For a question; a start and a stop may take longer.
const SOON: Duration = Duration::from_secs(5);
const START: Duration = Duration::from_secs(30);
/// supervisord sends KILL after `stopwaitsecs`, at most 300 s.
const STOP: Duration = Duration::from_secs(310);

impl Backend for Supervisord {
    const NAME: &'static str = "supervisord";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "supervision by supervisord";
    const CAPS: Caps = Caps::OWNS_PROCESS
        .and(Caps::RESTARTS)
        .and(Caps::BACKOFF)
        .and(Caps::GIVE_UP)
        .and(Caps::SIGNAL);

    fn open(host: Host) -> Result<Supervisord> {
        let own = host.settings();
        let own = Section::new(Self::NAME, &own);
        let path = |key, default: &str| Ok(own.path(key)?.unwrap_or_else(|| default.into()));
        Ok(Supervisord {
            host,
            socket: path("socket", "/run/supervisor.sock")?,
            directory: path("directory", "/etc/supervisor/conf.d")?,
        })
    }

    fn probe(&mut self) -> Result<Caps> {
        self.call("getState", &[], SOON)?;
        Ok(Self::CAPS)
    }

    fn start(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        // Not in open(): what runs is looked after whatever has been added since.
        Section::new(Self::NAME, &self.host.settings()).check(&OWN)?;
        let name = program::name(spec)?;
        let script = self.path(&name, "sh").display().to_string();
        check_program(spec)?;
        let program = program::render(spec, &self.account(spec)?, &self.limits(), &script)?;
        let known = self.info(&name)?;
        if known.is_some() && !self.path(&name, "conf").exists() {
            let what = format!("supervisord has a program {name} that is not ours; rename one");
            return Err(Error::new(Code::Conflict, what));
        }
        let state = known.map(|it| status_of(&it).state);
        if request.dry_run || matches!(state, Some(State::Up | State::Starting)) {
            return Ok(Outcome::Done);
        }
        self.remove(&name, STOP)?;
        let started = self.add(&name, &program, request.timeout.unwrap_or(START));
        if let Err(error) = started {
            let said = self.info(&name).ok().flatten();
            // After an error nothing runs; what matters is the error.
            let _ = self.remove(&name, STOP);
            // Gone when supervisord has begun it once more since.
            let why = said.map(|it| it.text("spawnerr")).unwrap_or_default();
            return Err(if why.is_empty() {
                error
            } else {
                Error::new(error.code, why)
            });
        }
        Ok(Outcome::Done)
    }

    fn stop(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        self.remove(&program::name(spec)?, request.timeout.unwrap_or(STOP))?;
        Ok(Outcome::Done)
    }

    fn status(&mut self, spec: &dyn Settings) -> Result<Status> {
        let info = self.info(&program::name(spec)?)?;
        Ok(info.map_or(Status::of_state(State::Unmanaged), |it| status_of(&it)))
    }

    fn signal(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        let (name, signal) = (program::name(spec)?, request.signal.to_string());
        match self.ask("signalProcess", &[&name, &signal], SOON)? {
            Answer::Fault(rpc::NOT_RUNNING | rpc::BAD_NAME, _) => {
                Err(Error::new(Code::NotFound, "it does not run"))
            }
            answer => answer.value().map(|_| Outcome::Done),
        }
    }

    fn list(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        for info in self.call("getAllProcessInfo", &[], SOON)? {
            if !sink(&info.text("name"), &status_of(&info)) {
                break;
            }
        }
        Ok(())
    }
}

impl Supervisord {
    /// A file of ours; supervisord reads those in `conf`.
    fn path(&self, name: &str, suffix: &str) -> PathBuf {
        self.directory.join(format!("rc-sv-{name}.{suffix}"))
    }

    fn ask(&self, method: &str, arguments: &[&str], timeout: Duration) -> Result<Answer> {
        rpc::call(&self.socket, method, arguments, timeout)
    }

    fn call(&self, method: &str, arguments: &[&str], timeout: Duration) -> Result<Vec<Fields>> {
        self.ask(method, arguments, timeout)?.value()
    }

    /// What supervisord says of a program, if it has it.
    fn info(&self, name: &str) -> Result<Option<Fields>> {
        match self.ask("getProcessInfo", &[name], SOON)? {
            Answer::Fault(rpc::BAD_NAME, _) => Ok(None),
            answer => Ok(answer.value()?.pop()),
        }
    }

    /// Hands a program to supervisord, which answers when it has been up for `startsecs`.
    fn add(&self, name: &str, program: &Program, timeout: Duration) -> Result<()> {
        self.write(name, "sh", &program.script)?;
        self.write(name, "conf", program.config.as_bytes())?;
        self.call("reloadConfig", &[], SOON)?;
        self.call("addProcessGroup", &[name], SOON)?;
        self.call("startProcess", &[name], timeout)?;
        Ok(())
    }

    fn write(&self, name: &str, suffix: &str, bytes: &[u8]) -> Result<()> {
        let (path, aside) = (self.path(name, suffix), self.path(name, "new"));
        let io = |error| Error::io(path.display(), &error);
        // The environment in it may hold secrets.
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        options
            .open(&aside)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(io)?;
        fs::rename(&aside, &path).map_err(io)
    }

    /// Stops a program, if it runs, and takes it away from supervisord.
    fn remove(&self, name: &str, timeout: Duration) -> Result<()> {
        if self.path(name, "conf").exists() {
            match self.ask("stopProcess", &[name], timeout)? {
                Answer::Fault(rpc::NOT_RUNNING | rpc::BAD_NAME, _) => {}
                answer => drop(answer.value()?),
            }
            self.take_away(name)?;
        }
        for suffix in ["conf", "sh"] {
            let path = self.path(name, suffix);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io(path.display(), &error))
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Has supervisord forget a program that has ended. It may not have noticed the end yet; each
    /// question is a turn of its loop, in which it looks.
    fn take_away(&self, name: &str) -> Result<()> {
        let deadline = Instant::now() + SOON;
        loop {
            match self.ask("removeProcessGroup", &[name], SOON)? {
                Answer::Fault(rpc::BAD_NAME, _) => return Ok(()),
                Answer::Fault(rpc::STILL_RUNNING, _) if Instant::now() < deadline => {}
                answer => return answer.value().map(drop),
            }
        }
    }

    /// Who the service runs as, by the name service of a program: this process is the host's.
    fn account(&self, spec: &dyn Settings) -> Result<Option<Account>> {
        let user = spec.word("command_user");
        if user.is_empty() {
            return Ok(None);
        }
        let login = user.split(':').next().unwrap_or_default();
        let argv = ["/usr/bin/getent", "passwd", login].map(|word| word.as_bytes().to_vec());
        let found = self.host.run(&HostCommand {
            argv: argv.into(),
            ..HostCommand::default()
        })?;
        let line = String::from_utf8_lossy(&found.bytes).into_owned();
        let unknown = || Error::invalid(format!("command_user: there is no user {login}"));
        Account::parse(&user, &line).ok_or_else(unknown).map(Some)
    }

    fn limits(&self) -> Limits {
        let own = self.host.settings();
        Limits {
            startsecs: own.int("startsecs").unwrap_or(1),
            startretries: own.int("startretries").unwrap_or(3),
        }
    }
}

/// supervisord would only say that it exited too quickly.
fn check_program(spec: &dyn Settings) -> Result<()> {
    let argv = spec.list("argv").unwrap_or_default();
    let Some(program) = argv.first() else {
        return Err(Error::invalid("there is no command to run"));
    };
    let path = Path::new(OsStr::from_bytes(program));
    let what = |error| Error::io(format!("cannot execute {}", path.display()), &error);
    path.metadata().map(drop).map_err(what)
}

/// supervisord's words in ours.
fn status_of(info: &Fields) -> Status {
    let (state, wanted_up) = match info.text("statename").as_str() {
        "STARTING" => (State::Starting, true),
        "RUNNING" => (State::Up, true),
        "BACKOFF" => (State::Backoff, true),
        "STOPPING" => (State::Stopping, false),
        "STOPPED" | "EXITED" => (State::Down, false),
        "FATAL" => (State::GaveUp, true),
        _ => (State::Unknown, true),
    };
    let pid = info.number("pid").filter(|pid| *pid > 0);
    let since = if pid.is_some() { "start" } else { "stop" };
    let since = info.number(since).filter(|seconds| *seconds > 0);
    let ended = info.number("stop").is_some_and(|seconds| seconds > 0);
    let code = info.number("exitstatus").filter(|_| ended && pid.is_none());
    Status {
        wanted_up: Some(wanted_up),
        pid: pid.and_then(|pid| pid.try_into().ok()),
        since_real_ns: since.map(|seconds| seconds * 1_000_000_000),
        // It does not tell by which signal, only that it was one: -1.
        last_exit: code.map(|code| u8::try_from(code).map_or(Exit::Unknown, Exit::Code)),
        detail: info.text("spawnerr"),
        ..Status::of_state(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(fields: &[(&str, &str)]) -> Status {
        status_of(&Fields::of(fields))
    }

    #[test]
    fn a_program_that_runs_has_a_pid_and_no_end() {
        let running = [
            ("statename", "RUNNING"),
            ("pid", "42"),
            ("start", "7"),
            ("stop", "5"),
        ];
        let status = info(&running);
        assert_eq!((status.state, status.pid), (State::Up, Some(42)));
        assert_eq!(status.since_real_ns, Some(7_000_000_000));
        assert_eq!(status.last_exit, None);
    }

    #[test]
    fn one_that_was_given_up_says_how_it_ended() {
        let mut fatal = [
            ("statename", "FATAL"),
            ("pid", "0"),
            ("stop", "9"),
            ("exitstatus", "3"),
        ];
        assert_eq!(info(&fatal).last_exit, Some(Exit::Code(3)));
        assert_eq!(info(&fatal).state, State::GaveUp);
        fatal[3].1 = "-1";
        assert_eq!(info(&fatal).last_exit, Some(Exit::Unknown));
    }

    #[test]
    fn an_unknown_word_is_an_unknown_state() {
        assert_eq!(info(&[("statename", "DANCING")]).state, State::Unknown);
    }
}
