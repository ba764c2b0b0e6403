//! Tests of the core: each transition by hand (`table`).

mod bench;
mod table;
