//! The vocabulary of rc-sv.
//!
//! Everything that the loader, the modules and the supervisor say to each other is defined here,
//! once: the settings of a service ([`key`], [`spec`]), what is observed of it ([`status`],
//! [`event`]), when it is respawned ([`policy`]), what a module has to offer ([`backend`],
//! [`mod@support`]) and the C ABI by which a module is reached ([`abi`]).
//!
//! This crate uses `std` only, does no I/O, exports no symbol and knows no tool's name.

pub mod abi;
pub mod backend;
pub mod duration;
pub mod error;
pub mod event;
pub mod exit;
pub mod key;
pub mod ladder;
pub mod last_lines;
pub mod name;
pub mod policy;
pub mod section;
pub mod signal;
pub mod size;
pub mod spec;
pub mod status;
pub mod support;
pub mod value;
pub mod words;

pub use backend::{Backend, Caps, Outcome, Request};
pub use error::{Code, Error, Result};
pub use name::ServiceName;
pub use section::Section;
pub use spec::{Settings, Spec};
pub use status::{State, Status};
pub use support::{Deed, Support};
pub use value::Value;
