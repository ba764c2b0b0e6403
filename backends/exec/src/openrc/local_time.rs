//! Times as OpenRC keeps them: local, because rc-status reads them with mktime(3).

#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::time::{SystemTime, UNIX_EPOCH};

extern "C" {
    /// Reads the time zone, which may have changed; localtime_r(3) alone need not.
    fn tzset();
}

/// `2026-11-22 13:45:00` in local time. A time before 1970 is shown as 1970.
pub(super) fn stamp(at: SystemTime) -> String {
    let seconds = at
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let seconds = libc::time_t::try_from(seconds).unwrap_or(libc::time_t::MAX);
    let mut broken_down = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: both pointers are to live variables; `broken_down` is read only if it was written.
    let time = unsafe {
        tzset();
        if libc::localtime_r(&raw const seconds, broken_down.as_mut_ptr()).is_null() {
            return "1970-01-01 00:00:00".to_string();
        }
        broken_down.assume_init()
    };
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        i64::from(time.tm_year) + 1900,
        time.tm_mon + 1,
        time.tm_mday,
        time.tm_hour,
        time.tm_min,
        time.tm_sec
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::Duration;

    #[test]
    fn as_date_says() {
        for seconds in [0, 951_782_400, 1_900_000_000, 4_102_444_799] {
            let date = Command::new("date")
                .args(["-d", &format!("@{seconds}"), "+%Y-%m-%d %H:%M:%S"])
                .output()
                .unwrap();
            let expected = String::from_utf8(date.stdout).unwrap();
            let at = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(stamp(at), expected.trim());
        }
    }
}
