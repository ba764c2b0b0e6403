//! One call: about which service, and until when.

use crate::origin::Origin;
use crate::scanner::Scanner;
use crate::status;
use crate::suite::Suite;
use crate::supervise::Supervise;
use crate::tree::Tree;
use crate::watch::Watch;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use rc_sv_api::{Code, Error, Request, Result, ServiceName, Settings, Status};
use rc_sv_exec::place::Dir;
use rc_sv_exec::run::record;
use rc_sv_exec::svcdir;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a scanner or a supervisor may take for what it does by itself: those that only look
/// every five seconds look twice.
pub(crate) const PATIENCE: Duration = Duration::from_secs(12);

/// One call.
pub(crate) struct Call {
    pub(crate) suite: &'static Suite,
    pub(crate) service: ServiceName,
    pub(crate) svcdir: PathBuf,
    /// The directory of the service, `SVCDIR/rc-sv/<service>`.
    pub(crate) dir: Dir,
    pub(crate) tree: Tree,
    /// When the caller loses patience.
    pub(crate) deadline: Instant,
    /// It is the caller's own.
    is_strict: bool,
    /// The runscript comes before the run that is asked for.
    pub(crate) by_script: bool,
}

impl Call {
    /// A call about the service of `spec`; its directories are made. `usual` holds where the
    /// request gives no time-out.
    pub(crate) fn make(
        suite: &'static Suite,
        spec: &dyn Settings,
        request: &Request,
        usual: Duration,
    ) -> Result<Call> {
        let service = spec.service()?;
        let svcdir = svcdir::find(spec.text("svcdir"));
        Ok(Call {
            dir: Dir::make_service(&svcdir, &service)?,
            tree: Tree::make(&svcdir, suite)?,
            suite,
            service,
            svcdir,
            deadline: Instant::now() + request.timeout.unwrap_or(usual),
            is_strict: request.timeout.is_some(),
            by_script: false,
        })
    }

    /// A call about a service that was started before; `None` when it was not.
    pub(crate) fn find(
        suite: &'static Suite,
        spec: &dyn Settings,
        request: &Request,
        usual: Duration,
    ) -> Result<Option<Call>> {
        let service = spec.service()?;
        let svcdir = svcdir::find(spec.text("svcdir"));
        let Some(tree) = Tree::open(&svcdir, suite)? else {
            return Ok(None);
        };
        let dir = match Dir::open_service(&svcdir, &service) {
            Err(error) if error.code == Code::NotFound => return Ok(None),
            dir => dir?,
        };
        let deadline = Instant::now() + request.timeout.unwrap_or(usual);
        Ok(tree.has(&service).then_some(Call {
            suite,
            service,
            svcdir,
            dir,
            tree,
            deadline,
            is_strict: request.timeout.is_some(),
            by_script: false,
        }))
    }

    /// Forgets what was before, for a run that a person asked for.
    pub(crate) fn forget(&self) -> Result<()> {
        record::forget(&self.dir)?;
        match self.by_script {
            true => record::want_script(&self.dir),
            false => Ok(()),
        }
    }

    /// One look at everything.
    pub(crate) fn status(&self) -> Result<Status> {
        let dir = || Dir::open_service(&self.svcdir, &self.service);
        status::look(&self.tree, &self.service, dir)
    }

    /// The supervisor of the service.
    pub(crate) fn supervise(&self) -> Supervise<'_> {
        self.tree.supervise(self.service.as_str())
    }

    /// Whether its directory was written by hand.
    pub(crate) fn is_native(&self) -> bool {
        self.tree.native(&self.service).is_some()
    }

    /// Where its directory comes from.
    pub(crate) fn origin(&self) -> Origin {
        let native = self.tree.native(&self.service);
        native.map_or(Origin::Generated, Origin::Native)
    }

    /// From now on it may take this long.
    pub(crate) fn patient(&mut self, patience: Duration) {
        self.deadline = Instant::now() + patience;
    }

    /// A watch of its files.
    pub(crate) fn watch(&self) -> Result<Watch> {
        let mut watch = Watch::new()?;
        watch.add(self.dir.path())?;
        watch.add_service(&self.tree.path(&self.service))?;
        Ok(watch)
    }

    /// Waits until no other call changes the service.
    ///
    /// # Errors
    /// Another one does so for too long.
    pub(crate) fn lock(&self) -> Result<Flock<File>> {
        let path = self.dir.path();
        let failed = |cause| Error::io(format_args!("lock {}", path.display()), &cause);
        let mut file = File::open(path).map_err(failed)?;
        let mut watch = None;
        loop {
            file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => return Ok(lock),
                Err((file, Errno::EAGAIN | Errno::EINTR)) => file,
                Err((_, errno)) => return Err(failed(errno.into())),
            };
            // Then it is tried once more: an end that comes after that is seen.
            let Some(watch) = &mut watch else {
                let new = Watch::new()?;
                new.add_closing(path)?;
                watch = Some(new);
                continue;
            };
            if !watch.wait(self.deadline)? {
                let message = format!("another call is at work on {} for too long", self.service);
                return Err(Error::new(Code::Timeout, message));
            }
        }
    }

    /// What is left of the time, but no more than `most` from now.
    pub(crate) fn within(&self, most: Duration) -> Instant {
        self.deadline.min(Instant::now() + most)
    }

    /// `more` from now, for who asks for it, unless the caller says how long he waits.
    pub(crate) fn extended(&self, more: Duration) -> Instant {
        match self.is_strict {
            true => self.within(more),
            false => Instant::now() + more,
        }
    }

    /// The scanner.
    pub(crate) fn scanner(&self, set: Option<&Path>) -> Result<Scanner> {
        Scanner::find(self.suite, set, &self.svcdir)
    }

    /// Something did not happen in time.
    pub(crate) fn late(&self, what: &str) -> Error {
        let message = format!("{} {what}", self.suite.supervisor);
        Error::new(Code::Timeout, message)
    }
}
