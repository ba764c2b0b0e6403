//! What keeps monit from watching, or will: said one line each, with what would be right. Nothing is
//! changed to find it.

use crate::attach::INCLUDE_MODE;
use crate::client::answer::Monit as Answer;
use crate::client::{Seen, BUSY};
use crate::control_file::{include, preflight};
use crate::room;
use crate::settings::{file_path, Monit};
use rc_sv_api::abi::Host;
use rc_sv_api::{Code, Error, Result};
use rc_sv_exec::place::Dir;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

/// syslog's LOG_NOTICE: to be mended.
const NOTICE: i32 = 5;
/// syslog's LOG_INFO: a fact.
const INFO: i32 = 6;

/// The first whose status is as `answer.rs` reads it.
const OLDEST: (u32, u32) = (5, 25);
/// The directory of given control files may be read by anybody.
const FILES_MODE: u32 = 0o755;
/// With a longer pause between its looks monit finds a crash late.
const POLL_MAX: u32 = 10;

/// Looks at everything, and logs what is to be mended.
///
/// # Errors
/// monit cannot be used as it is; with the remedy.
pub fn examine(host: Host, monit: &Monit) -> Result<()> {
    let mend = |line: &str| host.log(NOTICE, line);
    let program = monit.program()?;
    for (path, mode) in [(&monit.include, INCLUDE_MODE), (&monit.files, FILES_MODE)] {
        match Dir::open_path(path, mode) {
            Err(error) if error.code != Code::NotFound => mend(&error.message),
            // Without one nothing was attached yet, and no file is given.
            _ => {}
        }
    }
    let seen = monit.client.look(Instant::now() + BUSY)?;
    let answer = &seen.monit;
    host.log(INFO, &introduction(&seen));
    check_version(answer)?;
    let main = Path::new(&answer.control_file);
    for line in paces(answer) {
        mend(&line);
    }
    if let Err(error) = preflight::whole(host, &program, main) {
        mend(&format!(
            "monit would end at its next reload: {}",
            error.message
        ));
    }
    let any = file_path(&monit.include, "service");
    if let Err(error) = include::check(main, &any) {
        mend(&error.message);
    }
    for line in ways(monit, &seen) {
        mend(&line);
    }
    if let Err(error) = monit.client.try_to_act(Instant::now() + BUSY) {
        mend(&error.message);
    }
    if let Err(error) = room::check(&monit.include, &seen, 0) {
        mend(&error.message);
    }
    Ok(())
}

fn introduction(seen: &Seen) -> String {
    let pid = seen.pid.map(|pid| format!(", pid {pid}"));
    format!(
        "monit {}{}, looks every {} s, read {}",
        seen.monit.version,
        pid.unwrap_or_default(),
        seen.monit.poll,
        seen.monit.control_file
    )
}

fn check_version(answer: &Answer) -> Result<()> {
    match answer.release() {
        Some(release) if release >= OLDEST => Ok(()),
        _ => Err(Error::new(
            Code::Unavailable,
            format!(
                "monit {} is too old; {}.{} or later is needed",
                answer.version, OLDEST.0, OLDEST.1
            ),
        )),
    }
}

/// How soon it finds what it is to find.
fn paces(answer: &Answer) -> Vec<String> {
    let main = &answer.control_file;
    let mut lines = Vec::new();
    if answer.poll > POLL_MAX {
        lines.push(format!(
            "a crash is seen after up to {} s: write `set daemon 5` into {main}",
            answer.poll
        ));
    }
    if answer.start_delay > 0 {
        lines.push(format!(
            "after its own start monit looks at nothing for {} s: leave `with start delay` out of \
             {main}",
            answer.start_delay
        ));
    }
    lines
}

/// Who else can come the way that we come.
fn ways(monit: &Monit, seen: &Seen) -> Vec<String> {
    let main = &seen.monit.control_file;
    let mut lines = Vec::new();
    match monit.client.socket() {
        None => lines.push(format!(
            "monit cannot be told over TCP to read control files: write `set httpd unixsocket` into \
             {main}, and set socket under [modules.monit]"
        )),
        Some(socket) => {
            let mode = fs::metadata(socket).map_or(0, |found| found.permissions().mode() & 0o777);
            if mode & 0o022 != 0 && !monit.client.has_credentials() {
                lines.push(format!(
                    "{} has mode {mode:04o}: whoever may write to it gives orders to root; add \
                     `permission 0600` to `set httpd unixsocket` in {main}",
                    socket.display()
                ));
            }
        }
    }
    if monit.is_password_known {
        lines.push(format!(
            "user admin and password monit are those of its manual: choose others in {main}, and \
             under [modules.monit]"
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_monit_is_told_what_to_write() {
        let answer = Answer {
            poll: 30,
            start_delay: 240,
            control_file: "/etc/monitrc".into(),
            ..Answer::default()
        };
        let lines = paces(&answer);
        assert_eq!(
            lines[0],
            "a crash is seen after up to 30 s: write `set daemon 5` into /etc/monitrc"
        );
        assert!(lines[1].contains("for 240 s"), "{lines:?}");
        assert!(paces(&Answer {
            poll: 5,
            ..Answer::default()
        })
        .is_empty());
    }

    #[test]
    fn an_old_monit_is_refused() {
        let of = |version: &str| {
            check_version(&Answer {
                version: version.into(),
                ..Answer::default()
            })
        };
        assert!(of("5.24.9").unwrap_err().message.contains("5.25 or later"));
        assert!(of("5.25.0").is_ok() && of("6.0").is_ok() && of("x").is_err());
    }
}
