//! Compares two versions of a package: all of its interfaces, then all of its worlds.

use std::collections::{HashMap, HashSet};

use super::whole::{affected, change};
use super::{
    Affected, Breaks, Change, Class, ContractKind, Diff, DiffError, Level, features, notes, shape, summed,
};
use crate::check::{Finding, Guesses, between, between_each, renamed};
use crate::contract::Contracts;
use crate::shape::Shape;

pub(super) fn diff(old: (&str, &Contracts), new: (&str, &Contracts)) -> Result<Diff, DiffError> {
    let mut comparison = Comparison {
        old,
        new,
        names: names(old.1),
        guesses: Guesses::default(),
        contracts: Vec::new(),
        changes: Vec::new(),
    };
    comparison.interfaces()?;
    comparison.worlds()?;
    let Comparison { contracts, mut changes, .. } = comparison;
    changes.extend(notes::of_packages(old.1, new.1));
    features::explain(old.1, new.1, &mut changes);
    let versions = (old.1.main().name.version.as_ref(), new.1.main().name.version.as_ref());
    Ok(summed((old.0, new.0), versions, contracts, changes))
}

/// The names of interfaces, as they are when the package has no version.
fn names(contracts: &Contracts) -> HashSet<String> {
    let package = contracts.main();
    let full = |name: &String| format!("{}:{}/{name}", package.name.namespace, package.name.name);
    package.interfaces.keys().map(full).collect()
}

struct Comparison<'a> {
    old: (&'a str, &'a Contracts),
    new: (&'a str, &'a Contracts),
    /// Those of the old interfaces.
    names: HashSet<String>,
    guesses: Guesses,
    contracts: Vec<Affected>,
    changes: Vec<Change>,
}

impl Comparison<'_> {
    fn interfaces(&mut self) -> Result<(), DiffError> {
        let kind = ContractKind::Interface;
        let one = Shape::of_interfaces(self.old.1).map_err(shape(self.old.0))?;
        let other = Shape::of_interfaces(self.new.1).map_err(shape(self.new.0))?;
        let (olds, news) = (&self.names, names(self.new.1));
        let own = |name: &str| olds.contains(name) || news.contains(name);
        // Nobody implements yet what is new.
        let tidy = |mut found: Finding| {
            let root = found.path.len() == 1 && found.what == Class::Added;
            found.out.new &= !root;
            found
        };
        let all = between(&one, &other, &own, &self.guesses)?;
        self.changes.extend(all.iter().cloned().map(tidy).map(|found| change(kind, None, found)));
        if all.is_empty() {
            return Ok(());
        }
        // A type that several interfaces use is found where it is defined; whom that breaks is found for each by itself.
        let contracts = &mut self.contracts;
        between_each(&one, &other, &own, &self.guesses, &mut |name, findings| {
            if olds.contains(name) {
                contracts.extend(affected(kind, name.to_owned(), findings));
            }
        })?;
        Ok(())
    }

    fn worlds(&mut self) -> Result<(), DiffError> {
        let (bare_old, bare_new) = (self.old.1.without_version(), self.new.1.without_version());
        let (olds, news) = (&bare_old.main().worlds, &bare_new.main().worlds);
        let gone: Vec<&str> =
            olds.keys().map(String::as_str).filter(|name| !news.contains_key(*name)).collect();
        let fresh: Vec<&str> =
            news.keys().map(String::as_str).filter(|name| !olds.contains_key(*name)).collect();
        let renamed: HashMap<&str, &str> = renamed(&gone, &fresh, &self.guesses);
        let meant: HashSet<&str> = renamed.values().copied().collect();
        for (name, &world) in olds {
            let full = bare_old.world_name(world);
            let new_name = renamed.get(name.as_str()).copied().unwrap_or(name);
            let Some(&other) = news.get(new_name) else {
                self.gone(Class::Removed, full, format!("the world `{name}` is gone"));
                continue;
            };
            if new_name != name {
                let said = format!("the world `{name}` is called `{new_name}` now");
                self.gone(Class::Renamed, full.clone(), said);
            }
            let one = Shape::of_world(&bare_old, world).map_err(shape(self.old.0))?;
            let other = Shape::of_world(&bare_new, other).map_err(shape(self.new.0))?;
            self.world(&full, &one, &other, new_name == name)?;
        }
        for name in fresh.into_iter().filter(|name| !meant.contains(name)) {
            self.changes.push(Change {
                class: Class::Added,
                path: vec![bare_new.world_name(news[name])],
                problem: format!("the world `{name}` is new"),
                old: None,
                new: None,
                breaks: Breaks::NOBODY,
                level: Level::Minor,
            });
        }
        Ok(())
    }

    /// What differs in a world. Whom a renamed one breaks is said already.
    fn world(&mut self, full: &str, one: &Shape, other: &Shape, same_name: bool) -> Result<(), DiffError> {
        let kind = ContractKind::World;
        let findings = between(one, other, &|_| true, &self.guesses)?;
        if same_name {
            self.contracts.extend(affected(kind, full.to_owned(), &findings));
        }
        // What happened within an interface of the package was found there.
        let names = &self.names;
        let own = |found: &Finding| found.path.len() > 1 && names.contains(&found.root);
        let inner = findings.into_iter().filter(|found| !own(found));
        self.changes.extend(inner.map(|found| change(kind, Some(full), found)));
        Ok(())
    }

    /// A world that is not there any more under its name.
    fn gone(&mut self, class: Class, full: String, problem: String) {
        let (breaks, level) = (Breaks::BOTH, Level::Major);
        self.changes.push(Change {
            class,
            path: vec![full.clone()],
            problem,
            old: None,
            new: None,
            breaks,
            level,
        });
        self.contracts.push(Affected { kind: ContractKind::World, name: full, breaks, level });
    }
}
