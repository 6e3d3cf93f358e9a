//! Writes the link map into a composition: which part came from where, and what was wired to what.
//!
//! The format, and reading it, are [`anatomy::link_map`]'s. What only the composer knows is under which names parts
//! were given to it; and what a part says of itself, since a composition is looked at while it has only stand-ins for its
//! parts.

use std::collections::{BTreeMap, HashMap};

use anatomy::link_map::{self, LinkMap};
use anatomy::{Component, Limits, Part, ReadError};
use wasm_encoder::CustomSection;

use crate::composed::{Composed, Draft};

/// Where packages came from, by their names without versions. What is not in it has the name of its package for an origin.
pub type Origins = BTreeMap<String, Origin>;

/// Where a package came from: what may be known about that wherever the composition goes. There is no way to put a
/// directory of somebody's machine into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    File(String),
    Registry(String),
}

impl Origin {
    /// A file: of a path only the last component is kept.
    #[must_use]
    pub fn file(path: &str) -> Self {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        Origin(Place::File(name.to_owned()))
    }

    /// A reference to a registry, such as `registry.example/parts/greeter:1.0.0`.
    #[must_use]
    pub fn registry(reference: &str) -> Self {
        Origin(Place::Registry(reference.to_owned()))
    }
}

/// Adds the link map to a composition. `draft` is the same composition, with stand-ins for the packages that it is made
/// of, and `packages` are these, by number.
pub(crate) fn append(
    composed: &mut Composed<'_>,
    draft: &Draft,
    packages: &[Package<'_>],
    origins: &Origins,
) -> Result<(), ReadError> {
    let (bytes, limit) = (composed.size() as u64, Limits::default().bytes);
    if bytes > limit {
        return Err(ReadError::TooLarge { bytes, limit });
    }
    let component = anatomy::read(draft.bytes())?;
    let insides = Insides::of(packages, origins);
    let map = LinkMap::recover(&component);
    let map = match complete(map, &component, draft, &insides) {
        Some(map) => map,
        // A package that has components to hand out has more parts in a composition than by itself: only the whole
        // composition tells of them.
        None => {
            let whole = anatomy::read(&composed.to_vec())?;
            with_origins(LinkMap::recover(&whole), &component, draft, &insides)
        }
    };
    let data = map.to_bytes();
    composed.append(&CustomSection { name: link_map::SECTION.into(), data: data.into() });
    Ok(())
}

/// A package that was composed.
pub(crate) struct Package<'a> {
    /// Its name, without a version.
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a [u8],
    /// What it is made of.
    pub(crate) found: Component,
}

/// What the packages say, of which a composition has only stand-ins.
struct Insides<'a> {
    parts: HashMap<(usize, &'a [String]), &'a Part>,
    compositions: HashMap<(usize, &'a [String]), &'a str>,
    origins: HashMap<(usize, &'a [String]), link_map::Origin>,
}

impl<'a> Insides<'a> {
    fn of(packages: &'a [Package<'a>], origins: &Origins) -> Self {
        let mut insides =
            Insides { parts: HashMap::new(), compositions: HashMap::new(), origins: HashMap::new() };
        for (number, package) in packages.iter().enumerate() {
            let found = &package.found;
            insides.origins.insert((number, &[]), origin(package.name, origins));
            if !found.is_composition() {
                insides.parts.extend(found.parts.first().map(|part| ((number, &[][..]), part)));
                continue;
            }
            insides.parts.extend(found.parts.iter().map(|part| ((number, &*part.path), part)));
            insides.compositions.insert((number, &[]), &found.digest);
            let inner = found.compositions.iter();
            insides.compositions.extend(inner.map(|inner| ((number, &*inner.path), &*inner.digest)));
            insides.adopt(number, package);
        }
        insides
    }

    /// Takes over what the link map of an embedded composition says of the origins of its parts. One that disagrees with
    /// its own binary tells nothing.
    fn adopt(&mut self, number: usize, package: &'a Package<'a>) {
        let Ok(Some(map)) = link_map::read(package.bytes, &package.found) else { return };
        let parts = map
            .parts
            .into_iter()
            .map(|part| part.origin)
            .zip(package.found.parts.iter().map(|part| &*part.path));
        let inner = package.found.compositions.iter().map(|inner| &*inner.path);
        let inner = map.compositions.into_iter().map(|inner| inner.origin).zip(inner);
        let known = parts.chain(inner).filter_map(|(origin, path)| Some(((number, path), origin?)));
        self.origins.extend(known);
    }
}

/// Adds to what the stand-ins tell what only the packages tell. None where they do not tell it of all parts.
fn complete(
    mut map: LinkMap,
    component: &Component,
    draft: &Draft,
    insides: &Insides<'_>,
) -> Option<LinkMap> {
    for (entry, part) in map.parts.iter_mut().zip(&component.parts) {
        let known = insides.parts.get(&place(draft, part.offset, &part.path)?)?;
        entry.digest.clone_from(&known.digest);
        entry.language.clone_from(&known.language);
        entry.toolchain.clone_from(&known.toolchain);
    }
    for (entry, inner) in map.compositions.iter_mut().zip(&component.compositions) {
        let digest = insides.compositions.get(&place(draft, inner.offset, &inner.path)?)?;
        entry.digest = (*digest).to_owned();
    }
    Some(with_origins(map, component, draft, insides))
}

/// Adds where parts came from, as far as it is known. `component` is the draft.
fn with_origins(mut map: LinkMap, component: &Component, draft: &Draft, insides: &Insides<'_>) -> LinkMap {
    let origin = |offset, path| insides.origins.get(&place(draft, offset, path)?).cloned();
    for (entry, part) in map.parts.iter_mut().zip(&component.parts) {
        entry.origin = origin(part.offset, &part.path);
    }
    for (entry, inner) in map.compositions.iter_mut().zip(&component.compositions) {
        entry.origin = origin(inner.offset, &inner.path);
    }
    map
}

/// The package that something comes from, and where it is in there. `path` is where it is in the draft, whose parts the
/// packages are.
fn place<'p>(draft: &Draft, offset: u64, path: &'p [String]) -> Option<(usize, &'p [String])> {
    Some((draft.part_at(offset)?, path.get(1..)?))
}

fn origin(package: &str, origins: &Origins) -> link_map::Origin {
    let (file, registry) = match origins.get(package) {
        Some(Origin(Place::File(name))) => (Some(name.clone()), None),
        Some(Origin(Place::Registry(reference))) => (None, Some(reference.clone())),
        None => (None, None),
    };
    link_map::Origin { package: package.to_owned(), file, registry }
}
