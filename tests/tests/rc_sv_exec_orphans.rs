//! rc-sv-exec when a supervisor is killed: never a second copy, and no service is lost.

mod exec;

use exec::{
    each_suite, probe, service, start, start_count, starts, stop, supervise, supervisor, until,
    until_down, until_up, AT_ONCE, KILL, SOON,
};
use rc_sv_tests::lab::until as wait_until;
use rc_sv_tests::Lab;

/// Says so in /tmp/two when the one before it still runs, then stays for as long as it is told.
const SINGLE: &str = r#"#!/bin/dash
old=$(cat /tmp/pid 2>/dev/null)
echo $$ >/tmp/pid
if [ -n "$old" ] && read -r pid name state rest <"/proc/$old/stat"; then
    [ "$state" = Z ] || [ "$old" = $$ ] || echo "$old ($state) $$" >>/tmp/two
fi 2>/dev/null
echo $$ >>/tmp/runs
exec sleep "$1"
"#;

fn single(lab: &Lab) -> Option<i32> {
    String::from_utf8_lossy(&lab.try_read("/tmp/pid").ok()?)
        .trim()
        .parse()
        .ok()
}

/// Kills twenty supervisors, each after as many milliseconds as chance says.
fn kill_twenty(lab: &Lab, suite: exec::Suite) {
    let mut chance = u64::from(std::process::id()) + suite as u64;
    for _ in 0..20 {
        let supervisor = supervise(lab, suite);
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        lab.sh(&format!("sleep 0.{:03}", (chance >> 33) % 300)).ok();
        lab.sh(&format!("kill -KILL {}", supervisor.pid));
        // The next one could not lock its directory before; whoever could not has said so.
        let end = supervisor.wait(SOON);
        let was_killed = end.code() == 128 + KILL;
        assert!(was_killed || end.all().contains("lock"), "{suite:?}: {end}");
    }
    assert!(
        !lab.exists("/tmp/two"),
        "{suite:?}: {}",
        lab.text("/tmp/two")
    );
}

#[test]
fn there_is_never_a_second_copy_of_what_stays() {
    each_suite(|suite, lab| {
        lab.write("/tmp/single", SINGLE, 0o755);
        service(lab, suite, &["/tmp/single", "1000"], &AT_ONCE);
        kill_twenty(lab, suite);
        let _supervisor = supervise(lab, suite);
        let alive = wait_until("the service", SOON, || {
            single(lab).filter(|pid| lab.exists(format!("/proc/{pid}")))
        });
        assert_eq!(
            lab.text("/tmp/runs").lines().count(),
            1,
            "the first one stays"
        );
        lab.kill(alive, KILL);
        lab.wait_for_lines("/tmp/runs", 2, SOON);
        assert!(!lab.exists("/tmp/two"));
    });
}

#[test]
fn there_is_never_a_second_copy_of_what_crashes() {
    each_suite(|suite, lab| {
        lab.write("/tmp/single", SINGLE, 0o755);
        let settings = [
            ("respawn_max", "0"),
            ("rc_supervise_finish", "/bin/sleep 0.01"),
        ];
        service(
            lab,
            suite,
            &["/tmp/single", "0.03"],
            &[&AT_ONCE[..], &settings].concat(),
        );
        kill_twenty(lab, suite);
        let before = lab.text("/tmp/runs").lines().count();
        let _supervisor = supervise(lab, suite);
        lab.wait_for_lines("/tmp/runs", before + 3, SOON);
        assert!(!lab.exists("/tmp/two"), "{}", lab.text("/tmp/two"));
    });
}

/// A service whose supervisor was killed and replaced; its pid.
fn adopted(lab: &Lab, suite: exec::Suite, options: &[&str]) -> i32 {
    probe(lab, suite, options, &AT_ONCE);
    let first = supervise(lab, suite);
    let pid = starts(lab, 1)[0].pid();
    until(lab, "phase", "running");
    first.kill(KILL);
    first.wait(SOON);
    let second = format!("{}\n", supervise(lab, suite).pid);
    let path = "/run/openrc/rc-sv/.supervisors/foo";
    lab.wait_for_file(path, |pid| pid == second.as_bytes(), SOON);
    pid
}

#[test]
fn what_a_supervisor_left_is_looked_after_by_the_next() {
    each_suite(|suite, lab| {
        let pid = adopted(lab, suite, &["--exit-on", "USR1=7"]);
        assert_eq!((start_count(lab), until_up(lab)), (1, pid));
        lab.kill(pid, 10);
        // Linux tells how it ended from 6.15 on.
        let record = until(lab, "restarts", "1");
        assert_eq!(
            record.get("exit"),
            if knows_ends_of_strangers() {
                "code 7"
            } else {
                "unknown"
            }
        );
        starts(lab, 2);
    });
}

fn knows_ends_of_strangers() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release
        .split(['.', '-'])
        .map(|word| word.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap(), numbers.next().unwrap()) >= (6, 15)
}

#[test]
fn a_stop_reaches_it() {
    each_suite(|suite, lab| {
        let pid = adopted(lab, suite, &[]);
        stop(lab);
        lab.wait_dead(pid, SOON);
        until(lab, "phase", "down");
        until_down(lab, suite);
        assert_eq!(start_count(lab), 1);
        start(lab);
        starts(lab, 2);
    });
}

#[test]
fn whoever_looks_after_it_may_be_killed_too() {
    each_suite(|suite, lab| {
        let pid = adopted(lab, suite, &["--ignore", "TERM"]);
        // The child of the supervisor, which is not the program.
        let beside = lab.sh(&format!("pgrep -P {}", supervisor(lab))).ok();
        let beside: i32 = beside.trim().parse().unwrap();
        assert_ne!(beside, pid);
        lab.kill(beside, KILL);
        if suite.has_finish() {
            // The supervisor wanted to kill the program, and finish does that.
            lab.wait_dead(pid, SOON);
            starts(lab, 2);
        } else {
            // The next run looks after it.
            wait_until("another one beside it", SOON, || {
                let other = lab.sh(&format!("pgrep -P {}", supervisor(lab))).all();
                other
                    .trim()
                    .parse()
                    .ok()
                    .filter(|other: &i32| *other != beside)
            });
            assert_eq!(start_count(lab), 1);
        }
    });
}

#[test]
fn what_is_wanted_down_is_not_started_by_a_new_supervisor() {
    each_suite(|suite, lab| {
        probe(lab, suite, &[], &AT_ONCE);
        let first = supervise(lab, suite);
        until_up(lab);
        stop(lab);
        until(lab, "phase", "down");
        until_down(lab, suite);
        first.kill(KILL);
        first.wait(SOON);
        let _second = supervise(lab, suite);
        until_down(lab, suite);
        assert_eq!(start_count(lab), 1);
        start(lab);
        starts(lab, 2);
    });
}

#[test]
fn a_full_state_directory_takes_no_service_down() {
    each_suite(|suite, lab| {
        lab.sh("mkdir -p -m 711 /run/openrc/rc-sv && mount -t tmpfs -o size=64k,mode=711 x /run/openrc/rc-sv").ok();
        probe(lab, suite, &[], &AT_ONCE);
        let _supervisor = supervise(lab, suite);
        let first = until_up(lab);
        lab.sh("! cat /dev/zero >/run/openrc/rc-sv/full").ok();
        for count in 2..4 {
            let last = starts(lab, count - 1).pop().unwrap().pid();
            lab.kill(last, KILL);
            starts(lab, count);
        }
        lab.sh("rm /run/openrc/rc-sv/full").ok();
        lab.kill(starts(lab, 3).pop().unwrap().pid(), KILL);
        starts(lab, 4);
        assert_ne!(until_up(lab), first);
        stop(lab);
        until(lab, "phase", "down");
        until_down(lab, suite);
    });
}

/// A runscript that hangs, and the respawn for which it is run.
#[test]
fn a_runscript_for_which_nobody_waits_any_more_is_ended() {
    each_suite(|suite, lab| {
        let hang = "#!/bin/dash\necho $$ >>/tmp/hung\nsleep 4243 &\necho $! >>/tmp/below\nwait\n";
        lab.write("/tmp/script", hang, 0o755);
        let settings = [
            ("rc_supervise_respawn", "script"),
            ("runscript", "/tmp/script"),
        ];
        probe(lab, suite, &[], &[&AT_ONCE[..], &settings].concat());
        let first = supervise(lab, suite);
        let pid = until_up(lab);
        lab.kill(pid, KILL);
        // What the script has begun, and who waits for the script.
        let below = |count: usize| -> i32 {
            let lines = lab.wait_for_lines("/tmp/below", count, SOON);
            lines[count - 1].parse().expect("a pid")
        };
        let hung = below(1);
        let waits = lab.sh("ps -o ppid= -p $(cat /tmp/hung)").ok();
        first.kill(KILL);
        lab.kill(waits.trim().parse().expect("a pid"), KILL);
        let _second = supervise(lab, suite);
        lab.wait_dead(hung, SOON);
        let hung = below(2);
        stop(lab);
        lab.wait_dead(hung, SOON);
        until_down(lab, suite);
        assert_eq!(start_count(lab), 1);
    });
}
