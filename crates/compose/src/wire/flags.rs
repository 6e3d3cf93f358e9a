//! What callers decide, in the words of the command line.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::names::is_part_name;
use check::split_part as split;

/// Which part satisfies an import: `PART.IFACE=PROVIDER`, or `PART.IFACE=PROVIDER.EXPORT` where the export goes by a
/// name that does not match. `PART=PROVIDER` decides it for all that the one imports and the other exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The part that imports.
    pub part: String,
    /// The name of the import, with or without its version. None: all that the provider could satisfy.
    pub import: Option<String>,
    /// The part that provides it.
    pub provider: String,
    /// The name of its export, where an import is named too. None: the one that matches.
    pub export: Option<String>,
}

/// A flag that is not of the right form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("it should be like `{0}`")]
pub struct FlagError(&'static str);

impl FromStr for Decision {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        let parsed = text.split_once('=').and_then(|(place, provider)| {
            let (part, import) = name_first(place);
            let (provider, export) = name_first(provider);
            let whole = [Some(part), import, Some(provider), export]
                .into_iter()
                .flatten()
                .all(|word| !word.is_empty());
            (whole && is_part_name(part) && (import.is_some() || export.is_none())).then(|| Decision {
                part: part.to_owned(),
                import: import.map(str::to_owned),
                provider: provider.to_owned(),
                export: export.map(str::to_owned),
            })
        });
        parsed.ok_or(FlagError("PART=PROVIDER` or `PART.some:package/interface@1.0.0=PROVIDER"))
    }
}

/// A part, and what of it is meant.
fn name_first(text: &str) -> (&str, Option<&str>) {
    match split(text) {
        (Some(part), name) => (part, Some(name)),
        (None, part) => (part, None),
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.part)?;
        self.import.as_ref().map_or(Ok(()), |import| write!(f, ".{import}"))?;
        write!(f, "={}", self.provider)?;
        self.export.as_ref().map_or(Ok(()), |export| write!(f, ".{export}"))
    }
}
