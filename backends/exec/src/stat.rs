//! What the kernel tells of a process in `/proc/PID/stat`: proc(5).

use rc_sv_api::exit::Exit;
use std::fs;
use std::io;

/// What is known of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    state: char,
    /// When it began, in clock ticks since boot: field 22.
    pub began: u64,
    /// How it ended, of a zombie: field 52.
    pub exit: Option<Exit>,
}

impl Stat {
    /// The process that has this pid now.
    ///
    /// # Errors
    /// `NotFound`, or `ESRCH` where it ends meanwhile: there is none.
    pub fn of(pid: i32) -> io::Result<Stat> {
        // A process gives itself a name of any bytes.
        let stat = fs::read(format!("/proc/{pid}/stat"))?;
        Stat::parse(&String::from_utf8_lossy(&stat))
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Reads the text of the file.
    pub fn parse(text: &str) -> Option<Stat> {
        // The name may contain anything, parentheses too.
        let (_, fields) = text.rsplit_once(") ")?;
        let mut fields = fields.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let began = fields.nth(18)?.parse().ok()?;
        let status = fields.nth(29).and_then(|status| status.parse().ok());
        let exit = status.filter(|_| state == 'Z').map(Exit::from_wait_status);
        Some(Stat { state, began, exit })
    }

    /// Whether it runs; a zombie does not.
    pub fn is_alive(&self) -> bool {
        !"ZX".contains(self.state)
    }

    /// Whether it has ended, and its parent has not taken that in.
    pub fn is_zombie(&self) -> bool {
        self.state == 'Z'
    }
}

/// Whether this says that there is no such process. One that ends while its file is read is gone by
/// `ESRCH`.
pub(crate) fn is_gone(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::NotFound || cause.raw_os_error() == Some(libc::ESRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_field_22_whatever_the_name() {
        let fields = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20";
        let stat = Stat::parse(&format!("42 (a) R (b) {fields}")).unwrap();
        assert_eq!((stat.state, stat.began, stat.exit), ('S', 777, None));
        assert_eq!(Stat::parse("42 (a)"), None);
    }

    #[test]
    fn what_lives_has_not_ended() {
        let fields = "1 ".repeat(48) + "256";
        let exit = |text: &str| Stat::parse(&format!("5 (a) {text}")).and_then(|stat| stat.exit);
        assert_eq!(exit(&format!("Z (b) Z {fields}")), Some(Exit::Code(1)));
        assert_eq!(exit(&format!("S {fields}")), None);
        assert_eq!(exit("Z 1"), None);
    }
}
