//! Compares what only people and tools read: documentation, and the gates `@since` and `@deprecated`.
//!
//! What is `@unstable` is no part of a contract until its feature is switched on, so it is not here.

use indexmap::IndexMap;
use wit_parser::{
    Docs, Function, Interface, Resolve, Stability, TypeDefKind, World, WorldId, WorldItem, WorldKey,
};

use super::{Breaks, Change, Class, Level};
use contract::Contracts;
use contract::shape::member::plain_name;

/// What is said of each item, by its path.
pub(super) type Notes<'a> = IndexMap<Vec<String>, (&'a Docs, &'a Stability)>;

/// What differs for whatever both versions of a package have.
pub(super) fn of_packages(old: &Contracts, new: &Contracts) -> Vec<Change> {
    compare(&package(old), &package(new))
}

/// The same of two worlds, and of the interfaces of their own package that they name.
pub(super) fn of_worlds(old: (&Contracts, WorldId), new: (&Contracts, WorldId)) -> Vec<Change> {
    let name = new.0.world_name(new.1);
    compare(&alone(old, &name), &alone(new, &name))
}

/// A world that goes by this name.
fn alone<'a>((contracts, id): (&'a Contracts, WorldId), name: &str) -> Notes<'a> {
    let (resolve, found) = (contracts.resolve(), &contracts.resolve().worlds[id]);
    let mut notes = Notes::new();
    world(contracts, found, &[], &mut notes);
    let place = |path: Vec<String>| if path.is_empty() { vec![name.to_owned()] } else { path };
    let mut notes: Notes<'a> = notes.into_iter().map(|(path, found)| (place(path), found)).collect();
    for key in found.imports.keys().chain(found.exports.keys()) {
        if let WorldKey::Interface(id) = key
            && contracts.is_own(*id)
        {
            interface(resolve, &resolve.interfaces[*id], &[contracts.bare_name(*id)], &mut notes);
        }
    }
    notes
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
        breaks: Breaks::NOBODY,
        level,
    };
    let mut changes = Vec::new();
    if old.1 != new.1 {
        let problem = format!("{} became {}", gate(old.1), gate(new.1));
        // To deprecate is to announce something, which takes a minor version.
        let level = if deprecated(new.1) && !deprecated(old.1) { Level::Minor } else { Level::Patch };
        changes.push(change(Class::Gate, problem, level));
    }
    let words = |docs: &Docs| docs.contents.as_deref().map(|text| text.trim().to_owned());
    let problem = match (words(old.0), words(new.0)) {
        (one, other) if one == other => return changes,
        (None, _) => "it is documented now",
        (_, None) => "its documentation is gone",
        _ => "its documentation reads otherwise",
    };
    changes.push(change(Class::Documentation, problem.to_owned(), Level::Patch));
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

pub(super) fn package(contracts: &Contracts) -> Notes<'_> {
    let (resolve, package) = (contracts.resolve(), contracts.main());
    let mut notes = Notes::new();
    notes.insert(vec![contracts.main_name()], (&package.docs, &Stability::Unknown));
    for &id in package.interfaces.values() {
        interface(resolve, &resolve.interfaces[id], &[contracts.bare_name(id)], &mut notes);
    }
    for (name, &id) in &package.worlds {
        let full = format!("{}/{name}", contracts.main_name());
        world(contracts, &resolve.worlds[id], &[full], &mut notes);
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
fn world<'a>(contracts: &'a Contracts, world: &'a World, place: &[String], notes: &mut Notes<'a>) {
    let resolve = contracts.resolve();
    notes.insert(place.to_vec(), (&world.docs, &world.stability));
    for (word, items) in [("import", &world.imports), ("export", &world.exports)] {
        for (key, item) in items {
            let name = match key {
                WorldKey::Name(name) => name.clone(),
                WorldKey::Interface(id) => contracts.bare_name(*id),
            };
            let here = format!("{word} {name}");
            match item {
                WorldItem::Function(found) => function(&here, found, place, notes),
                WorldItem::Interface { id, .. } if resolve.interfaces[*id].name.is_none() => {
                    interface(resolve, &resolve.interfaces[*id], &within(place, &here), notes);
                }
                WorldItem::Interface { id, stability, docs, .. } => {
                    // That of the interface is told there.
                    let own = *stability != resolve.interfaces[*id].stability;
                    let stability = if own { stability } else { &Stability::Unknown };
                    notes.insert(within(place, &here), (docs, stability));
                }
                WorldItem::Type { id, .. } => {
                    let def = &resolve.types[*id];
                    notes.insert(within(place, &here), (&def.docs, &def.stability));
                }
            }
        }
    }
}
