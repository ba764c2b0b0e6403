//! `check`: what a start would do.

use super::{complain, draft, print, OK};
use rc_sv_api::{Error, ServiceName};
use rc_sv_loader::config::Variables;
use rc_sv_loader::{Failure, Listener, Loader, Services};
use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::rc::Rc;

/// OpenRC's program that runs the script of a service, and the command of the drop-in that calls
/// this program again.
const SCRIPT: [&str; 2] = ["rc-service", "rcsv_check"];

/// Where OpenRC's programs are, besides PATH.
const PATH: &str = "/usr/sbin:/sbin:/usr/bin:/bin";

/// Longer stories are not simulated.
const MOST_WORDS: u64 = 4096;

/// Up to syslog's LOG_WARNING it is a complaint, at LOG_INFO a part of the answer.
const WARNING: i32 = 4;
const INFO: i32 = 6;

/// What is to be checked.
pub struct Check {
    pub service: ServiceName,
    pub module: Option<String>,
    pub simulate: Option<String>,
    pub forks: bool,
    pub own_start: bool,
    pub argv: Vec<OsString>,
}

/// Prints what a start of the service would do.
pub fn run(loader: &Loader, check: Check) -> Result<u8, Failure> {
    let variables = loader.config().variables();
    let is_script = variables.get("RC_SVCNAME") == Some(check.service.as_str().as_bytes());
    if !is_script && check.argv.is_empty() && check.module.is_none() {
        return Err(by_script(&check, variables).into());
    }
    let words = match check.simulate.as_deref() {
        Some("-") => Some(read_words()?).filter(|words| !words.is_empty()),
        words => words.map(str::to_string),
    };
    let said = Rc::new(Said {
        service: check.service.clone(),
        lines: RefCell::default(),
    });
    let services = Services::new(loader.with_listener(said.clone()))?;
    let mut draft = draft(check.service, check.module, check.argv)?;
    if check.forks {
        draft.set_forks();
    }
    let checked = services.check(&draft, check.own_start, words.as_deref())?;
    let file = checked.file.display();
    let mut text = format!("module: {} ({file})\n", checked.module);
    if checked.watches {
        text += "start: by OpenRC; the module watches\n";
    }
    for line in said.lines.borrow().iter() {
        text += line;
        text.push('\n');
    }
    print(&text)?;
    Ok(OK)
}

/// Becomes the script of the service, because only a shell knows what is set in there. It calls
/// this program again, as at a start. OpenRC hands on neither arguments nor variables, so the words
/// go by standard input. Returns only when that cannot be.
fn by_script(check: &Check, variables: &Variables) -> Error {
    let failed = |error: std::io::Error| Error::io(SCRIPT[0], &error);
    let words = match words_for_script(check) {
        Ok(words) => words,
        Err(error) => return failed(error),
    };
    let mut all = OsStr::from_bytes(variables.get("PATH").unwrap_or_default()).to_os_string();
    all.push(if all.is_empty() { "" } else { ":" });
    all.push(PATH);
    let mut command = Command::new(SCRIPT[0]);
    command.args(variables.is_users().then_some("--user"));
    command.arg(check.service.as_str()).arg(SCRIPT[1]);
    command.env("PATH", all).stdin(words);
    failed(command.exec())
}

/// Something that ends after the words.
fn words_for_script(check: &Check) -> std::io::Result<OwnedFd> {
    let (mut ours, theirs) = UnixStream::pair()?;
    ours.write_all(check.simulate.as_deref().unwrap_or_default().as_bytes())?;
    ours.shutdown(Shutdown::Write)?;
    Ok(theirs.into())
}

fn read_words() -> Result<String, Failure> {
    let mut words = String::new();
    let mut input = std::io::stdin().lock().take(MOST_WORDS);
    input
        .read_to_string(&mut words)
        .map_err(|error| Error::io("standard input", &error))?;
    Ok(words.trim().to_string())
}

/// What the module says that it would do.
struct Said {
    service: ServiceName,
    lines: RefCell<Vec<String>>,
}

impl Listener for Said {
    fn log(&self, module: &str, level: i32, line: &str) {
        match level {
            ..=WARNING => complain(Some(&self.service), &format_args!("{module}: {line}")),
            INFO => self.lines.borrow_mut().push(line.to_string()),
            _ => {}
        }
    }
}
