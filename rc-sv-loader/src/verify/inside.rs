//! The process in which the module runs: it may crash, and then the watching one says where.

use super::bare::Opened;
use super::file;
use super::manners::{is_silent, Manners};
use super::owning::Owning;
use super::report::{doubtful, not_run, wrong, Finding, Objection};
use super::scene::Scene;
use super::sheet::Sheet;
use super::watching::Watching;
use super::{REPORT, STDERR, STDOUT};
use crate::config::Config;
use crate::host::Listener;
use crate::module::load;
use crate::sys;
use nix::sys::signal::Signal;
use rc_sv_api::abi::constants::{
    RC_SV_ABI_MINOR, RC_SV_E_NOT_RUNNING, RC_SV_E_UNAVAILABLE, RC_SV_E_UNSUPPORTED,
};
use rc_sv_api::abi::table::CheckedTable;
use rc_sv_api::abi::types::rc_sv_backend;
use rc_sv_api::{Caps, Result, Spec};
use std::path::Path;
use std::rc::Rc;

/// Whoever hears a module that is being verified: nobody.
struct Deaf;

impl Listener for Deaf {
    fn log(&self, _module: &str, _level: i32, _line: &str) {}
}

/// Loads the module in `path` and puts it through everything; each finding goes to the FIFO in
/// the scratch directory `scratch`. `config` has the module's own settings.
///
/// # Errors
/// The FIFO cannot be opened.
pub fn run_inside(path: &Path, scratch: &Path, config: &Config) -> Result<()> {
    // A terminal's interrupt reaches only the watching process.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)
        .map_err(|errno| rc_sv_api::Error::io("prctl", &errno.into()))?;
    // What the daemon is sent is to reach it, also under nohup.
    for signal in [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGUSR1] {
        sys::heed_signal(signal as i32);
    }
    let mut sheet = Sheet::open(&scratch.join(REPORT))?;
    let mut loaded = None;
    sheet.check("load", || {
        let (found, _) = file::find(path)?;
        let name = found.name.clone();
        let identity = crate::note::read(&found.file, &name).map_err(wrong)?;
        loaded = Some((name, identity, load::entry(&found.path, found.file)?));
        Ok("its constructors run, and nothing is missing".into())
    });
    let Some((name, identity, entry)) = loaded else {
        return Ok(());
    };
    let mut table = None;
    let strip = |text: &str| text.replace(&format!("{}: ", path.display()), "");
    sheet.check("table", || {
        let checked = load::table(entry, &name).map_err(|error| wrong(error.message))?;
        load::compare(&identity, &checked).map_err(|why| wrong(strip(&why)))?;
        let text = format!("version {:?}, {:?}", checked.version, checked.description);
        table = Some(checked);
        Ok(text)
    });
    let Some(table) = table else {
        return Ok(());
    };
    sheet.check("minor", || minor(&table.raw));
    sheet.check("capabilities", || capabilities(&table.raw));
    let settings = config.module(&name)?;
    behave(&mut sheet, &name, &table, &settings, scratch)
}

/// A newer module works; what this host does not know of it is not looked at.
fn minor(table: &rc_sv_backend) -> Finding {
    let minor = table.abi & 0xffff;
    match minor > RC_SV_ABI_MINOR {
        true => Err(doubtful(format!(
            "has ABI 1.{minor}; what is newer than 1.{RC_SV_ABI_MINOR} is not verified here"
        ))),
        false => Ok(format!("ABI 1.{minor}")),
    }
}

/// Whether each capability has its slots.
fn capabilities(table: &rc_sv_backend) -> Finding {
    let caps = Caps(table.caps);
    let pairs = [
        (Caps::MONITORS, "attach", table.attach.is_some()),
        (Caps::MONITORS, "detach", table.detach.is_some()),
        (Caps::SIGNAL, "signal", table.signal.is_some()),
        (Caps::RELOAD, "reload", table.reload.is_some()),
        (Caps::EVENTS_FD, "watch_open", table.watch_open.is_some()),
    ];
    let upper = |name: &str| name.to_uppercase().replace('-', "_");
    let name = |caps: Caps| upper(caps.names().next().unwrap_or_default());
    for (cap, slot, filled) in pairs {
        if caps.has(cap) && !filled {
            return Err(wrong(format!(
                "claims RC_SV_CAP_{}, but its slot {slot} is NULL",
                name(cap)
            )));
        }
    }
    for (cap, slot, filled) in pairs {
        if filled && !caps.has(cap) {
            return Err(doubtful(format!(
                "fills {slot}, but does not claim RC_SV_CAP_{}: hosts may not call it",
                name(cap)
            )));
        }
    }
    let known = Caps::NAMES.iter().fold(0, |all, (caps, _)| all | caps.0);
    if table.caps & !known != 0 {
        let bits = table.caps & !known;
        return Err(doubtful(format!(
            "claims {bits:#x}, which ABI 1.{RC_SV_ABI_MINOR} does not have"
        )));
    }
    let names: Vec<&str> = caps.names().collect();
    Ok(names.join(" "))
}

/// Everything from open to close.
fn behave(
    sheet: &mut Sheet,
    name: &str,
    table: &CheckedTable,
    settings: &Spec,
    scratch: &Path,
) -> Result<()> {
    let open = || Opened::open(&table.raw, name, settings, Rc::new(Deaf));
    let before = Manners::now()?;
    if !sheet.check("open", || open().map(|_| "and close".into())) {
        return Ok(());
    }
    sheet.check("open twice", || {
        let (first, second) = (open()?, open()?);
        drop(first);
        second.probe()?;
        Ok("two instances do not know each other".into())
    });
    let caps = Caps(table.raw.caps);
    let mut there = Err(not_run("the supervisor was not asked for"));
    sheet.check("probe", || {
        there = probe(&open()?, caps);
        there.clone()
    });
    let kinds = [(Caps::OWNS_PROCESS, "owned"), (Caps::MONITORS, "watched")];
    for (kind, word) in kinds {
        if !caps.has(kind) {
            continue;
        }
        let directory = scratch.join(word);
        std::fs::create_dir(&directory)
            .map_err(|error| rc_sv_api::Error::io(directory.display(), &error))?;
        let result = there.clone().and_then(|_| {
            let scene = Scene::new(&directory)?;
            match kind {
                Caps::MONITORS => Watching::new(open()?, scene)?.run(sheet),
                _ => Owning::new(open()?, caps, scene)?.run(sheet),
            }
            Ok(())
        });
        if let Err(objection) = result {
            let why = format!("a service that is {word}: {}", objection.text);
            sheet.settle(
                "behaviour",
                Err(Objection {
                    text: why,
                    ..objection
                }),
            );
        }
    }
    if kinds.iter().all(|(kind, _)| !caps.has(*kind)) {
        let why = "it claims neither RC_SV_CAP_OWNS_PROCESS nor RC_SV_CAP_MONITORS";
        sheet.settle("behaviour", Err(not_run(why)));
    }
    sheet.check("manners", || Manners::now()?.compare(&before));
    sheet.check("children", children);
    sheet.check("standard output", || {
        is_silent(&scratch.join(STDOUT), "standard output")
    });
    sheet.check("standard error", || {
        is_silent(&scratch.join(STDERR), "standard error")
    });
    Ok(())
}

/// Whether the supervisor is there.
fn probe(module: &Opened<'_>, caps: Caps) -> Finding {
    let (answer, now) = module.probe()?;
    let deaf = module.probe_deaf();
    if deaf != answer.result {
        return Err(wrong(format!(
            "probe answered {}, and with NULL for both places {deaf}",
            answer.result
        )));
    }
    match answer.result {
        0 if !caps.has(Caps(now)) => Err(wrong(format!(
            "probe has the capabilities {now:#x}, the table only {:#x}",
            caps.0
        ))),
        0 => Ok("the supervisor is there".into()),
        RC_SV_E_UNAVAILABLE | RC_SV_E_NOT_RUNNING => Err(not_run(answer.text)),
        // Honest, as long as it claims nothing.
        RC_SV_E_UNSUPPORTED if caps == Caps(0) => Err(not_run(answer.text)),
        _ => Err(wrong(format!("probe {}", answer.shown()))),
    }
}

/// Whether the module has left children to its host.
fn children() -> Finding {
    use nix::sys::wait::{waitpid, WaitPidFlag};
    match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Err(nix::Error::ECHILD) => Ok("none is left".into()),
        _ => Err(wrong(
            "left a child process to its host; run commands by host->run, and reap what you fork",
        )),
    }
}
