//! Which bytes of the binary belong to which part, and how the parts are wired: what frames are looked up in.

use std::collections::{BTreeMap, BTreeSet};

use anatomy::link_map::{self, Link, LinkMap, Outlet};
use anatomy::{CoreModule, Given, Implements, Source};
use serde::{Deserialize, Serialize};

use super::handles;

/// A part, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartName {
    /// The names of the instances that lead to it, joined by `/`. Empty for a component that is no composition.
    pub path: String,
    /// The language it was written in, as its toolchain recorded it.
    pub language: Option<String>,
    /// The tool of that language that made it, with its version.
    pub tool: Option<String>,
    /// The package and the file that it was composed from, as the link map says.
    pub origin: Option<String>,
    /// Whether it stands for imports that were closed when composing.
    pub stub: bool,
}

/// The tool that makes such stubs (`composer deny`), by the name that it leaves in them.
const STUBS_BY: &str = "composer-deny";

/// A part, and where it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) name: PartName,
    pub(super) imports: Vec<String>,
    #[serde(default, skip_serializing_if = "Implements::is_empty")]
    pub(super) implements: Implements,
    /// Its exported functions that can be called from text.
    #[serde(default)]
    from_text: BTreeSet<String>,
    offset: u64,
    bytes: u64,
}

/// The parts of a component, their wires, and the entries of their core modules. Made from the bytes once, when the
/// component is loaded; a few kilobytes that stay when the bytes have gone.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Index {
    parts: Vec<Part>,
    edges: Vec<Link>,
    outlets: Vec<Outlet>,
    /// In the order in which they begin.
    modules: Vec<Module>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Module {
    offset: u64,
    bytes: u64,
    functions: Vec<(u32, String)>,
    /// The functions that stand between a program and an import of its part: index, interface, function.
    shims: Vec<(u32, String, String)>,
}

impl Index {
    /// Reads it from the bytes of a component. Of bytes whose structure cannot be read nothing is known: blame then
    /// tells functions and no parts.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match Self::read(bytes) {
            Ok(index) => index,
            Err(error) => {
                tracing::debug!("nothing can be blamed on a part: {error}");
                Self::default()
            }
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, anatomy::ReadError> {
        let whole = anatomy::structure(bytes)?;
        let written = link_map::read(bytes, &whole).unwrap_or_else(|error| {
            tracing::warn!("blame does without the link map: {error}");
            None
        });
        let origins = written.map(|map| map.parts).unwrap_or_default();
        let composed = whole.is_composition();
        let mut from_text: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for part in &whole.parts {
            from_text.entry(part.offset).or_insert_with(|| {
                let end = part.offset.saturating_add(part.bytes);
                let range = usize::try_from(part.offset).ok().zip(usize::try_from(end).ok());
                let own = range.and_then(|(start, end)| bytes.get(start..end));
                own.map(handles::from_text).unwrap_or_default()
            });
        }
        let parts =
            whole.parts.iter().enumerate().map(|(index, part)| Part {
                name: PartName {
                    path: if composed { part.path.join("/") } else { String::new() },
                    language: part
                        .language
                        .clone()
                        .or_else(|| origins.get(index).and_then(|entry| entry.language.clone())),
                    tool: part.toolchain.first().map(|tool| format!("{} {}", tool.name, tool.version)),
                    origin: origins.get(index).and_then(|entry| entry.origin.as_ref()).map(|origin| {
                        match origin.file.as_ref().or(origin.registry.as_ref()) {
                            Some(place) => format!("{}, {place}", origin.package),
                            None => origin.package.clone(),
                        }
                    }),
                    stub: part.toolchain.iter().any(|tool| tool.name == STUBS_BY),
                },
                imports: part.imports.clone(),
                implements: part.implements.clone(),
                from_text: from_text.get(&part.offset).cloned().unwrap_or_default(),
                offset: part.offset,
                bytes: part.bytes,
            });
        let LinkMap { edges, .. } = LinkMap::recover(&whole);
        let outlets = whole
            .outlets
            .iter()
            .map(|outlet| Outlet { export: outlet.export.clone(), from: outlet.from.clone() })
            .collect();
        let parts: Vec<Part> = parts.collect();
        let imports: BTreeSet<&str> =
            parts.iter().flat_map(|part| &part.imports).map(String::as_str).collect();
        let module = |CoreModule { offset, bytes, functions, given }| {
            let shim =
                |it: Given| imports.contains(&*it.module).then_some((it.function, it.module, it.field));
            Module { offset, bytes, functions, shims: given.into_iter().filter_map(shim).collect() }
        };
        let modules = anatomy::core_modules(bytes)?.into_iter().map(module).collect();
        Ok(Self { parts, edges, outlets, modules })
    }

    pub(super) fn part(&self, index: usize) -> &Part {
        &self.parts[index]
    }

    /// Whether a function that a part exports can be called from text: it takes and returns no handle.
    pub(super) fn can_be_called_from_text(
        &self,
        part: usize,
        interface: Option<&str>,
        function: &str,
    ) -> bool {
        let name = interface.map_or_else(|| function.to_owned(), |own| format!("{own}#{function}"));
        self.parts[part].from_text.contains(&name)
    }

    /// Whether two parts are instances of one component.
    pub(super) fn look_alike(&self, one: usize, other: usize) -> bool {
        self.parts[one].offset == self.parts[other].offset
    }

    /// The parts whose bytes cover this offset: several where one component is instantiated more than once.
    pub(super) fn parts_at(&self, offset: u64) -> Vec<usize> {
        let covers = |part: &Part| offset >= part.offset && offset - part.offset < part.bytes;
        (0..self.parts.len()).filter(|&index| covers(&self.parts[index])).collect()
    }

    fn module_at(&self, offset: u64) -> Option<&Module> {
        let after = self.modules.partition_point(|module| module.offset <= offset);
        let module = &self.modules[after.checked_sub(1)?];
        (offset - module.offset < module.bytes).then_some(module)
    }

    /// The name under which the core module at this offset exports a function.
    pub(super) fn exported_as(&self, offset: u64, function: u32) -> Option<&str> {
        let module = self.module_at(offset)?;
        module.functions.iter().find(|(index, _)| *index == function).map(|(_, name)| &**name)
    }

    /// The import, as interface and function, for which a function of the core module at this offset stands.
    pub(super) fn stands_for(&self, offset: u64, function: u32) -> Option<(&str, &str)> {
        let shims = &self.module_at(offset)?.shims;
        let (_, interface, name) = shims.iter().find(|(index, _, _)| *index == function)?;
        Some((interface, name))
    }

    /// Whether the engine made the module of a frame itself, to pass values between two parts. Such a module is not in
    /// the file, and the offsets in it count from its own beginning, so they may fall anywhere.
    pub(super) fn is_adapter(&self, offset: u64, exports: &mut dyn Iterator<Item = &str>) -> bool {
        let in_file = self
            .module_at(offset)
            .is_some_and(|module| module.functions.iter().any(|(_, name)| adapts(name)));
        let mut exports = exports.peekable();
        !in_file && exports.peek().is_some() && exports.all(adapts)
    }

    /// The parts behind an export of the whole.
    pub(super) fn behind(&self, export: &str) -> BTreeSet<usize> {
        let outlets = self.outlets.iter().filter(|outlet| outlet.export == export);
        outlets.flat_map(|outlet| &outlet.from).filter_map(part_of).collect()
    }

    /// Whether a part imports this interface from another, under whatever name it imports it.
    pub(super) fn is_wired(&self, from: usize, to: usize, interface: &str) -> bool {
        self.edges.iter().filter(|edge| edge.part == from).any(|edge| match &edge.from {
            Source::Part { part, export } if *part == to => {
                edge.import == interface || export.as_deref().is_none_or(|export| export == interface)
            }
            _ => false,
        })
    }

    /// The parts that these can call, and those that they can call in turn: these parts included.
    pub(super) fn reachable(&self, from: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut reached = from.clone();
        let mut open: Vec<usize> = from.iter().copied().collect();
        while let Some(part) = open.pop() {
            open.extend(self.used_by(part).into_iter().filter(|&next| reached.insert(next)));
        }
        reached
    }

    /// Whether any part imports this interface from this one.
    pub(super) fn is_offered(&self, to: usize, interface: &str) -> bool {
        (0..self.parts.len()).any(|from| self.is_wired(from, to, interface))
    }

    /// The interfaces that one part imports from another.
    pub(super) fn interfaces(&self, from: usize, to: usize) -> BTreeSet<&str> {
        self.edges
            .iter()
            .filter(|edge| edge.part == from && part_of(&edge.from) == Some(to))
            .map(|edge| &*edge.import)
            .collect()
    }

    /// The parts that satisfy an import of a part.
    pub(super) fn satisfied_by(&self, part: usize, import: &str) -> BTreeSet<usize> {
        let edges = self.edges.iter().filter(|edge| edge.part == part && edge.import == import);
        edges.filter_map(|edge| part_of(&edge.from)).collect()
    }

    /// The parts that a part imports from.
    pub(super) fn used_by(&self, part: usize) -> BTreeSet<usize> {
        self.edges.iter().filter(|edge| edge.part == part).filter_map(|edge| part_of(&edge.from)).collect()
    }

    /// The one way along the wires from one part to another. None where there are several, or none.
    pub(super) fn only_way(&self, from: usize, to: usize) -> Option<Vec<usize>> {
        /// As many steps are taken before it counts as several.
        const STEPS: usize = 10_000;
        let mut found = None;
        let mut open = vec![vec![from]];
        for _ in 0..STEPS {
            let Some(way) = open.pop() else { return found };
            let last = *way.last()?;
            if last == to {
                if found.replace(way).is_some() {
                    return None;
                }
                continue;
            }
            for next in self.used_by(last).into_iter().filter(|next| !way.contains(next)) {
                open.push(way.iter().copied().chain([next]).collect());
            }
        }
        None
    }
}

fn part_of(source: &Source) -> Option<usize> {
    match source {
        Source::Part { part, .. } => Some(*part),
        Source::Host { .. } => None,
    }
}

/// Whether an export has a name such as the engine gives to its adapters: `adapter7`.
fn adapts(name: &str) -> bool {
    name.strip_prefix("adapter")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}
