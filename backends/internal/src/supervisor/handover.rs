//! A program that becomes the guardian by executing itself: a supervisor whose guardian was killed,
//! or a guardian that becomes one of another version. Its children stay its children; what else it
//! has goes on as open descriptors, of which a sealed memory file tells.

mod told;

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
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;

use told::Told;

/// The option by which the program is told of the file.
pub(super) const OPTION: &CStr = c"--succeed";

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
