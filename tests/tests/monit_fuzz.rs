//! Ten thousand commands and paths with hostile bytes: each is refused in one line, or taken by the
//! real monit, and arrives in the executed program as it was.

mod monit;

use monit::openrc::SOON;
use monit::{ask, lab};
use rc_sv_monit::control_file::render::{render, Found, Watched};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;

const COUNT: usize = 10_000;
/// So many go into one control file.
const BATCH: usize = 500;

/// A small generator, so that each run tries the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// A word of bytes that mean something to monit, and any others.
    fn word(&mut self) -> Vec<u8> {
        const PARTS: [&[u8]; 24] = [
            b"'",
            b"\"",
            b"\\",
            b"\\n",
            b"\\0x41",
            b"#",
            b" ",
            b"if",
            b"then",
            b"{",
            b"}",
            b"(",
            b";",
            b"$HOME",
            b"%s",
            b"<a>",
            b"&amp;",
            b"\n",
            b"\t",
            b"set daemon 1",
            b"include",
            b"\xff",
            b"\xc3\xa4",
            b"x",
        ];
        let mut word = Vec::new();
        for _ in 0..self.below(7) {
            match self.below(4) {
                0 => word.push(self.below(255) as u8 + 1),
                _ => word.extend_from_slice(PARTS[self.below(PARTS.len())]),
            }
        }
        if self.below(200) == 0 {
            word = vec![b'"'; self.below(5_000)];
        }
        word
    }
}

/// Leaves its arguments in the file that is the first after the script. monit executes it at each
/// look, and does not wait for the one before.
const DUMP: &[u8] = b"cat /proc/$$/cmdline >\"$0.$$\" && mv \"$0.$$\" \"$0\"";

/// What is executed for number `number`, with hostile words.
fn command(chance: &mut Chance, number: usize) -> Vec<Vec<u8>> {
    let place = format!("/tmp/out/{number}");
    let mut words: Vec<Vec<u8>> = [b"/bin/sh", b"-c".as_slice(), DUMP, place.as_bytes()]
        .map(<[u8]>::to_vec)
        .to_vec();
    let count = if chance.below(300) == 0 {
        70
    } else {
        chance.below(8)
    };
    words.extend((0..count).map(|_| chance.word()));
    words
}

/// A service whose process is never there, so that monit executes at once.
fn watched(chance: &mut Chance, number: usize) -> Watched {
    let mut path = b"/nowhere/".to_vec();
    path.extend(chance.word());
    Watched {
        name: format!("s{number}"),
        found: Found::Pidfile(path),
        start: vec![b"/bin/true".to_vec(), chance.word()],
        stop: vec![b"/bin/true".to_vec()],
        respawn: command(chance, number),
        is_alerted: false,
        checks: Vec::new(),
        poll: 1,
    }
}

/// Has monit execute all of a batch, and compares.
fn run(lab: &Lab, batch: &[Watched], text: &str) {
    lab.write("/run/openrc-monit/batch.monitrc", text, 0o600);
    ask(lab, &["-t"]).ok();
    let monit = monit::monit(lab);
    for watched in batch {
        let place = String::from_utf8_lossy(&watched.respawn[3]).into_owned();
        until(&place, SOON, || lab.exists(&place).then_some(()));
        let mut expected = watched.respawn.clone();
        expected.push(b"exited".to_vec());
        let mut bytes = expected.join(&0);
        bytes.push(0);
        assert!(lab.read(&place) == bytes, "{place}: {expected:?}");
    }
    lab.kill(monit::monit_pid(lab), 9);
    monit.wait(SOON);
    lab.sh("rm -rf /tmp/out/* /run/monit.* /var/lib/monit/*")
        .ok();
}

#[test]
fn what_monit_takes_arrives_as_it_was() {
    let lab = lab();
    lab.sh("mkdir -m 700 /run/openrc-monit /tmp/out").ok();
    let mut chance = Chance(0x5eed_1234_9876_abcd);
    let (mut refused, mut taken) = (0, 0);
    let (mut batch, mut text) = (Vec::new(), String::new());
    for number in 0..COUNT {
        let watched = watched(&mut chance, number);
        match render(&watched) {
            Err(error) => {
                assert!(!error.message.contains('\n'), "{}", error.message);
                refused += 1;
            }
            Ok(rendered) => {
                text.push_str(&rendered.text);
                batch.push(watched);
            }
        }
        if batch.len() == BATCH || number == COUNT - 1 {
            run(&lab, &batch, &text);
            taken += batch.len();
            batch.clear();
            text.clear();
        }
    }
    assert_eq!(refused + taken, COUNT);
    assert!(
        refused > 100 && taken > 1_000,
        "{refused} refused, {taken} taken"
    );
}
