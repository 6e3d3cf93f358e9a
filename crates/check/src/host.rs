//! What is left to the host: it gives one instance of each interface to all who import it, and resources of its own.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::claims::{Apart, Claims, HostPlace, Left, host_place};
use super::compare::Walk;
use super::findings::Done;
use super::identity::{Node, Setting};
use super::position::{At, Change, older};
use super::voice::Voice;
use super::{CheckError, Class, Mismatch, Part};
use contract::shape::member::plain_name;
use contract::shape::print::Step;
use contract::shape::{Definition, Item, Origin, mention};

/// Which resources the host gives.
#[derive(Default)]
pub(super) struct Resources {
    /// For each, who asks for it first.
    known: HashMap<HostPlace, Node>,
    /// Places of one resource, by what all parts say together: from each to another one, and at last to the one that stands
    /// for them all.
    same: HashMap<HostPlace, HostPlace>,
    /// How many places the one stands for, where they are several.
    sizes: HashMap<HostPlace, usize>,
}

impl Resources {
    /// Notes which resources are under several names in what a part leaves to the host: `left` tells what it does.
    pub(super) fn learn(&mut self, part: &Part<'_>, left: impl Fn(&str) -> bool) {
        for (import, item) in part.shape.root().imports.iter().filter(|(import, _)| left(import)) {
            let Item::Interface(id) = item else { continue };
            for (name, item) in &part.shape.interface(*id).items {
                let Item::Type(Definition::Resource(handle)) = item else { continue };
                let Origin::Asked(place) = &part.shape.resource(handle.resource).origin else { continue };
                let Some((from, rest)) = place.split_first().filter(|(from, _)| left(from)) else { continue };
                self.unite(host_place(import, std::slice::from_ref(name)), host_place(from, rest));
            }
        }
    }

    /// Two places are those of one resource. The smaller set of places joins the larger one, so that no way is long.
    fn unite(&mut self, one: HostPlace, other: HostPlace) {
        let (one, other) = (self.place(one), self.place(other));
        if one == other {
            return;
        }
        let size = |place: &HostPlace| self.sizes.get(place).copied().unwrap_or(1);
        let all = size(&one) + size(&other);
        let (joins, stands) = if size(&one) > size(&other) { (other, one) } else { (one, other) };
        self.sizes.insert(stands.clone(), all);
        self.same.insert(joins, stands);
    }

    /// The place that stands for all those of the resource.
    fn place(&self, mut place: HostPlace) -> HostPlace {
        while let Some(other) = self.same.get(&place) {
            place.clone_from(other);
        }
        place
    }

    /// The resource of the host that is asked for: this one, if nobody asked before.
    pub(super) fn ask(&mut self, import: &str, rest: &[String], node: Node) -> Node {
        *self.known.entry(self.place(host_place(import, rest))).or_insert(node)
    }

    fn get(&self, import: &str, rest: &[String]) -> Option<Node> {
        self.known.get(&self.place(host_place(import, rest))).copied()
    }
}

/// What parts want of the host, by what they want it under.
#[derive(Default)]
pub(super) struct Host<'a> {
    /// By the track of the import, and the name within it, if it is an interface: who wants it first.
    wanted: HashMap<(String, Option<&'a str>), Left<'a>>,
    /// By part, its names for resources of the host.
    claims: BTreeMap<usize, Claims<'a>>,
}

impl<'a> Host<'a> {
    /// An import that is left to the host: it takes no resources of parts, and is the same for all.
    pub(super) fn left(
        &mut self,
        walk: &mut Walk<'a>,
        hosts: &Resources,
        left: Left<'a>,
        asks: bool,
    ) -> Done {
        let (part, _, item) = left;
        // Mere names for resources of a part can be given by whoever has the resources.
        let told = if asks {
            strangers(walk, hosts, left)?
        } else {
            let mentioned = mention::resources(walk.parts[part].shape, item);
            mentioned.into_iter().any(|resource| maker(walk, hosts, (part, resource)).is_some())
        };
        if told {
            return Ok(());
        }
        self.claims.entry(part).or_default().add(walk.parts[part].shape, left);
        self.same_for_all(walk, left)
    }

    /// Notes each two parts that contradict each other about which resources of the host are one, and that no part serves with
    /// what it wants, unless something is noted between the two already.
    pub(super) fn contradictions(&self, walk: &mut Walk<'a>, hosts: &Resources) -> Done {
        let involved =
            |claims: &Claims<'_>| claims.unite() && claims.divide(|place| hosts.place(place.clone()));
        let involved: Vec<_> = self.claims.iter().filter(|(_, claims)| involved(claims)).collect();
        for (at, (one, claims)) in involved.iter().enumerate() {
            for (other, others) in &involved[..at] {
                walk.spend(claims.len() + others.len() + walk.findings.found.len())?;
                let Some(pairs) = claims.apart_in(others).zip(others.apart_in(claims)) else { continue };
                // What a third part wants may serve both.
                walk.spend(self.claims.len())?;
                let serves = |third: &Claims<'a>| {
                    [pairs.0, pairs.1].iter().all(|pair| third.hold(pair))
                        && [claims, others].iter().all(|claims| claims.apart_in(third).is_none())
                };
                let told = |found: &Mismatch| {
                    is_between(found, walk.findings.name(**one), walk.findings.name(**other))
                };
                if !self.claims.values().any(serves) && !walk.findings.found.iter().any(told) {
                    contradiction(walk, (**one, pairs.0), (**other, pairs.1))?;
                }
            }
        }
        Ok(())
    }

    /// Compares an import with what others want under the same name, item by item: each of them is one for all, and an
    /// instance may have more than somebody wants.
    pub(super) fn same_for_all(&mut self, walk: &mut Walk<'a>, left: Left<'a>) -> Done {
        let (part, import, item) = left;
        let track = host_place(import, &[]).0;
        let Item::Interface(id) = item else {
            return match self.wanted.entry((track, None)) {
                Entry::Vacant(first) => {
                    first.insert(left);
                    Ok(())
                }
                Entry::Occupied(first) => {
                    let (other, name, known) = *first.get();
                    let path = vec![plain_name(import)];
                    compare(walk, path, (import, left), (name, (other, name, known)))
                }
            };
        };
        for (name, inner) in &walk.parts[part].shape.interface(*id).items {
            match self.wanted.entry((track.clone(), Some(name))) {
                Entry::Vacant(first) => _ = first.insert((part, import, inner)),
                Entry::Occupied(first) => {
                    let (other, known, item) = *first.get();
                    let path = vec![plain_name(import), plain_name(name)];
                    compare(walk, path, (import, (part, name, inner)), (known, (other, name, item)))?;
                }
            }
        }
        Ok(())
    }
}

/// Compares what two parts want of one thing, each under the name of its import.
fn compare(
    walk: &mut Walk<'_>,
    path: Vec<String>,
    (import, one): (&str, Left<'_>),
    (known, other): (&str, Left<'_>),
) -> Done {
    if one.0 == other.0 {
        return Ok(());
    }
    let at = At::items(path, one, other, older(import, known));
    let voice = std::mem::replace(&mut walk.findings.voice, Voice::Both);
    let before = walk.findings.found.len();
    let result = either_way(walk, &at, one.2, other.2);
    walk.findings.voice = voice;
    let (one, other) = (walk.findings.name(one.0), walk.findings.name(other.0));
    let edit = one_version(walk, (one, other), import);
    for found in &mut walk.findings.found[before..] {
        found.edit.clone_from(&edit);
        found.notes.insert(
            0,
            if import == known {
                format!("both import `{import}`, and what is left to the host is one for all")
            } else {
                format!(
                    "`{one}` imports `{import}` and `{other}` `{known}`: versions that promise to fit, and what is left to the \
                     host is one for all"
                )
            },
        );
    }
    result
}

/// The edit that has two parts want the same of the host.
fn one_version(walk: &Walk<'_>, (one, other): (&str, &str), import: &str) -> String {
    let closed = match walk.setting {
        Setting::Bag => format!("close it for one of them (`--deny {one}={import}`)"),
        Setting::Plugs | Setting::Text => {
            "put something behind it for one of them, such as the stub that `composer deny` makes".to_owned()
        }
    };
    format!("build `{one}` and `{other}` against one version of `{import}`, or {closed}")
}

/// Whether this says already that two parts want different resources of the host.
fn is_between(found: &Mismatch, one: &str, other: &str) -> bool {
    let sides = [Some(found.wanted_by.as_str()), found.offered_by.as_deref()];
    found.shared
        && found.class == Class::ResourceIdentity
        && [one, other].iter().all(|name| sides.contains(&Some(name)))
}

/// Notes that each of two parts holds two resources of the host for one, which the other one keeps apart.
fn contradiction(
    walk: &mut Walk<'_>,
    (one, (first, second)): (usize, Apart<'_, '_>),
    (other, (third, fourth)): (usize, Apart<'_, '_>),
) -> Done {
    let (import, name) = (second.import, second.name);
    let at = At::items(
        vec![plain_name(import), plain_name(name)],
        (one, name, second.item),
        (other, fourth.name, fourth.item),
        Change::Offered,
    );
    let names = (walk.findings.name(one), walk.findings.name(other));
    let problem = format!(
        "`{}` holds {} for the same resource as {}, which `{}` keeps apart, and the other way round {} and {}",
        names.0,
        second.beside(second),
        first.beside(second),
        names.1,
        fourth.beside(second),
        third.beside(second)
    );
    let edit = one_version(walk, names, import);
    let voice = std::mem::replace(&mut walk.findings.voice, Voice::Both);
    let noted = walk.findings.note(
        &at,
        Class::ResourceIdentity,
        Some(&[Step::Name]),
        Some(&[Step::Name]),
        problem,
        edit,
    );
    walk.findings.voice = voice;
    noted?;
    walk.findings.add_notes([
            "what is left to the host is one for all: a host that gives what one of them wants does not give what the other \
             one wants"
                .to_owned(),
    ]);
    Ok(())
}

/// Of components and modules, one may do for both.
fn either_way(walk: &mut Walk<'_>, at: &At, one: &Item, other: &Item) -> Done {
    if let (Item::Component(_), Item::Component(_)) | (Item::Module(_), Item::Module(_)) = (one, other)
        && walk.attempt(&at.turned(), other, one)?.is_empty()
    {
        return Ok(());
    }
    walk.item(at, one, other)
}

/// The part that makes a resource which another part takes from an import, with the name of that import. None where the
/// resource is the host's.
fn maker<'a>(walk: &Walk<'a>, hosts: &Resources, (part, resource): Node) -> Option<(&'a str, usize)> {
    let Origin::Asked(place) = &walk.parts[part].shape.resource(resource).origin else { return None };
    let (from, rest) = place.split_first()?;
    let ground = walk.links.ground((part, resource))?;
    let own = hosts.get(from, rest) == Some(ground);
    // A resource of the host under another name is the host's too; which it is, is for the host to say.
    let made = matches!(walk.parts[ground.0].shape.resource(ground.1).origin, Origin::Made(_));
    (made && !own && !walk.open.contains(&ground)).then_some((from.as_str(), ground.0))
}

/// Whether an import that is left to the host takes resources that are not the host's: the interface that defines them is
/// wired to a part, and what the host gives knows its own alone. Says so of each such interface.
fn strangers(
    walk: &mut Walk<'_>,
    hosts: &Resources,
    (part, import, item): Left<'_>,
) -> Result<bool, CheckError> {
    let shape = walk.parts[part].shape;
    let mut told: Vec<&str> = Vec::new();
    for resource in mention::resources(shape, item) {
        walk.spend(1)?;
        let Some((from, maker)) = maker(walk, hosts, (part, resource)) else { continue };
        if told.contains(&from) {
            continue;
        }
        told.push(from);
        let (importer, maker) = (walk.findings.name(part).to_owned(), walk.findings.name(maker).to_owned());
        let name = &shape.resource(resource).name;
        let flag = match walk.setting {
            Setting::Plugs => format!(" (`--leave-open {from}`)"),
            Setting::Bag => format!(" (`--leave-open {importer}.{from}`)"),
            Setting::Text => String::new(),
        };
        let mismatch = Mismatch {
            class: Class::ResourceIdentity,
            path: vec![plain_name(import), name.clone()],
            problem: format!(
                "`{import}` is left to the host, but takes the resource `{name}` from `{from}`, which comes from `{maker}`: the \
                 host knows its own `{name}` alone"
            ),
            wanted_by: importer.clone(),
            wanted: Some(walk.findings.shown(part, import, item)),
            offered_by: None,
            offered: None,
            shared: false,
            change: importer.clone(),
            edit: format!(
                "give a part that exports `{import}` and takes `{name}` from `{maker}` too, or leave `{from}` to the host as \
                 well{flag}"
            ),
            candidate: None,
            notes: vec![format!("`{importer}` means: {}", walk.story().path((part, resource)))],
        };
        walk.findings.found.push(mismatch);
    }
    Ok(!told.is_empty())
}
