//! What librc_sv costs a program in C: openrc-run before it uses it, and when it does.

use crate::contender::program;
use crate::control::timed;
use crate::figure::Figure;
use crate::Result;

/// The name of the section.
pub const SECTION: &str = "host";
/// The program without the library, which does nothing.
pub const BARE: &str = "a program in C";

/// Not linked with the library, and linked.
const PROGRAMS: [&str; 2] = ["/usr/lib/rc-sv-bench/host", "/usr/lib/rc-sv-bench/linked"];
/// Which program, how it is called, and the name of the figure.
const WAYS: [(usize, &str, &str); 6] = [
    (0, "idle", BARE),
    (1, "idle", "linked, not used"),
    (0, "direct", "dlopen, status in process"),
    (0, "fork", "dlopen, status in a child"),
    (0, "exec", "dlopen, status by rc-sv-loader"),
    (0, "program", "runs rc-sv-loader status"),
];
/// Processes of each kind.
const ROUNDS: usize = 50;

/// Each way in turn, for `service`, which is up.
pub fn measure(service: &str) -> Result<Vec<Figure>> {
    let mut samples = WAYS.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for ((which, word, _), samples) in WAYS.iter().zip(&mut samples) {
            samples.push(timed(program(PROGRAMS[*which]).args([*word, service]))?);
        }
    }
    let all = WAYS.iter().zip(&samples);
    Ok(all
        .map(|((_, _, name), samples)| Figure::ns(SECTION, *name, samples))
        .collect())
}
