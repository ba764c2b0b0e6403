//! The tables for a person.

use std::fmt::Write;

use crate::bars::Bar;
use crate::figure::{find, Figure, Unit};
use crate::inside::FLOOR;
use crate::{host, memory, module, monit, openrc, restart, storm, suites};

/// All figures, by section, in the order in which they were measured.
pub fn text(figures: &[Figure], bars: &[Bar]) -> String {
    let mut sections: Vec<&str> = Vec::new();
    for figure in figures {
        if !sections.contains(&figure.section.as_str()) {
            sections.push(&figure.section);
        }
    }
    let mut out = String::new();
    for section in sections {
        table(&mut out, figures, section);
    }
    for bar in bars {
        let word = match (bar.holds, bar.binding) {
            (true, _) => "ok    ",
            (false, true) => "FAILED",
            (false, false) => "missed",
        };
        line(&mut out, &format!("{word}  {}", bar.text));
    }
    out
}

/// What is measured in a section, where its name does not say it.
fn headline(section: &str) -> &str {
    match section {
        restart::SECTION => "kill -9 after a long uptime, until the successor's first instruction",
        restart::RESTED => "the same, each after 2.5 s in which nothing happened",
        restart::IDLE => "context switches per second of all supervising processes, idle",
        storm::SECTION => "1,000 services killed at once, until all are back",
        memory::PSS => "all supervising processes, idle; with 12 or 24 services after the restarts",
        memory::IDLE => "context switches of all supervising processes in 10 s without any event",
        memory::PRIVATE => "of it, what no other process shares",
        suites::STOP => "until rc-service is back and the process is gone",
        module::SECTION => "loading librc_sv_internal.so in a new process",
        host::SECTION => {
            "a whole process, from its fork to its end, that asks for one status or nothing"
        }
        _ => "",
    }
}

/// To which figure that one is compared.
fn floor<'a>(figures: &'a [Figure], figure: &Figure) -> Option<&'a Figure> {
    match figure.section.as_str() {
        restart::SECTION | restart::RESTED => find(figures, &figure.section, FLOOR),
        storm::SECTION => find(figures, storm::SECTION, &storm::floor_name(&figure.name)),
        module::SECTION => find(figures, module::SECTION, "bare dlopen"),
        host::SECTION => find(figures, host::SECTION, host::BARE),
        suites::START | suites::UP | suites::STOP | suites::BEYOND | suites::GONE => {
            suites::names()
                .find(|(suite, _)| figure.name == suites::ours(suite))
                .and_then(|(suite, _)| find(figures, &figure.section, &suites::theirs(suite)))
        }
        suites::STATUS => suites::names()
            .find(|(suite, _)| figure.name == suites::all(suite))
            .and_then(|(suite, _)| find(figures, &figure.section, &suites::forked(suite))),
        monit::ATTACH => find(figures, monit::ATTACH, monit::SCRIPTS),
        monit::RECOVERY => find(figures, monit::RECOVERY, monit::BY_MONIT),
        openrc::START | openrc::STOP => find(figures, &figure.section, "start-stop-daemon"),
        _ => None,
    }
}

fn table(out: &mut String, figures: &[Figure], section: &str) {
    let rows: Vec<&Figure> = figures.iter().filter(|it| it.section == section).collect();
    line(out, &format!("{section}  {}", headline(section)));
    let single = rows.iter().all(|row| row.samples.len() == 1);
    if !single {
        let words = ["median", "p5", "p95", "n", "to floor"];
        let [median, p5, p95, n, ratio] = words;
        line(
            out,
            &format!("  {:42}{median:>11}{p5:>11}{p95:>11}{n:>6}{ratio:>10}", ""),
        );
    }
    for row in rows {
        let mut text = format!("  {:42}{:>11}", row.name, value(row.unit, row.median()));
        if !single {
            let part = |part| value(row.unit, row.quantile(part));
            let (p5, p95) = (part(0.05), part(0.95));
            let _ = write!(text, "{p5:>11}{p95:>11}{:>6}", row.samples.len());
        }
        if let Some(floor) = floor(figures, row) {
            let _ = write!(text, "{:>10.2}", row.median() / floor.median());
        }
        line(out, &text);
    }
    for (name, text) in elsewhere(section) {
        line(out, &format!("  {name:42}{text:>11}  measured elsewhere"));
    }
    line(out, "");
}

/// Supervisors that Debian bookworm has no package of, or that are measured in minutes: figures
/// of another machine, for orientation.
fn elsewhere(section: &str) -> &'static [(&'static str, &'static str)] {
    match section {
        restart::SECTION => &[
            ("dinit", "1.10 ms"),
            ("systemd, tuned", "4.9 ms"),
            ("monit", "437 ms"),
            ("supervisord", "1,030 ms"),
        ],
        storm::SECTION => &[
            ("dinit", "260 ms"),
            ("systemd, tuned", "2,500 ms"),
            ("supervisord", "15,800 ms"),
        ],
        _ => &[],
    }
}

fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Ns if value < 1e6 => format!("{:.1} µs", value / 1e3),
        Unit::Ns if value < 1e9 => format!("{:.2} ms", value / 1e6),
        Unit::Ns => format!("{:.2} s", value / 1e9),
        Unit::Kb => format!("{value:.0} kB"),
        Unit::Bytes => format!("{:.0} kB", value / 1024.0),
        Unit::PerSecond => format!("{value:.1} /s"),
        Unit::Count => format!("{value:.0}"),
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_to_the_floor_of_the_same_run() {
        let figures = [
            Figure::ns(restart::SECTION, FLOOR, &[500_000]),
            Figure::ns(restart::SECTION, "internal", &[600_000]),
        ];
        let text = text(&figures, &[]);
        let row = text
            .lines()
            .find(|line| line.starts_with("  internal"))
            .unwrap();
        assert!(row.contains("600.0 µs") && row.ends_with("1.20"), "{text}");
    }

    #[test]
    fn units_are_readable() {
        assert_eq!(value(Unit::Ns, 1_234_567.0), "1.23 ms");
        assert_eq!(value(Unit::Ns, 2.5e9), "2.50 s");
        assert_eq!(value(Unit::Kb, 194.0), "194 kB");
    }
}
