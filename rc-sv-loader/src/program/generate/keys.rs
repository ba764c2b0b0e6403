//! `openrc/rc-sv-keys.sh`: the variables that the drop-in exports.

use rc_sv_api::key::{self, Role};

/// One assignment, for a POSIX shell.
pub(super) fn text() -> String {
    let keys = key::all()
        .filter(|key| key.role == Role::Setting)
        .map(|key| key.name);
    let keys: Vec<&str> = keys.collect();
    format!(
        "# Variables that the drop-in exports to rc-sv-loader. Made by\n\
         # rc-sv-loader --generate shell-keys; do not edit.\n\
         _rcsv_keys=\"{}\"\n",
        keys.join(" ")
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_words_of_a_shell() {
        let text = super::text();
        let line = text.lines().last().unwrap();
        let keys = line
            .strip_prefix("_rcsv_keys=\"")
            .unwrap()
            .strip_suffix('"')
            .unwrap();
        assert!(keys
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b' '));
        let keys: Vec<&str> = keys.split(' ').collect();
        assert!(keys.contains(&"rc_supervise_module") && keys.contains(&"respawn_delay"));
        assert!(!keys.contains(&"argv") && !keys.contains(&"command"));
    }
}
