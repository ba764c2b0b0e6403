//! Settings of a lab to be.

use std::path::PathBuf;

use super::plan::Plan;
use super::{cgroup, place, Lab};

/// What /bin/sh is in a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// Debian's own.
    Dash,
    /// GNU bash in its POSIX mode.
    Bash,
    /// The ash of busybox.
    Busybox,
}

impl Shell {
    /// All of them, for tests which must hold with each.
    pub const ALL: [Shell; 3] = [Shell::Dash, Shell::Bash, Shell::Busybox];

    /// Its name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Shell::Dash => "dash",
            Shell::Bash => "bash",
            Shell::Busybox => "busybox",
        }
    }

    /// The shell of that name.
    pub fn from_name(name: &str) -> Option<Shell> {
        Shell::ALL.into_iter().find(|shell| shell.name() == name)
    }

    pub(crate) fn target(self) -> Option<&'static str> {
        (self != Shell::Dash).then(|| self.name())
    }
}

/// Settings of a lab to be. Made by [`Lab::builder`].
#[derive(Debug, Clone)]
pub struct Builder {
    shell: Shell,
    cgroup: bool,
    stage: bool,
    over: Vec<PathBuf>,
}

impl Builder {
    pub(super) fn new() -> Builder {
        Builder {
            shell: Shell::Dash,
            cgroup: true,
            stage: true,
            over: Vec::new(),
        }
    }

    /// Makes /bin/sh this shell. Default: dash.
    pub fn shell(mut self, shell: Shell) -> Builder {
        self.shell = shell;
        self
    }

    /// A lab without cgroups: nothing is mounted on /sys/fs/cgroup.
    pub fn without_cgroup(mut self) -> Builder {
        self.cgroup = false;
        self
    }

    /// A lab with stock OpenRC only, without the installed rc-sv tree.
    pub fn without_stage(mut self) -> Builder {
        self.stage = false;
        self
    }

    /// Lays the directory `tree` on top of everything else, read-only and
    /// shared: `tree/usr/bin/x` becomes /usr/bin/x.
    pub fn over(mut self, tree: impl Into<PathBuf>) -> Builder {
        self.over.push(tree.into());
        self
    }

    /// Makes the lab.
    ///
    /// # Panics
    /// When the Debian root, the installed tree or the lab's program is
    /// missing (the message says which command makes it), or when a namespace
    /// or mount is refused.
    pub fn build(self) -> Lab {
        self.try_build()
            .unwrap_or_else(|error| panic!("lab: {error}"))
    }

    /// As [`Builder::build`], with the complaint as a value.
    pub fn try_build(self) -> Result<Lab, String> {
        let program = place::program()?;
        let root = place::root()?;
        let stage = if self.stage {
            Some(place::stage()?)
        } else {
            None
        };
        let over = self.over.into_iter().rev().chain(stage).collect();
        let cgroup = if self.cgroup { cgroup::create() } else { None };
        let plan = Plan {
            root,
            over,
            shell: self.shell,
            cgroup,
        };
        Lab::start(&program, &plan).inspect_err(|_| {
            if let Some(path) = &plan.cgroup {
                // The keeper has removed it already, unless it never ran.
                let _ = cgroup::remove(path);
            }
        })
    }
}
