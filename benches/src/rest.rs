//! Stands for the rest of a machine: idle programs that use the C library.
//!
//! PSS divides a page among those who share it. A lab has nobody else, so without these the
//! first program would have to answer for the whole C library.

use std::process::Child;

use crate::contender::program;
use crate::Result;

/// As many as a small machine has: init, logins, logging, cron, a shell or two.
const PROGRAMS: usize = 15;

/// The idle programs; they end when it is dropped.
#[derive(Debug)]
pub struct Rest(Vec<Child>);

impl Rest {
    /// Starts them.
    pub fn new() -> Result<Rest> {
        let mut rest = Rest(Vec::new());
        for _ in 0..PROGRAMS {
            let child = program("sleep").arg("infinity").spawn();
            rest.0
                .push(child.map_err(|error| format!("sleep: {error}"))?);
        }
        Ok(rest)
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // Only a child that has been waited for cannot be killed.
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}
