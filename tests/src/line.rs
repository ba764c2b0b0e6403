//! The report of the probe daemon, as the tests read it.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::lab::whole_lines;
use crate::Lab;

/// One line of the report of `probe-daemon`: a kind and named values.
///
/// | kind | when | values |
/// |---|---|---|
/// | `start` | it was started | all of [`Line::get`] below |
/// | `child` | one of its children (`--fork`) | t kind pid ppid sid pgid |
/// | `signal` | a signal came | t pid number from |
/// | `reaped` | a child of it ended | t pid status (raw) |
///
/// Of a `start`: `t` (CLOCK_MONOTONIC, ns), `pid ppid sid pgid`, `uid gid`
/// (real, effective, saved, file system), `groups`, `argv env cwd root cgroup`
/// (hex: see [`Line::bytes`] and [`Line::list`]), `umask` (octal), `fds`
/// (see [`Line::fds`]), `sigblk sigign` (hex masks), `rlimits`
/// (see [`Line::rlimit`]), `nice`, `ioprio` (class:data), `oom`, `capinh capprm
/// capeff capbnd capamb` (hex masks), `nnp`, `securebits`, `deathsig`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The first word.
    pub kind: String,
    values: BTreeMap<String, String>,
}

impl Line {
    /// Takes a line apart.
    ///
    /// # Panics
    /// When it is not one of the probe's.
    pub fn parse(line: &str) -> Line {
        let mut words = line.split(' ');
        let kind = words.next().unwrap_or_default().to_owned();
        let value = |word: &str| {
            let (name, value) = word
                .split_once('=')
                .unwrap_or_else(|| panic!("not a line of probe-daemon: {line}"));
            (name.to_owned(), value.to_owned())
        };
        Line {
            kind,
            values: words.map(value).collect(),
        }
    }

    /// The value of that name as it stands in the line.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn get(&self, name: &str) -> &str {
        self.values
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// A decimal number.
    ///
    /// # Panics
    /// When it is not one.
    #[track_caller]
    pub fn number(&self, name: &str) -> i64 {
        let text = self.get(name);
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}"))
    }

    /// The process that wrote the line, or that it is about.
    #[track_caller]
    pub fn pid(&self) -> i32 {
        i32::try_from(self.number("pid")).unwrap_or_else(|_| panic!("pid in {self:?}"))
    }

    /// When it was written, since boot.
    #[track_caller]
    pub fn time(&self) -> Duration {
        Duration::from_nanos(u64::try_from(self.number("t")).unwrap_or_default())
    }

    /// A hexadecimal mask, as of signals or capabilities.
    #[track_caller]
    pub fn mask(&self, name: &str) -> u64 {
        let text = self.get(name);
        u64::from_str_radix(text, 16).unwrap_or_else(|_| panic!("{name} is no mask: {text}"))
    }

    /// A hex value, decoded.
    #[track_caller]
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        unhex(self.get(name))
    }

    /// A path.
    #[track_caller]
    pub fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(std::ffi::OsString::from_vec(self.bytes(name)))
    }

    /// A list of hex values, decoded; bytes that are not UTF-8 replaced.
    #[track_caller]
    pub fn list(&self, name: &str) -> Vec<String> {
        let items = self.get(name).split(',').filter(|item| !item.is_empty());
        items
            .map(|item| String::from_utf8_lossy(&unhex(item)).into_owned())
            .collect()
    }

    /// The arguments, the program's name first. Empty ones are kept.
    #[track_caller]
    pub fn argv(&self) -> Vec<String> {
        let items = self.get("argv").split(',');
        items
            .map(|item| String::from_utf8_lossy(&unhex(item)).into_owned())
            .collect()
    }

    /// A variable of the environment.
    #[track_caller]
    pub fn env(&self, name: &str) -> Option<String> {
        let pairs = self.list("env");
        let found = pairs
            .iter()
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found.map(str::to_owned)
    }

    /// The open descriptors and what they lead to. The directory through which
    /// the probe looks at them is not among them.
    #[track_caller]
    pub fn fds(&self) -> BTreeMap<i32, String> {
        let one = |item: &str| {
            let (number, target) = item.split_once(':')?;
            let number = number.trim_end_matches('x').parse().ok()?;
            Some((number, String::from_utf8_lossy(&unhex(target)).into_owned()))
        };
        let items = self.get("fds").split(',').filter(|item| !item.is_empty());
        items
            .map(|item| one(item).unwrap_or_else(|| panic!("fds: {item}")))
            .collect()
    }

    /// Soft and hard limit of a resource (`nofile`, `core`, ...); None is
    /// unlimited.
    #[track_caller]
    pub fn rlimit(&self, name: &str) -> (Option<u64>, Option<u64>) {
        let value = |text: &str| (text != "-").then(|| text.parse().unwrap_or(0));
        let all = self.get("rlimits").split(',');
        let mut found = all.filter_map(|item| item.strip_prefix(name)?.strip_prefix(':'));
        found
            .next()
            .and_then(|item| item.split_once(':'))
            .map(|(soft, hard)| (value(soft), value(hard)))
            .unwrap_or_else(|| panic!("no limit {name} in {self:?}"))
    }
}

impl Lab {
    /// The lines of a report of probe-daemon, once there are `count` of that
    /// kind (all of those, not only `count`).
    ///
    /// # Panics
    /// After `timeout`.
    #[track_caller]
    pub fn report(&self, path: &str, kind: &str, count: usize, timeout: Duration) -> Vec<Line> {
        let pick = |bytes: &[u8]| -> Vec<Line> {
            let text = String::from_utf8_lossy(whole_lines(bytes));
            let lines = text.lines().map(Line::parse);
            lines.filter(|line| line.kind == kind).collect()
        };
        let enough = |bytes: &[u8]| pick(bytes).len() >= count;
        pick(&self.wait_for_file(path, enough, timeout))
    }

    /// How many lines of that kind a report of probe-daemon has so far; none where there is no report.
    pub fn reported(&self, path: &str, kind: &str) -> usize {
        let report = self.try_read(path).unwrap_or_default();
        let report = String::from_utf8_lossy(whole_lines(&report));
        let kinds = report.lines().map(|line| line.split(' ').next());
        kinds.filter(|found| *found == Some(kind)).count()
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| {
            std::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .unwrap_or_else(|| panic!("not hexadecimal: {hex}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let line = Line::parse("start pid=7 argv=61,,6220 env=413d31 fds=0:2f,3x:2f61 sigblk=1f rlimits=core:0:-,nofile:5:6");
        assert_eq!((line.kind.as_str(), line.pid()), ("start", 7));
        assert_eq!(line.argv(), ["a", "", "b "]);
        assert_eq!(line.env("A").as_deref(), Some("1"));
        assert_eq!(line.env("B"), None);
        assert_eq!(
            line.fds(),
            BTreeMap::from([(0, "/".into()), (3, "/a".into())])
        );
        assert_eq!(line.mask("sigblk"), 31);
        assert_eq!(line.rlimit("core"), (Some(0), None));
        assert_eq!(line.rlimit("nofile"), (Some(5), Some(6)));
    }
}
