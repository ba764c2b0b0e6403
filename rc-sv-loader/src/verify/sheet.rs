//! Where the process that runs the module writes down each check, before and after it.

use super::report::{Check, Finding, Report, Verdict};
use rc_sv_api::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// The first word of the line that says which check begins.
pub(super) const BEGIN: &str = "begin";

/// The channel to the process that watches.
pub(super) struct Sheet(File);

impl Sheet {
    /// Opens the FIFO `path`, which the watching process reads.
    pub fn open(path: &Path) -> Result<Sheet> {
        let file = File::options().write(true).open(path);
        Ok(Sheet(
            file.map_err(|error| Error::io(path.display(), &error))?,
        ))
    }

    /// Makes one check; whether it is no failure.
    pub fn check(&mut self, name: &str, look: impl FnOnce() -> Finding) -> bool {
        self.write(&format!("{BEGIN}\t{name}"));
        self.settle(name, look())
    }

    /// Writes down what was found; whether it is no failure.
    pub fn settle(&mut self, name: &str, finding: Finding) -> bool {
        let mut report = Report::new("".into());
        report.add(name, finding);
        let check = report.checks.remove(0);
        self.write(&check.to_line());
        check.verdict != Verdict::Failed
    }

    fn write(&mut self, line: &str) {
        // Without a watching process there is nobody left to tell.
        let _ = self.0.write_all(format!("{line}\n").as_bytes());
    }
}

/// What a line of the sheet says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Begin(String),
    End(Check),
}

impl Line {
    /// The meaning of a line; `None` if it has none.
    pub fn parse(line: &str) -> Option<Line> {
        match line.split_once('\t') {
            Some((BEGIN, name)) => Some(Line::Begin(name.to_string())),
            _ => Check::from_line(line).map(Line::End),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_one_meaning() {
        assert_eq!(Line::parse("begin\tload"), Some(Line::Begin("load".into())));
        let check = Check::new("load", Verdict::Passed, "");
        assert_eq!(Line::parse(&check.to_line()), Some(Line::End(check)));
        assert_eq!(Line::parse("hello"), None);
    }
}
