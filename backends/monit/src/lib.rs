//! The monit module: OpenRC starts and stops the service itself, once; monit watches it in between.
//!
//! What it may do rests on three things. Recovery is `exec` of rc-sv-exec, because monit looks at
//! nothing else while its own start program runs. The control file says what is wanted, because
//! monit's memory does not outlive every kill. And monit's own program checks a control file before
//! the daemon reads it, because one that it does not take ends it.

mod attach;
mod client;
pub mod control_file;
mod doctor;
mod install;
mod kept;
mod native;
mod observe;
pub mod refusals;
mod room;
mod settings;
mod simple;

use attach::Attached;
use control_file::{given, Rendered};
pub use kept::Kind;
use rc_sv_api::abi::{Host, HostCommand};
use rc_sv_api::{
    Backend, Caps, Error, Outcome, Request, Result, ServiceName, Settings, Spec, Status,
};
use rc_sv_exec::place::Dir;
use rc_sv_exec::{installed, outline, priority, run, spec_file, svcdir, watched};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

struct Monit {
    host: Host,
    settings: settings::Monit,
}

/// Where the request says nothing: monit reads its control file within a second, and within some
/// where it has a thousand of them and the machine is busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a respawn may take that is under way, such as a program that goes into the background.
const RESPAWN: Duration = Duration::from_secs(70);

impl Backend for Monit {
    const NAME: &'static str = "monit";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "watching by monit";
    const CAPS: Caps = Caps::MONITORS
        .and(Caps::RESTARTS)
        .and(Caps::BACKOFF)
        .and(Caps::GIVE_UP)
        .and(Caps::FINISH_SCRIPT)
        .and(Caps::NOTIFY)
        .and(Caps::HEALTH)
        .and(Caps::ADOPTS);

    fn open(host: Host) -> Result<Monit> {
        let settings = settings::Monit::from_settings(&host.settings())?;
        Ok(Monit { host, settings })
    }

    fn probe(&mut self) -> Result<Caps> {
        doctor::examine(self.host, &self.settings)?;
        Ok(Self::CAPS)
    }

    fn start(&mut self, spec: &dyn Settings, _request: &Request) -> Result<Outcome> {
        // Before anything runs; a service with a start() of its own is known at its attach.
        refusals::check(kept::kind(spec), spec)?;
        kept::of(spec)?;
        Ok(Outcome::Delegate)
    }

    fn stop(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        self.detach(spec, request)?;
        Ok(Outcome::Delegate)
    }

    fn attach(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        let service = spec.service()?;
        let deadline = Instant::now() + request.timeout.unwrap_or(PATIENCE);
        refusals::check(kept::kind(spec), spec)?;
        let (kind, kept) = kept::of(spec)?;
        let svcdir = svcdir::find(spec.text("svcdir"));
        let mut later = None;
        let control = match kind {
            Kind::Native => {
                let name = native::name(kept.settings(), &service);
                later = native::check(&self.settings, name)?;
                None
            }
            Kind::File => Some(self.given(&service)?),
            Kind::Simple => Some(simple::control_file(&self.settings, spec, &service)?),
        };
        if request.dry_run {
            return self.rehearse(&kept, &service, kind);
        }
        let private = Dir::make_service(&svcdir, &service)?;
        spec_file::write(&private, &kept)?;
        watched::adopt(&private, kept.settings())?;
        if let Some(found) = watched::running(&private, kept.settings()).filter(|it| it.is_sure) {
            // OpenRC's start knows nothing of them.
            if let Err(error) = priority::give(found.instance.pid, spec) {
                self.host.log(WARNING, &error.message);
            }
        }
        self.await_recovery(&private, kept.settings());
        let attached = match (&control, later) {
            (Some(control), _) => attach::attach(
                self.host,
                &self.settings,
                &private,
                service.as_str(),
                control,
                deadline,
            ),
            (None, Some(why)) => Ok(Attached::Deferred(why)),
            (None, None) => {
                let name = native::name(kept.settings(), &service);
                attach::watch(&self.settings, name, deadline).map(|()| Attached::Watched)
            }
        };
        match attached {
            Ok(Attached::Watched) => Ok(Outcome::Done),
            Ok(Attached::Deferred(why)) => {
                let line = format!("{service}: monit watches it later: {why}");
                self.host.log(WARNING, &line);
                Ok(Outcome::Pending)
            }
            Err(error) => {
                Dir::remove_service(&svcdir, &service)?;
                Err(error)
            }
        }
    }

    fn detach(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        let service = spec.service()?;
        let svcdir = svcdir::find(spec.text("svcdir"));
        let kept = kept::read(&svcdir, &service)?;
        let directory = kept::directory(&svcdir, &service)?;
        // A respawn that is under way ends first, so that it does not cross the stop that follows.
        let is_over = match &directory {
            Some(directory) => kept::is_over(directory)?,
            None => false,
        };
        if let Some(directory) = directory.as_ref().filter(|_| !is_over) {
            watched::release(directory, request.timeout.unwrap_or(RESPAWN))?;
        }
        let deadline = Instant::now() + request.timeout.unwrap_or(PATIENCE);
        match kept::kind(kept.settings()) {
            Kind::Native => {
                let name = native::name(kept.settings(), &service);
                native::let_go(&self.settings, name, deadline)?;
            }
            Kind::File | Kind::Simple => {
                attach::detach(&self.settings, service.as_str(), deadline)?;
            }
        }
        if is_over {
            // Why it is, can be asked for until the next start.
            return Ok(Outcome::Pending);
        }
        Dir::remove_service(&svcdir, &service)?;
        Ok(Outcome::Done)
    }

    fn status(&mut self, spec: &dyn Settings) -> Result<Status> {
        let service = spec.service()?;
        let svcdir = svcdir::find(spec.text("svcdir"));
        let kept = kept::read(&svcdir, &service)?;
        let name = match kept::kind(kept.settings()) {
            Kind::Native => native::name(kept.settings(), &service),
            Kind::File | Kind::Simple => service.as_str(),
        };
        let directory = kept::directory(&svcdir, &service)?;
        observe::status(directory.as_ref(), kept.settings(), name, || {
            self.settings.client.look(Instant::now() + client::ANSWER)
        })
    }
}

/// syslog's LOG_INFO.
const INFO: i32 = 6;
/// syslog's LOG_WARNING.
const WARNING: i32 = 4;

impl Monit {
    /// Says how the service would be watched. Whether monit takes it, is for monit to say then.
    fn rehearse(&self, kept: &Spec, service: &ServiceName, kind: Kind) -> Result<Outcome> {
        outline::refuse_simulation(kept.settings())?;
        let path = settings::file_path(&self.settings.include, service.as_str());
        let how = match kind {
            Kind::Native => format!("monit's own {}", native::name(kept.settings(), service)),
            Kind::File => format!("{}, as it is given", path.display()),
            Kind::Simple => format!("{}, written by rc-sv", path.display()),
        };
        self.host.log(INFO, &format!("watched by: {how}"));
        if kind == Kind::Simple {
            let [respawn, limit] = outline::respawn(kept.settings());
            self.host.log(INFO, &respawn);
            self.host.log(INFO, &limit);
        }
        Ok(Outcome::Done)
    }

    /// Where a person was told that the service failed, somebody is to tell him that this is over.
    fn await_recovery(&self, directory: &Dir, spec: &dyn Settings) {
        let recover = || {
            if run::is_awaited(directory, spec)? {
                let exec = installed::path(installed::EXEC).into_bytes();
                let path = directory.path().as_os_str().as_bytes().to_vec();
                self.host.run(&HostCommand {
                    argv: vec![exec, b"recover".to_vec(), path],
                    timeout: Some(PATIENCE),
                    ..HostCommand::default()
                })?;
            }
            Ok(())
        };
        if let Err::<(), Error>(error) = recover() {
            self.host.log(WARNING, &error.message);
        }
    }

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

rc_sv_api::export_backend!(Monit: attach, detach);

/// What reads monit's words.
#[cfg(fuzzing)]
pub mod fuzzed {
    pub use crate::client::answer::Monit;

    /// The start program on monit's page.
    pub fn start_program(page: &str) -> Option<String> {
        crate::client::fuzzed_page(page)
    }
}
