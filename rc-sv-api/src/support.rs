//! How a module does what is asked of it. Each module that does not do everything says so in one
//! place, and refuses by the same; the table of rc-sv-modules(7) is made from it.

use crate::error::{Error, Result};
use crate::key::{self, Key};
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

/// Refuses the first of the settings of `spec` against which `objection` has something to say, unless
/// it is set to what holds anyway.
///
/// # Errors
/// [`crate::Code::Invalid`]: the objection.
pub fn refuse(spec: &dyn Settings, objection: impl Fn(&Key) -> Option<String>) -> Result<()> {
    let mut set = spec.keys().into_iter().filter_map(key::find);
    let refused = set.find_map(|key| objection(key).filter(|_| !is_default(spec, key)));
    refused.map_or(Ok(()), |message| Err(Error::invalid(message)))
}

/// What is said of a setting that `module` does not implement, with what to do instead.
pub fn objection(module: &str, key: &Key, instead: &str) -> String {
    let name = key.name;
    format!("{name}: {module} does not do this in this version; {instead}")
}

/// Whether `spec` sets `key` to what holds anyway. Who does that asks for nothing.
fn is_default(spec: &dyn Settings, key: &Key) -> bool {
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
    use crate::spec::Spec;

    #[test]
    fn what_is_refused_is_said_in_one_line() {
        let refused = |value: &str| {
            let mut spec = Spec::default();
            spec.set("rc_supervise_propagate", value.as_bytes(), "test")
                .unwrap();
            refuse(spec.settings(), |key| Some(objection("x", key, "unset it")))
        };
        assert_eq!(refused("no"), Ok(()));
        let line = "rc_supervise_propagate: x does not do this in this version; unset it";
        assert_eq!(refused("yes"), Err(Error::invalid(line)));
    }

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
