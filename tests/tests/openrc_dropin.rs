//! A service that uses no module runs exactly as without the drop-in.

mod openrc;

use openrc::{each_shell, shells, INTERNAL, SOON};
use rc_sv_tests::Lab;

/// One of each kind of stock service.
const STOCK: [(&str, &str); 9] = [
    (
        "plain",
        "command=/bin/sleep\ncommand_args=4242\ncommand_background=yes\npidfile=/run/plain.pid",
    ),
    (
        "sup",
        "command=/bin/sleep\ncommand_args=4242\nsupervisor=supervise-daemon",
    ),
    (
        "own",
        "start() { ebegin Own; eend 0; }\nstop() { ebegin No own; eend 0; }",
    ),
    ("wrap", "command=/bin/true\nstart() { default_start; }"),
    ("empty", "name=Empty"),
    (
        "bogus",
        "command=/bin/true\ncommand_args=x\nsupervisor=bogus",
    ),
    ("viarunit", "supervisor=runit"),
    ("vias6", "supervisor=s6"),
    (
        "extra",
        "description=Extra\nextra_started_commands=reload\nstart() { :; }\nstop() { :; }\n\
         reload() { einfo reloaded; }\ndescription_reload=Reloads",
    ),
];

/// Everything one can ask of a service.
const COMMANDS: [&str; 11] = [
    "status", "reload", "start", "status", "start", "reload", "describe", "restart", "stop",
    "status", "stop",
];

/// What OpenRC's own programs write in the background when these services start, without which it
/// takes them for crashed.
const WRITTEN: [(&str, &str); 2] = [
    ("plain", "/run/plain.pid"),
    ("sup", "/run/openrc/options/sup/child_pid"),
];

/// What the stock services say and answer, and OpenRC's tree of dependencies.
fn behaviour(lab: &Lab) -> String {
    for (name, script) in STOCK {
        lab.service(name, script);
    }
    // The one service that is installed is a service more.
    lab.sh("rm -f /etc/init.d/svscan").ok();
    let mut seen = String::new();
    lab.sh("rc-update --update").ok();
    for (name, _) in STOCK {
        for command in COMMANDS {
            let output = openrc::rc(lab, name, command);
            seen += &format!("{name} {command}: {}\n{}", output.code(), output.all());
            let written = WRITTEN.iter().find(|(service, _)| *service == name);
            if let (Some((_, path)), "start" | "restart") = (written, command) {
                lab.wait_for_file(path, |bytes| !bytes.is_empty(), SOON);
            }
        }
    }
    seen + &lab.text("/run/openrc/deptree")
}

#[test]
fn stock_services_do_and_say_the_same() {
    shells(|shell| {
        let without = behaviour(&Lab::builder().shell(shell).without_stage().build());
        let with = behaviour(&Lab::builder().shell(shell).build());
        assert_eq!(with, without);
        for sign in [
            "plain status: 0",
            "sup status: 0",
            "Invalid supervisor",
            "reloaded",
        ] {
            assert!(without.contains(sign), "no '{sign}' in:\n{without}");
        }
    });
}

/// How many programs a command executes and how many processes it makes.
fn processes(lab: &Lab, service: &str, command: &str) -> (usize, usize) {
    lab.sh(&format!(
        "strace -f -qq -o /tmp/trace -e trace=execve,fork,vfork,clone,clone3 \
         rc-service {service} {command}"
    ));
    let trace = lab.text("/tmp/trace");
    // Only what succeeded: a fork that a signal interrupts is tried again.
    let done = |line: &&str| {
        let result = line.rsplit_once(" = ").map(|(_, result)| result);
        result.is_some_and(|result| result.starts_with(|first: char| first.is_ascii_digit()))
    };
    let program = |line: &&str| line.contains(" execve(") || line.contains(" execve resumed");
    let (programs, made): (Vec<_>, Vec<_>) = trace.lines().filter(done).partition(program);
    (programs.len(), made.len())
}

#[test]
fn stock_services_cost_no_process_more() {
    shells(|shell| {
        let counts = |lab: Lab| {
            lab.service("own", "start() { :; }\nstop() { :; }");
            lab.service("plain", "command=/bin/true\ncommand_args=x");
            lab.sh("rc-update --update").ok();
            [
                ("own", "start"),
                ("own", "status"),
                ("own", "stop"),
                ("plain", "start"),
                ("plain", "status"),
                ("plain", "stop"),
            ]
            .map(|(service, command)| processes(&lab, service, command))
        };
        let without = counts(Lab::builder().shell(shell).without_stage().build());
        let with = counts(Lab::builder().shell(shell).build());
        assert_eq!(with, without);
        assert!(
            without
                .iter()
                .all(|(programs, made)| *programs > 2 && *made > 2),
            "{without:?}"
        );
    });
}

#[test]
fn librc_takes_no_line_for_a_setting() {
    let text = Lab::new().text("/etc/rc.conf.d/zz-rc-sv.conf");
    for line in text.lines().map(str::trim_start) {
        let line = line.split('#').next().unwrap_or_default();
        let key = line.split_once('=').map_or("", |(key, _)| key);
        assert!(
            !key.to_lowercase().starts_with("rc_"),
            "librc would take: {line}"
        );
    }
}

#[test]
fn other_scripts_of_openrc_get_nothing_of_it() {
    each_shell(|lab| {
        let output = lab.sh(". /etc/rc.conf.d/zz-rc-sv.conf\n\
             set >/tmp/variables; grep -i -e ^_rcsv -e ^rc_ /tmp/variables\n\
             trap\n\
             for name in default_start default_stop default_status default_reload sourcex _rcsv; do\n\
             command -v $name; done; true");
        assert_eq!((output.code(), output.all().as_str()), (0, ""), "{output}");
    });
}

#[test]
fn a_debian_script_without_openrc_is_left_alone() {
    each_shell(|lab| {
        let script = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: lsb\n### END INIT INFO\n\
                      echo \"lsb $1\"\n";
        lab.write("/etc/init.d/lsb", script, 0o755);
        lab.conf("lsb", INTERNAL);
        assert_eq!(openrc::rc(lab, "lsb", "start").ok(), "lsb start\n");
        assert_eq!(openrc::rc(lab, "lsb", "stop").ok(), "lsb stop\n");
    });
}

#[test]
fn a_missing_implementation_is_named() {
    each_shell(|lab| {
        openrc::supervised(lab, "foo", "");
        lab.sh("chmod -x /usr/libexec/rc-sv/rc-sv.sh && mv /usr/libexec/rc-sv/rc-sv.sh /tmp/")
            .ok();
        let output = openrc::rc(lab, "foo", "start");
        assert_eq!(output.code(), 1, "{output}");
        let said = "/usr/libexec/rc-sv/rc-sv.sh is missing: reinstall rc-sv";
        assert!(output.all().contains(said), "{output}");
        assert_eq!(openrc::rc(lab, "foo", "status").code(), 3);
    });
}
