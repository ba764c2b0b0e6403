//! Control files: generated, given, and checked by monit itself before it reads them for good. A
//! file that it cannot take would end a monit that runs.

mod condition;
pub mod given;
pub mod include;
pub mod marker;
pub mod preflight;
pub mod quote;
pub mod render;
pub mod start;
mod words;

pub use render::Rendered;
