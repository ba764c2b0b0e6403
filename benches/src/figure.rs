//! What was measured: named samples, and what can be read from them.

use serde::{Deserialize, Serialize};

/// What the samples of a figure are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Nanoseconds.
    Ns,
    /// Kilobytes of 1,024 bytes.
    Kb,
    /// Bytes.
    Bytes,
    /// Per second.
    PerSecond,
    /// Just a number.
    Count,
}

/// One thing that was measured, as often as it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// Under which headline it belongs.
    pub section: String,
    /// What was measured.
    pub name: String,
    /// What the samples are.
    pub unit: Unit,
    /// In the order in which they were taken; at least one.
    pub samples: Vec<f64>,
}

impl Figure {
    /// A figure with these samples.
    pub fn new(section: &str, name: impl Into<String>, unit: Unit, samples: Vec<f64>) -> Figure {
        Figure {
            section: section.to_owned(),
            name: name.into(),
            unit,
            samples,
        }
    }

    /// A duration, from nanoseconds.
    pub fn ns(section: &str, name: impl Into<String>, samples: &[u64]) -> Figure {
        let samples = samples.iter().map(|&ns| ns as f64).collect();
        Figure::new(section, name, Unit::Ns, samples)
    }

    /// One number.
    pub fn one(section: &str, name: impl Into<String>, unit: Unit, value: u64) -> Figure {
        Figure::new(section, name, unit, vec![value as f64])
    }

    /// The median.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The smallest sample that is not below this part (0 to 1) of all samples.
    pub fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        let index = (part * last as f64).round() as usize;
        sorted.get(index).copied().unwrap_or(f64::NAN)
    }
}

/// The figure of that section and name.
pub fn find<'a>(figures: &'a [Figure], section: &str, name: &str) -> Option<&'a Figure> {
    figures
        .iter()
        .find(|figure| figure.section == section && figure.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_do_not_depend_on_the_order() {
        let figure = Figure::ns("s", "n", &[5, 1, 4, 2, 3]);
        assert_eq!(figure.median(), 3.0);
        assert_eq!(figure.quantile(0.0), 1.0);
        assert_eq!(figure.quantile(0.05), 1.0);
        assert_eq!(figure.quantile(1.0), 5.0);
    }
}
