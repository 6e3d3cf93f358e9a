//! `composer compose`.

use std::path::{Path, PathBuf};

use clap::Args;
use composer::compose::{self, ComposeError, ComposeErrorKind};

use crate::failure::{Exit, Failure};
use crate::files;
use crate::project::{Given, Shelf};

/// Composes components, as a text in the WAC language says.
///
/// Inside a project a component NAME of composer.toml is the package `parts:NAME`, and WIT packages are those of its
/// contracts. Other packages are given with `-d`. Nothing is ever looked up in a registry.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  composer compose whole.wac -o whole.wasm\n  composer compose whole.wac -o \
                        whole.wasm -d parts:greeter=greeter.wasm -d example:worlds=wit"
)]
pub struct Compose {
    /// The text.
    file: PathBuf,
    /// Where the composition goes: a file, or `-` for a pipe.
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,
    /// A package that the text mentions: a component, or a folder of WIT packages.
    #[arg(short, long = "dependency", value_name = "PKG=FILE")]
    dependencies: Vec<Given>,
    /// The folder of WIT packages. Default: what composer.toml says.
    #[arg(long, value_name = "DIR")]
    wit: Option<PathBuf>,
}

/// Executes the command.
pub fn run(arguments: &Compose) -> Result<(), Failure> {
    let given = arguments.dependencies.iter().map(|given| given.file.as_path());
    files::keep_apart(&arguments.output, given.chain([arguments.file.as_path()]))?;
    let text = files::read_text(&arguments.file)?;
    let name = arguments.file.display().to_string();
    let references = compose::references(&name, &text).map_err(failure)?;
    let near = arguments.file.parent().unwrap_or(Path::new("."));
    let shelf = Shelf::new(&arguments.dependencies, arguments.wit.as_deref(), near)?;
    for given in &arguments.dependencies {
        if !references.iter().any(|reference| reference.name == given.package) {
            files::say(&format!(
                "note: `{name}` does not mention the package `{}` that was given with -d",
                given.package
            ));
        }
    }
    let packages = shelf.packages(&references)?;
    let origins = shelf.origins(&references);
    let composed = compose::compose_from(&name, &text, &packages, &origins).map_err(failure)?;
    files::deliver(&arguments.output, &composed)
}

/// A text that is not WAC is a bad input; one that cannot be done with these packages is not.
pub fn failure(error: ComposeError) -> Failure {
    let exit = match error.kind {
        ComposeErrorKind::TooLong(_)
        | ComposeErrorKind::TooDeep(_)
        | ComposeErrorKind::Syntax(_)
        | ComposeErrorKind::Part(..) => Exit::Input,
        _ => Exit::Cannot,
    };
    Failure::of(exit, error)
}
