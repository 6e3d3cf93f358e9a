//! Decides who satisfies which import, and in which order parts are instantiated.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Ambiguity, OpenImport, Step, WireError};
use super::flags::Decision;
use super::matching::{Bag, Offer, merged};
use super::{MOST_INSTANCES, Request};
use check::Place;
use check::order::order;
use check::{is_host, means};

/// What was decided.
pub(super) struct Solution {
    /// For each part that is used: what satisfies each of its imports. None: the host.
    pub(super) sources: BTreeMap<usize, Vec<Option<Offer>>>,
    /// The parts that are used, each after all that it takes something from.
    pub(super) order: Vec<usize>,
    /// What was asked to be exported, or else what no part consumed.
    pub(super) exports: Vec<Offer>,
    /// Types that no part consumed, and that are not exported because several parts export one of this name.
    pub(super) left_out: Vec<Offer>,
    /// Imports left to the host, beside an export of the interface in another version that nobody consumes.
    pub(super) passed_over: Vec<(Inlet, Offer)>,
}

pub(super) fn solve(bag: &Bag<'_>, request: &Request) -> Result<Solution, WireError> {
    if bag.parts.is_empty() {
        return Err(WireError::Empty);
    }
    let decisions = Decisions::check(bag, request)?;
    let asked = asked(bag, &request.exports)?;
    // A part that offers nothing can be of no use to anyone, and is left for what is unused.
    let everyone = (0..bag.parts.len()).filter(|&part| {
        let opened = &bag.parts[part];
        opened.serves.is_none() && !opened.surface.exports.is_empty()
    });
    let roots: Vec<usize> =
        if asked.is_empty() { everyone.collect() } else { asked.iter().map(|offer| offer.part).collect() };
    let sources = reach(bag, &decisions, roots)?;
    let passed_over = passed_over(bag, &decisions, &sources);
    let (exports, left_out) = if asked.is_empty() { unconsumed(bag, &sources) } else { (asked, Vec::new()) };
    bounded(bag, &sources, exports.iter().copied())?;
    let order = arrange(bag, &sources)?;
    Ok(Solution { sources, order, exports, left_out, passed_over })
}

/// Refuses what no engine would take. The instances of a component are those that it imports, makes, takes out of
/// others and exports.
pub(super) fn bounded(
    bag: &Bag<'_>,
    sources: &BTreeMap<usize, Vec<Option<Offer>>>,
    exports: impl Iterator<Item = Offer> + Clone,
) -> Result<(), WireError> {
    let (mut open, mut taken) = (Vec::new(), BTreeSet::new());
    for (&part, sources) in sources {
        for (import, source) in bag.parts[part].surface.imports.iter().zip(sources) {
            match source {
                Some(offer) if bag.export(*offer).instance => _ = taken.insert(*offer),
                None if import.instance => open.push(import.name.as_str()),
                _ => {}
            }
        }
    }
    let exports = exports.filter(|offer| bag.export(*offer).instance);
    taken.extend(exports.clone());
    let instances = merged(open.into_iter()) + sources.len() + taken.len() + exports.count();
    if instances > MOST_INSTANCES {
        return Err(WireError::TooMany { instances, parts: sources.len() });
    }
    Ok(())
}

/// What is asked to be exported, found.
fn asked(bag: &Bag<'_>, exports: &[Place]) -> Result<Vec<Offer>, WireError> {
    let mut found = Vec::new();
    for place in exports {
        if let Some(part) = &place.part
            && bag.part(part).is_none()
        {
            return Err(WireError::unknown("--export", place, part, bag));
        }
        let common = |offer: &Offer| {
            let part = &bag.parts[offer.part];
            part.serves.is_none() && place.part.as_ref().is_none_or(|name| name == part.name)
        };
        let meant: Vec<Offer> = bag.meant(&place.name).filter(common).collect();
        let mut parts: Vec<usize> = meant.iter().map(|offer| offer.part).collect();
        parts.dedup();
        match parts.as_slice() {
            [] => return Err(WireError::no_such_export(place, bag)),
            [_] => found.extend(meant),
            _ => {
                let first = &bag.export(meant[0]).name;
                let alike = meant.iter().all(|offer| bag.export(*offer).name == *first);
                return Err(WireError::Clash {
                    export: if alike { first } else { &place.name }.clone(),
                    offers: meant.iter().map(|offer| bag.candidate(*offer)).collect(),
                    choice: true,
                });
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// An import of a part: both by index.
pub(super) type Inlet = (usize, usize);

/// The decisions of a request, each of which is about something that is there.
struct Decisions<'a> {
    wired: BTreeMap<Inlet, Offer>,
    leave_open: &'a [Place],
}

impl<'a> Decisions<'a> {
    fn check(bag: &Bag<'_>, request: &'a Request) -> Result<Self, WireError> {
        let (mut wired, mut whole) = (BTreeMap::new(), BTreeMap::new());
        for decision in &request.decisions {
            let found = Self::wire(bag, decision)?;
            let (places, named) =
                if decision.import.is_some() { (&mut wired, true) } else { (&mut whole, false) };
            for (place, offer) in found {
                if places.insert(place, offer).is_some_and(|other| other != offer) {
                    let import = &bag.parts[place.0].surface.imports[place.1].name;
                    let decided =
                        if named { format!("{}.{import}", decision.part) } else { decision.part.clone() };
                    return Err(WireError::DecidedTwice(decided));
                }
            }
        }
        // What is said of an import goes before what is said of a part.
        whole.retain(|&(part, import), _| {
            let opened = &bag.parts[part];
            let stays = |place: &Place| place.concerns(opened.name, &opened.surface.imports[import].name);
            !request.leave_open.iter().any(stays)
        });
        for (&(part, import), offer) in &wired {
            let opened = &bag.parts[part];
            let import = &opened.surface.imports[import].name;
            let of_one = request.leave_open.iter().filter(|place| place.part.is_some());
            if let Some(place) = of_one.into_iter().find(|place| place.concerns(opened.name, import)) {
                let provider = bag.parts[offer.part].name;
                return Err(WireError::contradiction(place, provider));
            }
        }
        whole.extend(wired);
        let wired = whole;
        for place in &request.leave_open {
            if let Some(part) = place.part.as_ref().filter(|part| bag.part(part).is_none()) {
                return Err(WireError::unknown("--leave-open", place, part, bag));
            }
            let mut parts = bag.parts.iter();
            let named = |part: &str| place.part.as_ref().is_none_or(|name| name == part);
            let known = parts.any(|part| {
                named(part.name) && part.surface.imports.iter().any(|import| means(&place.name, &import.name))
            });
            if !known {
                return Err(WireError::no_such_import("--leave-open", place, bag));
            }
        }
        Ok(Decisions { wired, leave_open: &request.leave_open })
    }

    /// The imports that a decision is about, and the exports that it decides for.
    fn wire(bag: &Bag<'_>, decision: &Decision) -> Result<Vec<(Inlet, Offer)>, WireError> {
        let find =
            |name: &str| bag.part(name).ok_or_else(|| WireError::unknown("--wire", decision, name, bag));
        let (part, provider) = (find(&decision.part)?, find(&decision.provider)?);
        if part == provider {
            return Err(WireError::itself(decision));
        }
        let pattern = decision.import.as_deref();
        let imports = bag.parts[part].surface.imports.iter().enumerate();
        let meant: Vec<_> =
            imports.filter(|(_, import)| pattern.is_none_or(|name| means(name, &import.name))).collect();
        let offers = meant.iter().filter_map(|(index, import)| {
            bag.decided(decision, provider, import).map(|offer| ((part, *index), offer))
        });
        let offers: Vec<_> = offers.collect();
        match (pattern, meant.first()) {
            _ if !offers.is_empty() => Ok(offers),
            (Some(name), None) => {
                let place = Place { part: Some(decision.part.clone()), name: name.to_owned() };
                Err(WireError::no_such_import("--wire", &place, bag))
            }
            (Some(_), Some((_, import))) => Err(WireError::no_such_provider(decision, &import.name, bag)),
            (None, _) => Err(WireError::nothing_between(decision)),
        }
    }

    fn left_open(&self, part: &str, import: &str) -> bool {
        self.leave_open.iter().any(|place| place.concerns(part, import))
    }
}

/// Satisfies the imports of these parts, then those of the parts that are used for it, and so on.
fn reach(
    bag: &Bag<'_>,
    decisions: &Decisions<'_>,
    roots: Vec<usize>,
) -> Result<BTreeMap<usize, Vec<Option<Offer>>>, WireError> {
    let mut sources: BTreeMap<usize, Vec<Option<Offer>>> = BTreeMap::new();
    let mut ambiguous: BTreeMap<(usize, &str, Vec<&str>), Vec<String>> = BTreeMap::new();
    let (mut open, mut functions) = (Vec::new(), Vec::new());
    let mut waiting = roots;
    while let Some(part) = waiting.pop() {
        if sources.contains_key(&part) {
            continue;
        }
        let opened = &bag.parts[part];
        let mut found = Vec::with_capacity(opened.surface.imports.len());
        for (index, import) in opened.surface.imports.iter().enumerate() {
            let candidates = match decisions.wired.get(&(part, index)) {
                Some(offer) => vec![*offer],
                None if decisions.left_open(opened.name, &import.name) => Vec::new(),
                None => bag.candidates(part, import),
            };
            if candidates.is_empty() && import.unwritable {
                let (part, import) = (opened.name.to_owned(), import.name.clone());
                functions.push(OpenImport { part, import, present: None });
            }
            if candidates.is_empty() && decisions.left_open(opened.name, &import.name) {
                found.push(None);
                continue;
            }
            if candidates.is_empty() && import.asks && !is_host(import.interface()) {
                open.push(OpenImport {
                    part: opened.name.to_owned(),
                    import: import.name.clone(),
                    present: bag
                        .elsewhere(part, import)
                        .map(|offer| (bag.parts[offer.part].name.to_owned(), bag.export(offer).name.clone())),
                });
            }
            if candidates.len() > 1 {
                let providers: Vec<&str> =
                    candidates.iter().map(|offer| bag.parts[offer.part].name).collect();
                ambiguous
                    .entry((providers.len(), opened.name, providers))
                    .or_default()
                    .push(import.name.clone());
            }
            waiting.extend(candidates.iter().map(|offer| offer.part));
            found.push(candidates.first().copied());
        }
        sources.insert(part, found);
    }
    if !ambiguous.is_empty() {
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        let all = ambiguous.into_iter().map(|((_, part, providers), imports)| Ambiguity {
            part: part.to_owned(),
            apart: bag.part(part).is_some_and(|part| bag.share_an_interface(part, &imports)),
            imports,
            providers: owned(providers),
        });
        return Err(WireError::Ambiguous(all.collect()));
    }
    if !functions.is_empty() {
        functions.sort_by(|a, b| (&a.part, &a.import).cmp(&(&b.part, &b.import)));
        return Err(WireError::OpenFunctions(functions));
    }
    if !open.is_empty() {
        open.sort_by(|a, b| (&a.part, &a.import).cmp(&(&b.part, &b.import)));
        return Err(WireError::Open(open));
    }
    Ok(sources)
}

fn passed_over(
    bag: &Bag<'_>,
    decisions: &Decisions<'_>,
    sources: &BTreeMap<usize, Vec<Option<Offer>>>,
) -> Vec<(Inlet, Offer)> {
    let consumed = consumed(sources);
    let mut found = Vec::new();
    for (&part, sources) in sources {
        let opened = &bag.parts[part];
        for (index, (import, source)) in opened.surface.imports.iter().zip(sources).enumerate() {
            if source.is_some() || !import.asks || decisions.left_open(opened.name, &import.name) {
                continue;
            }
            let offer = bag.elsewhere(part, import).filter(|offer| !consumed.contains(offer));
            found.extend(offer.map(|offer| ((part, index), offer)));
        }
    }
    found
}

fn consumed(sources: &BTreeMap<usize, Vec<Option<Offer>>>) -> BTreeSet<Offer> {
    sources.values().flatten().flatten().copied().collect()
}

/// What no part consumes, and the types among it that are left out: a name can be exported once.
fn unconsumed(bag: &Bag<'_>, sources: &BTreeMap<usize, Vec<Option<Offer>>>) -> (Vec<Offer>, Vec<Offer>) {
    let consumed = consumed(sources);
    let parts = bag.parts.iter().enumerate().filter(|(_, part)| part.serves.is_none());
    let offers = parts.flat_map(|(part, opened)| {
        (0..opened.surface.exports.len()).map(move |export| Offer { part, export })
    });
    let offers: Vec<Offer> = offers.filter(|offer| !consumed.contains(offer)).collect();
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    offers.iter().for_each(|offer| *names.entry(&bag.export(*offer).name).or_default() += 1);
    offers.iter().partition(|offer| {
        let export = bag.export(**offer);
        !export.is_type || names[export.name.as_str()] == 1
    })
}

fn arrange(bag: &Bag<'_>, sources: &BTreeMap<usize, Vec<Option<Offer>>>) -> Result<Vec<usize>, WireError> {
    let users: Vec<usize> = sources.keys().copied().collect();
    let position = |part: usize| users.binary_search(&part).unwrap_or_default();
    let edges: Vec<Vec<usize>> = sources
        .values()
        .map(|sources| sources.iter().flatten().map(|offer| position(offer.part)).collect())
        .collect();
    match order(&edges) {
        Ok(order) => Ok(order.into_iter().map(|index| users[index]).collect()),
        Err(cycle) => {
            let next = cycle.iter().skip(1).chain(cycle.first());
            let steps = cycle.iter().zip(next).map(|(&part, &provider)| {
                let (part, provider) = (users[part], users[provider]);
                let imports = bag.parts[part].surface.imports.iter().zip(&sources[&part]);
                let mut between =
                    imports.filter(|(_, source)| source.is_some_and(|offer| offer.part == provider));
                Step {
                    part: bag.parts[part].name.to_owned(),
                    import: between.next().map(|(import, _)| import.name.clone()).unwrap_or_default(),
                    provider: bag.parts[provider].name.to_owned(),
                }
            });
            Err(WireError::Cycle(steps.collect()))
        }
    }
}
