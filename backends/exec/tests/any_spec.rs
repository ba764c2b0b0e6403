//! Whatever is in a spec, it is taken or refused in words.

use proptest::collection::vec;
use proptest::prelude::*;
use rc_sv_api::exit::Exit;
use rc_sv_api::{key, Code, Spec, Value};
use rc_sv_exec::launch::{Ending, Launch};
use rc_sv_exec::resolve::resolve;

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..8),
        "[-a-z0-9=:/ ]{0,12}".prop_map(String::into_bytes),
        prop::sample::select(vec!["/bin/sh", "A=1", "7=1:2", "TERM/5", "-N 5", "idle"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::Text),
        any::<i64>().prop_map(Value::Int),
        (-2i64..70_000).prop_map(Value::Int),
        vec(text(), 0..4).prop_map(Value::List),
    ]
}

fn spec() -> impl Strategy<Value = Spec> {
    let names: Vec<&str> = key::all().map(|key| key.name).collect();
    vec((prop::sample::select(names), value()), 0..10).prop_map(|settings| {
        let mut spec = Spec::default();
        spec.put("service", Value::Text(b"foo".to_vec()));
        spec.put("argv", Value::List(vec![b"/bin/sh".to_vec()]));
        for (name, value) in settings {
            spec.put(name, value);
        }
        spec
    })
}

proptest! {
    #[test]
    fn it_is_taken_or_refused(spec in spec()) {
        let ending = Ending { exit: Exit::Code(0), result: None, restarts: 0 };
        let launches = [
            Launch::from_settings(spec.settings()).map(drop),
            Launch::for_hook(spec.settings(), "rc_supervise_finish", ending).map(drop),
        ];
        for error in launches.into_iter().filter_map(Result::err) {
            prop_assert_eq!(error.code, Code::Invalid);
            prop_assert!(!error.message.is_empty() && !error.message.contains('\n'));
        }
    }

    #[test]
    fn what_is_resolved_can_be_launched_or_is_refused(spec in spec()) {
        if let Ok(resolved) = resolve(spec.settings()) {
            if let Err(error) = Launch::from_settings(resolved.settings()) {
                prop_assert_eq!(error.code, Code::Invalid);
            }
        }
    }
}
