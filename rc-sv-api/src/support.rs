//! How a module does what is asked of it. Each module says so in one place, and refuses by the
//! same; the table of rc-sv-modules(7) is made from it.

use crate::key::Key;
use crate::spec::Settings;
use crate::value::{self, Value};

/// How a module does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// The module's own supervisor does it.
    Native,
    /// The supervisor cannot do it: rc-sv-exec does it under it, or the module from outside.
    Emulated,
    /// A start is refused, unless the value is what is done anyway; with what to do instead.
    Refused(&'static str),
    /// It is for another module: whatever it says, it is nothing to this one.
    Foreign,
    /// OpenRC's own start and stop do it, and the module nothing.
    OpenRc,
    /// It is not done, or not known, and no setting asks for it.
    Lacking,
}

impl Support {
    /// As printed in the documentation.
    pub fn text(self) -> &'static str {
        match self {
            Support::Native => "native",
            Support::Emulated => "emulated",
            Support::Refused(_) => "refused",
            Support::Foreign => "-",
            Support::OpenRc => "OpenRC",
            Support::Lacking => "no",
        }
    }
}

/// What is asked of a module without a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Starting what has ended.
    Respawn,
    /// Telling OpenRC and people that it was given up.
    GaveUp,
    /// Telling how it ended last.
    LastExit,
    /// Counting its respawns.
    Restarts,
    /// Sending any signal, also those by which it is paused and goes on.
    Signal,
    /// Having it read its configuration again.
    Reload,
}

impl Deed {
    /// All of them, in the order of the documentation.
    pub const ALL: [Deed; 6] = [
        Deed::Respawn,
        Deed::GaveUp,
        Deed::LastExit,
        Deed::Restarts,
        Deed::Signal,
        Deed::Reload,
    ];

    /// As printed in the documentation.
    pub fn text(self) -> &'static str {
        match self {
            Deed::Respawn => "respawn",
            Deed::GaveUp => "gave-up and failed",
            Deed::LastExit => "last exit",
            Deed::Restarts => "count of respawns",
            Deed::Signal => "any signal, pause",
            Deed::Reload => "reload",
        }
    }
}

/// Whether `spec` sets `key` to what holds anyway. Who does that asks for nothing.
pub fn is_default(spec: &dyn Settings, key: &Key) -> bool {
    if key.default.is_empty() {
        return false;
    }
    let default = value::parse(key, key.default.as_bytes());
    let spec = spec.to_spec();
    let set: Option<&Value> = spec
        .iter()
        .find(|(name, _)| *name == key.name)
        .map(|it| it.1);
    set.is_some() && set == default.ok().as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key;
    use crate::spec::Spec;

    #[test]
    fn who_sets_the_default_asks_for_nothing() {
        let of = |name: &str, text: &str| {
            let mut spec = Spec::default();
            spec.set(name, text.as_bytes(), "test").unwrap();
            is_default(spec.settings(), key::find(name).unwrap())
        };
        assert!(of("rc_supervise_propagate", "no"));
        assert!(of("respawn_delay_cap", "1m"));
        assert!(!of("respawn_delay_cap", "2m"));
        // Without a default every value is a wish.
        assert!(!of("output_logger", "cat"));
    }
}
