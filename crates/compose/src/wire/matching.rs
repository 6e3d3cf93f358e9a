//! The bag, opened: what each part asks for and offers, and who could satisfy whom.

use std::collections::BTreeSet;

use super::error::{Candidate, WireError};
use super::flags::Decision;
use super::surface::{Export, Import, Surface};
use super::{Request, names, surface};
use check::{Index, means, track};

/// The parts of a bag in the order of their names, and an index of what they export.
pub(super) struct Bag<'a> {
    pub(super) parts: Vec<Opened<'a>>,
    index: Index<Offer>,
}

pub(super) struct Opened<'a> {
    pub(super) name: &'a str,
    pub(super) optional: bool,
    /// The part that this one serves, and no other.
    pub(super) serves: Option<usize>,
    pub(super) surface: Surface,
}

/// An export of a part: both by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Offer {
    pub(super) part: usize,
    pub(super) export: usize,
}

impl<'a> Bag<'a> {
    /// Reads all parts.
    pub(super) fn open(request: &'a Request) -> Result<Self, WireError> {
        let mut given: Vec<_> = request.parts.iter().collect();
        given.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(part) = given.iter().find(|part| !names::is_part_name(&part.name)) {
            return Err(WireError::BadName(part.name.clone()));
        }
        if let Some(two) = given.windows(2).find(|two| two[0].name == two[1].name) {
            return Err(WireError::TwoOfOneName(two[0].name.clone()));
        }
        let place = |name: &str| given.binary_search_by(|part| part.name.as_str().cmp(name));
        let bytes: Vec<&[u8]> = given.iter().map(|part| part.bytes.as_slice()).collect();
        let surfaces = surface::read(&bytes).map_err(|(index, error)| WireError::Part {
            part: given[index].name.clone(),
            source: Box::new(error),
        })?;
        let mut parts = Vec::with_capacity(given.len());
        for (part, surface) in given.iter().zip(surfaces) {
            let serves = match &part.serves {
                Some(served) => Some(place(served).map_err(|_| WireError::unknown_part(served, &given))?),
                None => None,
            };
            parts.push(Opened { name: &part.name, optional: part.optional, serves, surface });
        }
        let mut index = Index::default();
        for (part, opened) in parts.iter().enumerate() {
            for (export, item) in opened.surface.exports.iter().enumerate() {
                index.add(&item.name, Offer { part, export });
            }
        }
        Ok(Bag { parts, index })
    }

    pub(super) fn part(&self, name: &str) -> Option<usize> {
        self.parts.binary_search_by(|part| part.name.cmp(name)).ok()
    }

    pub(super) fn export(&self, offer: Offer) -> &Export {
        &self.parts[offer.part].surface.exports[offer.export]
    }

    /// An export, for an error.
    pub(super) fn candidate(&self, offer: Offer) -> Candidate {
        let part = self.parts[offer.part].name.to_owned();
        Candidate { part, export: self.export(offer).name.clone() }
    }

    /// All exports that a name may mean, of all parts, in the order of the parts.
    pub(super) fn meant<'b>(&'b self, pattern: &'b str) -> impl Iterator<Item = Offer> + 'b {
        self.parts.iter().enumerate().flat_map(move |(part, opened)| {
            let exports = opened.surface.exports.iter().enumerate();
            let meant = exports.filter(move |(_, export)| means(pattern, &export.name));
            meant.map(move |(export, _)| Offer { part, export })
        })
    }

    /// Who could satisfy an import of a part: one, if it is clear who.
    pub(super) fn candidates(&self, part: usize, import: &Import) -> Vec<Offer> {
        // A stand-in goes before all others, and is there for nobody else.
        let mine = |offer: &Offer| self.parts[offer.part].serves == Some(part);
        let common = |offer: &Offer| self.parts[offer.part].serves.is_none() && offer.part != part;
        let found = self.satisfying(import, mine);
        if found.is_empty() { self.satisfying(import, common) } else { found }
    }

    /// Who exports something of the import's name, or else the interface that the import implements.
    fn satisfying(&self, import: &Import, allowed: impl Fn(&Offer) -> bool) -> Vec<Offer> {
        let named = self.index.satisfying(&import.name, &allowed);
        match &import.implements {
            Some(interface) if named.is_empty() => self.index.satisfying(interface, &allowed),
            _ => named,
        }
    }

    /// Whether several of these imports of a part are of one interface.
    pub(super) fn share_an_interface(&self, part: usize, imports: &[String]) -> bool {
        let own = self.parts[part].surface.imports.iter().filter(|import| imports.contains(&import.name));
        let interfaces: BTreeSet<&str> = own.map(Import::interface).collect();
        interfaces.len() < imports.len()
    }

    /// Who has the same interface in a version that does not match.
    pub(super) fn elsewhere(&self, part: usize, import: &Import) -> Option<Offer> {
        self.index.any_version(import.interface()).find(|offer| {
            let other = offer.part != part && self.parts[offer.part].serves.is_none();
            other && self.export(*offer).name != import.interface()
        })
    }

    /// The export that a decision is for, if its part has one that fits.
    pub(super) fn decided(&self, decision: &Decision, provider: usize, import: &Import) -> Option<Offer> {
        let offer = |export| Offer { part: provider, export };
        match &decision.export {
            Some(wanted) => {
                let exports = &self.parts[provider].surface.exports;
                exports.iter().position(|export| means(wanted, &export.name)).map(offer)
            }
            None => self.satisfying(import, |offer| offer.part == provider).first().copied(),
        }
    }
}

/// How many different imports these come down to: versions on one track are merged into the newest.
pub(super) fn merged<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    let tracks = names.map(|name| track(name).unwrap_or_else(|| name.to_owned()));
    tracks.collect::<BTreeSet<_>>().len()
}
