//! What looks have found that did not pass: of each the last.

/// The words, by what was looked at.
#[derive(Debug)]
pub struct Findings<K>(Vec<(K, Box<str>)>);

impl<K> Default for Findings<K> {
    fn default() -> Findings<K> {
        Findings(Vec::new())
    }
}

impl<K: PartialEq> Findings<K> {
    /// Keeps what a look at `of` has found, instead of what the one before has.
    pub fn keep(&mut self, of: K, found: impl Into<Box<str>>) {
        match self.0.iter_mut().find(|(known, _)| *known == of) {
            Some((_, words)) => *words = found.into(),
            None => self.0.push((of, found.into())),
        }
    }

    /// What a look at `of` has found last; empty where all have passed.
    pub fn of(&self, of: K) -> &str {
        let found = self.0.iter().find(|(known, _)| *known == of);
        found.map_or("", |(_, words)| words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_and_the_last_one_counts() {
        let mut findings = Findings::default();
        for (of, found) in [(1, "refused"), (2, "late"), (1, "closed")] {
            findings.keep(of, found);
        }
        assert_eq!([1, 2, 3].map(|of| findings.of(of)), ["closed", "late", ""]);
    }
}
