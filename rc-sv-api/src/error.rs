//! Errors as they cross the ABI: a code to act upon and one line for a person.

use std::fmt;

/// The result of everything that can go wrong in a backend or in the loader.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of failure it is. The numbers are part of ABI 1 (`RC_SV_E_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    /// The operation or option is not offered by this module.
    Unsupported = -1,
    /// The spec or an argument is missing, malformed or contradictory.
    Invalid = -2,
    /// The supervisor does not know the service.
    NotFound = -3,
    /// The supervisor is not installed.
    Unavailable = -4,
    /// The supervisor is installed, but its daemon or scan directory is not up.
    NotRunning = -5,
    /// The caller may not do this.
    Permission = -6,
    /// A named time-out passed.
    Timeout = -7,
    /// The service is supervised elsewhere, or the name is taken.
    Conflict = -8,
    /// The supervisor or the service said no.
    Failed = -9,
    /// A system call failed; see [`Error::os_errno`].
    Io = -10,
    /// The supervisor's answer was not understood.
    Protocol = -11,
    /// Out of memory.
    NoMemory = -12,
    /// The module does not fit this host (set by the loader only).
    Abi = -125,
    /// An isolated module died (set by the loader only).
    Crashed = -126,
    /// A Rust module panicked; caught at its entry.
    Panic = -127,
}

impl Code {
    /// Every code, in the order of the header.
    pub const ALL: [Code; 15] = [
        Code::Unsupported,
        Code::Invalid,
        Code::NotFound,
        Code::Unavailable,
        Code::NotRunning,
        Code::Permission,
        Code::Timeout,
        Code::Conflict,
        Code::Failed,
        Code::Io,
        Code::Protocol,
        Code::NoMemory,
        Code::Abi,
        Code::Crashed,
        Code::Panic,
    ];

    /// The code for a number of the ABI, or `None` for one that this version does not know.
    pub fn from_raw(raw: i32) -> Option<Code> {
        Code::ALL.into_iter().find(|code| *code as i32 == raw)
    }
}

/// A failure: its code, `errno` where a system call was the cause, and one line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What a program can act upon.
    pub code: Code,
    /// `errno` of the system call that failed, or 0.
    pub os_errno: i32,
    /// One line, UTF-8, no trailing dot: who, what, and what would be right.
    pub message: String,
}

impl Error {
    /// An error with `code` and the line `message`.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error {
            code,
            os_errno: 0,
            message: message.into(),
        }
    }

    /// A bad setting or argument.
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::new(Code::Invalid, message)
    }

    /// A failed system call: `what` was attempted, `cause` is what the system answered.
    pub fn io(what: impl fmt::Display, cause: &std::io::Error) -> Error {
        let code = match cause.kind() {
            std::io::ErrorKind::PermissionDenied => Code::Permission,
            std::io::ErrorKind::TimedOut => Code::Timeout,
            std::io::ErrorKind::OutOfMemory => Code::NoMemory,
            _ => Code::Io,
        };
        Error {
            code,
            os_errno: cause.raw_os_error().unwrap_or(0),
            message: format!("{what}: {}", plain(cause)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The system's words for an error, without Rust's "(os error N)".
fn plain(cause: &std::io::Error) -> String {
    let text = cause.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri's strerror says what Rust adds")]
    fn io_errors_read_like_strerror() {
        let error = Error::io("open /nowhere", &std::io::Error::from_raw_os_error(2));
        assert_eq!(error.message, "open /nowhere: No such file or directory");
        assert_eq!((error.code, error.os_errno), (Code::Io, 2));
    }

    #[test]
    fn numbers_of_codes_round_trip() {
        for code in Code::ALL {
            assert_eq!(Code::from_raw(code as i32), Some(code));
        }
        assert_eq!(Code::from_raw(-13), None);
    }
}
