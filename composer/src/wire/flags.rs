//! What callers decide, in the words of the command line.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// An import or export, of one part or of whichever has it: `IFACE` or `PART.IFACE`. The version may be left out of
/// the interface's name; it then stands for every version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The part. None: any.
    pub part: Option<String>,
    /// The name of the import or export.
    pub name: String,
}

/// Which part satisfies an import: `PART.IFACE=PROVIDER`, or `PART.IFACE=PROVIDER.EXPORT` where the export goes by a
/// name that does not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The part that imports.
    pub part: String,
    /// The name of the import, with or without its version.
    pub import: String,
    /// The part that provides it.
    pub provider: String,
    /// The name of its export. None: the one that matches.
    pub export: Option<String>,
}

/// A flag that is not of the right form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("it should be like `{0}`")]
pub struct FlagError(&'static str);

impl FromStr for Place {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        let (part, name) = split(text);
        if name.is_empty() || part.is_some_and(str::is_empty) {
            return Err(FlagError("some:package/interface@1.0.0` or `PART.some:package/interface@1.0.0"));
        }
        Ok(Place { part: part.map(str::to_owned), name: name.to_owned() })
    }
}

impl FromStr for Decision {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        let parsed = text.split_once('=').and_then(|(place, provider)| {
            let place: Place = place.parse().ok()?;
            let (part, export) = match split(provider) {
                (Some(part), export) => (part, Some(export)),
                (None, part) => (part, None),
            };
            let whole = !part.is_empty() && export != Some("");
            whole.then_some(Decision {
                part: place.part?,
                import: place.name,
                provider: part.to_owned(),
                export: export.map(str::to_owned),
            })
        });
        parsed.ok_or(FlagError("PART.some:package/interface@1.0.0=PROVIDER"))
    }
}

/// Splits a part's name off: names of parts have no dots, and what follows one in a version follows a colon too.
fn split(text: &str) -> (Option<&str>, &str) {
    match text.split_once('.') {
        Some((part, name)) if !part.contains([':', '/', '@']) => (Some(part), name),
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

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}={}", self.part, self.import, self.provider)?;
        self.export.as_ref().map_or(Ok(()), |export| write!(f, ".{export}"))
    }
}

/// Whether a name is the one that was meant: in full, or without its version.
pub(super) fn means(pattern: &str, name: &str) -> bool {
    pattern == name || name.split_once('@').is_some_and(|(bare, _)| bare == pattern)
}
