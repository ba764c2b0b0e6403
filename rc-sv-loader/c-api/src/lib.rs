//! The C face of the loader: `librc_sv.so`, whose header is `include/rc_sv.h`.
//!
//! Nothing is decided here. Arguments are checked and converted, the loader is called, and what it
//! answers is converted back. Each function is caught: no panic reaches C.

mod ask;
mod constants;
mod entry;
mod loader;
mod modules;
mod order;
mod pointers;
mod spec;
mod structs;
mod types;
mod watch;
