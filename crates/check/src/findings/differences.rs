//! What is said of each kind of difference.

use super::super::Class;
use super::super::identity::{Node, Pair};
use super::super::kinds::thing;
use super::super::names::bare;
use super::super::position::{At, Change, Root};
use super::{Done, Findings, Mismatch};
use contract::shape::print::{Step, reference};
use contract::shape::{CoreItem, Item, Kind, Origin, Primitive, Type, TypeId};

/// What is said of members that differ: of fields, cases, labels or parameters.
pub(crate) struct Members {
    pub(crate) class: Class,
    pub(crate) one: &'static str,
    pub(crate) many: &'static str,
}

impl Members {
    /// The list of them, within what is shown.
    fn list(&self) -> Step {
        if self.class == Class::ParameterName { Step::Params } else { Step::Body }
    }
}

/// Items, and their names.
impl Findings<'_> {
    /// Two sorts of things.
    pub(crate) fn kinds(&mut self, at: &At, wanted: &str, offered: &str) -> Done {
        let problem = self.voice.kinds(wanted, offered);
        let edit = self.instead(at, "", wanted, offered);
        self.note(at, Class::Kind, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)
    }

    /// An item of an instance is offered under another name. `at` is the instance, `here` the item, `besides` what else
    /// differs.
    pub(crate) fn called_otherwise(
        &mut self,
        at: &At,
        here: &At,
        item: &Item,
        shown: &str,
        meant: String,
        besides: &[Mismatch],
    ) -> Done {
        let problem = format!("the {} `{shown}` is not offered, but `{meant}` is", thing(item));
        let edit = self.rename(at, shown, &meant);
        self.note(here, Class::NameNearMiss, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)?;
        self.candidate(meant, besides);
        Ok(())
    }

    /// An item of an instance is offered elsewhere: in another interface, or outside of any.
    pub(crate) fn elsewhere(
        &mut self,
        here: &At,
        item: &Item,
        shown: &str,
        interface: &str,
        elsewhere: Option<&str>,
    ) -> Done {
        let place = elsewhere.map_or("outside any interface".to_owned(), |place| format!("in `{place}`"));
        let problem = format!("the {} `{shown}` is not offered in `{interface}`, but {place}", thing(item));
        let edit = match here.change {
            Change::Offered => {
                format!("in `{}`, export `{shown}` in `{interface}`", self.name(here.offered.part))
            }
            Change::Wanted => {
                format!("in `{}`, take `{shown}` from where it is: {place}", self.name(here.wanted.part))
            }
        };
        self.note(here, Class::NameNearMiss, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)?;
        self.candidate(elsewhere.map_or(shown.to_owned(), |place| format!("{place}.{shown}")), &[]);
        Ok(())
    }

    /// An item of an instance is not offered at all.
    pub(crate) fn missing(&mut self, at: &At, here: &At, item: &Item, shown: &str, interface: &str) -> Done {
        let what = thing(item);
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
        self.note(here, class, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)
    }
}

/// Resources.
impl Findings<'_> {
    /// A resource that is not the one that it was.
    pub(crate) fn another_resource(&mut self, at: &At, name: &str, (was, is): Pair) -> Done {
        let (was, is) = (self.maker(was), self.maker(is));
        let problem = if was == is {
            format!("the resource `{name}` is not the one that it was")
        } else {
            format!(
                "the resource `{name}` is not the one that it was: it came from {was}, and comes from {is} now"
            )
        };
        self.note(at, Class::ResourceIdentity, Some(&[]), Some(&[]), problem, String::new())
    }

    /// Two resources that must be one. `paths` say how each came here, `cure` how to make them one.
    pub(crate) fn two_resources(
        &mut self,
        at: &At,
        name: &str,
        paths: (String, String),
        cure: Option<String>,
    ) -> Done {
        let problem = format!("the resource `{name}` must be the same on both sides, and is not");
        let edit = cure.unwrap_or_else(|| format!("wire both to the instance that makes `{name}`"));
        self.note(at, Class::ResourceIdentity, Some(&[]), Some(&[]), problem, edit)?;
        let (w, o) = (self.name(at.wanted.part), self.name(at.offered.part));
        self.add_notes([format!("`{w}` means: {}", paths.0), format!("`{o}` means: {}", paths.1)]);
        Ok(())
    }

    /// Where a resource comes from, as the component says itself.
    fn maker(&self, (part, resource): Node) -> String {
        match &self.parts[part].shape.resource(resource).origin {
            Origin::Asked(place) if !place.is_empty() => format!("`{}`", place[0]),
            _ => "the component itself".to_owned(),
        }
    }
}

/// Functions and value types.
impl Findings<'_> {
    /// A function that is `async` on one side only.
    pub(crate) fn asynchronous(&mut self, at: &At, wanted: bool) -> Done {
        let words = |is_async: bool| if is_async { "`async`" } else { "synchronous" };
        let problem = self.voice.asynchronous(wanted);
        let edit = self.instead(at, "", words(wanted), words(!wanted));
        self.note(at, Class::Async, Some(&[Step::Async]), Some(&[Step::Async]), problem, edit)
    }

    /// A type that is there on one side only.
    pub(crate) fn presence(&mut self, at: &At, class: Class, wanted: bool, what: &str) -> Done {
        let problem = self.voice.presence(what, wanted);
        let (w, o) = self.tokens(at);
        let token = if wanted { w } else { o };
        let place = format!("`{}`", at.path[..at.path.len() - 1].last().map_or("it", String::as_str));
        let edit = self.add(at, &format!("{what} of type `{token}`"), &place, wanted);
        self.note(at, class, Some(&[]), Some(&[]), problem, edit)
    }

    /// Members that come in another order.
    pub(crate) fn reordered(
        &mut self,
        at: &At,
        members: &Members,
        wanted: &[String],
        offered: &[String],
    ) -> Done {
        let (many, list) = (members.many, members.list());
        let problem = format!("the {many} come in another order");
        let order = |names: &[String]| format!("`{}`", names.join("`, `"));
        let edit = self.instead(at, &format!("put the {many} in order:"), &order(wanted), &order(offered));
        self.note(at, members.class, Some(&[list]), Some(&[list]), problem, edit)
    }

    /// A member that has another name. `label` is the name, within what is at `at`.
    pub(crate) fn renamed(
        &mut self,
        at: &At,
        label: &At,
        members: &Members,
        wanted: &str,
        offered: &str,
    ) -> Done {
        let problem = self.voice.renamed(members.one, wanted, offered);
        let edit = self.rename(at, wanted, offered);
        self.note(label, members.class, Some(&[]), Some(&[]), problem, edit)
    }

    /// A member that only one side has: its number there, and its name.
    pub(crate) fn member(
        &mut self,
        at: &At,
        members: &Members,
        (index, name): (usize, &str),
        wanted: bool,
    ) -> Done {
        let one = members.one;
        let class = if members.class == Class::ParameterName { Class::ParameterCount } else { members.class };
        let place = at.path.last().cloned().unwrap_or_default();
        let mut here = at.clone();
        here.path.push(name.to_owned());
        let (label, list) = ([Step::Label(index)], [members.list()]);
        let (w, o) = if wanted { (&label, &list) } else { (&list, &label) };
        let problem = self.voice.member(one, name, wanted);
        let edit = self.add(at, &format!("the {one} `{name}`"), &format!("`{place}`"), wanted);
        self.note(&here, class, Some(w), Some(o), problem, edit)
    }

    /// Two types of which nothing is alike, where they are mentioned.
    pub(crate) fn unlike(&mut self, at: &At, wanted: Type, offered: Type) -> Done {
        let sides = [(at.wanted.part, wanted), (at.offered.part, offered)];
        let [w, o] = sides.map(|(part, ty)| reference(self.parts[part].shape, ty));
        let problem = self.voice.differ(&format!("`{w}`"), &format!("`{o}`"));
        let edit = self.instead(at, "", &format!("`{w}`"), &format!("`{o}`"));
        self.note(at, Class::TypeShape, Some(&[]), Some(&[]), problem, edit)?;
        for ((part, ty), name) in sides.into_iter().zip([w, o]) {
            let Type::Defined(id) = ty else { continue };
            let defined = self.parts[part].shape.type_def(id);
            if defined.name.is_some() {
                self.add_notes([format!("`{name}` is {}", word(&defined.kind))]);
            }
        }
        Ok(())
    }

    /// Definitions under one name, of different sorts.
    pub(crate) fn differ(&mut self, at: &At, wanted: TypeId, offered: TypeId) -> Done {
        let w = word(&self.parts[at.wanted.part].shape.type_def(wanted).kind);
        let o = word(&self.parts[at.offered.part].shape.type_def(offered).kind);
        let problem = self.voice.differ(&w, &o);
        let edit = self.instead(at, "", &w, &o);
        let steps = [Step::Definition];
        self.note(at, Class::TypeShape, Some(&steps), Some(&steps), problem, edit)
    }

    /// Lists of different fixed lengths.
    pub(crate) fn lengths(&mut self, at: &At, wanted: u32, offered: u32) -> Done {
        let at = at.step(Step::Length, Step::Length, None);
        let problem = self.voice.differ(&format!("a list of {wanted}"), &format!("one of {offered}"));
        let edit = self.instead(&at, "", &format!("{wanted} long"), &offered.to_string());
        self.note(&at, Class::TypeShape, Some(&[]), Some(&[]), problem, edit)
    }

    /// Tuples of different lengths.
    pub(crate) fn tuples(&mut self, at: &At, wanted: usize, offered: usize) -> Done {
        let problem = self.voice.differ(&format!("a tuple of {wanted}"), &format!("one of {offered}"));
        let edit = self.instead(at, "", &format!("a tuple of {wanted}"), &offered.to_string());
        self.note(at, Class::TypeShape, Some(&[Step::Body]), Some(&[Step::Body]), problem, edit)
    }
}

/// Components and core modules.
impl Findings<'_> {
    /// An import that is not promised to a component, or an export that it lacks.
    pub(crate) fn lone(&mut self, at: &At, name: &str, item: &Item, export: bool) -> Done {
        let mut here = at.clone();
        here.path.push(name.to_owned());
        let what = thing(item);
        let class =
            if matches!(item, Item::Function(_)) { Class::MissingFunction } else { Class::MissingInterface };
        let problem = if export {
            format!("the component must export the {what} `{name}`, and does not")
        } else {
            format!("the component imports the {what} `{name}`, and nobody promises it")
        };
        let kind = if export { "export" } else { "import" };
        let edit = self.add(at, &format!("the {kind} `{name}`"), "that component", export);
        self.note(&here, class, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)
    }

    /// An import or export of a core module.
    pub(crate) fn core(
        &mut self,
        at: &At,
        name: &str,
        wanted: Option<&CoreItem>,
        offered: Option<&CoreItem>,
    ) -> Done {
        let words = |item: Option<&CoreItem>| match item {
            None => "nothing".to_owned(),
            Some(CoreItem { text, limits: None }) => format!("`{text}`"),
            Some(CoreItem { text, limits: Some((least, most)) }) => {
                let most = most.map_or("no maximum".to_owned(), |most| format!("at most {most}"));
                format!("`{text}` of at least {least} and {most}")
            }
        };
        let mut here = at.clone();
        here.path.push(name.to_owned());
        let problem = format!("of `{name}`, {} is wanted and {} offered", words(wanted), words(offered));
        let edit = self.instead(at, &format!("where `{name}` is defined,"), &words(wanted), &words(offered));
        self.note(&here, Class::TypeShape, Some(&[Step::Name]), Some(&[Step::Name]), problem, edit)
    }
}

/// What a type is, in words.
fn word(kind: &Kind) -> String {
    match kind {
        Kind::Primitive(Primitive::ErrorContext) => "an `error-context`".to_owned(),
        Kind::Primitive(primitive) => format!("`{primitive}`"),
        Kind::Record(_) => "a record".to_owned(),
        Kind::Variant(_) => "a variant".to_owned(),
        Kind::Enum(_) => "an enum".to_owned(),
        Kind::Flags(_) => "flags".to_owned(),
        Kind::Option(_) => "an option".to_owned(),
        Kind::Result { .. } => "a result".to_owned(),
        Kind::Tuple(_) => "a tuple".to_owned(),
        Kind::List(_) => "a list".to_owned(),
        Kind::FixedList(_, length) => format!("a list of {length}"),
        Kind::Map(..) => "a map".to_owned(),
        Kind::Stream(_) => "a stream".to_owned(),
        Kind::Future(_) => "a future".to_owned(),
        Kind::Own(_) => "an owned handle".to_owned(),
        Kind::Borrow(_) => "a borrowed handle".to_owned(),
    }
}
