//! runit: 2.1 to 2.3.

use super::{Nudge, Suite};
use crate::observed::{Observed, Phase, Wants};
use crate::tai64n::Tai64n;

/// runit.
pub static RUNIT: Suite = Suite {
    name: "runit",
    description: "supervision by runit: one supervisor for each service",
    scanner: "runsvdir",
    supervisor: "runsv",
    scanner_service: "runsvdir",
    openrc_scan_dir: "sv",
    scan_dirs: &[
        "/run/runit/service",
        "/etc/service",
        "/var/service",
        "/service",
    ],
    nudge: Nudge::Wake,
    alive: "ok",
    once: b'o',
    end_files: &["control/t", "control/d"],
    kill_setting: None,
    forgets_end: true,
    finish: true,
    listens: false,
    tai_offset: 10,
    decode,
    native_setting: "runit_service",
    native_root: Some("/etc/sv"),
};

fn decode(bytes: &[u8]) -> Option<Observed> {
    let raw: &[u8; 20] = bytes.try_into().ok()?;
    let pid = i32::try_from(u32::from_le_bytes([raw[12], raw[13], raw[14], raw[15]])).ok()?;
    Some(Observed {
        since: Tai64n::decode(raw)?,
        phase: match (raw[19], pid) {
            (0, _) | (1, 0) => Phase::Down,
            (1, pid) => Phase::Run(pid),
            // runsv says so before it begins it.
            (2, pid) => Phase::Finish((pid != 0).then_some(pid)),
            _ => return None,
        },
        // Also for "once".
        wants: if raw[17] == b'u' {
            Wants::Up
        } else {
            Wants::Down
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

    /// Of runit 2.1.2.
    const UP: &str = "400000006b02a7182631948cab71000000750001";

    #[test]
    fn what_runit_wrote_is_understood() {
        let up = decode(&bytes(UP)).unwrap();
        assert_eq!((up.phase, up.wants), (Phase::Run(29099), Wants::Up));
        assert!(!up.paused && !up.ready);
    }

    #[test]
    fn every_state_is_told_apart() {
        let with = |at: usize, byte: u8| {
            let mut raw = bytes(UP);
            raw[at] = byte;
            decode(&raw)
        };
        assert_eq!(with(19, 0).unwrap().phase, Phase::Down);
        assert_eq!(with(19, 2).unwrap().phase, Phase::Finish(Some(29099)));
        let mut between = bytes(UP);
        between[12..20].copy_from_slice(&[0, 0, 0, 0, 0, b'd', 0, 2]);
        assert_eq!(decode(&between).unwrap().phase, Phase::Finish(None));
        assert_eq!(with(19, 3), None);
        assert_eq!(with(17, b'd').unwrap().wants, Wants::Down);
        assert!(with(16, 1).unwrap().paused);
        assert_eq!(with(15, 0x80), None, "no pid");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(raw in hostile()) {
            prop_assert!(decode(&raw).is_none() || raw.len() == 20);
        }
    }
}
