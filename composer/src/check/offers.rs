//! What parts offer, and what is asked of them.

use std::collections::HashMap;

use super::Part;
use super::names::{InterfaceName, bare, track};
use crate::shape::{Definition, Item, Origin, Shape, find};

/// An export of a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) part: usize,
    pub(super) name: &'a str,
    pub(super) item: &'a Item,
}

/// What is offered, by name and by what promises to fit the name.
#[derive(Default)]
pub(super) struct Offers<'a> {
    exact: HashMap<&'a str, Vec<Offer<'a>>>,
    compatible: HashMap<String, Vec<Offer<'a>>>,
    /// By the name without its version.
    bare: HashMap<&'a str, Vec<Offer<'a>>>,
    pub(super) all: Vec<Offer<'a>>,
}

impl<'a> Offers<'a> {
    pub(super) fn add(&mut self, part: usize, items: &'a [(String, Item)]) {
        for (name, item) in items {
            let offer = Offer { part, name, item };
            self.exact.entry(name).or_default().push(offer);
            if let Some(track) = track(name) {
                self.compatible.entry(track).or_default().push(offer);
            }
            self.bare.entry(bare(name)).or_default().push(offer);
            self.all.push(offer);
        }
    }

    /// What satisfies an import of a part, but not the part itself: the very name, from the first part that has it, or else
    /// the newest version that promises to fit.
    pub(super) fn find(&self, importer: usize, name: &str) -> Option<Offer<'a>> {
        let others = |offers: &'_ Vec<Offer<'a>>| {
            offers.iter().filter(|offer| offer.part != importer).copied().collect::<Vec<_>>()
        };
        if let Some(exact) = self.exact.get(name).and_then(|offers| others(offers).first().copied()) {
            return Some(exact);
        }
        let version = |offer: &Offer<'a>| InterfaceName::parse(offer.name).and_then(|name| name.version);
        let compatible = others(self.compatible.get(&track(name)?)?);
        // Of equal versions the last one would be the greatest.
        compatible.into_iter().rev().max_by_key(version)
    }

    /// The same interface from another part, in a version that does not satisfy the import.
    pub(super) fn other_version(&self, importer: usize, name: &str) -> Option<Offer<'a>> {
        let mut same = self.bare.get(bare(name))?.iter();
        same.find(|offer| offer.part != importer && offer.name != name).copied()
    }
}

/// Whether an import asks for nothing: a type that is known without it, or an interface with nothing else in it. Nobody has
/// to offer that.
pub(super) fn asks_for_nothing(part: &Part<'_>, name: &str, item: &Item) -> bool {
    match item {
        Item::Interface(id) => {
            let items = &part.shape.interface(*id).items;
            items.iter().all(|(inner, item)| is_known(part, &[name, inner], item))
        }
        item => is_known(part, &[name], item),
    }
}

/// Whether what comes in at this place is only another name for a type that is known without it, as `use` makes them.
pub(super) fn is_known(part: &Part<'_>, here: &[&str], item: &Item) -> bool {
    match item {
        Item::Type(Definition::Value(_)) => true,
        Item::Type(Definition::Resource(handle)) => match &part.shape.resource(handle.resource).origin {
            Origin::Asked(place) => place != here,
            _ => false,
        },
        _ => false,
    }
}

/// The export at the end of a path of names.
pub(super) fn within<'a>(shape: &'a Shape, path: &[String]) -> Option<&'a Item> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(find(&shape.root().exports, first)?, |item, name| match item {
        Item::Interface(id) => shape.interface(*id).get(name),
        _ => None,
    })
}
