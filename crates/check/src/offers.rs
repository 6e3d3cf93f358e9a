//! What parts offer, and what is asked of them.

use super::Part;
use super::index::Index;
use contract::shape::{Definition, Item, Origin, Shape, find};

/// An export of a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) part: usize,
    pub(super) name: &'a str,
    pub(super) item: &'a Item,
}

/// What is offered.
#[derive(Default)]
pub(super) struct Offers<'a> {
    index: Index<Offer<'a>>,
    pub(super) all: Vec<Offer<'a>>,
}

impl<'a> Offers<'a> {
    pub(super) fn add(&mut self, part: usize, items: &'a [(String, Item)]) {
        for (name, item) in items {
            let offer = Offer { part, name, item };
            self.index.add(name, offer);
            self.all.push(offer);
        }
    }

    /// What satisfies an import of a part, but not the part itself. Of several that do equally well, the first.
    pub(super) fn find(&self, importer: usize, name: &str) -> Option<Offer<'a>> {
        self.index.satisfying(name, |offer| offer.part != importer).first().copied()
    }

    /// The same interface from another part, in a version that does not satisfy the import.
    pub(super) fn other_version(&self, importer: usize, name: &str) -> Option<Offer<'a>> {
        self.index.any_version(name).find(|offer| offer.part != importer && offer.name != name)
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
