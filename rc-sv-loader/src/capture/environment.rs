//! The daemon's environment: what supervise-daemon of the OpenRC that is installed would leave.
//!
//! Read from src/supervise-daemon/supervise-daemon.c and found so by running it: up to 0.61 it
//! keeps `RC_SERVICE` and `RC_SVCNAME` of all `RC_*`, and takes only three `SSD_*`; 0.62 takes all
//! `RC_*` and `SSD_*`, and from 0.62.1 on `EINFO_*` and `SVCNAME` too. All take the directories of
//! OpenRC's own programs out of `PATH`, and set `USER` and `HOME` where they are missing. Pure.

use crate::config::Variables;

/// The first OpenRC that leaves nothing of itself.
const LEAVES_NOTHING: (u32, u32) = (0, 62);

/// Who runs the daemon unless it has a user of its own.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// Login name.
    pub name: Vec<u8>,
    /// Home directory.
    pub home: Vec<u8>,
}

/// The environment as NAME=value, in its order. `account` is asked when `USER` or `HOME` is missing.
pub(super) fn cleaned(
    variables: &Variables,
    account: impl FnOnce() -> Option<Account>,
) -> Vec<Vec<u8>> {
    let old = variables
        .get("RC_VERSION")
        .and_then(version)
        .is_some_and(|it| it < LEAVES_NOTHING);
    let mut cleaned: Vec<Vec<u8>> = Vec::new();
    for (name, value) in variables.iter().filter(|(name, _)| is_daemons(name, old)) {
        match name {
            b"PATH" => cleaned.push(join(name, &path(value, variables))),
            _ => cleaned.push(join(name, value)),
        }
    }
    let missing = |name| variables.get(name).is_none();
    if missing("USER") || missing("HOME") {
        if let Some(account) = account() {
            if missing("USER") {
                cleaned.push(join(b"USER", &account.name));
            }
            if missing("HOME") {
                cleaned.push(join(b"HOME", &account.home));
            }
        }
    }
    cleaned
}

/// Whether the daemon gets the variable `name`. `old` is an OpenRC before 0.62.
fn is_daemons(name: &[u8], old: bool) -> bool {
    let starts = |prefix: &str| name.starts_with(prefix.as_bytes());
    // A name that is none cannot be handed on by anybody.
    if starts("RCSV_") || name.is_empty() || name.contains(&b'=') {
        return false;
    }
    match (old, name) {
        (true, b"RC_SERVICE" | b"RC_SVCNAME") => true,
        (true, b"SSD_NICELEVEL" | b"SSD_IONICELEVEL" | b"SSD_OOM_SCORE_ADJ") => false,
        (true, _) => !starts("RC_"),
        (false, b"SVCNAME") => false,
        (false, _) => !(starts("RC_") || starts("SSD_") || starts("EINFO_")),
    }
}

/// `PATH` without OpenRC's own directories; empty words go too, as supervise-daemon drops them.
fn path(value: &[u8], variables: &Variables) -> Vec<u8> {
    let libexec = variables.get("RC_LIBEXECDIR").unwrap_or_default();
    let own = [[libexec, b"/bin"].concat(), [libexec, b"/sbin"].concat()];
    let foreign = |word: &&[u8]| {
        !word.is_empty() && (libexec.is_empty() || !own.iter().any(|own| own == word))
    };
    let words: Vec<&[u8]> = value.split(|byte| *byte == b':').filter(foreign).collect();
    words.join(&b':')
}

fn join(name: &[u8], value: &[u8]) -> Vec<u8> {
    [name, b"=", value].concat()
}

/// Major and minor of `0.45.2`.
fn version(text: &[u8]) -> Option<(u32, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut numbers = text.split('.').map(|word| word.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(all: &[(&str, &str)]) -> Vec<String> {
        let account = || {
            Some(Account {
                name: b"root".to_vec(),
                home: b"/root".to_vec(),
            })
        };
        let cleaned = cleaned(&Variables::new(all.iter().copied()), account);
        cleaned
            .into_iter()
            .map(|line| String::from_utf8(line).unwrap())
            .collect()
    }

    const FROM_OPENRC: [(&str, &str); 14] = [
        ("HOME", "/root"),
        ("USER", "root"),
        ("LANG", "C"),
        ("RC_SVCNAME", "foo"),
        ("RC_SERVICE", "/etc/init.d/foo"),
        ("RC_SVCDIR", "/run/openrc"),
        ("RC_LIBEXECDIR", "/lib/rc"),
        ("SVCNAME", "foo"),
        ("EINFO_QUIET", "no"),
        ("SSD_NICELEVEL", "5"),
        ("SSD_STARTWAIT", "1"),
        ("RCSV_umask", "022"),
        ("PATH", "/lib/rc/bin:/bin::/lib/rc/sbin:/sbin:/lib/rc"),
        ("IN_BACKGROUND", "yes"),
    ];

    fn under(version: &'static str) -> Vec<String> {
        clean(&[&FROM_OPENRC[..], &[("RC_VERSION", version)]].concat())
    }

    #[test]
    fn debians_openrc_keeps_the_name_of_the_service() {
        assert_eq!(
            under("0.45.2"),
            [
                "HOME=/root",
                "USER=root",
                "LANG=C",
                "RC_SVCNAME=foo",
                "RC_SERVICE=/etc/init.d/foo",
                "SVCNAME=foo",
                "EINFO_QUIET=no",
                "SSD_STARTWAIT=1",
                "PATH=/bin:/sbin:/lib/rc",
                "IN_BACKGROUND=yes"
            ]
        );
    }

    #[test]
    fn newer_ones_leave_nothing_of_themselves() {
        let expected = [
            "HOME=/root",
            "USER=root",
            "LANG=C",
            "PATH=/bin:/sbin:/lib/rc",
            "IN_BACKGROUND=yes",
        ];
        assert_eq!(under("0.63"), expected);
        assert_eq!(under("1.0"), expected);
        assert_eq!(
            clean(&FROM_OPENRC),
            expected,
            "no version: not started by OpenRC"
        );
        assert_eq!(under("git"), expected);
    }

    #[test]
    fn user_and_home_are_filled_in() {
        assert_eq!(clean(&[("A", "b=c")]), ["A=b=c", "USER=root", "HOME=/root"]);
        assert_eq!(clean(&[("HOME", "/x")]), ["HOME=/x", "USER=root"]);
        assert!(cleaned(&Variables::default(), || None).is_empty());
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version(b"0.45.2"), Some((0, 45)));
        assert_eq!(version(b"0.9.1"), Some((0, 9)));
        assert_eq!(version(b"1"), None);
    }
}
