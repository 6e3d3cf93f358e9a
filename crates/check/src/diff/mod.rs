//! Says what changed between two versions of a contract or component, whom each change breaks, and which version
//! number it calls for.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use contract::Contracts;
//! use check::diff::{Level, Side, diff};
//!
//! let old = Contracts::parse("old.wit", "package example:greeting@1.0.0;
//!     interface greeter { greet: func(who: string) -> string; }")?;
//! let new = Contracts::parse("new.wit", "package example:greeting@1.0.1;
//!     interface greeter { greet: func(who: string) -> string; part: func(); }")?;
//!
//! let found = diff(Side::package("old.wit", &old), Side::package("new.wit", &new))?;
//! assert_eq!(found.changes[0].path, ["example:greeting/greeter", "part"]);
//! assert!(found.breaks.implementers && !found.breaks.callers);
//! assert_eq!(found.level, Some(Level::Minor));
//! let versions = found.versions.expect("both have one");
//! assert_eq!((versions.needed.unwrap().to_string(), versions.enough), ("1.1.0".to_owned(), false));
//! # Ok(())
//! # }
//! ```
//!
//! # Whom a change breaks
//!
//! The rules are the engine's, as for [`world`](crate::world): types are equal or they differ, an instance may export more than
//! is wanted, a component may import less and export more.
//!
//! | | callers | implementers |
//! |---|---|---|
//! | of an interface | who imports the old one cannot take the new one | who exports the old one does not export the new one |
//! | of a world | who runs, or composes, components of the old one cannot take one of the new one | a component of the old one is none of the new one |
//! | of a component | where the old one was put, the new one does not fit | where the new one is put, the old one would not fit |
//!
//! # Which version it calls for
//!
//! A new version of a package must leave the *track* of the old one (`1`, `0.2`, `0.0.3`) if something that was built
//! against the old version stops working: whoever calls its interfaces, a component that implements one of its worlds, whoever
//! calls what such a component exports. Where only those who provide something have to follow (implementers of an interface; who
//! runs components of a world and has to offer them more), it is a minor change: what is there already goes on
//! working. What cannot be seen from outside is a patch.
//!
//! Packages beside the main one, nested in its text or in `deps`, are compared in the same way, each with its own version. Of
//! those of the host (`wasi:…`) in another version it is only said that they are: who took the newer one did not change it.
//!
//! The version of the package itself is part of every name in it, and is disregarded when names are compared; versions of other
//! packages are not.

use std::fmt;

use semver::Version;
use serde::Serialize;
use thiserror::Error;
use wit_parser::WorldId;

use crate::{CheckError, Excerpt};
use contract::Contracts;
use contract::shape::{Shape, ShapeError};

mod features;
mod notes;
mod package;
mod show;
mod version;
mod whole;

pub use crate::ChangeClass as Class;
pub use show::{json, text};
pub use version::{Level, Verdict, Versions, next};

/// One side of a comparison, and what it is called.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// For people: the name of a file.
    pub name: &'a str,
    /// What is compared.
    pub what: What<'a>,
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    /// A component.
    Component(&'a Shape),
    /// A world.
    World(&'a Contracts, WorldId),
    /// The main package, with all of its interfaces and worlds.
    Package(&'a Contracts),
}

impl<'a> Side<'a> {
    /// A component.
    #[must_use]
    pub fn component(name: &'a str, shape: &'a Shape) -> Self {
        Side { name, what: What::Component(shape) }
    }

    /// A world.
    #[must_use]
    pub fn world(name: &'a str, contracts: &'a Contracts, world: WorldId) -> Self {
        Side { name, what: What::World(contracts, world) }
    }

    /// A package.
    #[must_use]
    pub fn package(name: &'a str, contracts: &'a Contracts) -> Self {
        Side { name, what: What::Package(contracts) }
    }
}

/// Why two things cannot be compared.
#[derive(Debug, Error)]
pub enum DiffError {
    /// A package has many interfaces and worlds, the other side is one world or component.
    #[error("`{package}` is a package, and `{other}` is not")]
    Unlike {
        /// The side that is a package.
        package: String,
        /// The other side.
        other: String,
    },
    /// The contracts of one side cannot be encoded, or are not valid.
    #[error("the types of `{name}` cannot be taken in")]
    Shape {
        /// Which side.
        name: String,
        /// Why.
        #[source]
        source: ShapeError,
    },
    /// Comparing fails.
    #[error("the types cannot be compared")]
    Check(#[from] CheckError),
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// What the old side is called.
    pub old: String,
    /// What the new side is called.
    pub new: String,
    /// Whom it breaks.
    #[serde(flatten)]
    pub breaks: Breaks,
    /// What all changes together call for; None where nothing changed.
    #[serde(rename = "calls_for")]
    pub level: Option<Level>,
    /// What the declared versions come to; None where the old side declares none.
    #[serde(rename = "version")]
    pub versions: Option<Versions>,
    /// What the declared versions come to of each other package that changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<PackageVersions>,
    /// Whom the changes break, by interface, world or component. Such as break nobody are not listed.
    pub contracts: Vec<Affected>,
    /// The changes, each where it was made.
    pub changes: Vec<Change>,
}

/// What the versions come to that a package beside the main one declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageVersions {
    /// The name of the package, without its version.
    pub name: String,
    /// Its versions.
    #[serde(flatten)]
    pub versions: Versions,
}

/// An interface, world or component that changes break somebody of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Affected {
    /// Of which sort it is.
    pub kind: ContractKind,
    /// Its name; of what belongs to the compared package, without its version.
    pub name: String,
    /// Who of it breaks.
    #[serde(flatten)]
    pub breaks: Breaks,
    /// What its changes call for.
    #[serde(rename = "calls_for")]
    pub level: Level,
}

/// What sort of contract it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ContractKind {
    /// An interface.
    Interface,
    /// A world.
    World,
    /// A component.
    Component,
}

impl fmt::Display for ContractKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ContractKind::Interface => "interface",
            ContractKind::World => "world",
            ContractKind::Component => "component",
        })
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What was done.
    pub class: Class,
    /// Where, from the outside in. Within a world or component, an import or export begins with that word.
    pub path: Vec<String>,
    /// What it is, in a sentence without a full stop.
    pub problem: String,
    /// What was there.
    pub old: Option<Excerpt>,
    /// What is there.
    pub new: Option<Excerpt>,
    /// Whom it breaks.
    #[serde(flatten)]
    pub breaks: Breaks,
    /// What it calls for.
    #[serde(rename = "calls_for")]
    pub level: Level,
}

/// Whom something breaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Breaks {
    /// Those who use what is described.
    pub callers: bool,
    /// Those who provide it.
    pub implementers: bool,
}

impl Breaks {
    /// Nobody.
    pub const NOBODY: Breaks = Breaks { callers: false, implementers: false };
    /// Both.
    pub const BOTH: Breaks = Breaks { callers: true, implementers: true };

    /// Whoever breaks of the one or of the other.
    #[must_use]
    pub fn or(self, other: Breaks) -> Self {
        Breaks {
            callers: self.callers || other.callers,
            implementers: self.implementers || other.implementers,
        }
    }
}

impl fmt::Display for Breaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match (self.callers, self.implementers) {
            (true, true) => "callers and implementers",
            (true, false) => "callers",
            (false, true) => "implementers",
            (false, false) => "nobody",
        })
    }
}

/// Compares two versions of a package, two worlds, or two components; a world may also be compared with a component.
///
/// # Errors
///
/// Where nothing can be said; changes are in the result.
pub fn diff(old: Side<'_>, new: Side<'_>) -> Result<Diff, DiffError> {
    match (old.what, new.what) {
        (What::Package(one), What::Package(other)) => package::diff((old.name, one), (new.name, other)),
        _ => whole::diff(old, new),
    }
}

/// What was found, summed up.
fn summed(
    (old, new): (&str, &str),
    versions: (Option<&Version>, Option<&Version>),
    contracts: Vec<Affected>,
    changes: Vec<Change>,
) -> Diff {
    let levels = changes.iter().map(|change| change.level);
    let level = levels.chain(contracts.iter().map(|contract| contract.level)).max();
    Diff {
        old: old.to_owned(),
        new: new.to_owned(),
        breaks: contracts.iter().fold(Breaks::NOBODY, |all, contract| all.or(contract.breaks)),
        level,
        versions: Versions::judge(versions.0, versions.1, level),
        packages: Vec::new(),
        contracts,
        changes,
    }
}

fn shape<'e>(name: &'e str) -> impl Fn(ShapeError) -> DiffError + 'e {
    move |source| DiffError::Shape { name: name.to_owned(), source }
}
