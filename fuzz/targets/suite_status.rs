//! The status files of s6, runit and daemontools.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rc_sv_fuzz::bounded;
use rc_sv_servicedir::observed::Phase;
use rc_sv_servicedir::suite::{DAEMONTOOLS, RUNIT, S6};
use std::time::{Duration, UNIX_EPOCH};

fuzz_target!(|bytes: &[u8]| {
    let now = UNIX_EPOCH + Duration::from_secs(1 << 31);
    for (suite, lengths) in [
        (&S6, [35, 43]),
        (&RUNIT, [20, 20]),
        (&DAEMONTOOLS, [18, 18]),
    ] {
        let Some(observed) = bounded(0, || (suite.decode)(bytes)) else {
            continue;
        };
        assert!(lengths.contains(&bytes.len()), "{}", suite.name);
        assert!(
            observed.phase.pid().is_none_or(|pid| pid > 0),
            "a pid that is none"
        );
        if observed.phase == Phase::Down && suite.name == "s6" {
            assert!(!observed.ready && !observed.paused, "of nobody");
        }
        let since = observed.since.real_ns(suite.tai_offset, now);
        assert!(since.is_none_or(|ns| (0..=i64::from(u32::MAX) * 1_000_000_000).contains(&ns)));
    }
});
