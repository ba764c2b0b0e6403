//! What proves monit's columns: labs in which monit runs, and what only a module that watches does.

pub mod alert;
pub mod deeds;
pub mod health;
pub mod pace;
pub mod start;
pub mod stop;

use crate::behaviour::Scene;
use crate::modules::Module;
use crate::monit;
use crate::suite::openrc::SOON;
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;
use std::fmt::Write;

/// The services of all proofs: what is given, or is monit's own, has to name them.
const NAMES: [&str; 9] = [
    "foo", "bar", "slow", "fast", "long", "short", "ladder", "stopsig", SICK,
];

/// The service whose given control file always finds a fault.
pub const SICK: &str = "sick";

/// A lab in which monit watches as `module` says.
pub fn scene(module: Module) -> Scene {
    let mut own = String::new();
    if module.kind == Some("native") {
        for name in NAMES {
            // Writing to a string cannot fail.
            let _ = writeln!(own, "{}  if does not exist then alert", check(name));
        }
        own += &check("own");
        own += "  start program = \"/usr/local/bin/again\"\n";
    }
    let lab = monit::lab_with(&own);
    if module.kind == Some("file") {
        for name in NAMES {
            give(&lab, name);
        }
    }
    lab.sh("monit -c /etc/monitrc").ok();
    until("monit", SOON, || {
        (monit::ask(&lab, &["summary"]).code() == 0).then_some(())
    });
    Scene { lab, module }
}

fn check(name: &str) -> String {
    format!("check process {name} with pidfile /run/{name}.pid\n")
}

/// Gives the control file of a service, as an administrator writes it.
fn give(lab: &Lab, name: &str) {
    lab.sh("mkdir -p /etc/conf.d/monit-files && chmod 755 /etc/conf.d/monit-files")
        .ok();
    let respawn = format!("/usr/libexec/rc-sv/rc-sv-exec respawn /run/openrc/rc-sv/{name} exited");
    let mut text = format!(
        "{}  if does not exist then exec \"{respawn}\" repeat every 1 cycles\n",
        check(name)
    );
    if name == SICK {
        let exec = respawn.replace("exited", "exec");
        text += &format!("  if total memory > 1 KB then exec \"{exec}\" repeat every 1 cycles\n");
    }
    lab.write(format!("/etc/conf.d/monit-files/{name}"), text, 0o644);
}
