//! What the loader finds out at start, so that a respawn needs neither shell nor name service.

use super::Group::{Command, Limits, Process, Service};
use super::Kind::{List, Number, Text};
use super::Role::Captured;
use super::Since::RcSv;
use super::{Group, Key, Kind};

const fn key(group: Group, name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key {
        name,
        kind,
        default: "",
        group,
        role: Captured,
        since: RcSv,
        doc,
    }
}

const ID_MAX: i64 = u32::MAX as i64 - 1;

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    key(Service, "service", Text, "Name of the service (RC_SVCNAME)."),
    key(Service, "runscript", Text, "Path of the runscript (RC_SERVICE), where there is one."),
    key(Service, "svcdir", Text, "State directory of this OpenRC (RC_SVCDIR)."),
    key(Service, "operators", Number(0, ID_MAX), "Numeric group of rc_supervise_operators."),
    key(Service, "simulate", Text, "What a start that changes nothing shall simulate; see rc-sv-loader(8), check."),
    key(Command, "argv", List, "The program, an absolute path, and its arguments."),
    key(Process, "environment", List, "The environment, cleaned, as NAME=value."),
    key(Process, "uid", Number(0, ID_MAX), "Numeric user."),
    key(Process, "gid", Number(0, ID_MAX), "Numeric group."),
    key(Process, "groups", List, "Numeric supplementary groups; unset leaves those of the supervisor."),
    key(Limits, "rlimits", List, "Resource limits as NUMBER=SOFT:HARD; NUMBER is that of getrlimit(2), -1 is infinity."),
    key(Limits, "cgroup", Text, "Absolute path of the service's own cgroup version 2, where it has one."),
    key(Limits, "cgroups_v1", List, "Absolute paths of the service's cgroups of version 1."),
];
