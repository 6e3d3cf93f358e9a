//! Compares what was with what became of it: whether the one may stand for the other, and all reasons why not.
//!
//! Two questions are asked at once, each of which is that of [`world`](super::world): may a component of the old type
//! stand where the new one is expected, and the other way round? What differs is found once, and says which of the two it
//! rules out. The sides are walked in the order of the old one, types before functions, so that a type that differs
//! is found where it is defined.

use std::collections::HashMap;

use super::ChangeClass as What;
use super::compare::Walk;
use super::findings::SHOWN;
use super::guesses::Guesses;
use super::kinds::{kind_of, member_kind, thing};
use super::offers::Offers;
use super::pair::given;
use super::position::{At, Change};
use super::voice::Voice;
use super::{CheckError, Class, Excerpt, MISMATCHES, Mismatch, Part};
use contract::contain::contain;
use contract::shape::member::plain_name;
use contract::shape::print::{self, Step};
use contract::shape::{Definition, InterfaceId, Item, Shape};

mod members;
mod roots;

use members::{Became, Pairing};

/// One thing that differs.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) what: What,
    /// Whether it is in what is imported.
    pub(crate) import: bool,
    /// The name of the import or export: the old one, or else the new one.
    pub(crate) root: String,
    /// From the import or export down to what differs.
    pub(crate) path: Vec<String>,
    pub(crate) said: String,
    pub(crate) old: Option<Excerpt>,
    pub(crate) new: Option<Excerpt>,
    /// Whom it rules out.
    pub(crate) out: Out,
}

/// Who is ruled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Out {
    /// A component of the old type may no longer stand where the new one is expected.
    pub(crate) old: bool,
    /// A component of the new type may not stand where the old one is expected.
    pub(crate) new: bool,
}

impl Out {
    const NEITHER: Out = Out { old: false, new: false };
    const BOTH: Out = Out { old: true, new: true };

    /// Only this one.
    fn only(part: usize) -> Self {
        Out { old: part == OLD, new: part == NEW }
    }

    fn has(self, part: usize) -> bool {
        if part == OLD { self.old } else { self.new }
    }

    fn and(self, other: Out) -> Self {
        Out { old: self.old && other.old, new: self.new && other.new }
    }

    fn or(self, other: Out) -> Self {
        Out { old: self.old || other.old, new: self.new || other.new }
    }
}

/// All that differs between two components, or worlds: of the old one first, then what is new. Only imports and exports of
/// which `of` is true are compared.
pub(crate) fn between(
    old: &Shape,
    new: &Shape,
    of: &(dyn Fn(&str) -> bool + Sync),
    guesses: &Guesses,
) -> Result<Vec<Finding>, CheckError> {
    let parts = [Part { name: "old", shape: old }, Part { name: "new", shape: new }];
    contain(|| {
        let mut between = Between::new(&parts, of, guesses);
        between.side(true)?;
        between.side(false)?;
        Ok(between.findings)
    })?
}

/// As [`between`], for each import and export by itself: what differs in a type that several of them use is found in each.
/// Calls for each that has findings, with its name.
pub(crate) fn between_each(
    old: &Shape,
    new: &Shape,
    of: &(dyn Fn(&str) -> bool + Sync),
    guesses: &Guesses,
    each: &mut (dyn FnMut(&str, &[Finding]) + Send),
) -> Result<(), CheckError> {
    let parts = [Part { name: "old", shape: old }, Part { name: "new", shape: new }];
    contain(|| {
        let mut between = Between { each: Some(each), ..Between::new(&parts, of, guesses) };
        between.side(true)?;
        between.side(false)
    })?
}

/// The sides, and the questions whether one of them is ruled out.
const OLD: usize = 0;
const NEW: usize = 1;

/// Something on both sides, under the same name or one that promises to fit.
struct Both<'b> {
    path: Vec<String>,
    old: (&'b str, &'b Item),
    new: (&'b str, &'b Item),
    /// Whom a difference between them may rule out.
    out: Out,
}

/// Takes the findings of an import or export, and its name.
type Each<'a> = dyn FnMut(&str, &[Finding]) + 'a;

struct Between<'a> {
    parts: &'a [Part<'a>; 2],
    /// Which imports and exports are compared.
    of: &'a dyn Fn(&str) -> bool,
    guesses: &'a Guesses,
    /// Where the findings of each import and export go, where these are compared one by one.
    each: Option<&'a mut Each<'a>>,
    /// One for each question: which resource is which depends on it. The first asks whether the old one is ruled out.
    walks: [Walk<'a>; 2],
    import: bool,
    root: String,
    findings: Vec<Finding>,
    known: HashMap<(bool, Vec<String>, String), usize>,
}

impl<'a> Between<'a> {
    fn new(parts: &'a [Part<'a>; 2], of: &'a dyn Fn(&str) -> bool, guesses: &'a Guesses) -> Self {
        let mut walks = [Walk::new(parts, None), Walk::new(parts, None)];
        for (question, walk) in walks.iter_mut().enumerate() {
            walk.findings.voice = Voice::Change;
            walk.guesses = guesses.clone();
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
                    // Where nobody says that its interface is gone, it is another resource than any that is there.
                    if stands.is_some() || of(name) {
                        walk.links.give((from, *resource), stands);
                    }
                }
            }
        }
        Between {
            parts,
            of,
            guesses,
            each: None,
            walks,
            import: false,
            root: String::new(),
            findings: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// Who is ruled out where something is only on this side: of imports, the component wants what it has; of exports, what
    /// is expected is wanted.
    fn without(&self, only: usize) -> Out {
        Out::only(if self.import { only } else { 1 - only })
    }

    /// Begins with an import or export.
    fn begin(&mut self, root: &str) {
        root.clone_into(&mut self.root);
        if self.each.is_some() {
            self.known.clear();
            self.walks.iter_mut().for_each(Walk::forget);
        }
    }

    /// Ends with it.
    fn end(&mut self) {
        if let Some(each) = &mut self.each
            && !self.findings.is_empty()
        {
            each(&self.root, &self.findings);
            self.findings.clear();
        }
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
        for question in [OLD, NEW].into_iter().filter(|part| both.out.has(*part)) {
            let at = At::items(
                both.path.clone(),
                (OLD, both.old.0, both.old.1),
                (NEW, both.new.0, both.new.1),
                Change::Offered,
            );
            let walk = &mut self.walks[question];
            walk.item(&at, both.old.1, both.new.1)?;
            for mismatch in std::mem::take(&mut walk.findings.found) {
                let Mismatch { class, path, problem, wanted, offered, .. } = mismatch;
                self.note(What::Type(class), path, problem, wanted, offered, Out::only(question))?;
            }
        }
        Ok(())
    }

    /// Components, core modules and the like: whether one may stand for the other, without saying why not.
    fn whole(&mut self, both: &Both<'_>) -> Result<(), CheckError> {
        for question in [OLD, NEW].into_iter().filter(|part| both.out.has(*part)) {
            let (old, new) = ((OLD, both.old.0, both.old.1), (NEW, both.new.0, both.new.1));
            // Of imports, the component wants what is expected of its surroundings; of exports it is the other way round.
            let old_wants = self.without(OLD).has(question);
            let (wanted, offered) = if old_wants { (old, new) } else { (new, old) };
            let at = At::items(both.path.clone(), wanted, offered, Change::Offered);
            if !self.walks[question].attempt(&at, wanted.2, offered.2)?.is_empty() {
                let said = format!("the type of the {} `{}` differs", thing(old.2), old.1);
                self.became(What::Type(Class::TypeShape), both, said, Out::only(question))?;
            }
        }
        Ok(())
    }

    fn interface(&mut self, both: &Both<'_>, old: InterfaceId, new: InterfaceId) -> Result<(), CheckError> {
        let (olds, news) = (self.parts[OLD].shape.interface(old), self.parts[NEW].shape.interface(new));
        self.walks[0].spend(olds.items.len().saturating_add(news.items.len()))?;
        let pairing = Pairing::of(&olds.items, &news.items, self.guesses);
        let inner = |name: &str| [both.path.as_slice(), &[plain_name(name)]].concat();
        let (gone, fresh) = (both.out.and(self.without(OLD)), both.out.and(self.without(NEW)));
        for (name, item) in types_first(&olds.items) {
            let old = (name, item);
            let both = |new| Both { path: inner(name), old, new, out: both.out };
            match pairing.became(name) {
                Became::Same(new) => self.pair(&both(new))?,
                Became::OtherKind(new) => {
                    let said = Voice::Change.kinds(member_kind(name), member_kind(new.0));
                    self.became(What::Type(Class::Kind), &both(new), said, gone.or(fresh))?;
                }
                Became::Renamed(new) => {
                    let (was, is) = (plain_name(name), plain_name(new.0));
                    let said = format!("the {} `{was}` is called `{is}` now", thing(item));
                    self.became(What::Renamed, &both(new), said, gone.or(fresh))?;
                    // Of a resource its functions say the rest, which are items of their own.
                    if !matches!(item, Item::Type(Definition::Resource(_))) {
                        self.pair(&both(new))?;
                    }
                }
                Became::Gone => self.member(OLD, inner(name), old, gone)?,
                Became::GoneWithResource => {}
            }
        }
        for (name, item) in types_first(&news.items).filter(|(name, _)| pairing.is_new(name)) {
            self.member(NEW, inner(name), (name, item), fresh)?;
        }
        Ok(())
    }

    /// One thing became another.
    fn became(&mut self, what: What, both: &Both<'_>, said: String, out: Out) -> Result<(), CheckError> {
        let old = self.excerpt(OLD, both.old.0, both.old.1);
        let new = self.excerpt(NEW, both.new.0, both.new.1);
        self.note(what, both.path.clone(), said, Some(old), Some(new), out)
    }

    /// Something that only one side has, in an interface that both have. Where only one of the two questions is asked, the
    /// other side may well have it, in another version of the interface: what rules nothing out there is no change.
    fn member(
        &mut self,
        part: usize,
        path: Vec<String>,
        item: (&str, &Item),
        out: Out,
    ) -> Result<(), CheckError> {
        if out == Out::NEITHER { Ok(()) } else { self.one_sided(part, path, item, out) }
    }

    fn one_sided(
        &mut self,
        part: usize,
        path: Vec<String>,
        (name, item): (&str, &Item),
        out: Out,
    ) -> Result<(), CheckError> {
        let excerpt = Some(self.excerpt(part, name, item));
        let (what, words, old, new) = if part == OLD {
            (What::Removed, "is gone", excerpt, None)
        } else {
            (What::Added, "is new", None, excerpt)
        };
        let said = format!("the {} `{}` {words}", thing(item), plain_name(name));
        self.note(what, path, said, old, new, out)
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
        what: What,
        path: Vec<String>,
        said: String,
        old: Option<Excerpt>,
        new: Option<Excerpt>,
        out: Out,
    ) -> Result<(), CheckError> {
        let next = self.findings.len();
        let known = *self.known.entry((self.import, path.clone(), said.clone())).or_insert(next);
        if let Some(finding) = self.findings.get_mut(known) {
            finding.out = finding.out.or(out);
            return Ok(());
        }
        if next >= MISMATCHES {
            return Err(CheckError::TooMany);
        }
        let (import, root) = (self.import, self.root.clone());
        self.findings.push(Finding { what, import, root, path, said, old, new, out });
        Ok(())
    }
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
