//! `composer inspect`.

use std::path::Path;

use clap::Args;
use composer::report;

use crate::failure::Failure;
use crate::files;
use crate::source::{self, RegistryOptions, Source};

/// Show what a component imports and exports; for a composition, also its components, how they are
/// wired, and what each can reach outside.
///
/// For a WIT package, shows the interfaces and worlds. Nothing is executed, and nothing outside the
/// component is read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  composer inspect whole.wasm\n  composer inspect whole.wasm --json")]
pub struct Inspect {
    /// Component: a path, `oci://REGISTRY/NAME:TAG`, or `-` for standard input.
    #[arg(value_parser = Source::parser())]
    file: Source,
    /// Prints JSON: `imports` and `exports` (lists of names), `types` (those that stand by themselves), `implements` (which interface an
    /// import or export with a name of its own implements), `parts` (each with `name`,
    /// `language`, `toolchain`, `bytes`, `sizes`, `imports`, `exports`, `origin`), `edges` and `outlets` (what is wired to what), `reach` (which imports of
    /// the whole each part can reach, and by which ways through other parts), and more.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Executes the command.
pub fn run(arguments: &Inspect) -> Result<(), Failure> {
    let bytes = source::read(&arguments.file, &arguments.registry, Path::new("."))?;
    let shown = arguments.file.to_string();
    let finding =
        report::inspect(&bytes).map_err(|error| files::not_a_component(Path::new(&shown), error))?;
    let text = if arguments.json {
        format!("{}\n", report::json(&finding))
    } else {
        report::tree(&arguments.file.title(), &finding)
    };
    files::print(text.as_bytes())
}
