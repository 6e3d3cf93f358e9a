//! What is in an interface before and after: which item became which.

use std::collections::{HashMap, HashSet};

use super::super::guesses::Guesses;
use super::super::kinds::kind_of;
use super::super::names::{nearest, nearest_function};
use contract::shape::member::{Member, plain_name, split};
use contract::shape::{Definition, Item};

/// An item and its name.
pub(super) type Named<'i> = (&'i str, &'i Item);

/// What became of an old item.
#[derive(Debug, Clone, Copy)]
pub(super) enum Became<'i> {
    /// It has its name still, or belongs to a resource that is called otherwise now.
    Same(Named<'i>),
    /// It is a function of another kind: a method became static, for one.
    OtherKind(Named<'i>),
    /// It has another name.
    Renamed(Named<'i>),
    /// It belongs to a resource that is gone.
    GoneWithResource,
    /// It is gone.
    Gone,
}

/// Which old item of an interface became which new one.
pub(super) struct Pairing<'i> {
    became: HashMap<&'i str, Became<'i>>,
    /// New items that no old one became.
    fresh: HashSet<&'i str>,
}

impl<'i> Pairing<'i> {
    pub(super) fn of(
        olds: &'i [(String, Item)],
        news: &'i [(String, Item)],
        guesses: &Guesses,
    ) -> Pairing<'i> {
        let mut matching = Matching {
            before: by_name(olds),
            there: by_name(news),
            resources: HashMap::new(),
            pairing: Pairing { became: HashMap::new(), fresh: HashSet::new() },
        };
        // What functions belong to is known once the types have been paired.
        let is_type = |item: &Item| matches!(item, Item::Type(_));
        matching.round(named(olds, is_type), named(news, is_type), guesses);
        let is_other = |item: &Item| !matches!(item, Item::Type(_));
        matching.round(named(olds, is_other), named(news, is_other), guesses);
        matching.pairing
    }

    pub(super) fn became(&self, old: &str) -> Became<'i> {
        self.became.get(old).copied().unwrap_or(Became::Gone)
    }

    /// Whether nothing was there before that became this, and it does not belong to a resource of which this is said.
    pub(super) fn is_new(&self, new: &str) -> bool {
        self.fresh.contains(new)
    }
}

struct Matching<'i> {
    before: HashMap<&'i str, &'i Item>,
    there: HashMap<&'i str, &'i Item>,
    /// Resources that are called otherwise now: from the old name to the new one.
    resources: HashMap<&'i str, &'i str>,
    pairing: Pairing<'i>,
}

impl<'i> Matching<'i> {
    /// Pairs some of the items, each of which may only become one of those that are given with them.
    fn round(&mut self, olds: Vec<Named<'i>>, news: Vec<Named<'i>>, guesses: &Guesses) {
        let mut gone: Vec<(Named<'i>, String)> = Vec::new();
        let mut taken: HashSet<&str> = HashSet::new();
        for (name, item) in olds {
            let current = self.current(name);
            if let Some((&other, &other_item)) = self.there.get_key_value(current.as_str()) {
                taken.insert(other);
                self.pairing.became.insert(name, Became::Same((other, other_item)));
            } else if is_orphan(&current, &self.before, &self.there) {
                self.pairing.became.insert(name, Became::GoneWithResource);
            } else {
                gone.push(((name, item), current));
            }
        }
        let known: HashSet<&str> = self.resources.values().copied().collect();
        let is_free = |name: &str| {
            let resource = split(name).resource();
            !taken.contains(name)
                && !self.before.contains_key(name)
                && (resource.is_some_and(|resource| known.contains(resource))
                    || !is_orphan(name, &self.there, &self.before))
        };
        let mut fresh: Vec<Named<'i>> = news.into_iter().filter(|(name, _)| is_free(name)).collect();
        self.other_kinds(&mut gone, &mut fresh);
        if guesses.may_compare(gone.iter().map(|((name, _), _)| *name), fresh.iter().map(|(name, _)| *name)) {
            self.other_names(&gone, &mut fresh);
        }
        self.pairing.fresh.extend(fresh.into_iter().map(|(name, _)| name));
    }

    /// The name that an old item would have now if nothing had been done to it but to what it belongs to.
    fn current(&self, name: &str) -> String {
        let member = split(name);
        let Some(resource) = member.resource().and_then(|resource| self.resources.get(resource)) else {
            return name.to_owned();
        };
        match member {
            Member::Plain(name) => name.to_owned(),
            Member::Constructor(_) => format!("[constructor]{resource}"),
            Member::Method(_, name) => format!("[method]{resource}.{name}"),
            Member::Static(_, name) => format!("[static]{resource}.{name}"),
        }
    }

    /// Finds functions of the same name that are another kind of function.
    fn other_kinds(&mut self, gone: &mut Vec<(Named<'i>, String)>, fresh: &mut Vec<Named<'i>>) {
        let mut plain: HashMap<(String, &str), Named<'i>> = HashMap::new();
        for &(name, item) in fresh.iter() {
            plain.entry((plain_name(name), kind_of(item))).or_insert((name, item));
        }
        let mut taken: HashSet<&str> = HashSet::new();
        gone.retain(|((name, item), current)| {
            let Some(found) = plain.remove(&(plain_name(current), kind_of(item))) else { return true };
            taken.insert(found.0);
            self.pairing.became.insert(name, Became::OtherKind(found));
            false
        });
        fresh.retain(|(name, _)| !taken.contains(name));
    }

    /// Finds those that have a name much like the old one.
    fn other_names(&mut self, gone: &[(Named<'i>, String)], fresh: &mut Vec<Named<'i>>) {
        for ((name, item), current) in gone {
            let alike = fresh.iter().filter(|(_, other)| kind_of(other) == kind_of(item));
            let names = alike.map(|(other, _)| *other);
            let found = match item {
                Item::Function(_) => nearest_function(current, names),
                _ => nearest(name, names),
            };
            let Some(at) = found.and_then(|found| fresh.iter().position(|(other, _)| *other == found)) else {
                continue;
            };
            let other = fresh.remove(at);
            self.pairing.became.insert(name, Became::Renamed(other));
            if matches!(item, Item::Type(Definition::Resource(_))) {
                self.resources.insert(name, other.0);
            }
        }
    }
}

/// Whether it belongs to a resource that the other side does not have: it comes and goes with that.
fn is_orphan(name: &str, own: &HashMap<&str, &Item>, other: &HashMap<&str, &Item>) -> bool {
    let resource = split(name).resource();
    resource.is_some_and(|resource| own.contains_key(resource) && !other.contains_key(resource))
}

fn by_name(items: &[(String, Item)]) -> HashMap<&str, &Item> {
    items.iter().map(|(name, item)| (name.as_str(), item)).collect()
}

fn named(items: &[(String, Item)], of: impl Fn(&Item) -> bool) -> Vec<Named<'_>> {
    items.iter().filter(|(_, item)| of(item)).map(|(name, item)| (name.as_str(), item)).collect()
}
