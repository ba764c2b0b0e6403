//! How a service says, or shows, that it is ready.

use crate::check::Target;
use rc_sv_api::{Error, Result, Settings};
use std::time::Duration;

/// The highest descriptor that can be asked for.
const HIGHEST: i32 = 1023;

/// How a service says, or shows, that it is ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Readiness {
    /// Its program was executed.
    #[default]
    Executed,
    /// It writes a newline to this descriptor, as under s6.
    Descriptor(i32),
    /// It sends `READY=1` to `$NOTIFY_SOCKET`.
    Socket,
    /// It goes into the background, and its pid file tells of it.
    PidFile,
    /// This answers as a check wants it.
    Answers(Target),
}

/// How long a program has to become ready when `timeout_ready` is unset or 0.
const TIMEOUT: Duration = Duration::from_secs(90);

/// How long the program of a spec has to become ready: no start may take for ever.
pub fn timeout(spec: &dyn Settings) -> Duration {
    let limit = spec.duration("timeout_ready");
    limit.filter(|limit| !limit.is_zero()).unwrap_or(TIMEOUT)
}

impl Readiness {
    /// That of a spec: `notify`, else `rc_supervise_ready`.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: both are set, or one is nothing known.
    pub fn of(spec: &dyn Settings) -> Result<Readiness> {
        let refuse = |name: &str, text: &[u8], wanted: &str| {
            let text = String::from_utf8_lossy(text);
            Err(Error::invalid(format!("{name}={text:?}: must be {wanted}")))
        };
        match (spec.text("notify"), spec.text("rc_supervise_ready")) {
            (None, None) => Ok(Readiness::Executed),
            (Some(_), Some(_)) => Err(Error::invalid(
                "notify and rc_supervise_ready contradict each other; unset one of them",
            )),
            (Some(text), None) => match parse_notify(text) {
                Some(readiness) => Ok(readiness),
                None => refuse(
                    "notify",
                    text,
                    &format!("socket:ready, or fd:N with N from 3 to {HIGHEST}"),
                ),
            },
            (None, Some(b"pidfile")) => Ok(Readiness::PidFile),
            (None, Some(text)) => match Target::parse_or("pidfile", text) {
                Ok(target) => Ok(Readiness::Answers(target)),
                Err(wanted) => refuse("rc_supervise_ready", text, &wanted),
            },
        }
    }
}

fn parse_notify(text: &[u8]) -> Option<Readiness> {
    let text = std::str::from_utf8(text).ok()?;
    if text == "socket:ready" {
        return Some(Readiness::Socket);
    }
    let number = text.strip_prefix("fd:")?.parse().ok()?;
    (3..=HIGHEST)
        .contains(&number)
        .then_some(Readiness::Descriptor(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::Spec;

    fn of(settings: &[(&str, &str)]) -> Result<Readiness> {
        let mut spec = Spec::default();
        for (name, value) in settings {
            spec.set(name, value.as_bytes(), "test").unwrap();
        }
        Readiness::of(spec.settings())
    }

    #[test]
    fn each_way_is_known() {
        assert_eq!(of(&[]), Ok(Readiness::Executed));
        assert_eq!(of(&[("notify", "fd:3")]), Ok(Readiness::Descriptor(3)));
        assert_eq!(of(&[("notify", "socket:ready")]), Ok(Readiness::Socket));
        assert_eq!(
            of(&[("rc_supervise_ready", "pidfile")]),
            Ok(Readiness::PidFile)
        );
        let tcp = Target::Tcp("127.0.0.1:80".parse().unwrap());
        assert_eq!(
            of(&[("rc_supervise_ready", "tcp:80")]),
            Ok(Readiness::Answers(tcp))
        );
    }

    #[test]
    fn no_start_may_take_for_ever() {
        let of = |text: &str| {
            let mut spec = Spec::default();
            spec.set("timeout_ready", text.as_bytes(), "test").unwrap();
            timeout(spec.settings())
        };
        assert_eq!((of(""), of("0")), (TIMEOUT, TIMEOUT));
        assert_eq!(of("1500"), Duration::from_millis(1500));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for text in [
            "fd:",
            "fd:0",
            "fd:2",
            "fd:1024",
            "fd:x",
            "socket",
            "socket:no",
            "3",
        ] {
            let error = of(&[("notify", text)]).unwrap_err();
            let wanted = "must be socket:ready, or fd:N with N from 3 to 1023";
            assert_eq!(error.message, format!("notify={text:?}: {wanted}"));
        }
        let error = of(&[("rc_supervise_ready", "soon")]).unwrap_err();
        assert!(
            error
                .message
                .starts_with("rc_supervise_ready=\"soon\": must be pidfile, tcp:"),
            "{error}"
        );
        let both = [("notify", "fd:3"), ("rc_supervise_ready", "tcp:80")];
        assert!(of(&both).unwrap_err().message.contains("contradict"));
    }
}
