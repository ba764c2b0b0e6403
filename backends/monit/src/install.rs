//! Putting a control file where monit reads it: one that it takes, alone and beside all the others
//! that it reads. Else it ends, sooner or later.

use crate::control_file::{include, preflight, Rendered};
use crate::settings::{file_name, file_path, Monit, SUFFIX};
use rc_sv_api::abi::Host;
use rc_sv_api::{Error, Result};
use rc_sv_exec::place::Dir;
use std::fs;
use std::path::{Path, PathBuf};

/// A control file that is to be installed.
pub struct Candidate<'a> {
    host: Host,
    program: PathBuf,
    private: &'a Dir,
    directory: Dir,
    path: PathBuf,
    name: String,
    control: &'a Rendered,
    /// What is there now.
    old: Option<Vec<u8>>,
}

impl<'a> Candidate<'a> {
    /// `control` for `service`, whose directory is `private`.
    ///
    /// # Errors
    /// There is no program of monit, or the include directory is not root's alone.
    pub fn new(
        host: Host,
        monit: &Monit,
        private: &'a Dir,
        service: &str,
        control: &'a Rendered,
    ) -> Result<Candidate<'a>> {
        let directory = Dir::make_path(&monit.include, crate::attach::INCLUDE_MODE)?;
        let name = file_name(service);
        Ok(Candidate {
            host,
            program: monit.program()?,
            private,
            old: directory.read(&name)?,
            directory,
            path: file_path(&monit.include, service),
            name,
            control,
        })
    }

    /// Whether there is none of this service yet.
    pub fn is_first(&self) -> bool {
        self.old.is_none()
    }

    /// Installs it for a monit that runs later: that will read it with the others in the directory.
    ///
    /// # Errors
    /// monit does not take it, or not beside those.
    pub fn install_for_later(&self) -> Result<()> {
        if self.is_new() {
            let others = self.others();
            self.check_among(&others, || {
                preflight::all(self.host, &self.program, self.private, &others)
            })?;
        }
        self.put(self.text())
    }

    /// Installs it for the monit that runs, whose control file is `main`. Answers why it had better
    /// not be told to read it, if so: something else would end it.
    ///
    /// # Errors
    /// monit does not take it, or not beside what it reads already, or does not read it, or more
    /// than once. All is as it was.
    pub fn install_beside(&self, main: &Path, is_loaded: bool) -> Result<Option<String>> {
        let is_certain = include::check(main, &self.path)?;
        let whole = || preflight::whole(self.host, &self.program, main);
        // Most often all is well, and one look of monit's program is enough for ours and the others.
        let is_checked = match &self.old {
            None => self.check_among(&[main.to_path_buf()], whole)? && is_certain,
            Some(_) => {
                if self.is_new() {
                    self.check_alone()?;
                }
                false
            }
        };
        self.put(self.text())?;
        if is_checked || is_loaded {
            return Ok(None);
        }
        let Err(error) = whole() else {
            return Ok(None);
        };
        match &self.old {
            Some(old) => self.put(old)?,
            None => self.directory.remove(&self.name)?,
        }
        if whole().is_ok() {
            return Err(error);
        }
        self.put(self.text())?;
        let path = self.path.display();
        Ok(Some(format!("{path} is not read: {}", error.message)))
    }

    /// Whether monit takes it beside `others`. If not, `without` tells whose fault that is.
    fn check_among(&self, others: &[PathBuf], without: impl Fn() -> Result<()>) -> Result<bool> {
        match self.check_beside(others) {
            Ok(()) => Ok(true),
            Err(error) => {
                self.check_alone()?;
                // Each is well, and both are not.
                without().map_or(Ok(false), |()| Err(error))
            }
        }
    }

    fn check_alone(&self) -> Result<()> {
        self.check_beside(&[])
    }

    fn check_beside(&self, others: &[PathBuf]) -> Result<()> {
        let checked =
            preflight::check_beside(self.host, &self.program, self.private, self.text(), others);
        checked.map_err(|error| Error {
            // Where it is looked for, not where it was looked at.
            message: error.message.replace(
                &preflight::candidate(self.private).display().to_string(),
                &self
                    .control
                    .source
                    .clone()
                    .unwrap_or(self.path.display().to_string()),
            ),
            ..error
        })
    }

    fn others(&self) -> Vec<PathBuf> {
        let directory = self.path.parent().unwrap_or(&self.path);
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let is_other = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            name.ends_with(SUFFIX.as_bytes()) && !name.starts_with(b".") && *path != self.path
        };
        paths.filter(is_other).collect()
    }

    fn is_new(&self) -> bool {
        self.old.as_deref() != Some(self.text())
    }

    fn text(&self) -> &[u8] {
        self.control.text.as_bytes()
    }

    fn put(&self, text: &[u8]) -> Result<()> {
        self.directory.replace(&self.name, 0o600, text)
    }
}
