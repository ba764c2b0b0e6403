//! s6: 2.11 to 2.15.

use super::{Nudge, Suite};
use crate::observed::{Observed, Phase, Wants};
use crate::tai64n::Tai64n;
use rc_sv_api::exit::Exit;

/// s6.
pub static S6: Suite = Suite {
    name: "s6",
    description: "supervision by s6: one supervisor for each service",
    scanner: "s6-svscan",
    supervisor: "s6-supervise",
    scanner_service: "s6-svscan",
    openrc_scan_dir: "s6-scan",
    scan_dirs: &["/run/service", "/service"],
    nudge: Nudge::Control,
    alive: "control",
    once: b'O',
    end_files: &["down-signal", "timeout-kill"],
    kill_setting: Some("s6_service_timeout_stop"),
    forgets_end: false,
    finish: true,
    listens: true,
    // skalibs has a table of leap seconds, and there have been 27 since 1972.
    tai_offset: 37,
    decode,
    native_setting: "s6_service_path",
    native_root: Some("/var/svc.d"),
};

const PAUSED: u8 = 1;
const FINISHING: u8 = 2;
const WANT_UP: u8 = 4;
const READY: u8 = 8;

/// 2.13 has the process group in between, versions before and after it have not.
fn decode(bytes: &[u8]) -> Option<Observed> {
    let (wait_status, flags) = match bytes.len() {
        35 => ([bytes[32], bytes[33]], bytes[34]),
        43 => ([bytes[40], bytes[41]], bytes[42]),
        _ => return None,
    };
    let pid = u64::from_be_bytes(*bytes[24..].first_chunk()?);
    let pid = i32::try_from(pid).ok()?;
    let wait_status = i32::from(u16::from_be_bytes(wait_status));
    Some(Observed {
        since: Tai64n::decode(bytes)?,
        phase: match pid {
            0 => Phase::Down,
            pid if flags & FINISHING != 0 => Phase::Finish(Some(pid)),
            pid => Phase::Run(pid),
        },
        wants: if flags & WANT_UP != 0 {
            Wants::Up
        } else {
            Wants::Down
        },
        paused: pid != 0 && flags & PAUSED != 0,
        ready: pid != 0 && flags & READY != 0,
        // Before the first end it is 0 as well.
        last_exit: (wait_status != 0).then(|| Exit::from_wait_status(wait_status)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::tests::{bytes, hostile};
    use proptest::prelude::*;

    /// Of s6 2.11.3.2.
    const UP: &str = "400000006b02a6f4089dcb6e400000006b02a6f4019c7409000000000000633f000004";

    #[test]
    fn what_s6_wrote_is_understood() {
        let up = decode(&bytes(UP)).unwrap();
        assert_eq!((up.phase, up.wants), (Phase::Run(25407), Wants::Up));
        assert!(!up.paused && !up.ready);
        assert_eq!(up.last_exit, None);
    }

    #[test]
    fn flags_pid_and_end_of_both_lengths() {
        for extra in [0, 8] {
            let mut raw = bytes(UP);
            raw.splice(32..32, vec![9; extra]);
            let end = raw.len();
            let with = |flags: u8, wait_status: u16| {
                let mut raw = raw.clone();
                raw[end - 1] = flags;
                raw[end - 3..end - 1].copy_from_slice(&wait_status.to_be_bytes());
                decode(&raw).unwrap()
            };
            assert_eq!(with(FINISHING, 9).phase, Phase::Finish(Some(25407)));
            assert_eq!(with(FINISHING, 9).last_exit, Some(Exit::Signal(9)));
            assert_eq!(with(WANT_UP, 3 << 8).last_exit, Some(Exit::Code(3)));
            assert_eq!(with(0, 0).wants, Wants::Down);
            assert!(with(WANT_UP | PAUSED | READY, 0).paused);
            assert!(with(WANT_UP | READY, 0).ready);
            let mut down = raw.clone();
            down[24..32].fill(0);
            down[end - 1] = READY | PAUSED;
            let down = decode(&down).unwrap();
            assert_eq!(down.phase, Phase::Down);
            assert!(
                !down.ready && !down.paused,
                "of a process that is not there"
            );
        }
    }

    #[test]
    fn a_pid_that_is_none_is_not_taken_for_one() {
        let mut raw = bytes(UP);
        raw[24] = 1;
        assert_eq!(decode(&raw), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(raw in hostile()) {
            let understood = decode(&raw);
            prop_assert!(understood.is_none() || [35, 43].contains(&raw.len()));
        }
    }
}
