//! Where a service directory comes from.

use crate::suite::Suite;
use nix::unistd::{access, geteuid, AccessFlags};
use rc_sv_api::{Code, Error, Result, ServiceName, Settings};
use std::ffi::OsStr;
use std::fs::{metadata, Metadata};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where a service directory comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is made from the spec.
    Generated,
    /// It was written by hand, and is used as it is.
    Native(PathBuf),
}

impl Origin {
    /// The origin that `spec` asks for: the directory that is set, else the program to run, else
    /// the directory that the suite's users have by convention.
    ///
    /// # Errors
    /// There is none of these, or the directory is not safe or has nothing to run.
    pub(crate) fn of(suite: &Suite, spec: &dyn Settings) -> Result<Origin> {
        let service = spec.service()?;
        let set = spec
            .text(suite.native_setting)
            .filter(|path| !path.is_empty());
        if let Some(path) = set {
            let path = Path::new(OsStr::from_bytes(path));
            return check(path).map(|()| Origin::Native(path.to_path_buf()));
        }
        if spec.list("argv").is_some_and(|argv| !argv.is_empty()) {
            return Ok(Origin::Generated);
        }
        match suite.native_root.map(|root| usual(root, &service)) {
            Some(path) if path.is_dir() => check(&path).map(|()| Origin::Native(path)),
            path => {
                let or = path.map_or(String::new(), |path| {
                    format!(", nor is there {}", path.display())
                });
                let message = format!(
                    "there is nothing to run: neither command nor {} is set{or}",
                    suite.native_setting
                );
                Err(Error::invalid(message))
            }
        }
    }
}

fn usual(root: &str, service: &ServiceName) -> PathBuf {
    Path::new(root).join(service.as_str())
}

/// What a supervisor executes, or looks for programs in, where it is there.
const EXECUTED: [&str; 5] = ["run", "finish", "control", "log", "log/run"];

/// Root will execute what is there.
fn check(path: &Path) -> Result<()> {
    let found = metadata(path).map_err(|cause| Error::io(path.display(), &cause))?;
    if !found.is_dir() {
        let message = format!("{}: must be a service directory", path.display());
        return Err(Error::invalid(message));
    }
    check_owner(path, &found)?;
    for name in EXECUTED {
        let path = path.join(name);
        match metadata(&path) {
            Ok(found) => check_owner(&path, &found)?,
            Err(cause) if cause.kind() == ErrorKind::NotFound => {}
            Err(cause) => return Err(Error::io(path.display(), &cause)),
        }
    }
    // A supervisor tries again and again, and may say nothing.
    let run = path.join("run");
    let executable = access(&run, AccessFlags::X_OK).is_ok() && run.is_file();
    if !executable {
        return Err(Error::invalid(format!(
            "{}: must be a program",
            run.display()
        )));
    }
    Ok(())
}

fn check_owner(path: &Path, found: &Metadata) -> Result<()> {
    let refuse = |why: String| {
        let message = format!("{}: {why}", path.display());
        Err(Error::new(Code::Permission, message))
    };
    match (found.uid(), found.mode()) {
        (user, _) if user != 0 && user != geteuid().as_raw() => {
            refuse(format!("belongs to user {user}; must belong to root"))
        }
        (_, mode) if mode & 0o022 != 0 => refuse(format!(
            "has mode {:04o}; others must not write to it",
            mode & 0o7777
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{DAEMONTOOLS, RUNIT, S6};
    use rc_sv_api::{Spec, Value};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn spec(settings: &[(&str, &str)]) -> Spec {
        let mut spec = Spec::of_service(&ServiceName::new(b"foo").unwrap());
        for (name, value) in settings {
            spec.put(name, Value::Text(value.as_bytes().to_vec()));
        }
        spec
    }

    #[test]
    fn a_program_makes_a_directory_unless_one_is_set() {
        let mut program = spec(&[]);
        program.put("argv", Value::List(vec![b"/bin/true".to_vec()]));
        assert_eq!(Origin::of(&S6, program.settings()), Ok(Origin::Generated));
        program.put("runit_service", Value::Text(b"/nonexistent".to_vec()));
        assert_eq!(Origin::of(&S6, program.settings()), Ok(Origin::Generated));
        let error = Origin::of(&RUNIT, program.settings()).unwrap_err();
        assert_eq!(error.message, "/nonexistent: No such file or directory");
    }

    #[test]
    fn nothing_to_run_says_what_could_be() {
        let say = |suite| Origin::of(suite, spec(&[]).settings()).unwrap_err().message;
        assert_eq!(
            say(&S6),
            "there is nothing to run: neither command nor s6_service_path is set, nor is there /var/svc.d/foo"
        );
        assert_eq!(
            say(&DAEMONTOOLS),
            "there is nothing to run: neither command nor daemontools_service is set"
        );
    }

    #[test]
    fn what_root_runs_is_looked_at() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("native");
        fs::create_dir(&path).unwrap();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap()
        };
        mode(&path, 0o755);
        let native = spec(&[("s6_service_path", path.to_str().unwrap())]);
        let of = || Origin::of(&S6, native.settings());
        assert!(of()
            .unwrap_err()
            .message
            .ends_with("native/run: must be a program"));
        fs::write(path.join("run"), "#!/bin/sh\n").unwrap();
        assert!(of()
            .unwrap_err()
            .message
            .ends_with("native/run: must be a program"));
        mode(&path.join("run"), 0o755);
        assert_eq!(of(), Ok(Origin::Native(path.clone())));
        for name in ["finish", "log/run"] {
            let file = path.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "#!/bin/sh\n").unwrap();
            mode(&file, 0o757);
            let said = of().unwrap_err().message;
            let words = "has mode 0757; others must not write to it";
            assert_eq!(said, format!("{}: {words}", file.display()));
            mode(&file, 0o755);
        }
        assert_eq!(of(), Ok(Origin::Native(path.clone())));
        mode(&path, 0o775);
        assert!(of().unwrap_err().message.contains("has mode 0775"));
    }
}
