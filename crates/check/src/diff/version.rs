//! Which version number a change calls for.

use std::fmt;

use semver::{BuildMetadata, Prerelease, Version};
use serde::Serialize;

/// How much a change asks of a version number, from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing that is compiled or linked differs.
    Patch,
    /// What was built against the old version goes on working with the new one.
    Minor,
    /// Something that was built against the old version does not.
    Major,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Patch => "patch",
            Level::Minor => "minor",
            Level::Major => "major",
        })
    }
}

/// The lowest version that may follow this one after changes of a level. Versions promise to fit along their track: `1`,
/// `0.2`, `0.0.3`; a change that breaks must leave it. A prerelease promises nothing, so any other version may follow it: for
/// one, it is None.
#[must_use]
pub fn next(old: &Version, level: Level) -> Option<Version> {
    if !old.pre.is_empty() {
        return None;
    }
    let Version { major, minor, patch, .. } = *old;
    let one = |number: u64| number.saturating_add(1);
    Some(match (level, major, minor) {
        (_, 0, 0) => Version::new(0, 0, one(patch)),
        (Level::Major, 0, _) => Version::new(0, one(minor), 0),
        (Level::Major, ..) => Version::new(one(major), 0, 0),
        (Level::Minor, 1.., _) => Version::new(major, one(minor), 0),
        (Level::Minor | Level::Patch, ..) => Version::new(major, minor, one(patch)),
    })
}

/// Whether what is declared is as much as is called for, and if not, why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Enough,
    /// Nothing is declared.
    Undeclared,
    /// It is the same version, where any other would do.
    Unchanged,
    /// It is less than what was there.
    Backwards,
    /// It announces less than what changed.
    TooSmall,
}

/// What the versions that a package declares come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Versions {
    /// What the old one declares.
    pub old: Version,
    /// The lowest version that the changes call for. The old one where nothing changed; None where any other will do.
    pub needed: Option<Version>,
    /// What the new one declares.
    pub new: Option<Version>,
    /// Whether that is as much as is called for.
    pub enough: bool,
    /// What the changes of the package call for; None where nothing changed.
    #[serde(skip)]
    pub level: Option<Level>,
}

impl Versions {
    /// Judges what is declared. None where there is nothing to compare with: the old one has no version.
    #[must_use]
    pub fn judge(old: Option<&Version>, new: Option<&Version>, level: Option<Level>) -> Option<Self> {
        let old = old?;
        let needed = match level {
            None => Some(old.clone()),
            Some(level) => next(old, level),
        };
        let enough = new.is_some_and(|new| match &needed {
            None => bare(new) != bare(old),
            // A prerelease of what is called for is on a track of its own already.
            Some(needed) => bare(new) >= bare(old) && bare(&release(new)) >= bare(needed),
        });
        Some(Versions { old: old.clone(), needed, new: new.cloned(), enough, level })
    }

    /// The same in words.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match &self.new {
            _ if self.enough => Verdict::Enough,
            None => Verdict::Undeclared,
            Some(_) if self.needed.is_none() => Verdict::Unchanged,
            Some(new) if bare(new) < bare(&self.old) => Verdict::Backwards,
            Some(_) => Verdict::TooSmall,
        }
    }
}

fn bare(version: &Version) -> Version {
    Version { build: BuildMetadata::EMPTY, ..version.clone() }
}

fn release(version: &Version) -> Version {
    Version { pre: Prerelease::EMPTY, ..version.clone() }
}
