//! Which resource is which: follows each from where it is met to where it is made.

use std::collections::{HashMap, HashSet};

use super::Part;
use crate::shape::{Definition, Item, Origin, ResourceId, Shape};

/// A resource, as one of the parts knows it.
pub(super) type Node = (usize, ResourceId);

/// What stands behind the resources that parts ask for.
#[derive(Debug, Default, Clone)]
pub(super) struct Links {
    /// From what is asked for to what is given for it.
    given: HashMap<Node, Node>,
    /// Asked for where what is given has no such resource: that is reported where it is missing, and what follows from it
    /// is not.
    broken: HashSet<Node>,
}

impl Links {
    pub(super) fn give(&mut self, asked: Node, given: Option<Node>) {
        match given {
            Some(given) if given != asked => {
                self.given.insert(asked, given);
            }
            Some(_) => {}
            None => {
                self.broken.insert(asked);
            }
        }
    }

    /// From here to where it is made, or comes from outside. Wiring in a circle ends where it began.
    pub(super) fn trail(&self, from: Node) -> Vec<Node> {
        let mut trail = vec![from];
        while let Some(next) = trail.last().and_then(|last| self.given.get(last)) {
            if trail.contains(next) {
                break;
            }
            trail.push(*next);
        }
        trail
    }

    /// None where it is not known, because something is missing on the way.
    pub(super) fn ground(&self, from: Node) -> Option<Node> {
        let trail = self.trail(from);
        trail.last().copied().filter(|_| !trail.iter().any(|node| self.broken.contains(node)))
    }
}

/// The resource at a place within an item.
pub(super) fn resource_at(shape: &Shape, item: &Item, place: &[String]) -> Option<ResourceId> {
    match (item, place.split_first()) {
        (Item::Type(Definition::Resource(handle)), None) => Some(handle.resource),
        (Item::Interface(id), Some((name, rest))) => {
            resource_at(shape, shape.interface(*id).get(name)?, rest)
        }
        _ => None,
    }
}

/// How a resource came to a place, in words, and what to wire so that two become one.
pub(super) struct Story<'a> {
    pub(super) parts: &'a [Part<'a>],
    pub(super) links: &'a Links,
    /// The part whose imports nobody but the world or the host decides.
    pub(super) world: Option<usize>,
}

impl Story<'_> {
    /// One sentence: from where it is met back to where it is made.
    pub(super) fn path(&self, from: Node) -> String {
        let trail = self.links.trail(from);
        let mut words = Vec::new();
        for (index, &node) in trail.iter().enumerate() {
            let part = self.parts[node.0].name;
            let resource = self.parts[node.0].shape.resource(node.1);
            let (name, last) = (&resource.name, index + 1 == trail.len());
            words.push(match &resource.origin {
                Origin::Made(place) if Some(node.0) == self.world => {
                    format!("the world demands a `{name}` made by the component, exported as {}", at(place))
                }
                Origin::Made(place) => {
                    format!("`{part}` makes `{name}` itself, and exports it as {}", at(place))
                }
                Origin::Asked(place) if Some(node.0) == self.world => {
                    format!("the world imports `{name}` as {}", at(place))
                }
                Origin::Asked(place) if last => {
                    format!(
                        "`{part}` imports `{name}` as {}, and no part is wired to that: it is the host's",
                        at(place)
                    )
                }
                Origin::Asked(place) => {
                    let next = self.parts[trail[index + 1].0].name;
                    format!("`{part}` imports `{name}` as {}, which is wired to `{next}`", at(place))
                }
                Origin::Inner => {
                    format!("`{part}` has `{name}` within the type of something it imports or exports")
                }
            });
        }
        words.join("; ")
    }

    /// What to wire so that what is wanted and what is offered come from one instance.
    pub(super) fn cure(&self, wanted: Node, offered: Node) -> Option<String> {
        let end = |node: Node| self.links.trail(node).last().copied();
        let start = wanted;
        let (wanted, offered) = (end(wanted)?, end(offered)?);
        let name = |node: Node| self.parts[node.0].name;
        let origin = |node: Node| &self.parts[node.0].shape.resource(node.1).origin;
        let (Origin::Made(w) | Origin::Asked(w)) = origin(wanted) else { return None };
        let (Origin::Made(o) | Origin::Asked(o)) = origin(offered) else { return None };
        let (w_interface, o_interface) = (w.first()?, o.first()?);
        Some(match (origin(wanted), origin(offered)) {
            (Origin::Made(_), Origin::Asked(_)) if wanted.0 != offered.0 => format!(
                "wire the import `{o_interface}` of `{}` to the export `{w_interface}` of `{}`: then both have the same \
                 `{}`",
                name(offered),
                name(wanted),
                w.last()?
            ),
            (Origin::Asked(_), Origin::Made(_)) if wanted.0 != offered.0 => format!(
                "wire the import `{w_interface}` of `{}` to the export `{o_interface}` of `{}`: then both have the same \
                 `{}`",
                name(wanted),
                name(offered),
                o.last()?
            ),
            // Two instances of one component.
            (Origin::Made(_), Origin::Made(_))
                if wanted.0 != offered.0
                    && std::ptr::eq(self.parts[wanted.0].shape, self.parts[offered.0].shape) =>
            {
                format!("take both from one: {}", self.redirect(start, name(offered))?)
            }
            (Origin::Made(_), Origin::Made(_)) if wanted.0 != offered.0 => format!(
                "take both from one: {}, or build `{}` so that it imports `{w_interface}` instead of making its own `{}`, \
                 and wire that to `{}`",
                self.redirect(start, name(offered))?,
                name(offered),
                o.last()?,
                name(wanted)
            ),
            (Origin::Asked(_), Origin::Asked(_)) => format!(
                "wire the import `{w_interface}` of `{}` and the import `{o_interface}` of `{}` to one export",
                name(wanted),
                name(offered)
            ),
            _ => format!("`{}` has two resources where one is wanted: {} and {}", name(wanted), at(w), at(o)),
        })
    }

    /// The first wire on the way, drawn to another part.
    fn redirect(&self, from: Node, to: &str) -> Option<String> {
        let part = &self.parts[from.0];
        let (Origin::Asked(place) | Origin::Made(place)) = &part.shape.resource(from.1).origin else {
            return None;
        };
        Some(format!("wire the import `{}` of `{}` to `{to}` as well", place.first()?, part.name))
    }
}

fn at(place: &[String]) -> String {
    match place {
        [interface, rest @ ..] if !rest.is_empty() => format!("`{}` in `{interface}`", rest.join(".")),
        _ => format!("`{}`", place.join(".")),
    }
}
