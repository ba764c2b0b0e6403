//! `--describe`: one module, loaded.

use super::{print, setting, OK};
use rc_sv_api::key::Group;
use rc_sv_api::{Caps, Result};
use rc_sv_loader::{Failure, Loader, Module};
use std::fmt::Write;

/// Describes the module `name` and the settings that there are.
pub fn run(loader: &Loader, name: &str) -> std::result::Result<u8, Failure> {
    let of = |error| Failure {
        module: Some(name.to_string()),
        error,
    };
    let mut module = loader.open(name).map_err(of)?;
    let now = module.probe();
    print(&format!("{}{}", facts(&module, &now), settings()))?;
    Ok(OK)
}

fn facts(module: &Module, now: &Result<Caps>) -> String {
    let now = match now {
        Ok(caps) => names(*caps),
        Err(error) => format!("cannot be used: {error}"),
    };
    let lines = [
        ("Module", module.name().to_string()),
        ("Version", module.version().to_string()),
        ("Description", module.description().to_string()),
        ("ABI", module.abi()),
        ("File", module.path().display().to_string()),
        ("Capabilities", names(module.caps())),
        ("At present", now),
    ];
    lines
        .into_iter()
        .map(|(label, value)| format!("{label}: {value}\n"))
        .collect()
}

fn names(caps: Caps) -> String {
    let names: Vec<&str> = caps.names().collect();
    if names.is_empty() {
        return "none".into();
    }
    names.join(", ")
}

/// The settings that a module can be asked to act upon, by group.
fn settings() -> String {
    let mut text = String::new();
    for group in Group::ALL {
        let keys = setting::of_group(group).filter(|key| key.role == rc_sv_api::key::Role::Setting);
        for (index, key) in keys.enumerate() {
            // Writing to a string cannot fail.
            if index == 0 {
                let _ = writeln!(text, "\n{}:", group.headline());
            }
            let _ = writeln!(
                text,
                "  {}  ({})\n      {}",
                key.name,
                setting::facts(key),
                key.doc
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_shown_below_their_headlines() {
        let text = settings();
        assert!(text.starts_with(
            "\nWhat to run:\n  command_background  (yes or no; default no; OpenRC 0.45)\n"
        ));
        assert!(text.contains("\nHow it is stopped:\n  retry  (stop ladder;"));
        assert!(!text.contains("rc_ulimit") && !text.contains("  argv"));
    }

    #[test]
    fn no_capabilities_are_said_to_be_none() {
        assert_eq!(names(Caps(0)), "none");
        assert_eq!(names(Caps::SIGNAL | Caps::RESTARTS), "restarts, signal");
    }
}
