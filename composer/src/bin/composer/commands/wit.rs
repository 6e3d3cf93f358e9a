//! `composer wit`.

use std::path::{Path, PathBuf};

use anatomy::ReadError;
use check::wit::{self, WitError};
use clap::Args;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::source::{self, RegistryOptions, Source};

/// Print the contract of a component as WIT: its imports and exports, with all types.
///
/// A WIT package in binary form is printed too. The text is complete: packages that it mentions are
/// nested in it.
///
/// A few contracts contain what WIT cannot express. They are printed as well, for people to read; a
/// comment at the end of the text explains why no tool can read it, and the exit code is 1.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  composer wit greeter.wasm\n  composer wit greeter.wasm -o greeter.wit")]
pub struct Wit {
    /// The component, or the WIT package: a path, `oci://REGISTRY/NAME:TAG`, or `-` for standard input.
    #[arg(value_parser = Source::parser())]
    file: Source,
    /// The file that the text goes to. Directories on the way to it are made where they are missing. Default: standard output.
    #[arg(short, long, value_name = "OUT.wit")]
    output: Option<PathBuf>,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Executes the command.
pub fn run(arguments: &Wit) -> Result<(), Failure> {
    if let Some(output) = &arguments.output {
        files::keep_apart(output, arguments.file.path())?;
    }
    let bytes = source::read(&arguments.file, &arguments.registry, Path::new("."))?;
    let file = arguments.file.to_string();
    let mut text = wit::text(&bytes).map_err(|error| match error {
        WitError::Read(ReadError::Text) => {
            Failure::new(Exit::Input, format!("`{file}` is text, not a component"))
                .help("a contract is printed from the binary form of a component or of a WIT package")
        }
        WitError::Read(error) => files::not_a_component(Path::new(&file), error),
        WitError::Invalid(_) => {
            Failure::because(Exit::Input, format!("`{file}` has no contract"), error).help(files::INVALID)
        }
        error => Failure::because(Exit::Cannot, format!("no contract of `{file}` was printed"), error),
    })?;
    let name = match &arguments.output {
        Some(output) if output.as_os_str() != "-" => output.display().to_string(),
        _ => "standard output".to_owned(),
    };
    let again = wit::reads_again(&name, &text, &bytes);
    if let Err(error) = &again {
        text.push_str(&format!("\n// This text cannot be read again: {}.\n", reason(error)));
    }
    match &arguments.output {
        Some(output) if output.as_os_str() != "-" => files::write(output, text.as_bytes()),
        _ => files::print(text.as_bytes()),
    }?;
    again.map_err(|error| {
        let message = format!("the contract of `{file}` was printed, and cannot be read again");
        Failure::because(Exit::Cannot, message, error)
            .help("to compare, check or compose it, give the component itself instead of the text")
    })
}

/// Why a text cannot be read again, in one line.
fn reason(error: &dyn std::error::Error) -> String {
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let first = cause.lines().find(|line| line.starts_with("- ")).or_else(|| cause.lines().next());
    first.unwrap_or_default().trim_start_matches("- ").to_owned()
}
