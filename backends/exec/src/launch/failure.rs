//! Why a program could not be executed, and in what words.

use super::Launch;
use nix::unistd::geteuid;
use rc_sv_api::Error;
use std::ffi::CStr;
use std::fmt::Display;
use std::io;

/// Why a child could not execute its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it was doing.
    pub stage: Stage,
    /// Which one, where there are several: the index in the list of the spec.
    pub item: u32,
    /// `errno`.
    pub errno: i32,
}

/// What a child does before it executes its program. The order is that of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stage {
    /// Joining a cgroup of version 1.
    CgroupV1,
    /// `rc_supervise_oom_score_adj`.
    OomScoreAdj,
    /// `rc_supervise_nice`.
    Nice,
    /// `rc_supervise_ionice`.
    Ionice,
    /// A captured resource limit.
    Rlimit,
    /// Opening /dev/null.
    Null,
    /// `chroot`.
    Chroot,
    /// `directory`.
    Directory,
    /// The supplementary groups of `command_user`.
    Groups,
    /// The group of `command_user`.
    Group,
    /// The user of `command_user`.
    User,
    /// `capabilities`, the inheritable ones.
    Capabilities,
    /// `capabilities`, the ambient ones.
    Ambient,
    /// `capabilities`, the blocked ones.
    Bounding,
    /// `secbits`.
    Securebits,
    /// `no_new_privs`.
    NoNewPrivs,
    /// `input_file`.
    Input,
    /// `output_log`.
    Output,
    /// `error_log`.
    Error,
    /// Closing everything else.
    Descriptors,
    /// Executing the program.
    Execute,
    /// Leaving word of itself.
    Word,
}

impl Stage {
    /// Every stage, by number.
    const ALL: [Stage; 22] = [
        Stage::CgroupV1,
        Stage::OomScoreAdj,
        Stage::Nice,
        Stage::Ionice,
        Stage::Rlimit,
        Stage::Null,
        Stage::Chroot,
        Stage::Directory,
        Stage::Groups,
        Stage::Group,
        Stage::User,
        Stage::Capabilities,
        Stage::Ambient,
        Stage::Bounding,
        Stage::Securebits,
        Stage::NoNewPrivs,
        Stage::Input,
        Stage::Output,
        Stage::Error,
        Stage::Descriptors,
        Stage::Execute,
        Stage::Word,
    ];
}

impl Failure {
    /// Length of a record in bytes. It is written, and so read, in one piece.
    pub const SIZE: usize = 12;

    /// The failure in what was read from [`super::Child::report`]; `None` when it is no record.
    pub fn decode(record: &[u8]) -> Option<Failure> {
        let record: &[u8; Failure::SIZE] = record.try_into().ok()?;
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *record;
        let stage = u32::from_ne_bytes([a, b, c, d]);
        Some(Failure {
            stage: *Stage::ALL.get(stage as usize)?,
            item: u32::from_ne_bytes([e, f, g, h]),
            errno: i32::from_ne_bytes([i, j, k, l]),
        })
    }

    /// The record; made in the child, so without allocation.
    pub(super) fn encode(&self) -> [u8; Failure::SIZE] {
        let [a, b, c, d] = (self.stage as u32).to_ne_bytes();
        let [e, f, g, h] = self.item.to_ne_bytes();
        let [i, j, k, l] = self.errno.to_ne_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    /// One line, such as `cannot execute /usr/bin/x: No such file or directory`. `launch` is the
    /// one that was spawned.
    pub fn message(&self, launch: &Launch) -> String {
        let what = self.attempt(launch);
        let cause = io::Error::from_raw_os_error(self.errno);
        let line = Error::io(format_args!("cannot {what}"), &cause).message;
        match self.hint(launch) {
            Some(hint) => format!("{line} ({hint})"),
            None => line,
        }
    }

    fn attempt(&self, launch: &Launch) -> String {
        let item = self.item as usize;
        match self.stage {
            Stage::CgroupV1 => format!("join its cgroup through {}", nth(&launch.cgroups_v1, item)),
            Stage::OomScoreAdj => {
                let score = launch.oom_score_adj.as_deref().unwrap_or_default();
                format!("set its OOM score adjustment to {score}")
            }
            Stage::Nice => {
                let level = launch.nice.as_ref().map_or(0, |(level, _)| *level);
                format!("set its nice level to {level}")
            }
            Stage::Ionice => "set its I/O priority".into(),
            Stage::Rlimit => match launch.rlimits.get(item) {
                Some(limit) => format!("set its resource limit {}", limit.name()),
                None => "set its resource limits".into(),
            },
            Stage::Null => "open /dev/null".into(),
            Stage::Chroot => format!("change the root to {}", one(launch.chroot.as_deref())),
            Stage::Directory => format!("change to the directory {}", show(&launch.directory)),
            Stage::Groups => {
                let groups = launch.identity.groups.as_deref().unwrap_or_default();
                format!("set its groups to {groups:?}")
            }
            Stage::Group => format!("become group {}", number(launch.identity.gid)),
            Stage::User => format!("become user {}", number(launch.identity.uid)),
            Stage::Capabilities => "set its inheritable capabilities".into(),
            Stage::Ambient => "set its ambient capabilities".into(),
            Stage::Bounding => "block capabilities".into(),
            Stage::Securebits => "set its securebits".into(),
            Stage::NoNewPrivs => "set no_new_privs".into(),
            Stage::Input => format!("open input_file {}", one(launch.input.as_deref())),
            Stage::Output => format!("open output_log {}", one(launch.output.as_deref())),
            Stage::Error => format!("open error_log {}", one(launch.error.as_deref())),
            Stage::Descriptors => "close what it does not need".into(),
            Stage::Word => "leave word of itself".into(),
            Stage::Execute => format!("execute {}", launch.program().display()),
        }
    }

    /// What the system's words leave out.
    fn hint(&self, launch: &Launch) -> Option<String> {
        let refused = matches!(self.errno, libc::EPERM | libc::EACCES);
        let text = match (self.stage, self.errno) {
            (Stage::OomScoreAdj, _) if refused => "lowering it takes CAP_SYS_RESOURCE",
            (Stage::Nice, _) if refused => "lowering it takes CAP_SYS_NICE",
            (Stage::Ionice, _) if refused => "the class realtime takes CAP_SYS_NICE",
            (Stage::Rlimit, _) if refused => "raising a hard limit takes CAP_SYS_RESOURCE",
            (Stage::Output | Stage::Error, libc::ENXIO) => {
                "it is a FIFO that nobody reads, or a socket"
            }
            (Stage::Input | Stage::Output | Stage::Error, libc::EACCES) => {
                return Some(format!(
                    "it is opened as user {}",
                    number(launch.identity.uid)
                ));
            }
            (Stage::Descriptors, libc::ENOSYS) => "Linux 5.9 or later is needed",
            (Stage::Execute, libc::ENOENT) if launch.program_is_there() => {
                "it is there, but not the interpreter or loader that it names"
            }
            (Stage::Execute, libc::ENOEXEC) => {
                "it is neither a program for this machine nor begins with #!"
            }
            _ => return None,
        };
        Some(text.into())
    }
}

fn nth(list: &[std::ffi::CString], index: usize) -> impl Display + use<'_> {
    one(list.get(index).map(|item| item.as_c_str()))
}

fn one(path: Option<&CStr>) -> impl Display + use<'_> {
    show(path.unwrap_or_default())
}

fn show(path: &CStr) -> impl Display + use<'_> {
    path.to_string_lossy()
}

fn number(id: Option<u32>) -> u32 {
    id.unwrap_or_else(|| geteuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_round_trip() {
        for (number, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, number);
            let failure = Failure {
                stage,
                item: 7,
                errno: libc::ENOENT,
            };
            assert_eq!(Failure::decode(&failure.encode()), Some(failure));
        }
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let record = Failure {
            stage: Stage::Execute,
            item: 0,
            errno: 2,
        }
        .encode();
        let mut foreign = record;
        foreign[..4].copy_from_slice(&99u32.to_ne_bytes());
        for bytes in [&record[..11], &[&record[..], b"x"].concat(), &foreign, b""] {
            assert_eq!(Failure::decode(bytes), None);
        }
    }
}
