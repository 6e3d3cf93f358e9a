//! The link map: what whoever made a composition wrote down about it.
//!
//! A custom section named [`SECTION`] at the top level of a composition. It holds the names under which the
//! parts were known when they were composed, which the rest of the binary does not, and all that [`read`](crate::read) finds
//! in the binary besides, for readers that have only a JSON parser. `docs/link-map.md` describes the format.
//!
//! A custom section says nothing that must be true. Parts are embedded byte for byte, so what a map says of parts and
//! wires is compared with what is there: a map that disagrees is refused with everything in it that is wrong. What
//! cannot be compared, the [origins](Origin), is vouched for by the digests alone.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use anatomy::link_map::{self, LinkMap};
//!
//! let bytes = wat::parse_str(r#"(component
//!     (component $Part (core module $m) (core instance (instantiate $m)))
//!     (instance $part (instantiate $Part)))"#)?;
//! let component = anatomy::read(&bytes)?;
//! assert!(link_map::read(&bytes, &component)?.is_none());
//!
//! // Nothing is lost without a map but where the part came from.
//! let recovered = LinkMap::recover(&component);
//! assert_eq!(recovered.parts[0].path, ["part"]);
//! assert_eq!(recovered.parts[0].origin, None);
//! # Ok(())
//! # }
//! ```

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits::Limits;
use crate::model::{Component, Source, Tool};
use crate::producers::printable;

/// The name of the custom section.
pub const SECTION: &str = "link-map";

/// The version of the format that is written, and the highest that is read. It changes when something is taken away or
/// gets another meaning; fields may be added without that.
pub const FORMAT: u32 = 1;

/// How many disagreements are collected before the rest is left unsaid.
const LIES: usize = 100;

/// What is written down about a composition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkMap {
    /// [`FORMAT`].
    pub format: u32,
    /// The parts, in the order of [`Component::parts`]. Empty where the whole is no composition.
    pub parts: Vec<Entry>,
    /// Instances of embedded compositions, in the order of [`Component::compositions`].
    pub compositions: Vec<Embedded>,
    /// What satisfies which import of which part, in the order of [`Component::edges`].
    pub edges: Vec<Link>,
    /// What stands behind each export of the whole, in the order of [`Component::outlets`].
    pub outlets: Vec<Outlet>,
}

/// A part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// As in [`Part::path`](crate::Part::path).
    pub path: Vec<String>,
    /// Where it came from, where that was known.
    pub origin: Option<Origin>,
    /// As in [`Part::digest`](crate::Part::digest).
    pub digest: String,
    /// As in [`Part::language`](crate::Part::language).
    pub language: Option<String>,
    /// As in [`Part::toolchain`](crate::Part::toolchain).
    pub toolchain: Vec<Tool>,
}

/// An instance of an embedded composition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Embedded {
    /// As in [`Inner::path`](crate::Inner::path).
    pub path: Vec<String>,
    /// Where it came from, where that was known.
    pub origin: Option<Origin>,
    /// As in [`Inner::digest`](crate::Inner::digest).
    pub digest: String,
}

/// Where a part came from. Never a path on somebody's machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The name of the package that it was in the composition, such as `parts:greeter`.
    pub package: String,
    /// The name of its file, without any directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The reference under which a registry has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
}

/// As [`Edge`](crate::Edge).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Link {
    /// Index of the importing part.
    pub part: usize,
    /// The name of the import.
    pub import: String,
    /// What satisfies it.
    pub from: Source,
}

/// As [`Outlet`](crate::Outlet).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlet {
    /// The name of the export.
    pub export: String,
    /// What stands behind it.
    pub from: Vec<Source>,
}

/// Why a link map is not to be trusted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkMapError {
    /// There are two of them.
    #[error("there is more than one link map")]
    Twice,
    /// It is longer than [`Limits::link_map`].
    #[error("the link map has {bytes} bytes, where the limit is {limit}")]
    TooLarge {
        /// Its length.
        bytes: u64,
        /// The limit that was passed.
        limit: u32,
    },
    /// It has a version that is not known here.
    #[error("the link map is of format {0}, and only format {FORMAT} is known here")]
    Format(u64),
    /// It is not what a link map of this version looks like.
    #[error("the link map is malformed")]
    Malformed(#[source] serde_json::Error),
    /// It disagrees with the binary.
    #[error("the link map disagrees with the binary:{}", Listed(.0))]
    Lies(Vec<Lie>),
}

/// A point in which a link map disagrees with the binary. Of an incredible many, the first hundred are told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lie {
    /// A part or embedded composition has other bytes.
    Digest {
        /// Its path.
        path: String,
        /// The digest in the map.
        said: String,
        /// The digest of the bytes.
        found: String,
    },
    /// A part or embedded composition has another name.
    Path {
        /// The path in the map.
        said: String,
        /// The path that the binary gives it.
        found: String,
    },
    /// A part is in another language than its toolchain recorded.
    Language {
        /// Its path.
        path: String,
        /// The language in the map.
        said: String,
        /// The language that its own sections tell.
        found: String,
    },
    /// A part or embedded composition is in the map, and not in the binary.
    Invented {
        /// Its path.
        path: String,
    },
    /// A part or embedded composition is in the binary, and not in the map.
    Concealed {
        /// Its path.
        path: String,
    },
    /// The map has a wire that the binary has not.
    InventedEdge {
        /// The wire.
        edge: String,
    },
    /// The binary has a wire that the map has not.
    ConcealedEdge {
        /// The wire.
        edge: String,
    },
    /// Other things stand behind an export.
    Outlet {
        /// The export.
        export: String,
    },
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lie::Digest { path, said, found } => {
                write!(f, "`{path}` has the digest {found}, and not {said}")
            }
            Lie::Path { said, found } => write!(f, "what it calls `{said}` is `{found}`"),
            Lie::Language { path, said, found } => write!(f, "`{path}` is in {found}, and not in {said}"),
            Lie::Invented { path } => write!(f, "there is no `{path}`"),
            Lie::Concealed { path } => write!(f, "it leaves `{path}` out"),
            Lie::InventedEdge { edge } => write!(f, "it has {edge}, which is not so"),
            Lie::ConcealedEdge { edge } => write!(f, "it leaves out {edge}"),
            Lie::Outlet { export } => write!(f, "something else stands behind the export `{export}`"),
        }
    }
}

struct Listed<'a>(&'a [Lie]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|lie| write!(f, "\n- {lie}"))
    }
}

/// Reads the link map of `bytes`, of which `component` is the [anatomy](crate::read), and compares the two. None where
/// there is no link map. Of a mere [structure](crate::structure) everything is compared but the digests.
///
/// # Errors
///
/// Where it is malformed, too large, of a later format, there twice, or disagrees with the binary.
pub fn read(bytes: &[u8], component: &Component) -> Result<Option<LinkMap>, LinkMapError> {
    read_within(bytes, component, &Limits::default())
}

/// As [`read`], within limits of the caller's own.
///
/// # Errors
///
/// As for [`read`].
pub fn read_within(
    bytes: &[u8],
    component: &Component,
    limits: &Limits,
) -> Result<Option<LinkMap>, LinkMapError> {
    let map = parse(bytes, component, limits)?;
    if let Some(map) = &map {
        let lies = map.lies(component);
        if !lies.is_empty() {
            return Err(LinkMapError::Lies(lies));
        }
    }
    Ok(map)
}

#[derive(Deserialize)]
struct Head {
    format: u64,
}

fn parse(bytes: &[u8], component: &Component, limits: &Limits) -> Result<Option<LinkMap>, LinkMapError> {
    let Some((range, twice)) = &component.link_map else { return Ok(None) };
    if *twice {
        return Err(LinkMapError::Twice);
    }
    if range.len() as u64 > u64::from(limits.link_map) {
        return Err(LinkMapError::TooLarge { bytes: range.len() as u64, limit: limits.link_map });
    }
    let content = bytes.get(range.clone()).unwrap_or_default();
    // The version first: of a later one nothing else can be expected to be understood.
    let Head { format } = serde_json::from_slice(content).map_err(LinkMapError::Malformed)?;
    if format != u64::from(FORMAT) {
        return Err(LinkMapError::Format(format));
    }
    serde_json::from_slice(content).map(Some).map_err(LinkMapError::Malformed)
}

impl LinkMap {
    /// The link map that a component without origins would have: everything that the binary itself tells.
    #[must_use]
    pub fn recover(component: &Component) -> Self {
        if !component.is_composition() {
            // It would be a part of itself, and the digest of a file cannot be inside it.
            let none = Vec::new;
            return LinkMap {
                format: FORMAT,
                parts: none(),
                compositions: Vec::new(),
                edges: Vec::new(),
                outlets: Vec::new(),
            };
        }
        let parts = component.parts.iter().map(|part| Entry {
            path: part.path.clone(),
            origin: None,
            digest: part.digest.clone(),
            language: part.language.clone(),
            toolchain: part.toolchain.clone(),
        });
        let compositions = component.compositions.iter().map(|inner| Embedded {
            path: inner.path.clone(),
            origin: None,
            digest: inner.digest.clone(),
        });
        let edges = component.edges.iter().map(|edge| Link {
            part: edge.part,
            import: edge.import.clone(),
            from: edge.from.clone(),
        });
        let outlets = component
            .outlets
            .iter()
            .map(|outlet| Outlet { export: outlet.export.clone(), from: outlet.from.clone() });
        LinkMap {
            format: FORMAT,
            parts: parts.collect(),
            compositions: compositions.collect(),
            edges: edges.collect(),
            outlets: outlets.collect(),
        }
    }

    /// The content of the section: JSON, always the same for the same map.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("names and numbers always have a form in JSON")
    }

    /// Everything in which this map disagrees with the binary.
    #[must_use]
    pub fn lies(&self, component: &Component) -> Vec<Lie> {
        let truth = LinkMap::recover(component);
        let mut lies = Vec::new();
        compare(
            &mut lies,
            self.parts.iter().map(|part| (&*part.path, &*part.digest)),
            truth.parts.iter().map(|part| (&*part.path, &*part.digest)),
        );
        compare(
            &mut lies,
            self.compositions.iter().map(|inner| (&*inner.path, &*inner.digest)),
            truth.compositions.iter().map(|inner| (&*inner.path, &*inner.digest)),
        );
        for (part, found) in self.parts.iter().zip(&truth.parts) {
            // Of a toolchain that left no trace, somebody may know the language all the same.
            if let (Some(said), Some(found)) = (&part.language, &found.language)
                && said != found
            {
                let (said, found) = (printable(said), found.clone());
                lies.push(Lie::Language { path: shown(&part.path), said, found });
            }
        }
        let said: HashSet<&Link> = self.edges.iter().collect();
        let found: HashSet<&Link> = truth.edges.iter().collect();
        let invented = self.edges.iter().filter(|link| !found.contains(link)).take(LIES);
        lies.extend(invented.map(|link| Lie::InventedEdge { edge: self.wire(link) }));
        let concealed = truth.edges.iter().filter(|link| !said.contains(link)).take(LIES);
        lies.extend(concealed.map(|link| Lie::ConcealedEdge { edge: truth.wire(link) }));
        for index in 0..self.outlets.len().max(truth.outlets.len()) {
            let (said, found) = (self.outlets.get(index), truth.outlets.get(index));
            if said != found
                && let Some(outlet) = found.or(said)
            {
                lies.push(Lie::Outlet { export: printable(&outlet.export) });
            }
        }
        lies.truncate(LIES);
        lies
    }

    /// A wire, in words.
    fn wire(&self, link: &Link) -> String {
        let name = |part: usize| {
            self.parts.get(part).map_or_else(|| format!("part {part}"), |part| shown(&part.path))
        };
        let from = match &link.from {
            Source::Host { import } => format!("the host's `{}`", printable(import)),
            Source::Part { part, export: Some(export) } => {
                format!("`{}` of `{}`", printable(export), name(*part))
            }
            Source::Part { part, export: None } => format!("`{}`", name(*part)),
        };
        format!("`{}` of `{}` satisfied by {from}", printable(&link.import), name(link.part))
    }
}

type Named<'a> = (&'a [String], &'a str);

/// Compares lists of paths and digests.
fn compare<'a>(
    lies: &mut Vec<Lie>,
    said: impl ExactSizeIterator<Item = Named<'a>>,
    found: impl ExactSizeIterator<Item = Named<'a>>,
) {
    let (mut said, mut found) = (said, found);
    loop {
        match (said.next(), found.next()) {
            (Some(said), Some(found)) => {
                if said.0 != found.0 {
                    lies.push(Lie::Path { said: shown(said.0), found: shown(found.0) });
                }
                // Nothing was digested where only the structure was read.
                if said.1 != found.1 && !found.1.is_empty() {
                    let (path, found) = (shown(found.0), found.1.to_owned());
                    lies.push(Lie::Digest { path, said: printable(said.1), found });
                }
            }
            (Some(said), None) => lies.push(Lie::Invented { path: shown(said.0) }),
            (None, Some(found)) => lies.push(Lie::Concealed { path: shown(found.0) }),
            (None, None) => return,
        }
        if lies.len() >= LIES {
            return;
        }
    }
}

fn shown(path: &[String]) -> String {
    printable(&path.join("/"))
}
