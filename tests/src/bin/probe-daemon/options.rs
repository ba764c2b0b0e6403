//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::speak::{text as escaped, Say};

pub(crate) const USAGE: &str = "\
usage: probe-daemon [option...] [-- anything]
  --report FILE        append the lines of the report to FILE
  --stdout TEXT        write TEXT and a newline to standard output
  --stderr TEXT        the same to standard error
  --fork KIND          make a child that lives on: plain, setsid, double; repeatable
  --unless FILE        stay up if FILE exists, whatever --exit or --die says
  --after MS           with --exit or --die: not at once
  --exit CODE          exit
  --die SIGNAL         die by that signal (a name without SIG)
  --ignore SIGNAL      report that signal but go on (HUP USR1 ... or ALL); repeatable
  --exit-on SIGNAL=N   exit with N on that signal; repeatable
  --linger MS          wait that long before a signal ends it
  --notify TEXT        send TEXT to $NOTIFY_SOCKET; %n is a newline,
                       %p its pid; repeatable
  --notify-child TEXT  the same by a child that lives on; repeatable
  --notify-with TEXT=WORDS  the same with both ends of a pipe that has WORDS in it
  --notify-again TEXT  the same with the descriptors that it was given (LISTEN_FDS)
  --barrier HOW        wait until all was heard; HOW is ignored
  --write N=TEXT       write TEXT to descriptor N; repeatable
  --close N            close descriptor N; repeatable
  --on SIGNAL=TEXT     send TEXT to $NOTIFY_SOCKET on that signal; repeatable
What it says is said in the order of the options, after its first report.
What else a signal does is its default. Without --exit and --die it stays up.
Anything after -- only appears in the report.
";

/// How a child is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fork {
    /// In the same session and group.
    Plain,
    /// In a session of its own.
    Setsid,
    /// In a session of its own, its parent gone: a child of init or of the
    /// next subreaper.
    Double,
}

impl Fork {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Fork::Plain => "plain",
            Fork::Setsid => "setsid",
            Fork::Double => "double",
        }
    }
}

/// How it ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Exit(i32),
    Die(Signal),
}

#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) report: Option<PathBuf>,
    pub(crate) stdout: Option<OsString>,
    pub(crate) stderr: Option<OsString>,
    pub(crate) forks: Vec<Fork>,
    pub(crate) unless: Option<PathBuf>,
    pub(crate) after: Duration,
    pub(crate) end: Option<End>,
    pub(crate) ignore: Vec<Signal>,
    pub(crate) exit_on: Vec<(Signal, i32)>,
    pub(crate) linger: Duration,
    pub(crate) says: Vec<Say>,
    pub(crate) on: Vec<(Signal, String)>,
}

impl Options {
    /// Reads the arguments; the first one is the program's name.
    pub(crate) fn parse(argv: Vec<OsString>) -> Result<Options, String> {
        let mut options = Options::default();
        let mut args = argv.into_iter().skip(1);
        while let Some(option) = args.next() {
            if option == "--" {
                break;
            }
            let value = args
                .next()
                .ok_or_else(|| format!("{option:?}: unknown, or without its value"))?;
            let text = || {
                value
                    .to_str()
                    .ok_or_else(|| format!("{option:?} {value:?}: not text"))
            };
            match option.to_str() {
                Some("--report") => options.report = Some(value.into()),
                Some("--stdout") => options.stdout = Some(value),
                Some("--stderr") => options.stderr = Some(value),
                Some("--unless") => options.unless = Some(value.into()),
                Some("--fork") => options.forks.push(fork(text()?)?),
                Some("--after") => options.after = Duration::from_millis(number(text()?)?.into()),
                Some("--linger") => options.linger = Duration::from_millis(number(text()?)?.into()),
                Some("--exit") => options.end = Some(End::Exit(code(text()?)?)),
                Some("--die") => options.end = Some(End::Die(signal(text()?)?)),
                Some("--ignore") if text()? == "ALL" => options.ignore.extend(Signal::iterator()),
                Some("--ignore") => options.ignore.push(signal(text()?)?),
                Some("--exit-on") => {
                    let text = text()?;
                    let (name, status) = text.split_once('=').ok_or("--exit-on SIGNAL=N")?;
                    options.exit_on.push((signal(name)?, code(status)?));
                }
                Some("--notify") => options.says.push(Say::Notify(escaped(text()?))),
                Some("--notify-child") => options.says.push(Say::NotifyByChild(escaped(text()?))),
                Some("--barrier") => options.says.push(Say::Barrier),
                Some("--notify-again") => options.says.push(Say::NotifyAgain(escaped(text()?))),
                Some("--notify-with") => {
                    let (said, words) =
                        text()?.rsplit_once('=').ok_or("--notify-with TEXT=WORDS")?;
                    let say = Say::NotifyWith(escaped(said), words.to_string());
                    options.says.push(say);
                }
                Some("--close") => options.says.push(Say::Close(code(text()?)?)),
                Some("--write") => {
                    let (fd, said) = text()?.split_once('=').ok_or("--write N=TEXT")?;
                    options.says.push(Say::Write(code(fd)?, escaped(said)));
                }
                Some("--on") => {
                    let (name, said) = text()?.split_once('=').ok_or("--on SIGNAL=TEXT")?;
                    options.on.push((signal(name)?, escaped(said)));
                }
                _ => return Err(format!("{option:?}: unknown option")),
            }
        }
        Ok(options)
    }
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{text}: not a number"))
}

fn code(text: &str) -> Result<i32, String> {
    let code: u8 = text
        .parse()
        .map_err(|_| format!("{text}: not an exit code"))?;
    Ok(code.into())
}

fn signal(name: &str) -> Result<Signal, String> {
    format!("SIG{name}")
        .parse()
        .map_err(|_| format!("{name}: not a signal"))
}

fn fork(name: &str) -> Result<Fork, String> {
    [Fork::Plain, Fork::Setsid, Fork::Double]
        .into_iter()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| format!("{name}: not a kind of child"))
}
