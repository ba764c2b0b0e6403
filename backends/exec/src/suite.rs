//! Whether a supervision suite is installed.

use std::path::{Path, PathBuf};

/// Where Debian, Alpine and Gentoo put the programs of the suites, and where an administrator
/// does. The caller's PATH is no guide: OpenRC's is not that of a login.
const DIRECTORIES: [&str; 7] = [
    "/usr/bin",
    "/usr/sbin",
    "/bin",
    "/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/command",
];

/// The path of `program`, if it is installed.
pub fn find(program: &str) -> Option<PathBuf> {
    DIRECTORIES
        .iter()
        .map(|dir| Path::new(dir).join(program))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_and_present_programs_are_told_apart() {
        assert_eq!(find("no-such-scanner"), None);
        assert!(find("sh").is_some_and(|path| path.is_absolute()));
    }
}
