//! `composer componentize`.

use std::path::{Path, PathBuf};

use clap::Args;
use composer::componentize::{Adapter, ComponentizeError, componentize};
use composer::fit;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::project;
use crate::source::{self, RegistryOptions, Source};

/// Makes a component of a core module.
///
/// Modules built with bindings say themselves which world they were built for. For one that does not, `--world`
/// names it; for one that does, `--world` checks the product against it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  composer componentize core.wasm -o greeter.wasm\n  composer componentize \
                        core.wasm -o tool.wasm --adapt wasi_snapshot_preview1=adapter.wasm"
)]
pub struct Componentize {
    /// The core module: a path, or `oci://REGISTRY/NAME:TAG`.
    #[arg(value_parser = Source::parser())]
    core: Source,
    /// Where the component goes: a file, or `-` for a pipe. Folders on the way to a file are made where they are missing.
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,
    /// The folder of WIT packages. Default: what composer.toml says.
    #[arg(long, value_name = "DIR", requires = "world")]
    wit: Option<PathBuf>,
    /// The world: its short name in the root package, or its full one.
    #[arg(long)]
    world: Option<String>,
    /// An adapter for a system interface of old, which the module imports under NAME. Without a NAME it is
    /// `wasi_snapshot_preview1`.
    #[arg(long, value_name = "[NAME=]FILE")]
    adapt: Vec<String>,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Executes the command.
pub fn run(arguments: &Componentize) -> Result<(), Failure> {
    let adapters: Vec<(&str, &Path)> = arguments.adapt.iter().map(|adapter| named(adapter)).collect();
    let inputs = arguments.core.path().into_iter().chain(adapters.iter().map(|(_, file)| *file));
    files::keep_apart(&arguments.output, inputs)?;
    let core = source::read(&arguments.core, &arguments.registry, Path::new("."))?;
    let contracts = match &arguments.world {
        Some(world) => Some((project::contracts(arguments.wit.as_deref(), Path::new("."))?, world.as_str())),
        None => None,
    };
    let adapter = |(name, file): (&str, &Path)| {
        Ok::<_, Failure>(Adapter { name: name.to_owned(), bytes: files::read(file)? })
    };
    let adapters = adapters.into_iter().map(adapter).collect::<Result<Vec<_>, _>>()?;
    let contract = contracts.as_ref().map(|(contracts, world)| (contracts, *world));
    let component =
        componentize(&core, contract, &adapters).map_err(|error| explain(&arguments.core, error))?;
    if let Some((contracts, world)) = contract {
        fit::check(&component, contracts, world).map_err(|error| {
            let message = format!("the component made of `{}` is not written", arguments.core);
            Failure::because(Exit::Cannot, message, error)
        })?;
    }
    files::deliver(&arguments.output, &component)
}

/// An adapter: what it stands in for, and its file.
fn named(adapter: &str) -> (&str, &Path) {
    let (name, file) = adapter.split_once('=').unwrap_or(("wasi_snapshot_preview1", adapter));
    (name, Path::new(file))
}

fn explain(shown: &Source, error: ComponentizeError) -> Failure {
    let (exit, help) = match &error {
        ComponentizeError::AlreadyComponent => (
            Exit::Input,
            Some(format!("it can be used as it is; `composer inspect {shown}` shows what is in it")),
        ),
        ComponentizeError::NotWasm { .. } => (Exit::Input, None),
        ComponentizeError::Invalid(_) => (Exit::Input, Some(files::unreadable(None))),
        ComponentizeError::NoWorld => (
            Exit::Cannot,
            Some("name it: `--world WORLD`, with `--wit DIR` where there is no composer.toml".to_owned()),
        ),
        ComponentizeError::NeedsAdapter { module, .. } => {
            let how = format!(
                "either `--adapt {module}=ADAPTER.wasm`, with the adapter that comes with wasmtime, or build the module \
                 so that it does not ask the system for anything, for `wasm32-unknown-unknown` for example"
            );
            (Exit::Cannot, Some(how))
        }
        ComponentizeError::World(_) => (Exit::Cannot, Some(project::NO_WORLD.to_owned())),
        _ => (Exit::Cannot, None),
    };
    let failure = Failure::because(exit, format!("no component was made of `{shown}`"), error);
    match help {
        Some(help) => failure.help(help),
        None => failure,
    }
}
