//! The fault campaign with a clock that jumps, which takes a machine of its own.

use crate::machine::{argument, sh_within};

/// The argument of the kernel that has the campaign's seed.
const SEED: &str = "rc_sv_seed=";

/// How long it storms, in seconds; the calm after each storm is as long as it has to be.
const LENGTH: u32 = 60;

/// In seconds: far longer than that takes on an emulated processor.
const PATIENCE: u32 = 900;

/// Services are killed, stopped and started, supervisors killed and exchanged, while the clock is
/// set forth and back by up to ten years. The figures are printed: how often, too.
pub fn nothing_is_lost_doubled_or_forgotten() {
    let seed = argument(SEED).map_or(String::new(), |seed| format!("RC_SV_SEED={seed} "));
    let campaign = format!(
        "{seed}unshare --pid --fork --kill-child --mount-proc \
         /usr/lib/rc-sv-tests/rc-sv-campaign --clock yes --services 10 --seconds {LENGTH}"
    );
    let (is_clean, figures) = sh_within(PATIENCE, &campaign);
    print!("{figures}");
    assert!(is_clean, "see above");
}
