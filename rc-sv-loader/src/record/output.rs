//! The last output of a service, where its module keeps it: the end of the files `output` and `error` in
//! the service's directory.

use super::{check, Records, READ};
use nix::fcntl::openat;
use nix::sys::stat::Mode;
use rc_sv_api::{last_lines, ServiceName};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

impl Records {
    /// The last lines of `service`, of both outputs one after the other; `None` where none are kept,
    /// or the caller may not read them.
    pub fn last_output(&self, service: &ServiceName) -> Option<String> {
        let directory = self.open(service).ok()??;
        let texts = ["output", "error"].map(|name| self.lines_of(service, &directory, name));
        let texts: Vec<String> = texts.into_iter().flatten().collect();
        let kept: Vec<&str> = texts.iter().map(String::as_str).collect();
        (!kept.is_empty()).then(|| kept.join("\n").trim_matches('\n').to_string())
    }

    fn lines_of(&self, service: &ServiceName, directory: &OwnedFd, name: &str) -> Option<String> {
        let file = File::from(openat(directory, name, READ, Mode::empty()).ok()?);
        check(|| self.path(service).join(name), &file).ok()?;
        lines(&file).ok()
    }
}

/// What of the output is not kept any more reads as zeros; an output that is kept from its beginning
/// has a newline before it.
fn lines(file: &File) -> io::Result<String> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(last_lines::MOST as u64);
    let mut bytes = vec![0; (length - start) as usize];
    file.read_exact_at(&mut bytes, start)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Ok(last_lines::lines(&bytes[zeros..], false))
}
