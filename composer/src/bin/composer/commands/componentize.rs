//! `composer componentize`.

use std::path::{Path, PathBuf};

use check::fit;
use clap::Args;
use composer::componentize::{Adapter, ComponentizeError, componentize, preview1};

use crate::failure::{Exit, Failure};
use crate::files;
use crate::project;
use crate::source::{self, RegistryOptions, Source};

/// Convert a core module to a component.
///
/// A module built with bindings records the world that it was built for. For a module without that
/// record, `--world` names the world; for others, `--world` checks the component against it.
///
/// A module built for WASI preview 1 (`wasm32-wasip1`) gets the adapter, which comes with this
/// command. A module that exports `_start` is a program: the component exports `wasi:cli/run`, and
/// needs no other world. Any other module is a library: its world defines its exports. Besides the
/// imports of its world, the component then imports interfaces of WASI 0.2.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  composer componentize core.wasm -o greeter.wasm\n  composer componentize \
                        hello-wasip1.wasm -o hello.wasm\n  composer componentize library-wasip1.wasm -o adder.wasm --wit wit \
                        --world adder\n  composer componentize core.wasm -o tool.wasm --adapt \
                        wasi_snapshot_preview1=adapter.wasm"
)]
pub struct Componentize {
    /// Core module: a path, or `oci://REGISTRY/NAME:TAG`.
    #[arg(value_parser = Source::parser())]
    core: Source,
    /// Output file, or `-` for a pipe. Missing directories are created.
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,
    /// Directory of WIT packages. Default: the one that interlock.toml names.
    #[arg(long, value_name = "DIR", requires = "world")]
    wit: Option<PathBuf>,
    /// World: its short name in the root package, or its full name.
    #[arg(long)]
    world: Option<String>,
    /// Adapter for the module's imports from NAME: a core module that provides them. Without NAME,
    /// it replaces the adapter for `wasi_snapshot_preview1` that comes with this command.
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
