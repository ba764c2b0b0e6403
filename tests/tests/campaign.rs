//! A short fault campaign: nothing is lost, doubled or forgotten, and nothing grows. A long one is
//! `make campaign SECONDS=3600`; one that has failed comes again with its seed.
#![allow(clippy::print_stdout)] // The seed and the figures, for people.

use std::time::Duration;

use rc_sv_tests::Lab;

/// How long it storms, in seconds.
const LENGTH: &str = "30";

/// The storms, and a calm after each in which whatever is missing is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

#[test]
fn nothing_is_lost_doubled_or_forgotten() {
    let lab = Lab::new();
    let campaign = ["/usr/lib/rc-sv-tests/rc-sv-campaign", "--seconds", LENGTH];
    let mut run = lab.run(campaign).timeout(PATIENCE);
    if let Ok(seed) = std::env::var("RC_SV_SEED") {
        run = run.env("RC_SV_SEED", seed);
    }
    let output = run.output();
    println!("{output}");
    assert_eq!(output.code(), 0, "{output}");
}
