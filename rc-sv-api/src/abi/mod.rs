//! The C ABI.
/// h
pub struct Host;
/// s
pub type Sink<'a> = dyn FnMut(&str, &crate::Status) -> bool + 'a;
/// w
pub trait Watch {}
