//! Finds what stands behind each import, and has it compared.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Place as Asked;
use super::compare::Walk;
use super::findings::Done;
use super::host::{Host, Resources};
use super::identity::{Rewire, Setting, resource_at};
use super::kinds::kind_of;
use super::names::{InterfaceName, compatible, is_host, means};
use super::near::{absent, back, circle_of, dangling, forgotten, near, open};
use super::offers::{Offer, Offers, asks_for_nothing, within};
use super::position::{At, Change, older};
use super::{CheckError, Class, Connection, Export, Mismatch, Part, Report, Wire};
use crate::order::order;
use contract::shape::member::plain_name;
use contract::shape::{Item, ResourceId, find, mention};

/// How much is tried to find the best wire where resources differ: wires times pairs of resources.
const MOST_TRIED: usize = 1_000_000;

/// `parts[0]` is the socket.
pub(super) fn plug(parts: &[Part<'_>], leave_open: &[Asked]) -> Result<Report, CheckError> {
    let mut offers = Offers::default();
    for (index, part) in parts.iter().enumerate().skip(1) {
        offers.add(index, &part.shape.root().exports);
    }
    let left = |part: usize, import: &str| {
        let of = |place: &Asked| place.part.as_ref().is_none_or(|name| name == parts[part].name);
        leave_open.iter().any(|place| of(place) && means(&place.name, import))
    };
    let interface =
        |part: usize, import: &str| parts[part].shape.root().implements.imported(import).to_owned();
    let find = |part: usize, import: &str| {
        let named = offers.find(part, import);
        named.or_else(|| offers.find(part, &interface(part, import))).filter(|_| !left(part, import))
    };
    let used = used(parts, find);
    let demands = |part: usize, import: &str| {
        used.contains(&part) && !is_host(&interface(part, import)) && !left(part, import)
    };
    let mut walk = Walk::new(parts, None);
    let mut report = Report::default();
    let mut names = BTreeSet::new();
    let hosts = link(&mut walk, |part| used.contains(&part), find, demands);
    let mut host = Host::default();
    for (index, part) in parts.iter().enumerate() {
        for (name, item) in &part.shape.root().imports {
            let asks = !asks_for_nothing(part, name, item);
            match find(index, name) {
                Some(offer) => {
                    report.wired.push(wire(parts, index, name, offer));
                    pair(&mut walk, (index, name, item), offer, older(&interface(index, name), offer.name))?;
                }
                None if demands(index, name) && asks => {
                    if let Some(known) = walk.findings.found.iter_mut().find(|found| is_open(found, name)) {
                        known.notes.push(format!("`{}` imports it too", part.name));
                    } else if !back(&mut walk.findings, (index, name, item)) {
                        open(&mut walk, &offers, (index, name, item))?;
                    }
                    host.same_for_all(&mut walk, (index, name, item))?;
                }
                None => {
                    let offer = offers
                        .other_version(index, &interface(index, name))
                        .filter(|_| used.contains(&index) && !left(index, name));
                    report.passed_over.extend(offer.map(|offer| wire(parts, index, name, offer)));
                    if taken_from(part, name, item).is_some_and(|from| find(index, &from).is_some()) {
                        continue;
                    }
                    names.insert(name.clone());
                    if used.contains(&index) {
                        host.left(&mut walk, &hosts, (index, name, item), asks)?;
                    }
                }
            }
        }
    }
    host.contradictions(&mut walk, &hosts)?;
    circles(&mut walk, &used, find);
    rewire(&mut walk);
    let Report { wired, passed_over, .. } = &mut report;
    passed_over
        .retain(|over| !wired.iter().any(|wire| (&wire.from, &wire.export) == (&over.from, &over.export)));
    let unused = parts[1..].iter().map(|part| part.name.to_owned());
    report.unused = unused.filter(|name| !report.wired.iter().any(|wire| wire.from == *name)).collect();
    Ok(Report { mismatches: walk.findings.found, host: names.into_iter().collect(), ..report })
}

/// Whether this says already that nothing satisfies an import.
fn is_open(found: &Mismatch, import: &str) -> bool {
    found.class == Class::Unwired && found.path == [plain_name(import)]
}

/// The socket, the plugs that it uses, those that these use, and so on.
fn used<'a>(parts: &[Part<'_>], find: impl Fn(usize, &str) -> Option<Offer<'a>>) -> BTreeSet<usize> {
    let mut used = BTreeSet::new();
    let mut waiting = vec![0];
    while let Some(part) = waiting.pop() {
        if used.insert(part) {
            let imports = parts[part].shape.root().imports.iter();
            waiting.extend(imports.filter_map(|(name, _)| find(part, name)).map(|offer| offer.part));
        }
    }
    used
}

/// The import that a type comes out of, where an import is nothing but a name for that: it is whatever the type is there.
fn taken_from(part: &Part<'_>, name: &str, item: &Item) -> Option<String> {
    mention::alias_of(part.shape, item).filter(|from| from != name)
}

/// Of several circles of parts that need each other, a smallest one.
fn circles<'a>(walk: &mut Walk<'_>, used: &BTreeSet<usize>, find: impl Fn(usize, &str) -> Option<Offer<'a>>) {
    let used: Vec<usize> = used.iter().copied().collect();
    let wires = |part: usize| {
        let imports = walk.parts[part].shape.root().imports.iter();
        imports.filter_map(|(name, _)| Some((name.as_str(), find(part, name)?))).collect::<Vec<_>>()
    };
    let position = |part: usize| used.binary_search(&part).unwrap_or_default();
    let edges: Vec<Vec<usize>> = used
        .iter()
        .map(|part| wires(*part).iter().map(|(_, offer)| position(offer.part)).collect())
        .collect();
    let Err(circle) = order(&edges) else { return };
    let next = circle.iter().skip(1).chain(circle.first());
    let steps = circle.iter().zip(next).filter_map(|(&part, &provider)| {
        let (part, provider) = (used[part], used[provider]);
        let between = wires(part).into_iter().find(|(_, offer)| offer.part == provider);
        between.map(|(import, _)| (part, import.to_owned(), provider))
    });
    let steps: Vec<(usize, String, usize)> = steps.collect();
    circle_of(&mut walk.findings, &steps);
}

/// Finds out which resource is which, and answers with those of the host. What stands behind an import is for `find` to
/// say; `open` tells imports that should have something behind them, and have not. What parts say of the host counts where
/// they are `used`.
fn link<'a>(
    walk: &mut Walk<'_>,
    used: impl Fn(usize) -> bool,
    find: impl Fn(usize, &str) -> Option<Offer<'a>>,
    open: impl Fn(usize, &str) -> bool,
) -> Resources {
    let mut hosts = Resources::default();
    for (index, part) in walk.parts.iter().enumerate() {
        if used(index) {
            hosts.learn(part, |import| find(index, import).is_none());
        }
    }
    for (index, part) in walk.parts.iter().enumerate() {
        for (resource, place) in &part.shape.root().asked {
            let node = (index, *resource);
            let Some((import, rest)) = place.split_first() else { continue };
            match find(index, import) {
                Some(offer) => walk.links.give(node, given(walk, offer, rest)),
                None => {
                    // What nobody offers comes from the host, which gives the same to all who ask for it.
                    let known = hosts.ask(import, rest, node);
                    walk.links.give(node, Some(known));
                    if open(index, import) {
                        walk.open.insert(node);
                    }
                }
            }
        }
    }
    hosts
}

/// Where two resources should be one, says which wire to draw elsewhere: the one after which the least is left of that.
fn rewire(walk: &mut Walk<'_>) {
    if walk.apart.len().saturating_mul(walk.pairs.len()) > MOST_TRIED {
        return;
    }
    let mut left: HashMap<Rewire, usize> = HashMap::new();
    let mut edits = Vec::new();
    for (at, pair) in &walk.apart {
        let story = walk.story();
        let mut wires = story.rewires(*pair);
        if wires.len() < 2 {
            continue;
        }
        // Of equals, the first stays the first.
        wires.sort_by_cached_key(|wire| {
            *left.entry(wire.clone()).or_insert_with(|| story.left(wire, &walk.pairs))
        });
        if story.both_made(*pair) {
            edits.extend(story.edit_for_one(*pair, wires.first()).map(|edit| (*at, edit)));
        }
    }
    for (at, edit) in edits {
        walk.findings.found[at].edit = edit;
    }
}

/// Parts as they are wired already; all imports of those that are closed must be.
pub(super) fn wiring(
    parts: &[Part<'_>],
    wires: &[Connection],
    closed: &[usize],
    setting: Setting,
) -> Result<Report, CheckError> {
    let mut wired: HashMap<(usize, &str), Offer<'_>> = HashMap::new();
    let mut loose: HashMap<(usize, &str), &Export> = HashMap::new();
    let mut outside: HashSet<(usize, &str)> = HashSet::new();
    for wire in wires {
        let place = (wire.part, wire.import.as_str());
        let Some(export) = &wire.from else {
            outside.insert(place);
            continue;
        };
        let item = parts.get(export.part).and_then(|from| within(from.shape, &export.path));
        match (item, export.path.last()) {
            (Some(item), Some(name)) => _ = wired.insert(place, Offer { part: export.part, name, item }),
            _ => _ = loose.insert(place, export),
        }
    }
    let find = |part: usize, import: &str| wired.get(&(part, import)).copied();
    let is_open = |part: usize, import: &str| closed.contains(&part) && find(part, import).is_none();
    let mut walk = Walk::new(parts, None);
    walk.setting = setting;
    let hosts = link(&mut walk, |_| true, find, is_open);
    let mut offers = Offers::default();
    for (index, part) in parts.iter().enumerate() {
        offers.add(index, &part.shape.root().exports);
    }
    let mut report = Report::default();
    let mut names = BTreeSet::new();
    let mut host = Host::default();
    for (index, part) in parts.iter().enumerate() {
        for (name, item) in &part.shape.root().imports {
            if let Some(offer) = find(index, name) {
                report.wired.push(wire(parts, index, name, offer));
                pair(&mut walk, (index, name, item), offer, older(name, offer.name))?;
            } else if let Some(wire) = loose.get(&(index, name)) {
                dangling(&mut walk, &offers, (index, name, item), wire)?;
            } else if is_open(index, name) && !asks_for_nothing(part, name, item) {
                match offers.find(index, name) {
                    Some(offer) => forgotten(&mut walk.findings, (index, name, item), offer),
                    None => open(&mut walk, &offers, (index, name, item))?,
                }
            } else if taken_from(part, name, item).is_none_or(|from| find(index, &from).is_none()) {
                names.insert(name.clone());
                if !outside.contains(&(index, name)) {
                    let asks = !asks_for_nothing(part, name, item);
                    host.left(&mut walk, &hosts, (index, name, item), asks)?;
                }
            }
        }
    }
    host.contradictions(&mut walk, &hosts)?;
    rewire(&mut walk);
    Ok(Report { mismatches: walk.findings.found, host: names.into_iter().collect(), ..report })
}

fn wire(parts: &[Part<'_>], part: usize, import: &str, offer: Offer<'_>) -> Wire {
    Wire {
        part: parts[part].name.to_owned(),
        import: import.to_owned(),
        from: parts[offer.part].name.to_owned(),
        export: offer.name.to_owned(),
    }
}

/// Compares an import with what stands behind it.
fn pair(walk: &mut Walk<'_>, wanted: (usize, &str, &Item), offer: Offer<'_>, change: Change) -> Done {
    let (_, name, item) = wanted;
    let at = At::items(vec![plain_name(name)], wanted, (offer.part, offer.name, offer.item), change);
    let before = walk.findings.found.len();
    walk.item(&at, item, offer.item)?;
    versions(walk, before, name, offer.name);
    Ok(())
}

pub(super) fn given(walk: &Walk<'_>, offer: Offer<'_>, rest: &[String]) -> Option<(usize, ResourceId)> {
    resource_at(walk.parts[offer.part].shape, offer.item, rest).map(|id| (offer.part, id))
}

/// Says of mismatches between different versions of one interface that they are different.
fn versions(walk: &mut Walk<'_>, from: usize, wanted: &str, offered: &str) {
    let parsed = InterfaceName::parse(wanted).zip(InterfaceName::parse(offered));
    if wanted == offered || parsed.is_none_or(|(wanted, offered)| !wanted.same_but_version(&offered)) {
        return;
    }
    let promise = if compatible(wanted, offered) {
        "versions that promise to fit, and do not"
    } else {
        "versions that do not promise to fit"
    };
    for mismatch in &mut walk.findings.found[from..] {
        mismatch.notes.push(format!("`{wanted}` is wanted and `{offered}` offered: {promise}"));
    }
}

/// `parts[0]` is the component, `parts[1]` the world.
pub(super) fn world(parts: &[Part<'_>; 2]) -> Result<Report, CheckError> {
    let (component, world) = (parts[0].shape.root(), parts[1].shape.root());
    let (mut imports, mut exports) = (Offers::default(), Offers::default());
    imports.add(1, &world.imports);
    exports.add(0, &component.exports);
    let mut walk = Walk::new(parts, Some(1));
    for (from, asked, offers) in [(0, &component.asked, &imports), (1, &world.made, &exports)] {
        for (resource, place) in asked {
            let Some((name, rest)) = place.split_first() else { continue };
            let given = offers.find(from, name).and_then(|offer| given(&walk, offer, rest));
            walk.links.give((from, *resource), given);
        }
    }
    let mut wired = Vec::new();
    walk.world_offers = true;
    side(&mut walk, &imports, 0, Change::Wanted, &mut wired)?;
    walk.world_offers = false;
    side(&mut walk, &exports, 1, Change::Offered, &mut wired)?;
    let host = component.imports.iter().filter(|(name, _)| is_host(name)).map(|(name, _)| name.clone());
    Ok(Report { mismatches: walk.findings.found, wired, host: host.collect(), ..Report::default() })
}

/// The imports of the component against those of the world, or the exports of the world against those of the component.
fn side(
    walk: &mut Walk<'_>,
    offers: &Offers<'_>,
    wanting: usize,
    change: Change,
    wired: &mut Vec<Wire>,
) -> Done {
    let root = walk.parts[wanting].shape.root();
    let wanted = if wanting == 0 { &root.imports } else { &root.exports };
    for (name, item) in wanted {
        walk.spend(1)?;
        if let Some(offer) = offers.find(wanting, name) {
            wired.push(wire(walk.parts, wanting, name, offer));
            pair(walk, (wanting, name, item), offer, change)?;
            continue;
        }
        walk.spend(offers.all.len())?;
        let free: Vec<Offer<'_>> = offers
            .all
            .iter()
            .filter(|offer| kind_of(offer.item) == kind_of(item) && find(wanted, offer.name).is_none())
            .copied()
            .collect();
        if !near(walk, (wanting, name, item), &free, change)? {
            absent(&mut walk.findings, wanting, name, item);
        }
    }
    Ok(())
}
