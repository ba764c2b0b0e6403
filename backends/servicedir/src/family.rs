//! The backend of each suite.

use crate::call::Call;
use crate::origin::Origin;
use crate::scanner::{self, Scanner};
use crate::suite::Suite;
use crate::tree::Tree;
use crate::{progress, recorded, refusals, start, status, stop, timeouts};
use rc_sv_api::abi::{Host, Sink};
use rc_sv_api::{
    Backend, Caps, Code, Error, Outcome, Request, Result, Section, ServiceName, Settings, Spec,
    State, Status,
};
use rc_sv_exec::installed;
use rc_sv_exec::instance::Instance;
use rc_sv_exec::launch::Launch;
use rc_sv_exec::log::Stream;
use rc_sv_exec::outline;
use rc_sv_exec::place::Dir;
use rc_sv_exec::process;
use rc_sv_exec::readiness;
use rc_sv_exec::renewal;
use rc_sv_exec::resolve;
use rc_sv_exec::svcdir;
use std::marker::PhantomData;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The module's own setting with another path of the program that is `run` and `finish`.
const PROGRAM_SETTING: &str = "exec";

/// syslog's LOG_INFO.
const INFO: i32 = 6;

/// How long a call may take that only looks, or only tells.
const AT_ONCE: Duration = Duration::from_secs(10);

/// What makes a suite a module.
pub trait Module: Send + 'static {
    /// The suite.
    const SUITE: &'static Suite;
}

/// The backend of the suite of `M`.
pub struct Family<M> {
    host: Host,
    scan_dir: Option<PathBuf>,
    program: PathBuf,
    /// The service directories that were looked at last, and of which OpenRC.
    tree: Option<(PathBuf, Tree)>,
    module: PhantomData<M>,
}

impl<M: Module> Family<M> {
    const SUITE: &'static Suite = M::SUITE;

    fn scan_dir(&self) -> Option<&Path> {
        self.scan_dir.as_deref()
    }

    /// What is about to be started, and as what.
    fn prepare(&self, spec: &dyn Settings) -> Result<(Origin, Spec)> {
        let origin = Origin::of(Self::SUITE, spec)?;
        refusals::check(Self::SUITE, &origin, spec)?;
        renewal::check(spec)?;
        let mut wanted = spec.to_spec();
        timeouts::translate(Self::SUITE, &origin, &mut wanted)?;
        if origin != Origin::Generated {
            return Ok((origin, wanted));
        }
        let resolved = resolve::resolve(wanted.settings())?;
        // Options of OpenRC's tools have become settings.
        refusals::check_options(Self::SUITE, resolved.settings())?;
        Launch::from_settings(resolved.settings())?;
        Stream::only(resolved.settings())?;
        self.check_program()?;
        Ok((origin, resolved))
    }

    /// Says what a start would do.
    fn rehearse(&self, origin: &Origin, spec: &dyn Settings) -> Result<Outcome> {
        outline::refuse_simulation(spec)?;
        let lines = match origin {
            Origin::Generated => outline::of(spec)?,
            Origin::Native(path) => vec![format!("service directory: {}", path.display())],
        };
        lines.iter().for_each(|line| self.host.log(INFO, line));
        Ok(Outcome::Done)
    }

    /// Before a start; a service that runs is looked after whatever has been added since.
    fn check_section(&self) -> Result<()> {
        let settings = self.host.settings();
        Section::new(Self::SUITE.name, &settings).check(&[scanner::SETTING, PROGRAM_SETTING])
    }

    fn check_program(&self) -> Result<()> {
        installed::check(&self.program, PROGRAM_SETTING, Self::SUITE.name)
    }

    fn find(spec: &dyn Settings, request: &Request, usual: Duration) -> Result<Option<Call>> {
        Call::find(Self::SUITE, spec, request, usual)
    }

    /// The service directories of this OpenRC, which stay open.
    fn tree(&mut self, svcdir: &Path) -> Result<Option<&Tree>> {
        // What was removed and made anew has another directory of that name.
        let is_known = |(of, tree): &(PathBuf, Tree)| of == svcdir && tree.is_there();
        if !self.tree.as_ref().is_some_and(is_known) {
            let tree = Tree::open(svcdir, Self::SUITE)?;
            self.tree = tree.map(|tree| (svcdir.to_path_buf(), tree));
        }
        Ok(self.tree.as_ref().map(|(_, tree)| tree))
    }

    fn look(&mut self, svcdir: &Path, service: &ServiceName) -> Result<Status> {
        match self.tree(svcdir)? {
            Some(tree) => status::look(tree, service, || Dir::open_service(svcdir, service)),
            None => Ok(Status::of_state(State::Unmanaged)),
        }
    }

    fn start_in(&self, call: &mut Call, origin: &Origin, spec: &dyn Settings) -> Result<Outcome> {
        let _lock = call.lock()?;
        start::start(call, origin, spec, self.scan_dir(), &self.program).map(|()| Outcome::Done)
    }
}

impl<M: Module> Backend for Family<M> {
    const NAME: &'static str = M::SUITE.name;
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = M::SUITE.description;
    const CAPS: Caps = Caps::OWNS_PROCESS
        .and(Caps::RESTARTS)
        .and(Caps::BACKOFF)
        .and(Caps::GIVE_UP)
        .and(Caps::READINESS)
        .and(Caps::HEALTH)
        .and(Caps::LOGGING)
        .and(Caps::SIGNAL)
        .and(Caps::FINISH_SCRIPT)
        .and(Caps::NOTIFY);

    fn open(host: Host) -> Result<Family<M>> {
        let settings = host.settings();
        let section = Section::new(Self::SUITE.name, &settings);
        let program = section.path(PROGRAM_SETTING)?;
        Ok(Family {
            host,
            scan_dir: section.path(scanner::SETTING)?,
            program: program.unwrap_or_else(|| installed::path(installed::EXEC).into()),
            tree: None,
            module: PhantomData,
        })
    }

    fn probe(&mut self) -> Result<Caps> {
        self.check_section()?;
        Scanner::find(Self::SUITE, self.scan_dir(), &svcdir::find(None))?;
        self.check_program()?;
        Ok(Self::CAPS)
    }

    fn start(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        self.check_section()?;
        let (origin, spec) = self.prepare(spec)?;
        if request.dry_run {
            return self.rehearse(&origin, spec.settings());
        }
        if request.from_supervisor {
            let call = Self::find(spec.settings(), request, AT_ONCE)?.ok_or_else(unknown)?;
            return start::renew(&call, &spec).map(|()| Outcome::Done);
        }
        let usual = stop::patience(&spec) + start_time(&spec);
        let mut call = Call::make(Self::SUITE, spec.settings(), request, usual)?;
        self.start_in(&mut call, &origin, spec.settings())
    }

    fn stop(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        let Some(mut call) = Self::find(spec, request, AT_ONCE)? else {
            return Ok(Outcome::Done);
        };
        if !request.dry_run {
            let recorded = stop::recorded(&call)?;
            call.patient(request.timeout.unwrap_or(stop::patience(&recorded)));
            let _lock = call.lock()?;
            stop::stop(&call)?;
        }
        Ok(Outcome::Done)
    }

    fn restart(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        let mut call = Self::find(spec, request, AT_ONCE)?.ok_or_else(unknown)?;
        let spec = stop::recorded(&call)?;
        if request.dry_run {
            return Ok(Outcome::Done);
        }
        call.by_script = renewal::is_by_script(spec.settings());
        let usual = stop::patience(&spec) * 2 + start_time(&spec);
        call.patient(request.timeout.unwrap_or(usual));
        let origin = call.origin();
        {
            let _lock = call.lock()?;
            stop::down(&call)?;
        }
        self.start_in(&mut call, &origin, spec.settings())
    }

    fn signal(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        let nothing = || Error::new(Code::NotFound, "nothing runs");
        let call = Self::find(spec, request, AT_ONCE)?.ok_or_else(nothing)?;
        let failed = |cause| Error::io("send the signal", &cause);
        let process = if call.is_native() {
            let snapshot = call.supervise().snapshot()?;
            snapshot.supervisor.and(snapshot.process)
        } else {
            match Instance::living(&call.dir) {
                Some(instance) => instance.open().map_err(failed)?,
                None => None,
            }
        };
        let process = process.ok_or_else(nothing)?;
        if !request.dry_run {
            process::send_signal(process.as_fd(), request.signal).map_err(failed)?;
        }
        Ok(Outcome::Done)
    }

    fn status(&mut self, spec: &dyn Settings) -> Result<Status> {
        let (service, svcdir) = (spec.service()?, svcdir::find(spec.text("svcdir")));
        match self.look(&svcdir, &service) {
            Err(error) if error.code == Code::Permission => Ok(recorded::status(&svcdir, &service)),
            status => status,
        }
    }

    fn wait(&mut self, spec: &dyn Settings, request: &Request) -> Result<Status> {
        let call = Self::find(spec, request, AT_ONCE)?.ok_or_else(unknown)?;
        let mut last = Status::default();
        let wanted = request.want_state;
        let mut watch = call.watch()?;
        let found = watch.until(call.supervise(), call.deadline, |_| {
            last = call.status()?;
            Ok((last.state == wanted).then_some(()))
        })?;
        match found {
            Some(()) => Ok(last),
            None => {
                let message = format!(
                    "is {}, and did not become {} in time",
                    last.state.name(),
                    wanted.name()
                );
                Err(Error::new(Code::Timeout, message))
            }
        }
    }

    fn forget(&mut self, spec: &dyn Settings) -> Result<()> {
        let Some(call) = Self::find(spec, &Request::default(), AT_ONCE)? else {
            return Ok(());
        };
        let state = call.status()?.state;
        if !matches!(state, State::Down | State::GaveUp | State::Unmanaged) {
            let message = format!("is {}; stop it first", state.name());
            return Err(Error::new(Code::Conflict, message));
        }
        let _lock = call.lock()?;
        stop::stop(&call)
    }

    fn list(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        let svcdir = svcdir::find(None);
        let tree = match self.tree(&svcdir) {
            // The host then asks for each by itself.
            Err(error) if error.code == Code::Permission => {
                let message = "only root may look into the service directories";
                return Err(Error::new(Code::Unsupported, message));
            }
            tree => tree?,
        };
        let Some(tree) = tree else {
            return Ok(());
        };
        tree.refresh();
        for service in tree.services()? {
            let dir = || Dir::open_service(&svcdir, &service);
            let status = status::look_at(tree, &service, dir)?;
            if !sink(service.as_str(), &status) {
                break;
            }
        }
        Ok(())
    }
}

/// How long a start may take.
fn start_time(spec: &Spec) -> Duration {
    progress::EXECUTE + script_time(spec) + readiness::timeout(spec.settings()) + progress::GRACE
}

/// How long the runscript may take before a run.
fn script_time(spec: &Spec) -> Duration {
    match renewal::is_by_script(spec.settings()) {
        true => readiness::timeout(spec.settings()),
        false => Duration::ZERO,
    }
}

fn unknown() -> Error {
    Error::new(Code::NotFound, "the service was not started")
}
