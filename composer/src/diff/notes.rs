//! Compares what only people and tools read: documentation, and the gates `@since` and `@deprecated`.
//!
//! What is `@unstable` is no part of a contract until its feature is switched on, so it is not here.

use indexmap::IndexMap;
use wit_parser::{
    Docs, Function, Interface, Resolve, Stability, TypeDefKind, World, WorldId, WorldItem, WorldKey,
};

use super::{Change, Level, Sort};
use crate::contract::Contracts;
use crate::shape::member::plain_name;

type Notes<'a> = IndexMap<Vec<String>, (&'a Docs, &'a Stability)>;

/// What differs for whatever both versions of a package have.
pub(super) fn of_packages(old: &Contracts, new: &Contracts) -> Vec<Change> {
    compare(&package(old), &package(new))
}

/// The same of two worlds by themselves, without the interfaces that they name.
pub(super) fn of_worlds(old: (&Contracts, WorldId), new: (&Contracts, WorldId)) -> Vec<Change> {
    let (mut before, mut after) = (Notes::new(), Notes::new());
    world(old.0.resolve(), &old.0.resolve().worlds[old.1], &[], &mut before);
    world(new.0.resolve(), &new.0.resolve().worlds[new.1], &[], &mut after);
    // By itself, a world goes by its name.
    fn named<'a>(notes: Notes<'a>, name: &str) -> Notes<'a> {
        let place = |path: Vec<String>| if path.is_empty() { vec![name.to_owned()] } else { path };
        notes.into_iter().map(|(path, found)| (place(path), found)).collect()
    }
    let name = new.0.world_name(new.1);
    compare(&named(before, &name), &named(after, &name))
}

fn compare(old: &Notes<'_>, new: &Notes<'_>) -> Vec<Change> {
    let both = old.iter().filter_map(|(path, one)| Some((path, *one, *new.get(path)?)));
    both.flat_map(|(path, one, other)| differ(path, one, other)).collect()
}

fn differ(path: &[String], old: (&Docs, &Stability), new: (&Docs, &Stability)) -> Vec<Change> {
    let change = |class, problem, level| Change {
        class,
        path: path.to_vec(),
        problem,
        old: None,
        new: None,
        callers: false,
        implementers: false,
        level,
    };
    let mut changes = Vec::new();
    if old.1 != new.1 {
        let problem = format!("{} became {}", gate(old.1), gate(new.1));
        // To deprecate is to announce something, which takes a minor version.
        let level = if deprecated(new.1) && !deprecated(old.1) { Level::Minor } else { Level::Patch };
        changes.push(change(Sort::Gate, problem, level));
    }
    let words = |docs: &Docs| docs.contents.as_deref().map(|text| text.trim().to_owned());
    let problem = match (words(old.0), words(new.0)) {
        (one, other) if one == other => return changes,
        (None, _) => "it is documented now",
        (_, None) => "its documentation is gone",
        _ => "its documentation reads otherwise",
    };
    changes.push(change(Sort::Documentation, problem.to_owned(), Level::Patch));
    changes
}

fn deprecated(gate: &Stability) -> bool {
    match gate {
        Stability::Unknown => false,
        Stability::Unstable { deprecated, .. } | Stability::Stable { deprecated, .. } => deprecated.is_some(),
    }
}

/// As WIT writes it.
fn gate(gate: &Stability) -> String {
    let with = |first: String, deprecated: &Option<semver::Version>| match deprecated {
        Some(version) => format!("`{first} @deprecated(version = {version})`"),
        None => format!("`{first}`"),
    };
    match gate {
        Stability::Unknown => "no gate".to_owned(),
        Stability::Unstable { feature, deprecated } => {
            with(format!("@unstable(feature = {feature})"), deprecated)
        }
        Stability::Stable { since, deprecated } => with(format!("@since(version = {since})"), deprecated),
    }
}

fn package(contracts: &Contracts) -> Notes<'_> {
    let (resolve, package) = (contracts.resolve(), contracts.main());
    let full = |name: &str| format!("{}:{}/{name}", package.name.namespace, package.name.name);
    let mut notes = Notes::new();
    notes.insert(vec![contracts.main_name()], (&package.docs, &Stability::Unknown));
    for (name, &id) in &package.interfaces {
        interface(resolve, &resolve.interfaces[id], &[full(name)], &mut notes);
    }
    for (name, &id) in &package.worlds {
        world(resolve, &resolve.worlds[id], &[full(name)], &mut notes);
    }
    notes
}

fn within(place: &[String], name: &str) -> Vec<String> {
    [place, &[name.to_owned()]].concat()
}

fn interface<'a>(resolve: &'a Resolve, interface: &'a Interface, place: &[String], notes: &mut Notes<'a>) {
    notes.insert(place.to_vec(), (&interface.docs, &interface.stability));
    for (name, &id) in &interface.types {
        let def = &resolve.types[id];
        let here = within(place, name);
        notes.insert(here.clone(), (&def.docs, &def.stability));
        let members: Vec<(&str, &Docs)> = match &def.kind {
            TypeDefKind::Record(record) => {
                record.fields.iter().map(|field| (field.name.as_str(), &field.docs)).collect()
            }
            TypeDefKind::Variant(variant) => {
                variant.cases.iter().map(|case| (case.name.as_str(), &case.docs)).collect()
            }
            TypeDefKind::Enum(cases) => {
                cases.cases.iter().map(|case| (case.name.as_str(), &case.docs)).collect()
            }
            TypeDefKind::Flags(flags) => {
                flags.flags.iter().map(|flag| (flag.name.as_str(), &flag.docs)).collect()
            }
            _ => Vec::new(),
        };
        for (name, docs) in members {
            notes.insert(within(&here, name), (docs, &Stability::Unknown));
        }
    }
    for (name, found) in &interface.functions {
        function(name, found, place, notes);
    }
}

fn function<'a>(name: &str, function: &'a Function, place: &[String], notes: &mut Notes<'a>) {
    notes.insert(within(place, &plain_name(name)), (&function.docs, &function.stability));
}

/// A world, with what is written in it: interfaces that it only names are documented where they are.
fn world<'a>(resolve: &'a Resolve, world: &'a World, place: &[String], notes: &mut Notes<'a>) {
    notes.insert(place.to_vec(), (&world.docs, &world.stability));
    for (word, items) in [("import", &world.imports), ("export", &world.exports)] {
        for (key, item) in items {
            let WorldKey::Name(name) = key else { continue };
            let here = format!("{word} {name}");
            match item {
                WorldItem::Function(found) => function(&here, found, place, notes),
                WorldItem::Interface { id, .. } if resolve.interfaces[*id].name.is_none() => {
                    interface(resolve, &resolve.interfaces[*id], &within(place, &here), notes);
                }
                WorldItem::Interface { .. } | WorldItem::Type { .. } => {}
            }
        }
    }
}
