//! Where a call is done: in this process, in a forked child, or by another program.
//!
//! A module is foreign code. In a program of its own, such as `rc-sv-loader`, it can do no harm
//! that the end of the program does not undo. In openrc-run, or in a program that lives long, it
//! must not crash, exit, hang, close descriptors, or change the working directory or signals. So
//! the call is done apart; a pipe brings what is answered, and a keeper (see [`crate::run`]) how
//! the process ended, whatever handlers the host has.

mod relay;

use crate::call::Call;
use crate::loader::Loader;
use crate::reply::Reply;
use crate::run::{self, Ran, EXITED};
use crate::search::{is_privileged, PREFIX};
use crate::services::{Failure, Services};
use crate::wire::Reader;
use rc_sv_api::{signal, Code, Error, Outcome};
use relay::Relay;
pub use relay::{answer, OPTION};
use std::ffi::{c_int, CString};
use std::os::fd::RawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

/// Where calls are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// In this process: it trusts its modules, or ends soon.
    Direct,
    /// In a forked child: not for a process with threads.
    Fork,
    /// By the program `rc-sv-loader`.
    Exec,
}

/// How long a question may take.
const QUESTION: Duration = Duration::from_secs(30);
/// How long an order may take that has no time-out of its own: longer than any ladder of signals
/// that somebody is going to wait for.
const ORDER: Duration = Duration::from_secs(600);
/// A module is to keep its time-out by itself; after this much more it is killed.
const MARGIN: Duration = Duration::from_secs(2);
/// More than this is not taken of an answer: 10,000 services and their lines.
const MOST: usize = 16 << 20;
/// The exit code of a child that cannot answer any more.
const MUTE: u8 = 254;

impl Isolation {
    /// What suits this process: a forked child unless there are threads.
    pub fn of_process() -> Isolation {
        // Without /proc there might be threads.
        match std::fs::read_dir("/proc/self/task").map(Iterator::count) {
            Ok(1) => Isolation::Fork,
            _ => Isolation::Exec,
        }
    }

    /// Does `call` with the modules and the configuration of `loader`. What is answered on the way
    /// goes to `sink`; lines and events to the loader's listener; both before this returns.
    ///
    /// # Errors
    /// Those of the call; [`Code::Crashed`] when the process that did it is gone, and
    /// [`Code::Timeout`] when it was killed.
    pub fn call(
        self,
        loader: &Loader,
        call: &Call,
        sink: &mut dyn FnMut(Reply),
    ) -> Result<Outcome, Failure> {
        let limit = limit(call);
        let ran = match self {
            Isolation::Direct => return call.perform(&Services::new(loader.clone())?, sink),
            Isolation::Fork => run::fork(&|pipe| in_child(loader, call, pipe), limit, MOST)?,
            Isolation::Exec => execute(loader, call, limit)?,
        };
        hear(loader, call, &ran, limit, sink)
    }
}

/// When the process that does `call` is killed.
fn limit(call: &Call) -> Duration {
    let default = match call {
        Call::Probe(_) | Call::Describe(_) | Call::Status(_) | Call::List => QUESTION,
        Call::Start(..) | Call::Attach(..) | Call::Act(..) | Call::Wait(..) => ORDER,
    };
    call.request().timeout.unwrap_or(default) + MARGIN
}

/// The exit code of the forked child.
fn in_child(loader: &Loader, call: &Call, pipe: RawFd) -> c_int {
    let myself = std::process::id();
    let Some(relay) = Relay::new(pipe) else {
        return MUTE.into();
    };
    relay.perform(loader, call);
    // A module that forks and returns twice has answered once.
    match relay.is_heard() || std::process::id() != myself {
        true => 0,
        false => MUTE.into(),
    }
}

fn execute(loader: &Loader, call: &Call, limit: Duration) -> Result<Ran, Failure> {
    let text = |bytes: Vec<u8>| CString::new(bytes).ok();
    let program = format!("{PREFIX}/bin/rc-sv-loader");
    let argv: Vec<CString> = [program, OPTION.to_string()]
        .into_iter()
        .filter_map(|word| text(word.into_bytes()))
        .collect();
    // Who has more rights than his caller does not let him choose modules.
    let withheld = is_privileged().then_some(&b"RC_SV_PATH"[..]);
    let variables = loader.config().variables().iter();
    let environment: Vec<CString> = variables
        .filter(|(name, _)| Some(*name) != withheld)
        .filter_map(|(name, value)| text([name, b"=", value].concat()))
        .collect();
    let command = run::Command {
        argv: &argv,
        environment: &environment,
        directory: c".",
        input: &call.encode(),
        merge_stderr: false,
        timeout: limit,
    };
    Ok(run::run(&command, MOST)?)
}

/// Hands out what was answered, and makes something of it when the end is missing.
fn hear(
    loader: &Loader,
    call: &Call,
    ran: &Ran,
    limit: Duration,
    sink: &mut dyn FnMut(Reply),
) -> Result<Outcome, Failure> {
    let mut module = None;
    let mut stream = Reader::new(&ran.output);
    while let Some(reply) = Reply::next(&mut stream) {
        match reply {
            Reply::Loads(name) => module = Some(name),
            Reply::Line(module, level, line) => loader.listener().log(&module, level, &line),
            Reply::Event(module, event) => loader.listener().event(&module, &event),
            Reply::End(result) => return result,
            other => sink(other),
        }
    }
    let who = match module {
        Some(name) => format!("module {name}"),
        None => "loader".to_string(),
    };
    let (code, what) = cause(ran, limit);
    let line = format!("{who}: {}: {what}", call.name());
    Err(Error::new(code, line).into())
}

/// Why there is no end of the answer.
fn cause(ran: &Ran, limit: Duration) -> (Code, String) {
    let status = ExitStatus::from_raw(ran.wait_status);
    let what = match (status.code(), status.signal()) {
        _ if ran.timed_out => {
            let millis = limit.as_millis();
            return (
                Code::Timeout,
                format!("did not return within {millis} ms and was killed"),
            );
        }
        _ if ran.truncated => "answered more than can be taken".to_string(),
        (_, Some(number)) => format!("killed by SIG{}", signal::name(number)),
        (Some(EXITED), _) => "called exit() instead of returning".to_string(),
        (Some(code), _) if code == i32::from(MUTE) => {
            "closed descriptors that are not its own".to_string()
        }
        (code, _) => {
            let code = code.unwrap_or_default();
            format!("ended its process with exit code {code} instead of returning")
        }
    };
    (Code::Crashed, what)
}
