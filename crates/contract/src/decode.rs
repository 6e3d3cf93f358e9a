//! Contracts from binaries, for all that goes on in terms of WIT.
//!
//! The decoder knows what the encoders of WIT write. It takes valid components that they would not write for granted too,
//! and panics on some of them: those are looked for here before, and refused.

use std::collections::HashSet;

use anyhow::{Result, bail};
use wasmparser::WasmFeatures;
use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType, ComponentItem};
use wasmparser::names::{ComponentName, ComponentNameKind};
use wasmparser::types::TypesRef;
use wit_component::DecodedWasm;

use crate::roots;

/// Decodes a component, or a WIT package in its binary form. The code in it is not validated, all else is.
///
/// The bytes must have passed [`anatomy::read`], which bounds how deep things are nested.
pub fn decode(bytes: &[u8]) -> Result<DecodedWasm> {
    let (names, types) = roots::read(bytes)?;
    if let Some(types) = &types {
        let names: Vec<String> = names.imports.into_iter().chain(names.exports).collect();
        sayable(types.as_ref(), &names)?;
    }
    wit_component::decode(bytes)
}

/// Checks that functions have names that functions have in WIT. The binary format lets them have those of interfaces.
fn sayable(types: TypesRef<'_>, names: &[String]) -> Result<()> {
    let mut left: Vec<(String, ComponentEntityType)> = Vec::new();
    for name in names {
        let items = [types.component_item_for_import(name), types.component_item_for_export(name)];
        left.extend(items.into_iter().flatten().map(|item| (name.clone(), item.ty)));
    }
    let mut seen: HashSet<ComponentAnyTypeId> = HashSet::new();
    while let Some((name, entity)) = left.pop() {
        let inner = |items: &wasmparser::collections::IndexMap<String, ComponentItem>| -> Vec<_> {
            items.iter().map(|(name, item)| (name.clone(), item.ty)).collect()
        };
        match entity {
            ComponentEntityType::Func(_) if !names_a_function(&name) => {
                bail!("a function is called `{name}`, as only an interface can be in WIT");
            }
            ComponentEntityType::Instance(id) if seen.insert(id.into()) => {
                left.extend(inner(&types[id].exports));
            }
            ComponentEntityType::Component(id)
            | ComponentEntityType::Type { referenced: ComponentAnyTypeId::Component(id), .. }
                if seen.insert(id.into()) =>
            {
                left.extend(inner(&types[id].imports));
                left.extend(inner(&types[id].exports));
            }
            ComponentEntityType::Type { referenced: ComponentAnyTypeId::Instance(id), .. }
                if seen.insert(id.into()) =>
            {
                left.extend(inner(&types[id].exports));
            }
            _ => {}
        }
    }
    Ok(())
}

fn names_a_function(name: &str) -> bool {
    ComponentName::new_with_features(name, 0, WasmFeatures::all()).is_ok_and(|name| {
        matches!(
            name.kind(),
            ComponentNameKind::Label(_)
                | ComponentNameKind::Constructor(_)
                | ComponentNameKind::Method(_)
                | ComponentNameKind::Static(_)
        )
    })
}
