//! The clock on the wall is set a day forth and back, while something waits: nothing comes sooner or
//! later for that, and nobody is taken for somebody else.

use std::thread;
use std::time::Duration;

use crate::machine::{
    exists, is_alive, kill_and_wait, ok, text, up, uptime_lines, Service, AT_ONCE, SOON,
};
use crate::survive::{guardian, kill_both, supervisor};
use rc_sv_tests::lab::until;

const DAY: i64 = 24 * 3600;

/// Both jumps; afterwards the clock is as it was.
const JUMPS: [i64; 2] = [DAY, -DAY];

/// Sets the clock on the wall.
fn jump(seconds: i64) {
    ok(&format!("date -s @$(($(date +%s) + {seconds}))"));
}

/// A pause before a respawn is as long as it was.
pub fn a_pause_stays_as_long() {
    let conf = "respawn_delay=4\nrc_supervise_jitter=0\nrc_supervise_min_interval=0\n";
    for (name, by) in ["pause1", "pause2"].into_iter().zip(JUMPS) {
        let service = Service::probe(name, "", conf);
        service.start();
        let died = up();
        kill_and_wait(service.starts(1)[0].pid());
        service.until_status(&["  waiting  ", "restarting in"]);
        jump(by);
        let said = service.status();
        let next = service.starts(2)[1].time();
        let pause = next.saturating_sub(died);
        assert!(pause >= Duration::from_secs(4), "{name}: {pause:?}: {said}");
    }
}

/// A pause grows with each respawn: a jump makes no run a long one, after which it would begin anew.
pub fn pauses_grow_all_the_same() {
    let conf = "respawn_delay=2\nrespawn_delay_step=2\nrespawn_max=0\nrc_supervise_jitter=0\n\
                rc_supervise_min_interval=0\nrc_supervise_reset_after=3600\n";
    let service = Service::probe("growing", "", conf);
    service.start();
    for round in 1..=4 {
        let last = service.starts(round)[round - 1].pid();
        jump(JUMPS[round % 2]);
        let died = up();
        kill_and_wait(last);
        let next = service.starts(round + 1)[round].time();
        let pause = next.saturating_sub(died);
        assert!(
            pause >= Duration::from_secs(2 * round as u64),
            "{round}: {pause:?}"
        );
    }
}

/// What was given up, for as many respawns as before a jump, is tried again after as long.
pub fn given_up_for_as_long() {
    let conf = format!("{AT_ONCE}respawn_max=1\nrespawn_period=7200\nrc_supervise_retry_after=6\n");
    for (name, by) in ["tried1", "tried2"].into_iter().zip(JUMPS) {
        let service = Service::probe(name, "", &conf);
        service.start();
        kill_and_wait(service.starts(1)[0].pid());
        let second = service.starts(2)[1].pid();
        jump(by);
        let died = up();
        kill_and_wait(second);
        until("it is given up", SOON, || {
            exists(format!("/run/openrc/failed/{name}")).then_some(())
        });
        jump(-by);
        let next = service.starts(3)[2].time();
        let pause = next.saturating_sub(died);
        assert!(pause >= Duration::from_secs(6), "{name}: {pause:?}");
        service.until_status(&["  up  "]);
        assert_eq!(service.reports("start").len(), 3);
    }
}

/// A health check comes at its interval, and a service that is well stays up.
pub fn health_is_looked_at_as_often() {
    ok(
        "rm -f /tmp/looks; printf '#!/bin/sh\\ncut -d\" \" -f1 /proc/uptime >>/tmp/looks\\n' \
        >/tmp/look; chmod 755 /tmp/look",
    );
    let conf = "rc_supervise_health='exec:/tmp/look interval=4s'\n";
    let service = Service::probe("healthy", "", conf);
    service.start();
    let looks = |count: usize| {
        until(&format!("{count} looks"), SOON, || {
            let looks = uptime_lines("/tmp/looks");
            (looks.len() >= count).then_some(looks)
        })
    };
    for by in JUMPS {
        let seen = looks(1).len();
        jump(by);
        looks(seen + 2);
    }
    for pair in looks(1).windows(2) {
        // One that begins late makes the next distance shorter, but not to nothing.
        let between = pair[1].saturating_sub(pair[0]);
        assert!(between >= Duration::from_secs(2), "{between:?}");
    }
    assert_eq!(service.reports("start").len(), 1);
}

/// A stop gives a service as much time as its ladder says.
pub fn a_stop_waits_as_long() {
    for (name, by) in ["slow1", "slow2"].into_iter().zip(JUMPS) {
        let service = Service::probe(name, "--ignore TERM", "retry=TERM/4/KILL/60\n");
        service.start();
        let pid = service.starts(1)[0].pid();
        let begun = up();
        let stop = thread::spawn(move || ok(&format!("rc-service {name} stop")));
        until("TERM", SOON, || {
            (!service.reports("signal").is_empty()).then_some(())
        });
        jump(by);
        stop.join().expect("a stop");
        let lasted = up().saturating_sub(begun);
        assert!(
            !is_alive(pid) && lasted >= Duration::from_secs(4),
            "{lasted:?}"
        );
    }
}

/// A log is exchanged by its age on the wall, once for each jump, and nothing of it is lost.
pub fn logs_lose_nothing() {
    let script = "command=/bin/sh\ninput_file=/tmp/say\n\
                  command_args=\"-c 'while read word; do echo \\$word; done'\"\n";
    let conf =
        "output_log=/tmp/said\nrc_supervise_log_max_age=3600\nrc_supervise_log_timestamp=yes\n";
    ok("rm -f /tmp/say /tmp/said*; mkfifo /tmp/say");
    // Somebody holds it open, so that the service reads no end of file.
    let mut holder = std::process::Command::new("/bin/sh");
    let mut holder = holder
        .args(["-c", "exec sleep 4245 <>/tmp/say"])
        .spawn()
        .expect("sh");
    let service = Service::new("writer", script, conf);
    service.start();
    let say = |word: &str| {
        ok(&format!("echo {word} >/tmp/say"));
        let today = ok("date -u +%FT");
        until(word, SOON, || {
            let said = text("/tmp/said");
            let line = said.lines().last()?;
            (line.starts_with(today.trim()) && line.ends_with(word)).then_some(())
        });
    };
    say("one");
    jump(DAY);
    say("two");
    jump(-DAY);
    say("three");
    say("four");
    let ends = |path: &str| -> Vec<String> {
        let text = text(path);
        let words = text.lines().filter_map(|line| line.split(' ').next_back());
        words.map(str::to_string).collect()
    };
    assert_eq!(ends("/tmp/said.2"), ["one"]);
    assert_eq!(ends("/tmp/said.1"), ["two"]);
    assert_eq!(ends("/tmp/said"), ["three", "four"]);
    assert!(!exists("/tmp/said.3"));
    service.stop();
    holder.kill().and_then(|()| holder.wait()).expect("a child");
}

/// Processes are known again by whoever takes over, whatever the clock says then.
pub fn nobody_is_mistaken() {
    let service = Service::probe("known", "", "");
    service.start();
    let pid = service.starts(1)[0].pid();
    for by in JUMPS {
        jump(by);
        kill_and_wait(supervisor());
        service.until_status(&["  up  ", &format!("pid {pid} ")]);
        kill_and_wait(guardian());
        service.until_status(&["  up  ", &format!("pid {pid} ")]);
        supervisor();
        kill_both();
        service.until_status(&["  up  ", &format!("pid {pid} ")]);
    }
    assert_eq!(service.reports("start").len(), 1);
    let json = service.json();
    let lasted = json
        .split("\"lasted_ms\":")
        .nth(1)
        .and_then(|it| it.split(',').next());
    let lasted: u64 = lasted.and_then(|it| it.parse().ok()).expect("lasted_ms");
    assert!(lasted < 3_600_000, "{json}");
    service.stop();
}
