//! The system calls that nix does not have.
#![allow(unsafe_code)]

/// One resource limit of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its number, as in getrlimit(2).
    pub number: u32,
    /// The soft limit; `None` is no limit.
    pub soft: Option<u64>,
    /// The hard limit; `None` is no limit.
    pub hard: Option<u64>,
}

/// Linux has this many resource limits.
const LIMITS: u32 = 16;

/// Whether this process has more rights than its caller (set-uid, set-gid, file capabilities).
pub fn is_privileged() -> bool {
    // SAFETY: getauxval only reads what the kernel left for this process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// All resource limits of this process.
pub fn limits() -> Vec<Limit> {
    let known = |value: u64| (value != libc::RLIM_INFINITY).then_some(value);
    let mut limits = Vec::new();
    for number in 0..LIMITS {
        let mut raw = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: `raw` is ours and of the right type.
        if unsafe { libc::getrlimit(number as _, &mut raw) } == 0 {
            let (soft, hard) = (known(raw.rlim_cur), known(raw.rlim_max));
            limits.push(Limit { number, soft, hard });
        }
    }
    limits
}

/// Sets a limit of this process to the first of `tries`, soft and hard, that it may have.
pub fn set_limit(number: u32, tries: [(Option<u64>, Option<u64>); 2]) {
    for (soft, hard) in tries {
        let raw = libc::rlimit {
            rlim_cur: soft.unwrap_or(libc::RLIM_INFINITY),
            rlim_max: hard.unwrap_or(libc::RLIM_INFINITY),
        };
        // SAFETY: `raw` is ours and of the right type.
        if unsafe { libc::setrlimit(number as _, &raw) } == 0 {
            return;
        }
    }
}

/// A file that becomes larger than it may is an error, and no end of this process.
pub fn ignore_file_size_signal() {
    // SAFETY: no handler is involved.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// This signal does what it does by default, also where who began this process had it ignored.
pub fn heed_signal(number: i32) {
    // SAFETY: no handler is involved.
    unsafe { libc::signal(number, libc::SIG_DFL) };
}

/// The scheduling priority of this process, -20 to 19.
pub fn nice() -> i32 {
    // SAFETY: no memory is involved. It cannot fail for the calling process.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// The I/O priority of this process as class and level, or `None` where the kernel has none.
pub fn io_priority() -> Option<(i32, i32)> {
    const WHO_PROCESS: libc::c_int = 1;
    const CLASS_SHIFT: i32 = 13;
    // SAFETY: no memory is involved.
    let raw = unsafe { libc::syscall(libc::SYS_ioprio_get, WHO_PROCESS, 0) };
    let raw = i32::try_from(raw).ok().filter(|raw| *raw >= 0)?;
    // The bits between are hints, which nobody can set by conf.d.
    Some((raw >> CLASS_SHIFT, raw & 7))
}
