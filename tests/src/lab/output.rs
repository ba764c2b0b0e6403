//! What a program run in a lab did.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// What a program did.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote, bytes that are not UTF-8 replaced.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// Something it left behind still holds its standard output or error:
    /// `rc-service foo start | cat` would hang.
    pub held_open: bool,
    pub(super) what: String,
}

impl Output {
    /// The exit code; 128 + N when it was killed by signal N, as in a shell.
    pub fn code(&self) -> i32 {
        let killed = || self.status.signal().map(|signal| 128 + signal);
        self.status.code().or_else(killed).unwrap_or(-1)
    }

    /// Standard output, provided that the program succeeded.
    ///
    /// # Panics
    /// With everything it wrote, when it did not.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.status.success(), "failed: {self}");
        self.stdout
    }

    /// Standard output followed by standard error.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\n--- {}", self.what, self.status)?;
        write!(f, "--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }
}
