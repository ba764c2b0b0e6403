//! What becomes of the output of a service, as far as it can be said without a system call: where
//! it goes, how it is cut into lines, which of them are written, and when a file is exchanged.

pub mod lines;
mod priority;
pub mod rate;
pub mod render;
pub mod rotation;
pub mod stamp;
pub mod stream;

pub use stream::{Kept, Sink, Stream, Which};
