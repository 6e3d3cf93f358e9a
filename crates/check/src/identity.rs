//! Which resource is which: follows each from where it is met to where it is made.

use std::collections::{HashMap, HashSet};

use super::Part;
use super::names::compatible;
use contract::shape::{Definition, Item, Origin, ResourceId, Shape, find};

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

/// Two resources that have to be one: the one that is wanted, and the one that is offered.
pub(super) type Pair = (Node, Node);

/// How callers decide what is wired to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// By giving a socket and plugs.
    Plugs,
    /// In a text.
    Text,
    /// By flags, for a bag.
    Bag,
}

/// A wire drawn to another part than now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Rewire {
    /// Who imports.
    part: usize,
    /// Under which name.
    import: String,
    /// The part that has to satisfy it.
    to: usize,
}

/// How a resource came to a place, in words, and what to wire so that two become one.
pub(super) struct Story<'a> {
    pub(super) parts: &'a [Part<'a>],
    pub(super) links: &'a Links,
    /// The part whose imports nobody but the world or the host decides.
    pub(super) world: Option<usize>,
    pub(super) setting: Setting,
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
        let both = (wanted, offered);
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
            (Origin::Made(_), Origin::Made(_)) if wanted.0 != offered.0 => {
                self.edit_for_one(both, self.rewires(both).first())?
            }
            (Origin::Asked(_), Origin::Asked(_)) => format!(
                "wire the import `{w_interface}` of `{}` and the import `{o_interface}` of `{}` to one export",
                name(wanted),
                name(offered)
            ),
            _ => format!("`{}` has two resources where one is wanted: {} and {}", name(wanted), at(w), at(o)),
        })
    }

    /// The wires that could be drawn to another part so that both come from one instance: that of who offers, where it takes
    /// the resource from elsewhere, and that of who wants it.
    pub(super) fn rewires(&self, (wanted, offered): Pair) -> Vec<Rewire> {
        let maker = |node: Node| self.links.trail(node).last().map(|end| end.0);
        let rewire = |from: Node, to: Node| {
            let to = maker(to)?;
            let Origin::Asked(place) = &self.parts[from.0].shape.resource(from.1).origin else { return None };
            let import = place.first()?;
            let rewire = Rewire { part: from.0, import: import.clone(), to };
            (from.0 != to && self.satisfies(&rewire).is_some()).then_some(rewire)
        };
        [rewire(offered, wanted), rewire(wanted, offered)].into_iter().flatten().collect()
    }

    /// Whether both are made by parts.
    pub(super) fn both_made(&self, (wanted, offered): Pair) -> bool {
        let made = |node: Node| {
            let end = self.links.trail(node).last().copied();
            end.is_some_and(|end| matches!(self.parts[end.0].shape.resource(end.1).origin, Origin::Made(_)))
        };
        made(wanted) && made(offered)
    }

    /// What stands behind the import once it is wired so.
    fn satisfies(&self, rewire: &Rewire) -> Option<&Item> {
        let exports = &self.parts[rewire.to].shape.root().exports;
        let compatible = || exports.iter().find(|(name, _)| compatible(name, &rewire.import));
        find(exports, &rewire.import).or_else(|| compatible().map(|(_, item)| item))
    }

    /// How many of these would be two, where one is needed, if this were wired so.
    pub(super) fn left(&self, rewire: &Rewire, pairs: &HashSet<Pair>) -> usize {
        let mut links = self.links.clone();
        let Some(item) = self.satisfies(rewire) else { return usize::MAX };
        for (resource, place) in &self.parts[rewire.part].shape.root().asked {
            if let Some((import, rest)) = place.split_first()
                && *import == rewire.import
            {
                let given = resource_at(self.parts[rewire.to].shape, item, rest);
                links.give((rewire.part, *resource), given.map(|given| (rewire.to, given)));
            }
        }
        let apart = |(wanted, offered): &&Pair| links.ground(*wanted) != links.ground(*offered);
        pairs.iter().filter(apart).count()
    }

    /// The edit that has both come from one instance: by this wire, and if who offers makes the resource itself, by not doing
    /// so. Both are made by parts.
    pub(super) fn edit_for_one(&self, (wanted, offered): Pair, rewire: Option<&Rewire>) -> Option<String> {
        let end = |node: Node| self.links.trail(node).last().copied();
        let (wanted, maker) = (end(wanted)?, end(offered)?);
        let wire = rewire.map(|rewire| format!("take both from one: {}", self.redirect(rewire)));
        let twins = std::ptr::eq(self.parts[wanted.0].shape, self.parts[maker.0].shape);
        if wire.is_some() && (twins || maker != offered) {
            return wire;
        }
        let origin = |node: Node| &self.parts[node.0].shape.resource(node.1).origin;
        let (Origin::Made(w), Origin::Made(o)) = (origin(wanted), origin(maker)) else { return None };
        let build = format!(
            "build `{}` so that it imports `{}` instead of making its own `{}`, and wire that to `{}`",
            self.parts[maker.0].name,
            w.first()?,
            o.last()?,
            self.parts[wanted.0].name
        );
        Some(wire.map_or_else(|| build.clone(), |wire| format!("{wire}, or {build}")))
    }

    fn redirect(&self, rewire: &Rewire) -> String {
        let (part, to) = (self.parts[rewire.part].name, self.parts[rewire.to].name);
        let import = &rewire.import;
        let flag = match self.setting {
            Setting::Bag => format!(" (`--wire {part}.{import}={to}`)"),
            Setting::Plugs | Setting::Text => String::new(),
        };
        format!("wire the import `{import}` of `{part}` to `{to}` as well{flag}")
    }
}

fn at(place: &[String]) -> String {
    match place {
        [interface, rest @ ..] if !rest.is_empty() => format!("`{}` in `{interface}`", rest.join(".")),
        _ => format!("`{}`", place.join(".")),
    }
}
