//! daemontools: 0.76.

use super::{Nudge, Suite};
use crate::observed::{Observed, Phase, Wants};
use crate::tai64n::Tai64n;

/// daemontools.
pub static DAEMONTOOLS: Suite = Suite {
    name: "daemontools",
    description: "supervision by daemontools: one supervisor for each service",
    scanner: "svscan",
    supervisor: "supervise",
    scanner_service: "svscan",
    openrc_scan_dir: "svscan",
    scan_dirs: &["/service", "/etc/service"],
    nudge: Nudge::None,
    alive: "ok",
    once: b'o',
    end_files: &[],
    kill_setting: None,
    forgets_end: false,
    finish: false,
    listens: false,
    tai_offset: 10,
    decode,
    native_setting: "daemontools_service",
    native_root: None,
};

fn decode(bytes: &[u8]) -> Option<Observed> {
    let raw: &[u8; 18] = bytes.try_into().ok()?;
    let pid = i32::try_from(u32::from_le_bytes([raw[12], raw[13], raw[14], raw[15]])).ok()?;
    Some(Observed {
        since: Tai64n::decode(raw)?,
        phase: match pid {
            0 => Phase::Down,
            pid => Phase::Run(pid),
        },
        wants: match raw[17] {
            b'u' => Wants::Up,
            b'd' => Wants::Down,
            _ => Wants::Once,
        },
        paused: raw[16] != 0,
        ready: false,
        last_exit: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::tests::{bytes, hostile};
    use proptest::prelude::*;

    /// Of daemontools 0.76.
    const UP: &str = "400000006b02a7260c5ab64c147200000075";

    #[test]
    fn what_daemontools_wrote_is_understood() {
        let up = decode(&bytes(UP)).unwrap();
        assert_eq!((up.phase, up.wants), (Phase::Run(29204), Wants::Up));
        assert!(!up.paused && !up.ready);
    }

    #[test]
    fn every_wish_is_told_apart() {
        let with = |at: usize, byte: u8| {
            let mut raw = bytes(UP);
            raw[at] = byte;
            decode(&raw)
        };
        assert_eq!(with(17, b'd').unwrap().wants, Wants::Down);
        assert_eq!(with(17, 0).unwrap().wants, Wants::Once);
        assert!(with(16, 1).unwrap().paused);
        assert_eq!(with(15, 0x80), None, "no pid");
        let mut down = bytes(UP);
        down[12..16].fill(0);
        assert_eq!(decode(&down).unwrap().phase, Phase::Down);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(raw in hostile()) {
            prop_assert!(decode(&raw).is_none() || raw.len() == 18);
        }
    }
}
