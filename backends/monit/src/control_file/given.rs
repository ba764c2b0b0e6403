//! A control file that an administrator gave: `rc_monit_type=file`. It becomes a part of monit's
//! own, so it must be about its service and nothing else.

use rc_sv_api::{Error, Result};
use std::hash::{DefaultHasher, Hasher};

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
        if word.quoted {
            continue;
        }
        if GLOBAL.iter().any(|global| word.is(global)) {
            let what = format!(
                "`{}` is for monit's own control file, not for that of one service",
                word.text
            );
            return Err(at(word.line, what));
        }
        let kind = words.get(index + 1).filter(|next| !next.quoted);
        if word.is("check") && kind.is_some_and(|kind| KINDS.iter().any(|it| kind.is(it))) {
            let name = words.get(index + 2);
            checks.push((
                word.line,
                name.map(|name| name.text.clone()).unwrap_or_default(),
            ));
        }
    }
    match checks.as_slice() {
        [(_, name)] if name.eq_ignore_ascii_case(service) => Ok(marked(service, text)),
        [(line, name)] => Err(at(*line, format!("checks {name}; must check {service}"))),
        [] => Err(at(1, format!("checks nothing; must check {service}"))),
        [_, (line, name), ..] => Err(at(
            *line,
            format!("a second check, {name}; there must be one, of {service}"),
        )),
    }
}

fn marked(service: &str, text: &[u8]) -> super::Rendered {
    let mut hasher = DefaultHasher::new();
    hasher.write(text);
    let group = super::render::GROUP;
    let marker = format!("{group}.{service}.{:016x}", hasher.finish());
    let mut whole = String::from_utf8_lossy(text).into_owned();
    whole.push_str(&format!("\n  group {group}\n  group {marker}\n"));
    super::Rendered {
        text: whole,
        marker,
        names: vec![service.to_string()],
    }
}

struct Word {
    text: String,
    quoted: bool,
    line: usize,
}

impl Word {
    /// monit's keywords have no case.
    fn is(&self, keyword: &str) -> bool {
        self.text.eq_ignore_ascii_case(keyword)
    }
}

/// Words and quoted texts; comments and punctuation are left out.
///
/// # Errors
/// The line of a quote that is not closed.
fn words(text: &[u8]) -> std::result::Result<Vec<Word>, usize> {
    let mut words: Vec<Word> = Vec::new();
    let mut line = 1;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' => line += 1,
            b'#' => while bytes.next_if(|byte| *byte != b'\n').is_some() {},
            b'"' | b'\'' => {
                let begun = line;
                let mut quoted = Vec::new();
                loop {
                    match bytes.next() {
                        None => return Err(begun),
                        Some(end) if end == byte => break,
                        Some(inside) => {
                            line += usize::from(inside == b'\n');
                            quoted.push(inside);
                        }
                    }
                }
                words.push(Word {
                    text: String::from_utf8_lossy(&quoted).trim().to_string(),
                    quoted: true,
                    line: begun,
                });
            }
            _ if is_part(byte) => {
                let mut bare = vec![byte];
                while let Some(next) = bytes.next_if(|byte| is_part(*byte)) {
                    bare.push(next);
                }
                words.push(Word {
                    text: String::from_utf8_lossy(&bare).into_owned(),
                    quoted: false,
                    line,
                });
            }
            _ => {}
        }
    }
    Ok(words)
}

fn is_part(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !b"\"'#{}(),;=<>!".contains(&byte)
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
