//! Resource limits, as the loader captures them.

/// One limit: its number and both values as getrlimit(2) has them on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rlimit {
    /// `RLIMIT_*`.
    pub(crate) resource: u32,
    /// What holds.
    pub(crate) soft: u64,
    /// How far the program may raise it.
    pub(crate) hard: u64,
}

/// The numbers differ between machines, and their type between C libraries.
const NAMES: [(i64, &str); 16] = [
    (libc::RLIMIT_CPU as i64, "cpu"),
    (libc::RLIMIT_FSIZE as i64, "fsize"),
    (libc::RLIMIT_DATA as i64, "data"),
    (libc::RLIMIT_STACK as i64, "stack"),
    (libc::RLIMIT_CORE as i64, "core"),
    (libc::RLIMIT_RSS as i64, "rss"),
    (libc::RLIMIT_NPROC as i64, "nproc"),
    (libc::RLIMIT_NOFILE as i64, "nofile"),
    (libc::RLIMIT_MEMLOCK as i64, "memlock"),
    (libc::RLIMIT_AS as i64, "as"),
    (libc::RLIMIT_LOCKS as i64, "locks"),
    (libc::RLIMIT_SIGPENDING as i64, "sigpending"),
    (libc::RLIMIT_MSGQUEUE as i64, "msgqueue"),
    (libc::RLIMIT_NICE as i64, "nice"),
    (libc::RLIMIT_RTPRIO as i64, "rtprio"),
    (libc::RLIMIT_RTTIME as i64, "rttime"),
];

impl Rlimit {
    /// Parses `NUMBER=SOFT:HARD`; -1 is no limit.
    pub(crate) fn parse(text: &[u8]) -> Option<Rlimit> {
        let (resource, values) = std::str::from_utf8(text).ok()?.split_once('=')?;
        let (soft, hard) = values.split_once(':')?;
        Some(Rlimit {
            resource: resource.parse().ok()?,
            soft: value(soft)?,
            hard: value(hard)?,
        })
    }

    /// As prlimit(1) calls it.
    pub(crate) fn name(&self) -> String {
        let known = NAMES
            .iter()
            .find(|(number, _)| *number as u32 == self.resource);
        known.map_or_else(
            || self.resource.to_string(),
            |(_, name)| (*name).to_string(),
        )
    }
}

fn value(text: &str) -> Option<u64> {
    // RLIM64_INFINITY of prlimit64(2).
    const INFINITY: u64 = u64::MAX;
    match text {
        "-1" => Some(INFINITY),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_infinity() {
        let limit = Rlimit {
            resource: 7,
            soft: 1024,
            hard: u64::MAX,
        };
        assert_eq!(Rlimit::parse(b"7=1024:-1"), Some(limit));
        let nofile = Rlimit {
            resource: NAMES[7].0 as u32,
            ..limit
        };
        let unknown = Rlimit {
            resource: 99,
            ..limit
        };
        assert_eq!(
            (nofile.name(), unknown.name()),
            ("nofile".into(), "99".into())
        );
        for text in [
            "",
            "7",
            "7=1",
            "7=1:",
            "x=1:2",
            "7=-2:3",
            "nofile=1:2",
            "7=1:2:3",
        ] {
            assert_eq!(Rlimit::parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
