//! Users and groups: from names to numbers, once, before anything runs.

use nix::unistd::{geteuid, getgrouplist, Gid, Group, Uid, User};
use rc_sv_api::{Code, Error, Result, Settings, Spec, Value};
use std::ffi::CString;
use std::fmt::Display;

/// A user and a group as they were asked for, in the order in which they were.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    user: Option<User>,
    group: Option<Gid>,
}

impl Wanted {
    /// Takes `user` or `user:group`, by name or number, as supervise-daemon's `--user` does: both
    /// have to exist. `origin` starts messages.
    ///
    /// # Errors
    /// There is no such user or group, or the caller may not choose.
    pub(super) fn user(&mut self, text: &[u8], origin: &str) -> Result<&User> {
        only_root(origin, OTHERS)?;
        let text = std::str::from_utf8(text)
            .map_err(|_| Error::invalid(format!("{origin}: must be a user, or user:group")))?;
        let (name, group) = match text.split_once(':') {
            Some((name, group)) => (name, Some(group)),
            None => (text, None),
        };
        let found = match name.parse() {
            Ok(number) => User::from_uid(Uid::from_raw(number)),
            Err(_) => User::from_name(name),
        };
        let user = existing(found, format_args!("{origin}: user {name:?}"))?;
        if let Some(group) = group {
            self.group = Some(self::group(group.as_bytes(), origin)?);
        }
        Ok(self.user.insert(user))
    }

    /// Takes a group by name or number, as `--group` does.
    ///
    /// # Errors
    /// There is no such group, or the caller may not choose.
    pub(super) fn group(&mut self, text: &[u8], origin: &str) -> Result<()> {
        only_root(origin, OTHERS)?;
        self.group = Some(self::group(text, origin)?);
        Ok(())
    }

    /// Puts the numbers into `spec`: the user with his groups, and his own group unless another
    /// was asked for.
    ///
    /// # Errors
    /// His groups cannot be read.
    pub(super) fn put(self, spec: &mut Spec) -> Result<()> {
        let group = self.group.or(self.user.as_ref().map(|user| user.gid));
        if let Some(gid) = group {
            spec.put("gid", Value::Int(gid.as_raw().into()));
        }
        let (Some(user), Some(gid)) = (self.user, group) else {
            return Ok(());
        };
        let name = CString::new(user.name.as_str()).unwrap_or_default();
        let groups = getgrouplist(&name, gid).map_err(|errno| {
            Error::io(
                format_args!("read the groups of user {}", user.name),
                &errno.into(),
            )
        })?;
        let groups = groups.iter().map(|group| group.to_string().into_bytes());
        spec.put("uid", Value::Int(user.uid.as_raw().into()));
        spec.put("groups", Value::List(groups.collect()));
        Ok(())
    }
}

/// The user of a spec that is resolved; `None`: that of the caller.
pub fn uid(spec: &dyn Settings) -> Option<u32> {
    spec.int("uid").and_then(|uid| u32::try_from(uid).ok())
}

/// What only root can do about users.
const OTHERS: &str = "run a service as somebody else";

/// Refuses what `origin` asks for, which is to do `what`, unless the caller is root.
///
/// # Errors
/// [`Code::Permission`] in one line.
pub(super) fn only_root(origin: &str, what: &str) -> Result<()> {
    if geteuid().is_root() {
        return Ok(());
    }
    let message = format!("{origin}: only root can {what}; unset it");
    Err(Error::new(Code::Permission, message))
}

/// The group of this name or number. `origin` starts messages.
///
/// # Errors
/// There is no such group.
pub(super) fn group(text: &[u8], origin: &str) -> Result<Gid> {
    let text = String::from_utf8_lossy(text);
    let found = match text.parse() {
        Ok(number) => Group::from_gid(Gid::from_raw(number)),
        Err(_) => Group::from_name(&text),
    };
    Ok(existing(found, format_args!("{origin}: group {text:?}"))?.gid)
}

fn existing<T>(found: nix::Result<Option<T>>, what: impl Display) -> Result<T> {
    let found =
        found.map_err(|errno| Error::io(format_args!("{what}: look it up"), &errno.into()))?;
    found.ok_or_else(|| Error::new(Code::Invalid, format!("{what} does not exist")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::Settings;

    /// User, group and groups.
    type Numbers = (Option<i64>, Option<i64>, Vec<Vec<u8>>);

    fn put(user: &str) -> Result<Numbers> {
        let (mut wanted, mut spec) = (Wanted::default(), Spec::default());
        wanted.user(user.as_bytes(), "command_user")?;
        wanted.put(&mut spec)?;
        let groups = spec
            .list("groups")
            .unwrap()
            .into_iter()
            .map(<[u8]>::to_vec)
            .collect();
        Ok((spec.int("uid"), spec.int("gid"), groups))
    }

    #[test]
    fn names_and_numbers_with_and_without_a_group() {
        let daemon = put("daemon").unwrap();
        assert_eq!((daemon.0, daemon.1), (Some(1), Some(1)));
        assert!(daemon.2.contains(&b"1".to_vec()));
        assert_eq!(put("1").unwrap(), daemon);
        for user in ["daemon:bin", "1:2", "daemon:2"] {
            let (uid, gid, groups) = put(user).unwrap();
            assert_eq!((uid, gid), (Some(1), Some(2)), "{user}");
            assert!(groups.contains(&b"2".to_vec()), "{user}");
        }
        assert_eq!(put("root").unwrap().0, Some(0));
    }

    #[test]
    fn a_group_alone_changes_the_group_only() {
        let (mut wanted, mut spec) = (Wanted::default(), Spec::default());
        wanted.group(b"bin", "--group").unwrap();
        wanted.put(&mut spec).unwrap();
        assert_eq!(
            (spec.int("uid"), spec.int("gid"), spec.list("groups")),
            (None, Some(2), None)
        );
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let message = |user| put(user).unwrap_err().message;
        assert_eq!(
            message("no-such"),
            "command_user: user \"no-such\" does not exist"
        );
        assert_eq!(
            message("4000000000"),
            "command_user: user \"4000000000\" does not exist"
        );
        assert_eq!(
            message("daemon:no-such"),
            "command_user: group \"no-such\" does not exist"
        );
        assert_eq!(message(":bin"), "command_user: user \"\" does not exist");
        assert_eq!(
            message("daemon:"),
            "command_user: group \"\" does not exist"
        );
    }
}
