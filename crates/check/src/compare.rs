//! Compares what is wanted with what is offered, all the way down. What differs goes to [`Findings`].

use std::collections::{HashMap, HashSet};

use super::findings::{Done, Findings};
use super::guesses::Guesses;
use super::identity::{Links, Node, Pair, Setting, Story};
use super::kinds::{kind_of, member_kind};
use super::names::{nearest, nearest_function};
use super::position::{At, Root, Side};
use super::voice::Voice;
use super::{CheckError, Mismatch, Part, STEPS};
use contract::shape::member::{plain_name, split};
use contract::shape::print::Step;
use contract::shape::{Definition, Handle, InterfaceId, Item, Origin, Shape, TypeId};

/// Compares types. It knows which resource is which, and decides what differs; [`Findings`] has the words.
pub(super) struct Walk<'a> {
    pub(super) parts: &'a [Part<'a>],
    pub(super) links: Links,
    pub(super) world: Option<usize>,
    /// What differs, in words.
    pub(super) findings: Findings<'a>,
    /// Resources of the socket that stand behind an import which nobody offers anything for.
    pub(super) open: HashSet<Node>,
    /// What the world offers is what it imports, while its imports are compared.
    pub(super) world_offers: bool,
    /// Pairs of types in which there is nothing more to find.
    known: HashSet<(usize, TypeId, usize, TypeId)>,
    /// Pairs of resources that were found to differ, each with the part and its import or export where they did.
    strangers: HashSet<(Node, Node, usize, String)>,
    /// Pairs of resources that have to be one, whether they are or not.
    pub(super) pairs: HashSet<Pair>,
    /// Those that are not, each with the mismatch that says so.
    pub(super) apart: Vec<(usize, Pair)>,
    /// How what is wired is decided, for edits that say what to wire.
    pub(super) setting: Setting,
    /// Whether what is compared stands alone: a candidate, or the inside of a component. Nothing is learnt from it about the
    /// rest.
    alone: bool,
    /// For names that are not offered as they are spelt.
    pub(super) guesses: Guesses,
    steps: u32,
}

impl<'a> Walk<'a> {
    pub(super) fn new(parts: &'a [Part<'a>], world: Option<usize>) -> Self {
        Walk {
            parts,
            links: Links::default(),
            world,
            findings: Findings::new(parts, world),
            open: HashSet::new(),
            world_offers: false,
            known: HashSet::new(),
            strangers: HashSet::new(),
            pairs: HashSet::new(),
            apart: Vec::new(),
            setting: Setting::Plugs,
            alone: false,
            guesses: Guesses::default(),
            steps: 0,
        }
    }

    pub(super) fn shape(&self, side: &Side) -> &'a Shape {
        self.parts[side.part].shape
    }

    /// Begins anew with something else: what differs in types that were met before is found once more.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.strangers.clear();
        self.findings.forget();
    }

    /// Compares without keeping what is found: how a candidate would do.
    pub(super) fn attempt(
        &mut self,
        at: &At,
        wanted: &Item,
        offered: &Item,
    ) -> Result<Vec<Mismatch>, CheckError> {
        let kept = (
            std::mem::take(&mut self.findings.found),
            std::mem::take(&mut self.known),
            self.strangers.clone(),
        );
        let alone = std::mem::replace(&mut self.alone, true);
        let result = self.item(at, wanted, offered);
        let found = std::mem::replace(&mut self.findings.found, kept.0);
        (self.known, self.strangers, self.alone) = (kept.1, kept.2, alone);
        result.map(|()| found)
    }

    pub(super) fn item(&mut self, at: &At, wanted: &Item, offered: &Item) -> Done {
        self.spend(1)?;
        match (wanted, offered) {
            (Item::Function(w), Item::Function(o)) => self.function(at, *w, *o),
            (Item::Interface(w), Item::Interface(o)) => self.interface(at, *w, *o),
            (Item::Type(w), Item::Type(o)) => self.definition(at, w, o),
            (Item::Value(w), Item::Value(o)) => self.value(&at.step(Step::Value, Step::Value, None), *w, *o),
            (Item::Component(w), Item::Component(o)) => self.component(at, *w, *o),
            (Item::Module(w), Item::Module(o)) => self.module(at, *w, *o),
            (w, o) => self.findings.kinds(at, kind_of(w), kind_of(o)),
        }
    }

    fn definition(&mut self, at: &At, wanted: &Definition, offered: &Definition) -> Done {
        match (wanted, offered) {
            (Definition::Value(w), Definition::Value(o)) => {
                let mut at = at.clone();
                at.wanted.root = Root::Type(*w);
                at.offered.root = Root::Type(*o);
                self.defined(&at, *w, *o)
            }
            (Definition::Resource(w), Definition::Resource(o)) => {
                self.handle(&at.step(Step::Name, Step::Name, None), w, o)
            }
            (Definition::Function(w), Definition::Function(o)) => self.function(at, *w, *o),
            (Definition::Interface(w), Definition::Interface(o)) => self.interface(at, *w, *o),
            (Definition::Component(w), Definition::Component(o)) => self.component(at, *w, *o),
            (w, o) => {
                self.findings.kinds(at, kind_of(&Item::Type(w.clone())), kind_of(&Item::Type(o.clone())))
            }
        }
    }

    /// All that is wanted of an instance must be offered; more may be.
    fn interface(&mut self, at: &At, wanted: InterfaceId, offered: InterfaceId) -> Done {
        let (w, o) = (self.shape(&at.wanted).interface(wanted), self.shape(&at.offered).interface(offered));
        let there: HashMap<&str, &Item> = o.items.iter().map(|(name, item)| (name.as_str(), item)).collect();
        let known: HashSet<&str> = w.items.iter().map(|(name, _)| name.as_str()).collect();
        let extras: Vec<(&str, &Item)> = o
            .items
            .iter()
            .map(|(name, item)| (name.as_str(), item))
            .filter(|(name, _)| !known.contains(name))
            .collect();
        for (name, item) in &w.items {
            self.spend(1)?;
            match there.get(name.as_str()) {
                Some(other) => self.item(&at.within(name, plain_name(name), item, other), item, other)?,
                None => {
                    let orphan = split(name)
                        .resource()
                        .is_some_and(|resource| known.contains(resource) && !there.contains_key(resource));
                    // Without the resource its functions cannot be there: one finding says it all.
                    if !orphan {
                        self.spend(extras.len())?;
                        self.missing(at, name, item, &extras)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Something that is wanted of an instance is not offered under this name.
    fn missing(&mut self, at: &At, name: &str, item: &Item, extras: &[(&str, &Item)]) -> Done {
        let shown = plain_name(name);
        let Root::Item(interface, _) = &at.offered.root else { return Ok(()) };
        let mut here = at.clone();
        here.path.push(shown.clone());
        here.wanted.root = Root::Item(name.to_owned(), item.clone());
        if let Some((other, other_item)) = self.meant(name, item, extras) {
            here.offered.root = Root::Item(other.to_owned(), other_item.clone());
            let meant = plain_name(other);
            if meant == shown {
                return self.findings.kinds(&here, member_kind(name), member_kind(other));
            }
            let mut besides = here.clone();
            besides.path.pop();
            let besides = self.attempt(&besides, item, other_item)?;
            return self.findings.called_otherwise(at, &here, item, &shown, meant, &besides);
        }
        if let Some((elsewhere, other_item)) = self.moved(at.offered.part, name, item, interface) {
            here.offered.root = Root::Item(name.to_owned(), other_item.clone());
            return self.findings.elsewhere(&here, item, &shown, interface, elsewhere);
        }
        self.findings.missing(at, &here, item, &shown, interface)
    }

    /// What was probably meant, among what is offered without being wanted.
    fn meant<'i>(
        &self,
        name: &str,
        item: &Item,
        extras: &[(&'i str, &'i Item)],
    ) -> Option<(&'i str, &'i Item)> {
        let alike: Vec<_> =
            extras.iter().filter(|(_, other)| kind_of(other) == kind_of(item)).copied().collect();
        if let Some(found) = alike.iter().find(|(other, _)| plain_name(other) == plain_name(name)) {
            return Some(*found);
        }
        let names = alike.iter().map(|(other, _)| *other);
        if !self.guesses.may_compare(std::iter::once(name), names.clone()) {
            return None;
        }
        let found = match item {
            Item::Function(_) => nearest_function(name, names),
            _ => nearest(name, names),
        }?;
        alike.into_iter().find(|(other, _)| *other == found)
    }

    /// A function of this name somewhere else in what the part exports: the interface, None for the component itself.
    pub(super) fn moved(
        &self,
        part: usize,
        name: &str,
        item: &Item,
        except: &str,
    ) -> Option<(Option<&'a str>, &'a Item)> {
        let shape = self.parts[part].shape;
        // What a world offers to its components are its imports.
        let there = if Some(part) == self.world && self.world_offers {
            &shape.root().imports
        } else {
            &shape.root().exports
        };
        let same = |other: &Item| matches!((item, other), (Item::Function(_), Item::Function(_)));
        there.iter().filter(|(place, _)| place != except).find_map(|(place, other)| match other {
            Item::Interface(id) => {
                let found = shape.interface(*id).get(name).filter(|found| same(found))?;
                Some((Some(place.as_str()), found))
            }
            other => (place == name && same(other)).then_some((None, other)),
        })
    }

    /// Two mentions of resources.
    pub(super) fn handle(&mut self, at: &At, wanted: &Handle, offered: &Handle) -> Done {
        let nodes = ((at.wanted.part, wanted.resource), (at.offered.part, offered.resource));
        let grounds = (self.links.ground(nodes.0), self.links.ground(nodes.1));
        let (Some(w), Some(o)) = grounds else { return Ok(()) };
        // A resource of an import that is open is as unknown as one that is missing.
        if self.open.contains(&w) || self.open.contains(&o) {
            return Ok(());
        }
        if !self.alone && self.findings.voice == Voice::Fit {
            self.pairs.insert(nodes);
        }
        if w == o {
            return Ok(());
        }
        // Of one name, it is told once for each import, whose wire may be what is wrong. Under different names, each mention is
        // wrong by itself; and so is each name that is given to resources of different names.
        let place = at.path.first().cloned().unwrap_or_default();
        let names = matches!(at.wanted.root, Root::Item(_, Item::Type(_)));
        let alike = if names { self.are_namesakes(nodes) } else { wanted.name == offered.name };
        if !self.strangers.insert((w, o, at.wanted.part, place)) && alike {
            return Ok(());
        }
        if self.findings.voice == Voice::Change {
            return self.findings.another_resource(at, &wanted.name, nodes);
        }
        let story = self.story();
        let paths = (story.path(nodes.0), story.path(nodes.1));
        let cure = story.cure(nodes.0, nodes.1);
        self.findings.two_resources(at, &wanted.name, paths, cure)?;
        if !self.alone && self.findings.voice == Voice::Fit {
            self.apart.push((self.findings.found.len() - 1, nodes));
        }
        Ok(())
    }

    /// Whether both resources have one name where they are defined. Those without a definition in sight count as such.
    fn are_namesakes(&self, (wanted, offered): Pair) -> bool {
        let name = |(part, resource): Node| match &self.parts[part].shape.resource(resource).origin {
            Origin::Asked(place) | Origin::Made(place) => place.last(),
            Origin::Inner => None,
        };
        name(wanted).zip(name(offered)).is_none_or(|(wanted, offered)| wanted == offered)
    }

    pub(super) fn story(&self) -> Story<'_> {
        Story { parts: self.parts, links: &self.links, world: self.world, setting: self.setting }
    }

    /// Enters the definition of types that have names: from here on, the definition is shown.
    pub(super) fn enter(&self, at: &At, wanted: TypeId, offered: TypeId) -> At {
        let mut at = at.clone();
        let mut name = None;
        for (side, id) in [(&mut at.offered, offered), (&mut at.wanted, wanted)] {
            if let Some(named) = &self.parts[side.part].shape.type_def(id).name {
                side.root = Root::Type(id);
                side.steps = Vec::new();
                name = Some(named.name.clone());
            }
        }
        at.path.extend(name);
        at
    }

    /// Compares a pair of types unless there is nothing new to find. What differs between types with names is noted once,
    /// at their definitions; between others, wherever they are met. Other names of a type count as the type.
    pub(super) fn once(
        &mut self,
        at: &At,
        wanted: TypeId,
        offered: TypeId,
        work: impl FnOnce(&mut Self) -> Done,
    ) -> Done {
        let original = |side: &Side, id: TypeId| {
            let shape = self.parts[side.part].shape;
            let same_as = |id: &TypeId| shape.type_def(*id).name.as_ref().and_then(|named| named.same_as);
            let original = std::iter::successors(Some(id), same_as).last().unwrap_or(id);
            (original, shape.type_def(original).name.is_some())
        };
        let ((w, w_named), (o, o_named)) = (original(&at.wanted, wanted), original(&at.offered, offered));
        let pair = (at.wanted.part, w, at.offered.part, o);
        if self.known.contains(&pair) {
            return Ok(());
        }
        let before = self.findings.found.len();
        work(self)?;
        if (w_named && o_named) || self.findings.found.len() == before {
            self.known.insert(pair);
        }
        Ok(())
    }

    /// Works with links of its own, as inside of a component that is imported or exported as such.
    pub(super) fn apart(&mut self, work: impl FnOnce(&mut Self) -> Done) -> Done {
        let kept = (self.links.clone(), std::mem::take(&mut self.known), self.strangers.clone());
        let alone = std::mem::replace(&mut self.alone, true);
        let result = work(self);
        (self.links, self.known, self.strangers) = kept;
        self.alone = alone;
        result
    }

    pub(super) fn spend(&mut self, steps: usize) -> Done {
        self.steps = self.steps.saturating_add(u32::try_from(steps).unwrap_or(u32::MAX));
        if self.steps > STEPS { Err(CheckError::TooLarge) } else { Ok(()) }
    }
}
