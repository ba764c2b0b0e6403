//! The name of a service: also a directory name, so it is checked where it enters.

use crate::error::{Error, Result};
use std::fmt;

/// The longest service name, in bytes: leaves room for suffixes in a 255-byte file name.
pub const MAX_SERVICE_NAME: usize = 200;

/// A service name that is safe as one path component: 1 to 200 bytes of UTF-8 without `/` and
/// control characters, not starting with a dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceName(Box<str>);

impl ServiceName {
    /// Checks `bytes` and takes them as a name.
    ///
    /// # Errors
    /// [`crate::Code::Invalid`] with the rule that is broken.
    pub fn new(bytes: &[u8]) -> Result<ServiceName> {
        let shown = String::from_utf8_lossy(bytes);
        let refuse = |why: &str| Err(Error::invalid(format!("service name {shown:?}: {why}")));
        if bytes.is_empty() {
            return refuse("must not be empty");
        }
        if bytes.len() > MAX_SERVICE_NAME {
            let why = format!(
                "has {} bytes; at most {MAX_SERVICE_NAME} are allowed",
                bytes.len()
            );
            return Err(Error::invalid(format!("service name: {why}")));
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return refuse("must be UTF-8");
        };
        if text.starts_with('.') {
            return refuse("must not start with a dot");
        }
        if text.contains('/') {
            return refuse("must not contain a slash");
        }
        if text.chars().any(char::is_control) {
            return refuse("must not contain control characters");
        }
        Ok(ServiceName(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Whether `name` can name a module: `[A-Za-z0-9_-]{1,32}`.
pub fn is_module_name(name: &[u8]) -> bool {
    (1..=32).contains(&name.len())
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_openrc_users_have_are_taken() {
        for name in ["foo", "net.eth0", "foo.bar", "a b", "d'oh \"$x\"", "größe"] {
            assert_eq!(ServiceName::new(name.as_bytes()).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_are_no_path_component_are_refused() {
        for name in ["", ".", "..", ".hidden", "a/b", "a\nb", "a\0b"] {
            assert!(ServiceName::new(name.as_bytes()).is_err(), "{name:?}");
        }
        assert!(ServiceName::new(b"\xff").is_err());
        assert!(ServiceName::new(&[b'a'; 201]).is_err());
        assert!(ServiceName::new(&[b'a'; 200]).is_ok());
    }

    #[test]
    fn module_names_cannot_leave_their_directory() {
        assert!(is_module_name(b"internal") && is_module_name(b"s6_2-x"));
        for name in [
            "",
            "../../tmp/evil",
            "a.b",
            "a b",
            "0123456789012345678901234567890123",
        ] {
            assert!(!is_module_name(name.as_bytes()), "{name:?}");
        }
    }
}
