//! A module that owns the process: its start, its life and its end.

mod changes;
mod refusals;

use super::answer::Answer;
use super::bare::{Op, Opened};
use super::report::{not_run, wrong, Finding, Objection};
use super::scene::{lives, Scene, SOON};
use super::sheet::Sheet;
use rc_sv_api::abi::constants::*;
use rc_sv_api::abi::types::rc_sv_status;
use rc_sv_api::{Caps, Request, Spec, State};
use std::time::{Duration, Instant};

/// What the host gives a stop of a daemon that does not want to end.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// A module that owns its daemon, and the scratch service.
pub(super) struct Owning<'a> {
    module: Opened<'a>,
    caps: Caps,
    scene: Scene,
    /// Names the service only.
    named: Spec,
}

impl<'a> Owning<'a> {
    pub fn new(module: Opened<'a>, caps: Caps, scene: Scene) -> Result<Owning<'a>, Objection> {
        let named = scene.name_only()?;
        Ok(Owning {
            module,
            caps,
            scene,
            named,
        })
    }

    /// All checks in order. After a failed one the service may be anywhere, so each begins by
    /// looking at it.
    pub fn run(mut self, sheet: &mut Sheet) {
        sheet.check("unknown service", || self.unknown());
        sheet.check("start without a program", || self.no_program());
        sheet.check("start of what cannot run", || self.cannot_run());
        sheet.check("dry run", || self.dry_run());
        let mut pid = 0;
        if !sheet.check("start", || {
            self.start().map(|(text, is)| {
                pid = is;
                text
            })
        }) {
            sheet.settle("further behaviour", Err(not_run("it cannot be started")));
            return;
        }
        sheet.check("start again", || self.start_again(pid));
        sheet.check("NULL request and error", || self.deaf(pid));
        sheet.check("signal", || self.signal(pid));
        sheet.check("reload", || self.reload(pid));
        sheet.check("list", || self.list());
        sheet.check("wait", || self.wait());
        sheet.check("watch", || self.watch());
        sheet.check("restart", || self.restart(&mut pid));
        sheet.check("kill -9", || self.killed(&mut pid));
        sheet.check("stop", || self.stop(pid));
        sheet.check("stop again", || self.stop_again());
        sheet.check("time-out", || self.stubborn());
        sheet.check("forget", || self.forget());
    }

    fn start(&mut self) -> Result<(String, i32), Objection> {
        let pid = self.begin(false)?;
        Ok((format!("pid {pid}"), pid))
    }

    /// Starts a daemon, one that does not want to end if it `is_stubborn`, and waits until it is up.
    fn begin(&mut self, is_stubborn: bool) -> Result<i32, Objection> {
        let spec = self.scene.spec_of(self.scene.argv(is_stubborn))?;
        let answer = self
            .module
            .act(Op::Start, &spec, Some(&Request::default()))?;
        require(&answer, "start")?;
        let pid = self.scene.expect("start", SOON)?;
        self.is_up(pid)?;
        Ok(pid)
    }

    /// The service must soon be up with this main process.
    fn is_up(&self, pid: i32) -> Result<rc_sv_status, Objection> {
        let mut last = rc_sv_api::abi::convert::empty_status();
        let up = self.scene.until(SOON, || {
            let (answer, status) = self.module.status(&self.named)?;
            require(&answer, "status")?;
            last = status;
            let known = status.valid & RC_SV_ST_PID != 0 && status.pid == pid;
            Ok(state(&status) == State::Up && known)
        })?;
        if up {
            return Ok(last);
        }
        Err(wrong(format!(
            "the daemon runs as pid {pid}, but status says {} with pid {}",
            state(&last).name(),
            if last.valid & RC_SV_ST_PID != 0 {
                last.pid
            } else {
                0
            }
        )))
    }

    /// The main process must be the same.
    fn is_still(&self, pid: i32) -> Result<(), Objection> {
        match self.pid()? {
            now if now == pid => Ok(()),
            now => Err(wrong(format!(
                "process {now} is the main process now; {pid} was up and to be left alone"
            ))),
        }
    }

    fn start_again(&mut self, pid: i32) -> Finding {
        let spec = self.scene.spec_of(self.scene.argv(false))?;
        let answer = self
            .module
            .act(Op::Start, &spec, Some(&Request::default()))?;
        require(&answer, "start of a service that is up")?;
        self.is_still(pid)?;
        self.scene.expect_untouched(pid)?;
        Ok(format!("pid {pid} is left alone"))
    }

    fn deaf(&mut self, pid: i32) -> Finding {
        let spec = self.scene.spec_of(self.scene.argv(false))?;
        let result = self.module.act_deaf(Op::Start, &spec)?;
        if result < 0 {
            return Err(wrong(format!(
                "start with NULL for request and error answered {result}; both may be NULL"
            )));
        }
        self.is_still(pid)?;
        self.scene.expect_untouched(pid)?;
        Ok("are taken".into())
    }

    fn stop(&mut self, pid: i32) -> Finding {
        let answer = self
            .module
            .act(Op::Stop, &self.named, Some(&Request::default()))?;
        require(&answer, "stop")?;
        self.gone(pid, "stop")?;
        self.is_down()
    }

    fn stop_again(&mut self) -> Finding {
        let answer = self
            .module
            .act(Op::Stop, &self.named, Some(&Request::default()))?;
        require(&answer, "stop of a service that is down")?;
        self.is_down()
    }

    fn is_down(&mut self) -> Finding {
        let (answer, status) = self.module.status(&self.named)?;
        require(&answer, "status")?;
        let state = state(&status);
        if !matches!(state, State::Down | State::Unmanaged) {
            return Err(wrong(format!(
                "after a stop the state is {}; it must be down",
                state.name()
            )));
        }
        self.scene.expect_silence()?;
        Ok(format!("is {}", state.name()))
    }

    /// A daemon that does not want to end: the call ends in time all the same.
    fn stubborn(&mut self) -> Finding {
        let pid = self.begin(true)?;
        let request = Request {
            timeout: Some(IMPATIENCE),
            ..Request::default()
        };
        let begin = Instant::now();
        let answer = self.module.act(Op::Stop, &self.named, Some(&request))?;
        let late = in_time(begin, "stop");
        let untrue = answer.result == RC_SV_OK && lives(pid);
        if lives(pid) {
            kill(pid)?;
        }
        let stop = self
            .module
            .act(Op::Stop, &self.named, Some(&Request::default()))?;
        require(&stop, "stop of a daemon that was killed")?;
        self.gone(pid, "kill -9")?;
        late?;
        if untrue {
            return Err(wrong("stop answered RC_SV_OK while the daemon still ran"));
        }
        Ok(format!("is obeyed: stop {}", answer.shown()))
    }

    fn forget(&mut self) -> Finding {
        let Some(answer) = self.module.forget(&self.named)? else {
            return Ok("is not offered".into());
        };
        require(&answer, "forget")?;
        let (_, status) = self.module.status(&self.named)?;
        match state(&status) {
            State::Unmanaged => Ok("is unmanaged again".into()),
            state => Err(wrong(format!(
                "after forget the state is {}; it must be unmanaged",
                state.name()
            ))),
        }
    }

    /// The main process as status has it.
    fn pid(&self) -> Result<i32, Objection> {
        let (answer, status) = self.module.status(&self.named)?;
        require(&answer, "status")?;
        if status.valid & RC_SV_ST_PID != 0 && lives(status.pid) {
            return Ok(status.pid);
        }
        Err(not_run("the service is not up"))
    }

    fn gone(&self, pid: i32, after: &str) -> Result<(), Objection> {
        if self.scene.until(SOON, || Ok(!lives(pid)))? {
            return Ok(());
        }
        Err(wrong(format!("process {pid} still lives after {after}")))
    }
}

/// The call must have worked.
pub(super) fn require(answer: &Answer, what: &str) -> Result<(), Objection> {
    match answer.result {
        RC_SV_OK | RC_SV_PENDING => Ok(()),
        RC_SV_DELEGATE => Err(wrong(format!(
            "{what} answered RC_SV_DELEGATE, but a module that claims OWNS_PROCESS does it itself"
        ))),
        _ => Err(wrong(format!("{what} {}", answer.shown()))),
    }
}

/// The state of a snapshot.
pub(super) fn state(status: &rc_sv_status) -> State {
    State::from_raw(status.state)
}

/// Kills a daemon.
pub(super) fn kill(pid: i32) -> Result<(), Objection> {
    let target = nix::unistd::Pid::from_raw(pid);
    nix::sys::signal::kill(target, nix::sys::signal::Signal::SIGKILL)
        .map_err(|errno| wrong(format!("process {pid} cannot be killed: {errno}")))
}

/// A call that was given a second may take a while on a busy machine, but not as long as a module
/// that did not look at the time-out.
fn in_time(begin: Instant, call: &str) -> Result<(), Objection> {
    const MOST: Duration = Duration::from_secs(4);
    let took = begin.elapsed();
    if took <= MOST {
        return Ok(());
    }
    Err(wrong(format!(
        "{call} took {} s where request->timeout_ms gave it {} s",
        took.as_secs(),
        IMPATIENCE.as_secs()
    )))
}
