//! How what differs is put into words: excerpts of WIT, edits, and names for kinds of things.

use super::super::Excerpt;
use super::super::names::Near;
use super::{At, Change, Root, SHOWN, Side, Walk};
use contract::shape::member::{Member, split};
use contract::shape::print::{self, Step};
use contract::shape::{Definition, Item};

impl Walk<'_> {
    pub(super) fn excerpt(&self, side: &Side, steps: &[Step]) -> Excerpt {
        let shape = self.shape(side);
        let focus = [side.steps.as_slice(), steps].concat();
        let printed = match &side.root {
            Root::Type(id) => print::definition_at(shape, *id, &focus),
            Root::Item(name, Item::Interface(id)) if shape.interface(*id).items.len() > SHOWN => {
                let text = format!("interface {name} {{ … }}");
                print::Printed { span: 10..10 + name.len(), text }
            }
            Root::Item(name, item) => print::item_at(shape, name, item, &focus),
        };
        Excerpt { text: printed.text, span: printed.span }
    }

    /// The text of what differs, on both sides.
    pub(crate) fn tokens(&self, at: &At) -> (String, String) {
        let token = |side: &Side| self.excerpt(side, &[]).token().to_owned();
        (token(&at.wanted), token(&at.offered))
    }

    /// The edit that puts one thing in the place of another.
    pub(crate) fn instead(&self, at: &At, what: &str, wanted: &str, offered: &str) -> String {
        let (part, new, old) = match at.change {
            Change::Offered => (at.offered.part, wanted, offered),
            Change::Wanted => (at.wanted.part, offered, wanted),
        };
        let at = if what.is_empty() { String::new() } else { format!(" {what}") };
        format!("in `{}`,{at} make it {new} instead of {old}", self.name(part))
    }

    /// The edit that gives a thing the name that the other side has for it.
    pub(crate) fn rename(&self, at: &At, wanted: &str, offered: &str) -> String {
        match at.change {
            Change::Offered => {
                format!("in `{}`, rename `{offered}` to `{wanted}`", self.name(at.offered.part))
            }
            Change::Wanted => format!("in `{}`, rename `{wanted}` to `{offered}`", self.name(at.wanted.part)),
        }
    }

    /// The edit where the two have one interface in different versions: whoever is to change takes the other's.
    pub(crate) fn build_against(&self, at: &At, wanted: &str, offered: &str) -> String {
        let (importer, exporter) = (self.name(at.wanted.part), self.name(at.offered.part));
        match at.change {
            Change::Offered => format!("build `{exporter}` against `{wanted}`"),
            Change::Wanted if Some(at.offered.part) == self.world => {
                format!("build `{importer}` against `{offered}`, or let `{exporter}` import `{wanted}`")
            }
            Change::Wanted => {
                format!("build `{importer}` against `{offered}`, or give a part that exports `{wanted}`")
            }
        }
    }

    /// The edit that adds what only one side has, or takes it away.
    pub(crate) fn add(&self, at: &At, thing: &str, place: &str, only_wanted: bool) -> String {
        let (part, adds) = match at.change {
            Change::Offered => (at.offered.part, only_wanted),
            Change::Wanted => (at.wanted.part, !only_wanted),
        };
        let part = self.name(part);
        if adds {
            format!("in `{part}`, add {thing} to {place}")
        } else {
            format!("in `{part}`, remove {thing} from {place}")
        }
    }
}

/// What sort of item it is, for people.
pub(crate) fn kind_of(item: &Item) -> &'static str {
    match item {
        Item::Function(_) => "a function",
        Item::Interface(_) => "an interface",
        Item::Type(Definition::Value(_)) => "a value type",
        Item::Type(Definition::Resource(_)) => "a resource",
        Item::Type(Definition::Function(_)) => "a type of functions",
        Item::Type(Definition::Interface(_)) => "a type of instances",
        Item::Type(Definition::Component(_)) => "a type of components",
        Item::Component(_) => "a component",
        Item::Module(_) => "a core module",
        Item::Value(_) => "a value",
    }
}

pub(crate) fn member_kind(name: &str) -> &'static str {
    match split(name) {
        Member::Plain(_) => "a function",
        Member::Constructor(_) => "a constructor",
        Member::Method(..) => "a method",
        Member::Static(..) => "a static function",
    }
}

/// As [`kind_of`], without the article.
pub(crate) fn thing(item: &Item) -> &'static str {
    let kind = kind_of(item);
    kind.split_once(' ').map_or(kind, |(_, rest)| rest)
}

/// In what way a name is near, in words.
pub(crate) fn nearness(near: Near) -> &'static str {
    match near {
        Near::Version => "in another version",
        Near::Package => "in another package",
        Near::Spelling => "under a similar name",
        Near::Content => "the same under another name",
    }
}
