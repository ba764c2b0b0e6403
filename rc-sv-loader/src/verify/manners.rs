//! What a module must leave alone in the process of its host.

use super::report::{wrong, Finding};
use rc_sv_api::{Error, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What belongs to the host.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Manners {
    descriptors: BTreeSet<(String, PathBuf)>,
    threads: usize,
    directory: PathBuf,
    environment: BTreeSet<(std::ffi::OsString, std::ffi::OsString)>,
    /// Umask, blocked, ignored and caught signals, as /proc has them.
    lines: Vec<String>,
}

/// The lines of /proc/self/status that count, and what they are for people.
const LINES: [(&str, &str); 4] = [
    ("Umask:", "the file mode mask"),
    ("SigBlk:", "which signals are blocked"),
    ("SigIgn:", "which signals are ignored"),
    ("SigCgt:", "which signals have a handler"),
];

impl Manners {
    /// How things are now.
    pub fn now() -> Result<Manners> {
        let io = |path: &str, error: std::io::Error| Error::io(path, &error);
        let read = |path: &str| std::fs::read_dir(path).map_err(|error| io(path, error));
        let status = "/proc/self/status";
        let text = std::fs::read_to_string(status).map_err(|error| io(status, error))?;
        let line = |name: &str| text.lines().find(|line| line.starts_with(name));
        let descriptor = |entry: std::io::Result<std::fs::DirEntry>| {
            let entry = entry.ok()?;
            // The descriptor of this very directory is gone when its link is read.
            let target = std::fs::read_link(entry.path()).ok()?;
            let own = target.starts_with("/proc") && target.ends_with("fd");
            (!own).then(|| (entry.file_name().to_string_lossy().into_owned(), target))
        };
        Ok(Manners {
            descriptors: read("/proc/self/fd")?.filter_map(descriptor).collect(),
            threads: read("/proc/self/task")?.count(),
            directory: std::env::current_dir().map_err(|error| io(".", error))?,
            environment: std::env::vars_os().collect(),
            lines: LINES
                .iter()
                .map(|(name, _)| line(name).unwrap_or_default().to_string())
                .collect(),
        })
    }

    /// Whether everything is as it was before.
    pub fn compare(&self, before: &Manners) -> Finding {
        let new: Vec<_> = self.descriptors.difference(&before.descriptors).collect();
        if let Some((number, target)) = new.first() {
            let target = target.display();
            return Err(wrong(format!(
                "descriptor {number} ({target}) was left open; close what you open"
            )));
        }
        if let Some((number, target)) = before.descriptors.difference(&self.descriptors).next() {
            let target = target.display();
            return Err(wrong(format!(
                "closed descriptor {number} ({target}), which is the host's"
            )));
        }
        if self.threads > before.threads {
            return Err(wrong("left a thread behind; end them in close"));
        }
        if self.directory != before.directory {
            let now = self.directory.display();
            return Err(wrong(format!(
                "changed the host's working directory to {now}; use absolute paths or openat"
            )));
        }
        if self.environment != before.environment {
            return Err(wrong("changed the host's environment"));
        }
        for (index, (_, what)) in LINES.iter().enumerate() {
            if self.lines[index] != before.lines[index] {
                let (was, is) = (&before.lines[index], &self.lines[index]);
                let text = format!("changed {what} of the host ({was:?}, now {is:?})");
                return Err(wrong(text.replace("\\t", " ")));
            }
        }
        Ok("descriptors, threads, directory, environment, mask and signals are as before".into())
    }
}

/// Whether `file` is still empty: nothing may be printed where the host prints.
pub(super) fn is_silent(file: &Path, what: &str) -> Finding {
    let said = std::fs::read(file).map_err(|error| Error::io(file.display(), &error))?;
    if said.is_empty() {
        return Ok("nothing was written".into());
    }
    let text = String::from_utf8_lossy(&said).into_owned();
    let line = text.lines().next().unwrap_or_default();
    Err(wrong(format!(
        "wrote to the host's {what}: {line:?}; use host->log"
    )))
}
