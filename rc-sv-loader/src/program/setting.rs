//! A setting in words, for `--describe` and the manual page. Pure.

use rc_sv_api::duration::Unit;
use rc_sv_api::key::{self, Group, Key, Kind, Role};

/// The settings of `group` that an administrator can set, in the registry's order.
pub fn of_group(group: Group) -> impl Iterator<Item = &'static Key> {
    key::all().filter(move |key| key.group == group && key.role != Role::Captured)
}

/// What values a setting takes.
pub fn kind(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Path => "absolute path".into(),
        Kind::Flag => "yes or no".into(),
        Kind::Count(max) => format!("number from 0 to {max}"),
        Kind::Number(min, max) => format!("number from {min} to {max}"),
        Kind::Factor => "factor from 1 to 100".into(),
        Kind::Duration(Unit::Seconds) => "duration, in seconds if without unit".into(),
        Kind::Duration(Unit::Millis) => "duration, in milliseconds if without unit".into(),
        Kind::Size => "size in bytes, or with K, M or G".into(),
        Kind::Umask => "octal mask".into(),
        Kind::Signal => "signal".into(),
        Kind::Ladder => "stop ladder".into(),
        Kind::Exits => "set of exits".into(),
        Kind::Command => "command line".into(),
        Kind::List => "list".into(),
        Kind::Choice(words) => format!("one of {}", words.join(", ")),
    }
}

/// Kind, default and origin: `duration, in seconds if without unit; default 500ms; OpenRC 0.45`.
pub fn facts(key: &Key) -> String {
    let default = match key.default {
        "" => "no default".to_string(),
        default => format!("default {default}"),
    };
    let mut facts = format!("{}; {default}; {}", kind(key.kind), key.since.text());
    if key.role == Role::OpenRc {
        facts.push_str("; read by OpenRC itself");
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_headline() {
        let count: usize = Group::ALL.map(|group| of_group(group).count()).iter().sum();
        assert_eq!(
            count,
            key::all().filter(|key| key.role != Role::Captured).count()
        );
    }

    #[test]
    fn facts_tell_type_unit_default_and_origin() {
        let text = |name| facts(key::find(name).unwrap());
        assert_eq!(
            text("respawn_delay"),
            "duration, in seconds if without unit; default 500ms; OpenRC 0.45"
        );
        assert_eq!(text("retry"), "stop ladder; no default; OpenRC 0.45");
        assert_eq!(
            text("name"),
            "text; no default; OpenRC 0.45; read by OpenRC itself"
        );
    }
}
