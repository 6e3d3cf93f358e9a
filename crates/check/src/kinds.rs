//! The words for kinds of items, and for ways in which a name is near.

use super::names::Near;
use contract::shape::member::{Member, split};
use contract::shape::{Definition, Item};

/// What sort of item it is, for people.
pub(super) fn kind_of(item: &Item) -> &'static str {
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

pub(super) fn member_kind(name: &str) -> &'static str {
    match split(name) {
        Member::Plain(_) => "a function",
        Member::Constructor(_) => "a constructor",
        Member::Method(..) => "a method",
        Member::Static(..) => "a static function",
    }
}

/// As [`kind_of`], without the article.
pub(super) fn thing(item: &Item) -> &'static str {
    let kind = kind_of(item);
    kind.split_once(' ').map_or(kind, |(_, rest)| rest)
}

/// In what way a name is near, in words.
pub(super) fn nearness(near: Near) -> &'static str {
    match near {
        Near::Version => "in another version",
        Near::Package => "in another package",
        Near::Spelling => "under a similar name",
        Near::Content => "the same under another name",
    }
}
