//! Wires a bag of components: finds who gets what from whom, and writes it down as a text in the WAC language.
//!
//! Nobody says which component goes where: each import is satisfied by the one component that exports it, over as
//! many levels as it takes. What is found is a [`Wiring`]; its [text](Wiring::text) is composed by
//! [`compose`](crate::compose()) like any other, so that what is made of a bag can always be written down, read
//! and changed.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use compose::compose;
//! use compose::wire::{Part, Request, find, packages};
//!
//! let source = wat::parse_str(r#"(component
//!     (core module $m (func (export "f") (result i32) i32.const 42))
//!     (core instance $i (instantiate $m))
//!     (func (export "answer") (result u32) (canon lift (core func $i "f"))))"#)?;
//! let relay = wat::parse_str(r#"(component
//!     (import "answer" (func $answer (result u32)))
//!     (export "passed-on" (func $answer)))"#)?;
//!
//! let parts = vec![Part::new("relay", relay), Part::new("source", source)];
//! let request = Request { parts, ..Request::default() };
//! let wiring = find(&request)?;
//! let text = wiring.text("whole", None);
//! assert!(text.contains("\"answer\": source[\"answer\"]"));
//!
//! let whole = compose("whole.wac", &text, &packages(request.parts))?;
//! assert_eq!(anatomy::read(&whole)?.exports, ["passed-on"]);
//! # Ok(())
//! # }
//! ```
//!
//! # The rules
//!
//! - An import is satisfied by the part that exports the same name. Where none does, it is the newest version on the
//!   same semver track: `1.x` goes with `1.y`, `0.2.x` with `0.2.y`, and nothing else with anything else. No part
//!   satisfies its own imports.
//! - A part is instantiated once, however many others use it.
//! - Two parts that could satisfy one import are not chosen from: that is for the caller to [decide](Decision). Neither
//!   is a cycle cut open anywhere.
//! - An import that nobody satisfies is left to the host where it is the host's by its name (`wasi:…`), where it is named
//!   in [`Request::leave_open`], or where it asks for nothing: an interface of types alone.
//! - The result exports what no part consumed, or what [`Request::exports`] names; and before these the interfaces that
//!   they take types from, because a component cannot be valid without.
//!
//! The order of parts, exports and decisions in a request changes nothing.

mod contract;
mod error;
mod explain;
mod flags;
mod matching;
mod names;
mod outlets;
mod solve;
mod surface;
mod text;
mod unknown;

use std::collections::BTreeSet;

use crate::NAMESPACE;
use crate::Packages;

pub use ::contract::shape::MOST_INSTANCES;
pub use check::{Place, PlaceError};
pub use contract::{Contract, ContractError, contract};
pub use error::{Ambiguity, Candidate, OpenImport, PartError, Step, Unused, WireError};
pub use explain::{likely_meant, mismatches, renaming};
pub use flags::{Decision, FlagError};
pub use names::{is_part_name, part_names};

/// A component in the bag.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name: unique in the bag, and as [`is_part_name`] wants it.
    pub name: String,
    /// The component.
    pub bytes: Vec<u8>,
    /// Whether it may be left out where nothing uses it. Without that, to be unused is an error.
    pub optional: bool,
    /// The name of the part whose imports it satisfies, where it serves that part alone. It then goes before all
    /// others there, exports nothing out of the whole, and is never used by anyone else: a stand-in.
    pub serves: Option<String>,
}

impl Part {
    /// A part that everyone may use, and someone has to.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Part { name: name.into(), bytes, optional: false, serves: None }
    }
}

/// A bag of components, and what was decided about them.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The components.
    pub parts: Vec<Part>,
    /// What the result exports. Where nothing is named, it is what no part consumed.
    pub exports: Vec<Place>,
    /// Imports that are left to the host, whoever could satisfy them. A [`Decision`] about an import goes before what is left
    /// open of all parts, and contradicts what is left open of that one part; one about a whole part goes behind both.
    pub leave_open: Vec<Place>,
    /// Who satisfies an import, where there is a choice or a better one than the rules'.
    pub decisions: Vec<Decision>,
}

/// Who gets what from whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wiring {
    /// The parts that are used, each after all that it takes something from.
    pub instances: Vec<Instance>,
    /// What the result exports, each interface after those that it takes types from.
    pub exports: Vec<Outlet>,
    /// Optional parts that nothing uses, by name: they are not in the result.
    pub unused: Vec<String>,
    /// Types that no part consumes, and that are not exported either: several parts export one of this name.
    pub left_out: Vec<Candidate>,
    /// Imports left to the host because of a version.
    pub passed_over: Vec<PassedOver>,
}

/// An import of the host that a part seems to be there for: it exports the interface in another version that does not
/// match, and that nothing consumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The part that imports.
    pub part: String,
    /// The name of the import.
    pub import: String,
    /// The part that has it in another version.
    pub provider: String,
    /// The name of that export.
    pub export: String,
}

/// A part, instantiated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The name of the part.
    pub part: String,
    /// What it gets from other parts, by import.
    pub arguments: Vec<Argument>,
    /// Its imports that are left to the host.
    pub open: Vec<String>,
}

/// An import, and what satisfies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The name of the import.
    pub import: String,
    /// The name of the part that it is taken from.
    pub part: String,
    /// The name of that part's export; for a single type, followed by its name in there.
    pub path: Vec<String>,
}

/// An export of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlet {
    /// Its name.
    pub export: String,
    /// The name of the part that has it.
    pub part: String,
    /// The export that takes types from it, where that is why it is here: nobody asked for it.
    pub because_of: Option<String>,
    /// Whether the text has to repeat the name: the export goes by another than that of its interface.
    labelled: bool,
}

impl Wiring {
    /// All imports that are left to the host, each once.
    #[must_use]
    pub fn open(&self) -> Vec<&str> {
        let all: BTreeSet<&str> =
            self.instances.iter().flat_map(|instance| &instance.open).map(String::as_str).collect();
        all.into_iter().collect()
    }
}

/// Finds the wiring of a bag.
///
/// # Errors
///
/// Where a part cannot be read, something is ambiguous, left open, unused or unknown, or the result would have more
/// instances than an engine takes. [`WireError`] says which, and what decides it.
pub fn find(request: &Request) -> Result<Wiring, WireError> {
    let bag = matching::Bag::open(request)?;
    let solution = solve::solve(&bag, request)?;
    outlets::finish(&bag, &solution)
}

/// The parts under the names that the text of a wiring has for them.
#[must_use]
pub fn packages(parts: Vec<Part>) -> Packages {
    parts.into_iter().map(|part| (package(&part.name), part.bytes)).collect()
}

/// The name of the package of a part.
fn package(part: &str) -> String {
    format!("{NAMESPACE}:{part}")
}
