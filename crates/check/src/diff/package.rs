//! Compares two versions of a package: all of its interfaces, then all of its worlds; and then, in the same way, every other
//! package that both sides have, since contracts are as often in packages beside the main one.

use std::collections::{HashMap, HashSet};

use wit_parser::PackageName;

use super::whole::{affected, change};
use super::{
    Affected, Breaks, Change, Class, ContractKind, Diff, DiffError, Level, PackageVersions, Versions,
    features, notes, shape, summed,
};
use crate::{Finding, Guesses, between, between_each, is_host, renamed};
use contract::Contracts;
use contract::shape::Shape;

type Found = (Vec<Affected>, Vec<Change>);

pub(super) fn diff(old: (&str, &Contracts), new: (&str, &Contracts)) -> Result<Diff, DiffError> {
    let others = Others::of(old.1, new.1);
    let (contracts, changes) = compare(old, new, &others.shared)?;
    let versions = (old.1.main().name.version.as_ref(), new.1.main().name.version.as_ref());
    let mut found = summed((old.0, new.0), versions, contracts, changes);
    // What a package without a version of its own went through is announced by the version of the main one.
    let mut unannounced = level_of(&others.alone);
    for (one, other) in &others.both {
        let (contracts, mut changes) = compare((old.0, one), (new.0, other), &others.shared)?;
        let level = level_of(&changes);
        let declared = (one.main().name.version.as_ref(), other.main().name.version.as_ref());
        if declared.0.is_none() {
            unannounced = unannounced.max(level);
        }
        let judged = Versions::judge(declared.0, declared.1, level).filter(|_| level.is_some());
        changes.extend(moved(one, other));
        found.extend(&one.main().name, judged, contracts, changes);
    }
    let own = found.versions.as_ref().and_then(|versions| versions.level);
    found.versions = Versions::judge(versions.0, versions.1, own.max(unannounced));
    found.level = found.level.max(others.alone.iter().map(|change| change.level).max());
    found.breaks = others.alone.iter().fold(found.breaks, |all, change| all.or(change.breaks));
    found.changes.extend(others.alone);
    Ok(found)
}

/// Compares the main packages. What differs within an interface of the `shared` ones is found where that package is compared.
fn compare(
    old: (&str, &Contracts),
    new: (&str, &Contracts),
    shared: &HashSet<String>,
) -> Result<Found, DiffError> {
    let mut comparison = Comparison {
        old,
        new,
        names: names(old.1),
        shared,
        guesses: Guesses::default(),
        contracts: Vec::new(),
        changes: Vec::new(),
    };
    comparison.interfaces()?;
    comparison.worlds()?;
    let Comparison { contracts, mut changes, .. } = comparison;
    changes.extend(notes::of_packages(old.1, new.1));
    features::explain(old.1, new.1, &mut changes);
    Ok((contracts, changes))
}

/// The packages beside the main ones.
struct Others {
    /// Those that both sides have, by name.
    both: Vec<(Contracts, Contracts)>,
    /// The full names of the interfaces of those whose version is the same too.
    shared: HashSet<String>,
    /// What there is to say of the packages that only one side has, and of the host's in another version: these are not
    /// compared, since whoever took the newer version did not change them.
    alone: Vec<Change>,
}

impl Others {
    fn of(old: &Contracts, new: &Contracts) -> Self {
        let mut others = Others { both: Vec::new(), shared: HashSet::new(), alone: Vec::new() };
        let mut met = HashSet::new();
        for (id, package) in old.others() {
            let of_name = |all: &Contracts| -> Vec<_> {
                let same = |name: &PackageName| {
                    (&name.namespace, &name.name) == (&package.name.namespace, &package.name.name)
                };
                all.others().filter(|(_, other)| same(&other.name)).map(|(id, _)| id).collect()
            };
            let same = new.others().find(|(_, other)| other.name == package.name).map(|(id, _)| id);
            // Of a package with one version on each side, the one is what became of the other.
            let counterpart = same.or_else(|| match (&of_name(old)[..], &of_name(new)[..]) {
                ([_], [only]) => Some(*only),
                _ => None,
            });
            let name = package.name.to_string();
            let Some(other) = counterpart else {
                // Another version of it, or what the host has, is there for those who want it.
                let replaced = is_host(&name) || !of_name(new).is_empty();
                others.alone.push(if replaced {
                    whole(Class::Version, &name, "is not used any more", Breaks::NOBODY, Level::Patch)
                } else {
                    whole(Class::Removed, &name, "is gone", Breaks::BOTH, Level::Major)
                });
                continue;
            };
            met.insert(other);
            let (one, other) = (old.about(id), new.about(other));
            if same.is_some() && one.main_name() != old.main_name() {
                let ids = package.interfaces.values();
                others.shared.extend(ids.filter_map(|id| old.resolve().id_of(*id)));
            } else if same.is_none() && is_host(&name) {
                others.alone.extend(moved(&one, &other));
                continue;
            }
            others.both.push((one, other));
        }
        for (_, package) in new.others().filter(|(id, _)| !met.contains(id)) {
            let name = package.name.to_string();
            others.alone.push(whole(Class::Added, &name, "is new", Breaks::NOBODY, Level::Minor));
        }
        others
    }
}

/// A change of a whole package.
fn whole(class: Class, name: &str, became: &str, breaks: Breaks, level: Level) -> Change {
    let problem = format!("the package `{name}` {became}");
    Change { class, path: vec![name.to_owned()], problem, old: None, new: None, breaks, level }
}

/// That a package has another version.
fn moved(old: &Contracts, new: &Contracts) -> Option<Change> {
    let (was, is) = (&old.main().name, &new.main().name);
    let became = format!("became `{is}`");
    (was != is).then(|| whole(Class::Version, &was.to_string(), &became, Breaks::NOBODY, Level::Patch))
}

/// What changes call for, apart from other versions of packages.
fn level_of(changes: &[Change]) -> Option<Level> {
    changes.iter().filter(|change| change.class != Class::Version).map(|change| change.level).max()
}

impl Diff {
    /// Adds what was found in another package than the main one.
    fn extend(
        &mut self,
        package: &PackageName,
        versions: Option<Versions>,
        contracts: Vec<Affected>,
        changes: Vec<Change>,
    ) {
        let levels = changes.iter().map(|change| change.level);
        self.level = self.level.max(levels.chain(contracts.iter().map(|contract| contract.level)).max());
        self.breaks = contracts.iter().fold(self.breaks, |all, contract| all.or(contract.breaks));
        self.contracts.extend(contracts);
        let fresh: Vec<Change> =
            changes.into_iter().filter(|change| !self.changes.contains(change)).collect();
        self.changes.extend(fresh);
        let name = format!("{}:{}", package.namespace, package.name);
        self.packages.extend(versions.map(|versions| PackageVersions { name, versions }));
    }
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
    /// Those of other packages that are compared by themselves.
    shared: &'a HashSet<String>,
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
        let (names, shared) = (&self.names, self.shared);
        let known = |name: &String| names.contains(name) || shared.contains(name);
        let own = |found: &Finding| found.path.len() > 1 && known(&found.root);
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
