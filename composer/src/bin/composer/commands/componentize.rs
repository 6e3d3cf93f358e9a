//! `composer componentize`.

use std::path::{Path, PathBuf};

use check::fit;
use clap::Args;
use composer::componentize::{Adapter, ComponentizeError, componentize, preview1};

use crate::failure::{Exit, Failure};
use crate::files;
use crate::project;
use crate::source::{self, RegistryOptions, Source};

/// Makes a component of a core module.
///
/// Modules built with bindings say themselves which world they were built for. For one that does not, `--world`
/// names it; for one that does, `--world` checks the product against it.
///
/// A module that was built for WASI preview 1 (`wasm32-wasip1`) gets the adapter for it, which comes with this command. If it
/// exports `_start`, it is a program: the component exports `wasi:cli/run`, and needs no other world. If not, it is a library:
/// its world says what it exports. Besides what its world imports, the component then imports interfaces of WASI 0.2.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  composer componentize core.wasm -o greeter.wasm\n  composer componentize \
                        hello-wasip1.wasm -o hello.wasm\n  composer componentize library-wasip1.wasm -o adder.wasm --wit wit \
                        --world adder\n  composer componentize core.wasm -o tool.wasm --adapt \
                        wasi_snapshot_preview1=adapter.wasm"
)]
pub struct Componentize {
    /// The core module: a path, or `oci://REGISTRY/NAME:TAG`.
    #[arg(value_parser = Source::parser())]
    core: Source,
    /// Where the component goes: a file, or `-` for a pipe. Folders on the way to a file are made where they are missing.
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,
    /// The folder of WIT packages. Default: what interlock.toml says.
    #[arg(long, value_name = "DIR", requires = "world")]
    wit: Option<PathBuf>,
    /// The world: its short name in the root package, or its full one.
    #[arg(long)]
    world: Option<String>,
    /// Another adapter, for what the module imports under NAME: a core module that provides it. Without a NAME it is for
    /// `wasi_snapshot_preview1`, instead of the adapter that comes with this command.
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
    let mut adapters = adapters.into_iter().map(adapter).collect::<Result<Vec<_>, _>>()?;
    let fail = |error| explain(&arguments.core, error);
    if !adapters.iter().any(|adapter| adapter.name == preview1::NAME) {
        adapters.extend(preview1::adapter(&core).map_err(fail)?);
    }
    let contract = contracts.as_ref().map(|(contracts, world)| (contracts, *world));
    let component = componentize(&core, contract, &adapters).map_err(fail)?;
    if let Some((contracts, world)) = contract {
        let brought = adapters.iter().map(Adapter::imports).collect::<Result<Vec<_>, _>>().map_err(fail)?;
        fit::check_adapted(&component, contracts, world, &brought.concat()).map_err(|error| {
            let message = format!("the component made of `{}` is not written", arguments.core);
            Failure::because(Exit::Cannot, message, error)
        })?;
    }
    files::deliver(&arguments.output, &component)
}

/// An adapter: what it stands in for, and its file.
fn named(adapter: &str) -> (&str, &Path) {
    let (name, file) = adapter.split_once('=').unwrap_or((preview1::NAME, adapter));
    (name, Path::new(file))
}

/// The way out for a module of a WASI that there is no adapter for.
const NO_ADAPTER: &str = "the adapter that comes with this command is for `wasi_snapshot_preview1`: build the module again with a \
                          toolchain of today, for `wasm32-wasip1` or `wasm32-wasip2`";

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
            Some(
                "name it: `--world WORLD`, with `--wit DIR` where there is no interlock.toml. Only a program for WASI preview 1, \
                 which exports `_start`, needs none"
                    .to_owned(),
            ),
        ),
        ComponentizeError::NeedsAdapter { .. } => (Exit::Cannot, Some(NO_ADAPTER.to_owned())),
        ComponentizeError::Threads { .. } => {
            (Exit::Cannot, Some("build it without threads: for `wasm32-wasip1`, for example".to_owned()))
        }
        ComponentizeError::Foreign { module, .. } => {
            let how = format!(
                "either name the world that has this import, with `--world WORLD`; or give `--adapt {module}=ADAPTER.wasm`, a \
                 core module that provides it; or build the module so that it does not need it"
            );
            (Exit::Cannot, Some(how))
        }
        ComponentizeError::IdleAdapter(name) => {
            (Exit::Usage, Some(format!("leave it out, or name what the module does import instead of `{name}`")))
        }
        ComponentizeError::TwoAdapters(_) => (Exit::Usage, Some("leave one of them out".to_owned())),
        ComponentizeError::World(_) => (Exit::Cannot, Some(project::NO_WORLD.to_owned())),
        _ => (Exit::Cannot, None),
    };
    let failure = Failure::because(exit, format!("no component was made of `{shown}`"), error);
    match help {
        Some(help) => failure.help(help),
        None => failure,
    }
}
