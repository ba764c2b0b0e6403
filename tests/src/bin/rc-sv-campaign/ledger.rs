//! What was done and what came of it.

use std::collections::BTreeMap;
use std::fmt;

use crate::growth::Growth;
use crate::journal::Journal;

/// The name of a moment after which nobody is there to look after services.
pub const ALONE: &str = "moments with neither of both left";

/// The name of what a main process without a cgroup has left that nobody could find.
pub const LEFT_ALONE: &str = "left over without a cgroup";

/// The name of an upgrade that was done, by its own word.
pub const UPGRADED: &str = "upgrades done";

/// The last lines of failures that are shown.
const MOST_LINES: usize = 12;

/// What was done and what came of it.
pub struct Ledger {
    pub journal: Journal,
    /// Faults and orders by their name.
    pub done: BTreeMap<String, u64>,
    /// What failed orders said, numbers taken out.
    pub said: BTreeMap<String, u64>,
    pub starts: u64,
    pub exits: u64,
    pub calms: u64,
    /// What must not be, one line each.
    pub defects: Vec<String>,
    /// What guardian and supervisor held at each calm.
    pub growth: Growth,
}

impl Ledger {
    pub fn new(journal: Journal) -> Ledger {
        Ledger {
            journal,
            done: BTreeMap::new(),
            said: BTreeMap::new(),
            starts: 0,
            exits: 0,
            calms: 0,
            defects: Vec::new(),
            growth: Growth::default(),
        }
    }

    pub fn count(&mut self, what: impl Into<String>) {
        *self.done.entry(what.into()).or_default() += 1;
    }

    pub fn failed(&mut self, line: &str) {
        let line = line.replace(|c: char| c.is_ascii_digit(), "");
        *self.said.entry(line).or_default() += 1;
    }

    pub fn defect(&mut self, line: String) {
        eprintln!("DEFECT {line}");
        let service = line.split(':').next().unwrap_or_default();
        for told in self.journal.about(service) {
            eprintln!("       {told}");
        }
        if self.defects.is_empty() {
            for one in crate::process::all() {
                eprintln!("       {one:?}");
            }
        }
        self.defects.push(line);
    }

    pub fn is_clean(&self) -> bool {
        self.defects.is_empty()
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.done {
            writeln!(out, "{count:>8}  {what}")?;
        }
        for (line, count) in self.said.iter().take(MOST_LINES) {
            writeln!(out, "{count:>8}  answered: {line}")?;
        }
        writeln!(out, "{:>8}  starts, {} exits", self.starts, self.exits)?;
        write!(out, "{}", self.growth)?;
        writeln!(
            out,
            "{:>8}  lost, doubled, forgotten or left over, in {} looks",
            self.defects.len(),
            self.calms
        )
    }
}
