//! Compares what has imports and exports: worlds and components.

use std::borrow::Cow;

use semver::Version;

use super::{
    Affected, Breaks, Change, Class, ContractKind, Diff, DiffError, Level, Side, What, features, notes,
    shape, summed,
};
use crate::{Finding, Guesses, between};
use contract::shape::Shape;

/// Two worlds, two components, or one of each.
pub(super) fn diff(old: Side<'_>, new: Side<'_>) -> Result<Diff, DiffError> {
    let worlds = matches!((old.what, new.what), (What::World(..), What::World(..)));
    let (one, other) = (taken(old, new, worlds)?, taken(new, old, worlds)?);
    let components = matches!((old.what, new.what), (What::Component(_), What::Component(_)));
    let kind = if components { ContractKind::Component } else { ContractKind::World };
    let findings = between(&one, &other, &|_| true, &Guesses::default())?;
    let name = named(new).or_else(|| named(old)).unwrap_or_else(|| new.name.to_owned());
    let contracts = affected(kind, name, &findings).into_iter().collect();
    let mut changes: Vec<Change> = findings.into_iter().map(|found| change(kind, None, found)).collect();
    if let (What::World(one, old_world), What::World(other, new_world)) = (old.what, new.what) {
        changes.extend(notes::of_worlds((one, old_world), (other, new_world)));
        features::explain(one, other, &mut changes);
    }
    let versions = if worlds { (version(old), version(new)) } else { (None, None) };
    Ok(summed((old.name, new.name), versions, contracts, changes))
}

fn named(side: Side<'_>) -> Option<String> {
    match side.what {
        What::World(contracts, world) => Some(contracts.world_name(world)),
        What::Component(_) | What::Package(_) => None,
    }
}

fn version(side: Side<'_>) -> Option<&Version> {
    match side.what {
        What::World(contracts, _) => contracts.main().name.version.as_ref(),
        What::Component(_) | What::Package(_) => None,
    }
}

/// The type of a side. Of two versions of a package the version is no difference; of what a component was made for it is.
fn taken<'a>(side: Side<'a>, other: Side<'_>, worlds: bool) -> Result<Cow<'a, Shape>, DiffError> {
    match side.what {
        What::Component(shape) => Ok(Cow::Borrowed(shape)),
        What::World(contracts, world) => {
            let bare = worlds.then(|| contracts.without_version());
            let taken = Shape::of_world(bare.as_ref().unwrap_or(contracts), world);
            taken.map(Cow::Owned).map_err(shape(side.name))
        }
        What::Package(_) => {
            Err(DiffError::Unlike { package: side.name.to_owned(), other: other.name.to_owned() })
        }
    }
}

/// Whom an interface, world or component breaks, if anybody.
pub(super) fn affected(kind: ContractKind, name: String, findings: &[Finding]) -> Option<Affected> {
    let breaks = findings.iter().fold(Breaks::NOBODY, |all, found| all.or(breaks(kind, found)));
    let level = findings.iter().map(|found| level(kind, found)).max()?;
    (breaks != Breaks::NOBODY).then_some(Affected { kind, name, breaks, level })
}

/// Whom it breaks. Interfaces are compared as what a world imports: there, the old one that may not stand for the new one is
/// a caller who does not get what it wants.
fn breaks(kind: ContractKind, found: &Finding) -> Breaks {
    match kind {
        ContractKind::Interface => Breaks { callers: found.out.old, implementers: found.out.new },
        ContractKind::World | ContractKind::Component => {
            Breaks { callers: found.out.new, implementers: found.out.old }
        }
    }
}

fn level(kind: ContractKind, found: &Finding) -> Level {
    let whom = breaks(kind, found);
    let major = match kind {
        ContractKind::Interface | ContractKind::Component => whom.callers,
        // Who runs components of a world offers what they import: to ask for more of it takes nothing from anybody.
        ContractKind::World => whom.implementers || (whom.callers && !found.import),
    };
    let seen = whom != Breaks::NOBODY
        || matches!(found.what, Class::Added | Class::Removed | Class::Version | Class::Renamed);
    match (major, seen) {
        (true, _) => Level::Major,
        (false, true) => Level::Minor,
        (false, false) => Level::Patch,
    }
}

/// A finding as a change; within a package, under the name of the world.
pub(super) fn change(kind: ContractKind, world: Option<&str>, found: Finding) -> Change {
    let breaks = breaks(kind, &found);
    let level = level(kind, &found);
    let mut path = found.path;
    if kind != ContractKind::Interface
        && let Some(first) = path.first_mut()
    {
        *first = format!("{} {first}", if found.import { "import" } else { "export" });
    }
    path.splice(0..0, world.map(str::to_owned));
    Change { class: found.what, path, problem: found.said, old: found.old, new: found.new, breaks, level }
}
