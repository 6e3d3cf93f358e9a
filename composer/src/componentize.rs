//! From a core module to a component.

mod module;
pub mod preview1;

use thiserror::Error;
use wasm_metadata::AddMetadata;
use wasmparser::Parser;
use wit_component::{ComponentEncoder, StringEncoding};

use contract::contain::{Crash, contain};
use contract::{Contracts, WorldError};
use module::{Imported, Module};

/// Why no component was made.
#[derive(Debug, Error)]
pub enum ComponentizeError {
    /// It is a component already.
    #[error("this is a component already")]
    AlreadyComponent,
    /// It is not WebAssembly at all.
    #[error("this is {}, not a core module", if *.text { "text" } else { "not WebAssembly" })]
    NotWasm {
        /// Whether it is text.
        text: bool,
    },
    /// The module does not validate.
    #[error("the core module is not valid")]
    Invalid(#[source] wasmparser::Error),
    /// The module does not say which world it was built for, and nobody else does.
    #[error("the core module does not say which world it was built for")]
    NoWorld,
    /// There is no such world.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The module imports from a system interface that is no component's, and no adapter was given for it.
    #[error("the core module imports {} from `{module}`, and no adapter was given for that", functions(.names))]
    NeedsAdapter {
        /// The module that it imports from.
        module: String,
        /// What it imports from there.
        names: Vec<String>,
    },
    /// The module starts threads by a proposal that components do not have.
    #[error("the core module was built for threads ({what}), which a component cannot start that way")]
    Threads {
        /// What shows it.
        what: &'static str,
    },
    /// No world says what the module imports, and no adapter provides it.
    #[error("the core module imports {} from `{module}`, which is neither of WASI nor of a world", functions(.names))]
    Foreign {
        /// The module that it imports from.
        module: String,
        /// What it imports from there.
        names: Vec<String>,
    },
    /// An adapter cannot be read.
    #[error("the adapter for `{name}` cannot be read")]
    Adapter {
        /// What it stands in for.
        name: String,
        /// What is wrong with it.
        #[source]
        source: anyhow::Error,
    },
    /// An adapter was given for what the module does not import.
    #[error("the core module imports nothing from `{0}`, for which an adapter was given")]
    IdleAdapter(String),
    /// There are several adapters for one module.
    #[error("two adapters were given for `{0}`")]
    TwoAdapters(String),
    /// A program cannot be started.
    #[error(
        "the core module's `_start` is not a function without parameters and results, as that of a program is"
    )]
    OddStart,
    /// An adapter has no memory that it could share with the module.
    #[error("the core module exports no memory under the name `memory`, which its adapter needs")]
    NoMemory,
    /// The module does not fit the world it was built for, or the encoder cannot say it.
    #[error("no component can be made of the core module")]
    Encode(#[source] anyhow::Error),
    /// The encoder crashed.
    #[error("no component can be made of the core module")]
    Crash(#[from] Crash),
}

fn functions(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// An adapter: a core module that translates a system interface of old into one of components.
#[derive(Debug, Clone)]
pub struct Adapter {
    /// The module name that it stands in for, such as `wasi_snapshot_preview1`.
    pub name: String,
    /// The adapter itself.
    pub bytes: Vec<u8>,
}

impl Adapter {
    /// Returns the full names of the interfaces that a component may import because of the adapter.
    ///
    /// # Errors
    ///
    /// Where it is no adapter.
    pub fn imports(&self) -> Result<Vec<String>, ComponentizeError> {
        Ok(self.world()?.imports)
    }

    fn world(&self) -> Result<AdapterWorld, ComponentizeError> {
        let fail = |source| ComponentizeError::Adapter { name: self.name.clone(), source };
        if !Parser::is_core_wasm(&self.bytes) {
            let what = match std::str::from_utf8(&self.bytes) {
                _ if Parser::is_component(&self.bytes) => "a component",
                Ok(text) if !text.is_empty() => "text",
                _ => "not WebAssembly",
            };
            return Err(fail(anyhow::anyhow!("it is {what}, and an adapter is a core module")));
        }
        let (_, found) = contain(|| wit_component::metadata::decode(&self.bytes))?.map_err(fail)?;
        let world = &found.resolve.worlds[found.world];
        let imports = world.imports.keys().map(|key| found.resolve.name_world_key(key)).collect();
        Ok(AdapterWorld { imports, exports: !world.exports.is_empty() })
    }
}

/// The world that an adapter was built for.
struct AdapterWorld {
    /// The full names of what it imports.
    imports: Vec<String>,
    /// Whether it exports anything.
    exports: bool,
}

/// What is written into a component about its making, for those who look inside later.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The language, such as `Zig`.
    pub language: String,
    /// The tool that made it, and its version.
    pub tool: (String, String),
}

/// Makes a component of a core module.
///
/// A module that says which world it was built for (bindings generators write that into a custom section) is
/// taken at its word; for one that does not, `world` names it, or an adapter whose own world exports something: that of
/// [commands](preview1::Kind::Command) makes a component that exports `wasi:cli/run`.
///
/// # Errors
///
/// Where the input is no core module, nothing says which world it was built for, it does not fit that world, or
/// it needs an adapter that is not there.
pub fn componentize(
    core: &[u8],
    world: Option<(&Contracts, &str)>,
    adapters: &[Adapter],
) -> Result<Vec<u8>, ComponentizeError> {
    if Parser::is_component(core) {
        return Err(ComponentizeError::AlreadyComponent);
    }
    if !Parser::is_core_wasm(core) {
        return Err(ComponentizeError::NotWasm {
            text: std::str::from_utf8(core).is_ok() && !core.is_empty(),
        });
    }
    let module = Module::read(core).map_err(ComponentizeError::Invalid)?;
    refuse_idle(&module, adapters)?;
    let worlds = adapters.iter().map(Adapter::world).collect::<Result<Vec<_>, _>>()?;
    refuse_unadapted(&module, adapters)?;
    let mut core = core.to_vec();
    if let (false, Some((contracts, world))) = (module.names_world, world) {
        let world = contracts.world(world)?;
        wit_component::embed_component_metadata(&mut core, contracts.resolve(), world, StringEncoding::UTF8)
            .map_err(ComponentizeError::Encode)?;
    } else if !module.names_world {
        if let Some(Imported { module, names }) = module.imports.iter().find(|from| !adapted(from, adapters))
        {
            return Err(ComponentizeError::Foreign { module: module.clone(), names: names.clone() });
        }
        if !worlds.iter().any(|world| world.exports) {
            return Err(ComponentizeError::NoWorld);
        }
    }
    let encoded = contain(|| {
        let mut encoder = ComponentEncoder::default();
        encoder.validate(true).module(&core)?;
        for adapter in adapters {
            encoder.adapter(&adapter.name, &adapter.bytes)?;
        }
        encoder.encode()
    })?;
    encoded.map_err(|error| match module {
        Module { odd_start: true, .. } if worlds.iter().any(|world| world.exports) => {
            ComponentizeError::OddStart
        }
        Module { shows_memory: false, .. } if !adapters.is_empty() => ComponentizeError::NoMemory,
        _ => ComponentizeError::Encode(error),
    })
}

/// Writes into a component which language it was written in, and what made it.
///
/// Toolchains that do not do it themselves leave components of which nobody can tell afterwards.
///
/// # Errors
///
/// Where `component` is no WebAssembly.
pub fn sign(component: &[u8], origin: &Origin) -> Result<Vec<u8>, ComponentizeError> {
    let mut metadata = AddMetadata::default();
    metadata.language = vec![(origin.language.clone(), String::new())];
    metadata.processed_by = vec![origin.tool.clone()];
    metadata.to_wasm(component).map_err(ComponentizeError::Encode)
}

/// Refuses imports from WASI as it was before components where no adapter provides them.
fn refuse_unadapted(module: &Module, adapters: &[Adapter]) -> Result<(), ComponentizeError> {
    if let Some(what) = module.threads {
        return Err(ComponentizeError::Threads { what });
    }
    let unadapted =
        module.imports.iter().find(|from| preview1::is_old(&from.module) && !adapted(from, adapters));
    match unadapted {
        Some(Imported { module, names }) => {
            Err(ComponentizeError::NeedsAdapter { module: module.clone(), names: names.clone() })
        }
        None => Ok(()),
    }
}

/// Refuses adapters that would have no effect. That for WASI preview 1 also makes a program's component of a module that imports
/// nothing from it.
fn refuse_idle(module: &Module, adapters: &[Adapter]) -> Result<(), ComponentizeError> {
    for (index, Adapter { name, .. }) in adapters.iter().enumerate() {
        if adapters[..index].iter().any(|other| other.name == *name) {
            return Err(ComponentizeError::TwoAdapters(name.clone()));
        }
        if name != preview1::NAME && !module.imports.iter().any(|from| from.module == *name) {
            return Err(ComponentizeError::IdleAdapter(name.clone()));
        }
    }
    Ok(())
}

fn adapted(from: &Imported, adapters: &[Adapter]) -> bool {
    adapters.iter().any(|adapter| adapter.name == from.module)
}
