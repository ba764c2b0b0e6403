//! Waiting for the time of the next run.

use super::record::{self, Record};
use super::signals::{ends_waiting, Signals, Woken};
use super::{clock, Call};
use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rc_sv_api::ladder::Ladder;
use rc_sv_api::{Error, Result};
use std::os::fd::AsFd;
use std::time::Duration;

/// Waits until the next run may begin: at its time, or when somebody asks for the service
/// ([`record::forget`]). `false`: a signal ended it. Other signals than those of a stop are for a
/// daemon that does not run, and are forgotten.
pub(super) fn until_due(
    call: &Call,
    record: &mut Record,
    ladder: &Ladder,
    signals: &Signals,
) -> Result<bool> {
    let Some(next) = record.next_ms.filter(|next| *next > clock::boot_ms()) else {
        return Ok(true);
    };
    let failed = |errno: Errno| Error::io("wait", &errno.into());
    let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(failed)?;
    let changes = AddWatchFlags::IN_DELETE | AddWatchFlags::IN_MOVED_TO;
    watch.add_watch(call.dir.path(), changes).map_err(failed)?;
    loop {
        match record::read(&call.dir)? {
            Some(_) => {}
            None => {
                *record = Record::default();
                return Ok(true);
            }
        }
        let left = Duration::from_millis(next.saturating_sub(clock::boot_ms()));
        let changed = Some((watch.as_fd(), PollFlags::POLLIN));
        let woken = signals.wait(changed, Some(left));
        match woken.map_err(|cause| Error::io("wait", &cause))? {
            Woken::Signal(number) if ends_waiting(number, ladder) => return Ok(false),
            Woken::Signal(_) => {}
            Woken::Ready => while watch.read_events().is_ok_and(|events| !events.is_empty()) {},
            Woken::Late => return Ok(true),
        }
    }
}
