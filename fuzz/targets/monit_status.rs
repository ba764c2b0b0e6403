//! What monit answers: its status, and its page of a service for people.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rc_sv_fuzz::{bounded, one_line};
use rc_sv_monit::fuzzed::{start_program, Monit};

fuzz_target!(|bytes: &[u8]| {
    let most = 512 * bytes.len() + (1 << 16);
    match bounded(most, || Monit::parse(bytes)) {
        Err(said) => {
            one_line(&said);
            assert!(said.len() < 1024, "too many words of others");
        }
        Ok(monit) => {
            assert!(bytes.starts_with(b"<") || bytes.contains(&b'<'));
            assert!(monit.services.len() + monit.groups.len() <= bytes.len() / 8);
            for service in &monit.services {
                assert!(service.pid.is_none_or(|pid| pid > 0), "a pid that is none");
                assert!(monit.service(&service.name).is_some(), "it is not found");
            }
            for (name, _) in &monit.groups {
                // The first of a name is meant.
                let first = monit
                    .groups
                    .iter()
                    .find(|(it, _)| it.eq_ignore_ascii_case(name));
                assert_eq!(
                    Some(monit.group(name)),
                    first.map(|(_, names)| names.as_slice())
                );
            }
        }
    }
    let page = String::from_utf8_lossy(bytes);
    if let Some(program) = bounded(8 * page.len() + 4096, || start_program(&page)) {
        assert!(program.len() <= page.len());
    }
});
