//! The host of the modules.
//!
//! From `rc_supervise_module="internal"` to a call: [`config`] knows what is set, [`capture`] what
//! surrounds the runscript, [`search`] finds the module's file, [`note`] knows it without running
//! it, [`module`] loads and calls it, [`host`] answers its questions, [`record`] remembers which
//! module started a service. [`Loader`] and [`Services`] put them together.

pub mod capture;
pub mod config;
mod handle;
pub mod host;
pub mod loader;
pub mod module;
pub mod note;
pub mod record;
mod run;
pub mod search;
pub mod services;
pub mod standing;
mod sys;
mod trust;

pub use host::Listener;
pub use loader::Loader;
pub use module::Module;
pub use services::{Failure, Report, Services};
pub use standing::Standing;
pub use sys::log;
