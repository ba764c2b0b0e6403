//! `check --module`: what keeps a module from its work.

use super::{print, FAILED, OK};
use rc_sv_loader::{Failure, Listener, Loader};
use std::cell::RefCell;
use std::rc::Rc;

/// syslog's LOG_NOTICE: up to here it is something to mend, beyond it a fact.
const NOTICE: i32 = 5;
/// syslog's LOG_INFO.
const INFO: i32 = 6;

/// Prints what the module `name` finds, a line each; the exit code says whether anything is to be
/// mended.
pub fn run(loader: &Loader, name: &str) -> Result<u8, Failure> {
    let said = Rc::new(Said::default());
    let of = |error| Failure {
        module: Some(name.to_string()),
        error,
    };
    let mut module = loader.with_listener(said.clone()).open(name).map_err(of)?;
    let answer = module.probe();
    let (mut facts, mut faults) = said.lines.take();
    match answer {
        Ok(_) if faults.is_empty() => facts.push("nothing is to be mended".to_string()),
        Ok(_) => {}
        Err(error) => faults.push(error.to_string()),
    }
    let lines = facts.iter().chain(&faults);
    print(
        &lines
            .map(|line| format!("{name}: {line}\n"))
            .collect::<String>(),
    )?;
    Ok(if faults.is_empty() { OK } else { FAILED })
}

/// Facts and faults.
#[derive(Default)]
struct Said {
    lines: RefCell<(Vec<String>, Vec<String>)>,
}

impl Listener for Said {
    fn log(&self, _module: &str, level: i32, line: &str) {
        let (facts, faults) = &mut *self.lines.borrow_mut();
        match level {
            ..=NOTICE => faults.push(line.to_string()),
            INFO => facts.push(line.to_string()),
            _ => {}
        }
    }
}
