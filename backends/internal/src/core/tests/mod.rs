//! Tests of the core. By hand: each transition (`table`), who beats whom (`commands`), the ends of
//! instances (`endings`), the runscript before them (`scripts`), the back-off and its limit (`respawns`), what is told (`reports`, `news`), all
//! services together (`whole`), another core in place of one (`succession`). By chance: the invariants (`properties`) in a `world` of processes
//! that do what their `fate` says (`nature`), under the eyes of a `witness` who judges all `deeds`;
//! what comes about is `drawn` from the bytes of fuzz/, or by `chance`; what was
//! done is compared by its `trace`.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod chance;
#[cfg(test)]
mod commands;
mod deeds;
#[cfg(fuzzing)]
pub(super) mod drawn;
#[cfg(test)]
mod endings;
mod fate;
#[cfg(test)]
mod health;
mod nature;
#[cfg(test)]
mod news;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod readiness;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod respawns;
#[cfg(test)]
mod scripts;
#[cfg(test)]
mod succession;
#[cfg(test)]
mod table;
mod trace;
#[cfg(test)]
mod whole;
mod witness;
mod world;
