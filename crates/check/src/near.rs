//! What was probably meant, where a name leads nowhere.

use super::compare::Walk;
use super::findings::{Done, Findings};
use super::kinds::{kind_of, nearness, thing};
use super::names::{Near, compatible, nearest_interface, same_interface};
use super::offers::{Offer, Offers};
use super::position::{At, Change, older};
use super::{CheckError, Class, Export, Mismatch};
use contract::shape::Item;
use contract::shape::find;
use contract::shape::member::plain_name;
use contract::shape::print::Step;

/// An import that is wired to what its part does not export.
pub(super) fn dangling(
    walk: &mut Walk<'_>,
    offers: &Offers<'_>,
    wanted: (usize, &str, &Item),
    wire: &Export,
) -> Done {
    let (part, name, item) = wanted;
    let free: Vec<Offer<'_>> = offers.all.iter().filter(|offer| offer.part == wire.part).copied().collect();
    walk.spend(free.len())?;
    let same_kind: Vec<Offer<'_>> =
        free.iter().filter(|offer| kind_of(offer.item) == kind_of(item)).copied().collect();
    if let Some(offer) = same_kind.iter().find(|offer| compatible(name, offer.name)) {
        forgotten(&mut walk.findings, wanted, *offer);
        return Ok(());
    }
    if near(walk, wanted, &same_kind, Change::Wanted)? {
        return Ok(());
    }
    let (importer, exporter) =
        (walk.findings.name(part).to_owned(), walk.findings.name(wire.part).to_owned());
    let there = free.iter().map(|offer| offer.name).collect::<Vec<_>>().join("`, `");
    let export = wire.path.join(".");
    walk.findings.found.push(Mismatch {
        class: if matches!(item, Item::Function(_)) {
            Class::MissingFunction
        } else {
            Class::MissingInterface
        },
        path: vec![plain_name(name)],
        problem: format!("`{exporter}` does not export `{export}`, which is wired to it"),
        wanted_by: importer.clone(),
        wanted: Some(walk.findings.shown(part, name, item)),
        offered_by: Some(exporter.clone()),
        offered: None,
        shared: false,
        change: importer.clone(),
        edit: format!("wire the import `{name}` of `{importer}` to something that is there"),
        candidate: None,
        notes: vec![format!("`{exporter}` exports `{there}`")],
    });
    Ok(())
}

/// An import that nothing is wired to, although a part exports it.
pub(super) fn forgotten(findings: &mut Findings<'_>, wanted: (usize, &str, &Item), offer: Offer<'_>) {
    let (part, name, item) = wanted;
    let (importer, exporter) = (findings.name(part).to_owned(), findings.name(offer.part).to_owned());
    findings.found.push(Mismatch {
        class: Class::Unwired,
        path: vec![plain_name(name)],
        problem: format!(
            "nothing that fits is wired to the import `{name}`, although `{exporter}` exports `{}`",
            offer.name
        ),
        wanted_by: importer.clone(),
        wanted: Some(findings.shown(part, name, item)),
        offered_by: Some(exporter.clone()),
        offered: None,
        shared: false,
        change: importer.clone(),
        edit: format!("wire the import `{name}` of `{importer}` to `{}` of `{exporter}`", offer.name),
        candidate: Some(offer.name.to_owned()),
        notes: Vec::new(),
    });
}

/// Parts that need each other in a circle: each step is a part, its import, and the part that satisfies it.
pub(super) fn circle_of(findings: &mut Findings<'_>, steps: &[(usize, String, usize)]) {
    let Some((part, import, provider)) = steps.first() else { return };
    let name = |part: usize| findings.name(part).to_owned();
    let all: Vec<String> = steps.iter().map(|(part, ..)| format!("`{}`", findings.name(*part))).collect();
    let line = |(part, import, provider): &(usize, String, usize)| {
        format!("`{}` imports `{import}`, which `{}` exports", findings.name(*part), findings.name(*provider))
    };
    let flags: Vec<String> = steps.iter().map(|(_, import, _)| format!("`--leave-open {import}`")).collect();
    let item = find(&findings.parts[*part].shape.root().imports, import);
    let mismatch = Mismatch {
        class: Class::Cycle,
        path: vec![plain_name(import)],
        problem: format!("{} need each other, so none of them can be instantiated first", all.join(", ")),
        wanted_by: name(*part),
        wanted: item.map(|item| findings.shown(*part, import, item)),
        offered_by: Some(name(*provider)),
        offered: None,
        shared: false,
        change: name(*part),
        edit: format!(
            "cut it at one place: leave that import to the host ({}), or give a component from outside of the circle that \
             exports it",
            flags.join(" or ")
        ),
        candidate: None,
        notes: steps.iter().map(line).collect(),
    };
    findings.found.push(mismatch);
}

/// An import of a plug that only the socket exports: whatever uses the plug would have to come before it.
pub(super) fn back(findings: &mut Findings<'_>, (part, name, item): (usize, &str, &Item)) -> bool {
    let exports = &findings.parts[0].shape.root().exports;
    let Some((export, _)) = exports.iter().find(|(export, _)| part != 0 && compatible(name, export)) else {
        return false;
    };
    let (importer, socket) = (findings.name(part).to_owned(), findings.name(0).to_owned());
    let mismatch = Mismatch {
        class: Class::Cycle,
        path: vec![plain_name(name)],
        problem: format!(
            "only the socket exports `{export}`, and it needs `{importer}`: neither can be instantiated first"
        ),
        wanted_by: importer.clone(),
        wanted: Some(findings.shown(part, name, item)),
        offered_by: Some(socket.clone()),
        offered: None,
        shared: false,
        change: importer.clone(),
        edit: format!(
            "leave the import to the host (`--leave-open {name}`), or give another component that exports `{name}`"
        ),
        candidate: None,
        notes: Vec::new(),
    };
    findings.found.push(mismatch);
    true
}

/// An import of the socket that no plug offers anything for.
pub(super) fn open(walk: &mut Walk<'_>, offers: &Offers<'_>, wanted: (usize, &str, &Item)) -> Done {
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
    let socket = walk.findings.name(part);
    let what = thing(item);
    walk.findings.found.push(Mismatch {
        class: Class::Unwired,
        path: vec![plain_name(name)],
        problem: format!("nothing that was given exports the {what} `{name}`"),
        wanted_by: socket.to_owned(),
        wanted: Some(walk.findings.shown(part, name, item)),
        offered_by: None,
        offered: None,
        shared: false,
        change: socket.to_owned(),
        edit: format!(
            "give a component that exports `{name}` as well, or leave the import open, for the host"
        ),
        candidate: None,
        notes: Vec::new(),
    });
    Ok(())
}

/// Notes what was probably meant by a name that is not offered, if anything was.
pub(super) fn near(
    walk: &mut Walk<'_>,
    wanted: (usize, &str, &Item),
    free: &[Offer<'_>],
    change: Change,
) -> Result<bool, CheckError> {
    let (part, name, item) = wanted;
    let names: Vec<&str> = free.iter().map(|offer| offer.name).collect();
    let named = if walk.guesses.may_compare(std::iter::once(name), names.iter().copied()) {
        nearest_interface(name, &names)
    } else {
        same_interface(name, &names)
    };
    let found = match named {
        Some((other, near)) => free.iter().find(|offer| offer.name == other).map(|offer| (*offer, near)),
        None => namesake(walk, wanted, free)?.map(|offer| (offer, Near::Content)),
    };
    let Some((offer, near)) = found else { return moved(walk, wanted, change) };
    let change = if near == Near::Version { same_direction(older(name, offer.name), change) } else { change };
    let at = At::items(vec![plain_name(name)], wanted, (offer.part, offer.name, offer.item), change);
    let besides = walk.attempt(&at, item, offer.item)?;
    let what = thing(item);
    let problem = format!("the {what} `{name}` is not offered, but {}: `{}`", nearness(near), offer.name);
    let (class, edit) = if near == Near::Version {
        let (behind, target) = if change == Change::Wanted { (part, offer.name) } else { (offer.part, name) };
        (Class::VersionIncompatible, format!("build `{}` against `{target}`", walk.findings.name(behind)))
    } else {
        (Class::NameNearMiss, walk.findings.rename(&at, name, offer.name))
    };
    walk.findings.note(&at, class, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)?;
    walk.findings.candidate(offer.name.to_owned(), &besides);
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
    let shape = walk.parts[wanted.0].shape;
    // One function that takes nothing is no sign: many have such a one.
    let words = shape.interface(*id).items.iter().map(|(_, item)| match item {
        Item::Function(function) => 1 + shape.function(*function).params.len(),
        _ => 0,
    });
    if words.sum::<usize>() < 2 {
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
        let (importer, exporter) = (walk.findings.name(part), walk.findings.name(other));
        let edit = format!(
            "wire it in a text: `\"{name}\": INSTANCE[\"{place}\"][\"{name}\"]` among the arguments of `{importer}`, where \
             INSTANCE is that of `{exporter}`"
        );
        walk.findings.note(
            &at,
            Class::NameNearMiss,
            Some(&[Step::Name]),
            Some(&[Step::Name]),
            problem,
            edit,
        )?;
        walk.findings.candidate(format!("{place}.{name}"), &[]);
        return Ok(true);
    }
    Ok(false)
}

/// What the component imports and the world does not, or the other way round with exports.
pub(super) fn absent(findings: &mut Findings<'_>, wanting: usize, name: &str, item: &Item) {
    let (component, world) = (findings.name(0), findings.name(1));
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
    findings.found.push(Mismatch {
        class,
        path: vec![plain_name(name)],
        problem,
        wanted_by: findings.name(wanting).to_owned(),
        wanted: Some(findings.shown(wanting, name, item)),
        offered_by: Some(if wanting == 0 { world } else { component }.to_owned()),
        offered: None,
        shared: false,
        change: component.to_owned(),
        edit,
        candidate: None,
        notes: Vec::new(),
    });
}
