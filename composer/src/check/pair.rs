//! Finds what stands behind each import, and has it compared.

use std::collections::{BTreeSet, HashMap};

use super::compare::{At, Change, Done, Walk, kind_of, nearness, thing};
use super::identity::{Node, resource_at};
use super::names::{InterfaceName, Near, compatible, is_host, nearest_interface, track};
use super::{CheckError, Class, Excerpt, Mismatch, Part, Report, Wire, Wiring};
use crate::shape::print::{Step, item_at, plain_name};
use crate::shape::{Definition, Item, Origin, Place, ResourceId, Shape, find};

/// An export of a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) part: usize,
    pub(super) name: &'a str,
    pub(super) item: &'a Item,
}

/// What is offered, by name and by what promises to fit the name.
#[derive(Default)]
pub(super) struct Offers<'a> {
    exact: HashMap<&'a str, Vec<Offer<'a>>>,
    compatible: HashMap<String, Vec<Offer<'a>>>,
    all: Vec<Offer<'a>>,
}

impl<'a> Offers<'a> {
    pub(super) fn add(&mut self, part: usize, items: &'a [(String, Item)]) {
        for (name, item) in items {
            let offer = Offer { part, name, item };
            self.exact.entry(name).or_default().push(offer);
            if let Some(track) = track(name) {
                self.compatible.entry(track).or_default().push(offer);
            }
            self.all.push(offer);
        }
    }

    /// What satisfies an import of a part, but not the part itself: the very name, from the first part that has it, or else
    /// the newest version that promises to fit.
    pub(super) fn find(&self, importer: usize, name: &str) -> Option<Offer<'a>> {
        let others = |offers: &'_ Vec<Offer<'a>>| {
            offers.iter().filter(|offer| offer.part != importer).copied().collect::<Vec<_>>()
        };
        if let Some(exact) = self.exact.get(name).and_then(|offers| others(offers).first().copied()) {
            return Some(exact);
        }
        let version = |offer: &Offer<'a>| InterfaceName::parse(offer.name).and_then(|name| name.version);
        let compatible = others(self.compatible.get(&track(name)?)?);
        // Of equal versions the last one would be the greatest.
        compatible.into_iter().rev().max_by_key(version)
    }
}

/// `parts[0]` is the socket.
pub(super) fn plug(parts: &[Part<'_>]) -> Result<Report, CheckError> {
    let mut offers = Offers::default();
    for (index, part) in parts.iter().enumerate().skip(1) {
        offers.add(index, &part.shape.root().exports);
    }
    let mut walk = Walk::new(parts, None);
    let mut wired = Vec::new();
    let mut host = BTreeSet::new();
    link(&mut walk, |part, import| offers.find(part, import), |part, import| part == 0 && !is_host(import));
    for (index, part) in parts.iter().enumerate() {
        for (name, item) in &part.shape.root().imports {
            match offers.find(index, name) {
                Some(offer) => {
                    wired.push(wire(parts, index, name, offer));
                    pair(&mut walk, (index, name, item), offer, older(name, offer.name))?;
                }
                None if index == 0 && !is_host(name) && !is_known(part, name, item) => {
                    open(&mut walk, &offers, (index, name, item))?;
                }
                None => {
                    host.insert(name.clone());
                }
            }
        }
    }
    let unused = parts[1..].iter().map(|part| part.name.to_owned());
    let unused = unused.filter(|name| !wired.iter().any(|wire| wire.from == *name)).collect();
    Ok(Report { mismatches: walk.found, wired, host: host.into_iter().collect(), unused })
}

/// Finds out which resource is which. What stands behind an import is for `find` to say; `open` tells imports that should
/// have something behind them, and have not.
fn link<'a>(
    walk: &mut Walk<'_>,
    find: impl Fn(usize, &str) -> Option<Offer<'a>>,
    open: impl Fn(usize, &str) -> bool,
) {
    let mut hosts: HashMap<(String, Place), Node> = HashMap::new();
    for (index, part) in walk.parts.iter().enumerate() {
        for (resource, place) in &part.shape.root().asked {
            let node = (index, *resource);
            let Some((import, rest)) = place.split_first() else { continue };
            match find(index, import) {
                Some(offer) => walk.links.give(node, given(walk, offer, rest)),
                None => {
                    // What nobody offers comes from the host, which gives the same to all who ask for it.
                    let key = (track(import).unwrap_or_else(|| import.clone()), rest.to_vec());
                    let known = *hosts.entry(key).or_insert(node);
                    walk.links.give(node, Some(known));
                    if open(index, import) {
                        walk.open.insert(node);
                    }
                }
            }
        }
    }
}

/// Parts as they are wired already; all imports of those that are closed must be.
pub(super) fn wiring(parts: &[Part<'_>], wires: &[Wiring], closed: &[usize]) -> Result<Report, CheckError> {
    let mut wired: HashMap<(usize, &str), Offer<'_>> = HashMap::new();
    let mut loose: HashMap<(usize, &str), &Wiring> = HashMap::new();
    for wire in wires {
        let (Some(from), Some(name)) = (parts.get(wire.from), wire.export.last()) else { continue };
        match within(from.shape, &wire.export) {
            Some(item) => _ = wired.insert((wire.part, &wire.import), Offer { part: wire.from, name, item }),
            None => _ = loose.insert((wire.part, &wire.import), wire),
        }
    }
    let find = |part: usize, import: &str| wired.get(&(part, import)).copied();
    let is_open = |part: usize, import: &str| closed.contains(&part) && find(part, import).is_none();
    let mut walk = Walk::new(parts, None);
    link(&mut walk, find, is_open);
    let mut offers = Offers::default();
    for (index, part) in parts.iter().enumerate() {
        offers.add(index, &part.shape.root().exports);
    }
    let mut used = Vec::new();
    let mut host = BTreeSet::new();
    for (index, part) in parts.iter().enumerate() {
        for (name, item) in &part.shape.root().imports {
            if let Some(offer) = find(index, name) {
                used.push(wire(parts, index, name, offer));
                pair(&mut walk, (index, name, item), offer, older(name, offer.name))?;
            } else if let Some(wire) = loose.get(&(index, name)) {
                dangling(&mut walk, &offers, (index, name, item), wire)?;
            } else if is_open(index, name) && !is_known(part, name, item) {
                match offers.find(index, name) {
                    Some(offer) => forgotten(&mut walk, (index, name, item), offer),
                    None => open(&mut walk, &offers, (index, name, item))?,
                }
            } else {
                host.insert(name.clone());
            }
        }
    }
    Ok(Report { mismatches: walk.found, wired: used, host: host.into_iter().collect(), unused: Vec::new() })
}

/// Whether an import is only another name for a type that is known without it, as `use` in a world makes them: nobody has to
/// offer that.
pub(super) fn is_known(part: &Part<'_>, name: &str, item: &Item) -> bool {
    match item {
        Item::Type(Definition::Value(_)) => true,
        Item::Type(Definition::Resource(handle)) => match &part.shape.resource(handle.resource).origin {
            Origin::Asked(place) => *place != [name],
            _ => false,
        },
        _ => false,
    }
}

/// The export at the end of a path of names.
fn within<'a>(shape: &'a Shape, path: &[String]) -> Option<&'a Item> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(find(&shape.root().exports, first)?, |item, name| match item {
        Item::Interface(id) => shape.interface(*id).get(name),
        _ => None,
    })
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
    let before = walk.found.len();
    walk.item(&at, item, offer.item)?;
    versions(walk, before, name, offer.name);
    Ok(())
}

/// An import that is wired to what its part does not export.
fn dangling(walk: &mut Walk<'_>, offers: &Offers<'_>, wanted: (usize, &str, &Item), wire: &Wiring) -> Done {
    let (part, name, item) = wanted;
    let free: Vec<Offer<'_>> = offers.all.iter().filter(|offer| offer.part == wire.from).copied().collect();
    walk.spend(free.len())?;
    let same_kind: Vec<Offer<'_>> =
        free.iter().filter(|offer| kind_of(offer.item) == kind_of(item)).copied().collect();
    if let Some(offer) = same_kind.iter().find(|offer| compatible(name, offer.name)) {
        forgotten(walk, wanted, *offer);
        return Ok(());
    }
    if near(walk, wanted, &same_kind, Change::Wanted)? {
        return Ok(());
    }
    let (importer, exporter) = (walk.name(part).to_owned(), walk.name(wire.from).to_owned());
    let there = free.iter().map(|offer| offer.name).collect::<Vec<_>>().join("`, `");
    let export = wire.export.join(".");
    walk.found.push(Mismatch {
        class: if matches!(item, Item::Function(_)) {
            Class::MissingFunction
        } else {
            Class::MissingInterface
        },
        path: vec![plain_name(name)],
        problem: format!("`{exporter}` does not export `{export}`, which is wired to it"),
        wanted_by: importer.clone(),
        wanted: Some(shown(walk, part, name, item)),
        offered_by: Some(exporter.clone()),
        offered: None,
        change: importer.clone(),
        edit: format!("wire the import `{name}` of `{importer}` to something that is there"),
        candidate: None,
        notes: vec![format!("`{exporter}` exports `{there}`")],
    });
    Ok(())
}

/// An import that nothing is wired to, although a part exports it.
fn forgotten(walk: &mut Walk<'_>, wanted: (usize, &str, &Item), offer: Offer<'_>) {
    let (part, name, item) = wanted;
    let (importer, exporter) = (walk.name(part).to_owned(), walk.name(offer.part).to_owned());
    walk.found.push(Mismatch {
        class: Class::Unwired,
        path: vec![plain_name(name)],
        problem: format!(
            "nothing that fits is wired to the import `{name}`, although `{exporter}` exports `{}`",
            offer.name
        ),
        wanted_by: importer.clone(),
        wanted: Some(shown(walk, part, name, item)),
        offered_by: Some(exporter.clone()),
        offered: None,
        change: importer.clone(),
        edit: format!("wire the import `{name}` of `{importer}` to `{}` of `{exporter}`", offer.name),
        candidate: Some(offer.name.to_owned()),
        notes: Vec::new(),
    });
}

pub(super) fn given(walk: &Walk<'_>, offer: Offer<'_>, rest: &[String]) -> Option<(usize, ResourceId)> {
    resource_at(walk.parts[offer.part].shape, offer.item, rest).map(|id| (offer.part, id))
}

/// The side that is behind: that of the lower version. With equal versions it is the one that offers.
fn older(wanted: &str, offered: &str) -> Change {
    let version = |name| InterfaceName::parse(name).and_then(|name| name.version);
    if version(offered) > version(wanted) && version(wanted).is_some() {
        Change::Wanted
    } else {
        Change::Offered
    }
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
    for mismatch in &mut walk.found[from..] {
        mismatch.notes.push(format!("`{wanted}` is wanted and `{offered}` offered: {promise}"));
    }
}

/// An import of the socket that no plug offers anything for.
fn open(walk: &mut Walk<'_>, offers: &Offers<'_>, wanted: (usize, &str, &Item)) -> Done {
    let (part, name, item) = wanted;
    walk.spend(offers.all.len())?;
    // What another import takes was not meant for this one.
    let imports = &walk.parts[part].shape.root().imports;
    let free: Vec<Offer<'_>> = offers
        .all
        .iter()
        .filter(|offer| offer.part != part && kind_of(offer.item) == kind_of(item))
        .filter(|offer| find(imports, offer.name).is_none())
        .copied()
        .collect();
    if near(walk, wanted, &free, Change::Offered)? {
        return Ok(());
    }
    let socket = walk.name(part);
    let what = thing(item);
    walk.found.push(Mismatch {
        class: Class::Unwired,
        path: vec![plain_name(name)],
        problem: format!("nothing that was given exports the {what} `{name}`"),
        wanted_by: socket.to_owned(),
        wanted: Some(shown(walk, part, name, item)),
        offered_by: None,
        offered: None,
        change: socket.to_owned(),
        edit: format!(
            "give a component that exports `{name}` as well, or leave the import to the host by name"
        ),
        candidate: None,
        notes: Vec::new(),
    });
    Ok(())
}

fn shown(walk: &Walk<'_>, part: usize, name: &str, item: &Item) -> Excerpt {
    let printed = item_at(walk.parts[part].shape, name, item, &[Step::Name]);
    Excerpt { text: printed.text, span: printed.span }
}

/// Notes what was probably meant by a name that is not offered, if anything was.
fn near(
    walk: &mut Walk<'_>,
    wanted: (usize, &str, &Item),
    free: &[Offer<'_>],
    change: Change,
) -> Result<bool, CheckError> {
    let (part, name, item) = wanted;
    let names: Vec<&str> = free.iter().map(|offer| offer.name).collect();
    let found = match nearest_interface(name, &names) {
        Some((other, near)) => free.iter().find(|offer| offer.name == other).map(|offer| (*offer, near)),
        None => namesake(walk, wanted, free)?.map(|offer| (offer, Near::Spelling)),
    };
    let Some((offer, near)) = found else { return moved(walk, wanted, change) };
    let change = if near == Near::Version { same_direction(older(name, offer.name), change) } else { change };
    let at = At::items(vec![plain_name(name)], wanted, (offer.part, offer.name, offer.item), change);
    let besides = walk.attempt(&at, item, offer.item)?;
    let what = thing(item);
    let problem = format!("the {what} `{name}` is not offered, but {}: `{}`", nearness(near), offer.name);
    let (class, edit) = if near == Near::Version {
        let (behind, target) = if change == Change::Wanted { (part, offer.name) } else { (offer.part, name) };
        (Class::VersionIncompatible, format!("build `{}` against `{target}`", walk.name(behind)))
    } else {
        (Class::NameNearMiss, walk.rename(&at, name, offer.name))
    };
    walk.note(&at, class, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)?;
    walk.candidate(offer.name.to_owned(), &besides);
    Ok(true)
}

/// Against a world it is always the component that changes.
fn same_direction(older: Change, change: Change) -> Change {
    if change == Change::Wanted { change } else { older }
}

/// The interface that has another name altogether, and all that is wanted.
fn namesake<'a>(
    walk: &mut Walk<'_>,
    wanted: (usize, &str, &Item),
    free: &[Offer<'a>],
) -> Result<Option<Offer<'a>>, CheckError> {
    let Item::Interface(id) = wanted.2 else { return Ok(None) };
    if walk.parts[wanted.0].shape.interface(*id).items.is_empty() {
        return Ok(None);
    }
    for offer in free {
        let at = At::items(Vec::new(), wanted, (offer.part, offer.name, offer.item), Change::Offered);
        if walk.attempt(&at, wanted.2, offer.item)?.is_empty() {
            return Ok(Some(*offer));
        }
    }
    Ok(None)
}

/// A plain function that is imported, and exported within an interface.
fn moved(walk: &mut Walk<'_>, wanted: (usize, &str, &Item), change: Change) -> Result<bool, CheckError> {
    let (part, name, item) = wanted;
    let Item::Function(_) = item else { return Ok(false) };
    for other in 0..walk.parts.len() {
        if other == part {
            continue;
        }
        let Some((Some(place), found)) = walk.moved(other, name, item, name) else { continue };
        let at = At::items(vec![plain_name(name)], wanted, (other, name, found), change);
        let problem = format!("the function `{name}` is not offered by itself, but in `{place}`");
        let edit = format!(
            "wire the import `{name}` of `{}` to `{name}` in `{place}`, with a composition that says so",
            walk.name(part)
        );
        walk.note(&at, Class::NameNearMiss, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)?;
        walk.candidate(format!("{place}.{name}"), &[]);
        return Ok(true);
    }
    Ok(false)
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
    Ok(Report { mismatches: walk.found, wired, host: host.collect(), unused: Vec::new() })
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
            absent(walk, wanting, name, item);
        }
    }
    Ok(())
}

/// What the component imports and the world does not, or the other way round with exports.
fn absent(walk: &mut Walk<'_>, wanting: usize, name: &str, item: &Item) {
    let (component, world) = (walk.name(0), walk.name(1));
    let what = thing(item);
    let class =
        if matches!(item, Item::Function(_)) { Class::MissingFunction } else { Class::MissingInterface };
    let (problem, edit) = if wanting == 0 {
        (
            format!("it imports the {what} `{name}`, which the world does not"),
            format!("build `{component}` so that it does without `{name}`, or let the world import it"),
        )
    } else {
        (
            format!("it does not export the {what} `{name}`, which the world demands"),
            format!("in `{component}`, export `{name}`"),
        )
    };
    walk.found.push(Mismatch {
        class,
        path: vec![plain_name(name)],
        problem,
        wanted_by: walk.name(wanting).to_owned(),
        wanted: Some(shown(walk, wanting, name, item)),
        offered_by: Some(if wanting == 0 { world } else { component }.to_owned()),
        offered: None,
        change: component.to_owned(),
        edit,
        candidate: None,
        notes: Vec::new(),
    });
}
