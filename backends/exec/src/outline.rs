//! What would be done with a service, for people: one line for each part of a resolved spec.

use crate::check::{Action, Check, Rules, Target};
use crate::readiness::{self, Readiness};
use crate::stop::{KillMode, Stop};
use rc_sv_api::policy::{Growth, Policy};
use rc_sv_api::{duration, signal, Code, Error, Result, Settings};

/// The lines, each `what: how`.
///
/// # Errors
/// Those of the parts, which are those of a start.
pub fn of(spec: &dyn Settings) -> Result<Vec<String>> {
    let mut lines = vec![
        format!("program: {}", words(spec, "argv")),
        format!("user: {}", user(spec)),
        format!("ready: {}", ready(spec)?),
    ];
    for check in Check::all(spec)? {
        lines.push(format!("health: {}", health(&check)));
    }
    let watchdog = spec.duration("rc_supervise_watchdog");
    if let Some(interval) = watchdog.filter(|interval| !interval.is_zero()) {
        lines.push(format!("watchdog: every {}", duration::show(interval)));
    }
    lines.push(format!("stop: {}", stop(&Stop::from_settings(spec))));
    lines.extend(respawn(spec));
    for (label, name) in [
        ("finish command", "rc_supervise_finish"),
        ("give-up command", "rc_supervise_on_give_up"),
        ("unhealthy command", "rc_supervise_unhealthy"),
    ] {
        if spec.list(name).is_some() {
            lines.push(format!("{label}: {}", words(spec, name)));
        }
    }
    Ok(lines)
}

/// For a module that cannot rehearse: it says so, rather than doing nothing about it.
///
/// # Errors
/// [`Code::Unsupported`]: a simulation is asked for.
pub fn refuse_simulation(spec: &dyn Settings) -> Result<()> {
    match spec.text("simulate") {
        None => Ok(()),
        Some(_) => Err(Error::new(
            Code::Unsupported,
            "this module cannot simulate; internal can: try rc_supervise_module=internal",
        )),
    }
}

/// The lines about respawns.
pub fn respawn(spec: &dyn Settings) -> [String; 2] {
    let policy = Policy::from_settings(spec);
    let pause = match policy.delay.is_zero() {
        true => "at once".to_string(),
        false => format!("after {}", duration::show(policy.delay)),
    };
    let cap = duration::show(policy.delay_cap);
    let growth = match policy.growth {
        Growth::Factor(1_000) => String::new(),
        Growth::Factor(_) if policy.delay.is_zero() => String::new(),
        Growth::Factor(thousandths) => {
            let factor = f64::from(thousandths) / 1000.0;
            format!(", then {factor} times as long each time, at most {cap}")
        }
        Growth::Step(step) => {
            let step = duration::show(step);
            format!(", then {step} longer each time, at most {cap}")
        }
    };
    let word = spec.word("rc_supervise_policy");
    let first = match spec.word("rc_supervise_respawn").as_str() {
        "script" => "; start_pre() and start() of the runscript go before each",
        _ => "",
    };
    [
        format!("respawn: {word}, {pause}{growth}{first}"),
        format!("limit: {}", policy.forecast()),
    ]
}

/// A command, its words quoted where that is needed to tell them apart.
fn words(spec: &dyn Settings, name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    let quoted = |word: &[u8]| {
        let word = String::from_utf8_lossy(word).into_owned();
        match !word.is_empty() && word.chars().all(plain) {
            true => word,
            false => format!("'{}'", word.replace('\'', "'\\''")),
        }
    };
    let list = spec.list(name).unwrap_or_default();
    let words: Vec<String> = list.into_iter().map(quoted).collect();
    words.join(" ")
}

fn user(spec: &dyn Settings) -> String {
    let Some(uid) = spec.int("uid") else {
        return "that of the supervisor".to_string();
    };
    let mut line = format!("uid {uid}");
    if let Some(gid) = spec.int("gid") {
        line += &format!(", gid {gid}");
    }
    let groups = spec.list("groups").unwrap_or_default();
    let groups: Vec<_> = groups.into_iter().map(String::from_utf8_lossy).collect();
    if !groups.is_empty() {
        line += &format!(", groups {}", groups.join(" "));
    }
    line
}

fn ready(spec: &dyn Settings) -> Result<String> {
    let how = match Readiness::of(spec)? {
        Readiness::Executed => "when the program is executed".to_string(),
        Readiness::Descriptor(number) => format!("a newline on descriptor {number}"),
        Readiness::Socket => "READY=1 to $NOTIFY_SOCKET".to_string(),
        Readiness::PidFile => {
            let path = spec.text("pidfile").unwrap_or_default();
            format!("pid file {}", String::from_utf8_lossy(path))
        }
        Readiness::Answers(target) => format!("{target} answers"),
    };
    let limit = duration::show(readiness::timeout(spec));
    Ok(format!("{how}, within {limit}"))
}

fn health(check: &Check) -> String {
    let Rules {
        interval,
        timeout,
        failures,
        within,
        action,
        ..
    } = check.rules;
    let target = match check.target {
        Target::Memory(bytes) => format!("at most {bytes} bytes of memory"),
        _ => check.target.to_string(),
    };
    let count = match (failures, within) {
        (1, _) => "a failure means".to_string(),
        (failures, 0) => format!("{failures} failures in a row mean"),
        (failures, within) => format!("{failures} failures of {within} mean"),
    };
    let action = match action {
        Action::Restart => "a restart",
        Action::Alert => "an alert",
        Action::Exec => "the unhealthy command",
    };
    let (interval, timeout) = (duration::show(interval), duration::show(timeout));
    format!("{target}, every {interval}, for at most {timeout}; {count} {action}")
}

fn stop(stop: &Stop) -> String {
    let rung = |rung: &rc_sv_api::ladder::Rung| {
        let wait = duration::show(rung.wait);
        format!("{}, {wait}", signal::name(rung.signal))
    };
    let rungs: Vec<String> = stop.ladder.rungs().iter().map(rung).collect();
    let whom = match stop.kill_mode {
        KillMode::Mixed => "the main process, and what is left is killed",
        KillMode::Group => "the process group, and what is left is killed",
        KillMode::Process => "the main process alone",
    };
    format!(
        "{}: {} at most; reaches {whom}",
        rungs.join(", "),
        duration::show(stop.ladder.total())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::{Spec, Value};

    fn outline(settings: &[(&str, &str)]) -> Vec<String> {
        let mut spec = Spec::default();
        for (name, value) in settings {
            spec.set(name, value.as_bytes(), "test").unwrap();
        }
        let argv = ["/bin/web", "-p", "it's", ""].map(|word| word.as_bytes().to_vec());
        spec.put("argv", Value::List(argv.to_vec()));
        of(spec.settings()).unwrap()
    }

    #[test]
    fn no_pause_does_not_grow_by_a_factor() {
        let lines = outline(&[("respawn_delay", "0")]);
        let line = "respawn: always, at once".to_string();
        assert!(lines.contains(&line), "{lines:#?}");
    }

    #[test]
    fn what_is_not_set_has_its_defaults() {
        assert_eq!(
            outline(&[]),
            [
                "program: /bin/web -p 'it'\\''s' ''",
                "user: that of the supervisor",
                "ready: when the program is executed, within 90 s",
                "stop: TERM, 30 s, KILL, 5 s: 35 s at most; reaches the main process, and what is \
                 left is killed",
                "respawn: always, after 500 ms, then 2 times as long each time, at most 60 s",
                "limit: gives up after 10 restarts, about 244 s if it always dies at once",
            ]
        );
    }

    #[test]
    fn each_part_says_what_is_set() {
        let lines = outline(&[
            ("notify", "fd:3"),
            ("timeout_ready", "1500"),
            (
                "rc_supervise_health",
                "tcp:80 interval=5 failures=2 within=5; hook action=exec failures=1",
            ),
            ("rc_supervise_memory_limit", "1K"),
            ("rc_supervise_watchdog", "10"),
            ("retry", "INT/3"),
            ("rc_supervise_kill_mode", "process"),
            ("respawn_delay_step", "3"),
            ("rc_supervise_respawn", "script"),
            ("rc_supervise_finish", "/bin/finish x"),
        ]);
        for line in [
            "ready: a newline on descriptor 3, within 1.5 s",
            "health: tcp:127.0.0.1:80, every 5 s, for at most 10 s; 2 failures of 5 mean a restart",
            "health: healthcheck(), every 30 s, for at most 10 s; a failure means the unhealthy \
             command",
            "watchdog: every 10 s",
            "stop: INT, 3 s: 3 s at most; reaches the main process alone",
            "respawn: always, after 500 ms, then 3 s longer each time, at most 60 s; start_pre() and \
             start() of the runscript go before each",
            "finish command: /bin/finish x",
        ] {
            assert!(lines.contains(&line.to_string()), "{line}\n{lines:#?}");
        }
        assert!(lines
            .iter()
            .any(|line| line.contains("1024 bytes of memory")));
    }
}
