//! `composer compose`.

use std::path::{Path, PathBuf};

use clap::Args;
use composer::compose::{self, ComposeError, ComposeErrorKind};

use crate::failure::{Exit, Failure};
use crate::files;
use crate::project::{self, Given, Shelf};
use crate::source::{LockOptions, RegistryOptions, Supply, Wanted};

/// Composes components, as a text in the WAC language says.
///
/// Inside a project a component NAME of composer.toml is the package `parts:NAME`, and WIT packages are those of its
/// contracts. Other packages are given with `-d`: as a path, or as `oci://REGISTRY/NAME:TAG`. Nothing is ever looked up
/// in a registry unless it is given so.
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
    /// A package that the text mentions: a component, by path or `oci://` reference, or a folder of WIT packages.
    #[arg(short, long = "dependency", value_name = "PKG=SOURCE")]
    dependencies: Vec<Given>,
    /// The folder of WIT packages. Default: what composer.toml says.
    #[arg(long, value_name = "DIR")]
    wit: Option<PathBuf>,
    #[command(flatten)]
    lock: LockOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Executes the command.
pub fn run(arguments: &Compose) -> Result<(), Failure> {
    let given = arguments.dependencies.iter().filter_map(|given| given.source.path());
    files::keep_apart(&arguments.output, given.chain([arguments.file.as_path()]))?;
    let text = files::read_text(&arguments.file)?;
    let name = arguments.file.display().to_string();
    let references = compose::references(&name, &text).map_err(failure)?;
    let near = arguments.file.parent().unwrap_or(Path::new("."));
    project::each_once(&arguments.dependencies)?;
    let mentioned = |given: &&Given| references.iter().any(|reference| reference.name == given.package);
    let (used, unused): (Vec<_>, Vec<_>) = arguments.dependencies.iter().partition(mentioned);
    for given in unused {
        files::say(&format!(
            "note: `{name}` does not mention the package `{}` that was given with -d",
            given.package
        ));
    }
    let mut supply = Supply::new(&arguments.output, &arguments.registry, &arguments.lock, near)?;
    let wanted =
        |given: &Given| Wanted { package: Some(given.package.clone()), source: given.source.clone() };
    let given = supply.inputs(used.into_iter().map(wanted).collect())?;
    let packages = Shelf::new(given, arguments.wit.as_deref(), near)?.packages(&references)?;
    let composed = compose::compose(&name, &text, &packages).map_err(failure)?;
    supply.settle()?;
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
