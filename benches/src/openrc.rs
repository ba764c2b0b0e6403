//! `rc-service SERVICE start` and `stop` as a person sees them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::contender::{program, succeed, STAMP};
use crate::figure::Figure;
use crate::stamps::Stamps;
use crate::{clock, Result};

/// Starts and stops of each.
const ROUNDS: usize = 30;
/// Longest start, in seconds.
const LONG: u64 = 10;

/// The names of the sections.
pub const START: &str = "rc-service start";
/// See [`START`].
pub const STOP: &str = "rc-service stop";

/// A service with the supervision of this name.
struct Service {
    name: &'static str,
    /// What stands in its conf.d.
    conf: &'static str,
    number: u32,
}

/// What is compared. Stock OpenRC first.
const SERVICES: [Service; 3] = [
    Service {
        name: "start-stop-daemon",
        conf: "command_background=yes\npidfile=/run/bench/start-stop-daemon.pid\n",
        number: 1,
    },
    Service {
        name: "supervise-daemon",
        conf: "supervisor=supervise-daemon\n",
        number: 2,
    },
    Service {
        name: "internal",
        conf: "rc_supervise_module=internal\n",
        number: 3,
    },
];

/// Times starts and stops in turn. `with_rc_sv`: internal as well.
pub fn measure(stamps: &mut Stamps, first: u32, with_rc_sv: bool) -> Result<Vec<Figure>> {
    let services = &SERVICES[..if with_rc_sv { 3 } else { 2 }];
    for service in services {
        write(service, first).map_err(|error| format!("{}: {error}", service.name))?;
    }
    let mut starts = vec![Vec::new(); services.len()];
    let mut stops = vec![Vec::new(); services.len()];
    // The first round fills caches, OpenRC's own among them.
    for round in 0..=ROUNDS {
        for (index, service) in services.iter().enumerate() {
            let number = first + service.number;
            let deadline = clock::in_seconds(LONG);
            let start = timed(service, "start")?;
            stamps.of(number, deadline)?;
            let stop = timed(service, "stop")?;
            stamps.forget(number..number + 1);
            if round > 0 {
                starts[index].push(start);
                stops[index].push(stop);
            }
        }
    }
    let figures = |section, samples: Vec<Vec<u64>>| {
        let figure = move |(service, samples): (&Service, Vec<u64>)| {
            Figure::ns(section, service.name, &samples)
        };
        services.iter().zip(samples).map(figure)
    };
    Ok(figures(START, starts).chain(figures(STOP, stops)).collect())
}

fn write(service: &Service, first: u32) -> std::io::Result<()> {
    let script = format!("/etc/init.d/timed-{}", service.name);
    let number = first + service.number;
    let text = format!("#!/sbin/openrc-run\ncommand={STAMP}\nexport STAMP={number}\n");
    fs::write(&script, text)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    fs::create_dir_all("/etc/conf.d")?;
    fs::write(format!("/etc/conf.d/timed-{}", service.name), service.conf)
}

fn timed(service: &Service, operation: &str) -> Result<u64> {
    let mut command: Command = program("rc-service");
    command.args([&format!("timed-{}", service.name), operation]);
    let (ns, result) = clock::time(|| succeed(&mut command));
    result.map(|()| ns)
}
