//! A backend that says what it hears.

use rc_sv_api::abi::{Host, Sink, Watch};
use rc_sv_api::event::{Event, Kind};
use rc_sv_api::{Backend, Caps, Code, Error, Outcome, Request, Result, Settings, State, Status};
use std::os::fd::RawFd;

struct Echo {
    greeting: String,
}

impl Backend for Echo {
    const NAME: &'static str = "echo";
    const VERSION: &'static str = "1.2.3";
    const DESCRIPTION: &'static str = "says what it hears";
    const CAPS: Caps = Caps::OWNS_PROCESS.and(Caps::SIGNAL);

    fn open(host: Host) -> Result<Echo> {
        host.log(6, "opened");
        Ok(Echo {
            greeting: (&host.settings() as &dyn Settings).word("greeting"),
        })
    }
    fn probe(&mut self) -> Result<Caps> {
        Ok(Self::CAPS)
    }
    fn start(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        assert_eq!(spec.service()?.as_str(), "foo");
        assert_eq!(
            spec.list("argv").unwrap(),
            [&b"/bin/x"[..], b"a\nb", b"\xff"]
        );
        assert_eq!(
            (spec.int("umask"), spec.int("argv"), spec.text("nope")),
            (Some(18), None, None)
        );
        assert_eq!(spec.keys(), ["argv", "service", "umask"]);
        Ok(if request.nowait {
            Outcome::Pending
        } else {
            Outcome::Done
        })
    }
    fn stop(&mut self, _: &dyn Settings, _: &Request) -> Result<Outcome> {
        Err(Error::new(Code::Failed, "it will not die"))
    }
    fn status(&mut self, _: &dyn Settings) -> Result<Status> {
        let mut status = Status::of_state(State::Up);
        status.pid = Some(42);
        status.detail = self.greeting.clone();
        Ok(status)
    }
    fn signal(&mut self, _: &dyn Settings, request: &Request) -> Result<Outcome> {
        panic!("signal {}", request.signal)
    }
    fn list(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        for name in ["a", "b", "c"] {
            if !sink(name, &Status::of_state(State::Down)) {
                break;
            }
        }
        Ok(())
    }
    fn watch(&mut self, spec: Option<&dyn Settings>) -> Result<Box<dyn Watch>> {
        let service = spec.map_or(Ok("all".to_string()), |spec| {
            spec.service().map(|s| s.to_string())
        })?;
        Ok(Box::new(Once(Some(service))))
    }
}

struct Once(Option<String>);

impl Watch for Once {
    fn pollfd(&self) -> RawFd {
        7
    }
    fn next(&mut self) -> Result<Option<Event>> {
        let status = Status::of_state(State::Up);
        Ok(self.0.take().map(|service| Event {
            kind: Kind::State,
            seq: 1,
            service,
            status,
        }))
    }
}

rc_sv_api::export_backend!(Echo: signal, list, watch);
