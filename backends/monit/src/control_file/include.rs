//! What a control file includes: whether monit would read one that is put into a directory.

use super::words::words;
use crate::settings::SUFFIX;
use rc_sv_api::{Error, Result};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// More than this is no control file.
const SIZE_MAX: u64 = 1024 * 1024;
/// As many as monit itself opens.
const FILES_MAX: u32 = 1024;

/// Refuses a `main` that does not include the control file `ours`, or more than once: then monit
/// would find each check twice, and end. Answers whether that is certain.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with what to write there.
pub fn check(main: &Path, ours: &Path) -> Result<bool> {
    let directory = ours.parent().unwrap_or(ours).display();
    let (main, count) = (main.display(), count(main, ours));
    let wrong = match count {
        None => return Ok(false),
        Some(1) => return Ok(true),
        Some(0) => format!(
            "{main} does not include {directory}: add `include {directory}/*{SUFFIX}` and reload \
             monit"
        ),
        Some(count) => format!(
            "{main} includes {directory} {count} times, and monit ends when it reads a check \
             twice: leave one `include {directory}/*{SUFFIX}`"
        ),
    };
    Err(Error::invalid(wrong))
}

/// How often the control file `main`, with those that it includes, includes `ours`. `None`: that
/// cannot be told.
fn count(main: &Path, ours: &Path) -> Option<usize> {
    let mut left = FILES_MAX;
    look(main, ours, &mut left)
}

fn look(file: &Path, ours: &Path, left: &mut u32) -> Option<usize> {
    *left = left.checked_sub(1)?;
    let mut text = Vec::new();
    let opened = File::open(file).ok()?;
    opened.take(SIZE_MAX).read_to_end(&mut text).ok()?;
    let mut count = 0;
    for pattern in patterns(&text)? {
        if !is_plain(&pattern) {
            return None;
        }
        if is_in_directory_of(&pattern, ours) {
            count += usize::from(covers(&pattern, ours));
            continue;
        }
        for file in files(&pattern) {
            count += look(&file, ours, left)?;
        }
    }
    Some(count)
}

/// What `text` includes.
fn patterns(text: &[u8]) -> Option<Vec<PathBuf>> {
    let words = words(text).ok()?;
    let pairs = words.windows(2).filter(|pair| pair[0].is("include"));
    Some(pairs.map(|pair| PathBuf::from(&pair[1].text)).collect())
}

/// Whether it is known what a pattern stands for: its wildcards are `*` and `?` in its last part.
fn is_plain(pattern: &Path) -> bool {
    let has = |part: &[u8], any: &[u8]| part.iter().any(|byte| any.contains(byte));
    let parent = pattern.parent().map(|it| it.as_os_str().as_encoded_bytes());
    let last = pattern.file_name().map(|it| it.as_encoded_bytes());
    pattern.is_absolute()
        && parent.is_some_and(|parent| !has(parent, b"*?[\\{~"))
        && last.is_some_and(|last| !has(last, b"[\\{"))
}

/// Whether a pattern is about the directory of `ours`, by whichever name.
fn is_in_directory_of(pattern: &Path, ours: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    match (pattern.parent(), ours.parent()) {
        (Some(parent), Some(directory)) => real(parent) == real(directory),
        _ => false,
    }
}

/// Whether `ours` is one of those in its directory that `pattern` stands for.
fn covers(pattern: &Path, ours: &Path) -> bool {
    let last = |path: &Path| path.file_name().map(|it| it.as_encoded_bytes().to_vec());
    match (last(pattern), last(ours)) {
        (Some(pattern), Some(name)) => matches(&pattern, &name),
        _ => false,
    }
}

/// The files that a plain pattern stands for.
fn files(pattern: &Path) -> Vec<PathBuf> {
    let (Some(parent), Some(last)) = (pattern.parent(), pattern.file_name()) else {
        return Vec::new();
    };
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name());
    names
        .filter(|name| {
            let name = name.as_encoded_bytes();
            !name.starts_with(b".") && matches(last.as_encoded_bytes(), name)
        })
        .map(|name| parent.join(name))
        .filter(|path| path.is_file())
        .collect()
}

/// Whether `name` is one that `pattern` with `*` and `?` stands for.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            matches(rest, name)
                || name
                    .split_first()
                    .is_some_and(|(_, name)| matches(pattern, name))
        }
        (Some((b'?', rest)), Some((_, name))) => matches(rest, name),
        (Some((one, rest)), Some((other, name))) => one == other && matches(rest, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_names() {
        for pattern in ["*", "*.monitrc", "s?rvice.*", "service.monitrc"] {
            assert!(matches(pattern.as_bytes(), b"service.monitrc"), "{pattern}");
        }
        for pattern in ["", "*.conf", "?", "service.monitrc?", "x*"] {
            assert!(
                !matches(pattern.as_bytes(), b"service.monitrc"),
                "{pattern}"
            );
        }
    }

    #[test]
    fn an_include_of_an_include_counts() {
        let dir = tempfile::tempdir().unwrap();
        let main = dir.path().join("monitrc");
        let ours = Path::new("/run/openrc-monit/foo.monitrc");
        let parts = dir.path().join("parts");
        fs::create_dir(&parts).unwrap();
        let write = |path: &Path, text: &str| fs::write(path, text).unwrap();
        write(&main, "set daemon 5\n# include /run/openrc-monit/*\n");
        assert_eq!(count(&main, ours), Some(0));
        for line in [
            "INCLUDE /run/openrc-monit/*",
            "include '/run//openrc-monit/*.monitrc'",
            "include /run/openrc-monit/foo.monitrc",
        ] {
            write(&main, line);
            assert_eq!(count(&main, ours), Some(1), "{line}");
        }
        write(&main, &format!("include {}/*.conf\n", parts.display()));
        write(&parts.join("a.txt"), "include /run/openrc-monit/*\n");
        assert_eq!(count(&main, ours), Some(0));
        write(&parts.join("a.conf"), "include /run/openrc-monit/*\n");
        assert_eq!(count(&main, ours), Some(1));
        // One that includes itself ends.
        write(
            &parts.join("a.conf"),
            &format!("include {}/*\n", parts.display()),
        );
        assert_eq!(count(&main, ours), None);
    }

    #[test]
    fn the_same_directory_by_two_names_counts_twice() {
        let dir = tempfile::tempdir().unwrap();
        let main = dir.path().join("monitrc");
        let directory = dir.path().join("monit");
        let other = dir.path().join("other");
        fs::create_dir(&directory).unwrap();
        std::os::unix::fs::symlink(&directory, &other).unwrap();
        let (one, two) = (directory.display(), other.display());
        fs::write(&main, format!("include {one}/*.monitrc\nINCLUDE {two}/*\n")).unwrap();
        let ours = directory.join("foo.monitrc");
        assert_eq!(count(&main, &ours), Some(2));
        for unknown in ["/run/*/*.monitrc", "parts/*", "/run/x/[a-f]*"] {
            fs::write(&main, format!("include {unknown}\n")).unwrap();
            assert_eq!(count(&main, &ours), None, "{unknown}");
        }
    }
}
