//! Three components that leave the same interfaces to one host, and do not agree on which resources are one.
//!
//! The host gives one resource wherever at least one of the three says so: that host is made here and put before the engine, with each
//! of the three. And of each two, one must be served by what the other one wants: where each of them holds for one what the
//! other keeps apart, no host that either was built for serves both, unless what the third wants does.

use std::collections::HashMap;

use check::{Part, Report, wiring};
use contract::shape::Shape;

use super::edit::{Change, Edit, Side};
use super::generate::{Maker, Scope};
use super::model::{Def, Id, Item, ItemKind, Prim, Ty, World};
use super::{encode, engine, text};

/// Enough to meet each sort of disagreement many times.
const TRIPLES: u64 = 2_000;

/// One of which `check` and this once said different things: what the third wants serves the two others.
const FOUND: u64 = 8_614;

/// What the three want, from one world: each has its own idea of some resources, and now and then of a function.
fn worlds(maker: &mut Maker) -> [World; 3] {
    let base = if maker.dice.once_in(2) { maker.sharing() } else { maker.world() };
    [(); 3].map(|()| {
        let mut world = base.clone();
        for _ in 0..maker.dice.below(3) {
            if let Some(edit) = redefine(maker, &world) {
                edit.apply(&mut world);
            }
        }
        if maker.dice.once_in(8)
            && let Some(edit) = retype(maker, &world)
        {
            edit.apply(&mut world);
        }
        world
    })
}

/// A resource becomes another name for one before it, or a name becomes a resource. Those with functions stay.
fn redefine(maker: &mut Maker, world: &World) -> Option<Edit> {
    let has_functions = |id: Id| {
        world
            .items()
            .any(|item| matches!(&item.kind, ItemKind::Func(func) if func.role.resource() == Some(id)))
    };
    let free: Vec<Id> = world
        .items()
        .map(|item| item.id)
        .filter(|id| world.is_resource(*id) && !has_functions(*id))
        .collect();
    if free.is_empty() {
        return None;
    }
    let at = *maker.dice.pick(&free);
    let before: Vec<Id> = world.items().map(|item| item.id).take_while(|id| *id != at).collect();
    let resources: Vec<Id> = before.into_iter().filter(|id| world.is_resource(*id)).collect();
    let def = if resources.is_empty() || maker.dice.once_in(4) {
        Def::Resource
    } else {
        Def::Same(*maker.dice.pick(&resources))
    };
    Some(Edit { side: Side::Wanted, at, change: Change::Redefine(ItemKind::Type(def)) })
}

/// A function gets another result.
fn retype(maker: &mut Maker, world: &World) -> Option<Edit> {
    let functions: Vec<Id> = world.items().filter(|item| gives(item)).map(|item| item.id).collect();
    if functions.is_empty() {
        return None;
    }
    let at = *maker.dice.pick(&functions);
    let handle = Scope::at(world, at).resources.first().map(|id| Ty::Own(*id));
    let result = handle.filter(|_| maker.dice.once_in(2)).unwrap_or(Ty::Prim(Prim::U64));
    Some(Edit { side: Side::Wanted, at, change: Change::Result(Some(result)) })
}

fn gives(item: &Item) -> bool {
    matches!(&item.kind, ItemKind::Func(func) if !matches!(func.role, super::model::Role::Constructor(_)))
}

/// The first of the worlds, in which resources are one wherever any of the worlds says so.
fn host(worlds: &[World; 3]) -> World {
    let mut stands: HashMap<Id, Id> = HashMap::new();
    let root = |stands: &HashMap<Id, Id>, mut id: Id| {
        while let Some(next) = stands.get(&id) {
            id = *next;
        }
        id
    };
    for world in worlds {
        for item in world.items() {
            if let ItemKind::Type(Def::Same(other)) = &item.kind
                && world.is_resource(*other)
            {
                let (one, other) = (root(&stands, item.id), root(&stands, *other));
                if one != other {
                    stands.insert(one, other);
                }
            }
        }
    }
    let mut host = worlds[0].clone();
    let resources: Vec<Id> = host.items().map(|item| item.id).filter(|id| host.is_resource(*id)).collect();
    // In a resource's own order: the first of those that are one is the resource, and the others are names for it.
    let mut first: HashMap<Id, Id> = HashMap::new();
    for id in resources {
        let known = *first.entry(root(&stands, id)).or_insert(id);
        let def = if known == id { Def::Resource } else { Def::Same(known) };
        host.item_mut(id).expect("it is there").kind = ItemKind::Type(def);
    }
    host
}

fn check(worlds: &[World; 3]) -> Report {
    let shapes = worlds
        .each_ref()
        .map(|world| Shape::of_component(&encode::socket(world)).expect("it is a component"));
    let parts: Vec<Part<'_>> = ["one", "another", "third"]
        .into_iter()
        .zip(&shapes)
        .map(|(name, shape)| Part { name, shape })
        .collect();
    wiring(&parts, &[], &[]).expect("they can be compared")
}

#[derive(Debug, Default)]
struct Seen {
    fitting: usize,
    /// No host serves the three.
    apart: usize,
    /// A host serves the three, and two of them contradict each other.
    contradicting: usize,
}

fn examine(seed: u64, seen: &mut Seen) {
    let worlds = worlds(&mut Maker::new(seed));
    let host = host(&worlds);
    let served = worlds.each_ref().map(|world| engine::verdict(&host, world));
    let pairs = [(0, 1), (0, 2), (1, 2)];
    let serves = |one: &World, other: &World| engine::verdict(one, other).is_ok();
    let together = |(one, other): &(usize, usize)| {
        worlds.iter().any(|host| serves(host, &worlds[*one]) && serves(host, &worlds[*other]))
    };
    let possible = served.iter().all(Result::is_ok);
    let agree = pairs.iter().all(together);
    let report = check(&worlds);
    let [one, another, third] = worlds.each_ref().map(text::world);
    assert_eq!(
        report.fits(),
        possible && agree,
        "seed {seed}: the engine: {served:?}, and what one wants serves each two: {agree}; check: {:#?}\n\
         {one}\n{another}\n{third}",
        report.mismatches
    );
    seen.fitting += usize::from(report.fits());
    seen.apart += usize::from(!possible);
    seen.contradicting += usize::from(possible && !agree);
}

#[test]
fn three_that_leave_resources_to_one_host_fit_where_the_engine_says_so() {
    let mut seen = Seen::default();
    (0..TRIPLES).chain([FOUND]).for_each(|seed| examine(seed, &mut seen));
    let Seen { fitting, apart, contradicting } = seen;
    assert!(fitting > 300 && apart > 50 && contradicting > 20, "{seen:?}");
}
