//! The oracle: what the engine says about a pair.
//!
//! A component imports what is provided, another one inside it imports what is wanted, and is instantiated with
//! the former. Nothing of the library under test takes part. The validator is the one with which engines load
//! components.
//!
//! Which features: all of them, as the library validates with, because maps, fixed-length lists and
//! `error-context` are types that a component may have while engines keep them off by default. Features switch
//! types on and do not change when types agree; that this is so is checked as well, by asking again with those
//! that wasmtime has on with its `component-model-async`, wherever a pair needs no more.

use wasm_encoder::{ComponentBuilder, ComponentExportKind};
use wasmparser::{Validator, WasmFeatures};

use super::encode::{Scene, socket};
use super::model::{ExternKind, ExternName, World};

/// What the library validates with.
pub fn all_features() -> WasmFeatures {
    WasmFeatures::all()
}

/// What wasmtime enables by default when it is built with `component-model-async`.
pub fn default_features() -> WasmFeatures {
    WasmFeatures::WASM3
        | WasmFeatures::GC_TYPES
        | WasmFeatures::EXCEPTIONS
        | WasmFeatures::THREADS
        | WasmFeatures::COMPONENT_MODEL
        | WasmFeatures::CM_ASYNC
}

/// Whether what is provided may stand where the other world is wanted; `Err` holds the engine's words.
pub fn verdict(provided: &World, wanted: &World) -> Result<(), String> {
    validate(&pair(provided, wanted)?, all_features())
}

/// The component that is valid exactly where the pair fits.
pub fn pair(provided: &World, wanted: &World) -> Result<Vec<u8>, String> {
    let mut outer = Scene::new(provided);
    outer.import_all(|found| found.name.full());
    let mut arguments = Vec::new();
    for want in &wanted.externs {
        let Some(name) = serves(provided, &want.name) else {
            return Err(format!("nothing provides `{}`", want.name.full()));
        };
        let found =
            provided.externs.iter().find(|found| found.name.full() == name).expect("it was found there");
        let (kind, index): (ComponentExportKind, u32) = outer.imported[&found.id];
        arguments.push((want.name.full(), kind, index));
    }
    let component = outer.builder.component_raw(None, &socket(wanted));
    outer.builder.instantiate(None, component, arguments);
    Ok(outer.builder.finish())
}

/// The same of two components as they are: one that imports nothing, and one that imports what the other exports.
pub fn verdict_of_components(
    provider: &[u8],
    consumer: &[u8],
    provided: &World,
    wanted: &World,
) -> Result<(), String> {
    let mut builder = ComponentBuilder::default();
    let provider = builder.component_raw(None, provider);
    let consumer = builder.component_raw(None, consumer);
    let instance = builder.instantiate(None, provider, Vec::<(String, ComponentExportKind, u32)>::new());
    let mut arguments = Vec::new();
    for want in &wanted.externs {
        let Some(name) = serves(provided, &want.name) else {
            return Err(format!("nothing provides `{}`", want.name.full()));
        };
        let found =
            provided.externs.iter().find(|found| found.name.full() == name).expect("it was found there");
        let kind = match found.kind {
            ExternKind::Interface(_) => ComponentExportKind::Instance,
            ExternKind::Func(_) => ComponentExportKind::Func,
        };
        arguments.push((want.name.full(), kind, builder.alias_export(instance, &name, kind)));
    }
    builder.instantiate(None, consumer, arguments);
    validate(&builder.finish(), all_features())
}

pub fn validate(bytes: &[u8], features: WasmFeatures) -> Result<(), String> {
    Validator::new_with_features(features).validate_all(bytes).map(|_| ()).map_err(|error| error.to_string())
}

/// The name of what serves this import: the very same name, or the same interface in a compatible version.
pub fn serves(provided: &World, want: &ExternName) -> Option<String> {
    let exact = provided.externs.iter().find(|found| found.name == *want);
    let compatible = || {
        provided.externs.iter().find(|found| match (&found.name, want) {
            (
                ExternName::Interface { package: p, interface: i, version: Some(v) },
                ExternName::Interface { package, interface, version: Some(version) },
            ) => p == package && i == interface && track(v).is_some() && track(v) == track(version),
            _ => false,
        })
    };
    exact.or_else(compatible).map(|found| found.name.full())
}

/// Engines link versions that agree on their first number that is not zero, older and newer alike, and leave it to the
/// types whether they fit. Below 0.1.0, and for prereleases, only the very version will do.
fn track(version: &str) -> Option<(usize, u64)> {
    let numbers: Vec<u64> = version.split('.').map_while(|part| part.parse().ok()).collect();
    (numbers.len() == 3 && numbers[..2] != [0, 0]).then(|| {
        let at = numbers.iter().position(|number| *number != 0).expect("one of the first two is not zero");
        (at, numbers[at])
    })
}
