//! The group by which monit shows that it has read just this text.

use crate::client::answer::Monit;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Every service of ours is in this group.
pub const GROUP: &str = "rcsv";

/// That of `text` for `service`. Another release of Rust may hash otherwise: that costs one more
/// reload.
pub fn marker(service: &str, text: &(impl Hash + ?Sized)) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{GROUP}.{service}.{:016x}", hasher.finish())
}

/// The names of the checks of `service` that this monit has from us.
pub fn names_of(monit: &Monit, service: &str) -> Vec<String> {
    let prefix = format!("{GROUP}.{service}.");
    let is_ours = |group: &str| {
        group.len() == prefix.len() + MARK
            && group.is_char_boundary(prefix.len())
            && group[..prefix.len()].eq_ignore_ascii_case(&prefix)
    };
    let groups = monit.groups.iter().filter(|(group, _)| is_ours(group));
    groups.flat_map(|(_, names)| names.clone()).collect()
}

/// Digits at the end of a marker.
const MARK: usize = 16;
