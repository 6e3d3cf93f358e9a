//! `composer inspect`.

use std::path::Path;

use clap::Args;
use composer::report;

use crate::failure::Failure;
use crate::files;
use crate::source::{self, RegistryOptions, Source};

/// Shows what a component imports and exports, and for a composition its parts and how they are wired.
///
/// Nothing is executed, and nothing but the component is looked at.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The component: a path, or `oci://REGISTRY/NAME:TAG`.
    #[arg(value_parser = Source::parser())]
    file: Source,
    /// Prints JSON: `imports` and `exports` (lists of names), `parts` (each with `name`, `language`, `bytes`,
    /// `imports`, `exports`), `edges` and `outlets` (what is wired to what).
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Executes the command.
pub fn run(arguments: &Inspect) -> Result<(), Failure> {
    let bytes = source::read(&arguments.file, &arguments.registry, Path::new("."))?;
    let shown = arguments.file.to_string();
    let component =
        anatomy::read(&bytes).map_err(|error| files::not_a_component(Path::new(&shown), error))?;
    let text = if arguments.json {
        format!("{}\n", report::json(&component))
    } else {
        // A name may hold anything; it must not steer the terminal.
        let title = arguments.file.title().replace(char::is_control, "\u{fffd}");
        report::tree(&title, &component)
    };
    files::print(text.as_bytes())
}
