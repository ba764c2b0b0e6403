//! Signal names and numbers of Linux on every architecture that rc-sv supports.
//!
//! The numbers are those of x86, ARM, RISC-V, PowerPC and s390 (include/uapi/asm-generic/signal.h).
//! MIPS, SPARC and Alpha number some signals otherwise and are refused at compile time.

#[cfg(any(
    target_arch = "mips",
    target_arch = "mips64",
    target_arch = "sparc",
    target_arch = "sparc64"
))]
compile_error!("rc-sv-api: signal numbers of this architecture are not known yet");

/// Highest signal number: `SIGRTMAX` of Linux.
pub const MAX: i32 = 64;

const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// `SIGHUP`.
pub const HUP: i32 = 1;
/// `SIGINT`.
pub const INT: i32 = 2;
/// `SIGABRT`.
pub const ABRT: i32 = 6;
/// `SIGKILL`.
pub const KILL: i32 = 9;
/// `SIGPIPE`.
pub const PIPE: i32 = 13;
/// `SIGTERM`.
pub const TERM: i32 = 15;
/// `SIGCONT`.
pub const CONT: i32 = 18;

/// The number of `TERM`, `SIGTERM`, `term` or `15`; `None` for what is no signal.
pub fn parse(text: &str) -> Option<i32> {
    // Digits only: with a sign it is neither a number nor a name.
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        let number = text.parse().ok()?;
        return (1..=MAX).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let alias = match name {
        "IOT" => "ABRT",
        "POLL" => "IO",
        "CLD" => "CHLD",
        other => other,
    };
    NAMES
        .iter()
        .position(|known| *known == alias)
        .map(|index| index as i32 + 1)
}

/// The name of a signal without `SIG`, or its number for a real-time signal.
pub fn name(number: i32) -> String {
    match usize::try_from(number - 1)
        .ok()
        .and_then(|index| NAMES.get(index))
    {
        Some(name) => (*name).to_string(),
        None => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_makes_no_number() {
        for text in ["+15", "-15", "+", "1+", ""] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn names_numbers_and_aliases() {
        for text in ["TERM", "SIGTERM", "sigterm", "15"] {
            assert_eq!(parse(text), Some(TERM));
        }
        assert_eq!(
            (parse("SYS"), parse("34"), parse("64")),
            (Some(31), Some(34), Some(64))
        );
        assert_eq!(
            (parse("0"), parse("65"), parse("-9"), parse("NOPE")),
            (None, None, None, None)
        );
        assert_eq!((name(9), name(40)), ("KILL".to_string(), "40".to_string()));
    }
}
