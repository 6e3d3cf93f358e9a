//! What is found in a component.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The anatomy of a component: its contract, its parts, and how they are wired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// The name that its name section gives it.
    pub name: Option<String>,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes, as 64 hexadecimal digits.
    pub digest: String,
    /// What it asks of its host, in the order of declaration: interfaces by their full names, plain
    /// functions and resources by their own. Types that are only equal to other types ask for nothing and
    /// are left out.
    pub imports: Vec<String>,
    /// Those of `imports` that are instances with nothing in them but names for types: no function and no
    /// resource. They ask for nothing that a host could withhold.
    #[serde(skip)]
    pub naming: Vec<String>,
    /// What it offers, in the order of declaration. Types are left out.
    pub exports: Vec<String>,
    /// The types among what it imports and exports by name: nothing can be reached through them, but others may use them.
    #[serde(skip)]
    pub types: Types,
    /// Which of its imports and exports implement an interface under a name of their own.
    #[serde(default, skip_serializing_if = "Implements::is_empty")]
    pub implements: Implements,
    /// The parts that run code, in the order of instantiation. A component that is no composition has
    /// itself as its single part.
    pub parts: Vec<Part>,
    /// What satisfies each import of each part, ordered by part and then by import. An import that is put
    /// together from several sources has an edge from each.
    pub edges: Vec<Edge>,
    /// What stands behind each export of the whole, in the order of `exports`.
    pub outlets: Vec<Outlet>,
    /// Instances of embedded compositions, outer ones before those within them. None where nothing is nested.
    pub compositions: Vec<Inner>,
    /// What its bytes are.
    pub sizes: Sizes,
    /// Where the content of its link map is, and whether there is a second one.
    #[serde(skip)]
    pub(crate) link_map: Option<(Range<usize>, bool)>,
}

/// Types that a component imports and exports by themselves, outside of interfaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Types {
    /// Those that must equal another type. Resources are with the other [imports](Component::imports).
    pub imports: Vec<String>,
    /// Value types and resources.
    pub exports: Vec<String>,
}

/// An instance inside a component that runs code of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name: unique among its neighbours.
    pub name: String,
    /// The names of the instances that lead to it, its own last: `["inner", "reader"]` is the part `reader`
    /// in a composition that is itself composed in under the name `inner`.
    pub path: Vec<String>,
    /// The language it was written in, as its toolchain recorded it.
    pub language: Option<String>,
    /// The tools that made it, as they recorded themselves: that of its language first, where it is known, then in the
    /// order of the records, each once.
    pub toolchain: Vec<Tool>,
    /// Where its component begins, in bytes from the beginning of the whole. Frames of a trap carry such
    /// offsets, so they lead to the part they belong to. Two instances of one component share it.
    pub offset: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes: the digest of the file that was composed in.
    pub digest: String,
    /// What its bytes are.
    pub sizes: Sizes,
    /// What it imports, as in [`Component::imports`].
    pub imports: Vec<String>,
    /// What it exports, as in [`Component::exports`].
    pub exports: Vec<String>,
    /// As in [`Component::implements`].
    #[serde(default, skip_serializing_if = "Implements::is_empty")]
    pub implements: Implements,
}

/// Imports and exports with a name of their own that say which interface they implement: `main-queue` for
/// `mq:bus/queue@1.0.0`. By name, the interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Implements {
    /// Among the imports.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub imports: BTreeMap<String, String>,
    /// Among the exports.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exports: BTreeMap<String, String>,
}

impl Implements {
    /// Returns the interface that an import of this name asks for: the one that it implements, or the name itself.
    pub fn imported<'a>(&'a self, name: &'a str) -> &'a str {
        self.imports.get(name).map_or(name, String::as_str)
    }

    /// Returns an import as WIT writes it: `main-queue: mq:bus/queue@1.0.0`, or the name alone.
    pub fn import(&self, name: &str) -> String {
        shown(&self.imports, name)
    }

    /// Returns an export as WIT writes it, as [`Implements::import`] does.
    pub fn export(&self, name: &str) -> String {
        shown(&self.exports, name)
    }

    /// Returns whether no import and no export says so.
    pub fn is_empty(&self) -> bool {
        self.imports.is_empty() && self.exports.is_empty()
    }
}

fn shown(labels: &BTreeMap<String, String>, name: &str) -> String {
    match labels.get(name) {
        Some(interface) => format!("{name}: {interface}"),
        None => name.to_owned(),
    }
}

/// A tool that had a hand in a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version, without what follows the number. May be empty.
    pub version: String,
}

/// What bytes are, summed over all core modules and components that are embedded. What is left are types, imports,
/// exports, tables and the like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Bodies of functions, in bytes.
    pub code: u64,
    /// Data that memory is filled with, in bytes.
    pub data: u64,
    /// What only debuggers and people need, in bytes: names, DWARF, source maps.
    pub debug: u64,
    /// Other custom sections, in bytes.
    pub custom: u64,
}

impl Sizes {
    pub(crate) fn add(&mut self, other: &Sizes) {
        self.code += other.code;
        self.data += other.data;
        self.debug += other.debug;
        self.custom += other.custom;
    }

    /// Counts a custom section.
    pub(crate) fn custom(&mut self, name: &str, bytes: u64) {
        match name {
            "name" | "component-name" | "sourceMappingURL" | "external_debug_info" => self.debug += bytes,
            _ if name.starts_with(".debug") => self.debug += bytes,
            _ => self.custom += bytes,
        }
    }
}

/// An instance of a composition that is embedded in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inner {
    /// The names of the instances that lead to it, its own last: its parts have paths that begin with this.
    pub path: Vec<String>,
    /// Where it begins, in bytes from the beginning of the whole.
    pub offset: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes: the digest of the file that was composed in.
    pub digest: String,
}

/// An import of a part, and what satisfies it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// Index of the importing part.
    pub part: usize,
    /// The name of the import. Where a part exports a component, and an instance is made of that, the arguments go
    /// to the part under their own names.
    pub import: String,
    /// What satisfies it.
    pub from: Source,
    /// Functions in the imported interface; 1 for a plain function. None where the type is not written down with
    /// the import.
    pub functions: Option<u32>,
    /// Whether it is an instance with nothing in it but names for types, so that nothing can be reached through it.
    pub types_only: bool,
}

/// An export of the whole, and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlet {
    /// The name of the export.
    pub export: String,
    /// What stands behind it. None where nothing runs there, as for an instance that only has types; more
    /// than one where the exported instance was put together.
    pub from: Vec<Source>,
}

/// Where something comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Source {
    /// The host, through this import of the whole.
    Host {
        /// The name of the import.
        import: String,
    },
    /// A part.
    Part {
        /// Index of the part.
        part: usize,
        /// The name of its export. None where the instance as a whole is meant.
        export: Option<String>,
    },
}

impl Component {
    /// Whether it is put together from parts, however few.
    #[must_use]
    pub fn is_composition(&self) -> bool {
        !matches!(self.parts.as_slice(), [only] if only.offset == 0)
    }

    /// The parts that would use this import of the whole, in order, each once.
    ///
    /// Follows aliases, re-exports, arguments of outer instances and instances put together from pieces.
    /// `import` is a name from [`Component::imports`]; an import that only gives types to others, or that the
    /// whole only passes on as an export, is wanted by no part.
    #[must_use]
    pub fn wanted_by(&self, import: &str) -> Vec<&Part> {
        let mut indices: Vec<usize> = self
            .edges
            .iter()
            .filter(|edge| matches!(&edge.from, Source::Host { import: name } if name == import))
            .map(|edge| edge.part)
            .collect();
        indices.dedup();
        indices.into_iter().map(|index| &self.parts[index]).collect()
    }

    /// The same of all imports at once: for each that some part would use, these parts.
    ///
    /// Takes time in proportion to the edges, where [`wanted_by`](Self::wanted_by) takes as much for a single import.
    #[must_use]
    pub fn wanted(&self) -> HashMap<&str, Vec<&Part>> {
        let mut indices: HashMap<&str, Vec<usize>> = HashMap::new();
        for edge in &self.edges {
            let Source::Host { import } = &edge.from else { continue };
            let parts = indices.entry(import).or_default();
            // Edges are ordered by part.
            if parts.last() != Some(&edge.part) {
                parts.push(edge.part);
            }
        }
        let parts = |indices: Vec<usize>| indices.into_iter().map(|index| &self.parts[index]).collect();
        indices.into_iter().map(|(import, indices)| (import, parts(indices))).collect()
    }

    /// The part whose bytes cover this offset from the beginning of the whole: where a trap happened, for
    /// instance. Of several instances of one component it is the first.
    #[must_use]
    pub fn part_at(&self, offset: u64) -> Option<&Part> {
        self.parts.iter().find(|part| (part.offset..part.offset + part.bytes).contains(&offset))
    }
}
