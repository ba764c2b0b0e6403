//! From a spec to a running process.
//!
//! [`resolve`] turns what an administrator wrote into a spec that needs no name service;
//! [`spec_file`] keeps it in a file of the service's directory, which [`place`] makes; [`launch`]
//! runs it, once for each spawn; [`readiness`], [`ear`] and [`sd_notify`] know when it is ready, [`check`]
//! whether it still works, [`alert`] tells a person; [`outline`] tells it all to people; [`log`] and
//! [`logger`] take what it writes; [`renewal`] is for specs that the runscript makes anew; [`openrc`] tells OpenRC;
//! [`installed`] knows where the programs are; [`watched`] is for services that OpenRC runs.

pub mod alert;
mod capability;
pub mod cgroup;
pub mod check;
pub mod clock;
pub mod ear;
mod environment;
pub mod handle;
pub mod installed;
pub mod instance;
mod ioprio;
pub mod launch;
pub mod log;
pub mod logger;
pub mod openrc;
pub mod outline;
pub mod pid_file;
pub mod place;
pub mod priority;
pub mod process;
pub mod readiness;
pub mod renewal;
pub mod resolve;
mod rlimit;
pub mod run;
pub mod scarcity;
pub mod sd_notify;
mod securebits;
pub mod spec_file;
pub mod stat;
pub mod stop;
pub mod suite;
pub mod svcdir;
pub mod watched;
