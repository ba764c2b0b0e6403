//! Pid 1 of a lab: makes the rest of the namespaces and the mounts, then
//! starts what the harness asks for, reaps everything, and ends when the
//! harness is gone. Its end kills all that is in the lab.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sched::{unshare, CloneFlags};
use nix::sys::prctl;
use nix::sys::resource::{getrlimit, setrlimit, Resource};
use nix::sys::signal::{kill, SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::{umask, Mode};
use nix::unistd::{sethostname, setsid, Pid};

use super::mounts::{self, directory};
use super::plan::Plan;
use super::wire::{self, Message};
use super::Shell;
use crate::sys;

/// Runs as pid 1. The control socket is descriptor 0.
pub(crate) fn run(args: Vec<OsString>) -> Result<(), String> {
    let input = io::stdin();
    let control = input.as_fd();
    let signals = match prepare(args) {
        Ok(signals) => signals,
        Err(error) => {
            // The harness says it better than we could.
            let told = wire::send(control, &[b"error", error.as_bytes()], &[]);
            return told.map_err(|_| error);
        }
    };
    let root = fs::File::open("/").map_err(|error| format!("/: {error}"))?;
    let ready = wire::send(control, &[b"ready"], &[root.as_fd()]);
    drop(root);
    ready
        .and_then(|()| serve(control, &signals))
        .map_err(|error| error.to_string())
}

fn prepare(args: Vec<OsString>) -> Result<SignalFd, String> {
    let plan = Plan::from_args(args)?;
    let say = |what: &'static str| move |error: nix::errno::Errno| format!("{what}: {error}");
    if Pid::this() != Pid::from_raw(1) {
        return Err("not pid 1 of a namespace".into());
    }
    // Should the keeper be killed, nobody else would notice for us.
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(say("pdeathsig"))?;
    let _ = setsid();
    sys::forget_harness().map_err(|error| format!("signals and descriptors: {error}"))?;
    umask(Mode::from_bits_truncate(0o022));
    limits().map_err(say("limits"))?;
    if let Some(cgroup) = &plan.cgroup {
        // Before the namespace of cgroups, which makes this one its root.
        fs::write(cgroup.join("cgroup.procs"), "0")
            .map_err(|error| format!("enter {}: {error}", cgroup.display()))?;
    }
    let spaces = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWCGROUP;
    unshare(spaces).map_err(say("new namespaces"))?;
    mounts::enter(&plan)?;
    sethostname("lab").map_err(say("hostname"))?;
    sys::loopback_up().map_err(|error| format!("loopback: {error}"))?;
    booted(plan.shell)?;
    sys::drop_dangerous().map_err(|error| format!("bounding set: {error}"))?;
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block().map_err(say("signal mask"))?;
    SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .map_err(say("signalfd"))
}

/// The same limits whatever the harness was started with.
fn limits() -> nix::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_CORE)?;
    setrlimit(Resource::RLIMIT_CORE, 0, hard)?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(1024), hard)
}

/// What makes OpenRC believe that it booted this machine, with all runlevels
/// empty, and the shell the test wants.
fn booted(shell: Shell) -> Result<(), String> {
    if let Some(target) = shell.target() {
        let replace = |path: &str| fs::remove_file(path).and_then(|()| symlink(target, path));
        replace("/usr/bin/sh").map_err(|error| format!("/bin/sh: {error}"))?;
    }
    directory("/run/lock", 0o1777)?;
    // As OpenRC makes it at boot.
    directory("/run/openrc", 0o775)?;
    for name in [
        "daemons",
        "exclusive",
        "failed",
        "hotplugged",
        "inactive",
        "options",
        "scheduled",
        "started",
        "starting",
        "stopping",
        "tmp",
        "wasinactive",
    ] {
        directory(&format!("/run/openrc/{name}"), 0o755)?;
    }
    fs::write("/run/openrc/softlevel", "default\n").map_err(|error| format!("softlevel: {error}"))
}

type Waiting = HashMap<i32, OwnedFd>;

fn serve(control: BorrowedFd<'_>, signals: &SignalFd) -> io::Result<()> {
    let mut waiting = Waiting::new();
    loop {
        let mut events = [
            PollFd::new(control, PollFlags::POLLIN),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut events, PollTimeout::NONE) {
            Err(nix::errno::Errno::EINTR) => continue,
            other => other?,
        };
        let [asked, died] = events.map(|event| event.any().unwrap_or(true));
        if died {
            while signals.read_signal()?.is_some() {}
            reap(&mut waiting);
        }
        if asked {
            match wire::receive(control)? {
                Some(message) => answer(message, &mut waiting),
                None => return Ok(()),
            }
        }
    }
}

fn reap(waiting: &mut Waiting) {
    while let Some((pid, status)) = sys::reap() {
        if let Some(reply) = waiting.remove(&pid) {
            // Nobody listens any more: the job was let go.
            let _ = wire::send(&reply, &[b"exit", status.to_string().as_bytes()], &[]);
        }
    }
}

fn answer(mut message: Message, waiting: &mut Waiting) {
    // Without an answer socket the harness sees the end of its own half.
    let Some(reply) = message.fds.pop() else {
        return;
    };
    let done = match message.text(0) {
        "spawn" => spawn(message).and_then(|pid| {
            wire::send(&reply, &[b"pid", pid.to_string().as_bytes()], &[])?;
            let copy = reply.try_clone()?;
            waiting.insert(pid, copy);
            Ok(())
        }),
        "kill" => signal(&message).and_then(|()| wire::send(&reply, &[b"done"], &[])),
        "pidfd" => message
            .number(1)
            .and_then(sys::pidfd_open)
            .and_then(|fd| wire::send(&reply, &[b"done"], &[fd.as_fd()])),
        other => Err(io::Error::other(format!("unknown request '{other}'"))),
    };
    if let Err(error) = done {
        let number = error.raw_os_error().unwrap_or(0).to_string();
        let text = error.to_string();
        // The harness may have gone meanwhile; serve() finds that out.
        let _ = wire::send(&reply, &[b"error", text.as_bytes(), number.as_bytes()], &[]);
    }
}

/// Fields: "spawn", working directory, number of arguments, arguments,
/// environment as NAME=VALUE. Descriptors: standard input, output, error.
fn spawn(message: Message) -> io::Result<i32> {
    let count = usize::try_from(message.number(2)?).map_err(io::Error::other)?;
    let Message { fields, fds } = message;
    let short = || io::Error::other("short request");
    let (argv, environment) = fields
        .get(3..)
        .and_then(|rest| rest.split_at_checked(count))
        .ok_or_else(short)?;
    let (program, arguments) = argv.split_first().ok_or_else(short)?;
    let [stdin, stdout, stderr] = <[OwnedFd; 3]>::try_from(fds).map_err(|_| short())?;
    let mut command = Command::new(OsStr::from_bytes(program));
    command
        .args(arguments.iter().map(|word| OsStr::from_bytes(word)))
        .env_clear();
    for pair in environment {
        let split = pair
            .iter()
            .position(|&byte| byte == b'=')
            .ok_or_else(short)?;
        command.env(
            OsStr::from_bytes(&pair[..split]),
            OsStr::from_bytes(&pair[split + 1..]),
        );
    }
    sys::unblock_signals(&mut command);
    let child = command
        .current_dir(OsStr::from_bytes(&fields[1]))
        .stdin(stdin)
        .stdout(stdout)
        .stderr(stderr)
        // A group of its own, so that all of it can be killed at once.
        .process_group(0)
        .spawn()?;
    i32::try_from(child.id()).map_err(io::Error::other)
}

fn signal(message: &Message) -> io::Result<()> {
    let signal = Signal::try_from(message.number(2)?)?;
    Ok(kill(Pid::from_raw(message.number(1)?), signal)?)
}
