//! From what a service wrote to what is written to a file.

use super::rate::Rate;
use super::{lines, stamp, Kept};

/// Longest line, in bytes; longer ones are cut.
pub const LONGEST: usize = 8_192;

/// A time, as the system says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds after 1970.
    pub real_ns: i64,
    /// Milliseconds from anywhere, which nobody sets.
    pub boot_ms: u64,
}

/// The form of what is written.
#[derive(Clone, Debug)]
pub struct Renderer {
    stamps: bool,
    rate: Rate,
}

impl Renderer {
    /// One for a stream.
    pub fn new(kept: &Kept) -> Renderer {
        Renderer {
            stamps: kept.stamps,
            rate: Rate::new(kept.rate),
        }
    }

    /// Appends lines of `bytes` to `out`, as long as it does not get longer than `room`; answers
    /// how much of `bytes` is done with. `is_end`: no more bytes will come.
    pub fn render(
        &mut self,
        bytes: &[u8],
        is_end: bool,
        now: Moment,
        room: usize,
        out: &mut Vec<u8>,
    ) -> usize {
        let mut done = 0;
        if let Some(words) = self.rate.words(now.boot_ms) {
            self.say(&words, now, out);
        }
        while let Some((content, whole)) = lines::first(&bytes[done..], LONGEST, is_end) {
            let stamp = if self.stamps { stamp::LENGTH + 1 } else { 1 };
            if out.len() + stamp + content > room {
                break;
            }
            if self.rate.allows(now.boot_ms) {
                if self.stamps {
                    stamp::put(now.real_ns, out);
                    out.extend_from_slice(&bytes[done..done + content]);
                    out.push(b'\n');
                } else {
                    out.extend_from_slice(&bytes[done..done + whole]);
                }
            }
            done += whole;
        }
        done
    }

    /// Appends a line of our own.
    pub fn say(&self, words: &str, now: Moment, out: &mut Vec<u8>) {
        if self.stamps {
            stamp::put(now.real_ns, out);
        }
        out.extend_from_slice(format!("rc-sv: {words}\n").as_bytes());
    }

    /// Whether a line is to be written at `now`, without writing it.
    pub fn allows(&mut self, now: Moment) -> bool {
        self.rate.allows(now.boot_ms)
    }

    /// What is to be said of lines that were left out.
    pub fn words(&mut self, now: Moment) -> Option<String> {
        self.rate.words(now.boot_ms)
    }

    /// When there is something to be written though the service writes nothing.
    pub fn due(&self) -> Option<u64> {
        self.rate.due()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Moment = Moment {
        real_ns: 0,
        boot_ms: 5_000,
    };

    #[test]
    fn lines_get_stamps_and_newlines() {
        let mut out = Vec::new();
        let mut renderer = Renderer::new(&Kept {
            stamps: true,
            ..Kept::default()
        });
        assert_eq!(renderer.render(b"a\nb", true, NOW, 1_000, &mut out), 3);
        let stamp = "1970-01-01T00:00:00.000000Z";
        let expected = format!("{stamp} a\n{stamp} b\n");
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn what_is_left_out_is_said_once() {
        let mut out = Vec::new();
        let mut renderer = Renderer::new(&Kept {
            rate: 2,
            ..Kept::default()
        });
        assert_eq!(
            renderer.render(b"a\nb\nc\nd\n", false, NOW, 1_000, &mut out),
            8
        );
        assert_eq!(renderer.due(), Some(6_000));
        let later = Moment {
            boot_ms: 6_000,
            ..NOW
        };
        assert_eq!(renderer.render(b"e\n", false, later, 1_000, &mut out), 2);
        let expected = "a\nb\nrc-sv: 2 lines left out: more than 2 in a second\ne\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert_eq!(renderer.due(), None);
    }

    proptest! {
        #[test]
        fn without_a_form_every_byte_is_written_once(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..500),
            room in 1usize..100,
        ) {
            let mut renderer = Renderer::new(&Kept::default());
            let (mut done, mut all) = (0, Vec::new());
            while done < bytes.len() {
                let mut out = Vec::new();
                let mut taken = renderer.render(&bytes[done..], true, NOW, room, &mut out);
                prop_assert!(out.len() <= room);
                if taken == 0 {
                    taken = renderer.render(&bytes[done..], true, NOW, 10_000, &mut out);
                }
                done += taken;
                all.extend(out);
            }
            prop_assert_eq!(all, bytes);
        }
    }
}
