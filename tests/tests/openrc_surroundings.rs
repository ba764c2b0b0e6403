//! The daemon's surroundings are those that OpenRC's own supervise-daemon gives it.

mod openrc;

use openrc::{each_shell, rc, spawns, start, supervised, INTERNAL, KILL, RECORDED, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;

/// Settings, each in a service of its own.
const CASES: [&str; 9] = [
    "",
    "command_user=nobody",
    "command_user=nobody:daemon",
    "directory=/usr",
    "umask=027",
    "rc_ulimit='-n 77'",
    "export SSD_NICELEVEL=3 SSD_OOM_SCORE_ADJ=123 SSD_IONICELEVEL=2:6",
    "supervise_daemon_args='-N 4 --umask 0007'",
    "supervise_daemon_args='-e \"GREETING=hello world\" --oom-score-adj 77'",
];

/// What the kernel knows of a process, as far as it is not about this very one.
fn surroundings(lab: &Lab, service: &str, pid: i32) -> String {
    // The recorder says that it is there while it is a shell still, which has a file open.
    until("the recorder sleeps", SOON, || {
        (lab.text(format!("/proc/{pid}/comm")) == "sleep\n").then_some(())
    });
    let facts = lab.sh(&format!(
        "cd /proc/{pid}; grep -E '^(Umask|Uid|Gid|Groups|SigBlk|Cap|NoNewPrivs)' status; \
         cut -d' ' -f19 stat; cat limits oom_score_adj cgroup; readlink cwd root; \
         for fd in fd/*; do echo $fd; readlink $fd; done; ionice -p {pid}; \
         tr '\\0' '\\n' <environ | grep -v -e ^_= -e ^LOGNAME= | sort"
    ));
    // A module may use a cgroup of its own within the service's.
    let facts = facts.ok().replace(service, "NAME");
    facts.replace("NAME/rc-sv\n", "NAME\n")
}

/// The lines that only one of the two has.
fn difference(ours: &str, stock: &str) -> Vec<String> {
    let only = |these: &str, those: &str, whose: &str| -> Vec<String> {
        let those: Vec<&str> = those.lines().collect();
        let only = these.lines().filter(|line| !those.contains(line));
        only.map(|line| format!("{whose}: {line}")).collect()
    };
    [
        only(ours, stock, "only here"),
        only(stock, ours, "only in stock"),
    ]
    .concat()
}

/// Starts a service with these settings, and returns its pid and surroundings.
fn begin(lab: &Lab, service: &str, settings: &str, module: &str) -> (i32, String) {
    lab.service(service, &format!("{RECORDED}supervisor=supervise-daemon\n"));
    lab.conf(service, &format!("{module}{settings}\n"));
    lab.sh(&format!("mkdir -m 1777 /tmp/{service}")).ok();
    let pid = start(lab, service);
    (pid, surroundings(lab, service, pid))
}

#[test]
fn they_are_those_of_supervise_daemon_at_the_start_and_after() {
    each_shell(|lab| {
        let mut differences = Vec::new();
        for (number, settings) in CASES.into_iter().enumerate() {
            let (_, expected) = begin(lab, &format!("stock{number}"), settings, "");
            let service = format!("ours{number}");
            let (first, found) = begin(lab, &service, settings, INTERNAL);
            differences.push((settings, "started", difference(&found, &expected)));

            lab.kill(first, KILL);
            let second = spawns(lab, &service, 2)[1];
            let found = surroundings(lab, &service, second);
            differences.push((settings, "respawned", difference(&found, &expected)));
            rc(lab, &service, "stop").ok();
        }
        differences.retain(|(.., lines)| !lines.is_empty());
        assert!(differences.is_empty(), "{differences:#?}");
    });
}

#[test]
fn what_a_service_loads_into_its_daemon_stays_out_of_the_supervisor() {
    each_shell(|lab| {
        supervised(lab, "foo", "export LD_BIND_NOW=1");
        let daemon = start(lab, "foo");
        let environment = |pid: &str| lab.sh(&format!("tr '\\0' '\\n' </proc/{pid}/environ")).ok();
        assert!(environment(&daemon.to_string()).contains("LD_BIND_NOW=1"));
        let supervisor = lab.sh("cat /run/openrc/rc-sv/.internal/pid").ok();
        let found = environment(supervisor.trim());
        assert!(found.contains("PATH=") && !found.contains("LD_"), "{found}");
    });
}
