//! What comes of asking for a service.

use crate::standing::Standing;
use rc_sv_api::name::is_module_name;
use rc_sv_api::{Error, ServiceName, Status};
use std::fmt;

/// What is known of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub service: ServiceName,
    /// The module that started it; `None` if none did.
    pub module: Option<String>,
    /// What the module says.
    pub status: Status,
    /// What that means.
    pub standing: Standing,
}

/// A failure, and the module that it came from or happened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The module, as far as one is known.
    pub module: Option<String>,
    /// What went wrong.
    pub error: Error,
}

impl Failure {
    /// A failure of `module`.
    pub fn of(module: &str, error: Error) -> Failure {
        Failure {
            module: Some(module.to_string()),
            error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure {
            module: None,
            error,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is no name is not shown as one.
        let named = |module: &&String| is_module_name(module.as_bytes());
        if let Some(module) = self.module.as_ref().filter(named) {
            write!(out, "{module}: ")?;
        }
        write!(out, "{}", self.error)
    }
}

impl std::error::Error for Failure {}
