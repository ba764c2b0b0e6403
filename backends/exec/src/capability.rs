//! Capabilities: which a program inherits, gets and can never get.

/// Three sets, one bit per capability, as in libcap's `cap_iab_t`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Iab {
    /// The inheritable set.
    pub(crate) inheritable: u64,
    /// The ambient set.
    pub(crate) ambient: u64,
    /// What leaves the bounding set.
    pub(crate) blocked: u64,
}

/// Names by number (linux/capability.h).
const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

/// The number of `cap_setpcap`.
pub(crate) const SETPCAP: u32 = 8;

impl Iab {
    /// Parses the text of cap_iab_from_text(3): names or numbers joined by commas, each with any
    /// of the prefixes `!` (blocked), `^` (ambient and inheritable) and `%` (inheritable, as
    /// without a prefix). Names may be in either case.
    ///
    /// # Errors
    /// The words for what would be right.
    pub(crate) fn parse(text: &str) -> Result<Iab, String> {
        let mut iab = Iab::default();
        for word in text.trim().split(',') {
            let name = word.trim_start_matches(['!', '^', '%']);
            let prefixes = &word[..word.len() - name.len()];
            let bit = 1 << number(name)?;
            if prefixes.is_empty() || prefixes.contains(['^', '%']) {
                iab.inheritable |= bit;
            }
            if prefixes.contains('^') {
                iab.ambient |= bit;
            }
            if prefixes.contains('!') {
                iab.blocked |= bit;
            }
        }
        Ok(iab)
    }
}

fn number(name: &str) -> Result<u32, String> {
    let known = NAMES
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name));
    let numeric = name.parse().ok().filter(|number| *number < u64::BITS);
    known.map(|index| index as u32).or(numeric).ok_or_else(|| {
        format!(
            "capabilities joined by commas, each with !, ^ or % before it or nothing, such as \
             ^cap_net_bind_service,!cap_sys_admin; {name:?} is none"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_choose_the_sets() {
        let iab = Iab::parse("^cap_net_raw,!cap_chown,CAP_KILL,!%cap_fowner,^!9,%40").unwrap();
        let bits = |numbers: &[u32]| numbers.iter().fold(0u64, |set, number| set | 1 << number);
        assert_eq!(iab.inheritable, bits(&[13, 5, 3, 9, 40]));
        assert_eq!(iab.ambient, bits(&[13, 9]));
        assert_eq!(iab.blocked, bits(&[0, 3, 9]));
    }

    #[test]
    fn the_number_of_setpcap_is_right() {
        assert_eq!(number("cap_setpcap"), Ok(SETPCAP));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            ",",
            "cap_nope",
            "net_raw",
            "^",
            "cap_kill,",
            "64",
            "-1",
            "cap_kill cap_chown",
        ] {
            assert!(Iab::parse(text).is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "[a-z0-9_,:!^%x ]{0,20}|.{0,20}") {
            if let Err(wanted) = Iab::parse(&text) {
                proptest::prop_assert!(!wanted.is_empty());
            }
        }
    }
}
