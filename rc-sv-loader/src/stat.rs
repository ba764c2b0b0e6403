//! What the kernel tells of a process in `/proc/PID/stat`: proc(5).

use std::fmt::Display;

/// The fields from the third on, its state: what follows the name.
pub(crate) struct Stat(String);

impl Stat {
    /// Of the process that has this pid now; `None` if there is none.
    pub(crate) fn of(pid: impl Display) -> Option<Stat> {
        // A process gives itself a name of any bytes, parentheses too.
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        stat.rsplit_once(") ")
            .map(|(_, rest)| Stat(rest.to_string()))
    }

    /// Whether it runs; a zombie does not.
    pub(crate) fn is_alive(&self) -> bool {
        !self.0.starts_with(['Z', 'X'])
    }

    /// The pid of its parent.
    pub(crate) fn parent(&self) -> Option<u32> {
        self.0.split(' ').nth(1)?.parse().ok()
    }

    /// When it began, in clock ticks since boot.
    pub(crate) fn began(&self) -> Option<u64> {
        self.0.split(' ').nth(19)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_whatever_the_name() {
        let mut child = std::process::Command::new("/bin/sh")
            .args(["-c", "printf '\\377) Z 1' >/proc/$$/comm; echo; read line"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // It has its name by now.
        let mut told = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut told).unwrap();
        let stat = Stat::of(child.id()).unwrap();
        assert!(stat.is_alive());
        assert_eq!(stat.parent(), Some(std::process::id()));
        assert!(stat.began() >= Stat::of("self").unwrap().began());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(Stat::of(child.id()).is_none());
    }
}
