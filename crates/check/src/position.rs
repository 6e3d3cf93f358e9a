//! Where a comparison stands, on both sides.

use super::names::InterfaceName;
use contract::shape::print::Step;
use contract::shape::{Item, TypeId};

/// One side of a comparison: what is shown of it, and where in that the comparison stands.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) part: usize,
    pub(super) root: Root,
    pub(super) steps: Vec<Step>,
}

/// What is shown of a side.
#[derive(Debug, Clone)]
pub(super) enum Root {
    Item(String, Item),
    Type(TypeId),
}

/// The side that is asked to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Wanted,
    Offered,
}

/// The side that is behind: that of the lower version. With equal versions it is the one that offers.
pub(super) fn older(wanted: &str, offered: &str) -> Change {
    let version = |name| InterfaceName::parse(name).and_then(|name| name.version);
    if version(offered) > version(wanted) && version(wanted).is_some() {
        Change::Wanted
    } else {
        Change::Offered
    }
}

/// Where a comparison stands, on both sides.
#[derive(Debug, Clone)]
pub(super) struct At {
    pub(super) wanted: Side,
    pub(super) offered: Side,
    pub(super) path: Vec<String>,
    pub(super) change: Change,
}

impl At {
    /// Two items of the same import or export.
    pub(super) fn items(
        path: Vec<String>,
        wanted: (usize, &str, &Item),
        offered: (usize, &str, &Item),
        change: Change,
    ) -> Self {
        let side = |(part, name, item): (usize, &str, &Item)| Side {
            part,
            root: Root::Item(name.to_owned(), item.clone()),
            steps: Vec::new(),
        };
        At { wanted: side(wanted), offered: side(offered), path, change }
    }

    /// The same with its sides exchanged.
    pub(super) fn turned(&self) -> Self {
        At { wanted: self.offered.clone(), offered: self.wanted.clone(), ..self.clone() }
    }

    /// Items within these: they are shown by themselves from here on.
    pub(super) fn within(&self, name: &str, shown: String, wanted: &Item, offered: &Item) -> Self {
        let path = [self.path.as_slice(), &[shown]].concat();
        At::items(path, (self.wanted.part, name, wanted), (self.offered.part, name, offered), self.change)
    }

    /// A part of what is shown.
    pub(super) fn step(&self, wanted: Step, offered: Step, name: Option<&str>) -> Self {
        let mut at = self.clone();
        at.wanted.steps.push(wanted);
        at.offered.steps.push(offered);
        at.path.extend(name.map(str::to_owned));
        at
    }
}
