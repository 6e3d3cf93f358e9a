//! Which imports of a composition the library can write down.
//!
//! `wac-graph` 0.12 ends in a panic where an instance that is left to the host has anything in it but types, functions
//! and instances, and where a function that is left to the host takes a resource that the composition does not import
//! by itself, or borrows any. Both are valid; see `docs/upstream.md`. They are looked for first, and named.

use std::collections::HashSet;

use wac_graph::CompositionGraph;
use wac_graph::types::{DefinedType, ItemKind, ResourceId, Type, Types, ValueType};

/// Returns the name of the first import of the composition that cannot be written down, and why.
pub(crate) fn unwritable(graph: &CompositionGraph) -> Option<(String, String)> {
    let types = graph.types();
    let resources: HashSet<&str> = graph
        .imports()
        .filter_map(|(_, kind, _)| match kind {
            ItemKind::Type(Type::Resource(id)) => Some(types[id].name.as_str()),
            _ => None,
        })
        .collect();
    graph.imports().find_map(|(import, kind, _)| {
        let reason = match kind {
            ItemKind::Instance(_) | ItemKind::Component(_) => inside(types, kind, &mut Vec::new())?,
            ItemKind::Func(id) => {
                let function = &types[id];
                let mut resource = None;
                for ty in function.params.values().chain(&function.result) {
                    resource = resource.or(mentioned(types, *ty, &resources));
                }
                resource?
            }
            _ => return None,
        };
        Some((import.to_owned(), reason))
    })
}

/// What an instance or component has in it that cannot be written down.
fn inside(types: &Types, kind: ItemKind, path: &mut Vec<String>) -> Option<String> {
    let items: Vec<(&String, ItemKind)> = match kind {
        ItemKind::Instance(id) => types[id].exports.iter().map(|(name, kind)| (name, *kind)).collect(),
        ItemKind::Component(id) => {
            let world = &types[id];
            world.imports.iter().chain(&world.exports).map(|(name, kind)| (name, *kind)).collect()
        }
        _ => return None,
    };
    for (name, kind) in items {
        path.push(name.clone());
        let what = match kind {
            ItemKind::Module(_) => "a core module",
            ItemKind::Component(_) => "a component",
            ItemKind::Value(_) => "a value",
            _ => {
                let found = inside(types, kind, path);
                if found.is_some() {
                    return found;
                }
                path.pop();
                continue;
            }
        };
        return Some(format!("`{}` in it is {what}", path.join("` of `")));
    }
    None
}

/// The resource that a type of a function mentions and that cannot be written down there. `resources` are the names of
/// those that the composition imports by themselves.
fn mentioned(types: &Types, ty: ValueType, resources: &HashSet<&str>) -> Option<String> {
    let name = |id: ResourceId| types[id].name.as_str();
    let mut waiting = vec![ty];
    while let Some(ty) = waiting.pop() {
        match ty {
            ValueType::Primitive(_) => {}
            ValueType::Borrow(id) => return Some(format!("it borrows the resource `{}`", name(id))),
            ValueType::Own(id) if !resources.contains(name(id)) => {
                return Some(format!("it takes or returns the resource `{}` of an interface", name(id)));
            }
            ValueType::Own(_) => {}
            ValueType::Defined(id) => match &types[id] {
                DefinedType::Tuple(all) => waiting.extend(all),
                DefinedType::List(ty)
                | DefinedType::FixedSizeList(ty, _)
                | DefinedType::Option(ty)
                | DefinedType::Alias(ty) => waiting.push(*ty),
                DefinedType::Map(key, value) => waiting.extend([key, value]),
                DefinedType::Result { ok, err } => waiting.extend(ok.iter().chain(err)),
                DefinedType::Variant(variant) => waiting.extend(variant.cases.values().flatten()),
                DefinedType::Record(record) => waiting.extend(record.fields.values()),
                DefinedType::Stream(ty) | DefinedType::Future(ty) => waiting.extend(ty),
                DefinedType::Flags(_) | DefinedType::Enum(_) => {}
            },
        }
    }
    None
}
