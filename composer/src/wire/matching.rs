//! The bag, opened: what each part asks for and offers, and who could satisfy whom.

use std::collections::BTreeMap;

use semver::Version;

use super::error::WireError;
use super::flags::Decision;
use super::surface::{Export, Surface};
use super::{Request, names, surface};
use crate::check::{bare, means, track, version};

/// The parts of a bag in the order of their names, and an index of what they export.
pub(super) struct Bag<'a> {
    pub(super) parts: Vec<Opened<'a>>,
    by_name: BTreeMap<String, Vec<Offer>>,
    by_track: BTreeMap<String, Vec<(Version, Offer)>>,
    /// By the name without its version.
    by_bare: BTreeMap<String, Vec<Offer>>,
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
        let mut bag =
            Bag { parts, by_name: BTreeMap::new(), by_track: BTreeMap::new(), by_bare: BTreeMap::new() };
        bag.index();
        Ok(bag)
    }

    fn index(&mut self) {
        for (part, opened) in self.parts.iter().enumerate() {
            for (export, item) in opened.surface.exports.iter().enumerate() {
                let offer = Offer { part, export };
                self.by_name.entry(item.name.clone()).or_default().push(offer);
                self.by_bare.entry(bare(&item.name).to_owned()).or_default().push(offer);
                if let Some((track, version)) = track(&item.name).zip(version(&item.name)) {
                    self.by_track.entry(track).or_default().push((version, offer));
                }
            }
        }
    }

    pub(super) fn part(&self, name: &str) -> Option<usize> {
        self.parts.binary_search_by(|part| part.name.cmp(name)).ok()
    }

    pub(super) fn export(&self, offer: Offer) -> &Export {
        &self.parts[offer.part].surface.exports[offer.export]
    }

    /// All exports that a name may mean, of all parts, in the order of the parts.
    pub(super) fn meant<'b>(&'b self, pattern: &'b str) -> impl Iterator<Item = Offer> + 'b {
        self.parts.iter().enumerate().flat_map(move |(part, opened)| {
            let exports = opened.surface.exports.iter().enumerate();
            let meant = exports.filter(move |(_, export)| !export.is_type && means(pattern, &export.name));
            meant.map(move |(export, _)| Offer { part, export })
        })
    }

    /// Who could satisfy an import of a part: one, if it is clear who.
    pub(super) fn candidates(&self, part: usize, import: &str) -> Vec<Offer> {
        // A stand-in goes before all others, and is there for nobody else.
        let mine = |offer: &Offer| self.parts[offer.part].serves == Some(part);
        let common = |offer: &Offer| self.parts[offer.part].serves.is_none() && offer.part != part;
        let found = self.best(import, mine);
        if found.is_empty() { self.best(import, common) } else { found }
    }

    /// Who has the same interface in a version that does not match.
    pub(super) fn elsewhere(&self, part: usize, import: &str) -> Option<Offer> {
        let mut same = self.by_bare.get(bare(import))?.iter().copied();
        same.find(|offer| {
            let other = offer.part != part && self.parts[offer.part].serves.is_none();
            other && self.export(*offer).name != import
        })
    }

    /// The same name, or else the newest version on the same track.
    fn best(&self, import: &str, allowed: impl Fn(&Offer) -> bool) -> Vec<Offer> {
        let exact = self.by_name.get(import).into_iter().flatten().copied();
        let exact: Vec<Offer> = exact.filter(&allowed).collect();
        if !exact.is_empty() {
            return exact;
        }
        let Some(track) = track(import) else { return Vec::new() };
        let compatible = self.by_track.get(&track).into_iter().flatten();
        let compatible: Vec<_> = compatible.filter(|(_, offer)| allowed(offer)).collect();
        let newest = compatible.iter().map(|(version, _)| version).max();
        compatible.iter().filter(|(version, _)| Some(version) == newest).map(|(_, offer)| *offer).collect()
    }

    /// The export that a decision is for, if its part has one that fits.
    pub(super) fn decided(&self, decision: &Decision, provider: usize, import: &str) -> Option<Offer> {
        let offer = |export| Offer { part: provider, export };
        match &decision.export {
            Some(wanted) => {
                let exports = &self.parts[provider].surface.exports;
                exports.iter().position(|export| means(wanted, &export.name)).map(offer)
            }
            None => self.best(import, |offer| offer.part == provider).first().copied(),
        }
    }
}

/// How many different imports these come down to: versions on one track are merged into the newest.
pub(super) fn merged<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    let tracks = names.map(|name| track(name).unwrap_or_else(|| name.to_owned()));
    tracks.collect::<std::collections::BTreeSet<_>>().len()
}
