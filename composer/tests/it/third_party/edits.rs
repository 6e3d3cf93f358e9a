//! Worlds that differ from a component's own in one thing.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use wit_component::{OutputToString, WitPrinter};
use wit_parser::{
    Function, FunctionKind, InterfaceId, Param, Resolve, Type, TypeDefKind, WorldId, WorldItem, WorldKey,
};

use super::corpus::Corpus;
use super::oracle;

/// A world that the component does not fit any more, and what has to be said of it.
pub struct Edit {
    pub what: &'static str,
    pub resolve: Resolve,
    pub world: WorldId,
    /// One of these.
    pub classes: &'static [&'static str],
    /// What is on the way to it.
    pub path: Vec<String>,
}

impl Edit {
    /// The world as WIT, with all packages that it needs.
    pub fn text(&self) -> String {
        let package = self.resolve.worlds[self.world].package.expect("it is in a package");
        let others: Vec<_> =
            self.resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package).collect();
        let mut printer = WitPrinter::new(OutputToString::default());
        printer.print(&self.resolve, package, &others).expect("it can be said in WIT");
        printer.output.to_string()
    }
}

/// Every edit that this component has a place for.
pub fn all(component: &[u8]) -> Vec<Edit> {
    let (resolve, world) = oracle::world(component);
    let start = || (resolve.clone(), world);
    [
        function_renamed(start()),
        parameter_added(start()),
        result_changed(start()),
        field_renamed(start()),
        import_dropped(start()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Nobody would notice an edit that finds no place anywhere.
pub fn each_has_a_place(corpus: &Corpus) {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for edit in corpus.valid().flat_map(|entry| all(&entry.bytes)) {
        *places.entry(edit.what).or_default() += 1;
    }
    assert_eq!(places.len(), 5, "{places:?}");
    assert!(places.values().all(|count| *count >= 10), "{places:?}");
}

/// The first function that the world exports, by itself or in an interface, and the way to it.
fn exported(resolve: &mut Resolve, world: WorldId) -> Option<(&mut Function, Vec<String>)> {
    let mut way = None;
    for (key, item) in &resolve.worlds[world].exports {
        let name = resolve.name_world_key(key);
        match item {
            WorldItem::Function(_) => way = Some((key.clone(), None, vec![name])),
            WorldItem::Interface { id, .. } => {
                let functions = resolve.interfaces[*id].functions.values();
                let free = functions.into_iter().find(|function| function.kind == FunctionKind::Freestanding);
                way = free.map(|free| (key.clone(), Some(*id), vec![name, free.name.clone()]));
            }
            WorldItem::Type { .. } => {}
        }
        if way.is_some() {
            break;
        }
    }
    let (key, interface, path) = way?;
    let function = match interface {
        Some(id) => resolve.interfaces[id].functions.get_mut(&path[1])?,
        None => match resolve.worlds[world].exports.get_mut(&key)? {
            WorldItem::Function(function) => function,
            _ => return None,
        },
    };
    Some((function, path))
}

fn function_renamed((mut resolve, world): (Resolve, WorldId)) -> Option<Edit> {
    let (function, mut path) = exported(&mut resolve, world)?;
    let renamed = Function { name: "entirely-different-by-now".to_owned(), ..function.clone() };
    let old = path.pop()?;
    let new = renamed.name.clone();
    match path.first().cloned() {
        Some(interface) => {
            let id = interface_of(&resolve, world, &interface)?;
            let functions = &mut resolve.interfaces[id].functions;
            functions.shift_remove(&old);
            functions.insert(new.clone(), renamed);
        }
        None => {
            let exports = &mut resolve.worlds[world].exports;
            exports.shift_remove(&WorldKey::Name(old));
            exports.insert(WorldKey::Name(new.clone()), WorldItem::Function(renamed));
        }
    }
    path.push(new);
    let classes = &["missing-function", "name-near-miss"];
    Some(Edit { what: "a function that is wanted goes by another name", resolve, world, classes, path })
}

fn interface_of(resolve: &Resolve, world: WorldId, name: &str) -> Option<InterfaceId> {
    resolve.worlds[world].exports.iter().find_map(|(key, item)| match item {
        WorldItem::Interface { id, .. } if resolve.name_world_key(key) == name => Some(*id),
        _ => None,
    })
}

fn parameter_added((mut resolve, world): (Resolve, WorldId)) -> Option<Edit> {
    let (function, path) = exported(&mut resolve, world)?;
    function.params.push(Param { name: "one-more".to_owned(), ty: Type::U32, span: Default::default() });
    Some(Edit { what: "a parameter more is wanted", resolve, world, classes: &["parameter-count"], path })
}

fn result_changed((mut resolve, world): (Resolve, WorldId)) -> Option<Edit> {
    let (function, path) = exported(&mut resolve, world)?;
    function.result = Some(if function.result == Some(Type::Char) { Type::Bool } else { Type::Char });
    Some(Edit { what: "another result is wanted", resolve, world, classes: &["type-shape"], path })
}

/// In the first interface with a record that the component uses: all that a component imports or exports is used.
fn field_renamed((mut resolve, world): (Resolve, WorldId)) -> Option<Edit> {
    let items = resolve.worlds[world].exports.iter().chain(&resolve.worlds[world].imports);
    let (interface, ty) = items
        .filter_map(|(key, item)| match item {
            WorldItem::Interface { id, .. } => Some((resolve.name_world_key(key), *id)),
            _ => None,
        })
        .find_map(|(name, id)| {
            let types: &IndexMap<_, _> = &resolve.interfaces[id].types;
            let record =
                types.values().find(|ty| matches!(resolve.types[**ty].kind, TypeDefKind::Record(_)))?;
            Some((name, *record))
        })?;
    let TypeDefKind::Record(record) = &mut resolve.types[ty].kind else { return None };
    let field = record.fields.first_mut()?;
    field.name = "entirely-different-by-now".to_owned();
    Some(Edit {
        what: "a field goes by another name",
        resolve,
        world,
        classes: &["record-field"],
        path: vec![interface],
    })
}

/// The last import: nothing that comes before it takes types from it.
fn import_dropped((mut resolve, world): (Resolve, WorldId)) -> Option<Edit> {
    let (key, item) = resolve.worlds[world].imports.last().map(|(key, item)| (key.clone(), item.clone()))?;
    let functions = match &item {
        WorldItem::Interface { id, .. } => resolve.interfaces[*id].functions.len(),
        WorldItem::Function(_) => 1,
        WorldItem::Type { .. } => 0,
    };
    let name = resolve.name_world_key(&key);
    resolve.worlds[world].imports.shift_remove(&key);
    // What an export takes types from is imported all the same, however little the world says.
    let wit_component::DecodedWasm::WitPackage(read, package) =
        wit_component::decode(&wit_component::encode(&resolve, resolve.worlds[world].package?).ok()?).ok()?
    else {
        return None;
    };
    let again = *read.packages[package].worlds.values().next()?;
    let back = read.worlds[again].imports.keys().any(|key| read.name_world_key(key) == name);
    (functions > 0 && !back).then(|| Edit {
        what: "the world does not offer an import",
        resolve,
        world,
        classes: &["missing-interface", "missing-function", "unwired"],
        path: vec![name],
    })
}
