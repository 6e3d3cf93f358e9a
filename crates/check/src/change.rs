//! The sorts of changes between two versions.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Class;

/// What was done. Its `Display` is its name in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeClass {
    /// Something is there that was not.
    Added,
    /// Something is no longer there.
    Removed,
    /// It is there under another name.
    Renamed,
    /// An interface of another package is imported or exported in another version, which promises to fit.
    Version,
    /// A type differs, in a way that [`Class::page`] explains.
    Type(Class),
    /// It has another gate: `@since`, `@deprecated`.
    Gate,
    /// Its documentation differs.
    Documentation,
}

impl fmt::Display for ChangeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ChangeClass::Added => "added",
            ChangeClass::Removed => "removed",
            ChangeClass::Renamed => "renamed",
            ChangeClass::Version => "version",
            ChangeClass::Type(class) => class.as_str(),
            ChangeClass::Gate => "gate",
            ChangeClass::Documentation => "documentation",
        })
    }
}

impl Serialize for ChangeClass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
