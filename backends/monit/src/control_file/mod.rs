//! Control files: generated, given, and checked by monit itself before it reads them for good. A
//! file that it cannot take would end a monit that runs.

pub mod given;
pub mod preflight;
pub mod quote;
pub mod render;

pub use render::Rendered;
