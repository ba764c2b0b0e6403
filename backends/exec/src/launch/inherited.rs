//! What a child has from its maker as it is to be, and need not set.

use super::Launch;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Which of these a child has already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Inherited {
    pub(super) oom_score_adj: bool,
}

/// Looks at what this process hands on.
pub(super) struct Heritage {
    /// This process's own score, open: reading it takes a twentieth of what a child needs to
    /// open its file, for which the kernel first makes a directory in /proc.
    oom_score_adj: Option<File>,
}

impl Heritage {
    /// That of this process.
    pub(super) fn own() -> Heritage {
        Heritage {
            // Without it everything is set.
            oom_score_adj: File::open("/proc/self/oom_score_adj").ok(),
        }
    }

    /// What a child of this moment has of what `launch` asks for.
    pub(super) fn of(&self, launch: &Launch) -> Inherited {
        Inherited {
            oom_score_adj: launch
                .oom_score_adj
                .as_deref()
                .is_some_and(|wanted| self.has_score(wanted)),
        }
    }

    fn has_score(&self, wanted: &str) -> bool {
        let mut text = [0; 16];
        let file = self.oom_score_adj.as_ref();
        let length = file.and_then(|file| file.read_at(&mut text, 0).ok());
        text[..length.unwrap_or(0)].trim_ascii() == wanted.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_score_is_compared_as_it_is_now() {
        let own = fs::read_to_string("/proc/self/oom_score_adj").unwrap();
        let heritage = Heritage::own();
        assert!(heritage.has_score(own.trim()));
        assert!(!heritage.has_score("-1001"));
        assert!(!heritage.has_score(""));
        let unknown = Heritage {
            oom_score_adj: None,
        };
        assert!(!unknown.has_score(own.trim()));
    }
}
