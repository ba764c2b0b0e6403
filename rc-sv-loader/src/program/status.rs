//! `status`: one service or all, for people and as JSON.

use super::json::{self, Facts};
use super::moment::{rfc3339, Now};
use super::table::align;
use super::{complain, print, FAILED, OK};
use rc_sv_api::{duration, ServiceName, State, Status};
use rc_sv_loader::{Failure, Report, Services, Standing};
use serde::Serialize;

/// So many lines of its output are shown of a service that has died.
const LAST_WORDS: usize = 10;

/// Shows `service`; the exit code says how it stands.
pub fn one(services: &Services, service: &ServiceName, json: bool) -> Result<u8, Failure> {
    let report = services.status(service)?;
    let now = Now::read();
    print(&match json {
        true => json::text(&One {
            object: Object::of(&report, now),
            last_output: services.last_output(service),
        }),
        false => {
            let output = services.last_output(service).filter(|_| has_died(&report));
            align(&[row(&report, now)]) + &output.map(|it| last_words(&it)).unwrap_or_default()
        }
    })?;
    Ok(report.standing.exit_code())
}

/// Whether a person wants to know why it does not run.
fn has_died(report: &Report) -> bool {
    matches!(report.status.state, State::Backoff | State::GaveUp)
        || report.standing == Standing::Crashed
}

/// The end of its output, for people: lines that begin with blanks.
fn last_words(output: &str) -> String {
    let harmless = |c: char| if c.is_control() { ' ' } else { c };
    let lines: Vec<&str> = output.lines().collect();
    let last = lines[lines.len().saturating_sub(LAST_WORDS)..].iter();
    let shown =
        last.map(|line| format!("    {}\n", line.chars().map(harmless).collect::<String>()));
    let shown: String = shown.collect();
    match shown.is_empty() {
        true => shown,
        false => format!("  its last output:\n{shown}"),
    }
}

/// Shows all services that a module has started.
pub fn all(services: &Services, json: bool) -> Result<u8, Failure> {
    let reports = services.list()?;
    let now = Now::read();
    let mut code = OK;
    let (mut rows, mut objects) = (Vec::new(), Vec::new());
    for (service, report) in &reports {
        match report {
            Ok(report) if json => objects.push(Object::of(report, now)),
            Ok(report) => rows.push(row(report, now)),
            Err(failure) => {
                complain(Some(service), failure);
                code = FAILED;
            }
        }
    }
    print(&if json {
        json::text(&objects)
    } else {
        align(&rows)
    })?;
    Ok(code)
}

/// Name, state, pid, how long, respawns, the rest. The drop-in takes the line of one service apart
/// again, so its columns are two blanks apart, and the words for a service without a module are fixed.
fn row(report: &Report, now: Now) -> [String; 6] {
    let status = &report.status;
    let state = match report.standing {
        Standing::Crashed | Standing::Unsupervised => report.standing.name(),
        // The module knows nothing of it.
        _ if matches!(status.state, State::Unmanaged | State::Unknown) => report.standing.name(),
        _ => status.state.name(),
    };
    let restarts = status.restarts.map(|count| match count {
        1 => "1 restart".to_string(),
        count => format!("{count} restarts"),
    });
    [
        report.service.to_string(),
        state.to_string(),
        status
            .pid
            .map(|pid| format!("pid {pid}"))
            .unwrap_or_default(),
        now.lasted(status)
            .map(|it| format!("for {}", duration::show(it)))
            .unwrap_or_default(),
        restarts.unwrap_or_default(),
        detail(report),
    ]
}

/// What the module adds; where it adds nothing, what its numbers say.
fn detail(report: &Report) -> String {
    let status = &report.status;
    if report.module.is_none() {
        return "no module has started it".into();
    }
    if !status.detail.is_empty() {
        return status.detail.clone();
    }
    let mut words = Vec::new();
    if status.healthy == Some(false) {
        words.push("unhealthy".to_string());
    }
    let down = !matches!(status.state, State::Up | State::Starting | State::Paused);
    words.extend(
        status
            .last_exit
            .filter(|_| down)
            .map(|exit| exit.to_string()),
    );
    words.extend(
        status
            .next_restart_ms
            .filter(|_| status.state == State::Backoff)
            .map(|millis| {
                let wait = std::time::Duration::from_millis(millis.into());
                format!("respawned in {}", duration::show(wait))
            }),
    );
    words.join(", ")
}

/// A service in JSON. What the module cannot tell is null.
#[derive(Serialize)]
struct Object<'a> {
    name: &'a str,
    module: Option<&'a str>,
    standing: &'static str,
    state: &'static str,
    pid: Option<i32>,
    supervisor_pid: Option<i32>,
    since: Option<String>,
    lasted_ms: Option<u64>,
    #[serde(flatten)]
    facts: Facts<'a>,
}

/// The object of one service alone.
#[derive(Serialize)]
struct One<'a> {
    #[serde(flatten)]
    object: Object<'a>,
    /// The last lines of its output, where they are kept.
    last_output: Option<String>,
}

impl Object<'_> {
    fn of(report: &Report, now: Now) -> Object<'_> {
        let status: &Status = &report.status;
        Object {
            name: report.service.as_str(),
            module: report.module.as_deref(),
            standing: report.standing.name(),
            state: status.state.name(),
            pid: status.pid,
            supervisor_pid: status.supervisor_pid,
            since: now.since(status).map(rfc3339),
            lasted_ms: now.lasted(status).map(|it| it.as_millis() as u64),
            facts: Facts::of(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::exit::Exit;

    const NOW: Now = Now {
        real: 1_000_000_000_000,
        boot: 500_000_000_000,
    };

    fn report(status: Status, standing: Standing) -> Report {
        let service = ServiceName::new(b"foo").unwrap();
        Report {
            service,
            module: Some("internal".into()),
            status,
            standing,
        }
    }

    fn line(status: Status, standing: Standing) -> String {
        align(&[row(&report(status, standing), NOW)])
    }

    #[test]
    fn one_line_for_people() {
        let up = Status {
            pid: Some(4711),
            since_boot_ns: Some(320_000_000_000),
            restarts: Some(1),
            last_exit: Some(Exit::Code(3)),
            ..Status::of_state(State::Up)
        };
        assert_eq!(
            line(up, Standing::Up),
            "foo  up  pid 4711  for 3 min  1 restart  -\n"
        );
        let waiting = Status {
            restarts: Some(2),
            last_exit: Some(Exit::Signal(9)),
            next_restart_ms: Some(3500),
            ..Status::of_state(State::Backoff)
        };
        assert_eq!(
            line(waiting.clone(), Standing::Up),
            "foo  waiting  -  -  2 restarts  killed by KILL, respawned in 3.5 s\n"
        );
        let told = Status {
            detail: "3 of 10".into(),
            ..waiting
        };
        assert_eq!(
            line(told, Standing::Up),
            "foo  waiting  -  -  2 restarts  3 of 10\n"
        );
        let lost = Status::of_state(State::Unmanaged);
        assert_eq!(line(lost, Standing::Crashed), "foo  crashed  -  -  -  -\n");
    }

    #[test]
    fn last_words_are_few_and_harmless() {
        assert_eq!(last_words(""), "");
        let shown = last_words("begin\nno \u{1b}[31mtable");
        assert_eq!(shown, "  its last output:\n    begin\n    no  [31mtable\n");
        let many = "x\n".repeat(40);
        assert_eq!(last_words(&many).lines().count(), 1 + LAST_WORDS);
    }

    #[test]
    fn a_service_without_a_module_is_stopped() {
        let status = Status::of_state(State::Unmanaged);
        let unknown = Report {
            module: None,
            ..report(status, Standing::Stopped)
        };
        let expected = "foo  stopped  -  -  -  no module has started it\n";
        assert_eq!(align(&[row(&unknown, NOW)]), expected);
    }

    #[test]
    fn json_has_all_members_in_order() {
        let status = Status {
            pid: Some(1),
            since_real_ns: Some(0),
            last_exit: Some(Exit::Code(3)),
            wanted_up: Some(true),
            detail: "a \"b\"".into(),
            ..Status::of_state(State::Up)
        };
        let report = report(status, Standing::Up);
        assert_eq!(
            json::text(&Object::of(&report, NOW)),
            "{\"name\":\"foo\",\"module\":\"internal\",\"standing\":\"up\",\"state\":\"up\",\
             \"pid\":1,\"supervisor_pid\":null,\"since\":\"1970-01-01T00:00:00.000Z\",\
             \"lasted_ms\":1000000,\"restarts\":null,\"failures\":0,\
             \"last_exit\":{\"kind\":\"code\",\"value\":3,\"text\":\"exited 3\"},\
             \"next_restart_ms\":null,\"wanted_up\":true,\"ready\":null,\"healthy\":null,\
             \"detail\":\"a \\\"b\\\"\"}\n"
        );
    }
}
