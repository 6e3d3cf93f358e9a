//! What is found in a component.

use serde::Serialize;

/// The anatomy of a component: its contract, its parts, and how they are wired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    /// The parts that run code, in the order of instantiation. A component that is no composition has
    /// itself as its single part.
    pub parts: Vec<Part>,
    /// What satisfies each import of each part, ordered by part and then by import. An import that is put
    /// together from several sources has an edge from each.
    pub edges: Vec<Edge>,
    /// What stands behind each export of the whole, in the order of `exports`.
    pub outlets: Vec<Outlet>,
}

/// An instance inside a component that runs code of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its name: unique among its neighbours.
    pub name: String,
    /// The names of the instances that lead to it, its own last: `["inner", "reader"]` is the part `reader`
    /// in a composition that is itself composed in under the name `inner`.
    pub path: Vec<String>,
    /// The language it was written in, as its toolchain recorded it.
    pub language: Option<String>,
    /// Where its component begins, in bytes from the beginning of the whole. Frames of a trap carry such
    /// offsets, so they lead to the part they belong to. Two instances of one component share it.
    pub offset: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes: the digest of the file that was composed in.
    pub digest: String,
    /// What it imports, as in [`Component::imports`].
    pub imports: Vec<String>,
    /// What it exports, as in [`Component::exports`].
    pub exports: Vec<String>,
}

/// An import of a part, and what satisfies it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// Index of the importing part.
    pub part: usize,
    /// The name of the import.
    pub import: String,
    /// What satisfies it.
    pub from: Source,
}

/// An export of the whole, and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outlet {
    /// The name of the export.
    pub export: String,
    /// What stands behind it. None where nothing runs there, as for an instance that only has types; more
    /// than one where the exported instance was put together.
    pub from: Vec<Source>,
}

/// Where something comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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

    /// The part whose bytes cover this offset from the beginning of the whole: where a trap happened, for
    /// instance. Of several instances of one component it is the first.
    #[must_use]
    pub fn part_at(&self, offset: u64) -> Option<&Part> {
        self.parts.iter().find(|part| (part.offset..part.offset + part.bytes).contains(&offset))
    }
}
