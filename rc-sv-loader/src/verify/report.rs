//! What a verification found. Pure.

use std::path::PathBuf;

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it must be.
    Passed,
    /// It works here, but not everywhere.
    Doubtful,
    /// It is wrong.
    Failed,
    /// It could not be looked at.
    NotRun,
}

impl Verdict {
    const ALL: [(Verdict, &'static str); 4] = [
        (Verdict::Passed, "ok"),
        (Verdict::Doubtful, "warn"),
        (Verdict::Failed, "FAIL"),
        (Verdict::NotRun, "skip"),
    ];

    /// The word for people and for JSON.
    pub fn word(self) -> &'static str {
        Verdict::ALL
            .iter()
            .find(|(verdict, _)| *verdict == self)
            .map_or("", |(_, word)| word)
    }
}

/// One check and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a few words.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// One line: what was seen, what is wrong and what would be right, or why it was not run.
    pub text: String,
}

impl Check {
    /// A check; line ends in `text` become blanks.
    pub fn new(name: &str, verdict: Verdict, text: &str) -> Check {
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        Check {
            name: name.to_string(),
            verdict,
            text: text.trim_end().chars().map(plain).collect(),
        }
    }

    /// The check as one line of the channel between the processes.
    pub(super) fn to_line(&self) -> String {
        format!("{}\t{}\t{}", self.verdict.word(), self.name, self.text)
    }

    /// The check of a line; `None` if it is none.
    pub(super) fn from_line(line: &str) -> Option<Check> {
        let mut fields = line.splitn(3, '\t');
        let (word, name, text) = (fields.next()?, fields.next()?, fields.next()?);
        let verdict = Verdict::ALL.iter().find(|(_, known)| *known == word)?.0;
        Some(Check::new(name, verdict, text))
    }
}

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Objection {
    pub verdict: Verdict,
    pub text: String,
}

/// What a check answers: what was seen, or an objection.
pub(super) type Finding = Result<String, Objection>;

/// It is wrong.
pub(super) fn wrong(text: impl Into<String>) -> Objection {
    Objection {
        verdict: Verdict::Failed,
        text: text.into(),
    }
}

/// It could not be looked at.
pub(super) fn not_run(text: impl Into<String>) -> Objection {
    Objection {
        verdict: Verdict::NotRun,
        text: text.into(),
    }
}

/// It is only doubtful.
pub(super) fn doubtful(text: impl Into<String>) -> Objection {
    Objection {
        verdict: Verdict::Doubtful,
        text: text.into(),
    }
}

impl From<rc_sv_api::Error> for Objection {
    fn from(error: rc_sv_api::Error) -> Objection {
        wrong(error.message)
    }
}

/// All checks of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The file.
    pub file: PathBuf,
    /// The checks in the order in which they were made.
    pub checks: Vec<Check>,
}

impl Report {
    /// An empty report.
    pub(super) fn new(file: PathBuf) -> Report {
        Report {
            file,
            checks: Vec::new(),
        }
    }

    /// Adds a finding; whether it is no failure.
    pub(super) fn add(&mut self, name: &str, finding: Finding) -> bool {
        let (verdict, text) = match finding {
            Ok(text) => (Verdict::Passed, text),
            Err(objection) => (objection.verdict, objection.text),
        };
        self.checks.push(Check::new(name, verdict, &text));
        verdict != Verdict::Failed
    }

    /// How many checks ended so.
    pub fn count(&self, verdict: Verdict) -> usize {
        let so = |check: &&Check| check.verdict == verdict;
        self.checks.iter().filter(so).count()
    }

    /// The whole: failed if anything failed, not run if anything was not, else passed.
    pub fn verdict(&self) -> Verdict {
        [Verdict::Failed, Verdict::NotRun]
            .into_iter()
            .find(|verdict| self.count(*verdict) > 0)
            .unwrap_or(Verdict::Passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_crosses_as_one_line() {
        let check = Check::new("stop", Verdict::Failed, "said\tno\ntwice\n");
        assert_eq!(check.text, "said no twice");
        assert_eq!(Check::from_line(&check.to_line()), Some(check));
        for line in ["", "ok\tname", "maybe\tname\ttext"] {
            assert_eq!(Check::from_line(line), None, "{line:?}");
        }
    }

    #[test]
    fn one_failure_fails_the_whole_and_doubts_do_not() {
        let mut report = Report::new("x".into());
        assert_eq!(report.verdict(), Verdict::Passed);
        assert!(report.add("a", Err(doubtful("hm"))));
        assert_eq!(report.verdict(), Verdict::Passed);
        assert!(report.add("b", Err(not_run("no s6"))));
        assert_eq!(report.verdict(), Verdict::NotRun);
        assert!(!report.add("c", Err(wrong("no"))));
        assert!(report.add("d", Ok("yes".into())));
        assert_eq!(report.verdict(), Verdict::Failed);
        assert_eq!(report.count(Verdict::Passed), 1);
    }
}
