//! The services, and what is wanted of them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::mount::{mount, MsFlags};
use nix::poll::{poll, PollTimeout};

use crate::daemon::{ARGUMENT, SAYS, SEED};
use crate::ledger::Ledger;
use crate::order::{Order, What};
use crate::process::{self, Identity};
use crate::{Options, Result};

/// The state directory, a small file system of its own.
pub const RUN: &str = "/run/openrc/rc-sv";
/// While it is there, no service ends by itself.
pub const CALM: &str = "/campaign/calm";
/// Where services have cgroups of their own, every second one.
const CGROUPS: &str = "/sys/fs/cgroup/unified";
/// How long the children sleep that services leave, in seconds: nobody else sleeps as long. The
/// thousandths are the number of the service.
const LEFT: &str = "4243.";
/// So few pids that each comes again soon.
pub const MOST_PIDS: usize = 700;

/// What is wanted of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Up,
    Down,
    /// Nobody knows: an order failed, or is on its way.
    Unknown,
}

/// The services.
pub struct Scene {
    seed: u64,
    pub names: Vec<String>,
    pub wanted: Vec<Wanted>,
    pub orders: Vec<Order>,
    /// Whether processes can be made scarce here without touching the machine.
    pub limits_pids: bool,
    /// Whether supervisors are killed while something is scarce, too.
    pub is_harsh: bool,
    /// Whether the machine's clock may be set.
    pub sets_clock: bool,
    /// Whether it is wrong just now.
    pub is_clock_set: bool,
    /// When one was killed last.
    pub killed: Option<Instant>,
}

/// Where a service reports.
pub fn report(service: &str) -> PathBuf {
    Path::new("/campaign/reports").join(service)
}

/// What it locks.
pub fn lock(service: &str) -> PathBuf {
    Path::new("/campaign/locks").join(service)
}

/// The program that a service leaves, and its argument.
pub fn left(service: &str) -> String {
    let number: usize = service[1..].parse().unwrap_or_default();
    format!("{LEFT}{number:03}")
}

/// Lets time pass.
pub fn pass(time: Duration) {
    let _ = poll(
        &mut [],
        PollTimeout::try_from(time).unwrap_or(PollTimeout::ZERO),
    );
}

impl Scene {
    /// Services that were never started.
    pub fn new(seed: u64, options: &Options) -> Result<Scene> {
        let services = options.services;
        let first = fs::read_to_string("/proc/1/comm").unwrap_or_default();
        // Whose clock may be set is there for that.
        if first.trim() != "rc-sv-lab" && !options.sets_clock {
            return Err("this is no lab: see --help".to_string());
        }
        for path in [
            RUN,
            "/campaign/reports",
            "/campaign/locks",
            "/campaign/logs",
        ] {
            fs::create_dir_all(path).map_err(|error| format!("{path}: {error}"))?;
        }
        let size = Some("size=16m,mode=711");
        mount(Some("run"), RUN, Some("tmpfs"), MsFlags::empty(), size)
            .and_then(|()| {
                mount(
                    Some(RUN),
                    RUN,
                    None::<&str>,
                    MsFlags::MS_PRIVATE,
                    None::<&str>,
                )
            })
            .map_err(|errno| format!("mount {RUN}: {errno}"))?;
        fs::set_permissions(RUN, Permissions::from_mode(0o711))
            .map_err(|error| format!("{RUN}: {error}"))?;
        Ok(Scene {
            seed,
            names: (0..services).map(|number| format!("c{number}")).collect(),
            wanted: vec![Wanted::Unknown; services],
            orders: Vec::new(),
            limits_pids: limit_pids()?,
            is_harsh: options.is_harsh,
            sets_clock: options.sets_clock,
            is_clock_set: false,
            killed: None,
        })
    }

    /// The supervisor.
    pub fn supervisor(&self) -> Option<Identity> {
        process::called("rc-sv-supervisor").first().copied()
    }

    /// The one that looks after it.
    pub fn guardian(&self) -> Option<Identity> {
        process::called("rc-sv-guardian").first().copied()
    }

    /// All instances of a service that have reported, and whether a second copy did.
    pub fn instances(&self, service: usize) -> (Vec<Identity>, bool) {
        let text = fs::read_to_string(report(&self.names[service])).unwrap_or_default();
        let doubled = text.lines().any(|line| line.starts_with("double"));
        let starts = text.lines().filter_map(|line| line.strip_prefix("start "));
        (
            starts.filter_map(|line| line.parse().ok()).collect(),
            doubled,
        )
    }

    /// The instance that was started last, if it lives.
    pub fn living(&self, service: usize) -> Option<Identity> {
        let (instances, _) = self.instances(service);
        let last = instances.last().copied().into_iter().collect::<Vec<_>>();
        process::living(&last, &self.names[service]).pop()
    }

    pub fn start_command(&self, service: usize) -> Command {
        let name = &self.names[service];
        let mut command = match has_cgroup(service) {
            true => {
                let enter = format!(
                    "mkdir -p {CGROUPS}/$0 && echo 0 >{CGROUPS}/$0/cgroup.procs && \
                     exec rc-sv-loader start $0 \"$@\""
                );
                let mut command = Command::new("/bin/sh");
                command.args(["-c", &enter, name]);
                command
            }
            false => loader(["start", name]),
        };
        command.args(["--", "/usr/lib/rc-sv-tests/rc-sv-campaign", ARGUMENT, name]);
        command.env(SEED, self.seed.to_string());
        let mut set = |name: &str, value: &str| {
            command.env(format!("RCSV_{name}"), value);
        };
        set("rc_supervise_module", "internal");
        set("respawn_max", "0");
        set("respawn_delay", ["0", "50ms"][service % 2]);
        set("respawn_delay_cap", "200ms");
        set("rc_supervise_min_interval", "0");
        set("retry", "TERM/1/KILL/5");
        match service % 8 {
            1 => set("rc_supervise_finish", "/bin/true"),
            2 => {
                set("output_log", &format!("/campaign/logs/{name}"));
                set("rc_supervise_log_timestamp", "yes");
            }
            3 | 6 => {
                set("notify", "fd:3");
                set("timeout_ready", "20000");
            }
            4 => set("rc_supervise_health", "exec:/bin/true interval=300ms"),
            5 => set("rc_supervise_kill_mode", "group"),
            _ => {}
        }
        if matches!(service % 8, 3 | 6) {
            command.env(SAYS, "yes");
        }
        command
    }

    /// Starts all for the first time.
    pub fn start_all(&mut self, ledger: &mut Ledger) -> Result<()> {
        for service in 0..self.names.len() {
            self.order(service, What::Start)?;
        }
        self.settle_orders(ledger)?;
        match ledger.said.keys().next() {
            None => Ok(()),
            Some(line) => Err(format!("a first start fails: {line}")),
        }
    }
}

/// A command of the program for people.
pub fn loader<const COUNT: usize>(words: [&str; COUNT]) -> Command {
    let mut command = Command::new("rc-sv-loader");
    command.args(words);
    command
}

/// Whether a service has a cgroup of its own.
pub fn has_cgroup(service: usize) -> bool {
    service % 2 == 0 && Path::new(CGROUPS).exists()
}

/// Lets this lab have few pids, where a namespace has a limit of its own.
fn limit_pids() -> Result<bool> {
    if !is_linux_6_14()? {
        return Ok(false);
    }
    let place = "/campaign/proc";
    let path = format!("{place}/sys/kernel/pid_max");
    let mounted = fs::create_dir_all(place).map_err(|error| format!("{place}: {error}"));
    mounted?;
    mount(
        Some("proc"),
        place,
        Some("proc"),
        MsFlags::empty(),
        None::<&str>,
    )
    .map_err(|errno| format!("mount {place}: {errno}"))?;
    fs::write(&path, MOST_PIDS.to_string()).map_err(|error| format!("{path}: {error}"))?;
    Ok(true)
}

/// Whether this kernel is Linux 6.14 or a later one.
fn is_linux_6_14() -> Result<bool> {
    let release = nix::sys::utsname::uname().map_err(|errno| format!("uname: {errno}"))?;
    let release = release.release().to_string_lossy().into_owned();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let mut number = || numbers.next()?.parse::<u32>().ok();
    Ok((number(), number()) >= (Some(6), Some(14)))
}
