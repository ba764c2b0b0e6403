//! What a control file includes: whether monit would read one that is put into a directory.

use super::words::words;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// More than this is no control file.
const SIZE_MAX: u64 = 1024 * 1024;
/// As many as monit itself opens.
const FILES_MAX: u32 = 1024;

/// Whether the control file `main`, or one that it includes, includes control files of ours in
/// `directory`. `None`: that cannot be told.
pub fn reaches(main: &Path, directory: &Path) -> Option<bool> {
    let mut left = FILES_MAX;
    look(main, directory, &mut left)
}

fn look(file: &Path, directory: &Path, left: &mut u32) -> Option<bool> {
    *left = left.checked_sub(1)?;
    let mut text = Vec::new();
    let opened = File::open(file).ok()?;
    opened.take(SIZE_MAX).read_to_end(&mut text).ok()?;
    let patterns = patterns(&text)?;
    if patterns.iter().any(|pattern| covers(pattern, directory)) {
        return Some(true);
    }
    for file in patterns.iter().flat_map(|pattern| files(pattern)) {
        if look(&file, directory, left)? {
            return Some(true);
        }
    }
    Some(false)
}

/// What `text` includes.
fn patterns(text: &[u8]) -> Option<Vec<PathBuf>> {
    let words = words(text).ok()?;
    let pairs = words.windows(2).filter(|pair| pair[0].is("include"));
    Some(pairs.map(|pair| PathBuf::from(&pair[1].text)).collect())
}

/// Whether a control file of ours in `directory` is one of those that `pattern` stands for.
fn covers(pattern: &Path, directory: &Path) -> bool {
    let last = pattern.file_name().and_then(|name| name.to_str());
    pattern.parent() == Some(directory)
        && last.is_some_and(|last| matches(last.as_bytes(), b"service.monitrc"))
}

/// The files that a pattern stands for, if its wildcards are in its last part.
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
        let ours = Path::new("/run/openrc-monit");
        let parts = dir.path().join("parts");
        fs::create_dir(&parts).unwrap();
        let write = |path: &Path, text: &str| fs::write(path, text).unwrap();
        write(&main, "set daemon 5\n# include /run/openrc-monit/*\n");
        assert_eq!(reaches(&main, ours), Some(false));
        for line in [
            "INCLUDE /run/openrc-monit/*",
            "include '/run/openrc-monit/*.monitrc'",
        ] {
            write(&main, line);
            assert_eq!(reaches(&main, ours), Some(true), "{line}");
        }
        write(&main, &format!("include {}/*.conf\n", parts.display()));
        write(&parts.join("a.txt"), "include /run/openrc-monit/*\n");
        assert_eq!(reaches(&main, ours), Some(false));
        write(&parts.join("a.conf"), "include /run/openrc-monit/*\n");
        assert_eq!(reaches(&main, ours), Some(true));
        // One that includes itself ends.
        write(
            &parts.join("a.conf"),
            &format!("include {}/*\n", parts.display()),
        );
        assert_eq!(reaches(&main, ours), None);
    }
}
