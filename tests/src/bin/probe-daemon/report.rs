//! The lines of the report.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::sys;

/// Where the lines go.
pub(crate) struct Report {
    path: Option<PathBuf>,
}

impl Report {
    pub(crate) fn new(path: Option<&Path>) -> Report {
        Report {
            path: path.map(Path::to_owned),
        }
    }

    /// Appends one line in one write, so that lines of several processes never
    /// mix and a reader never sees half of one.
    pub(crate) fn write(&self, line: &str) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let say = |error: io::Error| io::Error::other(format!("{}: {error}", path.display()));
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(say)?;
        let line = format!("{line}\n");
        match file.write(line.as_bytes()).map_err(say)? {
            written if written == line.len() => Ok(()),
            _ => Err(say(io::Error::other("line cut short"))),
        }
    }
}

/// The first line: `start`, then all that a daemon inherits.
pub(crate) fn snapshot(argv: &[OsString]) -> String {
    // Before anything is opened.
    let fds = descriptors();
    let mut line = format!("start t={}", sys::monotonic_ns());
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let value = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let words: Vec<&str> = value.unwrap_or("?").split_whitespace().collect();
        words.join(",")
    };
    let file = |path: &str| fs::read_to_string(path).unwrap_or_else(|_| "?".into());
    let link = |path: &str| fs::read_link(path).map_or("?".into(), |path| hex(path.as_os_str()));
    let cgroups = file("/proc/self/cgroup");
    let cgroup = cgroups.lines().find_map(|line| line.strip_prefix("0::"));
    let argv: Vec<String> = argv.iter().map(|word| hex(word)).collect();
    let environ = fs::read("/proc/self/environ").unwrap_or_default();
    let pairs: Vec<String> = environ
        .strip_suffix(b"\0")
        .map_or_else(Vec::new, |bytes| bytes.split(|&byte| byte == 0).collect())
        .into_iter()
        .map(|pair| hex(OsStr::from_bytes(pair)))
        .collect();
    let ids = sys::ids();
    let values = [
        ("pid", ids.pid.to_string()),
        ("ppid", ids.parent.to_string()),
        ("sid", ids.session.to_string()),
        ("pgid", ids.group.to_string()),
        ("uid", field("Uid")),
        ("gid", field("Gid")),
        ("groups", field("Groups")),
        ("argv", argv.join(",")),
        ("env", pairs.join(",")),
        ("cwd", link("/proc/self/cwd")),
        ("root", link("/proc/self/root")),
        ("umask", field("Umask")),
        ("fds", fds),
        ("sigblk", field("SigBlk")),
        ("sigign", field("SigIgn")),
        ("rlimits", sys::rlimits()),
        ("nice", sys::nice().to_string()),
        ("ioprio", sys::ioprio()),
        ("oom", file("/proc/self/oom_score_adj").trim().to_owned()),
        ("cgroup", hex(OsStr::new(cgroup.unwrap_or("?")))),
        ("capinh", field("CapInh")),
        ("capprm", field("CapPrm")),
        ("capeff", field("CapEff")),
        ("capbnd", field("CapBnd")),
        ("capamb", field("CapAmb")),
        ("nnp", field("NoNewPrivs")),
        ("securebits", sys::securebits().to_string()),
        ("deathsig", sys::death_signal().to_string()),
    ];
    for (name, value) in values {
        // Cannot fail on a String.
        let _ = write!(line, " {name}={value}");
    }
    line
}

/// Open descriptors with what they lead to: `0:<hex>,1:<hex>`; one that an
/// exec would close has an `x` before the colon.
fn descriptors() -> String {
    let mut found = Vec::new();
    let numbers = fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let numbers: Vec<i32> = numbers.collect();
    for number in numbers {
        // The directory itself is closed by now.
        let Ok(target) = fs::read_link(format!("/proc/self/fd/{number}")) else {
            continue;
        };
        let mark = if sys::closes_at_exec(number) { "x" } else { "" };
        found.push((
            number,
            format!("{number}{mark}:{}", hex(target.as_os_str())),
        ));
    }
    found.sort();
    let texts: Vec<String> = found.into_iter().map(|(_, text)| text).collect();
    texts.join(",")
}

fn hex(text: &OsStr) -> String {
    text.as_bytes().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
