//! What a lab shall be, handed from the harness to the processes that make it.

use std::ffi::OsString;
use std::path::PathBuf;

use super::Shell;

/// The plan of one lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The Debian root.
    pub(crate) root: PathBuf,
    /// Trees laid on top of it, the first one uppermost.
    pub(crate) over: Vec<PathBuf>,
    /// What /bin/sh is.
    pub(crate) shell: Shell,
    /// The cgroup made for it.
    pub(crate) cgroup: Option<PathBuf>,
}

impl Plan {
    /// The plan as arguments of a program.
    pub(crate) fn to_args(&self) -> Vec<OsString> {
        let mut args = vec!["--root".into(), self.root.clone().into_os_string()];
        for tree in &self.over {
            args.extend(["--over".into(), tree.clone().into_os_string()]);
        }
        args.extend(["--shell".into(), self.shell.name().into()]);
        if let Some(cgroup) = &self.cgroup {
            args.extend(["--cgroup".into(), cgroup.clone().into_os_string()]);
        }
        args
    }

    /// The inverse of [`Plan::to_args`].
    pub(crate) fn from_args(args: impl IntoIterator<Item = OsString>) -> Result<Plan, String> {
        let mut args = args.into_iter();
        let (mut root, mut over, mut shell, mut cgroup) = (None, Vec::new(), Shell::Dash, None);
        while let Some(option) = args.next() {
            let value = args.next().ok_or("an option without its value")?;
            match option.to_str() {
                Some("--root") => root = Some(PathBuf::from(value)),
                Some("--over") => over.push(PathBuf::from(value)),
                Some("--shell") => {
                    shell = value
                        .to_str()
                        .and_then(Shell::from_name)
                        .ok_or("unknown shell")?;
                }
                Some("--cgroup") => cgroup = Some(PathBuf::from(value)),
                _ => return Err(format!("unknown option {}", option.to_string_lossy())),
            }
        }
        let root = root.ok_or("no --root")?;
        Ok(Plan {
            root,
            over,
            shell,
            cgroup,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_survives_its_arguments() {
        let plan = Plan {
            root: "/a b".into(),
            over: vec!["/one".into(), "/two".into()],
            shell: Shell::Busybox,
            cgroup: Some("/sys/fs/cgroup/x".into()),
        };
        assert_eq!(Plan::from_args(plan.to_args()), Ok(plan));
        assert!(Plan::from_args(["--root".into()]).is_err());
        assert!(Plan::from_args(["--rot".into(), "/".into()]).is_err());
    }
}
