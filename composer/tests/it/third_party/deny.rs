//! Closing what a component imports from the host.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use check::is_host;
use wit_parser::{InterfaceId, Resolve, Type, TypeDefKind, TypeOwner, WorldId, WorldItem};

use super::corpus::Entry;
use super::{each, oracle};
use crate::common::said;

/// Each package of the host alone, and all at once: what is closed is out of reach and the part as it was; and it is refused
/// exactly where something that stays open takes types from it.
pub fn deny(entry: &Entry, directory: &Path) {
    let (resolve, world) = oracle::world(&entry.bytes);
    let imports = oracle::names(&resolve, world).0;
    let packages: BTreeSet<&str> =
        imports.iter().filter(|name| is_host(name)).filter_map(|name| package(name)).collect();
    let mut closed: Vec<BTreeSet<&str>> = packages.iter().map(|package| [*package].into()).collect();
    closed.push(packages.clone());
    for closed in closed.iter().filter(|closed| !closed.is_empty()) {
        let given = format!("it={}", entry.path());
        let denied: Vec<String> = closed.iter().map(|package| format!("it={package}/*")).collect();
        let mut arguments = vec!["compose", &given, "-o", "whole.wasm"];
        denied.iter().for_each(|place| arguments.extend(["--deny", place]));
        for import in imports.iter().filter(|name| !is_host(name) && each::asks(entry, name)) {
            arguments.extend(["--leave-open", import]);
        }
        let (code, words) = said(directory, &arguments);
        if takes_types(&resolve, world, closed) {
            assert_eq!(code, 1, "{closed:?}: {words}");
            assert!(words.contains("what stays open uses types of what is to be closed"), "{words}");
            continue;
        }
        assert_eq!(code, 0, "{closed:?}: {words}");
        let whole = fs::read(directory.join("whole.wasm")).expect("it was written");
        oracle::validate(&whole);
        let found = anatomy::read(&whole).expect("a component");
        let left: Vec<_> =
            found.imports.iter().filter(|name| package(name).is_some_and(|it| closed.contains(it))).collect();
        assert!(left.is_empty(), "{left:?} is open");
        let part = found.parts.iter().find(|part| part.digest == entry.sha256).expect("the part is in it");
        let start = usize::try_from(part.offset).expect("it fits");
        assert!(whole[start..].starts_with(&entry.bytes), "it is embedded byte for byte");
        fs::remove_file(directory.join("whole.wasm")).expect("it is there");
    }
}

fn package(name: &str) -> Option<&str> {
    name.split_once('/').map(|(package, _)| package)
}

/// Whether an export, or an import from elsewhere, uses types of these packages.
fn takes_types(resolve: &Resolve, world: WorldId, closed: &BTreeSet<&str>) -> bool {
    let of = |id: InterfaceId| resolve.id_of(id).unwrap_or_default();
    let is_closed = |id: InterfaceId| package(&of(id)).is_some_and(|package| closed.contains(package));
    let world = &resolve.worlds[world];
    let open = world
        .exports
        .values()
        .map(|item| (item, true))
        .chain(world.imports.values().map(|item| (item, false)));
    open.filter_map(|(item, exported)| match item {
        WorldItem::Interface { id, .. } if exported || !is_closed(*id) => Some(*id),
        _ => None,
    })
    .flat_map(|id| resolve.interfaces[id].types.values())
    .any(|ty| match resolve.types[*ty].kind {
        TypeDefKind::Type(Type::Id(origin)) => {
            matches!(resolve.types[origin].owner, TypeOwner::Interface(from) if is_closed(from))
        }
        _ => false,
    })
}
