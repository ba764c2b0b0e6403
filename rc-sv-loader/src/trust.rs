//! Whose files are believed: those that only root, or only the caller, can change. Pure.

/// Why something with this owner and mode is not to be believed by the user `caller`: the rest of
/// a sentence about it, with what would be right.
pub(crate) fn distrust(owner: u32, mode: u32, caller: u32) -> Option<String> {
    if owner != 0 && owner != caller {
        let right = if caller == 0 {
            "root".into()
        } else {
            format!("root or user {caller}")
        };
        return Some(format!(
            "is owned by user {owner}; it must belong to {right}"
        ));
    }
    if mode & 0o022 != 0 {
        let mode = mode & 0o7777;
        return Some(format!(
            "can be written by others (mode {mode:04o}); use chmod go-w"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_and_the_callers_own_files_are_believed() {
        assert_eq!(distrust(0, 0o100644, 0), None);
        assert_eq!(distrust(0, 0o100644, 1000), None);
        assert_eq!(distrust(1000, 0o100600, 1000), None);
    }

    #[test]
    fn files_that_somebody_else_can_change_are_not() {
        let why = |owner, mode, caller| distrust(owner, mode, caller).unwrap();
        assert_eq!(
            why(7, 0o644, 0),
            "is owned by user 7; it must belong to root"
        );
        assert_eq!(
            why(7, 0o644, 8),
            "is owned by user 7; it must belong to root or user 8"
        );
        let group = "can be written by others (mode 0664); use chmod go-w";
        assert_eq!(why(0, 0o100664, 0), group);
        let sticky = "can be written by others (mode 1777); use chmod go-w";
        assert_eq!(why(0, 0o041777, 0), sticky);
    }
}
