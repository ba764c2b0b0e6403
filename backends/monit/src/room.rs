//! Whether monit has room for another control file: one too many ends it when it reloads.

use crate::client::Seen;
use crate::settings::SUFFIX;
use rc_sv_api::{Code, Error, Result};
use std::fs;
use std::path::Path;

/// What monit has open besides control files.
const OTHER_FILES: u64 = 32;

/// Refuses `more` control files in `include` than this monit takes, or may open: each stays open.
///
/// # Errors
/// [`Code::Unavailable`], with what to do.
pub fn check(include: &Path, seen: &Seen, more: u64) -> Result<()> {
    let entries = fs::read_dir(include).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name());
    let ours = names.filter(|name| name.as_encoded_bytes().ends_with(SUFFIX.as_bytes()));
    let count = ours.count() as u64 + more;
    let include = include.display();
    let refused = |what: String| Err(Error::new(Code::Unavailable, what));
    let most = seen.monit.most_files();
    // Its own is one of them.
    if count >= most {
        return refused(format!(
            "{include} would have {count} control files, and this monit takes {most} with its own: \
             set rc_monit_type=native for some services"
        ));
    }
    match seen.pid.and_then(descriptors) {
        Some(limit) if count + OTHER_FILES > limit => refused(format!(
            "monit may open {limit} files, which is too few for {count} control files in {include}: \
             raise `ulimit -n` for monit"
        )),
        _ => Ok(()),
    }
}

/// How many files a process may have open.
fn descriptors(pid: i32) -> Option<u64> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::answer::Monit;

    #[test]
    fn one_too_many_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let seen = |version: &str| Seen {
            monit: Monit {
                version: version.into(),
                ..Monit::default()
            },
            pid: None,
        };
        fs::write(dir.path().join("foo.monitrc"), "").unwrap();
        fs::write(dir.path().join("foo.conf"), "").unwrap();
        assert!(check(dir.path(), &seen("5.29.0"), 510).is_ok());
        let said = check(dir.path(), &seen("5.29.0"), 511).unwrap_err().message;
        assert!(said.contains("would have 512 control files"), "{said}");
        assert!(check(dir.path(), &seen("5.33.0"), 511).is_ok());
    }

    #[test]
    fn the_limit_of_a_process_is_read() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(descriptors(own).is_some_and(|limit| limit > 0));
    }
}
