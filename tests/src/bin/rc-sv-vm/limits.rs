//! Limits of cgroups, with the controllers of version 2.

use rc_sv_tests::lab::until;

use crate::machine::{exists, ok, sh, text, Service, AT_ONCE, SOON};

/// The number that stands behind this word in a file of a cgroup.
fn count(path: &str, word: &str) -> u64 {
    let text = text(path);
    let value = |line: &str| line.strip_prefix(word)?.trim().parse().ok();
    text.lines()
        .find_map(value)
        .unwrap_or_else(|| panic!("{path}: no {word}: {text}"))
}

/// Takes all the memory that there is, when it is told to.
const EATER: &str =
    "command=/bin/sh\ncommand_args=\"-c 'read word </tmp/eat; exec tail /dev/zero'\"\n";

const STARVED: &str = "killed for want of memory by the kernel";

/// What takes more than it may is killed by the kernel; that is said, and the policy goes on.
pub fn memory_max_kills() {
    ok("rm -f /tmp/eat; mkfifo /tmp/eat");
    let conf = "rc_supervise_memory_max=48M\nrespawn_delay=3600\n";
    let service = Service::new("eater", EATER, conf);
    service.start();
    let max = format!("{}/memory.max", service.cgroup());
    assert_eq!(text(max), "50331648\n");
    let events = format!("{}/memory.events", service.cgroup());
    assert_eq!(count(&events, "oom_kill "), 0);
    ok("echo all >/tmp/eat");
    service.until_status(&["  waiting  ", STARVED]);
    assert_eq!(count(&events, "oom_kill "), 1);
    let json = service.json();
    assert!(json.contains("killed by KILL"), "{json}");
    service.stop();
    // The policy takes it for a crash as any other: once more, and not twice.
    let limit = "rc_supervise_memory_max=48M\nrespawn_max=1\nrespawn_period=3600\n";
    let service = Service::new("eater", EATER, &format!("{AT_ONCE}{limit}"));
    service.start();
    ok("echo all >/tmp/eat");
    service.until_status(&["  up  ", "1 restart"]);
    ok("echo all >/tmp/eat");
    service.until_status(&["gave up", STARVED]);
    assert!(exists("/run/openrc/failed/eater"));
}

/// More processes than it may have are refused to it, and to nobody else.
pub fn pids_max_refuses() {
    let script = "command=/bin/sh\ncommand_args=\"-c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 4242 & done; wait'\"\n";
    let service = Service::new(
        "forker",
        script,
        "rc_supervise_pids_max=5\nrespawn_delay=3600\n",
    );
    service.start();
    let cgroup = service.cgroup();
    let events = format!("{cgroup}/pids.events");
    until("it is refused", SOON, || {
        (count(&events, "max ") > 0).then_some(())
    });
    assert_eq!(text(format!("{cgroup}/pids.max")), "5\n");
    assert!(count(&format!("{cgroup}/pids.current"), "") <= 5);
    service.stop();
    assert!(!ok("ps -e -o args").contains("sleep 4242"));
}

/// Ours and OpenRC's own stand beside each other, and hold for each run.
pub fn all_hold_at_once() {
    let conf =
        "rc_supervise_cpu_weight=50\nrc_supervise_pids_max=100\nrc_supervise_memory_max=64M\n\
                rc_cgroup_settings='\ncpu.max 50000 100000\nmemory.high 60000000\n'\n";
    let service = Service::probe("limited", "", &format!("{AT_ONCE}{conf}"));
    service.start();
    let first = service.starts(1)[0].clone();
    assert_eq!(first.path("cgroup").to_str(), Some("/limited/rc-sv"));
    crate::machine::kill_and_wait(first.pid());
    service.starts(2);
    let status = service.until_status(&["1 restart"]);
    assert!(!status.contains("limits"), "{status}");
    for (file, value) in [
        ("cpu.weight", "50\n"),
        ("pids.max", "100\n"),
        ("memory.max", "67108864\n"),
        ("cpu.max", "50000 100000\n"),
        ("memory.high", "59998208\n"),
    ] {
        assert_eq!(
            text(format!("{}/{file}", service.cgroup())),
            value,
            "{file}"
        );
    }
    // The supervisor is in none of them.
    let pid = text("/run/openrc/rc-sv/.internal/pid");
    let own = text(format!("/proc/{}/cgroup", pid.trim()));
    assert_eq!(own, "0::/rc-sv-supervisor\n");
    service.stop();
    assert!(!exists(service.cgroup()));
}

struct Suite {
    module: &'static str,
    scanner: &'static str,
    command: &'static str,
    directory: &'static str,
    /// What shows the module that the scanner has come to its directory, of the process `$pid`.
    is_at_work: &'static str,
}

const SUITES: [Suite; 3] = [
    Suite {
        module: "s6",
        scanner: "s6-svscan",
        command: "command=/usr/bin/s6-svscan\ncommand_args=/run/openrc/s6-scan",
        directory: "/run/openrc/s6-scan",
        is_at_work: "readlink /proc/$pid/fd/* | grep -q /s6-scan/.s6-svscan/control",
    },
    Suite {
        module: "runit",
        scanner: "runsvdir",
        command: "command=/usr/bin/runsvdir\ncommand_args='-P /run/openrc/sv'",
        directory: "/run/openrc/sv",
        is_at_work: "tr '\\0' ' ' </proc/$pid/cmdline | grep -q 'runsvdir -P /run/openrc/sv'",
    },
    Suite {
        module: "daemontools",
        scanner: "svscan",
        command: "command=/usr/bin/svscan\ncommand_args=/run/openrc/svscan",
        directory: "/run/openrc/svscan",
        is_at_work: "readlink /proc/$pid/cwd | grep -qx /run/openrc/svscan",
    },
];

impl Suite {
    /// Starts its scanner.
    fn begin(&self) -> Service {
        let Suite {
            scanner,
            command,
            directory,
            is_at_work,
            ..
        } = self;
        let script = format!(
            "{command}\ncommand_background=yes\npidfile=/run/{scanner}.pid\n\
             start_pre() {{ checkpath -d {directory}; }}"
        );
        let service = Service::new(scanner, &script, "rc_supervise_module=");
        service.start();
        until("the scanner is at work", SOON, || {
            let look = format!("pid=$(cat /run/{scanner}.pid) && {is_at_work}");
            sh(&look).0.then_some(())
        });
        service
    }
}

/// Under the supervisors of others, which know nothing of limits.
pub fn suites_hold_them_too() {
    ok("rm -f /tmp/eat; mkfifo /tmp/eat");
    for suite in SUITES {
        let scanner = suite.begin();
        let module = suite.module;
        let conf = format!(
            "rc_supervise_memory_max=48M\nrc_supervise_pids_max=5\nrc_supervise_cpu_weight=50\n\
             respawn_delay=3600\nrc_supervise_module={module}\n"
        );
        // A cgroup of that other one may still be there, with its counts.
        let service = Service::new("devourer", EATER, &conf);
        service.start();
        let cgroup = service.cgroup();
        for (file, value) in [
            ("memory.max", "50331648\n"),
            ("pids.max", "5\n"),
            ("cpu.weight", "50\n"),
        ] {
            assert_eq!(text(format!("{cgroup}/{file}")), value, "{module}: {file}");
        }
        ok("echo all >/tmp/eat");
        service.until_status(&[STARVED]);
        let kills = count(&format!("{cgroup}/memory.events"), "oom_kill ");
        assert_eq!(kills, 1, "{module}");
        service.stop();
        scanner.stop();
        assert!(!exists(cgroup), "{module}");
    }
}
