//! `composer inspect`.

use std::path::PathBuf;

use clap::Args;
use composer::report;

use crate::failure::Failure;
use crate::files;

/// Shows what a component imports and exports, and for a composition its parts and how they are wired.
///
/// Nothing is executed, and nothing outside the file is looked at.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The component.
    file: PathBuf,
    /// Prints JSON: `imports` and `exports` (lists of names), `parts` (each with `name`, `language`, `bytes`,
    /// `imports`, `exports`), `edges` and `outlets` (what is wired to what).
    #[arg(long)]
    json: bool,
}

/// Executes the command.
pub fn run(arguments: &Inspect) -> Result<(), Failure> {
    let bytes = files::read(&arguments.file)?;
    let component = anatomy::read(&bytes).map_err(|error| files::not_a_component(&arguments.file, error))?;
    let text = if arguments.json {
        format!("{}\n", report::json(&component))
    } else {
        let title = arguments.file.file_name().unwrap_or(arguments.file.as_os_str());
        // A name may hold anything; it must not steer the terminal.
        let title = title.to_string_lossy().replace(char::is_control, "\u{fffd}");
        report::tree(&title, &component)
    };
    files::print(text.as_bytes())
}
