//! Says whether components fit each other or a world, and if not, everything that does not and what to do about it.
//!
//! Two questions are answered. [`plug`]: does each import of a *socket* get what it wants from what *plugs* export?
//! [`world`]: does a component import no more than a world offers, and export all that it demands?
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use check::{Class, Part, plug};
//! use contract::shape::Shape;
//!
//! let socket = Shape::of_component(&wat::parse_str(r#"(component
//!     (import "example:greeting/greeter" (instance
//!         (export "greet" (func (param "who" string) (result string))))))"#)?)?;
//! let greeter = Shape::of_component(&wat::parse_str(r#"(component
//!     (import "wasi:example/greet" (instance $host (export "greet" (func (param "whom" string) (result string)))))
//!     (export "example:greeting/greeter" (instance $host)))"#)?)?;
//!
//! let report = plug(Part { name: "page", shape: &socket }, &[Part { name: "greeter", shape: &greeter }])?;
//! let [mismatch] = report.mismatches.as_slice() else { unreachable!() };
//! assert_eq!(mismatch.class, Class::ParameterName);
//! assert_eq!(mismatch.path, ["example:greeting/greeter", "greet", "who"]);
//! let wanted = mismatch.wanted.as_ref().expect("the function is there");
//! assert_eq!(wanted.text, "greet: func(who: string) -> string;");
//! assert_eq!(wanted.token(), "who");
//! # Ok(())
//! # }
//! ```
//!
//! # What fits
//!
//! The rules are the engine's, as its validator implements them: value types are equal or they differ, by structure and
//! with all names and their order; an instance may export more than is wanted; parameters must have the same names; and a
//! resource fits only itself. Where names match, there is no mismatch exactly when the validator accepts the instantiation.
//!
//! A name matches itself, or the same interface in a version that promises to fit ([`compatible`]). An exact name goes before
//! a compatible one, a newer version before an older one, and among plugs that offer the same the first one given.
//!
//! # What imports of plugs are wired to
//!
//! A plug may import what another plug exports. That counts as wired, and is compared as well, since resources
//! that are passed on depend on it. What no plug exports comes from the host, and is one for all who import it under
//! the same name, or one of a version that promises to fit: what they want of it must agree. What comes from the host knows the
//! host's resources alone, so it may not take one that a part makes. Parts that need each other in a circle do not fit.

#![deny(missing_docs)]

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use serde::Serialize;
use thiserror::Error;

use self::identity::Setting;
use contract::contain::{Crash, contain};
use contract::shape::{Shape, ShapeError};

mod align;
mod between;
mod change;
mod claims;
mod class;
mod compare;
pub mod diff;
mod findings;
pub mod fit;
mod guesses;
mod host;
mod identity;
mod index;
mod kinds;
mod names;
mod near;
mod offers;
pub mod order;
mod pair;
mod place;
mod position;
mod show;
mod values;
mod voice;
mod wholes;
pub mod wit;

pub(crate) use between::{Finding, between, between_each};
pub use change::ChangeClass;
pub use class::{Class, UnknownClass};
pub(crate) use guesses::{Guesses, renamed};
pub use index::Index;
pub use names::{bare, compatible, is_host, means};
pub use names::{other_version, track, version};
pub use place::split_part;
pub use place::{Place, PlaceError};
pub(crate) use show::{Ink, side};
pub use show::{blocks, json, text};

/// How much may be compared: pairs of types, and names with names. Components of any sense stay far below.
const STEPS: u32 = 4_000_000;
/// How many mismatches are reported.
const MISMATCHES: usize = 10_000;

/// A component or world that is compared, and what it is called in messages.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// For people: the name of a file, or of a world.
    pub name: &'a str,
    /// Its type.
    pub shape: &'a Shape,
}

/// Why nothing can be said.
#[derive(Debug, Error)]
pub enum CheckError {
    /// One of the components cannot be read.
    #[error("`{name}` cannot be checked")]
    Shape {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: ShapeError,
    },
    /// What is to stay open is imported by nobody.
    #[error("`{place}` cannot stay open: {}", match &.place.part {
        Some(part) => format!("`{part}` does not import that"),
        None => "no part imports that".to_owned(),
    })]
    NoSuchImport {
        /// What was to stay open.
        place: Place,
        /// What is imported there, sorted.
        imports: Vec<String>,
    },
    /// Comparing takes more steps than any component of sense would need.
    #[error("comparing takes more than {STEPS} steps: the types are too large")]
    TooLarge,
    /// Nearly everything differs.
    #[error("there are more than {MISMATCHES} mismatches")]
    TooMany,
    /// The comparison crashed.
    #[error("the types cannot be compared")]
    Crash(#[from] Crash),
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// All that does not fit: in the order of the imports, then of the exports.
    pub mismatches: Vec<Mismatch>,
    /// Which import is wired to which export.
    pub wired: Vec<Wire>,
    /// Imports that are left to the host, by name and without repetition.
    pub host: Vec<String>,
    /// Imports that are left to the host, although a part exports the interface: in a version that does not promise to fit,
    /// and that nothing else is wired to.
    pub passed_over: Vec<Wire>,
    /// Plugs that nothing was wired to.
    pub unused: Vec<String>,
}

impl Report {
    /// Whether everything fits.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.mismatches.is_empty()
    }
}

/// An import and what satisfies it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wire {
    /// Who imports.
    pub part: String,
    /// Under which name.
    pub import: String,
    /// Who exports.
    pub from: String,
    /// Under which name: the same, or that of a compatible version.
    pub export: String,
}

/// An import of a part, and the export that is to satisfy it. Parts are numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The part that imports.
    pub part: usize,
    /// The name of the import.
    pub import: String,
    /// Where it comes from. `None` is from outside of the parts, and is not compared.
    pub from: Option<Export>,
}

/// An export of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The part that exports.
    pub part: usize,
    /// The name of the export, and names of exports within it.
    pub path: Vec<String>,
}

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Of which kind it is.
    pub class: Class,
    /// Where, from the outside in, in terms of WIT: interface, function, parameter, type, field …
    pub path: Vec<String>,
    /// What is wrong, in a sentence without a full stop.
    pub problem: String,
    /// Who wants it: the name of the part.
    pub wanted_by: String,
    /// What is wanted.
    pub wanted: Option<Excerpt>,
    /// Who offers it, or should: the name of the part. None where nobody does. Where it is [shared](Mismatch::shared), the
    /// other part that wants it.
    pub offered_by: Option<String>,
    /// What is offered.
    pub offered: Option<Excerpt>,
    /// Whether both sides want it: of the host, which gives the same to all who import it.
    pub shared: bool,
    /// The part that would have to change.
    pub change: String,
    /// How, in a sentence without a full stop.
    pub edit: String,
    /// What was probably meant, for a near miss.
    pub candidate: Option<String>,
    /// What else there is to know: where resources come from, what would differ besides.
    pub notes: Vec<String>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.class, self.path.join(" > "), self.problem)
    }
}

/// WIT text of one side, and the bytes in it that differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// The text.
    pub text: String,
    /// The bytes; empty where something is missing, at the place where it would stand.
    pub span: Range<usize>,
}

impl Excerpt {
    /// The text that differs.
    #[must_use]
    pub fn token(&self) -> &str {
        self.text.get(self.span.clone()).unwrap_or_default()
    }
}

/// Checks whether the imports of a socket get what they want from what plugs export.
///
/// # Errors
///
/// Where nothing can be said; what does not fit is in the report.
pub fn plug(socket: Part<'_>, plugs: &[Part<'_>]) -> Result<Report, CheckError> {
    plug_leaving_open(socket, plugs, &[])
}

/// As [`plug`], where more than the host's interfaces may stay open: imports of these names, with or without their versions,
/// of the part that is named or of all.
///
/// # Errors
///
/// As for [`plug`], and where no part imports what is named.
pub fn plug_leaving_open(
    socket: Part<'_>,
    plugs: &[Part<'_>],
    leave_open: &[Place],
) -> Result<Report, CheckError> {
    let parts: Vec<Part<'_>> = std::iter::once(socket).chain(plugs.iter().copied()).collect();
    for place in leave_open {
        let concerned = parts.iter().filter(|part| place.part.as_ref().is_none_or(|name| name == part.name));
        let imports = concerned.flat_map(|part| part.shape.root().imports.iter().map(|(name, _)| name));
        let imports: BTreeSet<&String> = imports.collect();
        if !imports.iter().any(|import| means(&place.name, import)) {
            let imports = imports.into_iter().cloned().collect();
            return Err(CheckError::NoSuchImport { place: place.clone(), imports });
        }
    }
    contain(|| pair::plug(&parts, leave_open))?
}

/// Checks whether a component may stand where a world is asked for.
///
/// # Errors
///
/// Where nothing can be said; what does not fit is in the report.
pub fn world(component: Part<'_>, world: Part<'_>) -> Result<Report, CheckError> {
    contain(|| pair::world(&[component, world]))?
}

/// Checks parts that are wired already, each being one instance: whether every wire fits. Names play no role for what is
/// wired; of the parts in `closed`, all imports must be.
///
/// # Errors
///
/// Where nothing can be said; what does not fit is in the report.
pub fn wiring(parts: &[Part<'_>], wires: &[Connection], closed: &[usize]) -> Result<Report, CheckError> {
    contain(|| pair::wiring(parts, wires, closed, Setting::Text))?
}

/// As [`wiring`], for a bag that no text was written for: edits name the flags of the command.
pub fn wiring_of_bag(parts: &[Part<'_>], wires: &[Connection]) -> Result<Report, CheckError> {
    contain(|| pair::wiring(parts, wires, &[], Setting::Bag))?
}

/// As [`plug`], for components as bytes, each with its name.
///
/// # Errors
///
/// As for [`plug`], and where one of them is no valid component.
pub fn plug_bytes(socket: (&str, &[u8]), plugs: &[(&str, &[u8])]) -> Result<Report, CheckError> {
    let shape = |(name, bytes): (&str, &[u8])| {
        Shape::of_component(bytes).map_err(|source| CheckError::Shape { name: name.to_owned(), source })
    };
    let shapes =
        std::iter::once(socket).chain(plugs.iter().copied()).map(shape).collect::<Result<Vec<_>, _>>()?;
    let names = std::iter::once(socket.0).chain(plugs.iter().map(|(name, _)| *name));
    let parts: Vec<Part<'_>> = names.zip(&shapes).map(|(name, shape)| Part { name, shape }).collect();
    plug(parts[0], &parts[1..])
}
