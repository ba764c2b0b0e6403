//! The author's validator: whether a module keeps all promises of the ABI.
//!
//! What can be said of the file is said without running it ([`file`]). Then this program runs
//! itself once more ([`inside`]) and watches ([`conduct`]): the module is loaded there, called slot
//! by slot ([`bare`]), judged by the rules that hold for every answer ([`rules`]), and put through
//! a life with a scratch service ([`owning`], [`watching`]). So a module that crashes, exits or
//! hangs ends a process that nobody needs, and the check that had begun is its name.

mod answer;
mod bare;
mod conduct;
mod file;
mod inside;
mod manners;
mod owning;
mod report;
mod rules;
mod scene;
mod sheet;
mod watching;

pub use conduct::verify;
pub use inside::run_inside;
pub use report::{Check, Report, Verdict};

/// The files of the scratch directory: the sheet, and where the module's process prints.
const REPORT: &str = "report";
const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";
