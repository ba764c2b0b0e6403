//! `--generate`: files that are kept with the sources, made from the registry of settings and from
//! the command line. A test compares them.

mod keys;
mod loader_page;
mod page;
mod settings_page;

use super::arguments::{Arguments, What};
use clap::CommandFactory;
use clap_complete::Shell;

/// The text of the file.
pub fn generate(what: What) -> String {
    match what {
        What::ShellKeys => keys::text(),
        What::Man8 => loader_page::text(),
        What::Man5 => settings_page::text(),
        What::CompleteBash => complete(Shell::Bash),
        What::CompleteZsh => complete(Shell::Zsh),
        What::CompleteFish => complete(Shell::Fish),
    }
}

fn complete(shell: Shell) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), super::NAME, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
