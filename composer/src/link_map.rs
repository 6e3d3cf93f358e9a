//! Writes the link map into a composition: which part came from where, and what was wired to what.
//!
//! The format, and reading it, are [`anatomy::link_map`]'s. What only the composer knows is under which names parts
//! were given to it. An instance is matched with the package that has the same bytes, since that is what ends up in a
//! composition; where two packages have the same bytes, by the name that the text gives the instance.

use std::collections::BTreeMap;

use anatomy::link_map::{self, LinkMap};
use anatomy::{Component, ReadError};
use miette::SourceSpan;
use wac_parser::lexer::Token;
use wasm_encoder::{ComponentSection, CustomSection};

use crate::compose::Packages;

/// Where packages came from, by their names without versions. What is not in it has the name of its package for an origin.
pub type Origins = BTreeMap<String, Origin>;

/// Where a package came from: what may be known about that wherever the composition goes. There is no way to put a
/// folder of somebody's machine into it.
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

/// The packages that the instances of a text are made of, by the names of the instances: every `let NAME = new PACKAGE`.
pub(crate) fn instances(text: &str, tokens: &[(Token, SourceSpan)]) -> BTreeMap<String, String> {
    let source = |span: &SourceSpan| &text[span.offset()..span.offset() + span.len()];
    let binding = |window: &[(Token, SourceSpan)]| match window {
        [
            (Token::LetKeyword, _),
            (Token::Ident, name),
            (Token::Equals, _),
            (Token::NewKeyword, _),
            (Token::PackageName, package),
        ] => {
            let (name, package) = (source(name), source(package));
            let package = package.split_once('@').map_or(package, |(package, _)| package);
            Some((name.strip_prefix('%').unwrap_or(name).to_owned(), package.to_owned()))
        }
        _ => None,
    };
    tokens.windows(5).filter_map(binding).collect()
}

/// Adds the link map to a composition that was made of `packages`. `instances` are the packages of its instances, as
/// far as they have names.
pub(crate) fn append(
    mut composed: Vec<u8>,
    instances: &BTreeMap<String, String>,
    packages: &Packages,
    origins: &Origins,
) -> Result<Vec<u8>, ReadError> {
    let component = anatomy::read(&composed)?;
    let map = complete(
        LinkMap::recover(&component),
        &component,
        &composed,
        &Sources { instances, packages, origins },
    );
    let data = map.to_bytes();
    CustomSection { name: link_map::SECTION.into(), data: data.into() }.append_to_component(&mut composed);
    Ok(composed)
}

struct Sources<'a> {
    instances: &'a BTreeMap<String, String>,
    packages: &'a Packages,
    origins: &'a Origins,
}

/// Adds the origins to what the binary itself tells.
fn complete(mut map: LinkMap, component: &Component, composed: &[u8], sources: &Sources<'_>) -> LinkMap {
    if map.parts.is_empty() {
        return map;
    }
    let bytes = |offset: u64, length: u64| &composed[offset as usize..(offset + length) as usize];
    for (entry, part) in map.parts.iter_mut().zip(&component.parts) {
        if let [name] = entry.path.as_slice() {
            entry.origin =
                sources.package(name, bytes(part.offset, part.bytes)).map(|name| sources.origin(name));
        }
    }
    for index in 0..map.compositions.len() {
        let inner = &component.compositions[index];
        let [name] = inner.path.as_slice() else { continue };
        let Some(package) = sources.package(name, bytes(inner.offset, inner.bytes)) else { continue };
        let name = name.clone();
        map.compositions[index].origin = Some(sources.origin(package));
        adopt(&mut map, &name, &sources.packages[package]);
    }
    map
}

/// Takes over what the link map of an embedded composition says of the origins of its parts. One that disagrees with
/// its own binary tells nothing.
fn adopt(map: &mut LinkMap, name: &str, composition: &[u8]) {
    let Ok(component) = anatomy::read(composition) else { return };
    let Ok(Some(inner)) = link_map::read(composition, &component) else { return };
    let known: BTreeMap<&[String], _> = inner
        .parts
        .iter()
        .map(|part| (&*part.path, &part.origin))
        .chain(inner.compositions.iter().map(|inner| (&*inner.path, &inner.origin)))
        .collect();
    let below = |path: &[String]| match path.split_first() {
        Some((first, rest)) if first == name => known.get(rest).copied().cloned().flatten(),
        _ => None,
    };
    for part in map.parts.iter_mut().filter(|part| part.origin.is_none()) {
        part.origin = below(&part.path);
    }
    for inner in map.compositions.iter_mut().filter(|inner| inner.origin.is_none()) {
        inner.origin = below(&inner.path);
    }
}

impl<'a> Sources<'a> {
    /// The package that has these bytes.
    fn package(&self, instance: &str, bytes: &[u8]) -> Option<&'a str> {
        let same = |name: &&String| self.packages.get(*name).is_some_and(|package| package == bytes);
        let named = self.instances.get(instance).filter(same);
        named.or_else(|| self.packages.keys().find(same)).map(String::as_str)
    }

    fn origin(&self, package: &str) -> link_map::Origin {
        let (file, registry) = match self.origins.get(package) {
            Some(Origin(Place::File(name))) => (Some(name.clone()), None),
            Some(Origin(Place::Registry(reference))) => (None, Some(reference.clone())),
            None => (None, None),
        };
        link_map::Origin { package: package.to_owned(), file, registry }
    }
}
