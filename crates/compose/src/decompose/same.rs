//! Whether two compositions are the same, but for the order of things: the parts byte for byte, who gets what from
//! whom, and the type of the whole.
//!
//! The type is compared by the engine's own validator, in both directions, with both compositions embedded in one
//! component: only there do their types share a space. That is a yes or no; which import or export is the one that differs
//! is then found with wac's checker, which compares one at a time.

use std::collections::BTreeMap;

use wac_types::{ItemKind, Package, SubtypeChecker, Types};
use wasm_encoder::{Component, ComponentSectionId, RawSection};
use wasmparser::component_types::ComponentEntityType;
use wasmparser::{ComponentExternalKind as Kind, Parser, ValidPayload, Validator, WasmFeatures};

use super::root::{Item, Root};

/// In what two compositions differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    /// One of them does not import this, or with another type.
    Import(String),
    /// One of them does not export this, or with another type.
    Export(String),
    /// An instance is of another part, or gets something else.
    Instance(String),
    /// An export is made of something else.
    Source(String),
    /// Their types, in nothing that has a name.
    Type,
}

/// A composition without its order: everything by name.
#[derive(PartialEq, Eq)]
struct Graph<'a> {
    instances: BTreeMap<&'a str, (&'a [u8], BTreeMap<&'a str, String>)>,
    exports: BTreeMap<&'a str, String>,
}

/// In what the wiring of two compositions differs; `names` are the names of the instances of `before`, whereas those of
/// `after` are in its name section.
pub(super) fn wiring(before: &Root<'_>, names: &[String], after: &Root<'_>) -> Option<Difference> {
    let written: Vec<String> =
        after.instances.iter().map(|instance| instance.name.unwrap_or_default().to_owned()).collect();
    let (left, right) = (graph(before, names), graph(after, &written));
    if left == right {
        return None;
    }
    let instance = left.instances.iter().find(|(name, value)| right.instances.get(**name) != Some(value));
    let export = left.exports.iter().find(|(name, value)| right.exports.get(**name) != Some(value));
    Some(match (instance, export) {
        (Some((name, _)), _) => Difference::Instance((*name).to_owned()),
        (None, Some((name, _))) => Difference::Source((*name).to_owned()),
        (None, None) => Difference::Type,
    })
}

/// Types are left out: they follow from the types of the parts and of the whole, and have many ways to get anywhere.
fn graph<'a>(root: &Root<'a>, names: &'a [String]) -> Graph<'a> {
    let instances = root.instances.iter().zip(names).map(|(instance, name)| {
        let arguments = instance.arguments.iter().filter(|argument| argument.kind != Kind::Type);
        let arguments = arguments.map(|argument| (argument.name, source(root, names, argument.item)));
        (name.as_str(), (root.parts[instance.part], arguments.collect()))
    });
    let exports = root.exports.iter().filter(|export| export.kind != Kind::Type);
    Graph {
        instances: instances.collect(),
        exports: exports.map(|export| (export.name, source(root, names, export.item))).collect(),
    }
}

fn source(root: &Root<'_>, names: &[String], item: usize) -> String {
    match root.items[item] {
        Item::Import(import) => format!("import {:?}", root.imports[import].name),
        Item::Instance(instance) => names[instance].clone(),
        Item::Member { of, name } => format!("{}[{name:?}]", source(root, names, of)),
        Item::Part(_) | Item::Type => String::new(),
    }
}

/// Whether two components have the same type, for the validator.
pub(super) fn same_type(before: &[u8], after: &[u8]) -> Result<bool, wasmparser::Error> {
    let mut both = Component::new();
    for data in [before, after] {
        both.section(&RawSection { id: ComponentSectionId::Component.into(), data });
    }
    let both = both.finish();
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut whole = None;
    for payload in Parser::new(0).parse_all(&both) {
        // Bodies of functions have no say in the type, and were validated before.
        if let ValidPayload::End(types) = validator.payload(&payload?)? {
            whole = Some(types);
        }
    }
    // The last one that ends is the outermost.
    Ok(whole.is_some_and(|types| {
        let types = types.as_ref();
        let [left, right] = [0, 1].map(|index| ComponentEntityType::Component(types.component_at(index)));
        ComponentEntityType::is_subtype_of(&left, types, &right, types)
            && ComponentEntityType::is_subtype_of(&right, types, &left, types)
    }))
}

/// Which imports and exports differ.
pub(super) fn items(before: &[u8], after: &[u8]) -> anyhow::Result<Vec<Difference>> {
    let mut types = Types::default();
    let before = Package::from_bytes("test:before", None, before, &mut types)?;
    let after = Package::from_bytes("test:after", None, after, &mut types)?;
    let (before, after) = (&types[before.ty()], &types[after.ty()]);
    let mut cache = Default::default();
    let mut checker = SubtypeChecker::new(&mut cache);
    let mut same = |left: Option<&ItemKind>, right: Option<&ItemKind>| {
        let (Some(left), Some(right)) = (left, right) else { return false };
        checker.is_subtype(*left, &types, *right, &types).is_ok()
            && checker.is_subtype(*right, &types, *left, &types).is_ok()
    };
    let mut found = Vec::new();
    for name in
        before.imports.keys().chain(after.imports.keys().filter(|name| !before.imports.contains_key(*name)))
    {
        if !same(before.imports.get(name), after.imports.get(name)) {
            found.push(Difference::Import(name.clone()));
        }
    }
    for name in
        before.exports.keys().chain(after.exports.keys().filter(|name| !before.exports.contains_key(*name)))
    {
        if !same(before.exports.get(name), after.exports.get(name)) {
            found.push(Difference::Export(name.clone()));
        }
    }
    Ok(found)
}
