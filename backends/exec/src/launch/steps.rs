//! What a child does before it executes its program, in this order:
//!
//! 1. Every signal gets its default action, also those that the supervisor or its parent ignores,
//!    and all are unblocked; from here on a stop signal ends it. (`child.rs` does it.)
//! 2. It leaves word of itself, where its maker wants that ([`super::word`]), and becomes the leader of a new session, so that neither a terminal nor the supervisor's
//!    process group reaches it.
//! 3. The report, if there is one, becomes descriptor 3, and everything above is closed: a
//!    supervisor of many services has more open than the service may have, and nothing could be
//!    opened any more. With descriptors for the program it is as `gift.rs` says.
//! 4. It joins the captured cgroups of version 1, while it still may. (In that of version 2 it is
//!    born.)
//! 5. OOM score adjustment, nice level, I/O priority, resource limits: raising them needs root.
//! 6. Umask, and /dev/null from the outer root as all three standard descriptors. From here on 0,
//!    1 and 2 are taken, whatever the supervisor had there.
//! 7. Root and working directory, still as root, as OpenRC does it.
//! 8. Supplementary groups, group, user; then capabilities, securebits, `no_new_privs`: each can
//!    only take away from here on.
//! 9. `input_file`, `output_log`, `error_log`: in the new root and as the new user, who gets
//!    nothing opened that he could not open himself. Never as a controlling terminal, and without
//!    waiting for the other end of a FIFO.
//!
//! What is above 2 by then, the report among it, is closed by execve.
//!
//! What is not asked for makes no system call.
//!
//! A process that becomes the program itself ([`take_here`]) has no report and closes nothing
//! before execve; what it keeps of its descriptors is [`Keep`].

use super::child::{self, Pointers};
use super::failure::{Failure, Stage};
use super::gift;
use super::inherited::Inherited;
use super::syscall::{self, Errno, Sets, KEEP};
use super::Launch;
use crate::capability::{Iab, SETPCAP};
use std::ffi::CStr;
use std::ops::RangeInclusive;
use std::os::fd::RawFd;

/// Where the report is.
const REPORT: RawFd = 3;

/// As whom a process runs. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) groups: Option<Vec<u32>>,
    pub(super) gid: Option<u32>,
    pub(super) uid: Option<u32>,
}

/// What a process that becomes the program keeps of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Standard output, a logger's pipe. Otherwise, it is /dev/null where the spec names no file.
    pub output: bool,
    /// The same pipe as standard error.
    pub error: bool,
    /// A descriptor above 2 that the program is to have, for telling that it is ready.
    pub descriptor: Option<RawFd>,
}

/// Takes all steps and executes the program. Comes back only when something failed, and says what.
/// With a `report`, that descriptor goes through all steps and is closed by execve. What is
/// `inherited` as it is to be is not set.
pub(super) fn take(
    launch: &Launch,
    argv: &Pointers<'_>,
    environment: &Pointers<'_>,
    report: Option<RawFd>,
    inherited: Inherited,
) -> Failure {
    if let Some(own_pid) = &launch.own_pid {
        own_pid.fill_in();
    }
    match prepare(launch, report, inherited) {
        Err(failure) => failure,
        Ok(()) => at(Stage::Execute)(child::execute(launch.file(), argv, environment)),
    }
}

/// Tells of a failure through the `report` that was given to [`take`].
pub(super) fn tell(launch: &Launch, failure: Failure, report: RawFd) {
    // Only these can go wrong before it is at its place.
    let report = if matches!(failure.stage, Stage::Word | Stage::Descriptors) {
        report
    } else {
        gift::report_place(&launch.gifts, report)
    };
    let _ = syscall::write(report, &failure.encode());
}

/// The same in a process that becomes the program. Comes back only when something failed.
pub(super) fn take_here(
    launch: &Launch,
    argv: &Pointers<'_>,
    environment: &Pointers<'_>,
    keep: Keep,
) -> Failure {
    match prepare_here(launch, keep) {
        Err(failure) => failure,
        Ok(()) => at(Stage::Execute)(child::execute(launch.file(), argv, environment)),
    }
}

fn prepare(launch: &Launch, report: Option<RawFd>, inherited: Inherited) -> Result<(), Failure> {
    if let Some(word) = &launch.word {
        word.leave().map_err(at(Stage::Word))?;
    }
    syscall::new_session();
    gift::arrange(&launch.gifts, report).map_err(at(Stage::Descriptors))?;
    surround(launch, inherited)?;
    null(0..=2).map_err(at(Stage::Null))?;
    enter(launch)?;
    gift::arrange_standard(&launch.gifts, report).map_err(at(Stage::Output))
}

fn prepare_here(launch: &Launch, keep: Keep) -> Result<(), Failure> {
    syscall::new_session();
    syscall::close_on_execute(REPORT).map_err(at(Stage::Descriptors))?;
    if let Some(kept) = keep.descriptor.filter(|fd| *fd >= REPORT) {
        syscall::duplicate(kept, kept, 0).map_err(at(Stage::Descriptors))?;
    }
    surround(launch, Inherited::default())?;
    null(0..=0).map_err(at(Stage::Null))?;
    match keep.error {
        true => syscall::duplicate(1, 2, 0).map_err(at(Stage::Descriptors))?,
        false => null(2..=2).map_err(at(Stage::Null))?,
    }
    if !keep.output {
        null(1..=1).map_err(at(Stage::Null))?;
    }
    enter(launch)
}

/// Cgroups, priorities and limits.
fn surround(launch: &Launch, inherited: Inherited) -> Result<(), Failure> {
    for (index, procs) in launch.cgroups_v1.iter().enumerate() {
        // `0` is whoever writes it.
        put(procs, "0").map_err(in_list(Stage::CgroupV1, index))?;
    }
    let score = launch.oom_score_adj.as_ref();
    if let Some(score) = score.filter(|_| !inherited.oom_score_adj) {
        put(c"/proc/self/oom_score_adj", score).map_err(at(Stage::OomScoreAdj))?;
    }
    if let Some((level, text)) = &launch.nice {
        syscall::set_nice(*level).map_err(at(Stage::Nice))?;
        if *level != 0 {
            autogroup(text).map_err(at(Stage::Nice))?;
        }
    }
    if let Some(priority) = launch.ioprio {
        syscall::set_ioprio(priority).map_err(at(Stage::Ionice))?;
    }
    for (index, limit) in launch.rlimits.iter().enumerate() {
        syscall::set_rlimit(limit).map_err(in_list(Stage::Rlimit, index))?;
    }
    if let Some(mask) = launch.umask {
        syscall::set_umask(mask);
    }
    Ok(())
}

/// Directories, user and files.
fn enter(launch: &Launch) -> Result<(), Failure> {
    if let Some(root) = &launch.chroot {
        syscall::change_root(root).map_err(at(Stage::Chroot))?;
    }
    syscall::change_directory(&launch.directory).map_err(at(Stage::Directory))?;
    become_user(launch)?;
    open_files(launch)
}

fn at(stage: Stage) -> impl Fn(Errno) -> Failure {
    in_list(stage, 0)
}

fn in_list(stage: Stage, index: usize) -> impl Fn(Errno) -> Failure {
    move |errno| Failure {
        stage,
        item: index as u32,
        errno,
    }
}

/// Writes to a file that exists.
fn put(path: &CStr, text: &str) -> Result<(), Errno> {
    syscall::open(path, libc::O_WRONLY, 0).and_then(|fd| syscall::write(fd, text.as_bytes()))
}

/// A new session is a scheduling group of its own, of level 0, where the kernel has autogroups;
/// then the level of the group is what counts against other services (sched(7)). Without autogroups there
/// is no such file. An ordinary user may change it ten times a second only; then the level of the
/// process has to do.
fn autogroup(level: &str) -> Result<(), Errno> {
    match put(c"/proc/self/autogroup", level) {
        Err(libc::ENOENT | libc::EAGAIN) => Ok(()),
        result => result,
    }
}

fn null(mut standards: RangeInclusive<RawFd>) -> Result<(), Errno> {
    let null = syscall::open(c"/dev/null", libc::O_RDWR, 0)?;
    standards.try_for_each(|standard| syscall::duplicate(null, standard, 0))
}

fn become_user(launch: &Launch) -> Result<(), Failure> {
    let Identity { groups, gid, uid } = &launch.identity;
    let privileged = launch.capabilities.is_some() || launch.securebits.is_some();
    if uid.is_some() && privileged {
        syscall::keep_capabilities().map_err(at(Stage::Capabilities))?;
    }
    if let Some(groups) = groups {
        syscall::set_groups(groups).map_err(at(Stage::Groups))?;
    }
    if let Some(gid) = *gid {
        syscall::set_gids(gid, gid, gid).map_err(at(Stage::Group))?;
    }
    if let Some(uid) = *uid {
        syscall::set_uids(uid, uid, uid).map_err(at(Stage::User))?;
    }
    if privileged {
        restrict(launch)?;
    }
    if launch.no_new_privs {
        syscall::set_no_new_privs().map_err(at(Stage::NoNewPrivs))?;
    }
    Ok(())
}

/// Applies the three sets as libcap's cap_iab_set_proc(3), then the securebits. `CAP_SETPCAP` is
/// effective meanwhile where it is permitted: the change of the user took it away. Afterwards an
/// ordinary user has no effective capabilities until execve, so that his logs are opened with his
/// own rights.
fn restrict(launch: &Launch) -> Result<(), Failure> {
    let failed = at(Stage::Capabilities);
    let before = syscall::capabilities().map_err(&failed)?;
    let iab = launch.capabilities.unwrap_or(Iab {
        inheritable: before.inheritable,
        ..Iab::default()
    });
    let after = Sets {
        inheritable: iab.inheritable,
        ..before
    };
    let meanwhile = after.effective | (after.permitted & 1 << SETPCAP);
    syscall::set_capabilities(Sets {
        effective: meanwhile,
        ..after
    })
    .map_err(&failed)?;
    if launch.capabilities.is_some() {
        syscall::set_ambient(&iab).map_err(at(Stage::Ambient))?;
        syscall::drop_bounding(&iab).map_err(at(Stage::Bounding))?;
    }
    if let Some(bits) = launch.securebits {
        syscall::set_securebits(bits).map_err(at(Stage::Securebits))?;
    }
    syscall::set_capabilities(after).map_err(&failed)
}

fn open_files(launch: &Launch) -> Result<(), Failure> {
    let Some(owner) = &launch.log_owner else {
        return open_all(launch);
    };
    // The output of a hook: what cannot be opened is left at /dev/null, because a hook that tells
    // of a failure must run above all.
    let lowered = lower(&owner.of_logs);
    if lowered.is_ok() {
        let _ = open_all(launch);
    }
    raise(&owner.of_caller).map_err(at(Stage::User))
}

fn open_all(launch: &Launch) -> Result<(), Failure> {
    if let Some(path) = &launch.input {
        open_as(0, path, libc::O_RDONLY, 0).map_err(at(Stage::Input))?;
    }
    let append = libc::O_WRONLY | libc::O_CREAT;
    if let Some(path) = &launch.output {
        open_as(1, path, append, libc::O_APPEND).map_err(at(Stage::Output))?;
    }
    match &launch.error {
        Some(path) if launch.output.as_ref() == Some(path) => syscall::duplicate(1, 2, 0),
        Some(path) => open_as(2, path, append, libc::O_APPEND),
        None => Ok(()),
    }
    .map_err(at(Stage::Error))
}

/// Opens `path` as the descriptor `standard`, without waiting; what is opened waits as usual.
fn open_as(standard: RawFd, path: &CStr, how: i32, status: i32) -> Result<(), Errno> {
    let flags = how | status | libc::O_NONBLOCK | libc::O_NOCTTY;
    let fd = syscall::open(path, flags, 0o600)?;
    syscall::set_flags(fd, status)?;
    syscall::duplicate(fd, standard, 0)
}

/// Takes on the effective ids of `to`, so that they can be given back.
fn lower(to: &Identity) -> Result<(), Errno> {
    effective(to.groups.as_deref(), to.gid, None)?;
    effective(None, None, to.uid)
}

/// The other way round: the user first, who may then do the rest.
fn raise(to: &Identity) -> Result<(), Errno> {
    effective(None, None, to.uid)?;
    effective(to.groups.as_deref(), to.gid, None)
}

fn effective(groups: Option<&[u32]>, gid: Option<u32>, uid: Option<u32>) -> Result<(), Errno> {
    groups.map_or(Ok(()), syscall::set_groups)?;
    gid.map_or(Ok(()), |gid| syscall::set_gids(KEEP, gid, KEEP))?;
    uid.map_or(Ok(()), |uid| syscall::set_uids(KEEP, uid, KEEP))
}
