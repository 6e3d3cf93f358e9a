//! What is left to the host: it gives one instance of each interface to all who import it, and resources of its own.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::compare::{At, Done, Walk};
use super::identity::{Node, Setting};
use super::names::track;
use super::near::shown;
use super::pair::older;
use super::voice::Voice;
use super::{CheckError, Class, Mismatch, Part};
use crate::shape::member::plain_name;
use crate::shape::{Definition, Item, Origin, Place, mention};

/// A place in what the host gives: an import, and the names in it. Versions on one track are one there.
type HostPlace = (String, Place);

/// How often a resource may be passed from name to name.
const MOST_NAMES: usize = 100;

fn host_place(import: &str, rest: &[String]) -> HostPlace {
    (track(import).unwrap_or_else(|| import.to_owned()), rest.to_vec())
}

/// Which resources the host gives.
#[derive(Default)]
pub(super) struct Resources {
    /// For each, who asks for it first.
    known: HashMap<HostPlace, Node>,
    /// Places where somebody says that there is the resource of another place.
    same: HashMap<HostPlace, HostPlace>,
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
                let (here, there) = (host_place(import, std::slice::from_ref(name)), host_place(from, rest));
                if here != there && self.place(there.clone()) != here {
                    self.same.entry(here).or_insert(there);
                }
            }
        }
    }

    /// Where a resource is by the names of all who know it.
    fn place(&self, mut place: HostPlace) -> HostPlace {
        for _ in 0..MOST_NAMES {
            match self.same.get(&place) {
                Some(other) => place.clone_from(other),
                None => break,
            }
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

/// An import that is left to the host: who has it, its name, and what it is.
pub(super) type Left<'a> = (usize, &'a str, &'a Item);

/// What parts want of the host, by what they want it under.
#[derive(Default)]
pub(super) struct Host<'a> {
    /// By the track of the import, and the name within it, if it is an interface: who wants it first.
    wanted: HashMap<(String, Option<&'a str>), Left<'a>>,
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
        if told { Ok(()) } else { self.same_for_all(walk, left) }
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
    let voice = std::mem::replace(&mut walk.voice, Voice::Both);
    let before = walk.found.len();
    let result = either_way(walk, &at, one.2, other.2);
    walk.voice = voice;
    let (one, other) = (walk.name(one.0), walk.name(other.0));
    let closed = match walk.setting {
        Setting::Bag => format!("close it for one of them (`--deny {one}={import}`)"),
        Setting::Plugs | Setting::Text => {
            "put something behind it for one of them, such as the stub that `composer deny` makes".to_owned()
        }
    };
    for found in &mut walk.found[before..] {
        found.edit = format!("build `{one}` and `{other}` against one version of `{import}`, or {closed}");
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
        let (importer, maker) = (walk.name(part).to_owned(), walk.name(maker).to_owned());
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
            wanted: Some(shown(walk, part, import, item)),
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
        walk.found.push(mismatch);
    }
    Ok(!told.is_empty())
}
