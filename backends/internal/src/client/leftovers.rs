//! What is left in the cgroup of a service that the supervisor does not know: who forgot it, or
//! another module, has left it there. There is never a second copy beside it.

use super::call::Call;
use rc_sv_api::{Error, Result};
use rc_sv_exec::place::Dir;
use rc_sv_exec::spec_file;
use rc_sv_exec::stop::{Leftovers, Stop};

/// What is left of the service of this call; the supervisor must not know it.
pub(super) fn leftovers(call: &Call) -> Option<Leftovers> {
    let dir = Dir::open_service(&call.svcdir, &call.service).ok()?;
    let spec = spec_file::read(&dir).ok()?;
    Stop::from_settings(spec.settings()).leftovers(spec.settings())
}

/// Kills what is left.
///
/// # Errors
/// It still runs.
pub(super) fn end(leftovers: &Leftovers) -> Result<()> {
    leftovers.end().map_err(|cause| {
        let path = leftovers.path().display();
        Error::io(format_args!("kill what is left in {path}"), &cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::{signal, ServiceName, Spec, Value};
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::ExitStatusExt;
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    #[test]
    fn it_is_killed() {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "));
        let mount = mount
            .expect("this test needs a mounted cgroup2")
            .split(' ')
            .nth(4)
            .unwrap();
        let path = Path::new(mount).join(format!("rc-sv-orphan-{}", std::process::id()));
        std::fs::create_dir_all(path.join("rc-sv")).unwrap();
        let svcdir = std::env::temp_dir().join(format!("rc-sv-left-{}", std::process::id()));
        std::fs::create_dir(&svcdir).unwrap();
        std::fs::set_permissions(&svcdir, std::fs::Permissions::from_mode(0o755)).unwrap();
        let call = Call {
            service: ServiceName::new(b"foo").unwrap(),
            svcdir,
            patience: Duration::from_secs(30),
            is_limited: false,
        };
        let mut left = Command::new("sleep").arg("1000").spawn().unwrap();
        std::fs::write(path.join("rc-sv/cgroup.procs"), left.id().to_string()).unwrap();
        let dir = Dir::make_service(&call.svcdir, &call.service).unwrap();
        let mut spec = Spec::of_service(&call.service);
        spec.put("cgroup", Value::Text(path.to_str().unwrap().into()));
        spec_file::write(&dir, spec.settings()).unwrap();
        call.settle(None).unwrap();
        assert_eq!(left.wait().unwrap().signal(), Some(signal::KILL));
        assert!(leftovers(&call).is_none());
        std::fs::remove_dir_all(call.svcdir).unwrap();
        std::fs::remove_dir(path.join("rc-sv")).unwrap();
        std::fs::remove_dir(path).unwrap();
    }
}
