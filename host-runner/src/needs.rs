//! What a component asks its host for: as a whole, by part, and by which path; and what one version of it asks for that
//! another did not.
//!
//! Read off the structure alone, so it is the most that a part can reach: whether its code does, nobody looks at. What was
//! closed when composing shows as an import that another part answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anatomy::{Component, Implements, ReadError, Source};
use serde::Serialize;

use crate::component::{ComponentFile, Source as FileSource};
use crate::error::LoadError;
use crate::extension::{Extensions, compatible};
use crate::imports::{Need, Way, askers};

/// What a component asks for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Needs {
    /// SHA-256 of its bytes, as 64 hexadecimal digits.
    pub digest: String,
    /// Whether it is composed of parts; where it is not, it is its own single part.
    pub composition: bool,
    /// Its imports, in its own order. Those that only name types ask for nothing and are left out.
    pub imports: Vec<Asked>,
    /// Its parts, in the order of instantiation.
    pub parts: Vec<PartNeeds>,
    /// Whether `parts` tells of everything: false only for compositions with many thousands of wires.
    pub complete: bool,
}

/// An import, and what would grant it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Asked {
    /// Its name.
    pub import: String,
    /// The interface that it implements, where it has a name of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implements: Option<String>,
    /// The grant that it needs, as host.toml calls it, or `extension` where one of the host's has it. `None` where it needs
    /// none, since it reaches nothing, or where there is none: then there is a `reason`.
    pub grant: Option<&'static str>,
    /// Why nothing can grant it.
    pub reason: Option<&'static str>,
    /// The ways to grant it.
    pub ways: Vec<Way>,
    /// The ways to grant less.
    pub narrower: Vec<Way>,
    /// What the extension that has it allows.
    pub extension: Option<String>,
    /// The parts that import it, by path; empty where the component is no composition.
    pub wanted_by: Vec<String>,
}

impl Asked {
    /// Returns the import as WIT writes it: `main: wasi:keyvalue/store`, or its name alone.
    pub fn shown(&self) -> String {
        match &self.implements {
            Some(interface) => format!("{}: {interface}", self.import),
            None => self.import.clone(),
        }
    }

    /// Whether it is there without a grant, since it reaches nothing outside the guest.
    pub fn needs_nothing(&self) -> bool {
        self.grant.is_none() && self.reason.is_none()
    }
}

/// What one part can reach.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PartNeeds {
    /// Its path in the composition, `outer/inner`.
    pub part: String,
    /// Its language, where its toolchain recorded one.
    pub language: Option<String>,
    /// The imports of the whole that it can reach and that need a grant.
    pub reaches: Vec<Reachable>,
    /// Its imports of interfaces that a host would give, and that another part answers instead.
    pub inside: Vec<Inside>,
}

/// Something that a part can reach, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reachable {
    /// The import of the whole.
    pub import: String,
    /// The ways there: paths of parts, the part itself first, the one that imports it last.
    pub ways: Vec<Vec<String>>,
    /// How many more ways there are.
    pub more: usize,
}

/// An import that never comes to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inside {
    /// The import of the part.
    pub import: String,
    /// The part that answers it.
    pub by: String,
    /// What the answering part can itself reach that needs a grant. Nothing: the import is closed.
    pub reaches: Vec<String>,
}

/// What the component in a file asks for, or the one that compiled code was made of.
///
/// # Errors
///
/// Where its structure cannot be read.
pub fn of_file(file: &ComponentFile, extensions: &Extensions) -> Result<Needs, LoadError> {
    let invalid = |reason, toolchain| LoadError::Invalid { file: file.name().to_owned(), reason, toolchain };
    match file.source() {
        FileSource::Binary(bytes) => {
            needs(bytes, extensions).map_err(|error| invalid(error.to_string(), anatomy::made_by(bytes)))
        }
        FileSource::Kept(compiled, _) | FileSource::Compiled(compiled) => match &compiled.facts.anatomy {
            Some(anatomy) => Ok(needs_of(anatomy, extensions)),
            None => Err(invalid("its structure could not be read when it was compiled".to_owned(), None)),
        },
    }
}

/// Reads what the component asks for. `extensions` are those that the host has.
///
/// # Errors
///
/// Where the bytes are no component.
pub fn needs(bytes: &[u8], extensions: &Extensions) -> Result<Needs, ReadError> {
    Ok(needs_of(&anatomy::read(bytes)?, extensions))
}

/// What a component of this structure asks for.
pub(crate) fn needs_of(whole: &Component, extensions: &Extensions) -> Needs {
    let mut askers = askers(whole);
    let asked: Vec<Asked> = whole
        .imports
        .iter()
        .filter(|import| !whole.naming.contains(import))
        .map(|import| {
            let wanted_by = askers.remove(import.as_str()).unwrap_or_default();
            asked(import, &whole.implements, wanted_by, extensions)
        })
        .collect();
    let (parts, complete) = parts(whole, &asked);
    Needs {
        digest: whole.digest.clone(),
        composition: whole.is_composition(),
        imports: asked,
        parts,
        complete,
    }
}

fn asked(import: &str, implements: &Implements, wanted_by: Vec<String>, extensions: &Extensions) -> Asked {
    let need = Need::of_import(import, implements);
    let extension = extensions.allows(import);
    let by_extension = extension.is_some() && need.grant().is_none();
    Asked {
        import: import.to_owned(),
        implements: implements.imports.get(import).cloned(),
        grant: if by_extension { Some("extension") } else { need.grant() },
        reason: if by_extension { None } else { need.reason() },
        ways: need.ways().to_vec(),
        narrower: need.narrower().to_vec(),
        extension,
        wanted_by,
    }
}

fn parts(whole: &Component, asked: &[Asked]) -> (Vec<PartNeeds>, bool) {
    let reach = whole.reach();
    let guarded: BTreeSet<&str> =
        asked.iter().filter(|asked| !asked.needs_nothing()).map(|asked| asked.import.as_str()).collect();
    let name = |part: usize| whole.parts[part].path.join("/");
    let reached = |part: usize| {
        let mut by_import: BTreeMap<String, Reachable> = BTreeMap::new();
        for through in reach.of(part) {
            for import in through.imports.iter().filter(|import| guarded.contains(import.as_str())) {
                let entry = by_import.entry(import.clone()).or_insert_with(|| Reachable {
                    import: import.clone(),
                    ways: Vec::new(),
                    more: 0,
                });
                entry
                    .ways
                    .extend(through.ways.iter().map(|way| way.iter().map(|part| name(*part)).collect()));
                entry.more += through.more;
            }
        }
        by_import.into_values().collect::<Vec<Reachable>>()
    };
    let all: Vec<Vec<Reachable>> = (0..whole.parts.len()).map(reached).collect();
    let parts = whole.parts.iter().enumerate().map(|(index, part)| PartNeeds {
        part: name(index),
        language: part.language.clone(),
        reaches: all[index].clone(),
        inside: inside(whole, index, &all),
    });
    (parts.collect(), reach.is_complete())
}

fn inside(whole: &Component, part: usize, reached: &[Vec<Reachable>]) -> Vec<Inside> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for edge in whole.edges_of(part).filter(|edge| !edge.types_only) {
        let Source::Part { part: by, .. } = &edge.from else { continue };
        let interface = whole.parts[part].implements.imported(&edge.import);
        let of_a_host = !matches!(Need::of(interface), Need::Unknown(_));
        if of_a_host && *by != part && seen.insert((&edge.import, *by)) {
            found.push(Inside {
                import: edge.import.clone(),
                by: whole.parts[*by].path.join("/"),
                reaches: reached[*by].iter().map(|reachable| reachable.import.clone()).collect(),
            });
        }
    }
    found
}

/// What a new version asks for that the old one did not, and needs a grant.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Growth {
    /// Imports of the whole.
    pub imports: Vec<Asked>,
    /// Parts that reach what they did not reach before, the whole may have asked for it or not.
    pub parts: Vec<PartGrowth>,
    /// Imports of the old version that the new one does without.
    pub no_longer: Vec<String>,
}

impl fmt::Display for Growth {
    /// On one line: the imports, and the parts that reach more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let imports = self.imports.iter().map(|asked| match asked.grant {
            Some(grant) => format!("{} (grant {grant})", asked.shown()),
            None => asked.shown(),
        });
        let parts = self.parts.iter().map(|part| {
            let reaches: Vec<&str> = part.reaches.iter().map(|reachable| &*reachable.import).collect();
            format!("part {} reaches {}", part.part, reaches.join(", "))
        });
        f.write_str(&imports.chain(parts).collect::<Vec<_>>().join("; "))
    }
}

/// A part that reaches more than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartGrowth {
    /// Its path.
    pub part: String,
    /// Whether the old version has no part with this path.
    pub new: bool,
    /// What it newly reaches.
    pub reaches: Vec<Reachable>,
}

impl Growth {
    /// Whether the new version asks for anything more.
    pub fn is_any(&self) -> bool {
        !self.imports.is_empty() || !self.parts.is_empty()
    }
}

impl Needs {
    /// What `self` asks for that `old` did not.
    ///
    /// Interfaces that the same grant covers are compared without their versions: a patch release of WASI asks for nothing
    /// new. Those that only an extension or nothing covers are the same in versions that semver calls compatible. Parts are
    /// the same where their paths are.
    pub fn grown_from(&self, old: &Needs) -> Growth {
        let all = |needs: &Needs| -> BTreeSet<Identity> {
            needs.imports.iter().map(|asked| needs.identity(&asked.import)).collect()
        };
        let (before, after) = (all(old), all(self));
        let imports = self
            .imports
            .iter()
            .filter(|asked| !asked.needs_nothing() && !before.contains(&self.identity(&asked.import)));
        let no_longer = old
            .imports
            .iter()
            .filter(|asked| !asked.needs_nothing() && !after.contains(&old.identity(&asked.import)));
        let parts = self.parts.iter().filter_map(|part| {
            let same = old.parts.iter().find(|other| other.part == part.part);
            let reached: BTreeSet<Identity> = same
                .into_iter()
                .flat_map(|part| &part.reaches)
                .map(|found| old.identity(&found.import))
                .collect();
            let reaches: Vec<Reachable> = part
                .reaches
                .iter()
                .filter(|found| !reached.contains(&self.identity(&found.import)))
                .cloned()
                .collect();
            (!reaches.is_empty()).then(|| PartGrowth {
                part: part.part.clone(),
                new: same.is_none(),
                reaches,
            })
        });
        Growth {
            imports: imports.cloned().collect(),
            parts: parts.collect(),
            no_longer: no_longer.map(|asked| asked.import.clone()).collect(),
        }
    }

    /// What makes an import ask for the same as another.
    fn identity(&self, import: &str) -> Identity {
        let asked = self.imports.iter().find(|asked| asked.import == import);
        let interface = asked.and_then(|asked| asked.implements.as_deref());
        let named = interface.unwrap_or(import);
        let (path, version) = compatible(named);
        let by = Need::of(named).grant().unwrap_or(version);
        (interface.map(|_| import.to_owned()), path.to_owned(), by.to_owned())
    }
}

/// The name of an import that has one of its own; the interface; and the grant for it, or its version where none is.
type Identity = (Option<String>, String, String);
