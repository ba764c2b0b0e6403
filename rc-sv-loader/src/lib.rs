//! The host of the modules.
//!
//! From `rc_supervise_module="internal"` to a call: [`config`] knows what is set, [`capture`] what
//! surrounds the runscript, [`search`] finds the module's file, [`note`] knows it without running
//! it, [`module`] loads and calls it, [`host`] answers its questions, [`record`] remembers which
//! module started a service. [`Loader`] and [`Services`] put them together. [`verify`] is for those
//! who write modules.

pub mod call;
pub mod capture;
mod changes;
pub mod config;
pub mod draft;
pub mod events;
mod handle;
pub mod host;
pub mod isolation;
pub mod limits;
pub mod loader;
mod log;
pub mod module;
pub mod note;
pub mod record;
pub mod reply;
mod run;
pub mod search;
pub mod services;
pub mod standing;
mod stat;
mod sys;
mod trust;
pub mod verify;
pub mod watch;
mod wire;

pub use call::{Act, Call};
pub use draft::Draft;
pub use host::Listener;
pub use isolation::Isolation;
pub use loader::Loader;
pub use log::log;
pub use module::Module;
pub use reply::Reply;
pub use services::{Checked, Failure, Report, Services};
pub use standing::Standing;
pub use watch::Watch;
