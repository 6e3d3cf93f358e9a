//! Makes a pair that fails as small as it gets, so that a person can see why.

use super::edit::{Change, Edit, Pair, Side};
use super::model::{Extern, ExternKind, Field, Id, ItemKind, Prim, Ty, World};

/// Takes away whatever can go while the pair still `fails`.
pub fn shrink(mut pair: Pair, fails: impl Fn(&Pair) -> bool) -> Pair {
    while let Some(smaller) =
        candidates(&pair).into_iter().find(|smaller| is_whole(smaller) && fails(smaller))
    {
        pair = smaller;
    }
    pair
}

/// Pairs with one thing less.
fn candidates(pair: &Pair) -> Vec<Pair> {
    let fewer_edits = (0..pair.edits.len()).map(|gone| {
        let mut fewer = pair.clone();
        fewer.edits.remove(gone);
        fewer
    });
    let targets: Vec<Id> = pair.edits.iter().flat_map(Edit::targets).collect();
    let with_base = |base: World| Pair { base, edits: pair.edits.clone() };
    let mut smaller: Vec<Pair> = fewer_edits.collect();
    for (at, found) in pair.base.externs.iter().enumerate() {
        if !targets.contains(&found.id) && found.items().iter().all(|item| !targets.contains(&item.id)) {
            let mut base = pair.base.clone();
            base.externs.remove(at);
            smaller.push(with_base(base));
        }
        for item in found.items().iter().filter(|item| !targets.contains(&item.id)) {
            let mut base = pair.base.clone();
            if let ExternKind::Interface(items) = &mut base.externs[at].kind {
                items.retain(|known| known.id != item.id);
            }
            smaller.push(with_base(base));
        }
    }
    smaller.extend(fields(&pair.base).into_iter().filter(|id| !targets.contains(id)).map(|gone| {
        let mut base = pair.base.clone();
        lists(&mut base).into_iter().for_each(|list| list.retain(|field| field.id != gone));
        with_base(base)
    }));
    let count = types(&mut pair.base.clone()).len();
    smaller.extend((0..count).map(|at| {
        let mut base = pair.base.clone();
        let mut found = types(&mut base);
        *found[at] = Ty::Prim(Prim::Bool);
        with_base(base)
    }));
    smaller.retain(|smaller| smaller.edits.len() < pair.edits.len() || smaller.base != pair.base);
    smaller
}

/// Whether everything that is mentioned is there, on both sides, and no list that needs members is empty.
fn is_whole(pair: &Pair) -> bool {
    [Side::Wanted, Side::Provided].into_iter().all(|side| {
        let world = pair.side(side);
        let there = |id: &Id| world.item(*id).is_some();
        let members = |kind: &ItemKind| match kind {
            ItemKind::Type(def) => def.fields().is_none_or(|fields| !fields.is_empty()),
            ItemKind::Func(_) => true,
        };
        world.externs.iter().all(|found| found.mentions().iter().all(there))
            && world.items().all(|item| members(&item.kind))
    })
}

fn lists(world: &mut World) -> Vec<&mut Vec<Field>> {
    world.externs.iter_mut().flat_map(lists_of).collect()
}

fn lists_of(found: &mut Extern) -> Vec<&mut Vec<Field>> {
    let items = match &mut found.kind {
        ExternKind::Func(func) => return vec![&mut func.params],
        ExternKind::Interface(items) => items,
    };
    let list = items.iter_mut().filter_map(|item| match &mut item.kind {
        ItemKind::Func(func) => Some(&mut func.params),
        ItemKind::Type(def) => def.fields_mut(),
    });
    list.collect()
}

fn fields(world: &World) -> Vec<Id> {
    lists(&mut world.clone()).into_iter().flatten().map(|field| field.id).collect()
}

/// The types of fields and parameters that are not yet as simple as can be.
fn types(world: &mut World) -> Vec<&mut Ty> {
    let found = lists(world).into_iter().flatten().filter_map(|field| field.ty.as_mut());
    found.filter(|ty| !matches!(ty, Ty::Prim(_))).collect()
}

impl Edit {
    /// The nodes that it cannot do without.
    fn targets(&self) -> Vec<Id> {
        let mut targets = vec![self.at];
        match &self.change {
            Change::RemoveField(id) | Change::RenameField(id, _) | Change::Retype(id, _) => targets.push(*id),
            Change::SwapFields(one, other) => targets.extend([*one, *other]),
            _ => {}
        }
        targets
    }
}
