//! Which output goes where.

use super::priority;
use rc_sv_api::{Error, Result, Settings};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of a stream, and of its files in the directory of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Standard output; or both, where both go to the same place.
    Output,
    /// Standard error alone.
    Error,
}

impl Which {
    /// As files are called after it.
    pub fn name(self) -> &'static str {
        match self {
            Which::Output => "output",
            Which::Error => "error",
        }
    }

    /// The stream of this name.
    pub fn of_name(name: &str) -> Option<Which> {
        [Which::Output, Which::Error]
            .into_iter()
            .find(|which| which.name() == name)
    }
}

/// Where a stream ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// A file; below `root` where that is given.
    File {
        /// Its path, as the service sees it.
        path: PathBuf,
        /// The root directory of the service.
        root: Option<PathBuf>,
        /// Whose file it is: what `command_user` became.
        owner: Owner,
    },
    /// The standard input of a program, for `sh -c`.
    Program(Vec<u8>),
    /// The system's log, with this number in front.
    Syslog(u8),
    /// Nowhere: only the last of it is kept in memory.
    Nothing,
}

/// As whom a file is written. What is `None` is not changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Supplementary groups.
    pub groups: Option<Vec<u32>>,
    /// Group.
    pub gid: Option<u32>,
    /// User.
    pub uid: Option<u32>,
    /// What is taken from 0600 when a file is made.
    pub umask: Option<u32>,
}

/// What is kept of a file, and in which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Bytes after which a file is exchanged for a new one; 0 is never.
    pub max_size: u64,
    /// Age at which it is exchanged; zero is never.
    pub max_age: Duration,
    /// How many old ones are kept.
    pub count: u32,
    /// Each line begins with the time.
    pub stamps: bool,
    /// Lines in a second; 0 is without a limit.
    pub rate: u32,
}

/// One way from a service to where its output ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its name.
    pub which: Which,
    /// Which standard descriptors it takes.
    pub descriptors: Vec<i32>,
    /// Where it ends.
    pub sink: Sink,
    /// What is kept.
    pub kept: Kept,
    /// Bytes of it that stay in memory.
    pub buffer: u64,
}

/// Least and most that stays in memory.
const BUFFER: std::ops::RangeInclusive<i64> = 4096..=1 << 20;

impl Stream {
    /// The streams of a resolved spec for which somebody has to stand between the service and where
    /// its output ends. A file to which nothing is done is opened by the service itself.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`] with the setting and what would be right.
    pub fn all(spec: &dyn Settings) -> Result<Vec<Stream>> {
        let kept = kept(spec);
        let buffer = buffer(spec)?;
        let syslog = spec.text("rc_supervise_syslog").map(syslog).transpose()?;
        let of = |log: &str, logger: &str| match (spec.text(logger), spec.text(log), syslog) {
            (Some(command), ..) => Some(Sink::Program(command.to_vec())),
            (None, Some(path), _) => needs_logger(spec, kept).then(|| file(spec, path)),
            (None, None, Some(number)) => Some(Sink::Syslog(number)),
            (None, None, None) => spec.int("rc_supervise_log_buffer").map(|_| Sink::Nothing),
        };
        let stream = |which, descriptors, sink| Stream {
            which,
            descriptors,
            sink,
            kept,
            buffer,
        };
        let output = of("output_log", "output_logger");
        let error = of("error_log", "error_logger");
        Ok(match (output, error) {
            // Two loggers would be in each other's way in one file.
            (Some(output), Some(error)) if output == error && !is_program(&output) => {
                vec![stream(Which::Output, vec![1, 2], output)]
            }
            (output, error) => {
                let output = output.map(|sink| stream(Which::Output, vec![1], sink));
                let error = error.map(|sink| stream(Which::Error, vec![2], sink));
                output.into_iter().chain(error).collect()
            }
        })
    }
}

impl Stream {
    /// The stream of a resolved spec where there is one pipe only from a service to its logger, as
    /// under s6, runit and daemontools; `None` where there is no logger.
    ///
    /// # Errors
    /// As [`Stream::all`]; and its output and its errors go to different loggers.
    pub fn only(spec: &dyn Settings) -> Result<Option<Stream>> {
        let mut all = Stream::all(spec)?;
        let is_one = all.windows(2).all(|pair| pair[0].sink == pair[1].sink);
        if !is_one {
            return Err(Error::invalid(
                "output and errors go to different loggers, and a suite has one pipe: set error_log \
                 and error_logger as output_log and output_logger",
            ));
        }
        let descriptors = all.iter().flat_map(|stream| stream.descriptors.clone());
        let descriptors = descriptors.collect();
        all.truncate(1);
        Ok(all.pop().map(|stream| Stream {
            descriptors,
            ..stream
        }))
    }
}

fn is_program(sink: &Sink) -> bool {
    matches!(sink, Sink::Program(_))
}

fn needs_logger(spec: &dyn Settings, kept: Kept) -> bool {
    let does_something =
        kept.max_size > 0 || !kept.max_age.is_zero() || kept.stamps || kept.rate > 0;
    does_something || spec.int("rc_supervise_log_buffer").is_some()
}

fn kept(spec: &dyn Settings) -> Kept {
    let number = |key| spec.int_or_default(key).unwrap_or(0);
    Kept {
        max_size: number("rc_supervise_log_max_size").try_into().unwrap_or(0),
        max_age: spec
            .duration("rc_supervise_log_max_age")
            .unwrap_or_default(),
        count: number("rc_supervise_log_keep").try_into().unwrap_or(0),
        stamps: spec.flag("rc_supervise_log_timestamp"),
        rate: number("rc_supervise_log_rate").try_into().unwrap_or(0),
    }
}

fn buffer(spec: &dyn Settings) -> Result<u64> {
    let bytes = spec.int_or_default("rc_supervise_log_buffer").unwrap_or(0);
    match BUFFER.contains(&bytes) {
        true => Ok(bytes as u64),
        false => Err(Error::invalid(format!(
            "rc_supervise_log_buffer={bytes}: must be from 4K to 1M"
        ))),
    }
}

fn syslog(text: &[u8]) -> Result<u8> {
    let text = String::from_utf8_lossy(text);
    priority::parse(&text)
        .map_err(|wanted| Error::invalid(format!("rc_supervise_syslog={text:?}: must be {wanted}")))
}

fn file(spec: &dyn Settings, path: &[u8]) -> Sink {
    let path_of = |text: &[u8]| Path::new(OsStr::from_bytes(text)).to_path_buf();
    let number = |key| spec.int(key).and_then(|number| u32::try_from(number).ok());
    let group = |text: &&[u8]| std::str::from_utf8(text).ok()?.parse().ok();
    let groups = spec.list("groups");
    Sink::File {
        path: path_of(path),
        root: spec.text("chroot").map(path_of),
        owner: Owner {
            groups: groups.map(|list| list.iter().filter_map(group).collect()),
            gid: number("gid"),
            uid: number("uid"),
            umask: number("umask"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::{ServiceName, Spec};

    fn streams(set: &[(&str, &str)]) -> Result<Vec<Stream>> {
        let mut spec = Spec::of_service(&ServiceName::new(b"foo").unwrap());
        for (name, value) in set {
            spec.set(name, value.as_bytes(), "test").unwrap();
        }
        Stream::all(spec.settings())
    }

    fn shape(set: &[(&str, &str)]) -> Vec<(Which, Vec<i32>)> {
        let all = streams(set).unwrap();
        all.into_iter()
            .map(|stream| (stream.which, stream.descriptors))
            .collect()
    }

    #[test]
    fn a_plain_file_needs_nobody_in_between() {
        assert_eq!(shape(&[]), []);
        assert_eq!(shape(&[("output_log", "/a"), ("error_log", "/b")]), []);
        assert_eq!(shape(&[("rc_supervise_log_max_size", "1M")]), []);
    }

    #[test]
    fn what_goes_to_one_place_is_one_stream() {
        let one = [(Which::Output, vec![1, 2])];
        let stamps = ("rc_supervise_log_timestamp", "yes");
        assert_eq!(shape(&[("rc_supervise_syslog", "daemon.info")]), one);
        assert_eq!(shape(&[("rc_supervise_log_buffer", "8K")]), one);
        assert_eq!(
            shape(&[("output_log", "/a"), ("error_log", "/a"), stamps]),
            one
        );
        let two = [(Which::Output, vec![1]), (Which::Error, vec![2])];
        assert_eq!(
            shape(&[("output_log", "/a"), ("error_log", "/b"), stamps]),
            two
        );
        assert_eq!(shape(&[("output_logger", "l"), ("error_logger", "l")]), two);
        let error = [(Which::Error, vec![2])];
        let syslog = ("rc_supervise_syslog", "daemon.info");
        assert_eq!(shape(&[("output_log", "/a"), syslog]), error);
    }

    #[test]
    fn one_pipe_takes_what_goes_to_one_place() {
        let only = |set: &[(&str, &str)]| {
            let mut spec = Spec::of_service(&ServiceName::new(b"foo").unwrap());
            for (name, value) in set {
                spec.set(name, value.as_bytes(), "test").unwrap();
            }
            Stream::only(spec.settings())
        };
        let takes = |set| only(set).unwrap().map(|stream| stream.descriptors);
        assert_eq!(takes(&[("output_log", "/a")]), None);
        let same = [("output_logger", "l"), ("error_logger", "l")];
        assert_eq!(takes(&same), Some(vec![1, 2]));
        assert_eq!(takes(&same[1..]), Some(vec![2]));
        let error = only(&[("output_logger", "l"), ("error_logger", "m")]).unwrap_err();
        assert!(error.message.contains("set error_log"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let said = |set: &[(&str, &str)]| streams(set).unwrap_err().message;
        assert!(
            said(&[("rc_supervise_syslog", "x")]).starts_with("rc_supervise_syslog=\"x\": must")
        );
        let small = said(&[("rc_supervise_log_buffer", "1")]);
        assert_eq!(small, "rc_supervise_log_buffer=1: must be from 4K to 1M");
    }
}
