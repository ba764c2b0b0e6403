//! Supervisors that are killed at moments that nobody has chosen.
#![allow(clippy::print_stdout)] // The seed, for people.

use super::openrc::{alive, rc, KILL, SOON};
use super::Suite;
use rc_sv_tests::lab::{until, until_ok};
use rc_sv_tests::Lab;
use serde_json::Value;
use std::time::Duration;

/// So many services there are.
const SERVICES: usize = 20;
/// So many supervisors are killed at least; `make kills` has 100 killed, by `RC_SV_KILLS`.
const KILLS: usize = 40;
/// A round may take so long: some scanners look every five seconds, and commands wait for them.
const LONG: Duration = Duration::from_secs(90);

/// Holds a lock as long as it lives, and notes when another one has it. Its argument is its name.
/// It has no child that could hold the lock after it was killed.
const WITNESS: &str = r#"#!/usr/bin/perl
$^F = 255;
sub note { open my $file, '>>', $_[0] or die; print $file "$$\n"; close $file }
open my $lock, '>', "/tmp/$ARGV[0].lock" or die;
flock $lock, 2 | 4 or note "/tmp/doubled";
note "/tmp/$ARGV[0].spawns";
exec 'sleep', "4242.$ARGV[0]";
"#;

/// There is never a second copy and none is lost, whatever the supervisor was doing.
pub fn supervisors_are_killed_at_random(suite: &Suite) {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let seed = number("RC_SV_SEED").unwrap_or(20_261_122);
    let wanted = number("RC_SV_KILLS").map_or(KILLS, |kills| kills as usize);
    println!("{}: RC_SV_SEED={seed}", suite.module);
    let mut random = Random(seed);
    let lab = suite.lab();
    lab.write("/srv/witness", WITNESS, 0o755);
    for service in 0..SERVICES {
        let name = name(service);
        let script = format!("command=/srv/witness\ncommand_args={service}");
        lab.service(&name, &script);
        let conf = "respawn_delay=0\nrc_supervise_min_interval=0\nretry=KILL/20";
        lab.conf(
            &name,
            &format!("rc_supervise_module={}\n{conf}\n", suite.module),
        );
    }
    // OpenRC looks through all services once.
    rc(&lab, &name(0), "start").ok();
    at_once(
        &lab,
        (0..SERVICES).map(|it| format!("rc-service {} start", name(it))),
    );
    settle(suite, &lab);
    let mut kills = 0;
    while kills < wanted {
        at_once(&lab, (0..SERVICES).map(|it| random.deed(suite, it)));
        settle(suite, &lab);
        let before = kills;
        kills = lab.text("/tmp/kills").lines().count();
        assert!(kills > before, "nothing was killed");
    }
    println!("{}: {kills} kills", suite.module);
    ends_are_recorded(suite, &lab, &mut random);
    at_once(
        &lab,
        (0..SERVICES).map(|it| format!("rc-service {} stop", name(it))),
    );
    suite.assert_nothing_left(&lab);
    assert_eq!(lab.pids("sleep"), [0; 0]);
    assert!(!lab.exists("/tmp/doubled"));
}

/// The suite by itself, with a directory that was written by hand: what the modules prevent where
/// they can. So the witness sees a second copy.
pub fn a_directory_by_hand_is_not_guarded(suite: &Suite) {
    let lab = suite.lab();
    lab.write("/srv/witness", WITNESS, 0o755);
    lab.write("/srv/native/run", "#!/bin/sh\nexec /srv/witness 0\n", 0o755);
    lab.service("foo", "description=native\n");
    let conf = format!("{}=/srv/native\n", suite.setting);
    lab.conf(
        "foo",
        &format!("rc_supervise_module={}\n{conf}", suite.module),
    );
    rc(&lab, "foo", "start").ok();
    let first = lab.wait_for_lines("/tmp/0.spawns", 1, SOON)[0].clone();
    lab.kill(suite.supervisor_of(&lab, "foo"), KILL);
    lab.wait_for_lines("/tmp/doubled", 1, SOON);
    assert!(alive(&lab, first.parse().expect("a pid")));
}

fn name(service: usize) -> String {
    format!("killed{service}")
}

/// Runs these shell commands at the same time, and waits for all of them.
fn at_once(lab: &Lab, commands: impl Iterator<Item = String>) {
    let all: Vec<String> = commands.map(|it| format!("{{ {it}; }} &")).collect();
    let script = format!("{} wait", all.join("\n"));
    let run = lab.run(["/bin/bash", "-c", &script]);
    run.timeout(LONG).output().ok();
}

/// Waits until each service has one supervisor, which knows its one process.
fn settle(suite: &Suite, lab: &Lab) {
    for service in 0..SERVICES {
        let name = name(service);
        let pids = format!(
            "pgrep -fx '{} {name}'; echo; pgrep -fx 'sleep 4242.{service}'; echo; \
             cat /run/openrc/rc-sv/.supervisors/{name}",
            suite.supervisor
        );
        until_ok(&format!("{name} as it was"), LONG, || {
            let said = lab.sh(&pids).all();
            let status = status(lab, &name).unwrap_or_default();
            let found = || format!("{status}: {said}");
            let [supervisor, process, known] = said.split("\n\n").collect::<Vec<_>>()[..] else {
                return Err(found());
            };
            let is_up =
                status["state"] == "up" && status["pid"].as_i64() == process.trim().parse().ok();
            let is_known = is_up && supervisor.trim() == known.trim();
            is_known.then_some(()).ok_or_else(found)
        });
        // It has the lock as long as it lives, and no other one came to see that.
        assert!(!lab.exists("/tmp/doubled"), "{name}");
    }
}

/// What the module says of it.
fn status(lab: &Lab, name: &str) -> Option<Value> {
    let said = lab.sh(&format!("rc-sv-loader status --json {name}")).all();
    serde_json::from_str(&said).ok()
}

/// How a process ended that has another supervisor than the one that began it is recorded, where
/// the kernel tells.
fn ends_are_recorded(suite: &Suite, lab: &Lab, random: &mut Random) {
    let kill = |it| format!("pkill -KILL -fx '{} {}'", suite.supervisor, name(it));
    at_once(lab, (0..SERVICES).map(kill));
    settle(suite, lab);
    let signals: Vec<u64> = (0..SERVICES)
        .map(|_| [1, 6, 9, 10, 15][random.below(5)])
        .collect();
    let pids: Vec<Value> = (0..SERVICES)
        .map(|it| status(lab, &name(it)).expect("a status")["pid"].clone())
        .collect();
    let end = |it: usize| format!("pkill -{} -fx 'sleep 4242.{it}'", signals[it]);
    at_once(lab, (0..SERVICES).map(end));
    // Linux 6.15 has made it possible.
    let release = lab.sh("uname -r").ok();
    let mut parts = release
        .split(['.', '-'])
        .filter_map(|part| part.parse::<u32>().ok());
    let tells = (parts.next(), parts.next()) >= (Some(6), Some(15));
    for (service, signal) in signals.iter().enumerate() {
        let exit = until("another process", LONG, || {
            let status = status(lab, &name(service))?;
            let is_new = status["state"] == "up" && status["pid"] != pids[service];
            is_new.then(|| status["last_exit"].clone())
        });
        if tells {
            assert_eq!(exit["value"], *signal, "{exit}");
        }
    }
    settle(suite, lab);
}

/// Numbers that look random (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    /// A pause, for a shell.
    fn pause(&mut self, most_ms: usize) -> String {
        let ms = self.below(most_ms);
        format!("sleep {}.{:03}", ms / 1000, ms % 1000)
    }

    /// A shell command that kills the supervisor of the service, and perhaps more.
    fn deed(&mut self, suite: &Suite, service: usize) -> String {
        let name = name(service);
        let kill = format!(
            "pkill -KILL -fx '{} {name}' && echo {name} >>/tmp/kills",
            suite.supervisor
        );
        let end = format!("pkill -KILL -fx 'sleep 4242.{service}'");
        // One that fails for the lack of a supervisor works when there is one again.
        let command = |verb: &str| format!("rc-service {name} {verb} || rc-service {name} {verb}");
        let (first, second) = match self.below(6) {
            // The supervisor only.
            0 => (kill, ":".to_owned()),
            // The process, while nobody watches it or when the next one does.
            1 => (kill, format!("{}; {end}", self.pause(3_000))),
            // While the end is dealt with.
            2 => (end, format!("{}; {kill}", self.pause(40))),
            // The next one too, while it takes the process over.
            3 => (
                format!(
                    "{kill}; until pgrep -fx '{} {name}' >/dev/null; do sleep 0.005; done",
                    suite.supervisor
                ),
                format!("{}; {kill}", self.pause(40)),
            ),
            // During a restart in one step, and in two.
            4 => {
                let pause = self.pause(60);
                let restart = format!("rc-sv-loader restart {name} || rc-sv-loader restart {name}");
                (
                    format!("{{ {pause}; {kill}; }} &"),
                    format!("{restart}; wait"),
                )
            }
            _ => {
                let pause = self.pause(400);
                let restart = command("restart");
                (
                    format!("{{ {pause}; {kill}; }} &"),
                    format!("{restart}; wait"),
                )
            }
        };
        format!("{}; {first}\n{second}", self.pause(1_000))
    }
}
