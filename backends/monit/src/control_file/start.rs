//! Start programs that come back to OpenRC, which takes a service that has crashed for started, and
//! does nothing.

use super::words::Word;

/// Whether a start program is OpenRC's start of a service. A restart goes through, at its price.
pub fn loops_back(program: &str) -> bool {
    let words: Vec<&str> = program
        .split_whitespace()
        .map(|word| word.trim_matches(|byte| byte == '\'' || byte == '"'))
        .collect();
    let ours = |word: &&str| {
        ["rc-service", "service", "openrc-run"]
            .iter()
            .any(|tool| word.rsplit('/').next() == Some(tool))
            || word.starts_with("/etc/init.d/")
    };
    words.iter().any(ours) && words.last() == Some(&"start")
}

/// The first word of a start program that comes back to OpenRC, where it is what monit does about a
/// process that is gone: unless something else is said, it begins it again.
pub fn back_to_openrc(words: &[Word]) -> Option<&Word> {
    let is_left_alone = || {
        let exist = words
            .iter()
            .position(|word| word.is("exist") || word.is("nonexist"));
        let after = exist.and_then(|at| {
            words[at..]
                .iter()
                .position(|word| word.is("then"))
                .map(|then| at + then)
        });
        let action = after.and_then(|then| words.get(then + 1));
        action.is_some_and(|action| !action.is("restart") && !action.is("start"))
    };
    let mut starts = words
        .iter()
        .enumerate()
        .filter(|(_, word)| word.is("start"));
    let program = starts.find_map(|(at, _)| {
        let rest = words.get(at + 1..)?;
        let program = rest.iter().find(|word| !word.is("program"))?;
        (program.quoted && loops_back(&program.text)).then_some(program)
    });
    program.filter(|_| !is_left_alone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control_file::words::words;

    #[test]
    fn what_monit_does_about_a_process_that_is_gone_counts() {
        let comes_back = |text: &str| {
            let words = words(text.as_bytes()).unwrap();
            back_to_openrc(&words).map(|word| word.line)
        };
        let start =
            "check process foo with pidfile /x\nstart program = \"/sbin/rc-service foo start\"\n";
        assert_eq!(comes_back(start), Some(2));
        for (more, line) in [
            ("if does not exist then restart", Some(2)),
            ("if failed port 80 then exec /bin/true", Some(2)),
            ("if does not exist then exec \"/bin/true\"", None),
            ("if not exist for 2 cycles then alert", None),
        ] {
            assert_eq!(comes_back(&format!("{start}{more}\n")), line, "{more}");
        }
        assert_eq!(
            comes_back("check process foo start \"/usr/bin/foo -d\""),
            None
        );
    }

    #[test]
    fn start_programs_that_come_back_to_openrc_are_known() {
        for bad in [
            "/etc/init.d/foo start",
            "/sbin/rc-service foo start",
            "'/usr/sbin/service' 'foo' 'start'",
        ] {
            assert!(loops_back(bad), "{bad}");
        }
        for good in ["/usr/bin/foo -d", "/etc/init.d/foo restart", "/bin/start"] {
            assert!(!loops_back(good), "{good}");
        }
    }
}
