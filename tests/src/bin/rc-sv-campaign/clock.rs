//! The clock on the wall, which people and programs set.

use std::process::{Command, Stdio};

use crate::Result;

/// Sets it forward by so many seconds, or back.
pub fn jump(seconds: i64) -> Result<()> {
    let mut command = Command::new("date");
    command.args(["--set", &format!("now {seconds:+} seconds")]);
    match command.stdout(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        other => Err(format!("date: {other:?}")),
    }
}
