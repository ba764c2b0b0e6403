//! What a generated service directory contains.

use crate::call::Call;
use crate::suite::Suite;
use rc_sv_api::{Result, Settings};
use rc_sv_exec::log::Stream;
use rc_sv_exec::readiness::Readiness;
use rc_sv_exec::run;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What a service directory is to contain. The order is that of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(Vec<(&'static str, Content)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Directory,
    Link(PathBuf),
    Text(Vec<u8>),
}

impl Files {
    /// Adds a directory, for files that are added after it.
    pub fn directory(&mut self, name: &'static str) {
        self.0.push((name, Content::Directory));
    }

    /// Adds a link to a program.
    pub fn link(&mut self, name: &'static str, to: &Path) {
        self.0.push((name, Content::Link(to.to_path_buf())));
    }

    /// Adds a file.
    pub fn text(&mut self, name: &'static str, bytes: impl Into<Vec<u8>>) {
        self.0.push((name, Content::Text(bytes.into())));
    }

    /// Makes the directory with them.
    ///
    /// # Errors
    /// It is there already, or a file cannot be made.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        fs::create_dir(directory)?;
        self.0.iter().try_for_each(|(name, content)| {
            let path = directory.join(name);
            match content {
                Content::Directory => fs::create_dir(path),
                Content::Link(to) => symlink(to, path),
                Content::Text(bytes) => fs::write(path, bytes),
            }
        })
    }
}

/// The directory of the suite's logger.
pub(crate) const LOG: &str = "log";

/// The file by which s6-supervise listens whether a program is ready.
pub(crate) const LISTENS: &str = "notification-fd";

/// The files for the service of `call`; `program` is `rc-sv-exec`.
///
/// # Errors
/// The spec does not say clearly how the program tells that it is ready.
pub(crate) fn files(call: &Call, spec: &dyn Settings, program: &Path) -> Result<Files> {
    let mut files = Files::default();
    files.link(run::LINK, call.dir.path());
    files.link("run", program);
    if call.suite.finish {
        files.link("finish", program);
    }
    // s6-supervise would kill it after five seconds; the spec has a limit of its own. The other
    // suites do not look at the file.
    files.text("timeout-finish", "0\n");
    if Stream::only(spec)?.is_some() {
        files.directory(LOG);
        files.link("log/rc-sv", call.dir.path());
        files.link("log/run", &program.with_file_name("rc-sv-logger"));
    }
    if let Some(number) = listens(call.suite, &Readiness::of(spec)?) {
        files.text(LISTENS, format!("{number}\n"));
    }
    Ok(files)
}

/// The descriptor on which the supervisor itself listens whether the program is ready.
pub(crate) fn listens(suite: &Suite, readiness: &Readiness) -> Option<i32> {
    match readiness {
        Readiness::Descriptor(number) if suite.listens => Some(*number),
        _ => None,
    }
}
