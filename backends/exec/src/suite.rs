//! Whether a supervision suite is installed.

use rc_sv_api::{Code, Error, Result};
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

/// What a module says that only knows whether its suite is there: `suite` is not installed, or it
/// is, but cannot be driven.
///
/// # Errors
/// Always: [`Code::Unavailable`] or [`Code::Unsupported`].
pub fn refuse<T>(suite: &str, program: &str) -> Result<T> {
    Err(match find(program) {
        None => {
            let message = format!("{suite} is not installed: there is no {program}");
            Error::new(Code::Unavailable, message)
        }
        Some(path) => {
            let path = path.display();
            let message = format!("{path} is there, but this version of rc-sv cannot drive it yet");
            Error::new(Code::Unsupported, message)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_and_present_suites_are_told_apart() {
        let absent = refuse::<()>("nope", "no-such-scanner").unwrap_err();
        assert_eq!(
            absent.message,
            "nope is not installed: there is no no-such-scanner"
        );
        assert_eq!(
            refuse::<()>("sh", "sh").unwrap_err().code,
            Code::Unsupported
        );
    }
}
