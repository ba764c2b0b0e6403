//! A program that becomes the guardian by executing itself: a supervisor whose guardian was killed,
//! or a guardian that becomes one of another version. Its children stay its children; what else it
//! has goes on as open descriptors, of which a sealed memory file tells.

use super::afterlife::Afterlife;
use super::claim::Claim;
use super::guardian::{Estate, Ward};
use super::held::{Held, Key};
use super::sys;
use nix::fcntl::{fcntl, FcntlArg, FdFlag, SealFlag};
use nix::sys::memfd::{memfd_create, MFdFlags};
use nix::unistd::execv;
use rc_sv_api::{Code, Error, Result};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The option by which the program is told of the file.
pub(super) const OPTION: &CStr = c"--succeed";

/// What the file begins with.
const MARK: &str = "rc-sv guardian 1";

/// The longest file that is read, in bytes: 64 descriptors of each of some ten thousand services.
const LONGEST: u64 = 64 << 20;

/// What goes on.
pub(super) struct Handover<'a> {
    pub svcdir: &'a Path,
    pub claim: &'a Claim,
    pub own_cgroup: Option<&'a Path>,
    pub listener: BorrowedFd<'a>,
    pub afterlife: &'a Afterlife,
    pub ward: Option<&'a Ward>,
    pub is_ending: bool,
    pub held: Vec<(&'a Key, BorrowedFd<'a>)>,
}

/// What went on.
pub(super) struct Heritage {
    pub estate: Estate,
    pub ward: Option<Ward>,
    pub is_ending: bool,
}

/// The numbers and words of a file.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    svcdir: PathBuf,
    own_cgroup: Option<PathBuf>,
    is_ending: bool,
    lock: RawFd,
    listener: RawFd,
    afterlife: [RawFd; 2],
    /// Pid, way and beginning of the supervisor.
    ward: Option<(i32, RawFd, u64)>,
    held: Vec<(RawFd, String)>,
}

impl Handover<'_> {
    /// Executes `program`, which is called `name`, as the guardian. Comes back only when that fails;
    /// then everything is as before.
    ///
    /// # Errors
    /// Why.
    pub(super) fn execute(&self, program: &CStr, name: &CStr) -> Result<Infallible> {
        let failed = |cause: io::Error| {
            let shown = program.to_string_lossy();
            Error::io(format_args!("execute {shown}"), &cause)
        };
        let file = sealed(&self.told().encode()).map_err(failed)?;
        let descriptors = self.descriptors().chain([file.as_fd()]);
        for fd in descriptors {
            survive(fd, true).map_err(failed)?;
        }
        let number = CString::new(file.as_raw_fd().to_string()).unwrap_or_default();
        let Err(errno) = execv(program, &[name, OPTION, &number]);
        for fd in self.descriptors() {
            survive(fd, false).map_err(failed)?;
        }
        Err(failed(errno.into()))
    }

    fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let own = [
            self.claim.as_fd(),
            self.listener,
            self.afterlife.to_read.as_fd(),
            self.afterlife.to_write.as_fd(),
        ];
        let line = self.ward.map(|ward| ward.line.as_fd());
        let held = self.held.iter().map(|(_, fd)| *fd);
        own.into_iter().chain(line).chain(held)
    }

    fn told(&self) -> Told {
        let number = |fd: BorrowedFd<'_>| fd.as_raw_fd();
        let ward = |ward: &Ward| (ward.pid, ward.line.as_raw_fd(), ward.since_ms);
        let held = self.held.iter();
        Told {
            svcdir: self.svcdir.to_path_buf(),
            own_cgroup: self.own_cgroup.map(Path::to_path_buf),
            is_ending: self.is_ending,
            lock: number(self.claim.as_fd()),
            listener: number(self.listener),
            afterlife: [
                number(self.afterlife.to_read.as_fd()),
                number(self.afterlife.to_write.as_fd()),
            ],
            ward: self.ward.map(ward),
            held: held
                .map(|(key, fd)| (number(*fd), key.text().to_string()))
                .collect(),
        }
    }
}

impl Heritage {
    /// Takes over what the file with this number tells of.
    ///
    /// # Errors
    /// [`Code::Invalid`]: it is no such file, or tells of what is not there.
    pub(super) fn take(number: RawFd) -> Result<Heritage> {
        let wrong = || Error::new(Code::Invalid, "there is nothing to succeed to");
        let told = read_sealed(number).and_then(|bytes| Told::decode(&bytes));
        let told = told.ok_or_else(wrong)?;
        let mut seen = BTreeSet::from([number, 0, 1, 2]);
        let mut take = |number: RawFd| {
            let is_new = seen.insert(number);
            let taken = is_new.then(|| sys::take_over(number).ok()).flatten();
            taken.ok_or_else(wrong)
        };
        let [to_read, to_write] = told.afterlife;
        let ward = match told.ward {
            Some((pid, line, since_ms)) if pid > 1 => Some(Ward {
                pid,
                line: take(line)?,
                since_ms,
            }),
            Some(_) => return Err(wrong()),
            None => None,
        };
        let mut held = Vec::with_capacity(told.held.len());
        for (number, key) in &told.held {
            let key = Key::of_text(key);
            let fd = take(*number)?;
            held.push(Held { key, fd });
        }
        Ok(Heritage {
            estate: Estate {
                claim: Claim::go_on(&told.svcdir, take(told.lock)?, told.ward.is_none())?,
                svcdir: told.svcdir,
                own_cgroup: told.own_cgroup,
                listener: take(told.listener)?,
                afterlife: Afterlife::of(take(to_read)?, take(to_write)?),
                held,
            },
            ward,
            is_ending: told.is_ending,
        })
    }
}

impl Told {
    fn encode(&self) -> Vec<u8> {
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

    fn decode(bytes: &[u8]) -> Option<Told> {
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

/// Whether a descriptor survives an execve.
fn survive(fd: BorrowedFd<'_>, survives: bool) -> io::Result<()> {
    let flag = match survives {
        true => FdFlag::empty(),
        false => FdFlag::FD_CLOEXEC,
    };
    fcntl(fd, FcntlArg::F_SETFD(flag))?;
    Ok(())
}

fn seals() -> SealFlag {
    SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL
}

/// A memory file that nobody can change any more.
pub(super) fn sealed(bytes: &[u8]) -> io::Result<OwnedFd> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let mut file = File::from(memfd_create(c"rc-sv", flags)?);
    file.write_all(bytes)?;
    file.rewind()?;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals()))?;
    Ok(file.into())
}

/// What is in one that was inherited.
fn read_sealed(number: RawFd) -> Option<Vec<u8>> {
    let mut file = File::from(sys::take_over(number).ok()?);
    let found = SealFlag::from_bits_truncate(fcntl(&file, FcntlArg::F_GET_SEALS).ok()?);
    let is_small = file.metadata().ok()?.len() <= LONGEST;
    let mut bytes = Vec::new();
    file.rewind().ok()?;
    (found == seals() && is_small)
        .then(|| file.read_to_end(&mut bytes))?
        .ok()?;
    Some(bytes)
}

/// What fuzz/ calls.
#[cfg(fuzzing)]
pub mod fuzzed {
    /// Reads a handover, and writes it again.
    pub fn again(bytes: &[u8]) -> Option<Vec<u8>> {
        super::Told::decode(bytes).map(|told| told.encode())
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

    #[test]
    fn only_what_is_sealed_is_read() {
        let file = sealed(b"abc").unwrap();
        let copy = file.try_clone().unwrap();
        // Whoever takes it over closes it.
        let number = std::os::fd::IntoRawFd::into_raw_fd(copy);
        assert_eq!(read_sealed(number), Some(b"abc".to_vec()));
        let open = memfd_create(c"open", MFdFlags::MFD_ALLOW_SEALING).unwrap();
        assert_eq!(read_sealed(std::os::fd::IntoRawFd::into_raw_fd(open)), None);
        assert_eq!(read_sealed(-1), None);
    }
}
