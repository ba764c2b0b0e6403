//! Modules that do harm, in hosts such as openrc-run: nobody but the operation notices.

mod capi;

use capi::{install, lab, run};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;
use std::time::Duration;

/// Far longer than anything here takes.
const SOON: Duration = Duration::from_secs(30);

/// Each harm, what the host says in a forked child, and what when rc-sv-loader does it.
const HARMS: [(&str, &str, &str); 13] = [
    ("segv", "-126 module segv: start: killed by SIGSEGV", ""),
    ("abort", "-126 module abort: start: killed by SIGABRT", ""),
    ("killed", "-126 module killed: start: killed by SIGKILL", ""),
    (
        "overflow",
        "-126 module overflow: start: killed by SIGSEGV",
        "-126 module overflow: start: killed by SIGABRT",
    ),
    (
        "exits",
        "-126 module exits: start: called exit() instead of returning",
        "-126 module exits: start: ended its process with exit code 3 instead of returning",
    ),
    (
        "closes",
        "-126 module closes: start: closed descriptors that are not its own",
        "",
    ),
    (
        "hangs",
        "-7 module hangs: start: did not return within 7000 ms and was killed",
        "",
    ),
    (
        "stopped",
        "-7 module stopped: start: did not return within 7000 ms and was killed",
        "",
    ),
    ("forks", "0", ""),
    ("threads", "0", ""),
    ("changes", "0", ""),
    ("prints", "0", ""),
    (
        "constructor",
        "-126 module constructor: start: killed by SIGSEGV",
        "",
    ),
];

#[test]
fn nobody_is_harmed_but_the_operation() {
    let lab = lab();
    for (name, _, _) in HARMS {
        let options: &[&str] = if name == "constructor" {
            &["-DCONSTRUCTOR"]
        } else {
            &[]
        };
        install(&lab, name, options);
    }
    let all = ["fork", "exec", "fork handlers", "threads handlers"];
    std::thread::scope(|scope| {
        for (service, isolation) in ["a", "b", "c", "d"].into_iter().zip(all) {
            let lab = &lab;
            scope.spawn(move || nobody_else_is_harmed(lab, service, isolation));
        }
    });
    // What was opened in the place of a descriptor that was closed has got nothing of ours.
    assert_eq!(lab.text("/tmp/stolen"), "");
}

/// Each harm, by a host that has operations done as `isolation` says.
fn nobody_else_is_harmed(lab: &Lab, service: &str, isolation: &str) {
    for (name, forked, executed) in HARMS {
        let is_fork = isolation.starts_with("fork");
        let said = if is_fork || executed.is_empty() {
            forked
        } else {
            executed
        };
        // After the harm the host is where it was, and its next operation works.
        let words =
            format!("{isolation} start {service} {name} , here , modules , describe internal");
        let argv = [capi::HOST].into_iter().chain(words.split_whitespace());
        // Two seconds more are the module's own: time enough to get as far as the harm.
        let limit = match name {
            "hangs" | "stopped" => "5000",
            _ => "0",
        };
        let run = lab.run(argv).dir("/srv").env("TIMEOUT_MS", limit);
        let output = run.output();
        let which = format!("{isolation} {name}: {output}");
        // One that is loaded as the host starts says nothing.
        let log = match name {
            "constructor" => "",
            _ => "line 5 NAME: here it comes\n",
        };
        let log = log.replace("NAME", name);
        let begin = format!("open: 0\n{log}start: {said}\nhere /srv heard\nmodule daemontools");
        assert!(output.stdout.starts_with(&begin), "{which}");
        assert!(output.stdout.contains("\ndescribe: 0\n"), "{which}");
        let end = match isolation.ends_with("handlers") {
            true => "closed\nat_exit\n",
            false => "closed\n",
        };
        assert!(output.stdout.ends_with(end), "{which}");
        assert_eq!(
            output.stdout.matches("at_exit").count(),
            end.lines().count() - 1,
            "{which}"
        );
        assert_eq!(output.code(), i32::from(said != "0"), "{which}");
        let printed = if name == "prints" { "printed\n" } else { "" };
        // A program in Rust says so when its stack is at its end.
        if is_fork || name != "overflow" {
            assert_eq!(output.stderr, printed, "{which}");
        }
        // The second one that returns may be a moment behind.
        assert!(name == "forks" || !output.held_open, "{which}");
    }
}

#[test]
fn a_host_that_reaps_everything_loses_no_result() {
    let lab = lab();
    install(&lab, "segv", &[]);
    let life = "life foo internal respawn_delay=0 -- /bin/sleep 4242 , reaped";
    // In process too: the supervisor is begun by the keeper.
    let output = run(&lab, &format!("handlers direct {life}"));
    assert_eq!(output.code(), 0, "{output}");
    for isolation in ["handlers", "handlers threads"] {
        let output = run(&lab, &format!("{isolation} {life}"));
        assert_eq!(output.code(), 0, "{output}");
        let end = "reaped some\nclosed\nat_exit\n";
        assert!(output.stdout.ends_with(end), "{output}");
        let many = ["status foo"; 50].join(" , ");
        let output = run(&lab, &format!("{isolation} {many}"));
        assert_eq!(output.stdout.matches("status: 0\n").count(), 50, "{output}");
        let many = ["start foo segv"; 10].join(" , ");
        let output = run(&lab, &format!("{isolation} {many}"));
        let line = "start: -126 module segv: start: killed by SIGSEGV\n";
        assert_eq!(output.stdout.matches(line).count(), 10, "{output}");
    }
}

#[test]
fn what_a_crashed_start_leaves_can_be_stopped() {
    let lab = lab();
    install(&lab, "abort", &[]);
    let output = run(&lab, "start foo abort , status foo , stop foo , status foo");
    let expected = "open: 0\n\
        line 5 abort: here it comes\n\
        start: -126 module abort: start: killed by SIGABRT\n\
        service foo module abort state down standing 3 result 0 \n\
        status: 0\n\
        stop: 0\n\
        service foo module  state unmanaged standing 3 result 0 \n\
        status: 0\n\
        closed\n";
    assert_eq!(output.stdout, expected, "{output}");
}

#[test]
fn a_service_is_attached_and_detached() {
    let lab = lab();
    install(&lab, "calm", &["-DCAPS=RC_SV_CAP_MONITORS"]);
    let output = run(
        &lab,
        "attach foo calm , status foo , detach foo , detach foo",
    );
    let expected = "open: 0\n\
        line 5 calm: here it comes\n\
        attach: 0\n\
        service foo module calm state down standing 3 result 0 \n\
        status: 0\n\
        detach: 0\n\
        detach: -3 no module has started it: /run/openrc/rc-sv/foo has no record\n\
        closed\n";
    assert_eq!(output.stdout, expected, "{output}");
}

#[test]
fn a_host_without_standard_descriptors_is_served() {
    let lab = lab();
    let life = "life foo internal respawn_delay=0 -- /bin/sleep 4242";
    for isolation in ["fork", "exec"] {
        for closed in ["<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"] {
            let host = capi::HOST;
            let output = lab.sh(&format!("{host} {isolation} {life} {closed}"));
            assert_eq!(output.code(), 0, "{isolation} {closed}: {output}");
        }
    }
}

#[test]
fn a_host_that_leaves_meanwhile_leaves_nothing_behind() {
    let lab = lab();
    install(&lab, "hangs", &[]);
    for isolation in ["fork", "exec"] {
        let words = format!("{isolation} handlers start foo hangs");
        let argv = [capi::HOST].into_iter().chain(words.split_whitespace());
        let job = lab.run(argv).env("TIMEOUT_MS", "10000").spawn();
        lab.wait_for_file("/tmp/hangs", |_| true, SOON);
        // The module hangs by now; openrc-run ends at once.
        job.kill(15);
        let output = job.wait(SOON);
        assert_eq!(output.code(), 99, "{isolation}: {output}");
        assert!(!output.stdout.contains("at_exit"), "{output}");
        // What hangs is killed in its time, and then the keeper has nothing to do.
        until("no process is left", SOON, || {
            let left = lab.sh("pgrep -f '[h]ost|[r]c-sv-loader'").stdout;
            left.is_empty().then_some(())
        });
        lab.sh("rm /tmp/hangs").ok();
    }
}
