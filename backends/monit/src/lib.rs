//! The monit module: OpenRC starts and stops the service itself, once; monit watches it in between.
//!
//! What it may do rests on three things. Recovery is `exec` of rc-sv-exec, because monit looks at
//! nothing else while its own start program runs. The control file says what is wanted, because
//! monit's memory does not outlive every kill. And monit's own program checks a control file before
//! the daemon reads it, because one that it does not take ends it.

mod attach;
mod client;
mod control_file;
mod native;
mod observe;
mod settings;
mod simple;

use attach::Attached;
use client::Seen;
use control_file::{given, Rendered};
use rc_sv_api::abi::Host;
use rc_sv_api::{
    Backend, Caps, Code, Error, Outcome, Request, Result, ServiceName, Settings, Spec, Status,
};
use rc_sv_exec::place::Dir;
use rc_sv_exec::spec_file;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

struct Monit {
    host: Host,
    settings: settings::Monit,
}

/// Where the request says nothing: monit reads its control file within a second.
const PATIENCE: Duration = Duration::from_secs(10);
/// The state directory of a system where nothing else is said.
const SVCDIR: &str = "/run/openrc";

impl Backend for Monit {
    const NAME: &'static str = "monit";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "watching by monit";
    const CAPS: Caps = Caps::MONITORS
        .and(Caps::RESTARTS)
        .and(Caps::HEALTH)
        .and(Caps::ADOPTS);

    fn open(host: Host) -> Result<Monit> {
        let settings = settings::Monit::from_settings(&host.settings())?;
        Ok(Monit { host, settings })
    }

    fn probe(&mut self) -> Result<Caps> {
        self.settings.program()?;
        let seen = self.settings.client.look(Instant::now() + PATIENCE)?;
        match seen.monit.release() {
            Some(release) if release >= OLDEST => Ok(Self::CAPS),
            _ => Err(Error::new(
                Code::Unavailable,
                format!(
                    "monit {} is too old; 5.25 or later is needed",
                    seen.monit.version
                ),
            )),
        }
    }

    fn start(&mut self, _spec: &dyn Settings, _request: &Request) -> Result<Outcome> {
        Ok(Outcome::Delegate)
    }

    fn stop(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        self.detach(spec, request)?;
        Ok(Outcome::Delegate)
    }

    fn attach(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        let service = spec.service()?;
        let deadline = Instant::now() + request.timeout.unwrap_or(PATIENCE);
        let private = Dir::make_service(&svcdir(spec), &service)?;
        let control = match spec.word("rc_monit_type").as_str() {
            "native" => {
                spec_file::write(&private, spec)?;
                native::check(&self.settings, native::name(spec, &service), deadline)?;
                attach::watch(&self.settings, native::name(spec, &service), deadline)?;
                return Ok(Outcome::Done);
            }
            "file" => self.given(&service)?,
            _ => simple::control_file(&self.settings, spec, &service)?,
        };
        spec_file::write(&private, spec)?;
        let name = service.as_str();
        let attached = attach::attach(
            self.host,
            &self.settings,
            &private,
            name,
            &control,
            deadline,
        )?;
        match attached {
            Attached::Watched => Ok(Outcome::Done),
            Attached::Deferred(why) => {
                self.host.log(
                    WARNING,
                    &format!("{service}: monit watches it later: {why}"),
                );
                Ok(Outcome::Pending)
            }
        }
    }

    fn detach(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        let service = spec.service()?;
        let deadline = Instant::now() + request.timeout.unwrap_or(PATIENCE);
        let recorded = recorded(spec, &service)?;
        if recorded.settings().word("rc_monit_type") == "native" {
            let name = native::name(recorded.settings(), &service).to_string();
            return match attach::unwatch(&self.settings, &name, deadline) {
                // Who is not there does not watch, and comes back as its own configuration says.
                Err(error) if matches!(error.code, Code::NotRunning | Code::NotFound) => {
                    Ok(Outcome::Done)
                }
                unwatched => unwatched.map(|()| Outcome::Done),
            };
        }
        let names = match self.settings.client.look(Instant::now() + PATIENCE) {
            Ok(Seen { monit, .. }) => control_file::render::names_of(&monit, service.as_str()),
            Err(_) => Vec::new(),
        };
        attach::detach(&self.settings, service.as_str(), &names, deadline)?;
        Ok(Outcome::Done)
    }

    fn status(&mut self, spec: &dyn Settings) -> Result<Status> {
        let service = spec.service()?;
        let recorded = recorded(spec, &service)?;
        let name = match recorded.settings().word("rc_monit_type").as_str() {
            "native" => native::name(recorded.settings(), &service).to_string(),
            _ => service.as_str().to_string(),
        };
        let seen = self.settings.client.look(Instant::now() + observe::ANSWER);
        observe::status(recorded.settings(), &name, seen)
    }
}

/// The first whose status is as `answer.rs` reads it.
const OLDEST: (u32, u32) = (5, 25);
/// syslog's LOG_WARNING.
const WARNING: i32 = 4;

impl Monit {
    fn given(&self, service: &ServiceName) -> Result<Rendered> {
        // The directory may be read by anybody; who may write to it is root's choice alone.
        let directory = Dir::open_path(&self.settings.files, 0o755)?;
        let path = self.settings.files.join(service.as_str());
        let text = directory.read_public(service.as_str(), given::SIZE_MAX)?;
        let text = text.ok_or_else(|| {
            Error::invalid(format!(
                "there is no {}, which rc_monit_type=file wants",
                path.display()
            ))
        })?;
        given::accept(&path.display().to_string(), service.as_str(), &text)
    }
}

fn svcdir(spec: &dyn Settings) -> PathBuf {
    let text = spec.text("svcdir").unwrap_or(SVCDIR.as_bytes());
    PathBuf::from(OsStr::from_bytes(text))
}

/// What the service was attached with; only its name where it was not.
fn recorded(spec: &dyn Settings, service: &ServiceName) -> Result<Spec> {
    let read = Dir::open_service(&svcdir(spec), service).and_then(|dir| spec_file::read(&dir));
    match read {
        Err(error) if error.code == Code::NotFound => Ok(Spec::of_service(service)),
        read => read,
    }
}

rc_sv_api::export_backend!(Monit: attach, detach);
