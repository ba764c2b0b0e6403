//! JSON: what is told of a service wherever it is told of. What the module cannot tell is null.

use rc_sv_api::exit::Exit;
use rc_sv_api::Status;
use serde::Serialize;

/// Members that follow one another in each object of a service.
#[derive(Serialize)]
pub(super) struct Facts<'a> {
    restarts: Option<u32>,
    failures: u32,
    last_exit: Option<Ended>,
    next_restart_ms: Option<u32>,
    wanted_up: Option<bool>,
    ready: Option<bool>,
    healthy: Option<bool>,
    detail: &'a str,
}

impl Facts<'_> {
    pub(super) fn of(status: &Status) -> Facts<'_> {
        Facts {
            restarts: status.restarts,
            failures: status.failures,
            last_exit: status.last_exit.map(Ended::of),
            next_restart_ms: status.next_restart_ms,
            wanted_up: status.wanted_up,
            ready: status.ready,
            healthy: status.healthy,
            detail: &status.detail,
        }
    }
}

/// How the main process ended last.
#[derive(Serialize)]
struct Ended {
    kind: &'static str,
    value: Option<i32>,
    text: String,
}

impl Ended {
    fn of(exit: Exit) -> Ended {
        let (kind, value) = match exit {
            Exit::Code(code) => ("code", Some(code.into())),
            Exit::Signal(number) => ("signal", Some(number.into())),
            Exit::Dumped(number) => ("dumped", Some(number.into())),
            Exit::NotRun(errno) => ("not-run", Some(errno)),
            Exit::Unknown => ("unknown", None),
        };
        Ended {
            kind,
            value,
            text: exit.to_string(),
        }
    }
}

/// The text of what cannot fail to be JSON, and a line end.
pub(super) fn text(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}
