//! The control file of a service, from its settings: `rc_monit_type=simple`.
//!
//! monit is one thread: while its own start program runs it looks at nothing else. A recovery is
//! therefore always `exec` of rc-sv-exec, which monit does not wait for; pauses, limits and giving
//! up are there. The start and stop programs are for the person who types `monit start foo`.

use super::quote;
use crate::client::answer::Monit;
use rc_sv_api::Result;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};

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
    /// What its health is known by.
    pub checks: Vec<Check>,
    /// The most memory of it and its children, in bytes.
    pub memory: Option<u64>,
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

/// One health check.
#[derive(Clone, Debug)]
pub struct Check {
    /// What is tried.
    pub target: Target,
    /// A protocol of monit's, such as `redis`, instead of mere bytes.
    pub protocol: Option<String>,
    /// Seconds between two tries.
    pub interval: u32,
    /// Seconds that a try may take.
    pub timeout: u32,
    /// So many tries must fail.
    pub failures: u32,
}

/// What a check tries.
#[derive(Clone, Debug)]
pub enum Target {
    /// To connect to a port.
    Tcp { host: String, port: u16 },
    /// To connect to a socket.
    Unix(Vec<u8>),
    /// To get a page.
    Http {
        host: String,
        port: u16,
        path: Vec<u8>,
    },
    /// To run a command.
    Exec(Vec<Vec<u8>>),
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
}

/// Every service of ours is in this group.
pub const GROUP: &str = "rcsv";
/// While a fault lasts the respawn is tried again after so many looks: it refuses what is in hand.
const AGAIN: u32 = 3;
/// monit's limit of `for N cycles`.
const CYCLES_MAX: u32 = 64;

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
    })
}

/// The names of the checks of `service` that this monit has from us.
pub fn names_of(monit: &Monit, service: &str) -> Vec<String> {
    let prefix = format!("{GROUP}.{service}.");
    let is_ours = |group: &str| {
        group.len() == prefix.len() + MARK
            && group.is_char_boundary(prefix.len())
            && group[..prefix.len()].eq_ignore_ascii_case(&prefix)
    };
    let groups = monit.groups.iter().filter(|(group, _)| is_ours(group));
    groups.flat_map(|(_, names)| names.clone()).collect()
}

/// Digits at the end of a marker.
const MARK: usize = 16;

fn process(watched: &Watched) -> Result<String> {
    let mut text = String::new();
    let name = quote::name(&watched.name)?;
    let found = match &watched.found {
        Found::Pidfile(path) => format!("pidfile {}", quote::word("pidfile", path)?),
        Found::Matching(words) => format!("matching {}", quote::word("procname", words)?),
    };
    line(&mut text, &format!("check process {name} with {found}"));
    let start = quote::command("the start program", &watched.start)?;
    let stop = quote::command("the stop program", &watched.stop)?;
    line(
        &mut text,
        &format!("  start program = {start} with timeout 60 seconds"),
    );
    line(
        &mut text,
        &format!("  stop program = {stop} with timeout 60 seconds"),
    );
    line(&mut text, "  onreboot laststate");
    let exited = respawn(watched, "exited")?;
    line(&mut text, &format!("  if does not exist then {exited}"));
    let unhealthy = respawn(watched, "unhealthy")?;
    for check in &watched.checks {
        if let Some(test) = connection(check)? {
            let cycles = cycles(check, watched.poll);
            line(
                &mut text,
                &format!("  if failed {test}\n    for {cycles} cycles then {unhealthy}"),
            );
        }
    }
    if let Some(bytes) = watched.memory {
        let kilobytes = (bytes / 1024).max(1);
        line(
            &mut text,
            &format!("  if total memory > {kilobytes} KB for 2 cycles then {unhealthy}"),
        );
    }
    Ok(text)
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn respawn(watched: &Watched, why: &str) -> Result<String> {
    let mut words = watched.respawn.clone();
    words.push(why.into());
    let command = quote::command("the respawn", &words)?;
    Ok(format!("exec {command} repeat every {AGAIN} cycles"))
}

/// The test of a check that monit makes itself, without `if failed`.
fn connection(check: &Check) -> Result<Option<String>> {
    let mut test = match &check.target {
        Target::Exec(_) => return Ok(None),
        Target::Tcp { host, port } => {
            let host = quote::word("the host of a health check", host.as_bytes())?;
            format!("host {host} port {port} type tcp")
        }
        Target::Unix(path) => {
            format!(
                "unixsocket {}",
                quote::word("the socket of a health check", path)?
            )
        }
        Target::Http { host, port, path } => {
            let host = quote::word("the host of a health check", host.as_bytes())?;
            let path = quote::word("the path of a health check", path)?;
            format!("host {host} port {port} protocol http request {path}")
        }
    };
    if let Some(protocol) = &check.protocol {
        let _ = write!(test, " protocol {}", protocol_word(protocol)?);
    }
    let _ = write!(test, " with timeout {} seconds", check.timeout.max(1));
    Ok(Some(test))
}

fn protocol_word(protocol: &str) -> Result<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if protocol.is_empty() || !protocol.bytes().all(plain) {
        return Err(rc_sv_api::Error::invalid(format!(
            "monit has no protocol {protocol:?}; its manual lists them"
        )));
    }
    Ok(protocol)
}

/// A command is a check of its own, which begins when the service is watched.
fn program(watched: &Watched, own: &str, command: &[Vec<u8>], check: &Check) -> Result<String> {
    let mut text = String::new();
    let path = quote::command("the command of a health check", command)?;
    let timeout = check.timeout.max(1);
    let every = check.interval.div_ceil(watched.poll.max(1)).max(1);
    let failures = check.failures.clamp(1, CYCLES_MAX);
    let unhealthy = respawn(watched, "unhealthy")?;
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
    line(
        &mut text,
        &format!("  if status != 0 for {failures} cycles then {unhealthy}"),
    );
    Ok(text)
}

/// monit tries at each look: a service that must fail three times, ten seconds apart, has failed at
/// all looks of that time.
fn cycles(check: &Check, poll: u32) -> u32 {
    let failures = check.failures.max(1);
    let looks = check.interval.div_ceil(poll.max(1)).max(1);
    failures.saturating_mul(looks).min(CYCLES_MAX)
}

/// Another release of Rust may hash otherwise: that costs one more reload.
fn marker(name: &str, checks: &[String]) -> String {
    let mut hasher = DefaultHasher::new();
    checks.hash(&mut hasher);
    format!("{GROUP}.{name}.{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

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
            checks: Vec::new(),
            memory: None,
            poll: 5,
        }
    }

    fn check(target: Target) -> Check {
        Check {
            target,
            protocol: None,
            interval: 10,
            timeout: 3,
            failures: 3,
        }
    }

    #[test]
    fn a_plain_service_is_respawned_by_us_and_never_by_monit() {
        let rendered = render(&foo()).unwrap();
        let (text, marker) = (&rendered.text, &rendered.marker);
        let expected = format!(
            "# Written by rc-sv for the service foo: changes are lost.\n\
             check process \"foo\" with pidfile '/run/foo.pid'\n  \
               start program = \"'/sbin/rc-service' 'foo' 'start'\" with timeout 60 seconds\n  \
               stop program = \"'/sbin/rc-service' 'foo' 'stop'\" with timeout 60 seconds\n  \
               onreboot laststate\n  \
               if does not exist then exec \"'/usr/libexec/rc-sv/rc-sv-exec' 'respawn' \
             '/run/openrc/rc-sv/foo' 'exited'\" repeat every 3 cycles\n  \
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
        watched.memory = Some(512 * 1024 * 1024);
        watched.checks = vec![
            check(Target::Tcp {
                host: "127.0.0.1".into(),
                port: 80,
            }),
            Check {
                protocol: Some("redis".into()),
                ..check(Target::Unix(b"/run/r s".to_vec()))
            },
            check(Target::Http {
                host: "localhost".into(),
                port: 8080,
                path: b"/health?a b".to_vec(),
            }),
            check(Target::Exec(words(&["/usr/lib/x/health", "a b"]))),
        ];
        let rendered = render(&watched).unwrap();
        for part in [
            "if failed host '127.0.0.1' port 80 type tcp with timeout 3 seconds\n    for 6 cycles",
            "if failed unixsocket '/run/r\\0x20s' protocol redis with timeout 3 seconds",
            "port 8080 protocol http request '/health\\0x3Fa\\0x20b'",
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
        watched.checks = vec![Check {
            protocol: Some("redis then alert".into()),
            ..check(Target::Unix(b"/x".to_vec()))
        }];
        assert!(render(&watched).is_err());
    }
}
