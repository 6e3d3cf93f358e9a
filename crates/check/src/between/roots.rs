//! Imports with imports, exports with exports: by name, as engines look them up.

use std::collections::{HashMap, HashSet};

use super::super::CheckError;
use super::super::guesses::Guesses;
use super::super::kinds::{kind_of, thing};
use super::super::names::{Near, compatible, nearest_interface};
use super::super::offers::{Offer, Offers, is_known};
use super::members::Named;
use super::{Between, Both, NEW, OLD, Out, What};
use contract::shape::Item;
use contract::shape::member::plain_name;

impl<'a> Between<'a> {
    pub(super) fn side(&mut self, import: bool) -> Result<(), CheckError> {
        self.import = import;
        let of = self.of;
        let items = |part: usize| {
            let root = self.parts[part].shape.root();
            if import { &root.imports } else { &root.exports }
        };
        let (olds, news) = (items(OLD), items(NEW));
        let (mut old_offers, mut new_offers) = (Offers::default(), Offers::default());
        old_offers.add(OLD, olds);
        new_offers.add(NEW, news);
        let to_new = |name: &str| new_offers.find(OLD, name);
        let to_old = |name: &str| old_offers.find(NEW, name);
        let lone = |items: &'a [(String, Item)], there: &dyn Fn(&str) -> bool| -> Vec<(&'a str, &'a Item)> {
            let lone = items.iter().filter(|(name, _)| of(name) && !there(name));
            lone.map(|(name, item)| (name.as_str(), item)).collect()
        };
        let gone = lone(olds, &|name| to_new(name).is_some());
        let fresh = lone(news, &|name| to_old(name).is_some());
        let renamed = renamed_roots(&gone, &fresh, self.guesses);
        let meant: HashSet<&str> = renamed.values().map(|((name, _), _)| *name).collect();
        let partner = |offer: Option<Offer<'a>>, name: &str| offer.is_some_and(|offer| offer.name == name);
        for (name, item) in olds.iter().filter(|(name, _)| of(name)) {
            self.begin(name);
            let path = vec![plain_name(name)];
            match to_new(name) {
                Some(offer) => {
                    let mutual = partner(to_old(offer.name), name);
                    let out = if mutual { Out::BOTH } else { self.without(OLD) };
                    let (old, new) = ((name.as_str(), item), (offer.name, offer.item));
                    self.version(&path, old, new)?;
                    self.implements(&path, old, new, out)?;
                    self.pair(&Both { path, old, new, out })?;
                }
                None => match renamed.get(name.as_str()) {
                    Some((new, near)) => self.renamed(path, (name, item), *new, *near)?,
                    None => self.lone(OLD, path, (name, item))?,
                },
            }
            self.end();
        }
        for (name, item) in news.iter().filter(|(name, _)| of(name)) {
            self.begin(name);
            let path = vec![plain_name(name)];
            match to_old(name) {
                Some(offer) if partner(to_new(offer.name), name) => {}
                Some(offer) => {
                    let (old, new) = ((offer.name, offer.item), (name.as_str(), item));
                    self.pair(&Both { path, old, new, out: self.without(NEW) })?;
                }
                None if meant.contains(name.as_str()) => {}
                None => self.lone(NEW, path, (name, item))?,
            }
            self.end();
        }
        Ok(())
    }

    /// Another version of an interface that promises to fit rules nothing out by itself.
    fn version(&mut self, path: &[String], old: (&str, &Item), new: (&str, &Item)) -> Result<(), CheckError> {
        if old.0 == new.0 {
            return Ok(());
        }
        let said = format!("`{}` became `{}`, which promises to fit", old.0, new.0);
        self.note(What::Version, path.to_vec(), said, None, None, Out::NEITHER)
    }

    /// An import or export that goes by a name of its own stands for the interface that it implements: another one under the
    /// same name is another contract, unless its version promises to fit.
    fn implements(
        &mut self,
        path: &[String],
        old: (&str, &Item),
        new: (&str, &Item),
        out: Out,
    ) -> Result<(), CheckError> {
        let of = |part: usize, name: &str| {
            let implements = &self.parts[part].shape.root().implements;
            let side = if self.import { &implements.imports } else { &implements.exports };
            side.get(name).cloned()
        };
        let (was, is) = (of(OLD, old.0), of(NEW, new.0));
        if was == is {
            return Ok(());
        }
        let said = |word: &str, interface: &Option<String>| match interface {
            Some(interface) => format!("{word} `{interface}`"),
            None => format!("{word} no interface that has a name"),
        };
        let fits = was.as_deref().zip(is.as_deref()).is_some_and(|(was, is)| compatible(was, is));
        let (what, out) = if fits { (What::Version, Out::NEITHER) } else { (What::Renamed, out) };
        let said = format!("`{}` {}, and {} now", old.0, said("implemented", &was), said("implements", &is));
        self.note(what, path.to_vec(), said, None, None, out)
    }

    /// An import or export that only one side has. Another name for a type that is known without it asks for nothing.
    fn lone(
        &mut self,
        part: usize,
        path: Vec<String>,
        (name, item): (&str, &Item),
    ) -> Result<(), CheckError> {
        let alias = self.import && is_known(&self.parts[part], &[name], item);
        let out = if alias { Out::NEITHER } else { self.without(part) };
        self.one_sided(part, path, (name, item), out)
    }

    /// Another name, and what is under it.
    fn renamed(
        &mut self,
        path: Vec<String>,
        old: (&str, &Item),
        new: (&str, &Item),
        near: Near,
    ) -> Result<(), CheckError> {
        let (what, name, other) = (thing(old.1), old.0, new.0);
        let said = match near {
            Near::Version => format!("`{name}` became `{other}`, which does not promise to fit"),
            Near::Package | Near::Spelling | Near::Content => {
                format!("the {what} `{name}` is called `{other}` now")
            }
        };
        let both = Both { path, old, new, out: Out::BOTH };
        self.became(What::Renamed, &both, said, Out::BOTH)?;
        self.pair(&both)
    }
}

/// Imports or exports that are there under another name, by their old one.
fn renamed_roots<'b>(
    gone: &[Named<'b>],
    fresh: &[Named<'b>],
    guesses: &Guesses,
) -> HashMap<&'b str, (Named<'b>, Near)> {
    let mut renamed: HashMap<&str, (Named<'b>, Near)> = HashMap::new();
    if !guesses.may_compare(gone.iter().map(|(name, _)| *name), fresh.iter().map(|(name, _)| *name)) {
        return renamed;
    }
    let mut taken: HashSet<&str> = HashSet::new();
    for (name, item) in gone {
        let free: Vec<&str> = fresh
            .iter()
            .filter(|(other, it)| {
                kind_of(it) == kind_of(item) && !compatible(name, other) && !taken.contains(other)
            })
            .map(|(other, _)| *other)
            .collect();
        if let Some((other, near)) = nearest_interface(name, &free)
            && let Some(found) = fresh.iter().find(|(known, _)| *known == other)
        {
            taken.insert(other);
            renamed.insert(name, (*found, near));
        }
    }
    renamed
}
