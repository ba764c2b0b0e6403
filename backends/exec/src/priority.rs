//! Priorities of a process that somebody else has started.

use crate::{ioprio, process};
use rc_sv_api::{Error, Result, Settings};
use std::{fs, io};

/// Gives all threads of process `pid` the priorities of `spec`. Those that this process has itself
/// were asked for by nobody, and the daemon may have chosen its own. A process that is gone needs
/// none.
///
/// # Errors
/// It may not be done, or a priority does not fit.
pub fn give(pid: i32, spec: &dyn Settings) -> Result<()> {
    if let Some(nice) = number(spec, "rc_supervise_nice").filter(|nice| *nice != process::nice()) {
        each_thread(pid, |thread| process::set_nice(thread, nice))
            .map_err(|cause| failed("rc_supervise_nice", pid, &cause))?;
    }
    if let Some(text) = spec.text("rc_supervise_ionice") {
        let wanted = ioprio::parse(&String::from_utf8_lossy(text));
        let wanted = wanted
            .map_err(|right| Error::invalid(format!("rc_supervise_ionice: must be {right}")))?;
        if wanted != process::io_priority() {
            each_thread(pid, |thread| process::set_io_priority(thread, wanted))
                .map_err(|cause| failed("rc_supervise_ionice", pid, &cause))?;
        }
    }
    const OOM: &str = "rc_supervise_oom_score_adj";
    if let Some(score) = number(spec, OOM) {
        let own = fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
        if own.trim() != score.to_string() {
            let written = fs::write(format!("/proc/{pid}/oom_score_adj"), score.to_string());
            unless_gone(written).map_err(|cause| failed(OOM, pid, &cause))?;
        }
    }
    Ok(())
}

fn number(spec: &dyn Settings, name: &str) -> Option<i32> {
    spec.int(name).and_then(|number| number.try_into().ok())
}

/// A priority is that of a thread; new ones have that of who makes them.
fn each_thread(pid: i32, set: impl Fn(i32) -> io::Result<()>) -> io::Result<()> {
    let threads = match fs::read_dir(format!("/proc/{pid}/task")) {
        Err(cause) => return unless_gone(Err(cause)),
        Ok(threads) => threads,
    };
    for thread in threads.flatten() {
        if let Ok(thread) = thread.file_name().to_string_lossy().parse() {
            unless_gone(set(thread))?;
        }
    }
    Ok(())
}

fn unless_gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(cause) if crate::stat::is_gone(&cause) => Ok(()),
        done => done,
    }
}

fn failed(key: &str, pid: i32, cause: &io::Error) -> Error {
    Error::io(format_args!("{key}: set it for process {pid}"), cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::{Spec, Value};
    use std::process::Command;

    #[test]
    fn a_process_of_somebody_else_gets_what_was_asked_for() {
        let mut child = Command::new("sleep").arg("4242").spawn().unwrap();
        let pid = child.id() as i32;
        let mut spec = Spec::default();
        spec.put("rc_supervise_nice", Value::Int(7));
        spec.put("rc_supervise_oom_score_adj", Value::Int(500));
        let given = give(pid, spec.settings());
        let score = fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        given.unwrap();
        let nice = stat.rsplit_once(") ").unwrap().1.split(' ').nth(16);
        assert_eq!((score.trim(), nice), ("500", Some("7")));
        give(pid, spec.settings()).unwrap();
    }
}
