//! Three components and one resource: does it come from one place, wherever it is needed?
//!
//! A consumer wants two interfaces, `types` with a resource, and `api` that takes it. A provider has `types`, a
//! user has `api`. Where the user gets the resource from decides, and so does what it exports beside it, and who
//! is asked first. All of these are put together here as a composition would put them, and the engine says
//! whether the consumer gets one resource or two.

use check::Class;
use wasm_encoder::{ComponentBuilder, ComponentExportKind};

use super::dice::Dice;
use super::edit::{Change, Edit, Side};
use super::encode::Scene;
use super::engine;
use super::generate::Maker;
use super::model::{Def, Extern, ExternName, Func, Id, Item, ItemKind, Prim, Ty, World};
use super::{plugged, text};

/// Enough to meet each arrangement with each order many times.
const TRIPLES: u64 = 1500;

/// A component that re-exports what it imports.
#[derive(Clone, Debug)]
struct Unit {
    name: &'static str,
    world: World,
    /// The name of the import for `types` and `api`.
    imports: [String; 2],
    /// Which of the two it exports.
    exports: [bool; 2],
}

/// Where the user gets the resource from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Source {
    /// It imports `types` by its name.
    Imported,
    /// It has a resource of its own.
    Own,
}

#[derive(Clone, Copy, Debug)]
struct Arrangement {
    /// Whether there is a provider; otherwise `types` comes from the host.
    provider: bool,
    provider_first: bool,
    source: Source,
    /// Whether the user exports `types` as well.
    reexports: bool,
    /// Whether provider and user stand on the same import of the host.
    same_host: bool,
}

impl Arrangement {
    fn any(dice: &mut Dice) -> Self {
        let mut coin = || dice.once_in(2);
        Arrangement {
            provider: coin(),
            provider_first: coin(),
            source: if coin() { Source::Imported } else { Source::Own },
            reexports: coin(),
            same_host: coin(),
        }
    }

    /// The components: the consumer, and the others in the order in which they are given.
    fn units(self, world: &World) -> (Unit, Vec<Unit>) {
        let full = |at: usize| world.externs[at].name.full();
        let behind = |unit: &str, at: usize| full(at).replacen(':', &format!("-behind-{unit}:"), 1);
        let consumer = Unit {
            name: "consumer",
            world: world.clone(),
            imports: [full(0), full(1)],
            exports: [false, false],
        };
        let provider = Unit {
            name: "provider",
            world: World { externs: vec![world.externs[0].clone()] },
            imports: [behind("provider", 0), String::new()],
            exports: [true, false],
        };
        let types = match (self.source, self.same_host) {
            (Source::Imported, _) => full(0),
            (Source::Own, true) => behind("provider", 0),
            (Source::Own, false) => behind("user", 0),
        };
        let user = Unit {
            name: "user",
            world: world.clone(),
            imports: [types, behind("user", 1)],
            exports: [self.reexports, true],
        };
        let mut plugs = vec![user];
        if self.provider {
            plugs.insert(if self.provider_first { 0 } else { 1 }, provider);
        }
        (consumer, plugs)
    }
}

impl Unit {
    fn encode(&self) -> Vec<u8> {
        let mut scene = Scene::new(&self.world);
        for (found, name) in self.world.externs.iter().zip(&self.imports) {
            scene.import(found, name);
        }
        for (found, _) in self.world.externs.iter().zip(self.exports).filter(|(_, exported)| *exported) {
            let (kind, index) = scene.imported[&found.id];
            scene.builder.export(found.name.full().as_str(), kind, index, None);
        }
        scene.builder.finish()
    }

    fn exported(&self, name: &str) -> bool {
        self.world
            .externs
            .iter()
            .zip(self.exports)
            .any(|(found, exported)| exported && found.name.full() == name)
    }
}

/// A composition of all units as the rules wire it: what another unit exports comes from the first that does,
/// everything else from the host, which has one instance for each name.
fn verdict(consumer: &Unit, plugs: &[Unit]) -> Result<(), String> {
    let mut builder = ComponentBuilder::default();
    let mut instances: Vec<(&'static str, u32)> = Vec::new();
    let mut host: Vec<(String, u32)> = Vec::new();
    let waits = |unit: &Unit| unit.imports.iter().filter(|name| source(plugs, unit, name).is_some()).count();
    let mut order: Vec<&Unit> = plugs.iter().collect();
    // At most one plug needs another one, and the consumer needs them all.
    order.sort_by_key(|unit| waits(unit));
    for unit in order.into_iter().chain([consumer]) {
        let mut scene = Scene::on(builder, &unit.world);
        let mut arguments = Vec::new();
        for (found, name) in unit.world.externs.iter().zip(&unit.imports) {
            let known = match source(plugs, unit, name) {
                Some(from) => {
                    let (_, instance) =
                        instances.iter().find(|(known, _)| *known == from.name).expect("it came before");
                    Some(scene.builder.alias_export(*instance, name, ComponentExportKind::Instance))
                }
                None => host.iter().find(|(known, _)| known == name).map(|(_, index)| *index),
            };
            match known {
                Some(index) => _ = scene.imported.insert(found.id, (ComponentExportKind::Instance, index)),
                None => {
                    scene.import(found, name);
                    host.push((name.clone(), scene.imported[&found.id].1));
                }
            }
            let (kind, index) = scene.imported[&found.id];
            arguments.push((name.clone(), kind, index));
        }
        builder = scene.builder;
        let component = builder.component_raw(Some(unit.name), &unit.encode());
        instances.push((unit.name, builder.instantiate(Some(unit.name), component, arguments)));
    }
    engine::validate(&builder.finish(), engine::all_features())
}

fn source<'u>(plugs: &'u [Unit], unit: &Unit, name: &str) -> Option<&'u Unit> {
    plugs.iter().find(|plug| plug.name != unit.name && plug.exported(name))
}

/// A change of one component's contract that has nothing to do with the resource: a function's own result.
fn unrelated(maker: &mut Maker, at: &Extern) -> Option<Edit> {
    let free: Vec<(Id, &Func)> = at.items().iter().filter_map(function).collect();
    if free.is_empty() {
        return None;
    }
    let (id, func) = *maker.dice.pick(&free);
    let new = if func.result == Some(Ty::Prim(Prim::U8)) { Prim::U16 } else { Prim::U8 };
    Some(Edit { side: Side::Wanted, at: id, change: Change::Result(Some(Ty::Prim(new))) })
}

fn function(item: &Item) -> Option<(Id, &Func)> {
    match &item.kind {
        ItemKind::Func(func) if !matches!(func.role, super::model::Role::Constructor(_)) => {
            Some((item.id, func))
        }
        _ => None,
    }
}

fn examine(seed: u64, seen: &mut Seen) {
    let mut maker = Maker::new(seed);
    let mut world = maker.sharing();
    let arrangement = Arrangement::any(&mut maker.dice);
    if let (false, ExternName::Interface { package, .. }) = (arrangement.provider, &mut world.externs[0].name)
    {
        // Nobody misses what is the host's by its name.
        *package = "wasi:types".to_owned();
    }
    let (mut consumer, plugs) = arrangement.units(&world);
    let pure = verdict(&consumer, &plugs);
    // The consumer's own idea of `api` may differ as well, which is another reason beside identity.
    let edit = if maker.dice.once_in(3) { unrelated(&mut maker, &world.externs[1]) } else { None };
    edit.iter().for_each(|edit| edit.apply(&mut consumer.world));
    let whole = verdict(&consumer, &plugs);

    let socket = consumer.encode();
    let bytes: Vec<(&str, Vec<u8>)> = plugs.iter().map(|plug| (plug.name, plug.encode())).collect();
    let given: Vec<(&str, &[u8])> = bytes.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let report = plugged(("consumer", &socket), &given).expect("these are components");
    let context = || {
        format!(
            "seed {seed}: {arrangement:?}\nthe engine: {whole:?}; without the edit: {pure:?}; edit {edit:?}\n\
             check: {:#?}\n{}",
            report.mismatches,
            text::world(&consumer.world)
        )
    };
    assert_eq!(report.fits(), whole.is_ok(), "{}", context());
    let identity: Vec<_> =
        report.mismatches.iter().filter(|found| found.class == Class::ResourceIdentity).collect();
    assert_eq!(!identity.is_empty(), pure.is_err(), "{}", context());
    assert_eq!(report.mismatches.len() > identity.len(), edit.is_some(), "{}", context());
    for found in &identity {
        // The story names a resource of `types`, and both of the components that it comes from.
        let told = format!("{} {} {}", found.problem, found.edit, found.notes.join(" "));
        let resources =
            world.externs[0].items().iter().filter(|item| item.kind == ItemKind::Type(Def::Resource));
        assert!(resources.into_iter().any(|item| told.contains(&item.name)), "{}", context());
        assert!(told.contains("user"), "{}", context());
        assert!(!arrangement.provider || told.contains("provider"), "{}", context());
    }
    seen.fitting += usize::from(whole.is_ok());
    seen.apart += usize::from(pure.is_err());
    seen.both += usize::from(pure.is_err() && edit.is_some());
}

#[derive(Default)]
struct Seen {
    fitting: usize,
    apart: usize,
    both: usize,
}

#[test]
fn identity_is_named_when_and_only_when_it_is_the_reason() {
    let mut seen = Seen::default();
    (0..TRIPLES).for_each(|seed| examine(seed, &mut seen));
    let Seen { fitting, apart, both } = seen;
    assert!(
        fitting > 200 && apart > 200 && both > 50,
        "{fitting} fit, {apart} do not share, {both} differ as well"
    );
}
