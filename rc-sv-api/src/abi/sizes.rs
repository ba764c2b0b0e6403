//! How long the structs that may grow were in ABI 1.0, in bytes: the least that each of them has,
//! whatever it has become.

use super::types::{rc_sv_backend, rc_sv_cmd, rc_sv_host, rc_sv_output, rc_sv_req};
use std::mem::{offset_of, size_of};

const POINTER: usize = size_of::<usize>();

/// The options of a call.
pub const REQUEST: usize = offset_of!(rc_sv_req, reserved) + size_of::<u32>();
/// A command.
pub const COMMAND: usize =
    (offset_of!(rc_sv_cmd, reserved) + size_of::<u32>()).next_multiple_of(align_of::<rc_sv_cmd>());
/// What a command wrote.
pub const OUTPUT: usize = offset_of!(rc_sv_output, len) + POINTER;
/// A host's table.
pub const HOST: usize = offset_of!(rc_sv_host, query) + POINTER;
/// The mandatory part of a module's table.
pub const TABLE: usize = offset_of!(rc_sv_backend, attach);
