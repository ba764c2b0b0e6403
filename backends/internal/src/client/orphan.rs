//! What a supervisor that was killed has left running.
//!
//! No supervisor can wait on it any more, so whoever wants to stop or start the service ends it
//! first, by the same ladder: there is never a second copy.

use super::Call;
use rc_sv_api::{Error, Result, State, Status};
use rc_sv_exec::instance::Instance;
use rc_sv_exec::place::Dir;
use rc_sv_exec::spec_file;
use rc_sv_exec::stop::{Leftovers, Stop};
use std::io;

/// The main process of a service that no supervisor looks after.
pub(super) struct Orphan {
    instance: Instance,
    dir: Dir,
}

impl Orphan {
    /// The orphan of the service, if there is one and it may be looked for. The supervisor must
    /// have said that it does not run the service, or must not be there.
    pub(super) fn find(call: &Call) -> Option<Orphan> {
        let dir = Dir::open_service(&call.svcdir, &call.service).ok()?;
        let instance = Instance::living(&dir)?;
        Some(Orphan { instance, dir })
    }

    pub(super) fn pid(&self) -> i32 {
        self.instance.pid
    }

    /// Whether it runs still.
    pub(super) fn is_alive(&self) -> bool {
        self.instance.is_alive()
    }

    /// As it is told to others.
    pub(super) fn status(&self) -> Status {
        Status {
            pid: Some(self.instance.pid),
            detail: "it runs, but its supervisor is gone; a stop or restart ends it".into(),
            ..Status::of_state(State::Unknown)
        }
    }

    /// Ends it, and what it left.
    ///
    /// # Errors
    /// It still runs.
    pub(super) fn end(&self) -> Result<()> {
        let pid = self.instance.pid;
        let failed = |cause: io::Error| {
            Error::io(
                format_args!("end process {pid} of an earlier supervisor"),
                &cause,
            )
        };
        // As the one it was started with wants it.
        let spec = spec_file::read(&self.dir)?;
        let stop = Stop::from_settings(spec.settings());
        stop.end(&self.instance).map_err(failed)?;
        match stop.leftovers(spec.settings()) {
            Some(leftovers) => end(&leftovers),
            None => Ok(()),
        }
    }
}

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
    use crate::protocol::{Reply, Request, MAX_REQUEST};
    use crate::wire;
    use nix::sys::socket::{accept4, bind, listen, recv, send, socket};
    use nix::sys::socket::{AddressFamily, Backlog, MsgFlags, SockFlag, SockType, UnixAddr};
    use nix::unistd::close;
    use rc_sv_api::{signal, ServiceName, Spec, Value};
    use std::io::Read;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::thread::JoinHandle;
    use std::time::Duration;

    /// A service whose supervisor is gone. The process is a child of the test, so that the test
    /// can see how it ended.
    fn orphan(name: &str, script: &str, retry: &str) -> (Call, Child) {
        let dir = format!("rc-sv-orphan-{}-{name}", std::process::id());
        let svcdir = std::env::temp_dir().join(dir);
        std::fs::create_dir(&svcdir).unwrap();
        std::fs::set_permissions(&svcdir, std::fs::Permissions::from_mode(0o755)).unwrap();
        let service = ServiceName::new(b"foo").unwrap();
        let dir = Dir::make_service(&svcdir, &service).unwrap();
        let mut spec = Spec::of_service(&service);
        spec.set("retry", retry.as_bytes(), "test").unwrap();
        spec_file::write(&dir, spec.settings()).unwrap();
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().unwrap();
        // It says when it is ready for signals.
        let mut line = [0u8; 3];
        child.stdout.take().unwrap().read_exact(&mut line).unwrap();
        Instance::of(child.id() as i32)
            .unwrap()
            .write(&dir)
            .unwrap();
        let patience = Duration::from_secs(30);
        let call = Call {
            service,
            svcdir,
            patience,
            is_limited: false,
        };
        (call, child)
    }

    fn cleared(call: Call) {
        assert!(call.orphan(None).unwrap().is_none());
        std::fs::remove_dir_all(call.svcdir).unwrap();
    }

    #[test]
    fn it_is_ended_by_its_own_ladder() {
        let (call, mut child) = orphan("term", "echo up; exec sleep 1000", "30");
        let orphan = call.orphan(None).unwrap().unwrap();
        let status = orphan.status();
        assert_eq!(
            (status.state, status.pid),
            (State::Unknown, Some(child.id() as i32))
        );
        orphan.end().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(signal::TERM));
        cleared(call);
    }

    #[test]
    fn it_is_killed_where_that_is_needed() {
        let script = "trap '' TERM; echo up; sleep 1000 & echo $! > /dev/null; wait; wait";
        let (call, mut child) = orphan("kill", script, "TERM/100ms/KILL/5");
        call.orphan(None).unwrap().unwrap().end().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(signal::KILL));
        cleared(call);
    }

    #[test]
    fn one_that_is_stopped_is_ended_too() {
        let (call, mut child) = orphan("stopped", "echo up; kill -STOP $$", "30");
        call.orphan(None).unwrap().unwrap().end().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(signal::TERM));
        cleared(call);
    }

    /// Answers one request for a status, after `before`, as a supervisor that runs nothing now.
    fn answers(svcdir: &Path, before: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
        Dir::make_internal(svcdir).unwrap();
        let flags = SockFlag::SOCK_CLOEXEC;
        let listener = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None).unwrap();
        let path = wire::directory(svcdir).join(wire::SOCKET);
        bind(listener.as_raw_fd(), &UnixAddr::new(&path).unwrap()).unwrap();
        listen(&listener, Backlog::new(1).unwrap()).unwrap();
        std::thread::spawn(move || {
            let client = accept4(listener.as_raw_fd(), flags).unwrap();
            let mut packet = [0; MAX_REQUEST];
            let length = recv(client, &mut packet, MsgFlags::empty()).unwrap();
            let (request, id) = Request::decode(&packet[..length]).unwrap();
            assert!(matches!(request, Request::Status(_)), "{request:?}");
            before();
            let reply = Reply::Status(Status::of_state(State::Backoff));
            send(client, &reply.encode(id), MsgFlags::empty()).unwrap();
            close(client).unwrap();
        })
    }

    #[test]
    fn one_that_ends_while_the_supervisor_is_asked_is_none() {
        let (call, mut child) = orphan("ends", "echo up; exec sleep 1000", "30");
        let supervisor = answers(&call.svcdir, move || {
            child.kill().unwrap();
            child.wait().unwrap();
        });
        let mut connection = call.connect().unwrap();
        assert!(call.orphan(connection.as_mut()).unwrap().is_none());
        supervisor.join().unwrap();
        cleared(call);
    }

    #[test]
    fn what_it_left_in_its_cgroup_is_killed_too() {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "));
        let mount = mount
            .expect("this test needs a mounted cgroup2")
            .split(' ')
            .nth(4)
            .unwrap();
        let path = Path::new(mount).join(format!("rc-sv-orphan-{}", std::process::id()));
        std::fs::create_dir_all(path.join("rc-sv")).unwrap();
        let (call, mut child) = orphan("left", "echo up; exec sleep 1000", "30");
        let mut left = Command::new("sleep").arg("1000").spawn().unwrap();
        std::fs::write(path.join("rc-sv/cgroup.procs"), left.id().to_string()).unwrap();
        let dir = Dir::open_service(&call.svcdir, &call.service).unwrap();
        let mut spec = spec_file::read(&dir).unwrap();
        spec.put("cgroup", Value::Text(path.to_str().unwrap().into()));
        spec_file::write(&dir, spec.settings()).unwrap();
        // Its main process has ended already.
        child.kill().unwrap();
        child.wait().unwrap();
        call.settle(None).unwrap();
        assert_eq!(left.wait().unwrap().signal(), Some(signal::KILL));
        cleared(call);
        std::fs::remove_dir(path.join("rc-sv")).unwrap();
        std::fs::remove_dir(path).unwrap();
    }
}
