//! The validator's word on whether a component fits a world, without a line of the library under test.

use wasmparser::{Validator, WasmFeatures};
use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldId};

/// What a component imports and exports, as `wit-component` decodes it.
pub fn world(bytes: &[u8]) -> (Resolve, WorldId) {
    match wit_component::decode(bytes).expect("wit-component decodes it") {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(..) => panic!("it is a WIT package"),
    }
}

/// The names of a world's imports and exports, as components have them, without types.
pub fn names(resolve: &Resolve, world: WorldId) -> (Vec<String>, Vec<String>) {
    let world = &resolve.worlds[world];
    let named = |items: &wit_parser::IndexMap<wit_parser::WorldKey, wit_parser::WorldItem>| {
        let untyped = items.iter().filter(|(_, item)| !matches!(item, wit_parser::WorldItem::Type { .. }));
        let mut names: Vec<String> = untyped.map(|(key, _)| resolve.name_world_key(key)).collect();
        names.sort();
        names
    };
    (named(&world.imports), named(&world.exports))
}

/// Whether a component is one of this world's: a component is put together that is valid exactly then.
///
/// Names must be the very same: the validator knows nothing of versions that promise to fit.
pub fn fits(component: &[u8], resolve: &Resolve, world: WorldId) -> Result<(), String> {
    wit_component::targets(resolve, world, component).map_err(|error| format!("{error:?}"))
}

/// Validates all of it.
pub fn validate(bytes: &[u8]) {
    Validator::new_with_features(WasmFeatures::all()).validate_all(bytes).expect("it is valid");
}
