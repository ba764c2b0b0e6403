//! The parser of conf.d in C: what it takes is what a shell takes, and nothing harms it. Runs under
//! the address and undefined behaviour sanitizers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A directory for one test, with the parser.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("conf-{name}"));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let output = Command::new("cc")
            .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g", "-O1"])
            .args([
                "-fsanitize=address,undefined",
                "-fno-sanitize-recover=all",
                "-I",
            ])
            .arg(tests.join("../include"))
            .arg("-I")
            .arg(tests.join("../openrc/applet"))
            .arg(tests.join("../openrc/applet/conf.c"))
            .arg(tests.join("tests/fixtures/conf.c"))
            .arg("-o")
            .arg(place.join("parser"))
            .output()
            .expect("cc");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        Place(place)
    }

    /// `number/conf.d` with these files, and an empty `init.d`.
    fn add(&self, number: usize, files: &[(&str, &[u8])]) {
        let root = self.0.join(number.to_string());
        fs::create_dir_all(root.join("conf.d")).unwrap();
        fs::create_dir_all(root.join("init.d")).unwrap();
        for (name, bytes) in files {
            fs::write(root.join("conf.d").join(name), bytes).unwrap();
        }
    }

    /// What the parser says of each of the first `count` directories.
    fn parse(&self, count: usize) -> Vec<Result<BTreeMap<String, Vec<u8>>, String>> {
        let output = Command::new(self.0.join("parser"))
            .args((0..count).map(|number| number.to_string()))
            .current_dir(&self.0)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{said}");
        let mut all = vec![Ok(BTreeMap::new())];
        for text in output.stdout.split(|byte| *byte == 0) {
            let last = all.last_mut().unwrap();
            match text.split_first() {
                None => all.push(Ok(BTreeMap::new())),
                Some((b'!', why)) => *last = Err(String::from_utf8_lossy(why).into_owned()),
                Some(_) => {
                    let at = text.iter().position(|byte| *byte == b'=').unwrap();
                    let name = String::from_utf8(text[..at].to_vec()).unwrap();
                    last.as_mut().unwrap().insert(name, text[at + 1..].to_vec());
                }
            }
        }
        all.truncate(count);
        assert_eq!(all.len(), count);
        all
    }
}

/// The shell's view of the file: whether it could be read at all, and the settings.
fn shell(file: &Path) -> Output {
    Command::new("/bin/dash")
        .args(["-c", "set -f; . \"$0\"; printf '%s\\0%s' \"$one\" \"$two\""])
        .arg(file)
        .env_clear()
        .env("PATH", "/nowhere")
        .env("HOME", "/home/x")
        .output()
        .expect("dash")
}

/// Pseudo-random numbers, the same ones in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}

const FRAGMENTS: [&str; 30] = [
    "a", "b c", "'", "'", "\"", "\"", "\\", "$", "$HOME", "`", " ", "\n", "\t", "#", ";", "=",
    "one=", "\none=", " two=", "\ntwo=", "export ", "if", "~", "&", "\\\n", "é", "*", "!", "''",
    "\r",
];

#[test]
fn what_it_takes_is_what_a_shell_takes() {
    const COUNT: usize = 800;
    let place = Place::new("shell");
    let mut chance = Chance(1);
    for number in 0..COUNT {
        let mut text = String::from("one=");
        for _ in 0..=chance.below(9) {
            text += FRAGMENTS[chance.below(FRAGMENTS.len())];
        }
        place.add(number, &[("x.y", text.as_bytes())]);
    }
    let (mut taken, mut quoted) = (0, 0);
    for (number, parsed) in place.parse(COUNT).into_iter().enumerate() {
        let file = place.0.join(number.to_string()).join("conf.d/x.y");
        let (Ok(parsed), output) = (parsed, shell(&file)) else {
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        // What a shell cannot read does not start a service either.
        if !output.stderr.is_empty() {
            continue;
        }
        let get = |name: &str| parsed.get(name).cloned().unwrap_or_default();
        let ours = [get("one"), get("two")].join(&0);
        assert_eq!(
            String::from_utf8_lossy(&ours),
            String::from_utf8_lossy(&output.stdout),
            "{text:?}"
        );
        taken += 1;
        quoted += usize::from(text.contains('\'') || text.contains('\\'));
    }
    assert!(taken > 100 && quoted > 30, "{taken} taken, {quoted} quoted");
}

#[test]
fn nothing_harms_it() {
    const COUNT: usize = 3000;
    let place = Place::new("harm");
    let mut chance = Chance(2);
    for number in 0..COUNT {
        let mut bytes: Vec<u8> = (0..chance.below(60))
            .map(|_| chance.below(256) as u8)
            .collect();
        for _ in 0..chance.below(6) {
            bytes.extend(FRAGMENTS[chance.below(FRAGMENTS.len())].bytes());
        }
        place.add(number, &[("x", &bytes), ("x.y.default", &bytes)]);
    }
    let parsed = place.parse(COUNT);
    assert!(parsed.iter().filter(|parsed| parsed.is_err()).count() > COUNT / 2);
}

#[test]
fn files_are_those_that_openrc_reads_in_its_order() {
    let place = Place::new("files");
    place.add(0, &[("x", b"one=1\ntwo=1\nthree=1\n"), ("x.y", b"two=2\n")]);
    place.add(
        1,
        &[
            ("x", b"one=1\n"),
            ("x.default", b"two=2"),
            ("x.y.boot", b"one=3"),
        ],
    );
    place.add(
        2,
        &[
            ("x.y", b"one=1\n"),
            ("x.y.default", b"export two=2 three=3; one=''"),
        ],
    );
    place.add(3, &[("x", b"one=1\nfi\n"), ("x.y", b"two=2\n")]);
    place.add(4, &[("x.y", &[b'#'; 256 * 1024])]);
    place.add(5, &[("x.y", b"one=1\0")]);
    place.add(6, &[("x.y", b"\n\nrc_supervise_what=1")]);
    place.add(7, &[]);
    let shown = |parsed: &Result<BTreeMap<String, Vec<u8>>, String>| match parsed {
        Ok(all) => {
            let text = |(name, value): (&String, &Vec<u8>)| {
                format!("{name}={} ", String::from_utf8_lossy(value))
            };
            all.iter().map(text).collect::<String>()
        }
        Err(why) => why.replace(&place.0.display().to_string(), ""),
    };
    let plain = "is no plain assignment, which is all that can be read here";
    let expected = [
        "one=1 three=1 two=2 ".to_string(),
        "two=2 ".into(),
        "one= three=3 two=2 ".into(),
        format!("/3/conf.d/x:2: {plain}"),
        "/4/conf.d/x.y:1: is too long".into(),
        "/5/conf.d/x.y:1: contains NUL bytes".into(),
        "/6/conf.d/x.y:3: no such setting".into(),
        String::new(),
    ];
    let all: Vec<String> = place.parse(expected.len()).iter().map(shown).collect();
    assert_eq!(all, expected);
}
