//! A control file that an administrator gave: `rc_monit_type=file`. It becomes a part of monit's
//! own, so it must be about its service and nothing else.

use super::marker::{marker, GROUP};
use super::start::back_to_openrc;
use super::words::{words, Word};
use rc_sv_api::{Error, Result};

/// Larger than this is no control file of one service.
pub const SIZE_MAX: u64 = 64 * 1024;

/// Words that may stand at the beginning of a statement for monit as a whole.
const GLOBAL: [&str; 2] = ["set", "include"];

/// What follows `check`.
const KINDS: [&str; 9] = [
    "process",
    "program",
    "file",
    "directory",
    "filesystem",
    "fifo",
    "host",
    "system",
    "network",
];

/// Checks `text`, and adds the group by which monit shows that it has read it.
///
/// # Errors
/// It sets something for monit as a whole, its checks are not exactly one called `service`, or a
/// quote is not closed. `path` and the line are named.
pub fn accept(path: &str, service: &str, text: &[u8]) -> Result<super::Rendered> {
    let at = |line: usize, what: String| Error::invalid(format!("{path}: line {line}: {what}"));
    let words = words(text).map_err(|line| at(line, "a quote is not closed".to_string()))?;
    let mut checks = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if GLOBAL.iter().any(|global| word.is(global)) {
            let what = format!(
                "`{}` is for monit's own control file, not for that of one service",
                word
            );
            return Err(at(word.line, what));
        }
        let kind = words.get(index + 1);
        if word.is("check") && kind.is_some_and(|kind| KINDS.iter().any(|it| kind.is(it))) {
            let name = words.get(index + 2);
            checks.push((word.line, name.map(Word::to_string).unwrap_or_default()));
        }
    }
    if let Some(start) = back_to_openrc(&words) {
        let what = format!(
            "the start program {:?}: OpenRC takes a service that has crashed for started, and does \
             nothing; add `if does not exist then exec` of rc-sv-exec respawn, as rc-sv-exec(8) has it",
            start.text
        );
        return Err(at(start.line, what));
    }
    match checks.as_slice() {
        [(_, name)] if name.eq_ignore_ascii_case(service) => Ok(marked(path, service, text)),
        [(line, name)] => Err(at(*line, format!("checks {name}; must check {service}"))),
        [] => Err(at(1, format!("checks nothing; must check {service}"))),
        [_, (line, name), ..] => Err(at(
            *line,
            format!("a second check, {name}; there must be one, of {service}"),
        )),
    }
}

fn marked(path: &str, service: &str, text: &[u8]) -> super::Rendered {
    let marker = marker(service, text);
    let mut whole = String::from_utf8_lossy(text).into_owned();
    whole.push_str(&format!("\n  group {GROUP}\n  group {marker}\n"));
    super::Rendered {
        text: whole,
        marker,
        names: vec![service.to_string()],
        source: Some(path.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        accept("foo", "foo", text.as_bytes()).unwrap_err().message
    }

    #[test]
    fn one_check_of_the_service_is_accepted_and_marked() {
        let text = "# set nothing\ncheck process Foo with pidfile /run/foo.pid\n  \
                    start program = \"/bin/true 'include set'\"\n  if 5 restarts within 5 cycles then unmonitor\n";
        let accepted = accept("foo", "foo", text.as_bytes()).unwrap();
        assert!(accepted.text.starts_with(text));
        assert!(accepted
            .text
            .contains(&format!("group {}\n", accepted.marker)));
    }

    #[test]
    fn what_is_not_about_the_service_is_refused_with_its_line() {
        assert_eq!(
            refused("check process foo with pidfile /x\nSET daemon 5\n"),
            "foo: line 2: `SET` is for monit's own control file, not for that of one service"
        );
        assert!(refused("include /etc/x\n").contains("line 1: `include`"));
        assert_eq!(
            refused("# nothing\n"),
            "foo: line 1: checks nothing; must check foo"
        );
        assert_eq!(
            refused("check process bar with pidfile /x\n"),
            "foo: line 1: checks bar; must check foo"
        );
        assert_eq!(
            refused("check process foo with pidfile /x\n\ncheck file x with path /y\n"),
            "foo: line 3: a second check, x; there must be one, of foo"
        );
        assert_eq!(
            refused("check process foo with pidfile '/x\nset daemon 3\n"),
            "foo: line 1: a quote is not closed"
        );
    }
}
