//! A call on its way to another program.

use super::{Act, Call};
use crate::draft::{Draft, Written};
use crate::wire::{unreadable, Reader, Writer};
use rc_sv_api::abi::convert::{request_from_raw, request_to_raw};
use rc_sv_api::{Code, Error, Request, Result, ServiceName};

/// Both sides must be of the same version: what they say to each other is nobody else's.
const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Call {
    /// For another program of this version.
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.text(VERSION);
        to.text(self.name());
        put_request(&mut to, &self.request());
        match self {
            Call::Probe(module) | Call::Describe(module) => to.text(module),
            Call::Start(draft, _) | Call::Attach(draft, _) => put_draft(&mut to, draft),
            Call::Act(_, service, _) | Call::Wait(service, _) | Call::Status(service) => {
                to.text(service.as_str());
            }
            Call::List => {}
        }
        to.finish()
    }

    /// What [`Call::encode`] made.
    ///
    /// # Errors
    /// It is of another version, or incomplete.
    pub fn decode(bytes: &[u8]) -> Result<Call> {
        let mut from = Reader::new(bytes);
        let version = from.text()?;
        if version != VERSION {
            let what = format!("asked by version {version:?}, but this is {VERSION}");
            return Err(Error::new(Code::Protocol, what));
        }
        let name = from.text()?;
        let request = get_request(&mut from)?;
        Ok(match name.as_str() {
            "probe" => Call::Probe(from.text()?),
            "describe" => Call::Describe(from.text()?),
            "start" => Call::Start(get_draft(&mut from)?, request),
            "attach" => Call::Attach(get_draft(&mut from)?, request),
            "wait" => Call::Wait(get_service(&mut from)?, request),
            "status" => Call::Status(get_service(&mut from)?),
            "list" => Call::List,
            name => match Act::ALL.into_iter().find(|act| act.name() == name) {
                Some(act) => Call::Act(act, get_service(&mut from)?, request),
                None => return Err(unreadable()),
            },
        })
    }
}

fn put_request(to: &mut Writer, request: &Request) {
    let raw = request_to_raw(request);
    to.number(raw.flags);
    to.number(raw.timeout_ms);
    to.number(raw.signo);
    to.number(raw.want_state);
}

fn get_request(from: &mut Reader<'_>) -> Result<Request> {
    let mut raw = request_to_raw(&Request::default());
    raw.flags = from.number()?;
    raw.timeout_ms = from.number()?;
    raw.signo = from.number()?;
    raw.want_state = from.number()?;
    Ok(request_from_raw(&raw))
}

fn get_service(from: &mut Reader<'_>) -> Result<ServiceName> {
    ServiceName::new(from.bytes()?)
}

fn put_draft(to: &mut Writer, draft: &Draft) {
    to.text(draft.service().as_str());
    to.number(u8::from(draft.uses_variables()));
    to.number(u8::from(draft.forks()));
    for (name, written) in draft.written() {
        to.text(name);
        match written {
            Written::Text(text) => {
                to.text("=");
                to.bytes(text);
            }
            Written::Words(words) => {
                to.number(words.len() as u32);
                words.iter().for_each(|word| to.bytes(word));
            }
        }
    }
}

fn get_draft(from: &mut Reader<'_>) -> Result<Draft> {
    let mut draft = Draft::new(get_service(from)?);
    if from.number::<u8>()? != 0 {
        draft.use_variables();
    }
    if from.number::<u8>()? != 0 {
        draft.set_forks();
    }
    while !from.is_empty() {
        let name = from.text()?;
        let kind = from.text()?;
        if kind == "=" {
            draft.set(&name, from.bytes()?)?;
            continue;
        }
        for _ in 0..kind.parse::<u32>().map_err(|_| unreadable())? {
            draft.add(&name, from.bytes()?)?;
        }
    }
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::State;
    use std::time::Duration;

    #[test]
    fn every_call_comes_back_as_it_was() {
        let service = ServiceName::new(b"foo").unwrap();
        let mut draft = Draft::new(service.clone());
        draft.set("rc_supervise_module", b"internal").unwrap();
        draft.set("umask", b"").unwrap();
        for word in [&b"/bin/x"[..], b"", b"\xff\n"] {
            draft.add("argv", word).unwrap();
        }
        let mut with_variables = draft.clone();
        with_variables.use_variables();
        with_variables.set_forks();
        let request = Request {
            nowait: true,
            timeout: Some(Duration::from_millis(1500)),
            signal: 15,
            want_state: State::Backoff,
            ..Request::default()
        };
        let mut calls = vec![
            Call::Probe("s6".into()),
            Call::Describe("s6".into()),
            Call::Start(draft, request),
            Call::Attach(with_variables, request),
            Call::Wait(service.clone(), request),
            Call::Status(service.clone()),
            Call::List,
        ];
        calls.extend(Act::ALL.map(|act| Call::Act(act, service.clone(), request)));
        for call in calls {
            let bytes = call.encode();
            assert_eq!(Call::decode(&bytes).as_ref(), Ok(&call));
            for end in 0..bytes.len() {
                // A part of a draft can be a draft.
                if !matches!(call, Call::Start(..) | Call::Attach(..)) {
                    assert!(Call::decode(&bytes[..end]).is_err(), "{call:?} {end}");
                }
            }
        }
    }

    #[test]
    fn another_version_is_named() {
        let mut other = Writer::default();
        other.text("9.9.9");
        let error = Call::decode(&other.finish()).unwrap_err();
        assert!(error
            .message
            .starts_with("asked by version \"9.9.9\", but this is "));
    }
}
