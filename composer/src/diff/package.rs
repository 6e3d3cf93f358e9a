//! Compares two versions of a package: all of its interfaces, then all of its worlds.

use super::whole::{affected, change};
use super::{Affected, Change, ContractKind, Diff, DiffError, Level, Sort, notes, shape, summed};
use crate::check::{Finding, Found, between};
use crate::contract::Contracts;
use crate::shape::Shape;

pub(super) fn diff(old: (&str, &Contracts), new: (&str, &Contracts)) -> Result<Diff, DiffError> {
    let (mut contracts, mut changes) = (Vec::new(), Vec::new());
    interfaces(old, new, &mut contracts, &mut changes)?;
    worlds(old, new, &mut contracts, &mut changes)?;
    changes.extend(notes::of_packages(old.1, new.1));
    let versions = (old.1.main().name.version.as_ref(), new.1.main().name.version.as_ref());
    Ok(summed((old.0, new.0), versions, contracts, changes))
}

/// The names of interfaces, as they are when the package has no version.
fn names(contracts: &Contracts) -> Vec<String> {
    let package = contracts.main();
    let full = |name: &String| format!("{}:{}/{name}", package.name.namespace, package.name.name);
    package.interfaces.keys().map(full).collect()
}

fn interfaces(
    old: (&str, &Contracts),
    new: (&str, &Contracts),
    contracts: &mut Vec<Affected>,
    changes: &mut Vec<Change>,
) -> Result<(), DiffError> {
    let kind = ContractKind::Interface;
    let one = Shape::of_interfaces(old.1).map_err(shape(old.0))?;
    let other = Shape::of_interfaces(new.1).map_err(shape(new.0))?;
    let (olds, news) = (names(old.1), names(new.1));
    let own = |name: &str| [&olds, &news].iter().any(|names| names.iter().any(|known| known == name));
    // Nobody implements yet what is new.
    let tidy = |mut found: Finding| {
        let root = found.path.len() == 1 && found.found == Found::Added;
        found.new_is_out &= !root;
        found
    };
    let all: Vec<Finding> = between(&one, &other, &own)?.into_iter().map(tidy).collect();
    // A type that several interfaces use is found where it is defined; whom that breaks is found for each by itself.
    for name in olds.iter().filter(|_| !all.is_empty()) {
        let renamed = all.iter().find(|found| found.root == *name && found.path.len() == 1);
        match renamed {
            Some(found) => contracts.extend(affected(kind, name.clone(), std::slice::from_ref(found))),
            None => {
                let findings = between(&one, &other, &|known| known == name)?;
                contracts.extend(affected(kind, name.clone(), &findings));
            }
        }
    }
    changes.extend(all.into_iter().map(|found| change(kind, None, found)));
    Ok(())
}

fn worlds(
    old: (&str, &Contracts),
    new: (&str, &Contracts),
    contracts: &mut Vec<Affected>,
    changes: &mut Vec<Change>,
) -> Result<(), DiffError> {
    let kind = ContractKind::World;
    let (bare_old, bare_new) = (old.1.without_version(), new.1.without_version());
    let (olds, news) = (names(old.1), names(new.1));
    for (name, &world) in &bare_old.main().worlds {
        let full = bare_old.world_name(world);
        let Some(&other) = bare_new.main().worlds.get(name) else {
            let problem = format!("the world `{name}` is gone");
            changes.push(lone(Sort::Removed, full.clone(), problem));
            contracts.push(Affected {
                kind,
                name: full,
                callers: true,
                implementers: true,
                level: Level::Major,
            });
            continue;
        };
        let one = Shape::of_world(&bare_old, world).map_err(shape(old.0))?;
        let other = Shape::of_world(&bare_new, other).map_err(shape(new.0))?;
        let findings = between(&one, &other, &|_| true)?;
        contracts.extend(affected(kind, full.clone(), &findings));
        // What happened within an interface of the package was found there.
        let own = |found: &Finding| {
            found.path.len() > 1 && olds.contains(&found.root) && news.contains(&found.root)
        };
        let inner = findings.into_iter().filter(|found| !own(found));
        changes.extend(inner.map(|found| change(kind, Some(&full), found)));
    }
    for (name, &world) in &bare_new.main().worlds {
        if !bare_old.main().worlds.contains_key(name) {
            changes.push(lone(Sort::Added, bare_new.world_name(world), format!("the world `{name}` is new")));
        }
    }
    Ok(())
}

/// A world that only one side has.
fn lone(class: Sort, name: String, problem: String) -> Change {
    let gone = class == Sort::Removed;
    Change {
        class,
        path: vec![name],
        problem,
        old: None,
        new: None,
        callers: gone,
        implementers: gone,
        level: if gone { Level::Major } else { Level::Minor },
    }
}
