//! Compares components and core modules that are imported or exported as such.

use super::compare::Walk;
use super::findings::Done;
use super::identity::resource_at;
use super::position::{At, Change};
use contract::shape::{ComponentId, CoreItem, Item, ModuleId, find};

impl Walk<'_> {
    /// A component may import less than is promised to it, and export more than is wanted of it.
    pub(super) fn component(&mut self, at: &At, wanted: ComponentId, offered: ComponentId) -> Done {
        self.apart(|walk| {
            let (w, o) = (at.wanted.part, at.offered.part);
            let (promised, real) =
                (walk.parts[w].shape.component(wanted), walk.parts[o].shape.component(offered));
            let given = |items: &[(String, Item)], part: usize, place: &[String]| {
                let (name, rest) = place.split_first()?;
                resource_at(walk.parts[part].shape, find(items, name)?, rest).map(|id| (part, id))
            };
            let asked: Vec<_> =
                real.asked.iter().map(|(id, place)| ((o, *id), given(&promised.imports, w, place))).collect();
            let made: Vec<_> =
                promised.made.iter().map(|(id, place)| ((w, *id), given(&real.exports, o, place))).collect();
            asked.into_iter().chain(made).for_each(|(node, given)| walk.links.give(node, given));
            for (name, item) in &real.imports {
                match find(&promised.imports, name) {
                    Some(promise) => {
                        // For imports the roles change: what the component wants must be what it is promised.
                        let change =
                            if at.change == Change::Offered { Change::Wanted } else { Change::Offered };
                        let path = [at.path.as_slice(), std::slice::from_ref(name)].concat();
                        let inner = At::items(path, (o, name, item), (w, name, promise), change);
                        walk.item(&inner, item, promise)?;
                    }
                    None => walk.findings.lone(at, name, item, false)?,
                }
            }
            for (name, item) in &promised.exports {
                match find(&real.exports, name) {
                    Some(export) => {
                        let path = [at.path.as_slice(), std::slice::from_ref(name)].concat();
                        let inner = At::items(path, (w, name, item), (o, name, export), at.change);
                        walk.item(&inner, item, export)?;
                    }
                    None => walk.findings.lone(at, name, item, true)?,
                }
            }
            Ok(())
        })
    }

    /// As for components, in the terms of core modules.
    pub(super) fn module(&mut self, at: &At, wanted: ModuleId, offered: ModuleId) -> Done {
        let (w, o) = (self.shape(&at.wanted).module(wanted), self.shape(&at.offered).module(offered));
        for ((module, name), item) in &o.imports {
            self.spend(w.imports.len())?;
            let promise = w.imports.iter().find(|((m, n), _)| (m, n) == (module, name)).map(|(_, item)| item);
            self.core(at, &format!("{module}::{name}"), Some(item), promise)?;
        }
        for (name, item) in &w.exports {
            self.spend(o.exports.len())?;
            let export = o.exports.iter().find(|(known, _)| known == name).map(|(_, item)| item);
            self.core(at, name, Some(item), export)?;
        }
        Ok(())
    }

    fn core(&mut self, at: &At, name: &str, wanted: Option<&CoreItem>, offered: Option<&CoreItem>) -> Done {
        let limits = |wanted: &CoreItem, offered: &CoreItem| match (wanted.limits, offered.limits) {
            (Some((least, most)), Some((start, end))) => {
                start >= least && most.is_none_or(|most| end.is_some_and(|end| end <= most))
            }
            (None, None) => true,
            _ => false,
        };
        let fits = wanted
            .zip(offered)
            .is_some_and(|(wanted, offered)| wanted.text == offered.text && limits(wanted, offered));
        if fits { Ok(()) } else { self.findings.core(at, name, wanted, offered) }
    }
}
