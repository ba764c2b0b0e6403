//! What answers to a health check over HTTP.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rc_sv_exec::check::fuzzed::judge;
use rc_sv_exec::check::Outcome;
use rc_sv_fuzz::{bounded, one_line};

fuzz_target!(|answer: &[u8]| {
    let (outcome, said) = bounded(4096, || judge(answer, true)).expect("an end");
    assert_eq!(outcome == Outcome::Pass, said.is_empty());
    if !said.is_empty() {
        one_line(&said);
        assert!(
            said.len() < 60 && said.is_ascii(),
            "words of others: {said}"
        );
    }
    // However it is cut into pieces: what was said once holds, whatever follows.
    let decided = (0..=answer.len()).find_map(|end| judge(&answer[..end], false));
    if let Some(decided) = decided {
        assert_eq!(
            judge(answer, false),
            Some(decided),
            "it depends on the pieces"
        );
    }
});
