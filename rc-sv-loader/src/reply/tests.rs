use super::*;
use rc_sv_api::event::Kind;
use rc_sv_api::exit::Exit;
use rc_sv_api::{State, Status};

fn status() -> Status {
    Status {
        wanted_up: Some(true),
        ready: Some(false),
        pid: Some(4711),
        since_real_ns: Some(-1),
        since_boot_ns: Some(u64::MAX),
        restarts: Some(3),
        failures: 2,
        last_exit: Some(Exit::Signal(9)),
        next_restart_ms: Some(500),
        detail: "größe".into(),
        ..Status::of_state(State::Backoff)
    }
}

#[test]
fn every_reply_comes_back_as_it_was() {
    let service = ServiceName::new(b"foo").unwrap();
    let failure = Failure::of("s6", Error::new(Code::NotRunning, "no s6-svscan"));
    let nobody = Failure::from(Error::invalid("nothing"));
    let description = |present| {
        Reply::Description(Box::new(Description {
            name: "s6".into(),
            path: "/usr/lib/rc-sv/librc_sv_s6.so".into(),
            version: "1".into(),
            text: "a b".into(),
            abi: 0x10000,
            caps: Caps(7),
            present,
        }))
    };
    let mut all = vec![
        Reply::Loads("s6".into()),
        Reply::Line("s6".into(), 4, "mind the gap".into()),
        Reply::Event(
            "s6".into(),
            Box::new(Event {
                kind: Kind::GaveUp,
                seq: 7,
                service: "foo".into(),
                status: status(),
            }),
        ),
        Reply::Unknown(service.clone(), failure.clone()),
        Reply::Caps(Caps(u64::MAX)),
        description(Ok(Caps(3))),
        description(Err(failure.error.clone())),
        Reply::End(Err(failure)),
        Reply::End(Err(nobody)),
    ];
    for outcome in [Outcome::Done, Outcome::Pending, Outcome::Delegate] {
        all.push(Reply::End(Ok(outcome)));
    }
    for standing in Standing::ALL {
        for module in [None, Some("s6".to_string())] {
            all.push(Reply::Report(Box::new(Report {
                service: service.clone(),
                module,
                status: status(),
                standing,
            })));
        }
    }
    let stream: Vec<u8> = all.iter().flat_map(Reply::encode).collect();
    let mut reader = Reader::new(&stream);
    for reply in &all {
        assert_eq!(Reply::next(&mut reader).as_ref(), Some(reply));
    }
    assert_eq!(Reply::next(&mut reader), None);
    // One that was cut off is none.
    let whole = all[0].encode();
    for end in 0..whole.len() {
        assert_eq!(Reply::next(&mut Reader::new(&whole[..end])), None);
    }
}
