//! Worlds out of chance: every kind of type, nested, named, used across interfaces.
//!
//! Names are never given twice in one world and never resemble each other, so that what a finding names can only
//! be one place, and no near miss arises by accident. The tables in `near_miss.rs` are for those.

use super::dice::Dice;
use super::model::{
    Def, Extern, ExternKind, ExternName, Field, Func, Id, Item, ItemKind, Prim, Role, Ty, World,
};

const WORDS: [&str; 48] = [
    "anchor", "basket", "candle", "dragon", "eclipse", "feather", "garden", "harbour", "island", "jacket",
    "kettle", "lantern", "meadow", "needle", "orchard", "pebble", "quarry", "ribbon", "saddle", "timber",
    "umbrella", "village", "whistle", "xylem", "yonder", "zephyr", "bishop", "cobalt", "dolphin", "ember",
    "falcon", "glacier", "hollow", "ivory", "jungle", "kernel", "lobster", "mosaic", "nutmeg", "oyster",
    "parrot", "quiver", "raven", "sphinx", "thunder", "velvet", "walnut", "zodiac",
];

const PRIMS: [Prim; 14] = [
    Prim::Bool,
    Prim::U8,
    Prim::S8,
    Prim::U16,
    Prim::S16,
    Prim::U32,
    Prim::S32,
    Prim::U64,
    Prim::S64,
    Prim::F32,
    Prim::F64,
    Prim::String,
    Prim::Char,
    Prim::ErrorContext,
];

/// What map keys may be.
const KEYS: [Prim; 6] = [Prim::Bool, Prim::U8, Prim::S16, Prim::U32, Prim::U64, Prim::String];

const VERSIONS: [&str; 5] = ["0.0.3", "0.1.0", "0.2.1", "1.0.0", "2.3.4"];

/// How deep anonymous types nest.
const DEEPEST: usize = 4;

/// The types that may be mentioned at a place.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    pub values: Vec<Id>,
    pub resources: Vec<Id>,
}

/// Hands out what must be new.
pub struct Maker {
    pub dice: Dice,
    ids: Id,
    names: usize,
    shift: usize,
    /// Whether types may come up that engines have off by default.
    beyond: bool,
}

impl Maker {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let shift = dice.below(WORDS.len());
        let beyond = dice.once_in(2);
        Maker { dice, ids: 0, names: 0, shift, beyond }
    }

    pub fn id(&mut self) -> Id {
        self.ids += 1;
        self.ids
    }

    /// A name that this maker never gave before.
    pub fn name(&mut self) -> String {
        let at = self.names;
        self.names += 1;
        let word = WORDS[(at + self.shift) % WORDS.len()];
        let round = at / WORDS.len();
        // Another round tells its names apart by more than a letter, so that they stay unlike each other.
        let mut name =
            if round == 0 { word.to_owned() } else { format!("{word}-round{round}{round}{round}") };
        if self.dice.once_in(6) {
            name = format!("{name}-of-it");
        }
        if self.dice.once_in(8) { name.to_ascii_uppercase() } else { name }
    }

    /// A world of one to three interfaces and functions.
    pub fn world(&mut self) -> World {
        let package = format!("test:{}", self.name().to_ascii_lowercase());
        let version = (!self.dice.once_in(3)).then(|| (*self.dice.pick(&VERSIONS)).to_owned());
        let mut world = World { externs: Vec::new() };
        for _ in 0..1 + self.dice.below(3) {
            let name = self.name();
            let kind = if self.dice.once_in(6) {
                ExternKind::Func(self.free_func(&Scope::of_world(&world)))
            } else {
                ExternKind::Interface(self.interface(&world))
            };
            let plain = matches!(kind, ExternKind::Func(_)) || self.dice.once_in(4);
            let name = if plain {
                ExternName::Plain(name)
            } else {
                let interface = name.to_ascii_lowercase();
                ExternName::Interface { package: package.clone(), interface, version: version.clone() }
            };
            let id = self.id();
            world.externs.push(Extern { id, name, kind });
        }
        world
    }

    /// A world of two interfaces with functions, where both the first and the second have a resource in common.
    pub fn sharing(&mut self) -> World {
        let package = format!("test:{}", self.name().to_ascii_lowercase());
        let mut world = World { externs: Vec::new() };
        let mut shared = 0;
        for at in 0..2 {
            let mut items = self.interface(&world);
            // What shares the resource stands in front, so that all that follows may mention it.
            let kind = if at == 0 { Def::Resource } else { Def::Same(shared) };
            let item = Item { id: self.id(), name: self.name(), kind: ItemKind::Type(kind) };
            shared = item.id;
            let mut scope = Scope::default();
            scope.take(&item, &world);
            let ty = if self.dice.once_in(2) { Ty::Own(shared) } else { Ty::List(Box::new(Ty::Own(shared))) };
            let mut func = self.free_func(&scope);
            func.params.push(Field { id: self.id(), name: self.name(), ty: Some(ty) });
            let func = Item { id: self.id(), name: self.name(), kind: ItemKind::Func(func) };
            items.splice(0..0, [item, func]);
            let interface = self.name().to_ascii_lowercase();
            let name = ExternName::Interface {
                package: package.clone(),
                interface,
                version: Some("1.2.0".to_owned()),
            };
            world.externs.push(Extern { id: self.id(), name, kind: ExternKind::Interface(items) });
        }
        world
    }

    fn interface(&mut self, before: &World) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        let mut scope = Scope::default();
        let others = Scope::of_world(before);
        for _ in 0..1 + self.dice.below(7) {
            let mut item = self.item(&scope, &others);
            if let ItemKind::Func(Func { role: role @ Role::Constructor(_), .. }) = &mut item.kind {
                // There is one constructor at most.
                let taken = |known: &Item| matches!(&known.kind, ItemKind::Func(func) if func.role == *role);
                if items.iter().any(taken) {
                    *role = Role::Free;
                }
            }
            scope.take(&item, before);
            items.push(item);
        }
        items
    }

    fn item(&mut self, scope: &Scope, others: &Scope) -> Item {
        let id = self.id();
        let name = self.name();
        let usable: Vec<Id> = others.values.iter().chain(&others.resources).copied().collect();
        let kind = match self.dice.below(10) {
            0 | 1 if !usable.is_empty() => ItemKind::Type(Def::Same(*self.dice.pick(&usable))),
            0..=4 => ItemKind::Type(self.def(scope)),
            _ => ItemKind::Func(self.func(scope)),
        };
        Item { id, name, kind }
    }

    pub fn def(&mut self, scope: &Scope) -> Def {
        match self.dice.below(7) {
            0 => Def::Record(self.fields(scope, 0)),
            1 => Def::Variant(self.fields(scope, 2)),
            2 => Def::Enum(self.labels()),
            3 => Def::Flags(self.labels()),
            4 => Def::Alias(self.alias(scope)),
            5 if !scope.resources.is_empty() && self.dice.once_in(4) => {
                Def::Same(*self.dice.pick(&scope.resources))
            }
            _ => Def::Resource,
        }
    }

    /// Not a bare `char`: a `stream` of it is not valid, even by another name.
    pub fn alias(&mut self, scope: &Scope) -> Ty {
        match self.ty(scope, 0, false) {
            Ty::Prim(Prim::Char) => Ty::Prim(Prim::Bool),
            ty => ty,
        }
    }

    pub fn labels(&mut self) -> Vec<Field> {
        (0..1 + self.dice.below(4)).map(|_| Field { id: self.id(), name: self.name(), ty: None }).collect()
    }

    /// Fields, of which one in `bare` has no type; none is bare where that is zero.
    pub fn fields(&mut self, scope: &Scope, bare: usize) -> Vec<Field> {
        (0..1 + self.dice.below(4)).map(|_| self.field(scope, bare, false)).collect()
    }

    pub fn field(&mut self, scope: &Scope, bare: usize, borrows: bool) -> Field {
        let ty = (bare == 0 || !self.dice.once_in(bare)).then(|| self.ty(scope, 0, borrows));
        Field { id: self.id(), name: self.name(), ty }
    }

    fn func(&mut self, scope: &Scope) -> Func {
        let mut func = self.free_func(scope);
        if !scope.resources.is_empty() && self.dice.once_in(2) {
            let resource = *self.dice.pick(&scope.resources);
            func.role = *self.dice.pick(&[
                Role::Constructor(resource),
                Role::Method(resource),
                Role::Static(resource),
            ]);
        }
        if matches!(func.role, Role::Constructor(_)) {
            (func.is_async, func.result) = (false, None);
        }
        func
    }

    pub fn free_func(&mut self, scope: &Scope) -> Func {
        Func {
            role: Role::Free,
            is_async: self.dice.once_in(4),
            params: (0..self.dice.below(4)).map(|_| self.field(scope, 0, true)).collect(),
            result: (!self.dice.once_in(4)).then(|| self.ty(scope, 0, false)),
        }
    }

    /// A type; `borrows` says whether it may hold a borrow, which only parameters may.
    pub fn ty(&mut self, scope: &Scope, depth: usize, borrows: bool) -> Ty {
        let leaf = depth >= DEEPEST || self.dice.once_in(3);
        if leaf {
            return self.leaf(scope, borrows);
        }
        let inner = |maker: &mut Self| Box::new(maker.ty(scope, depth + 1, borrows));
        let maybe = |maker: &mut Self| {
            (!maker.dice.once_in(3)).then(|| Box::new(maker.ty(scope, depth + 1, borrows)))
        };
        match self.dice.below(if self.beyond { 9 } else { 7 }) {
            0 | 1 => Ty::List(inner(self)),
            2 => Ty::Option(inner(self)),
            3 => Ty::Result(maybe(self), maybe(self)),
            4 | 5 => {
                Ty::Tuple((0..1 + self.dice.below(3)).map(|_| self.ty(scope, depth + 1, borrows)).collect())
            }
            6 => self.channel(scope, depth),
            7 => Ty::Fixed(inner(self), 1 + u32::try_from(self.dice.below(4)).expect("it is small")),
            _ => Ty::Map(*self.dice.pick(&KEYS), inner(self)),
        }
    }

    /// A stream or future; neither carries borrows, and no stream carries characters.
    fn channel(&mut self, scope: &Scope, depth: usize) -> Ty {
        let payload = (!self.dice.once_in(4)).then(|| self.ty(scope, depth + 1, false));
        let payload = payload.filter(|ty| *ty != Ty::Prim(Prim::Char)).map(Box::new);
        if self.dice.once_in(2) { Ty::Stream(payload) } else { Ty::Future(payload) }
    }

    fn leaf(&mut self, scope: &Scope, borrows: bool) -> Ty {
        if !scope.values.is_empty() && self.dice.once_in(2) {
            return Ty::Named(*self.dice.pick(&scope.values));
        }
        if !scope.resources.is_empty() && self.dice.once_in(2) {
            let resource = *self.dice.pick(&scope.resources);
            return if borrows && self.dice.once_in(2) { Ty::Borrow(resource) } else { Ty::Own(resource) };
        }
        // The last of them is one of those that engines have off by default: rare, but there.
        let most = if self.beyond && self.dice.once_in(12) { PRIMS.len() } else { PRIMS.len() - 1 };
        Ty::Prim(PRIMS[self.dice.below(most)])
    }
}

impl Scope {
    fn take(&mut self, item: &Item, before: &World) {
        let ItemKind::Type(def) = &item.kind else { return };
        let resource = match def {
            Def::Resource => true,
            Def::Same(id) => self.resources.contains(id) || before.is_resource(*id),
            _ => false,
        };
        let place = if resource { &mut self.resources } else { &mut self.values };
        place.push(item.id);
    }

    /// All types of a world, as what follows may use them.
    pub fn of_world(world: &World) -> Self {
        let mut scope = Scope::default();
        world.items().for_each(|item| scope.take(item, world));
        scope
    }

    /// What an item at the end of this interface may mention.
    pub fn of_interface(world: &World, interface: &Extern) -> Self {
        let mut scope = Scope::default();
        interface.items().iter().for_each(|item| scope.take(item, world));
        scope
    }

    /// What an item of an interface may mention: the types before it in the same interface. For the extern
    /// itself, where it is a function, the types of all interfaces before it.
    pub fn at(world: &World, place: Id) -> Self {
        let mut scope = Scope::default();
        if let Some(home) = world.home(place) {
            home.items().iter().take_while(|item| item.id != place).for_each(|item| scope.take(item, world));
        } else {
            let before = world.externs.iter().take_while(|found| found.id != place);
            before.flat_map(Extern::items).for_each(|item| scope.take(item, world));
        }
        scope
    }
}
