//! The scratch service: a daemon that tells through a FIFO what happens to it.

use super::report::{wrong, Objection};
use crate::capture;
use crate::config::Variables;
use crate::stat::Stat;
use nix::fcntl::{open, OFlag};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rc_sv_api::{Error, Result, ServiceName, Spec};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long anything may take that should take no time at all.
pub(super) const SOON: Duration = Duration::from_secs(15);

/// How long a respawn may take: some suites wait for seconds first, monit for its cycle.
pub(super) const RESPAWN: Duration = Duration::from_secs(90);

/// Says `start PID`, `usr1 PID` and `hup PID` to the FIFO that is its first argument. It waits for
/// lines of another FIFO, so that it needs no child; they mean nothing. TERM ends it, if its third
/// argument is not `stubborn`. It holds both FIFOs open at both ends and never waits for anybody.
const DAEMON: &str = r#"exec 3<>"$0" 4<>"$1" || exit 1
trap 'echo "usr1 $$" >&3' USR1
trap 'echo "hup $$" >&3' HUP
if [ "$2" = stubborn ]; then trap '' TERM; fi
echo "start $$" >&3
while :; do read -r word <&4; done
"#;

/// How often what makes no event is looked at again.
const PACE: Duration = Duration::from_millis(20);

/// How often the daemon is woken up while its word is waited for: a signal that comes just before
/// its read(2) does not interrupt that, and a shell runs no trap before it comes back.
const NUDGE: Duration = Duration::from_millis(100);

/// One daemon's place.
pub(super) struct Scene {
    service: ServiceName,
    directory: PathBuf,
    words: File,
    silence: File,
    heard: String,
}

impl Scene {
    /// Makes the FIFOs in `directory`.
    pub fn new(directory: &Path) -> Result<Scene> {
        let number = std::process::id();
        let service = ServiceName::new(format!("rc-sv-verify-{number}").as_bytes())?;
        let failed = |errno: nix::Error| Error::io(directory.display(), &errno.into());
        let fifo = |name: &str| {
            let path = directory.join(name);
            mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).map_err(failed)?;
            let flags = OFlag::O_RDWR | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
            open(&path, flags, Mode::empty()).map_err(failed)
        };
        Ok(Scene {
            service,
            directory: directory.to_path_buf(),
            words: File::from(fifo("words")?),
            silence: File::from(fifo("silence")?),
            heard: String::new(),
        })
    }

    /// The name of the service.
    pub fn service(&self) -> &str {
        self.service.as_str()
    }

    /// The path of a file of this scene.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A spec that only says which service it is, as for everything after the start.
    pub fn name_only(&self) -> Result<Spec> {
        let mut spec = Spec::default();
        capture::identify(&mut spec, &self.service, &Variables::of_process())?;
        Ok(spec)
    }

    /// The spec of a start of `argv`.
    pub fn spec_of(&self, argv: Vec<Vec<u8>>) -> Result<Spec> {
        let mut spec = Spec::default();
        capture::capture(&mut spec, &self.service, argv, &Variables::of_process())?;
        Ok(spec)
    }

    /// The arguments of the daemon.
    pub fn argv(&self, stubborn: bool) -> Vec<Vec<u8>> {
        let path = |name: &str| self.path(name).as_os_str().as_bytes().to_vec();
        let manner = if stubborn { "stubborn" } else { "meek" };
        vec![
            b"/bin/sh".to_vec(),
            b"-c".to_vec(),
            DAEMON.into(),
            path("words"),
            path("silence"),
            manner.into(),
        ]
    }

    /// Waits for the next word of a daemon and its pid; `None` when the time is over.
    pub fn hear(&mut self, timeout: Duration) -> Result<Option<(String, i32)>> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some((line, rest)) = self.heard.split_once('\n') {
                let word = line.split_once(' ');
                let word = word.and_then(|(word, pid)| Some((word.into(), pid.parse().ok()?)));
                self.heard = rest.to_string();
                return Ok(word);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !self.listen(left.min(NUDGE))? {
                if left.is_zero() {
                    return Ok(None);
                }
                self.nudge()?;
            }
        }
    }

    /// Waits for exactly this word; the pid of who says it.
    pub fn expect(&mut self, word: &str, timeout: Duration) -> std::result::Result<i32, Objection> {
        match self.hear(timeout)? {
            Some((said, pid)) if said == word => Ok(pid),
            Some((said, pid)) => Err(wrong(format!(
                "the daemon was expected to say {word:?}, but process {pid} said {said:?}"
            ))),
            None => Err(wrong(format!(
                "the daemon did not say {word:?} within {} s",
                timeout.as_secs()
            ))),
        }
    }

    /// The daemon must have said nothing in the meantime: it is asked, and answers in order.
    pub fn expect_untouched(&mut self, pid: i32) -> std::result::Result<(), Objection> {
        let target = nix::unistd::Pid::from_raw(pid);
        nix::sys::signal::kill(target, nix::sys::signal::Signal::SIGUSR1)
            .map_err(|errno| wrong(format!("process {pid} cannot be asked: {errno}")))?;
        let who = self
            .expect("usr1", SOON)
            .map_err(|objection| match lives(pid) {
                true => objection,
                false => wrong(format!(
                    "process {pid} is dead; the service must be left as it is"
                )),
            })?;
        match who == pid {
            true => Ok(()),
            false => Err(wrong(format!("process {who} answers instead of {pid}"))),
        }
    }

    /// What was said in the meantime must be nothing.
    pub fn expect_silence(&mut self) -> std::result::Result<(), Objection> {
        match self.hear(Duration::ZERO)? {
            Some((word, pid)) => Err(wrong(format!(
                "process {pid} said {word:?}; nothing was to happen to the daemon"
            ))),
            None => Ok(()),
        }
    }

    /// Looks at `fact` until it is true or the time is over.
    pub fn until(
        &self,
        timeout: Duration,
        mut fact: impl FnMut() -> std::result::Result<bool, Objection>,
    ) -> std::result::Result<bool, Objection> {
        let deadline = Instant::now() + timeout;
        while !fact()? {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            // Neither a state nor the end of a stranger's process can be waited for.
            let pace = PollTimeout::try_from(PACE).unwrap_or(PollTimeout::ZERO);
            let _ = poll(&mut [], pace);
        }
        Ok(true)
    }

    /// Lets the daemon's read(2) come back, or its next one.
    fn nudge(&mut self) -> Result<()> {
        match self.silence.write(b"\n") {
            // It is full of nudges that nobody reads.
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(Error::io("waking up the daemon", &error)),
            Ok(_) => Ok(()),
        }
    }

    /// Waits until there is something to read and takes it; whether there was.
    fn listen(&mut self, timeout: Duration) -> Result<bool> {
        let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
        let mut wait = [PollFd::new(self.words.as_fd(), PollFlags::POLLIN)];
        match poll(&mut wait, timeout) {
            Ok(0) => return Ok(false),
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(errno) => return Err(Error::io("poll", &errno.into())),
        }
        let mut buffer = [0; 512];
        match self.words.read(&mut buffer) {
            Ok(count) => self.heard += &String::from_utf8_lossy(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(Error::io("words of the daemon", &error)),
        }
        Ok(true)
    }
}

/// Whether the process lives; a zombie does not.
pub(super) fn lives(pid: i32) -> bool {
    Stat::of(pid).is_some_and(|stat| stat.is_alive())
}
