//! What the daemon does after its report.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::waitpid;
use nix::unistd::{pipe2, Pid};

use crate::options::{End, Fork, Options};
use crate::report::Report;
use crate::speak::{self, Say};
use crate::sys;

/// Signals whose default is to do nothing, or to stop and go on.
const HARMLESS: [Signal; 8] = [
    Signal::SIGCHLD,
    Signal::SIGCONT,
    Signal::SIGURG,
    Signal::SIGWINCH,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
    Signal::SIGSTOP,
];

/// Runs to the end; the value is the exit code.
pub(crate) fn run(options: &Options, report: &Report, signals: &SignalFd) -> io::Result<i32> {
    if let Some(text) = &options.stdout {
        sys::write_line(1, text)?;
    }
    if let Some(text) = &options.stderr {
        sys::write_line(2, text)?;
    }
    for words in &options.says {
        speak::say(words)?;
    }
    let end = options
        .end
        .filter(|_| !options.unless.as_ref().is_some_and(|path| path.exists()));
    if let (Some(end), true) = (end, options.after.is_zero() && options.forks.is_empty()) {
        return finish(end);
    }
    for &kind in &options.forks {
        make_child(kind, options, report, signals)?;
    }
    stay(options, report, signals, end)
}

/// All signals arrive through the descriptor; those that cannot be caught and
/// those of a fault keep their ways.
pub(crate) fn listen() -> io::Result<SignalFd> {
    let mut mask = SigSet::all();
    for fault in [
        Signal::SIGSEGV,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
    ] {
        mask.remove(fault);
    }
    mask.thread_set_mask()?;
    Ok(SignalFd::with_flags(
        &mask,
        SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK,
    )?)
}

fn stay(
    options: &Options,
    report: &Report,
    signals: &SignalFd,
    end: Option<End>,
) -> io::Result<i32> {
    let deadline = end.map(|end| (Instant::now() + options.after, end));
    loop {
        let timeout = match deadline {
            None => PollTimeout::NONE,
            Some((at, end)) => match at.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return finish(end),
                left => wait(left),
            },
        };
        match poll(
            &mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)],
            timeout,
        ) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        while let Some(info) = signals.read_signal()? {
            let signal = i32::try_from(info.ssi_signo).map_err(io::Error::other)?;
            if signal == Signal::SIGCHLD as i32 {
                reap(report)?;
                continue;
            }
            let pid = sys::ids().pid;
            let from = info.ssi_pid;
            let t = sys::monotonic_ns();
            report.write(&format!(
                "signal t={t} pid={pid} number={signal} from={from}"
            ))?;
            if let Some(code) = react(options, signal)? {
                return Ok(code);
            }
        }
    }
}

/// What a signal does; a value is the exit code.
fn react(options: &Options, signal: i32) -> io::Result<Option<i32>> {
    // A real-time signal has no name; its default is to kill.
    let named = Signal::try_from(signal).ok();
    let said = options.on.iter().find(|(other, _)| Some(*other) == named);
    if let Some((_, text)) = said {
        speak::say(&Say::Notify(text.clone()))?;
        return Ok(None);
    }
    if named.is_some_and(|signal| options.ignore.contains(&signal) || HARMLESS.contains(&signal)) {
        return Ok(None);
    }
    if !options.linger.is_zero() {
        // All signals are blocked: nothing cuts this short.
        poll(&mut [], wait(options.linger))?;
    }
    if let Some((_, code)) = options
        .exit_on
        .iter()
        .find(|(other, _)| Some(*other) == named)
    {
        return Ok(Some(*code));
    }
    sys::die_by(signal)?;
    Ok(None)
}

/// As a time-out of poll, which must not end early.
fn wait(time: Duration) -> PollTimeout {
    PollTimeout::try_from(time + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
}

fn reap(report: &Report) -> io::Result<()> {
    while let Some((pid, status)) = sys::reap() {
        let t = sys::monotonic_ns();
        report.write(&format!("reaped t={t} pid={pid} status={status}"))?;
    }
    Ok(())
}

fn finish(end: End) -> io::Result<i32> {
    match end {
        End::Exit(code) => Ok(code),
        End::Die(signal) => {
            sys::die_by(signal as i32)?;
            Err(io::Error::other(format!("{signal} did not kill")))
        }
    }
}

/// The child reports itself and stays up until a signal ends it.
fn make_child(
    kind: Fork,
    options: &Options,
    report: &Report,
    signals: &SignalFd,
) -> io::Result<()> {
    let (parted, holder) = pipe2(OFlag::O_CLOEXEC)?;
    if let Some(pid) = sys::fork()? {
        if kind == Fork::Double {
            waitpid(Pid::from_raw(pid), None)?;
        }
        // Tells the child that it may look who its parent is.
        drop(holder);
        return Ok(());
    }
    drop(holder);
    if kind != Fork::Plain {
        sys::new_session()?;
    }
    if kind == Fork::Double && sys::fork()?.is_some() {
        sys::exit_now(0);
    }
    File::from(parted).read_to_end(&mut Vec::new())?;
    let ids = sys::ids();
    let line = format!(
        "child t={} kind={} pid={} ppid={} sid={} pgid={}",
        sys::monotonic_ns(),
        kind.name(),
        ids.pid,
        ids.parent,
        ids.session,
        ids.group
    );
    let done = report
        .write(&line)
        .and_then(|()| stay(options, report, signals, None));
    sys::exit_now(done.unwrap_or(crate::NO_REPORT));
}
