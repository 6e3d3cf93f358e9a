//! Two versions of something, which others wrote.

use check::diff::{self, Breaks, Diff, Side, What};
use contract::Contracts;
use contract::shape::Shape;
use contract::shown::is_harmless;

use super::said;
use crate::seeds;

/// A version: a component, or a package of WIT.
enum Taken {
    Component(Shape),
    Package(Contracts),
}

impl Taken {
    /// What the bytes are; None where they are neither.
    fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\0asm") {
            return match Shape::of_component(bytes) {
                Ok(shape) => Some(Taken::Component(shape)),
                Err(error) => {
                    said(&error);
                    None
                }
            };
        }
        Contracts::parse("text.wit", std::str::from_utf8(bytes).ok()?).ok().map(Taken::Package)
    }

    /// All that it may be compared as: a package also as each of its first worlds.
    fn sides<'a>(&'a self, name: &'a str) -> Vec<Side<'a>> {
        match self {
            Taken::Component(shape) => vec![Side::component(name, shape)],
            Taken::Package(contracts) => {
                let worlds = contracts.worlds();
                let worlds = worlds.iter().take(2).filter_map(|world| contracts.world(world).ok());
                let package = std::iter::once(Side::package(name, contracts));
                package.chain(worlds.map(|world| Side::world(name, contracts, world))).collect()
            }
        }
    }
}

pub(crate) fn diff(data: &[u8]) {
    let given: Vec<&[u8]> = seeds::components(data).take(2).collect();
    let Some(old) = Taken::read(given[0]) else { return };
    let new = given.get(1).and_then(|bytes| Taken::read(bytes));
    for side in old.sides("old") {
        if let Some(found) = compared(side, side) {
            assert!(found.changes.is_empty(), "it differs from itself: {:?}", found.changes);
        }
    }
    let Some(new) = new else { return };
    for (one, other) in old.sides("old").into_iter().zip(new.sides("new")) {
        if let Some(found) = compared(one, other) {
            agree(&found, !matches!(one.what, What::Package(_)));
        }
    }
}

fn compared(old: Side<'_>, new: Side<'_>) -> Option<Diff> {
    match diff::diff(old, new) {
        Ok(found) => Some(found),
        Err(error) => {
            said(&error);
            None
        }
    }
}

/// Whom it breaks is what the changes say one by one, and all of it can be shown. `whole` for a component or world.
fn agree(found: &Diff, whole: bool) {
    let changes = found.changes.iter().fold(Breaks::NOBODY, |all, change| all.or(change.breaks));
    // In a package, what changed in an interface is said there, and breaks others where a world imports or exports it.
    let same = if whole {
        found.breaks == changes
    } else {
        (found.breaks == Breaks::NOBODY) == (changes == Breaks::NOBODY)
    };
    assert!(same, "whom it breaks is not what the changes say: {found:?}");
    for contract in &found.contracts {
        assert!(contract.breaks != Breaks::NOBODY && !contract.name.is_empty());
    }
    for change in &found.changes {
        assert!(!change.path.is_empty() && !change.problem.is_empty(), "something is missing in {change:?}");
        for excerpt in change.old.iter().chain(&change.new) {
            assert!(excerpt.text.get(excerpt.span.clone()).is_some(), "the mark is outside of the text");
        }
    }
    let json = diff::json(found);
    serde_json::from_str::<serde_json::Value>(&json).expect("it is JSON");
    assert!(is_harmless(&diff::text(found, false)), "the text has control characters");
}
