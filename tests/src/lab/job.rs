//! Programs run inside of a lab.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::poll::{poll, PollFd, PollFlags};
use nix::sys::signal::Signal;
use nix::unistd::pipe2;

use super::{answer, wait, wire, Lab, Output, TIMEOUT};

/// A program to be run, with its settings. Made by [`Lab::run`].
///
/// Without settings it runs in /, with a fixed small environment (PATH, HOME,
/// TERM, LC_ALL, EINFO_COLOR=no), with empty standard input, as root, as the
/// leader of a process group and a child of pid 1.
#[derive(Debug)]
pub struct Run<'lab> {
    lab: &'lab Lab,
    argv: Vec<Vec<u8>>,
    environment: Vec<(Vec<u8>, Vec<u8>)>,
    directory: Vec<u8>,
    timeout: Duration,
}

impl<'lab> Run<'lab> {
    pub(super) fn new<I>(lab: &'lab Lab, argv: I) -> Run<'lab>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let argv = argv
            .into_iter()
            .map(|word| word.as_ref().as_bytes().to_vec())
            .collect();
        let environment = [
            (
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ),
            ("HOME", "/root"),
            ("TERM", "dumb"),
            ("LC_ALL", "C"),
            ("EINFO_COLOR", "no"),
        ];
        let environment = environment
            .map(|(name, value)| (name.into(), value.into()))
            .into();
        Run {
            lab,
            argv,
            environment,
            directory: b"/".to_vec(),
            timeout: TIMEOUT,
        }
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Run<'lab> {
        let name = name.as_ref().as_bytes().to_vec();
        self.environment.retain(|(other, _)| *other != name);
        self.environment
            .push((name, value.as_ref().as_bytes().to_vec()));
        self
    }

    /// Sets the working directory.
    pub fn dir(mut self, path: &str) -> Run<'lab> {
        self.directory = path.into();
        self
    }

    /// Sets the time-out of [`Run::output`]. Default: 60 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Run<'lab> {
        self.timeout = timeout;
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it cannot be started, or at the time-out: then its process group
    /// is killed and its output shown.
    #[track_caller]
    pub fn output(self) -> Output {
        let timeout = self.timeout;
        self.spawn().wait(timeout)
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn spawn(self) -> Job<'lab> {
        let what = self.what();
        self.start()
            .unwrap_or_else(|error| panic!("cannot start {what}: {error}"))
    }

    /// Starts it with these descriptors as standard input, output and error,
    /// and waits without a time-out: for a person at a terminal.
    pub fn attached(self, stdio: [BorrowedFd<'_>; 3]) -> io::Result<ExitStatus> {
        let (_, reply) = self.send(stdio)?;
        let message = wire::receive(&reply)?;
        status(&message.ok_or_else(|| io::Error::other("the lab is gone"))?)
    }

    fn start(self) -> io::Result<Job<'lab>> {
        let null = File::open("/dev/null")?;
        let (out, out_end) = pipe2(OFlag::O_CLOEXEC)?;
        let (err, err_end) = pipe2(OFlag::O_CLOEXEC)?;
        let (pid, reply) = self.send([null.as_fd(), out_end.as_fd(), err_end.as_fd()])?;
        for pipe in [&out, &err] {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        let pipes = [Pipe::new(out), Pipe::new(err)];
        Ok(Job {
            pid,
            lab: self.lab,
            reply,
            pipes,
            what: self.what(),
        })
    }

    fn send(&self, stdio: [BorrowedFd<'_>; 3]) -> io::Result<(i32, OwnedFd)> {
        let (ours, theirs) = wire::pair()?;
        let count = self.argv.len().to_string();
        let pairs: Vec<Vec<u8>> = self
            .environment
            .iter()
            .map(|(name, value)| [&name[..], value].join(&b'='))
            .collect();
        let mut fields = vec![b"spawn", &self.directory[..], count.as_bytes()];
        fields.extend(self.argv.iter().chain(&pairs).map(Vec::as_slice));
        let [stdin, stdout, stderr] = stdio;
        wire::send(
            self.lab.control(),
            &fields,
            &[stdin, stdout, stderr, theirs.as_fd()],
        )?;
        drop(theirs);
        let pid = answer(&ours, TIMEOUT)?.number(1)?;
        Ok((pid, ours))
    }

    fn what(&self) -> String {
        let words: Vec<_> = self
            .argv
            .iter()
            .map(|word| String::from_utf8_lossy(word))
            .collect();
        words.join(" ")
    }
}

/// A program that runs in a lab. Dropping it does not end it.
#[derive(Debug)]
pub struct Job<'lab> {
    /// Its number inside of the lab; also that of its process group.
    pub pid: i32,
    lab: &'lab Lab,
    reply: OwnedFd,
    pipes: [Pipe; 2],
    what: String,
}

impl Job<'_> {
    /// Waits until it ends, and returns without waiting for what it left
    /// behind.
    ///
    /// # Panics
    /// At the time-out: its process group is killed and its output shown.
    #[track_caller]
    pub fn wait(mut self, timeout: Duration) -> Output {
        let ended = self
            .drain(timeout)
            .unwrap_or_else(|error| panic!("{}: {error}", self.what));
        let late = ended.is_none();
        if late {
            // It may end between the time-out and here: the panic below says more than ESRCH.
            let _ = self.lab.try_kill(-self.pid, Signal::SIGKILL as i32);
        }
        let status = ended.unwrap_or_else(|| ExitStatus::from_raw(Signal::SIGKILL as i32));
        let [out, err] = &self.pipes;
        let output = Output {
            status,
            stdout: String::from_utf8_lossy(&out.bytes).into_owned(),
            stderr: String::from_utf8_lossy(&err.bytes).into_owned(),
            held_open: out.fd.is_some() || err.fd.is_some(),
            what: std::mem::take(&mut self.what),
        };
        assert!(!late, "not done after {timeout:?}, killed: {output}");
        output
    }

    /// Sends a signal to it alone.
    ///
    /// # Panics
    /// When it has ended.
    pub fn kill(&self, signal: i32) {
        self.lab.kill(self.pid, signal);
    }

    /// Reads what it writes until it ends. `None` at the time-out.
    fn drain(&mut self, timeout: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut events = vec![PollFd::new(self.reply.as_fd(), PollFlags::POLLIN)];
            events.extend(self.pipes.iter().filter_map(Pipe::event));
            match poll(&mut events, wait::rounded(left)) {
                Ok(0) if left.is_zero() => return Ok(None),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            let ended = events[0].any().unwrap_or(false);
            for pipe in &mut self.pipes {
                pipe.read()?;
            }
            if ended {
                let message = wire::receive(&self.reply)?;
                let message = message.ok_or_else(|| io::Error::other("the lab is gone"))?;
                return status(&message).map(Some);
            }
        }
    }
}

fn status(message: &wire::Message) -> io::Result<ExitStatus> {
    Ok(ExitStatus::from_raw(message.number(1)?))
}

/// The reading end of standard output or error.
#[derive(Debug)]
struct Pipe {
    /// None after end of file.
    fd: Option<File>,
    bytes: Vec<u8>,
}

impl Pipe {
    fn new(fd: OwnedFd) -> Pipe {
        Pipe {
            fd: Some(fd.into()),
            bytes: Vec::new(),
        }
    }

    fn event(&self) -> Option<PollFd<'_>> {
        self.fd
            .as_ref()
            .map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN))
    }

    /// Takes all there is.
    fn read(&mut self) -> io::Result<()> {
        let Some(fd) = &mut self.fd else {
            return Ok(());
        };
        match fd.read_to_end(&mut self.bytes) {
            Ok(_) => self.fd = None,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
