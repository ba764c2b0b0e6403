//! The C ABI by which a host reaches a module.
//!
//! A module is a shared object that exports one function, [`ENTRY`], which returns a static table
//! ([`types::rc_sv_backend`]). A module in Rust writes `impl Backend` and one
//! [`crate::export_backend!`]; a host checks a foreign table with [`table::check`] and converts
//! with [`convert`].
//!
//! `unsafe` is in `foreign.rs` (reading what the other side owns), `host.rs` (calling the host),
//! `slots.rs` and `export.rs` (being called by a host) and `table.rs` (reading a foreign table).

pub mod constants;
pub mod convert;
mod export;
pub mod foreign;
mod guard;
mod host;
pub mod layout;
pub mod note;
pub mod sizes;
mod slots;
pub mod table;
pub mod types;

pub use export::{backend_table, nul_terminated, Slots, Table};
pub use foreign::ForeignSpec;
pub use host::{Host, HostCommand, HostOutput};

use crate::error::Result;
use crate::event::Event;
use crate::status::Status;
use std::os::fd::RawFd;

/// The one symbol that a module exports.
pub const ENTRY: &str = "rc_sv_backend_entry_v1";

/// Receives a service's name and status from `list`; answers whether to go on.
pub type Sink<'a> = dyn FnMut(&str, &Status) -> bool + 'a;

/// A stream of events.
pub trait Watch: Send {
    /// Becomes readable when [`Watch::next`] has something. Stays the stream's.
    fn pollfd(&self) -> RawFd;

    /// The next event without blocking, or `None`.
    ///
    /// # Errors
    /// The stream is broken; there will be no further event. [`crate::Code::NotRunning`] after
    /// [`crate::event::Kind::SupervisorLost`]: its supervisor has ended.
    fn next(&mut self) -> Result<Option<Event>>;
}
