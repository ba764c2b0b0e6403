//! The control file of a service, from its settings: `rc_monit_type=simple`.
//!
//! monit is one thread: while its own start program runs it looks at nothing else. A recovery is
//! therefore always `exec` of rc-sv-exec, which monit does not wait for; pauses, limits and giving
//! up are there. The start and stop programs are for the person who types `monit start foo`.

use super::condition::{cycles, looks, seconds, test, times};
use super::marker::{marker, GROUP};
use super::quote;
use rc_sv_api::{Error, Result};
use rc_sv_exec::check::{Action, Check, Target};
use std::fmt::Write as _;
use std::time::Duration;

/// What there is to write.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The service, and its name in monit.
    pub name: String,
    /// How monit finds its process.
    pub found: Found,
    /// What starts it for a person.
    pub start: Vec<Vec<u8>>,
    /// What stops it for a person.
    pub stop: Vec<Vec<u8>>,
    /// What monit runs when something is wrong; a word that says what is appended.
    pub respawn: Vec<Vec<u8>>,
    /// Whether a person is told by us that it is unhealthy, where monit would tell itself.
    pub is_alerted: bool,
    /// What its health is known by.
    pub checks: Vec<Check>,
    /// Seconds between two looks of this monit.
    pub poll: u32,
}

/// How monit finds the process.
#[derive(Clone, Debug)]
pub enum Found {
    /// By this file.
    Pidfile(Vec<u8>),
    /// By an expression upon the command line of every process: slow, and for want of a file.
    Matching(Vec<u8>),
}

/// A control file, and the group by which monit shows that it has read just this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Its text.
    pub text: String,
    /// Unique to the text.
    pub marker: String,
    /// The names of all checks in it.
    pub names: Vec<String>,
    /// The file that it was given in.
    pub source: Option<String>,
}

/// While a fault lasts the respawn is tried again at every look, or an end soon after another would
/// be one fault for monit; it refuses what is in hand.
const AGAIN: u32 = 1;
/// The least time for which monit waits for a process that a person starts by it.
const START_MIN: Duration = Duration::from_secs(5);

/// Writes the control file.
///
/// # Errors
/// A field holds what monit cannot take.
pub fn render(watched: &Watched) -> Result<Rendered> {
    let mut names = vec![watched.name.clone()];
    let mut checks = vec![process(watched)?];
    for (number, check) in watched.checks.iter().enumerate() {
        if let Target::Exec(command) = &check.target {
            let own = format!("{}.health{}", watched.name, number + 1);
            checks.push(program(watched, &own, command, check)?);
            names.push(own);
        }
    }
    let marker = marker(&watched.name, &checks);
    let mut text = format!(
        "# Written by rc-sv for the service {}: changes are lost.\n",
        watched.name
    );
    for check in &checks {
        let _ = write!(text, "{check}  group {GROUP}\n  group {marker}\n");
    }
    Ok(Rendered {
        text,
        marker,
        names,
        source: None,
    })
}

fn process(watched: &Watched) -> Result<String> {
    let mut text = String::new();
    let name = quote::name(&watched.name)?;
    let found = match &watched.found {
        Found::Pidfile(path) => format!("pidfile {}", quote::word("pidfile", path)?),
        Found::Matching(words) => format!("matching {}", quote::word("procname", words)?),
    };
    line(&mut text, &format!("check process {name} with {found}"));
    // While a process is younger than this, monit makes no health check.
    let grace = watched.checks.iter().map(|check| check.rules.start).max();
    let grace = seconds(grace.unwrap_or_default().max(START_MIN));
    let start = quote::command("the start program", &watched.start)?;
    let stop = quote::command("the stop program", &watched.stop)?;
    line(
        &mut text,
        &format!("  start program = {start} with timeout {grace} seconds"),
    );
    line(
        &mut text,
        &format!("  stop program = {stop} with timeout 60 seconds"),
    );
    line(&mut text, "  onreboot laststate");
    let exited = again(&exec(watched, "exited")?);
    line(&mut text, &format!("  if does not exist then {exited}"));
    for check in &watched.checks {
        if let Some(test) = test(check)? {
            let cycles = cycles(&check.rules, watched.poll);
            let then = reaction(watched, check.rules.action)?;
            line(&mut text, &format!("  if {test}\n    {cycles} then {then}"));
        }
    }
    Ok(text)
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn exec(watched: &Watched, why: &str) -> Result<String> {
    let mut words = watched.respawn.clone();
    words.push(why.into());
    let command = quote::command("the respawn", &words)?;
    Ok(format!("exec {command}"))
}

fn again(action: &str) -> String {
    format!("{action} repeat every {AGAIN} cycles")
}

/// What is done about an unhealthy service. To say so, monit needs nobody.
fn reaction(watched: &Watched, action: Action) -> Result<String> {
    match action {
        Action::Restart => Ok(again(&exec(watched, "unhealthy")?)),
        Action::Exec => Ok(again(&exec(watched, "exec")?)),
        Action::Alert if watched.is_alerted => {
            let over = exec(watched, "well")?;
            let sick = again(&exec(watched, "sick")?);
            Ok(format!("{sick}\n    else if succeeded then {over}"))
        }
        Action::Alert => Ok("alert".to_string()),
    }
}

/// A command is a check of its own, which begins when the service is watched.
fn program(watched: &Watched, own: &str, command: &[Vec<u8>], check: &Check) -> Result<String> {
    let mut text = String::new();
    let rules = &check.rules;
    if !rules.start.is_zero() {
        return Err(Error::invalid(
            "rc_supervise_health: monit runs a command as soon as it watches, so it can have no \
             start: unset rc_supervise_health_start, or look at an address",
        ));
    }
    let path = quote::command("the command of a health check", command)?;
    let timeout = seconds(rules.timeout);
    let every = looks(rules, watched.poll);
    let then = reaction(watched, rules.action)?;
    let own = quote::name(own)?;
    let name = quote::name(&watched.name)?;
    line(
        &mut text,
        &format!("check program {own} with path {path} with timeout {timeout} seconds"),
    );
    if every > 1 {
        line(&mut text, &format!("  every {every} cycles"));
    }
    line(&mut text, "  onreboot laststate");
    line(&mut text, &format!("  depends on {name}"));
    // Here a cycle is one run of the command.
    let cycles = times(rules, 1);
    line(&mut text, &format!("  if status != 0 {cycles} then {then}"));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::Spec;

    fn words(list: &[&str]) -> Vec<Vec<u8>> {
        list.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    fn foo() -> Watched {
        Watched {
            name: "foo".into(),
            found: Found::Pidfile(b"/run/foo.pid".to_vec()),
            start: words(&["/sbin/rc-service", "foo", "start"]),
            stop: words(&["/sbin/rc-service", "foo", "stop"]),
            respawn: words(&[
                "/usr/libexec/rc-sv/rc-sv-exec",
                "respawn",
                "/run/openrc/rc-sv/foo",
            ]),
            is_alerted: false,
            checks: Vec::new(),
            poll: 5,
        }
    }

    /// What an administrator would write.
    fn checks(lines: &str) -> Vec<Check> {
        let mut spec = Spec::default();
        spec.set("rc_supervise_health", lines.as_bytes(), "test")
            .unwrap();
        spec.set("rc_supervise_memory_limit", b"512M", "test")
            .unwrap();
        Check::all(spec.settings()).unwrap()
    }

    #[test]
    fn a_plain_service_is_respawned_by_us_and_never_by_monit() {
        let rendered = render(&foo()).unwrap();
        let (text, marker) = (&rendered.text, &rendered.marker);
        let expected = format!(
            "# Written by rc-sv for the service foo: changes are lost.\n\
             check process \"foo\" with pidfile '/run/foo.pid'\n  \
               start program = \"'/sbin/rc-service' 'foo' 'start'\" with timeout 5 seconds\n  \
               stop program = \"'/sbin/rc-service' 'foo' 'stop'\" with timeout 60 seconds\n  \
               onreboot laststate\n  \
               if does not exist then exec \"'/usr/libexec/rc-sv/rc-sv-exec' 'respawn' \
             '/run/openrc/rc-sv/foo' 'exited'\" repeat every 1 cycles\n  \
               group rcsv\n  \
               group {marker}\n"
        );
        assert_eq!(text, &expected);
        assert!(!text.contains("then restart"));
        assert_eq!(rendered.names, ["foo"]);
    }

    #[test]
    fn checks_are_tests_of_monit_or_programs_of_their_own() {
        let mut watched = foo();
        watched.checks = checks(
            "tcp:80 interval=10s timeout=3s failures=3\n\
             unix:/run/r(x interval=10s timeout=3s failures=3 within=5\n\
             http://localhost:8080/health?a=b interval=5s failures=1\nexec:\"/usr/lib/x/health 'a b'\" interval=10s timeout=3s failures=3",
        );
        let rendered = render(&watched).unwrap();
        for part in [
            "if failed host '127.0.0.1' port 80 type tcp with timeout 3 seconds\n    for 6 cycles",
            "if failed unixsocket '/run/r\\0x28x' with timeout 3 seconds\n    for 6 times within 10 cycles",
            "port 8080 protocol http request '/health\\0x3Fa=b' hostheader 'localhost",
            "check program \"foo.health4\" with path \"'/usr/lib/x/health' 'a\\0x20b'\"",
            "  every 2 cycles\n",
            "  depends on \"foo\"\n",
            "if total memory > 524288 KB",
        ] {
            assert!(rendered.text.contains(part), "{part}: {}", rendered.text);
        }
        assert_eq!(rendered.names, ["foo", "foo.health4"]);
    }

    #[test]
    fn another_text_has_another_marker() {
        let one = render(&foo()).unwrap();
        let other = render(&Watched { poll: 1, ..foo() }).unwrap();
        assert_eq!(one, other, "without checks the poll does not matter");
        let found = Found::Matching(b"^/usr/bin/foo( |$)".to_vec());
        let other = render(&Watched { found, ..foo() }).unwrap();
        assert_ne!(one.marker, other.marker);
        assert!(other
            .text
            .contains("matching '\\0x5E/usr/bin/foo\\0x28\\0x20\\0x7C\\0x24\\0x29'"));
    }

    #[test]
    fn what_monit_cannot_take_is_refused() {
        let mut watched = foo();
        watched.name = "a b".into();
        assert!(render(&watched).unwrap_err().message.contains("\"a b\""));
        let mut watched = foo();
        watched.respawn = vec![b"relative".to_vec()];
        assert!(render(&watched).is_err());
    }
}
