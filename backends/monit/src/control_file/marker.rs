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

/// The service of ours that a marker is of.
fn service_of(marker: &str) -> Option<&str> {
    let (before, hash) = marker.rsplit_once('.')?;
    let service = before.strip_prefix(GROUP)?.strip_prefix('.')?;
    (hash.len() == MARK).then_some(service)
}

/// The names of the checks of `service` that this monit has from us.
pub fn names_of(monit: &Monit, service: &str) -> Vec<String> {
    let groups = monit.groups.iter();
    let ours = groups.filter(|(group, _)| service_of(group) == Some(service));
    ours.flat_map(|(_, names)| names.clone()).collect()
}

/// The services of ours from whose control files this monit has the check `name`.
pub fn owners<'a>(monit: &'a Monit, name: &'a str) -> impl Iterator<Item = &'a str> {
    let is_it = move |names: &[String]| names.iter().any(|it| it.eq_ignore_ascii_case(name));
    let groups = monit.groups.iter().filter(move |(_, it)| is_it(it));
    groups.filter_map(|(group, _)| service_of(group))
}

/// Digits at the end of a marker.
const MARK: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_a_check_is_stands_in_its_groups() {
        let groups = [
            "rcsv",
            "rcsv.foo.0123456789abcdef",
            "rcsv.foo.x.0123456789abcdef",
        ];
        let of =
            |(number, group): (usize, &&str)| (group.to_string(), vec![format!("Foo{number}")]);
        let monit = Monit {
            groups: groups.iter().enumerate().map(of).collect(),
            ..Monit::default()
        };
        assert_eq!(names_of(&monit, "foo"), ["Foo1"]);
        assert_eq!(names_of(&monit, "foo.x"), ["Foo2"]);
        assert!(
            names_of(&monit, "FOO").is_empty(),
            "that is another service"
        );
        assert_eq!(owners(&monit, "FOO1").collect::<Vec<_>>(), ["foo"]);
        assert_eq!(owners(&monit, "foo0").count(), 0);
    }
}
