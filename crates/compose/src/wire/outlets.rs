//! What the result exports, in an order that is valid, and the wiring as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Unused, WireError};
use super::matching::{Bag, Offer};
use super::solve::{Solution, bounded};
use super::surface::Need;
use super::{Argument, Instance, Outlet, PassedOver, Wiring};

/// Puts the wiring together.
pub(super) fn finish(bag: &Bag<'_>, solution: &Solution) -> Result<Wiring, WireError> {
    let mut outlets = Outlets { bag, solution, seen: BTreeSet::new(), found: Vec::new() };
    for part in &solution.order {
        for offer in solution.exports.iter().filter(|offer| offer.part == *part) {
            outlets.visit(*offer, None);
        }
    }
    let found = outlets.found;
    once(bag, solution, &found)?;
    let unused = unused(bag, solution)?;
    if found.is_empty() {
        return Err(WireError::NothingExported);
    }
    bounded(bag, &solution.sources, found.iter().map(|(offer, _)| *offer))?;
    let asked: BTreeSet<Offer> = solution.exports.iter().copied().collect();
    let exports = found.iter().copied().map(|(offer, because)| Outlet {
        export: bag.export(offer).name.clone(),
        part: bag.parts[offer.part].name.to_owned(),
        because_of: because.filter(|_| !asked.contains(&offer)).map(|other| bag.export(other).name.clone()),
        labelled: bag.export(offer).labelled,
    });
    let named: BTreeSet<Offer> = found.iter().map(|(offer, _)| *offer).collect();
    let left_out = solution.left_out.iter().filter(|offer| !named.contains(offer));
    let left_out = left_out.map(|offer| bag.candidate(*offer)).collect();
    let instances = solution.order.iter().map(|&part| instance(bag, solution, part));
    let passed_over = solution.passed_over.iter().map(|&((part, import), offer)| PassedOver {
        part: bag.parts[part].name.to_owned(),
        import: bag.parts[part].surface.imports[import].name.clone(),
        provider: bag.parts[offer.part].name.to_owned(),
        export: bag.export(offer).name.clone(),
    });
    Ok(Wiring {
        instances: instances.collect(),
        exports: exports.collect(),
        unused,
        left_out,
        passed_over: passed_over.collect(),
    })
}

/// Finds what has to be exported, each after what it takes types from.
struct Outlets<'a> {
    bag: &'a Bag<'a>,
    solution: &'a Solution,
    seen: BTreeSet<Offer>,
    found: Vec<(Offer, Option<Offer>)>,
}

impl Outlets<'_> {
    /// `because` is the export that this one is needed for. Parts are in no cycle, so this comes to an end.
    fn visit(&mut self, offer: Offer, because: Option<Offer>) {
        if !self.seen.insert(offer) {
            return;
        }
        for need in &self.bag.export(offer).needs {
            match *need {
                Need::Export(export) => self.visit(Offer { part: offer.part, export }, Some(offer)),
                Need::Import(import) => {
                    // A type on its own comes out of another import.
                    let alias = &self.bag.parts[offer.part].surface.imports[import].alias;
                    let import = alias.as_ref().map_or(import, |(from, _)| *from);
                    // What is left to the host is an import of the whole, which names its types.
                    if let Some(provider) = self.solution.sources[&offer.part][import] {
                        self.visit(provider, Some(offer));
                    }
                }
            }
        }
        self.found.push((offer, because));
    }
}

/// A component exports each name once.
fn once(bag: &Bag<'_>, solution: &Solution, found: &[(Offer, Option<Offer>)]) -> Result<(), WireError> {
    let mut owners: BTreeMap<&str, BTreeSet<Offer>> = BTreeMap::new();
    for (offer, _) in found {
        owners.entry(&bag.export(*offer).name).or_default().insert(*offer);
    }
    let Some((export, offers)) = owners.into_iter().find(|(_, offers)| offers.len() > 1) else {
        return Ok(());
    };
    // Who is there for this export alone would be unused if another one's were taken.
    let others = solution.exports.iter().filter(|offer| !offers.contains(offer));
    let used = used(solution, others.map(|offer| offer.part));
    let alone = offers.iter().filter(|offer| !used.contains(&offer.part)).count();
    Err(WireError::Clash {
        export: export.to_owned(),
        offers: offers.into_iter().map(|offer| bag.candidate(offer)).collect(),
        choice: alone < 2,
    })
}

/// These parts, and all that they take something from.
fn used(solution: &Solution, parts: impl Iterator<Item = usize>) -> BTreeSet<usize> {
    let mut used: BTreeSet<usize> = BTreeSet::new();
    let mut waiting: Vec<usize> = parts.collect();
    while let Some(part) = waiting.pop() {
        if used.insert(part) {
            waiting.extend(solution.sources[&part].iter().flatten().map(|offer| offer.part));
        }
    }
    used
}

/// The optional parts that nothing uses; others must be used.
fn unused(bag: &Bag<'_>, solution: &Solution) -> Result<Vec<String>, WireError> {
    let used = used(solution, solution.exports.iter().map(|offer| offer.part));
    let (optional, needed): (Vec<_>, Vec<_>) = (0..bag.parts.len())
        .filter(|part| !used.contains(part))
        .map(|part| &bag.parts[part])
        .partition(|part| part.optional || part.serves.is_some());
    if needed.is_empty() {
        return Ok(optional.into_iter().map(|part| part.name.to_owned()).collect());
    }
    let taken: BTreeSet<&str> =
        solution.exports.iter().map(|offer| bag.export(*offer).name.as_str()).collect();
    let unused = needed.into_iter().map(|part| {
        let exports: Vec<String> = part.surface.exports.iter().map(|item| item.name.clone()).collect();
        let free = exports.iter().filter(|name| !taken.contains(name.as_str())).cloned().collect();
        Unused { part: part.name.to_owned(), exports, free }
    });
    Err(WireError::Unused(unused.collect()))
}

fn instance(bag: &Bag<'_>, solution: &Solution, part: usize) -> Instance {
    let imports = &bag.parts[part].surface.imports;
    let sources = &solution.sources[&part];
    let (mut arguments, mut open) = (Vec::new(), Vec::new());
    for (import, source) in imports.iter().zip(sources) {
        // A type out of an imported instance is taken out of whatever that instance is.
        let aliased =
            import.alias.as_ref().and_then(|(from, name)| sources[*from].map(|offer| (offer, Some(name))));
        let Some((offer, inner)) = source.map(|offer| (offer, None)).or(aliased) else {
            open.push(import.name.clone());
            continue;
        };
        let path = [&bag.export(offer).name].into_iter().chain(inner).cloned().collect();
        let part = bag.parts[offer.part].name.to_owned();
        arguments.push(Argument { import: import.name.clone(), part, path });
    }
    Instance { part: bag.parts[part].name.to_owned(), arguments, open }
}
