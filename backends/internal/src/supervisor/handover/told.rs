//! What a handover tells of, as bytes.

use std::ffi::OsStr;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What the file begins with.
const MARK: &str = "rc-sv guardian 1";

/// The numbers and words of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) svcdir: PathBuf,
    pub(super) own_cgroup: Option<PathBuf>,
    pub(super) is_ending: bool,
    pub(super) lock: RawFd,
    pub(super) listener: RawFd,
    pub(super) afterlife: [RawFd; 2],
    /// Pid, way and beginning of the supervisor.
    pub(super) ward: Option<(i32, RawFd, u64)>,
    pub(super) held: Vec<(RawFd, String)>,
}

impl Told {
    pub(super) fn encode(&self) -> Vec<u8> {
        let (pid, line, since_ms) = self.ward.unwrap_or((0, 0, 0));
        let own = self.own_cgroup.as_deref().unwrap_or(Path::new(""));
        let numbers = [
            i64::from(self.is_ending),
            self.lock.into(),
            self.listener.into(),
            self.afterlife[0].into(),
            self.afterlife[1].into(),
            pid.into(),
            line.into(),
            since_ms as i64,
        ];
        let mut bytes = Vec::new();
        let mut put = |field: &[u8]| {
            bytes.extend(field);
            bytes.push(0);
        };
        put(MARK.as_bytes());
        put(self.svcdir.as_os_str().as_bytes());
        put(own.as_os_str().as_bytes());
        for number in numbers {
            put(number.to_string().as_bytes());
        }
        for (number, key) in &self.held {
            put(number.to_string().as_bytes());
            put(key.as_bytes());
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Told> {
        let mut fields = bytes.strip_suffix(&[0])?.split(|byte| *byte == 0);
        (fields.next()? == MARK.as_bytes()).then_some(())?;
        let path = |field: &[u8]| PathBuf::from(OsStr::from_bytes(field));
        let svcdir = path(fields.next()?);
        let own = path(fields.next()?);
        let text = |field| std::str::from_utf8(field).ok();
        let mut number = || text(fields.next()?)?.parse::<i64>().ok();
        let is_ending = number()? != 0;
        let mut small = || number()?.try_into().ok();
        let (lock, listener) = (small()?, small()?);
        let afterlife = [small()?, small()?];
        let (pid, line) = (small()?, small()?);
        let since_ms = number()? as u64;
        let mut held = Vec::new();
        while let Some(number) = fields.next() {
            let key = text(fields.next()?)?.to_string();
            held.push((text(number)?.parse().ok()?, key));
        }
        Some(Told {
            svcdir,
            own_cgroup: Some(own).filter(|own| !own.as_os_str().is_empty()),
            is_ending,
            lock,
            listener,
            afterlife,
            ward: (pid != 0).then_some((pid, line, since_ms)),
            held,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn all_told()(
            svcdir in "/[a-z\n]{0,9}",
            own in prop::option::of("/[a-z]{1,9}"),
            is_ending: bool,
            numbers: [RawFd; 4],
            ward in prop::option::of((2..i32::MAX, any::<RawFd>(), 0..u64::MAX / 2)),
            held in prop::collection::vec((any::<RawFd>(), "[a-z\n ]{0,9}"), 0..4),
        ) -> Told {
            let [lock, listener, to_read, to_write] = numbers;
            Told {
                svcdir: svcdir.into(),
                own_cgroup: own.map(Into::into),
                is_ending,
                lock,
                listener,
                afterlife: [to_read, to_write],
                ward,
                held,
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_told_is_understood(told in all_told()) {
            prop_assert_eq!(Told::decode(&told.encode()), Some(told));
        }

        #[test]
        fn what_is_cut_off_is_refused(told in all_told(), cut in 1_usize..40) {
            let bytes = told.encode();
            let cut = bytes.len().saturating_sub(cut);
            if let Some(less) = Told::decode(&bytes[..cut]) {
                prop_assert!(less.held.len() < told.held.len());
            }
        }
    }
}
