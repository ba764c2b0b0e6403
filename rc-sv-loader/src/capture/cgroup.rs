//! The cgroups that OpenRC made for a service (sh/rc-cgroup.sh), as paths. Pure.

/// The service's own cgroups.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cgroups {
    /// That of version 2.
    pub unified: Option<Vec<u8>>,
    /// Those of version 1.
    pub legacy: Vec<Vec<u8>>,
}

/// One line of `/proc/self/cgroup` that names a cgroup of the service.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Membership<'a> {
    /// Names of the controllers, or `name=…`; empty for version 2.
    controllers: &'a [u8],
    /// The cgroup within its hierarchy.
    path: &'a [u8],
}

/// The lines of `/proc/self/cgroup` whose cgroup is that of `service`. Version 2 has `foo` in
/// OpenRC 0.45 and `openrc.foo` in 0.63, version 1 `openrc_foo`, and `foo` in its own hierarchy.
pub(super) fn memberships<'a>(proc_cgroup: &'a [u8], service: &str) -> Vec<Membership<'a>> {
    let names = |prefix: &str| format!("{prefix}{service}").into_bytes();
    let own = [names(""), names("openrc."), names("openrc_")];
    let mut found = Vec::new();
    for line in proc_cgroup.split(|byte| *byte == b'\n') {
        let mut fields = line.splitn(3, |byte| *byte == b':').skip(1);
        if let (Some(controllers), Some(path)) = (fields.next(), fields.next()) {
            let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            if own.iter().any(|own| own == last) {
                found.push(Membership { controllers, path });
            }
        }
    }
    found
}

/// Where the cgroups of `memberships` are, after `/proc/self/mountinfo`. One whose hierarchy is
/// not mounted is left out.
pub(super) fn locate(memberships: &[Membership<'_>], mountinfo: &[u8]) -> Cgroups {
    let mounts: Vec<Mount> = mountinfo
        .split(|byte| *byte == b'\n')
        .filter_map(mount)
        .collect();
    let mut cgroups = Cgroups::default();
    for member in memberships {
        let Some(path) = mounts.iter().find_map(|mount| mount.path_of(member)) else {
            continue;
        };
        match member.controllers.is_empty() {
            true => cgroups.unified = Some(path),
            false => cgroups.legacy.push(path),
        }
    }
    cgroups
}

/// A mounted hierarchy.
struct Mount {
    /// Which cgroup is at the top of it.
    root: Vec<u8>,
    /// Where it is.
    point: Vec<u8>,
    /// The controllers of version 1, among other options; `None` for version 2.
    options: Option<Vec<Vec<u8>>>,
}

impl Mount {
    fn path_of(&self, member: &Membership<'_>) -> Option<Vec<u8>> {
        let mut controllers = member.controllers.split(|byte| *byte == b',');
        let ours = match &self.options {
            None => member.controllers.is_empty(),
            Some(options) => controllers.all(|wanted| options.iter().any(|it| it == wanted)),
        };
        let root = self.root.strip_suffix(b"/").unwrap_or(&self.root);
        let below = member
            .path
            .strip_prefix(root)
            .filter(|rest| rest.starts_with(b"/"))?;
        ours.then(|| [self.point.strip_suffix(b"/").unwrap_or(&self.point), below].concat())
    }
}

/// One line of mountinfo, if it is a cgroup hierarchy; see proc_pid_mountinfo(5).
fn mount(line: &[u8]) -> Option<Mount> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let dash = fields.iter().position(|field| *field == b"-")?;
    let options = match *fields.get(dash + 1)? {
        b"cgroup2" => None,
        b"cgroup" => {
            let options = fields.get(dash + 3)?.split(|byte| *byte == b',');
            Some(options.map(<[u8]>::to_vec).collect())
        }
        _ => return None,
    };
    Some(Mount {
        root: unescape(fields.get(3)?),
        point: unescape(fields.get(4)?),
        options,
    })
}

/// Takes back the kernel's `\040` for a blank.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        plain.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &after[3..] } else { after };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &[u8] = b"22 1 0:20 / /sys rw - sysfs sysfs rw\n\
        30 22 0:26 / /sys/fs/cgroup rw - tmpfs cgroup_root rw\n\
        31 30 0:27 / /sys/fs/cgroup/openrc rw - cgroup openrc rw,release_agent=/x,name=openrc\n\
        32 30 0:28 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 none rw,nsdelegate\n\
        33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";

    fn find(cgroup: &[u8], mountinfo: &[u8], service: &str) -> Cgroups {
        locate(&memberships(cgroup, service), mountinfo)
    }

    fn texts(cgroups: &Cgroups) -> Vec<&str> {
        let all = cgroups.unified.iter().chain(&cgroups.legacy);
        all.map(|path| std::str::from_utf8(path).unwrap()).collect()
    }

    #[test]
    fn the_hybrid_layout_of_debian() {
        let cgroup = b"4:memory:/\n3:cpu,cpuacct:/openrc_foo\n2:name=openrc:/foo\n0::/foo\n";
        let found = find(cgroup, HYBRID, "foo");
        assert_eq!(
            texts(&found),
            [
                "/sys/fs/cgroup/unified/foo",
                "/sys/fs/cgroup/cpu,cpuacct/openrc_foo",
                "/sys/fs/cgroup/openrc/foo"
            ]
        );
    }

    #[test]
    fn the_unified_layout_of_both_versions() {
        let mountinfo = b"30 22 0:26 / /sys/fs/cgroup rw - cgroup2 none rw\n";
        assert_eq!(
            texts(&find(b"0::/foo\n", mountinfo, "foo")),
            ["/sys/fs/cgroup/foo"]
        );
        assert_eq!(
            texts(&find(b"0::/openrc.foo\n", mountinfo, "foo")),
            ["/sys/fs/cgroup/openrc.foo"]
        );
        assert_eq!(
            texts(&find(b"0::/a/net.eth0\n", mountinfo, "net.eth0")).len(),
            1
        );
    }

    #[test]
    fn somebody_elses_cgroup_is_not_the_services() {
        for line in [
            &b"0::/"[..],
            b"0::/user.slice",
            b"0::/foo/sub",
            b"0::/barfoo",
            b"",
        ] {
            assert_eq!(
                memberships(line, "foo"),
                [],
                "{:?}",
                String::from_utf8_lossy(line)
            );
        }
    }

    #[test]
    fn part_of_a_hierarchy_can_be_mounted_and_names_have_blanks() {
        let mountinfo = b"30 22 0:26 /lxc/one /my\\040cgroup rw - cgroup2 none rw\n";
        let found = find(b"0::/lxc/one/a b\n", mountinfo, "a b");
        assert_eq!(texts(&found), ["/my cgroup/a b"]);
        assert_eq!(
            find(b"0::/lxc/onetwo/foo\n", mountinfo, "foo"),
            Cgroups::default()
        );
        assert_eq!(
            find(b"1:pids:/foo\n", HYBRID, "foo"),
            Cgroups::default(),
            "not mounted"
        );
    }
}
