//! The process that watches: it never runs anything of the module's.

use super::report::{not_run, wrong, Report, Verdict};
use super::sheet::Line;
use super::{file, REPORT, STDERR, STDOUT};
use crate::stat::Stat;
use nix::fcntl::{open, OFlag};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{kill, Signal};
use nix::sys::stat::Mode;
use nix::sys::wait::{waitid, waitpid, Id, WaitPidFlag, WaitStatus};
use nix::unistd::{mkdtemp, mkfifo, pipe2, Pid};
use rc_sv_api::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long one check may take. A respawn is waited for 90 s, and a start may wait for a stop.
const LONGEST: Duration = Duration::from_secs(240);

/// Verifies the module in `path`. `inside` is this program with the arguments that make it call
/// [`super::run_inside`], for a scratch directory that is appended.
///
/// # Errors
/// The scratch directory or the process cannot be made.
pub fn verify(path: &Path, inside: Command) -> Result<Report> {
    let mut report = Report::new(path.to_path_buf());
    if !file::check(path, &mut report) {
        return Ok(report);
    }
    let scratch = Scratch::new()?;
    // What the module leaves behind becomes ours, and ends with us.
    nix::sys::prctl::set_child_subreaper(true)
        .map_err(|errno| Error::io("prctl", &errno.into()))?;
    let result = watch(inside, &scratch.0, &mut report);
    end_descendants();
    result.map(|()| report)
}

/// Runs the process and collects what it finds.
fn watch(mut inside: Command, scratch: &Path, report: &mut Report) -> Result<()> {
    let io = |what: &str| {
        let what = what.to_string();
        move |error: std::io::Error| Error::io(what, &error)
    };
    let (fifo, svcdir) = (scratch.join(REPORT), scratch.join("svc"));
    mkfifo(&fifo, Mode::S_IRUSR | Mode::S_IWUSR).map_err(|errno| io("mkfifo")(errno.into()))?;
    std::fs::create_dir(&svcdir).map_err(io("the scratch directory"))?;
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let lines = open(&fifo, flags, Mode::empty()).map_err(|errno| io("fifo")(errno.into()))?;
    let output = |name: &str| File::create_new(scratch.join(name)).map_err(io(name));
    let child = inside
        .arg(scratch)
        .current_dir("/")
        .env("RC_SVCDIR", &svcdir)
        // A module that kills its process group kills itself.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(output(STDOUT)?)
        .stderr(output(STDERR)?)
        .spawn()
        .map_err(io("running this program again"))?;
    let (end, end_told) = pipe2(OFlag::O_CLOEXEC).map_err(|errno| io("pipe")(errno.into()))?;
    let pid = Pid::from_raw(child.id() as i32);
    std::thread::spawn(move || {
        reap_others(pid);
        drop(end_told);
    });
    let mut reader = Reader {
        lines: File::from(lines),
        rest: String::new(),
        step: None,
        since: Instant::now(),
    };
    let in_time = reader.follow(end.as_fd(), report)?;
    finish(child, in_time, reader, scratch, report)
}

/// What is to be said about the end of the process.
fn finish(
    mut child: Child,
    in_time: bool,
    mut reader: Reader,
    scratch: &Path,
    report: &mut Report,
) -> Result<()> {
    if !in_time {
        // It cannot be gone: nobody but us reaps it.
        let _ = child.kill();
    }
    let status = child
        .wait()
        .map_err(|error| Error::io("the verifying process", &error))?;
    reader.take(report)?;
    let wrote = std::fs::read(scratch.join(STDERR)).unwrap_or_default();
    let wrote = String::from_utf8_lossy(&wrote).into_owned();
    let wrote = wrote.lines().map(str::trim).find(|line| !line.is_empty());
    let wrote = wrote.map_or_else(String::new, |line| format!(", after it wrote {line:?}"));
    let Some(step) = reader.step else {
        if !status.success() {
            let text = format!("the verifying process {}{wrote}", fate(status));
            report.add("end", Err(wrong(text)));
        }
        return Ok(());
    };
    let text = match in_time {
        true => format!("the module {}{wrote}", fate(status)),
        false => format!(
            "the module did not come back within {} s; obey request->timeout_ms",
            LONGEST.as_secs()
        ),
    };
    report.add(&step, Err(wrong(text)));
    if report.count(Verdict::NotRun) == 0 {
        report.add(
            "the rest",
            Err(not_run(format!("{step} was the end of it"))),
        );
    }
    Ok(())
}

/// Reaps what dies below us, as init does it, until `child` dies. That one stays a zombie, so that
/// its number means it until it is waited for.
fn reap_others(child: Pid) {
    loop {
        let dead = waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
        match dead.as_ref().map(WaitStatus::pid) {
            Ok(Some(pid)) if pid != child => {
                let _ = waitpid(pid, None);
            }
            Err(nix::Error::EINTR) => {}
            _ => return,
        }
    }
}

/// How a process ended, for people.
fn fate(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(number), _) => {
            let name = Signal::try_from(number).map_or("an unknown signal", Signal::as_str);
            format!("crashed: {name}")
        }
        (None, Some(code)) => format!("ended its host's process: exit code {code}"),
        (None, None) => "ended strangely".to_string(),
    }
}

/// Reads the sheet.
struct Reader {
    lines: File,
    rest: String,
    /// The check that has begun and has not ended.
    step: Option<String>,
    since: Instant,
}

impl Reader {
    /// Reads until the process is dead; false if one check took too long.
    fn follow(&mut self, end: BorrowedFd<'_>, report: &mut Report) -> Result<bool> {
        loop {
            let left = LONGEST.saturating_sub(self.since.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let mut waits = vec![PollFd::new(end, PollFlags::POLLIN)];
            waits.push(PollFd::new(self.lines.as_fd(), PollFlags::POLLIN));
            match poll(&mut waits, timeout) {
                Ok(_) | Err(nix::Error::EINTR) => {}
                Err(errno) => return Err(Error::io("poll", &errno.into())),
            }
            let dead = waits[0].any().unwrap_or(false);
            let hung_up = waits[1].revents() == Some(PollFlags::POLLHUP);
            self.take(report)?;
            if dead {
                return Ok(true);
            }
            if hung_up {
                // Nothing more to read, so only the end is waited for.
                let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
                let ended = poll(&mut [PollFd::new(end, PollFlags::POLLIN)], left);
                return Ok(ended.is_ok_and(|ready| ready > 0));
            }
        }
    }

    /// Reads all that is there.
    fn take(&mut self, report: &mut Report) -> Result<()> {
        let mut buffer = [0; 4096];
        loop {
            match self.lines.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => self.rest += &String::from_utf8_lossy(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(Error::io("the report", &error)),
            }
        }
        while let Some((line, rest)) = self.rest.split_once('\n') {
            match Line::parse(line) {
                Some(Line::Begin(name)) => {
                    (self.step, self.since) = (Some(name), Instant::now());
                }
                Some(Line::End(check)) => {
                    self.step = None;
                    report.checks.push(check);
                }
                None => {}
            }
            self.rest = rest.to_string();
        }
        Ok(())
    }
}

/// Kills and reaps everything below us: supervisors that the module has begun, and their services.
fn end_descendants() {
    let own = std::process::id();
    loop {
        for pid in children_of(own) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        // Whose parent is killed becomes our child, until there is none.
        match waitpid(None, None) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(_) => return,
        }
    }
}

fn children_of(parent: u32) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| Stat::of(pid).and_then(|stat| stat.parent()) == Some(parent))
        .collect()
}

/// A directory that goes away.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Scratch> {
        let template = std::env::temp_dir().join("rc-sv-verify-XXXXXX");
        mkdtemp(&template)
            .map(Scratch)
            .map_err(|errno| Error::io(template.display(), &errno.into()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nobody uses it any more; if it stays, nothing is wrong but some kilobytes.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
