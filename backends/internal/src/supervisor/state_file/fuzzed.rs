//! What fuzz/ calls.

use super::{decode, encode, head, sum_of, StateFile, Who, FRONT, HEAD, KEPT, LOOKS, PAGE};
use crate::core::Hook;
use crate::supervisor::outlet::Role;
use nix::sys::memfd::{memfd_create, MFdFlags};
use rc_sv_exec::log::Which;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;

/// Reads a file of this boot with `bytes` behind its head, writes what it says to an empty one, and
/// reads that. The sum is made right where there is room for one, since nobody finds it by chance.
///
/// # Panics
/// The second one says something else.
pub fn again(bytes: &[u8]) {
    let first = file(bytes);
    let kept = first.kept();
    let mut second = file(&[0; PAGE - HEAD]);
    if let Some(kept) = &kept {
        let bytes = encode(kept);
        if KEPT + bytes.len() <= PAGE {
            assert_eq!(decode(&bytes).as_ref(), Some(kept));
            second.keep(kept).expect("a file in memory");
            assert_eq!(second.kept().as_ref(), Some(kept));
        }
    }
    if first.has_looks() {
        second.make_room_for_looks().expect("a file in memory");
    }
    for who in all() {
        let left = first.left(who);
        if let Some(left) = left {
            assert!(left.who.pid > 1, "{left:?}: a signal to everybody");
            second.leave(who, left).expect("a file in memory");
        }
        assert_eq!(second.left(who), left, "{who:?}");
    }
}

fn file(bytes: &[u8]) -> StateFile {
    let file = memfd_create("state", MFdFlags::MFD_CLOEXEC).expect("memory");
    let mut file = File::from(file);
    file.write_all(&head()).expect("memory");
    file.write_all(bytes).expect("memory");
    seal(bytes, &file);
    StateFile::of(file)
}

/// Writes the sum that belongs to what is kept in `bytes`.
fn seal(bytes: &[u8], file: &File) {
    let Some(kept) = bytes.get(KEPT - HEAD..) else {
        return;
    };
    let Some([low, high]) = kept.get(8..10) else {
        return;
    };
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    if let Some(summed) = kept.get(8..FRONT + length) {
        let sum = sum_of(summed).to_le_bytes();
        file.write_all_at(&sum, KEPT as u64).expect("memory");
    }
}

fn all() -> impl Iterator<Item = Who> {
    let hooks = [
        Hook::Finish,
        Hook::GiveUp,
        Hook::Alternate,
        Hook::Unhealthy,
        Hook::Script,
    ];
    let roles = [Role::Logger, Role::Program].into_iter();
    let attendants = roles
        .flat_map(|role| [Which::Output, Which::Error].map(|which| Who::Attendant(which, role)));
    [Who::Main, Who::Alert, Who::Dependents]
        .into_iter()
        .chain(hooks.map(Who::Hook))
        .chain(attendants)
        .chain((0..LOOKS).map(Who::Look))
}
