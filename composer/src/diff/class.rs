//! What sorts of changes there are.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::check;

/// What was done. Its `Display` is its name in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Something is there that was not.
    Added,
    /// Something is no longer there.
    Removed,
    /// It is there under another name.
    Renamed,
    /// An interface of another package is imported or exported in another version, which promises to fit.
    Version,
    /// A type differs, in a way that [`check::Class::page`] explains.
    Type(check::Class),
    /// It has another gate: `@since`, `@deprecated`.
    Gate,
    /// Its documentation differs.
    Documentation,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Class::Added => "added",
            Class::Removed => "removed",
            Class::Renamed => "renamed",
            Class::Version => "version",
            Class::Type(class) => class.as_str(),
            Class::Gate => "gate",
            Class::Documentation => "documentation",
        })
    }
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
