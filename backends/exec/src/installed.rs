//! The programs of this package, and where they are.

use rc_sv_api::{Code, Error, Result};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What runs under a suite's supervisor, and what monit executes.
pub const EXEC: &str = "libexec/rc-sv/rc-sv-exec";

/// The supervisor of the module `internal`.
pub const SUPERVISOR: &str = "libexec/rc-sv/rc-sv-supervisor";

pub(crate) const LOADER: &str = "bin/rc-sv-loader";

/// Where `make install` puts things; compiled in.
const PREFIX: &str = match option_env!("RC_SV_PREFIX") {
    Some(prefix) => prefix,
    None => "/usr/local",
};

/// The path of this program.
pub fn path(program: &str) -> String {
    format!("{PREFIX}/{program}")
}

/// Whether there is a program with this path, for which the module has a setting.
///
/// # Errors
/// [`Code::Unavailable`]: there is none.
pub fn check(path: &Path, setting: &str, module: &str) -> Result<()> {
    let is_program = std::fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    if is_program {
        return Ok(());
    }
    let message = format!(
        "{}: there is no such program; install it, or set {setting} in [modules.{module}]",
        path.display()
    );
    Err(Error::new(Code::Unavailable, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_executed_is_no_program() {
        let of = |path: &str| check(Path::new(path), "exec", "s6");
        assert_eq!(of("/bin/sh"), Ok(()));
        for path in ["/bin", "/etc/passwd", "/no/such"] {
            let said = of(path).unwrap_err().message;
            let end = "there is no such program; install it, or set exec in [modules.s6]";
            assert_eq!(said, format!("{path}: {end}"));
        }
    }
}
