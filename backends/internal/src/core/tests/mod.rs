//! Tests of the core. By hand: each transition (`table`), who beats whom (`commands`), the ends of
//! instances (`endings`), the back-off and its limit (`respawns`), what is told (`reports`), all
//! services together (`whole`). By chance: the invariants (`properties`) in a `world` of processes
//! that do what their `fate` says (`nature`), under the eyes of a `witness` who judges all `deeds`.

mod bench;
mod commands;
mod deeds;
mod endings;
mod fate;
mod health;
mod nature;
mod properties;
mod readiness;
mod reports;
mod respawns;
mod table;
mod whole;
mod witness;
mod world;
