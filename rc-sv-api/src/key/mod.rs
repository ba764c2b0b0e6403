//! The registry of settings: the only list of what describes a service.
//!
//! The variables that the shell exports, the manual page, `--describe`, the checks of conf.d and
//! TOML and the getters of the C ABI all come from [`all`].

mod captured;
mod openrc;
mod supervise;

use crate::duration::Unit;

/// One setting.
#[derive(Debug)]
pub struct Key {
    /// Its name in conf.d, in TOML and in the ABI.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// The value that holds when it is unset, as an administrator would write it; empty for none.
    pub default: &'static str,
    /// The headline under which it is documented.
    pub group: Group,
    /// Who reads it.
    pub role: Role,
    /// Since when OpenRC itself has it.
    pub since: Since,
    /// What it does, in one or two sentences. Units are in [`Key::kind`].
    pub doc: &'static str,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any bytes but NUL.
    Text,
    /// An absolute path.
    Path,
    /// `yes`, `no` and their OpenRC spellings (`true`, `on`, `1`, …).
    Flag,
    /// A whole number from 0 to the given one.
    Count(u32),
    /// A whole number in this range.
    Number(i64, i64),
    /// A decimal factor from 1 to 100, kept in thousandths.
    Factor,
    /// A duration; the unit is that of a plain number.
    Duration(Unit),
    /// A size in bytes, see [`crate::size`].
    Size,
    /// An octal file mode mask.
    Umask,
    /// A signal name or number.
    Signal,
    /// A stop ladder, see [`crate::ladder`].
    Ladder,
    /// A set of exits, see [`crate::exit::ExitSet`].
    Exits,
    /// A command line, split into words without a shell, see [`crate::words`].
    Command,
    /// A list of byte strings; only the loader makes these.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// The headline of a setting in the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What to run.
    Command,
    /// As whom and in which surroundings.
    Process,
    /// Where its output goes.
    Output,
    /// How it is stopped.
    Stop,
    /// When it is respawned and when given up.
    Respawn,
    /// When it counts as ready.
    Readiness,
    /// Whether it still works.
    Health,
    /// Limits and cgroups.
    Limits,
    /// How it fits into OpenRC.
    Service,
    /// What only one suite understands.
    Suite,
}

impl Group {
    /// All of them, in the order of the documentation.
    pub const ALL: [Group; 10] = [
        Group::Command,
        Group::Process,
        Group::Output,
        Group::Stop,
        Group::Respawn,
        Group::Readiness,
        Group::Health,
        Group::Limits,
        Group::Service,
        Group::Suite,
    ];

    /// As printed in the documentation.
    pub fn headline(self) -> &'static str {
        match self {
            Group::Command => "What to run",
            Group::Process => "As whom and in which surroundings",
            Group::Output => "Where its output goes",
            Group::Stop => "How it is stopped",
            Group::Respawn => "When it is respawned and when given up",
            Group::Readiness => "When it counts as ready",
            Group::Health => "Whether it still works",
            Group::Limits => "Limits and cgroups",
            Group::Service => "How it fits into OpenRC",
            Group::Suite => "What only one suite understands",
        }
    }
}

/// Who reads a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The administrator sets it and the module acts upon it.
    Setting,
    /// OpenRC's own scripts act upon it before a module is asked; modules never see it.
    OpenRc,
    /// The loader finds it out at start; it cannot be set.
    Captured,
}

/// Which OpenRC has the variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// OpenRC 0.45 and later.
    OpenRc45,
    /// OpenRC 0.63 and later.
    OpenRc63,
    /// It is ours.
    RcSv,
}

impl Since {
    /// As printed in the documentation.
    pub fn text(self) -> &'static str {
        match self {
            Since::OpenRc45 => "OpenRC 0.45",
            Since::OpenRc63 => "OpenRC 0.63",
            Since::RcSv => "rc-sv 0.1",
        }
    }
}

/// Every setting, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Key> {
    openrc::KEYS
        .iter()
        .chain(supervise::KEYS)
        .chain(captured::KEYS)
}

/// The words of `rc_supervise_policy`.
pub fn policies() -> &'static [&'static str] {
    supervise::POLICIES
}

/// The setting called `name`.
pub fn find(name: &str) -> Option<&'static Key> {
    all().find(|key| key.name == name)
}

/// The setting whose name is nearest to the unknown `name`, if one is near enough to be meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    let near = all()
        .filter(|key| key.role != Role::Captured)
        .map(|key| (distance(name, key.name), key.name))
        .min_by_key(|(distance, _)| *distance)?;
    (near.0 <= name.len().max(3) / 3).then_some(near.1)
}

/// Levenshtein's distance, in bytes.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let substitute = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_defaults_parse() {
        let mut seen = std::collections::BTreeSet::new();
        for key in all() {
            assert!(seen.insert(key.name), "{} is listed twice", key.name);
            assert!(
                !key.doc.is_empty() && key.doc.ends_with('.'),
                "{}: doc",
                key.name
            );
            if !key.default.is_empty() {
                let parsed = crate::value::parse(key, key.default.as_bytes());
                assert!(parsed.is_ok(), "{}: {parsed:?}", key.name);
            }
        }
    }

    #[test]
    fn typing_errors_get_a_suggestion() {
        assert_eq!(nearest("respawn_dealy"), Some("respawn_delay"));
        assert_eq!(nearest("rc_supervise_modul"), Some("rc_supervise_module"));
        assert_eq!(nearest("zzzzzzzz"), None);
    }
}
