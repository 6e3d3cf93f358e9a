//! `composer completions`.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::files;

/// Generate shell completions for the commands and flags of this program.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  composer completions bash > ~/.local/share/bash-completion/completions/composer\n  \
                        composer completions zsh > ~/.zfunc/_composer\n  composer completions fish > \
                        ~/.config/fish/completions/composer.fish"
)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

/// Executes the command. `whole` is the command line that is completed.
pub fn run(arguments: &Completions, mut whole: Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut whole, "composer", &mut script);
    files::print(&script)
}
