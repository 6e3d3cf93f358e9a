//! An import or export that somebody names.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::means;

/// An import or export, of one part or of whichever has it: `IFACE` or `PART.IFACE`. The version may be left out of
/// the interface's name; it then stands for every version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The part. None: any.
    pub part: Option<String>,
    /// The name of the import or export.
    pub name: String,
}

/// What should name an import or export does not.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("it should be like `some:package/interface@1.0.0` or `PART.some:package/interface@1.0.0`")]
pub struct PlaceError;

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let (part, name) = split_part(text);
        if name.is_empty() || part.is_some_and(str::is_empty) {
            return Err(PlaceError);
        }
        Ok(Place { part: part.map(str::to_owned), name: name.to_owned() })
    }
}

impl Place {
    /// Whether this is about that import or export of that part.
    pub fn concerns(&self, part: &str, name: &str) -> bool {
        self.part.as_ref().is_none_or(|of| of == part) && means(&self.name, name)
    }
}

/// Splits a part's name off: names of parts have no dots, what follows one in a version follows a colon too, and what
/// follows one in the name of a method follows a bracket.
pub fn split_part(text: &str) -> (Option<&str>, &str) {
    match text.split_once('.') {
        Some((part, name)) if !part.contains([':', '/', '@', '[']) => (Some(part), name),
        _ => (None, text),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Some(part) => write!(f, "{part}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
