//! Compares what was with what became of it: whether the one may stand for the other, and all reasons why not.
//!
//! Two questions are asked at once, each of which is that of [`world`](super::world): may a component of the old type
//! stand where the new one is expected, and the other way round? What differs is found once, and says which of the two it
//! rules out. The sides are walked in the order of the old one, types before functions, so that a type that differs
//! is found where it is defined.

use std::collections::HashMap;

use super::compare::{At, Change, SHOWN, Walk, kind_of, member_kind, thing};
use super::offers::Offers;
use super::pair::given;
use super::voice::Voice;
use super::{CheckError, Class, Excerpt, MISMATCHES, Mismatch, Part};
use crate::contain::contain;
use crate::shape::member::{plain_name, split};
use crate::shape::print::{self, Step};
use crate::shape::{Definition, InterfaceId, Item, Shape};

mod roots;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Found {
    /// Something is there that was not.
    Added,
    /// Something is no longer there.
    Removed,
    /// It is there under another name.
    Renamed,
    /// An interface is imported or exported in another version, which promises to fit.
    Version,
    /// Its type differs in this way.
    Type(Class),
}

/// One thing that differs.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) found: Found,
    /// Whether it is in what is imported.
    pub(crate) import: bool,
    /// The name of the import or export: the old one, or else the new one.
    pub(crate) root: String,
    /// From the import or export down to what differs.
    pub(crate) path: Vec<String>,
    pub(crate) said: String,
    pub(crate) old: Option<Excerpt>,
    pub(crate) new: Option<Excerpt>,
    /// A component of the old type may no longer stand where the new one is expected.
    pub(crate) old_is_out: bool,
    /// A component of the new type may not stand where the old one is expected.
    pub(crate) new_is_out: bool,
}

/// All that differs between two components, or worlds: of the old one first, then what is new. Only imports and exports of
/// which `of` is true are compared.
pub(crate) fn between(
    old: &Shape,
    new: &Shape,
    of: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Vec<Finding>, CheckError> {
    let parts = [Part { name: "old", shape: old }, Part { name: "new", shape: new }];
    contain(|| {
        let mut between = Between::new(&parts);
        between.side(true, of)?;
        between.side(false, of)?;
        Ok(between.findings)
    })?
}

const OLD: usize = 0;
const NEW: usize = 1;

/// Which of the two questions a difference answers with no. The first one asks whether the old may stand for the new.
type Asked = [bool; 2];

/// Something on both sides, under the same name or one that promises to fit.
struct Both<'b> {
    path: Vec<String>,
    old: (&'b str, &'b Item),
    new: (&'b str, &'b Item),
    asked: Asked,
}

struct Between<'a> {
    parts: &'a [Part<'a>; 2],
    /// One for each question: which resource is which depends on it.
    walks: [Walk<'a>; 2],
    import: bool,
    root: String,
    findings: Vec<Finding>,
    known: HashMap<(bool, Vec<String>, String), usize>,
}

impl<'a> Between<'a> {
    fn new(parts: &'a [Part<'a>; 2]) -> Self {
        let mut walks = [Walk::new(parts, None), Walk::new(parts, None)];
        for (question, walk) in walks.iter_mut().enumerate() {
            walk.voice = Voice::Change;
            // The first question: the old one is the component, the new one says what is expected.
            let (component, expected) = if question == 0 { (OLD, NEW) } else { (NEW, OLD) };
            let (mut imports, mut exports) = (Offers::default(), Offers::default());
            imports.add(expected, &parts[expected].shape.root().imports);
            exports.add(component, &parts[component].shape.root().exports);
            let asked = &parts[component].shape.root().asked;
            let made = &parts[expected].shape.root().made;
            for (from, resources, offers) in [(component, asked, &imports), (expected, made, &exports)] {
                for (resource, place) in resources {
                    let Some((name, rest)) = place.split_first() else { continue };
                    let stands = offers.find(from, name).and_then(|offer| given(walk, offer, rest));
                    walk.links.give((from, *resource), stands);
                }
            }
        }
        Between {
            parts,
            walks,
            import: false,
            root: String::new(),
            findings: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// The question that is answered with no where something is only on this side: of imports, the component wants what it
    /// has; of exports, what is expected is wanted.
    fn asked_for(&self, only: usize) -> Asked {
        let old_is_out = (only == OLD) == self.import;
        [old_is_out, !old_is_out]
    }

    fn pair(&mut self, both: &Both<'_>) -> Result<(), CheckError> {
        match (both.old.1, both.new.1) {
            (Item::Interface(old), Item::Interface(new)) => self.interface(both, *old, *new),
            (old, new) if is_whole(old) && kind_of(old) == kind_of(new) => self.whole(both),
            _ => self.types(both),
        }
    }

    /// Functions and value types: they are equal or they differ, whoever asks. Only resources may be equal for one question
    /// and differ for the other.
    fn types(&mut self, both: &Both<'_>) -> Result<(), CheckError> {
        for question in 0..2 {
            if !both.asked[question] {
                continue;
            }
            let at = At::items(
                both.path.clone(),
                (OLD, both.old.0, both.old.1),
                (NEW, both.new.0, both.new.1),
                Change::Offered,
            );
            let walk = &mut self.walks[question];
            walk.item(&at, both.old.1, both.new.1)?;
            for mismatch in std::mem::take(&mut walk.found) {
                let Mismatch { class, path, problem, wanted, offered, .. } = mismatch;
                let out = [question == 0, question == 1];
                self.note(Found::Type(class), path, problem, wanted, offered, out)?;
            }
        }
        Ok(())
    }

    /// Components, core modules and the like: whether one may stand for the other, without saying why not.
    fn whole(&mut self, both: &Both<'_>) -> Result<(), CheckError> {
        for question in 0..2 {
            if !both.asked[question] {
                continue;
            }
            let (old, new) = ((OLD, both.old.0, both.old.1), (NEW, both.new.0, both.new.1));
            // Of imports, the component wants what is expected of its surroundings; of exports it is the other way round.
            let old_wants = self.asked_for(OLD)[question];
            let (wanted, offered) = if old_wants { (old, new) } else { (new, old) };
            let at = At::items(both.path.clone(), wanted, offered, Change::Offered);
            if !self.walks[question].attempt(&at, wanted.2, offered.2)?.is_empty() {
                let said = format!("the type of the {} `{}` differs", thing(old.2), old.1);
                let (old, new) = (self.excerpt(OLD, old.1, old.2), self.excerpt(NEW, new.1, new.2));
                let out = [question == 0, question == 1];
                let path = both.path.clone();
                self.note(Found::Type(Class::TypeShape), path, said, Some(old), Some(new), out)?;
            }
        }
        Ok(())
    }

    fn interface(&mut self, both: &Both<'_>, old: InterfaceId, new: InterfaceId) -> Result<(), CheckError> {
        let (olds, news) = (self.parts[OLD].shape.interface(old), self.parts[NEW].shape.interface(new));
        let both_sides = olds.items.len().saturating_add(news.items.len());
        self.walks[0].spend(both_sides)?;
        let (there, before) = (by_name(&news.items), by_name(&olds.items));
        let inner = |name: &str| [both.path.as_slice(), &[plain_name(name)]].concat();
        // What belongs to a resource that is gone is gone with it.
        let orphan = |name: &str, own: &HashMap<&str, &Item>, other: &HashMap<&str, &Item>| {
            let resource = split(name).resource();
            resource.is_some_and(|resource| own.contains_key(resource) && !other.contains_key(resource))
        };
        let fresh: Vec<(&str, &Item)> =
            types_first(&news.items).filter(|(name, _)| !before.contains_key(name)).collect();
        let mut taken: Vec<&str> = Vec::new();
        let only = |asked: Asked, one: Asked| [asked[0] && one[0], asked[1] && one[1]];
        let (gone_out, fresh_out) =
            (only(both.asked, self.asked_for(OLD)), only(both.asked, self.asked_for(NEW)));
        for (name, item) in types_first(&olds.items) {
            if let Some(other) = there.get(name) {
                let (old, new) = ((name, item), (name, *other));
                self.pair(&Both { path: inner(name), old, new, asked: both.asked })?;
                continue;
            }
            if orphan(name, &before, &there) {
                continue;
            }
            let free: Vec<_> = fresh
                .iter()
                .filter(|(name, _)| !taken.contains(name) && !orphan(name, &there, &before))
                .copied()
                .collect();
            match self.walks[0].meant(name, item, &free) {
                Some((other, other_item)) => {
                    taken.push(other);
                    let (was, is) = (plain_name(name), plain_name(other));
                    let (found, said) = if was == is {
                        let said = Voice::Change.kinds(member_kind(name), member_kind(other));
                        (Found::Type(Class::Kind), said)
                    } else {
                        (Found::Renamed, format!("the {} `{was}` is called `{is}` now", thing(item)))
                    };
                    let (old, new) = (self.excerpt(OLD, name, item), self.excerpt(NEW, other, other_item));
                    let out = [gone_out[0] || fresh_out[0], gone_out[1] || fresh_out[1]];
                    self.note(found, inner(name), said, Some(old), Some(new), out)?;
                    let (old, new) = ((name, item), (other, other_item));
                    // Of a resource its functions say the rest; a function of another kind is another one anyway.
                    let same_kind = found == Found::Renamed;
                    if same_kind && !matches!(item, Item::Type(Definition::Resource(_))) {
                        self.pair(&Both { path: inner(name), old, new, asked: both.asked })?;
                    }
                }
                None => self.one_sided(OLD, inner(name), name, item, gone_out)?,
            }
        }
        for (name, item) in fresh {
            if !taken.contains(&name) && !orphan(name, &there, &before) {
                self.one_sided(NEW, inner(name), name, item, fresh_out)?;
            }
        }
        Ok(())
    }

    fn one_sided(
        &mut self,
        part: usize,
        path: Vec<String>,
        name: &str,
        item: &Item,
        out: Asked,
    ) -> Result<(), CheckError> {
        let excerpt = Some(self.excerpt(part, name, item));
        let (found, what, old, new) = if part == OLD {
            (Found::Removed, "is gone", excerpt, None)
        } else {
            (Found::Added, "is new", None, excerpt)
        };
        let said = format!("the {} `{}` {what}", thing(item), plain_name(name));
        self.note(found, path, said, old, new, out)
    }

    fn excerpt(&self, part: usize, name: &str, item: &Item) -> Excerpt {
        let shape = self.parts[part].shape;
        let printed = match item {
            Item::Interface(id) if shape.interface(*id).items.len() > SHOWN => {
                let text = format!("interface {name} {{ … }}");
                print::Printed { span: 10..10 + name.len(), text }
            }
            item => print::item_at(shape, name, item, &[Step::Name]),
        };
        Excerpt { text: printed.text, span: printed.span }
    }

    fn note(
        &mut self,
        found: Found,
        path: Vec<String>,
        said: String,
        old: Option<Excerpt>,
        new: Option<Excerpt>,
        [old_is_out, new_is_out]: Asked,
    ) -> Result<(), CheckError> {
        let next = self.findings.len();
        let known = *self.known.entry((self.import, path.clone(), said.clone())).or_insert(next);
        if let Some(finding) = self.findings.get_mut(known) {
            finding.old_is_out |= old_is_out;
            finding.new_is_out |= new_is_out;
            return Ok(());
        }
        if next >= MISMATCHES {
            return Err(CheckError::TooMany);
        }
        let (import, root) = (self.import, self.root.clone());
        self.findings.push(Finding { found, import, root, path, said, old, new, old_is_out, new_is_out });
        Ok(())
    }
}

fn by_name(items: &[(String, Item)]) -> HashMap<&str, &Item> {
    items.iter().map(|(name, item)| (name.as_str(), item)).collect()
}

fn types_first(items: &[(String, Item)]) -> impl Iterator<Item = (&str, &Item)> {
    let is_type = |item: &Item| matches!(item, Item::Type(_));
    let types = items.iter().filter(move |(_, item)| is_type(item));
    let others = items.iter().filter(move |(_, item)| !is_type(item));
    types.chain(others).map(|(name, item)| (name.as_str(), item))
}

/// What is compared without looking for the place of the difference.
fn is_whole(item: &Item) -> bool {
    match item {
        Item::Component(_) | Item::Module(_) => true,
        Item::Type(definition) => {
            matches!(definition, Definition::Interface(_) | Definition::Component(_))
        }
        _ => false,
    }
}
