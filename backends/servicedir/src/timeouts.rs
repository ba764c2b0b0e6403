//! How long an end may take, where the suite itself or a directory written by hand says so.

use crate::origin::Origin;
use crate::suite::Suite;
use rc_sv_api::{Error, Result, Spec, Value};
use rc_sv_exec::stop::Stop;
use std::fs;
use std::path::Path;

/// What says the same for every module.
const SETTING: &str = "timeout_kill";

/// What else would say when.
const OTHERS: [&str; 3] = ["retry", SETTING, "timeout_down"];

/// The file of s6 in a service directory with the milliseconds after which it sends KILL.
const FILE: &str = "timeout-kill";

/// How long a `finish` may take.
const FINISH: &str = "rc_supervise_finish_timeout";

/// The same for one that was written by hand, which its supervisor may let run for ever, in milliseconds:
/// so long OpenRC's own scripts wait for such a service.
const FINISH_MS: i64 = 60_000;

/// Sets `timeout_kill` in `spec` by the suite's own setting; else, for a directory written by hand that
/// waits longer than we would, by what it says itself. Such a directory also has more time for its
/// `finish`.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`]: the suite's setting and another one are set.
pub(crate) fn translate(suite: &Suite, origin: &Origin, spec: &mut Spec) -> Result<()> {
    let other = OTHERS.into_iter().find(|name| spec.has(name));
    let own = suite.kill_setting.filter(|name| spec.has(name));
    let millis = match (own, other, origin) {
        (Some(own), Some(other), _) => {
            return Err(Error::invalid(format!(
                "{own} and {other} contradict each other; unset one of them"
            )))
        }
        (Some(own), None, _) => spec.settings().int(own),
        (None, None, Origin::Native(directory)) if suite.end_files.contains(&FILE) => {
            longer(directory, spec)
        }
        _ => None,
    };
    if let Some(millis) = millis {
        spec.put(SETTING, Value::Int(millis));
    }
    if suite.finish && *origin != Origin::Generated && !spec.has(FINISH) {
        spec.put(FINISH, Value::Int(FINISH_MS));
    }
    Ok(())
}

/// What the directory says, where that is longer than what would hold.
fn longer(directory: &Path, spec: &Spec) -> Option<i64> {
    // s6-supervise takes what is no number for no file.
    let text = fs::read_to_string(directory.join(FILE)).ok()?;
    let millis: i64 = text.trim().parse().ok()?;
    let ladder = Stop::from_settings(spec.settings()).ladder;
    let usual = ladder.rungs().first()?.wait.as_millis();
    (i128::from(millis) > i128::try_from(usual).ok()?).then_some(millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{DAEMONTOOLS, RUNIT, S6};
    use rc_sv_api::Settings;

    fn spec(settings: &[(&str, &str)]) -> Spec {
        let mut spec = Spec::default();
        for (name, value) in settings {
            spec.set(name, value.as_bytes(), "test").unwrap();
        }
        spec
    }

    /// What becomes of `timeout_kill`.
    fn of(suite: &Suite, origin: &Origin, settings: &[(&str, &str)]) -> Result<Option<i64>> {
        let mut spec = spec(settings);
        translate(suite, origin, &mut spec)?;
        Ok(spec.int(SETTING))
    }

    #[test]
    fn the_suites_setting_is_that_of_all_modules() {
        let own = ("s6_service_timeout_stop", "2500");
        assert_eq!(of(&S6, &Origin::Generated, &[own]), Ok(Some(2500)));
        assert_eq!(of(&RUNIT, &Origin::Generated, &[own]), Ok(None));
        for other in [("retry", "5"), ("timeout_kill", "1"), ("timeout_down", "1")] {
            let error = of(&S6, &Origin::Generated, &[own, other]).unwrap_err();
            let words = "contradict each other; unset one of them";
            let wanted = format!("s6_service_timeout_stop and {} {words}", other.0);
            assert_eq!(error.message, wanted);
        }
    }

    #[test]
    fn a_finish_written_by_hand_has_more_time() {
        let native = Origin::Native("/srv/foo".into());
        let of = |suite, origin: &Origin, settings: &[(&str, &str)]| {
            let mut spec = spec(settings);
            translate(suite, origin, &mut spec).unwrap();
            spec.int(FINISH)
        };
        assert_eq!(of(&RUNIT, &native, &[]), Some(FINISH_MS));
        assert_eq!(of(&S6, &native, &[(FINISH, "90")]), Some(90_000));
        assert_eq!(of(&S6, &Origin::Generated, &[]), None);
        assert_eq!(of(&DAEMONTOOLS, &native, &[]), None);
    }

    #[test]
    fn a_directory_that_waits_longer_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let native = Origin::Native(dir.path().to_path_buf());
        let of = |text: &str, settings: &[(&str, &str)]| {
            fs::write(dir.path().join(FILE), text).unwrap();
            of(&S6, &native, settings).unwrap()
        };
        assert_eq!(of("60000\n", &[]), Some(60_000));
        assert_eq!(of("1000\n", &[]), None);
        assert_eq!(of("0\n", &[]), None);
        assert_eq!(of("x\n", &[]), None);
        assert_eq!(of("60000\n", &[("retry", "5")]), None);
        assert_eq!(of("60000\n", &[("timeout_kill", "5")]), Some(5));
    }
}
