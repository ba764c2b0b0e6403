//! What is answered to a [`crate::Call`], piece by piece, and how it crosses a pipe.

mod status;

use crate::module::Module;
use crate::services::{Failure, Report};
use crate::standing::Standing;
use crate::wire::{unreadable, Reader, Writer};
use rc_sv_api::event::Event;
use rc_sv_api::{Caps, Code, Error, Outcome, Result, ServiceName};
use status::{get_event, get_status, put_event, put_status};
use std::path::PathBuf;

/// One piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A module is about to be loaded.
    Loads(String),
    /// A module says a line; its level is that of syslog(3).
    Line(String, i32, String),
    /// A module saw an event.
    Event(String, Box<Event>),
    /// How a service stands.
    Report(Box<Report>),
    /// How a service stands cannot be found out.
    Unknown(ServiceName, Failure),
    /// What a module can do here and now.
    Caps(Caps),
    /// What a module says of itself.
    Description(Box<Description>),
    /// The end of the answer.
    End(std::result::Result<Outcome, Failure>),
}

/// What a module says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Its version.
    pub version: String,
    /// One line for people.
    pub text: String,
    /// Its ABI, major and minor in one word.
    pub abi: u32,
    /// What it can do at best.
    pub caps: Caps,
    /// What it can do here and now, or why it cannot be used.
    pub present: Result<Caps>,
}

impl Description {
    /// That of `module`, with the answer to its probe.
    pub fn of(module: &Module, present: Result<Caps>) -> Description {
        Description {
            name: module.name().to_string(),
            path: module.path().to_path_buf(),
            version: module.version().to_string(),
            text: module.description().to_string(),
            abi: module.abi_number(),
            caps: module.caps(),
            present,
        }
    }
}

impl Reply {
    /// As a message with its length before it.
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        match self {
            Reply::Loads(module) => {
                to.text("loads");
                to.text(module);
            }
            Reply::Line(module, level, line) => {
                to.text("line");
                to.text(module);
                to.number(level);
                to.text(line);
            }
            Reply::Event(module, event) => {
                to.text("event");
                to.text(module);
                put_event(&mut to, event);
            }
            Reply::Report(report) => {
                to.text("report");
                put_report(&mut to, report);
            }
            Reply::Unknown(service, failure) => {
                to.text("unknown");
                to.text(service.as_str());
                put_failure(&mut to, failure);
            }
            Reply::Caps(caps) => {
                to.text("caps");
                to.number(caps.0);
            }
            Reply::Description(description) => {
                to.text("description");
                put_description(&mut to, description);
            }
            Reply::End(Ok(outcome)) => {
                to.text("end");
                to.number(*outcome as i32);
            }
            Reply::End(Err(failure)) => {
                to.text("failed");
                put_failure(&mut to, failure);
            }
        }
        let mut message = Writer::default();
        message.bytes(&to.finish());
        message.finish()
    }

    /// The next one of `stream`; `None` when there is no whole one.
    pub(crate) fn next(stream: &mut Reader<'_>) -> Option<Reply> {
        Reply::decode(stream.bytes().ok()?).ok()
    }

    fn decode(message: &[u8]) -> Result<Reply> {
        let mut from = Reader::new(message);
        Ok(match from.text()?.as_str() {
            "loads" => Reply::Loads(from.text()?),
            "line" => Reply::Line(from.text()?, from.number()?, from.text()?),
            "event" => Reply::Event(from.text()?, Box::new(get_event(&mut from)?)),
            "report" => Reply::Report(Box::new(get_report(&mut from)?)),
            "unknown" => Reply::Unknown(ServiceName::new(from.bytes()?)?, get_failure(&mut from)?),
            "caps" => Reply::Caps(Caps(from.number()?)),
            "description" => Reply::Description(Box::new(get_description(&mut from)?)),
            "end" => Reply::End(Ok(match from.number::<i32>()? {
                0 => Outcome::Done,
                1 => Outcome::Pending,
                2 => Outcome::Delegate,
                _ => return Err(unreadable()),
            })),
            "failed" => Reply::End(Err(get_failure(&mut from)?)),
            _ => return Err(unreadable()),
        })
    }
}

/// No module has an empty name.
fn get_module(from: &mut Reader<'_>) -> Result<Option<String>> {
    Ok(Some(from.text()?).filter(|name| !name.is_empty()))
}

fn put_failure(to: &mut Writer, failure: &Failure) {
    to.text(failure.module.as_deref().unwrap_or_default());
    put_error(to, &failure.error);
}

fn get_failure(from: &mut Reader<'_>) -> Result<Failure> {
    Ok(Failure {
        module: get_module(from)?,
        error: get_error(from)?,
    })
}

fn put_error(to: &mut Writer, error: &Error) {
    to.number(error.code as i32);
    to.number(error.os_errno);
    to.text(&error.message);
}

fn get_error(from: &mut Reader<'_>) -> Result<Error> {
    Ok(Error {
        code: Code::from_raw(from.number()?).ok_or_else(unreadable)?,
        os_errno: from.number()?,
        message: from.text()?,
    })
}

fn put_report(to: &mut Writer, report: &Report) {
    to.text(report.service.as_str());
    to.text(report.module.as_deref().unwrap_or_default());
    to.text(report.standing.name());
    put_status(to, &report.status);
}

fn get_report(from: &mut Reader<'_>) -> Result<Report> {
    let service = ServiceName::new(from.bytes()?)?;
    let module = get_module(from)?;
    let standing = from.text()?;
    let mut standings = Standing::ALL.into_iter();
    Ok(Report {
        service,
        module,
        standing: standings
            .find(|it| it.name() == standing)
            .ok_or_else(unreadable)?,
        status: get_status(from)?,
    })
}

fn put_description(to: &mut Writer, it: &Description) {
    use std::os::unix::ffi::OsStrExt;
    to.text(&it.name);
    to.bytes(it.path.as_os_str().as_bytes());
    to.text(&it.version);
    to.text(&it.text);
    to.number(it.abi);
    to.number(it.caps.0);
    match &it.present {
        Ok(caps) => {
            to.text("can");
            to.number(caps.0);
        }
        Err(error) => {
            to.text("cannot");
            put_error(to, error);
        }
    }
}

fn get_description(from: &mut Reader<'_>) -> Result<Description> {
    use std::os::unix::ffi::OsStringExt;
    Ok(Description {
        name: from.text()?,
        path: std::ffi::OsString::from_vec(from.bytes()?.to_vec()).into(),
        version: from.text()?,
        text: from.text()?,
        abi: from.number()?,
        caps: Caps(from.number()?),
        present: match from.text()?.as_str() {
            "can" => Ok(Caps(from.number()?)),
            _ => Err(get_error(from)?),
        },
    })
}

/// What fuzz/ calls besides.
#[cfg(fuzzing)]
pub mod fuzzed {
    use super::Reply;

    /// A reply without the length before it.
    pub fn decode(message: &[u8]) -> rc_sv_api::Result<Reply> {
        Reply::decode(message)
    }
}

#[cfg(test)]
mod tests;
