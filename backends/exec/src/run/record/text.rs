//! The record as text. There is one text of each record, and nothing else is read.

use super::{Phase, Record};
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::{Cause, History};
use std::str::FromStr;

const MAGIC: &str = "rc-sv record 1";

/// More respawns than this are in no history: it is the largest limit.
const MAX_RESPAWNS: usize = 1000;

const PHASES: [(Phase, &str); 6] = [
    (Phase::Waiting, "waiting"),
    (Phase::Running, "running"),
    (Phase::Ended, "ended"),
    (Phase::Finishing, "finishing"),
    (Phase::Down, "down"),
    (Phase::Failed, "failed"),
];

/// A record as text.
pub(super) fn encode(record: &Record) -> String {
    let phase = PHASES.iter().find(|(phase, _)| *phase == record.phase);
    let (respawns, streak) = record.history.parts();
    let respawns: Vec<String> = respawns.iter().map(u64::to_string).collect();
    let lines = [
        ("phase", phase.map_or("", |(_, word)| word).to_string()),
        ("pid", optional(record.pid)),
        ("restarts", record.restarts.to_string()),
        ("since-ns", record.since_real_ns.to_string()),
        ("since-ms", record.since_ms.to_string()),
        ("began-ms", record.began_ms.to_string()),
        ("calm-ms", record.calm_ms.to_string()),
        ("next-ms", optional(record.next_ms)),
        ("ready", flag(record.ready).to_string()),
        ("ready-until-ms", optional(record.ready_until_ms)),
        ("healthy", flag(record.healthy).to_string()),
        ("cause", record.cause.result().unwrap_or("-").to_string()),
        ("starved", flag(Some(record.starved)).to_string()),
        ("memory-kills", optional(record.memory_kills)),
        ("probation", flag(Some(record.probation)).to_string()),
        ("exit", exit_text(record.last_exit)),
        ("limit", record.limit.to_string()),
        ("count", record.count.to_string()),
        ("streak", streak.to_string()),
        ("respawns", respawns.join(" ")),
        ("limits", record.limits.clone()),
        ("note", record.note.clone()),
    ];
    let mut text = format!("{MAGIC}\n");
    for (name, value) in lines {
        text += &format!("{name} {value}\n");
    }
    text
}

/// The record in `bytes`; `None` for anything that [`encode`] does not write.
pub(super) fn decode(bytes: &[u8]) -> Option<Record> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let mut lines = Lines(text.split('\n'));
    if lines.0.next()? != MAGIC {
        return None;
    }
    let phase = lines.value("phase")?;
    let mut record = Record {
        phase: PHASES.iter().find(|(_, word)| *word == phase)?.0,
        pid: optional_number(lines.value("pid")?)?,
        restarts: number(lines.value("restarts")?)?,
        since_real_ns: number(lines.value("since-ns")?)?,
        since_ms: number(lines.value("since-ms")?)?,
        began_ms: number(lines.value("began-ms")?)?,
        calm_ms: number(lines.value("calm-ms")?)?,
        next_ms: optional_number(lines.value("next-ms")?)?,
        ready: flag_of(lines.value("ready")?)?,
        ready_until_ms: optional_number(lines.value("ready-until-ms")?)?,
        healthy: flag_of(lines.value("healthy")?)?,
        cause: cause_of(lines.value("cause")?)?,
        starved: flag_of(lines.value("starved")?)??,
        memory_kills: optional_number(lines.value("memory-kills")?)?,
        probation: flag_of(lines.value("probation")?)??,
        last_exit: exit_of(lines.value("exit")?)?,
        limit: number(lines.value("limit")?)?,
        count: number(lines.value("count")?)?,
        ..Record::default()
    };
    if record.pid.is_some_and(|pid| pid <= 1) {
        return None;
    }
    let streak = number(lines.value("streak")?)?;
    let respawns = lines.value("respawns")?;
    let respawns: Vec<u64> = match respawns {
        "" => Vec::new(),
        list => list.split(' ').map(number).collect::<Option<_>>()?,
    };
    if respawns.len() > MAX_RESPAWNS {
        return None;
    }
    record.history = History::from_parts(respawns, streak);
    record.limits = lines.value("limits")?.to_string();
    record.note = lines.value("note")?.to_string();
    let is_short = |line: &String| *line == super::shortened(line);
    let is_ours = lines.0.next().is_none() && is_short(&record.limits) && is_short(&record.note);
    is_ours.then_some(record)
}

/// Why a program was not executed.
pub(super) fn encode_failure(errno: i32, message: &str) -> String {
    format!("{errno} {message}\n")
}

/// The number and the line; `None` when the program was executed.
pub(super) fn decode_failure(bytes: &[u8]) -> Option<(i32, String)> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let (errno, message) = text.split_once(' ')?;
    Some((number(errno)?, message.to_string()))
}

struct Lines<'a>(std::str::Split<'a, char>);

impl<'a> Lines<'a> {
    /// The value of the next line, which must have this name.
    fn value(&mut self, name: &str) -> Option<&'a str> {
        self.0.next()?.strip_prefix(name)?.strip_prefix(' ')
    }
}

fn flag(flag: Option<bool>) -> &'static str {
    match flag {
        None => "-",
        Some(false) => "no",
        Some(true) => "yes",
    }
}

fn flag_of(text: &str) -> Option<Option<bool>> {
    let known = [None, Some(false), Some(true)];
    known.into_iter().find(|known| flag(*known) == text)
}

fn cause_of(text: &str) -> Option<Cause> {
    const ALL: [Cause; 4] = [
        Cause::Itself,
        Cause::Timeout,
        Cause::Watchdog,
        Cause::Unhealthy,
    ];
    ALL.into_iter()
        .find(|cause| cause.result().unwrap_or("-") == text)
}

/// How something ended, if it has.
pub(super) fn exit_text(exit: Option<Exit>) -> String {
    let Some(exit) = exit else {
        return "-".into();
    };
    match exit {
        Exit::Code(code) => format!("code {code}"),
        Exit::Signal(number) => format!("signal {number}"),
        Exit::Dumped(number) => format!("dumped {number}"),
        Exit::NotRun(errno) => format!("errno {errno}"),
        Exit::Unknown => "unknown".into(),
    }
}

/// The same, read; `None`: it makes no sense.
pub(super) fn exit_of(text: &str) -> Option<Option<Exit>> {
    if text == "-" {
        return Some(None);
    }
    Some(Some(match text.split_once(' ') {
        Some(("code", code)) => Exit::Code(number(code)?),
        Some(("signal", signal)) => Exit::Signal(number(signal)?),
        Some(("dumped", signal)) => Exit::Dumped(number(signal)?),
        Some(("errno", errno)) => Exit::NotRun(number(errno)?),
        None if text == "unknown" => Exit::Unknown,
        _ => return None,
    }))
}

fn optional(number: Option<impl ToString>) -> String {
    number.map_or("-".into(), |number| number.to_string())
}

fn optional_number<N: FromStr + ToString>(text: &str) -> Option<Option<N>> {
    match text {
        "-" => Some(None),
        text => number(text).map(Some),
    }
}

/// A number in the one way in which it is written.
fn number<N: FromStr + ToString>(text: &str) -> Option<N> {
    let number: N = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
