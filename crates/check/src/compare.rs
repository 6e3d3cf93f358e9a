//! Compares what is wanted with what is offered, all the way down, and notes everything that differs.

mod wording;

use std::collections::{HashMap, HashSet};

use super::guesses::Guesses;
use super::identity::{Links, Node, Pair, Setting, Story};
use super::names::{InterfaceName, bare, nearest, nearest_function};
use super::voice::Voice;
use super::{CheckError, Class, MISMATCHES, Mismatch, Part, STEPS};
use contract::shape::member::{plain_name, split};
use contract::shape::print::Step;
use contract::shape::{Definition, Handle, InterfaceId, Item, Origin, Shape, TypeId};

pub(super) use wording::{kind_of, member_kind, nearness, thing};

/// How much text the mismatches may show together, in bytes.
const LONGEST: usize = 32 << 20;
/// Interfaces of more items are not shown whole where something is missing in them.
pub(super) const SHOWN: usize = 40;

pub(super) type Done = Result<(), CheckError>;

/// What is noted of a name that is not the wanted one, where nothing else differs.
const FITS: &str = "apart from that, the two fit";

impl Mismatch {
    /// Whether only the name is another one.
    pub fn is_of_the_name_alone(&self) -> bool {
        self.candidate.is_some() && self.notes.iter().any(|note| note == FITS)
    }
}

/// One side of a comparison: what is shown of it, and where in that the comparison stands.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) part: usize,
    root: Root,
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Root {
    Item(String, Item),
    Type(TypeId),
}

/// The side that is asked to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Wanted,
    Offered,
}

/// The side that is behind: that of the lower version. With equal versions it is the one that offers.
pub(super) fn older(wanted: &str, offered: &str) -> Change {
    let version = |name| InterfaceName::parse(name).and_then(|name| name.version);
    if version(offered) > version(wanted) && version(wanted).is_some() {
        Change::Wanted
    } else {
        Change::Offered
    }
}

/// Where a comparison stands, on both sides.
#[derive(Debug, Clone)]
pub(super) struct At {
    pub(super) wanted: Side,
    pub(super) offered: Side,
    pub(super) path: Vec<String>,
    pub(super) change: Change,
}

impl At {
    /// Two items of the same import or export.
    pub(super) fn items(
        path: Vec<String>,
        wanted: (usize, &str, &Item),
        offered: (usize, &str, &Item),
        change: Change,
    ) -> Self {
        let side = |(part, name, item): (usize, &str, &Item)| Side {
            part,
            root: Root::Item(name.to_owned(), item.clone()),
            steps: Vec::new(),
        };
        At { wanted: side(wanted), offered: side(offered), path, change }
    }

    /// The same with its sides exchanged.
    pub(super) fn turned(&self) -> Self {
        At { wanted: self.offered.clone(), offered: self.wanted.clone(), ..self.clone() }
    }

    /// Items within these: they are shown by themselves from here on.
    fn within(&self, name: &str, shown: String, wanted: &Item, offered: &Item) -> Self {
        let path = [self.path.as_slice(), &[shown]].concat();
        At::items(path, (self.wanted.part, name, wanted), (self.offered.part, name, offered), self.change)
    }

    /// A part of what is shown.
    pub(super) fn step(&self, wanted: Step, offered: Step, name: Option<&str>) -> Self {
        let mut at = self.clone();
        at.wanted.steps.push(wanted);
        at.offered.steps.push(offered);
        at.path.extend(name.map(str::to_owned));
        at
    }
}

pub(super) struct Walk<'a> {
    pub(super) parts: &'a [Part<'a>],
    pub(super) links: Links,
    pub(super) world: Option<usize>,
    pub(super) found: Vec<Mismatch>,
    /// Resources of the socket that stand behind an import which nobody offers anything for.
    pub(super) open: HashSet<Node>,
    /// What the world offers is what it imports, while its imports are compared.
    pub(super) world_offers: bool,
    /// How what is found is put into words.
    pub(super) voice: Voice,
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
    printed: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(parts: &'a [Part<'a>], world: Option<usize>) -> Self {
        Walk {
            parts,
            links: Links::default(),
            world,
            found: Vec::new(),
            open: HashSet::new(),
            world_offers: false,
            voice: Voice::Fit,
            known: HashSet::new(),
            strangers: HashSet::new(),
            pairs: HashSet::new(),
            apart: Vec::new(),
            setting: Setting::Plugs,
            alone: false,
            guesses: Guesses::default(),
            steps: 0,
            printed: 0,
        }
    }

    pub(super) fn shape(&self, side: &Side) -> &'a Shape {
        self.parts[side.part].shape
    }

    pub(super) fn name(&self, part: usize) -> &'a str {
        self.parts[part].name
    }

    /// Begins anew with something else: what differs in types that were met before is found once more.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.strangers.clear();
        self.printed = 0;
    }

    /// Compares without keeping what is found: how a candidate would do.
    pub(super) fn attempt(
        &mut self,
        at: &At,
        wanted: &Item,
        offered: &Item,
    ) -> Result<Vec<Mismatch>, CheckError> {
        let kept = (std::mem::take(&mut self.found), std::mem::take(&mut self.known), self.strangers.clone());
        let alone = std::mem::replace(&mut self.alone, true);
        let result = self.item(at, wanted, offered);
        let found = std::mem::replace(&mut self.found, kept.0);
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
            (w, o) => self.kinds(at, kind_of(w), kind_of(o)),
        }
    }

    fn kinds(&mut self, at: &At, wanted: &str, offered: &str) -> Done {
        let problem = self.voice.kinds(wanted, offered);
        let edit = self.instead(at, "", wanted, offered);
        self.note(at, Class::Kind, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)
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
            (w, o) => self.kinds(at, kind_of(&Item::Type(w.clone())), kind_of(&Item::Type(o.clone()))),
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
        let what = thing(item);
        let Root::Item(interface, _) = &at.offered.root else { return Ok(()) };
        let (wanted_by, offered_by) = (self.name(at.wanted.part), self.name(at.offered.part));
        let mut here = at.clone();
        here.path.push(shown.clone());
        here.wanted.root = Root::Item(name.to_owned(), item.clone());
        if let Some((other, other_item)) = self.meant(name, item, extras) {
            here.offered.root = Root::Item(other.to_owned(), other_item.clone());
            let meant = plain_name(other);
            if meant == shown {
                return self.kinds(&here, member_kind(name), member_kind(other));
            }
            let problem = format!("the {what} `{shown}` is not offered, but `{meant}` is");
            let edit = self.rename(at, &shown, &meant);
            let mut besides = here.clone();
            besides.path.pop();
            let besides = self.attempt(&besides, item, other_item)?;
            self.note(&here, Class::NameNearMiss, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)?;
            self.candidate(meant, &besides);
            return Ok(());
        }
        if let Some((elsewhere, other_item)) = self.moved(at.offered.part, name, item, interface) {
            here.offered.root = Root::Item(name.to_owned(), other_item.clone());
            let place = elsewhere.map_or("outside any interface".to_owned(), |place| format!("in `{place}`"));
            let problem = format!("the {what} `{shown}` is not offered in `{interface}`, but {place}");
            let edit = match at.change {
                Change::Offered => format!("in `{offered_by}`, export `{shown}` in `{interface}`"),
                Change::Wanted => format!("in `{wanted_by}`, take `{shown}` from where it is: {place}"),
            };
            self.note(&here, Class::NameNearMiss, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)?;
            self.candidate(elsewhere.map_or(shown.clone(), |place| format!("{place}.{shown}")), &[]);
            return Ok(());
        }
        let class = match item {
            Item::Function(_) => Class::MissingFunction,
            Item::Interface(_) | Item::Component(_) | Item::Module(_) => Class::MissingInterface,
            Item::Type(_) | Item::Value(_) => Class::TypeShape,
        };
        let problem = format!("the {what} `{shown}` is not offered");
        let edit = match &at.wanted.root {
            // What is published is not changed: another version of it is taken.
            Root::Item(wanted, _) if wanted != interface && bare(wanted) == bare(interface) => {
                self.build_against(at, wanted, interface)
            }
            Root::Item(wanted, _) if at.change == Change::Wanted => {
                self.add(at, &format!("the {what} `{shown}`"), &format!("`{wanted}`"), true)
            }
            _ => self.add(at, &format!("the {what} `{shown}`"), &format!("`{interface}`"), true),
        };
        self.note(&here, class, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)
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

    /// Adds to the last mismatch what was probably meant, and what else would differ.
    pub(super) fn candidate(&mut self, candidate: String, besides: &[Mismatch]) {
        let Some(last) = self.found.last_mut() else { return };
        last.candidate = Some(candidate);
        let line = |found: &Mismatch| format!("{}: {}", found.path.join(" > "), found.problem);
        match besides {
            [] => last.notes.push(FITS.to_owned()),
            [only] => last.notes.push(format!("apart from that, one thing differs: {}", line(only))),
            many => {
                last.notes.push(format!("apart from that, {} things differ:", many.len()));
                last.notes.extend(many.iter().map(line));
            }
        }
    }

    /// Where a resource comes from, as the component says itself.
    fn maker(&self, (part, resource): Node) -> String {
        match &self.parts[part].shape.resource(resource).origin {
            Origin::Asked(place) if !place.is_empty() => format!("`{}`", place[0]),
            _ => "the component itself".to_owned(),
        }
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
        if !self.alone && self.voice == Voice::Fit {
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
        if self.voice == Voice::Change {
            let (was, is) = (self.maker(nodes.0), self.maker(nodes.1));
            let name = &wanted.name;
            let problem = if was == is {
                format!("the resource `{name}` is not the one that it was")
            } else {
                format!(
                    "the resource `{name}` is not the one that it was: it came from {was}, and comes from {is} now"
                )
            };
            return self.note(at, Class::ResourceIdentity, Some(&[]), Some(&[]), problem, String::new());
        }
        let story = self.story();
        let (w, o) = (self.name(at.wanted.part), self.name(at.offered.part));
        let notes = vec![
            format!("`{w}` means: {}", story.path(nodes.0)),
            format!("`{o}` means: {}", story.path(nodes.1)),
        ];
        let cure = story.cure(nodes.0, nodes.1);
        let problem = format!("the resource `{}` must be the same on both sides, and is not", wanted.name);
        let edit = cure.unwrap_or_else(|| format!("wire both to the instance that makes `{}`", wanted.name));
        self.note(at, Class::ResourceIdentity, Some(&[]), Some(&[]), problem, edit)?;
        if let Some(last) = self.found.last_mut() {
            last.notes.extend(notes);
        }
        if !self.alone && self.voice == Voice::Fit {
            self.apart.push((self.found.len() - 1, nodes));
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
        let before = self.found.len();
        work(self)?;
        if (w_named && o_named) || self.found.len() == before {
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

    /// Notes a mismatch. Steps lead from where the comparison stands to the differing token; None where one side has
    /// nothing to show.
    pub(super) fn note(
        &mut self,
        at: &At,
        class: Class,
        wanted: Option<&[Step]>,
        offered: Option<&[Step]>,
        problem: String,
        edit: String,
    ) -> Done {
        let wanted = wanted.map(|steps| self.excerpt(&at.wanted, steps));
        let offered = offered.map(|steps| self.excerpt(&at.offered, steps));
        self.printed +=
            [&wanted, &offered].into_iter().flatten().map(|excerpt| excerpt.text.len()).sum::<usize>();
        if self.printed > LONGEST || self.found.len() >= MISMATCHES {
            return Err(CheckError::TooMany);
        }
        let change = if at.change == Change::Wanted { at.wanted.part } else { at.offered.part };
        self.found.push(Mismatch {
            class,
            path: at.path.clone(),
            problem,
            wanted_by: self.name(at.wanted.part).to_owned(),
            wanted,
            offered_by: Some(self.name(at.offered.part).to_owned()),
            offered,
            shared: self.voice == Voice::Both,
            change: self.name(change).to_owned(),
            edit,
            candidate: None,
            notes: Vec::new(),
        });
        Ok(())
    }
}
