//! `--verify`: whether a module keeps the promises of the ABI.

use super::json;
use super::{print, FAILED, NOT_RUN, OK};
use rc_sv_api::Error;
use rc_sv_loader::verify::{self, Report, Verdict};
use rc_sv_loader::{Failure, Loader};
use serde::Serialize;
use std::path::Path;
use std::process::Command;

/// The option with which this program runs the module of a verification.
const INSIDE: &str = "--verify-inside";

/// Verifies the module in `file`.
pub fn run(file: &Path, json: bool) -> Result<u8, Failure> {
    let own = std::env::current_exe().map_err(|error| Error::io("this program", &error))?;
    let file = std::path::absolute(file).map_err(|error| Error::io(file.display(), &error))?;
    let mut inside = Command::new(own);
    inside.arg("--verify").arg(&file).arg(INSIDE);
    let report = verify::verify(&file, inside)?;
    print(&match json {
        true => json::text(&Object::of(&report)),
        false => text(&report),
    })?;
    Ok(match report.verdict() {
        Verdict::Failed => FAILED,
        Verdict::NotRun => NOT_RUN,
        Verdict::Passed | Verdict::Doubtful => OK,
    })
}

/// The part of a verification that runs the module.
pub fn run_inside(loader: &Loader, file: &Path, scratch: &Path) -> Result<u8, Failure> {
    verify::run_inside(file, scratch, loader.config())?;
    Ok(OK)
}

/// One line for each check, and one about all.
fn text(report: &Report) -> String {
    let width = report.checks.iter().map(|check| check.name.len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for check in &report.checks {
        let (word, name) = (check.verdict.word(), &check.name);
        text += &format!("{word:<4}  {name:<width$}  {}\n", check.text);
    }
    let count = |verdict| report.count(verdict);
    let whole = match report.verdict() {
        Verdict::Failed => "does not keep its promises",
        Verdict::NotRun => "keeps the promises that could be looked at",
        Verdict::Passed | Verdict::Doubtful => "keeps its promises",
    };
    text += &format!(
        "{}: {whole}: {} ok, {} failed, {} doubtful, {} not run\n",
        report.file.display(),
        count(Verdict::Passed),
        count(Verdict::Failed),
        count(Verdict::Doubtful),
        count(Verdict::NotRun)
    );
    text
}

/// A report in JSON.
#[derive(Serialize)]
struct Object<'a> {
    file: String,
    result: &'static str,
    checks: Vec<Line<'a>>,
}

/// A check in JSON.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    result: &'static str,
    text: &'a str,
}

impl Object<'_> {
    fn of(report: &Report) -> Object<'_> {
        let lines = report.checks.iter().map(|check| Line {
            name: &check.name,
            result: check.verdict.word(),
            text: &check.text,
        });
        Object {
            file: report.file.display().to_string(),
            result: report.verdict().word(),
            checks: lines.collect(),
        }
    }
}
