//! `composer explain`.

use clap::Args;
use composer::check::Class;

use crate::failure::{Exit, Failure};
use crate::files;

/// Explains a class of mismatches: the rule, a minimal example, the usual cures. Without a class, lists them all.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  composer explain record-field")]
pub struct Explain {
    /// The class, as `composer check` names it.
    class: Option<String>,
}

/// Executes the command.
pub fn run(arguments: &Explain) -> Result<(), Failure> {
    let Some(name) = &arguments.class else {
        let list: String = Class::ALL.iter().map(|class| format!("{class:22}{}\n", class.title())).collect();
        return files::print(list.as_bytes());
    };
    let class: Class = name.parse().map_err(|error| {
        Failure::because(Exit::Usage, "there is nothing to explain", error)
            .help("`composer explain` lists the classes")
    })?;
    files::print(class.page().as_bytes())
}
