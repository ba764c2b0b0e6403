//! The loader: what a program needs to find modules and to open them.

use crate::config::{Config, Variables, SYSCONFDIR};
use crate::host::Listener;
use crate::module::Module;
use crate::note;
use crate::search::{is_privileged, Directories, Found};
use rc_sv_api::abi::note::Identity;
use rc_sv_api::{Error, Result, Spec, Value};
use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;

/// syslog's LOG_WARNING.
const WARNING: i32 = 4;

/// Finds and opens modules.
#[derive(Clone)]
pub struct Loader {
    directories: Directories,
    config: Config,
    listener: Rc<dyn Listener>,
    /// Whether somebody was told of a configuration that nobody can read.
    is_told: Rc<Cell<bool>>,
}

/// A module's file in a list, known by its note; nothing of it was run.
#[derive(Debug)]
pub struct Listed {
    /// The module's name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// What it says of itself, or why it cannot be used.
    pub identity: Result<Identity>,
}

impl Loader {
    /// A loader for `directories` with the configuration `config`.
    pub fn new(directories: Directories, config: Config, listener: Rc<dyn Listener>) -> Loader {
        Loader {
            directories,
            config,
            listener,
            is_told: Rc::default(),
        }
    }

    /// The loader of this process: the installed directories, and those of `RC_SV_PATH` unless
    /// the process has more rights than its caller.
    ///
    /// # Errors
    /// `RC_SV_PATH` does not fit.
    pub fn of_process(listener: Rc<dyn Listener>) -> Result<Loader> {
        let variables = Variables::of_process();
        let further = if is_privileged() {
            Vec::new()
        } else {
            variables.search_path()?
        };
        let config = Config::new(SYSCONFDIR, variables);
        Ok(Loader::new(
            Directories::installed(further),
            config,
            listener,
        ))
    }

    /// The same with another listener.
    pub fn with_listener(&self, listener: Rc<dyn Listener>) -> Loader {
        Loader {
            listener,
            ..self.clone()
        }
    }

    /// The listener.
    pub fn listener(&self) -> &dyn Listener {
        &*self.listener
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// All modules, and directories that cannot be used. A module that is hidden by one of the
    /// same name in an earlier directory cannot be used either.
    pub fn list(&self) -> (Vec<Listed>, Vec<Error>) {
        let (found, errors) = self.directories.list();
        let mut all: Vec<Listed> = Vec::new();
        for found in found {
            let earlier = all.iter().find(|earlier| earlier.name == found.name);
            let identity = match earlier {
                Some(earlier) => Err(Error::invalid(format!(
                    "is hidden by {}",
                    earlier.path.display()
                ))),
                None => found
                    .file
                    .and_then(|file| note::read(&file, &found.name).map_err(Error::invalid)),
            };
            all.push(Listed {
                name: found.name,
                path: found.path,
                identity,
            });
        }
        (all, errors)
    }

    /// What the file of the module `name` says of it; nothing of it is run.
    ///
    /// # Errors
    /// There is none, it must not be used, or it is no module.
    pub fn identify(&self, name: &str) -> Result<Identity> {
        let found = self.directories.find(name)?;
        let refuse = |why| Error::invalid(format!("{}: {why}", found.path.display()));
        note::read(&found.file, name).map_err(refuse)
    }

    /// Loads and opens the module `name`.
    ///
    /// # Errors
    /// There is none, it must not be used, it does not fit, or it does not like its settings.
    pub fn open(&self, name: &str) -> Result<Module> {
        self.open_with(name, &[])
    }

    /// The same for a module that has started a service. That has to be stopped and shown also while
    /// the configuration cannot be read: somebody is told, and the module's own section is empty.
    ///
    /// # Errors
    /// As [`Loader::open`], but for the configuration.
    pub fn open_started(&self, name: &str) -> Result<Module> {
        let found = self.directories.find(name)?;
        let settings = self.config.module(name).unwrap_or_else(|error| {
            if !self.is_told.replace(true) {
                let line = format!("{error}; going on without [modules.{name}]");
                self.listener.log(name, WARNING, &line);
            }
            Spec::default()
        });
        self.load(found, &settings)
    }

    /// The same, with these settings of the module's own besides those of its configuration.
    ///
    /// # Errors
    /// As [`Loader::open`].
    pub fn open_with(&self, name: &str, own: &[(&str, i64)]) -> Result<Module> {
        let found = self.directories.find(name)?;
        let mut settings = self.config.module(name)?;
        for (setting, value) in own {
            settings.put(setting, Value::Int(*value));
        }
        self.load(found, &settings)
    }

    fn load(&self, found: Found, settings: &Spec) -> Result<Module> {
        self.listener.loads(&found.name);
        Module::load(found, settings, self.listener.clone())
    }
}
