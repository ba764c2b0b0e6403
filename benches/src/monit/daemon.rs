//! A monit of our own, and files for it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use super::LONG;
use crate::contender::program;
use crate::{clock, Result};

pub(super) const CONTROL: &str = "/etc/monitrc";
const SOCKET: &str = "/run/monit.sock";
pub(super) const INCLUDE: &str = "/run/openrc-monit";
/// A control file as it is told to administrators, but for the pace.
const SETTINGS: &str = "set daemon 1\nset log /run/monit.log\nset pidfile /run/monit.pid\n\
    set idfile /run/monit.id\nset statefile /run/monit.state\n\
    set httpd unixsocket /run/monit.sock\n  permission 0600\n  allow localhost\n\
    include /run/openrc-monit/*.monitrc\n";

/// A monit that is ended when it is dropped.
pub(super) struct Monit(Child);

impl Monit {
    pub(super) fn run() -> Result<Monit> {
        write(CONTROL, SETTINGS, 0o600)?;
        fs::create_dir_all(INCLUDE).map_err(|error| format!("{INCLUDE}: {error}"))?;
        mode(INCLUDE, 0o700)?;
        let mut monit = program("monit");
        let child = monit.args(["-Ic", CONTROL]).stderr(Stdio::null()).spawn();
        let monit = Monit(child.map_err(|error| format!("monit: {error}"))?);
        wait_for("monit", || UnixStream::connect(SOCKET).is_ok())?;
        Ok(monit)
    }
}

impl Drop for Monit {
    fn drop(&mut self) {
        // It ends, or was gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = fs::remove_file(SOCKET);
    }
}

/// Looks until it is there.
fn wait_for(what: &str, is_there: impl Fn() -> bool) -> Result<()> {
    let deadline = clock::in_seconds(LONG);
    while !is_there() {
        if clock::now() > deadline {
            return Err(format!("{what} does not come"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Writes a file, and the directories in which it is.
pub(super) fn write(path: &str, text: &str, permissions: u32) -> Result<()> {
    let said = |error: std::io::Error| format!("{path}: {error}");
    if let Some(directory) = Path::new(path).parent() {
        fs::create_dir_all(directory).map_err(said)?;
    }
    fs::write(path, text).map_err(said)?;
    mode(path, permissions)
}

fn mode(path: &str, permissions: u32) -> Result<()> {
    let permissions = fs::Permissions::from_mode(permissions);
    fs::set_permissions(path, permissions).map_err(|error| format!("{path}: {error}"))
}
