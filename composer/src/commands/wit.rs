//! `composer wit`.

use std::path::PathBuf;

use anatomy::ReadError;
use clap::Args;
use composer::wit::{self, WitError};

use crate::failure::{Exit, Failure};
use crate::files;

/// Prints the contract of a component as WIT: what it imports and exports, with all types.
///
/// A WIT package in its binary form is printed too. The text is complete: packages that it mentions are nested in it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  composer wit greeter.wasm\n  composer wit greeter.wasm -o greeter.wit")]
pub struct Wit {
    /// The component, or the WIT package.
    file: PathBuf,
    /// The file that the text goes to. Default: standard output.
    #[arg(short, long, value_name = "OUT.wit")]
    output: Option<PathBuf>,
}

/// Executes the command.
pub fn run(arguments: &Wit) -> Result<(), Failure> {
    let file = &arguments.file;
    if let Some(output) = &arguments.output {
        files::keep_apart(output, [file.as_path()])?;
    }
    let bytes = files::read(file)?;
    let text = wit::text(&bytes).map_err(|error| match error {
        WitError::Read(ReadError::Text) => {
            Failure::new(Exit::Input, format!("`{}` is text, not a component", file.display()))
                .help("a contract is printed from the binary form of a component or of a WIT package")
        }
        WitError::Read(error) => files::not_a_component(file, error),
        WitError::Invalid(_) => {
            Failure::because(Exit::Input, format!("`{}` has no contract", file.display()), error)
                .help("it may have been cut off or damaged: get or build it again")
        }
        error => {
            Failure::because(Exit::Cannot, format!("no contract of `{}` was printed", file.display()), error)
        }
    })?;
    match &arguments.output {
        Some(output) if output.as_os_str() != "-" => files::write(output, text.as_bytes()),
        _ => files::print(text.as_bytes()),
    }
}
