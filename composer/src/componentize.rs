//! From a core module to a component.

use thiserror::Error;
use wasm_metadata::AddMetadata;
use wasmparser::{Parser, Payload, Validator, WasmFeatures};
use wit_component::{ComponentEncoder, StringEncoding};

use crate::contain::{Crash, contain};
use crate::contract::{Contracts, WorldError};

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
/// taken at its word; for one that does not, `world` names it.
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
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(core)
        .map_err(ComponentizeError::Invalid)?;
    let module = Module::read(core).map_err(ComponentizeError::Invalid)?;
    if let Some((name, names)) = module.foreign.iter().find(|(name, _)| needs_adapter(name, adapters)) {
        return Err(ComponentizeError::NeedsAdapter { module: name.clone(), names: names.clone() });
    }
    let mut core = core.to_vec();
    if !module.names_world {
        let (contracts, world) = world.ok_or(ComponentizeError::NoWorld)?;
        let world = contracts.world(world)?;
        wit_component::embed_component_metadata(&mut core, contracts.resolve(), world, StringEncoding::UTF8)
            .map_err(ComponentizeError::Encode)?;
    }
    let encoded = contain(|| {
        let mut encoder = ComponentEncoder::default();
        encoder.validate(true).module(&core)?;
        for adapter in adapters {
            encoder.adapter(&adapter.name, &adapter.bytes)?;
        }
        encoder.encode()
    })?;
    encoded.map_err(ComponentizeError::Encode)
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

/// What matters of a core module.
struct Module {
    /// Whether it says which world it was built for.
    names_world: bool,
    /// Imports from WASI as it was before components, by module.
    foreign: Vec<(String, Vec<String>)>,
}

impl Module {
    fn read(core: &[u8]) -> Result<Self, wasmparser::Error> {
        let mut module = Module { names_world: false, foreign: Vec::new() };
        for payload in Parser::new(0).parse_all(core) {
            match payload? {
                Payload::CustomSection(section) if section.name().starts_with("component-type") => {
                    module.names_world = true;
                }
                Payload::ImportSection(reader) => {
                    for import in reader.into_imports() {
                        let import = import?;
                        if is_old_wasi(import.module) {
                            module.add(import.module, import.name);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(module)
    }

    fn add(&mut self, from: &str, name: &str) {
        match self.foreign.iter_mut().find(|(module, _)| module == from) {
            Some((_, names)) => names.push(name.to_owned()),
            None => self.foreign.push((from.to_owned(), vec![name.to_owned()])),
        }
    }
}

fn is_old_wasi(module: &str) -> bool {
    module == "wasi_unstable" || module.starts_with("wasi_snapshot_preview")
}

fn needs_adapter(module: &str, adapters: &[Adapter]) -> bool {
    !adapters.iter().any(|adapter| adapter.name == module)
}
