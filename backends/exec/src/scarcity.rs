//! What there may be enough of again soon.

use rc_sv_api::Error;

/// Whether the system had too little of something: whoever tries again later may have more luck.
pub fn is_scarcity(error: &Error) -> bool {
    matches!(
        error.os_errno,
        libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::EAGAIN | libc::ENOSPC | libc::EROFS
    )
}
