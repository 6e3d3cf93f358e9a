//! What people do to contracts: one edit, on one side, at one place.
//!
//! A pair begins as one world twice. Each [`Edit`] changes one of the two. Edits of a pair lie on disjoint paths:
//! no edit is inside of what another one renames or removes, no two rearrange the same list, and none changes a
//! type that another one refers to. So an edit that breaks alone breaks in company as well.

use std::collections::HashSet;

use super::dice::Dice;
use super::generate::{Maker, Scope};
use super::model::{Def, ExternKind, ExternName, Field, Func, Id, Item, ItemKind, Prim, Role, Ty, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Wanted,
    Provided,
}

#[derive(Clone, Debug)]
pub struct Edit {
    pub side: Side,
    /// The extern or item that is changed, or that something is changed in.
    pub at: Id,
    pub change: Change,
}

#[derive(Clone, Debug)]
pub enum Change {
    // Of imports and exports.
    RemoveExtern,
    RenameExtern(ExternName),
    /// An interface becomes a function, or the other way round.
    Rekind(ExternKind),
    // Of the types and functions of an interface.
    RemoveItem,
    RenameItem(String),
    AddItem(Item),
    /// Changes nothing that matters.
    MoveLast,
    /// A type becomes another kind of type, or a function and a type change places.
    Redefine(ItemKind),
    Rerole(Role),
    // Of fields, cases, labels and parameters.
    RemoveField(Id),
    RenameField(Id, String),
    SwapFields(Id, Id),
    AddField(usize, Field),
    Retype(Id, Option<Ty>),
    // Of functions.
    Async,
    Result(Option<Ty>),
}

/// Worlds before and after.
#[derive(Clone, Debug)]
pub struct Pair {
    pub base: World,
    pub edits: Vec<Edit>,
}

impl Pair {
    pub fn generate(seed: u64) -> Self {
        let mut maker = Maker::new(seed);
        let base = maker.world();
        let wanted = 1 + maker.dice.below(5);
        let mut edits: Vec<Edit> = Vec::new();
        // Small worlds do not have room for five: what finds no place in some attempts is left out.
        for _ in 0..wanted * 4 {
            let Some(edit) = propose(&mut maker, &base) else { continue };
            if edits.iter().all(|other| are_disjoint(&base, &edit, other)) {
                edits.push(edit);
            }
            if edits.len() == wanted {
                break;
            }
        }
        Pair { base, edits }
    }

    /// One side, with all edits.
    pub fn side(&self, side: Side) -> World {
        let mut world = self.base.clone();
        self.edits.iter().filter(|edit| edit.side == side).for_each(|edit| edit.apply(&mut world));
        world
    }

    pub fn alone(&self, edit: &Edit) -> Self {
        Pair { base: self.base.clone(), edits: vec![edit.clone()] }
    }
}

/// An edit somewhere in the world, or nothing where chance pointed at what cannot be edited.
fn propose(maker: &mut Maker, world: &World) -> Option<Edit> {
    let side = if maker.dice.once_in(2) { Side::Wanted } else { Side::Provided };
    let interface = maker.dice.pick(&world.externs).clone();
    if maker.dice.once_in(6) {
        let change = of_extern(maker, world, interface.id)?;
        return Some(Edit { side, at: interface.id, change });
    }
    if maker.dice.once_in(8) && matches!(interface.kind, ExternKind::Interface(_)) {
        let item = new_item(maker, &Scope::of_interface(world, &interface));
        return Some(Edit { side, at: interface.id, change: Change::AddItem(item) });
    }
    let (at, change) = match &interface.kind {
        ExternKind::Func(func) => (interface.id, of_func(maker, world, interface.id, func)?),
        ExternKind::Interface(items) => {
            let item = maker.dice.pick(items);
            (item.id, of_item(maker, world, item)?)
        }
    };
    Some(Edit { side, at, change })
}

fn of_extern(maker: &mut Maker, world: &World, at: Id) -> Option<Change> {
    let found = world.find(at)?;
    let change = match (maker.dice.below(5), &found.name) {
        (0, _) if !world.is_used(at) => Change::RemoveExtern,
        (1, ExternName::Plain(_)) if !world.is_used(at) => Change::Rekind(match found.kind {
            ExternKind::Interface(_) => ExternKind::Func(maker.free_func(&Scope::default())),
            ExternKind::Func(_) => ExternKind::Interface(vec![new_item(maker, &Scope::default())]),
        }),
        (2 | 3, ExternName::Interface { package, interface, version: Some(version) }) => {
            let version = Some(another_version(&mut maker.dice, version));
            Change::RenameExtern(ExternName::Interface {
                version,
                package: package.clone(),
                interface: interface.clone(),
            })
        }
        (_, ExternName::Plain(_)) => Change::RenameExtern(ExternName::Plain(maker.name())),
        (_, ExternName::Interface { package, version, .. }) => {
            let interface = maker.name().to_ascii_lowercase();
            Change::RenameExtern(ExternName::Interface {
                interface,
                package: package.clone(),
                version: version.clone(),
            })
        }
    };
    Some(change)
}

/// A version that differs in one number, up or down, or is a prerelease.
fn another_version(dice: &mut Dice, version: &str) -> String {
    let mut numbers: Vec<u64> =
        version.split('.').map(|part| part.parse().expect("it is a number")).collect();
    let at = dice.below(3);
    numbers[at] = if dice.once_in(2) || numbers[at] == 0 { numbers[at] + 1 } else { numbers[at] - 1 };
    let suffix = if dice.once_in(6) { "-rc.1" } else { "" };
    format!("{}.{}.{}{suffix}", numbers[0], numbers[1], numbers[2])
}

fn new_item(maker: &mut Maker, scope: &Scope) -> Item {
    let kind = if maker.dice.once_in(3) {
        ItemKind::Type(maker.def(scope))
    } else {
        ItemKind::Func(maker.free_func(scope))
    };
    Item { id: maker.id(), name: maker.name(), kind }
}

fn of_item(maker: &mut Maker, world: &World, item: &Item) -> Option<Change> {
    match maker.dice.below(12) {
        0 if !world.is_mentioned(item.id) => return Some(Change::RemoveItem),
        1 if !matches!(item.kind, ItemKind::Func(Func { role: Role::Constructor(_), .. })) => {
            // Sometimes only the case differs: enough for it to be another name.
            let name = if maker.dice.once_in(4) { other_case(&item.name) } else { maker.name() };
            return Some(Change::RenameItem(name));
        }
        2 if !world.is_mentioned(item.id) => return Some(Change::MoveLast),
        3 if !world.is_mentioned(item.id) => {
            let scope = Scope::at(world, item.id);
            return Some(Change::Redefine(match item.kind {
                ItemKind::Func(_) => ItemKind::Type(Def::Alias(Ty::Prim(Prim::U32))),
                ItemKind::Type(_) => ItemKind::Func(maker.free_func(&scope)),
            }));
        }
        _ => {}
    }
    match &item.kind {
        ItemKind::Func(func) => of_func(maker, world, item.id, func),
        ItemKind::Type(def) => of_def(maker, world, item, def),
    }
}

fn of_def(maker: &mut Maker, world: &World, item: &Item, def: &Def) -> Option<Change> {
    let scope = Scope::at(world, item.id);
    let dice = &mut maker.dice;
    let change = match def {
        Def::Enum(labels) if dice.once_in(6) => Change::Redefine(ItemKind::Type(Def::Flags(labels.clone()))),
        Def::Enum(labels) if dice.once_in(6) => {
            Change::Redefine(ItemKind::Type(Def::Variant(labels.clone())))
        }
        Def::Flags(labels) if dice.once_in(6) => Change::Redefine(ItemKind::Type(Def::Enum(labels.clone()))),
        Def::Record(fields) if dice.once_in(6) => {
            Change::Redefine(ItemKind::Type(Def::Variant(fields.clone())))
        }
        Def::Record(_) => {
            return of_fields(
                maker,
                &scope,
                item.id,
                def.fields()?,
                Members { bare: 0, borrows: false, least: 1 },
            );
        }
        Def::Variant(_) => {
            return of_fields(
                maker,
                &scope,
                item.id,
                def.fields()?,
                Members { bare: 3, borrows: false, least: 1 },
            );
        }
        Def::Enum(_) | Def::Flags(_) => {
            return of_fields(
                maker,
                &scope,
                item.id,
                def.fields()?,
                Members { bare: 1, borrows: false, least: 1 },
            );
        }
        Def::Alias(old) => {
            let new = mutate(maker, &scope, old, false);
            // A `char` of another name may be what a stream carries, which is not valid.
            let new = if new == Ty::Prim(Prim::Char) { maker.alias(&scope) } else { new };
            (new != *old).then_some(Change::Redefine(ItemKind::Type(Def::Alias(new))))?
        }
        // Two resources become one, or one of them two; functions of the resource itself keep it from that.
        Def::Resource => {
            let own = |other: &Item| matches!(&other.kind, ItemKind::Func(func) if func.role.resource() == Some(item.id));
            if scope.resources.is_empty() || world.items().any(own) {
                return None;
            }
            Change::Redefine(ItemKind::Type(Def::Same(*maker.dice.pick(&scope.resources))))
        }
        Def::Same(_) if world.is_resource(item.id) => {
            let others: Vec<Id> =
                scope.resources.iter().copied().filter(|id| Def::Same(*id) != *def).collect();
            let own = |other: &Item| matches!(&other.kind, ItemKind::Func(func) if func.role.resource() == Some(item.id));
            if world.items().any(own) {
                return None;
            }
            let new = if others.is_empty() || dice.once_in(2) {
                Def::Resource
            } else {
                Def::Same(*dice.pick(&others))
            };
            Change::Redefine(ItemKind::Type(new))
        }
        Def::Same(_) => Change::Redefine(ItemKind::Type(Def::Alias(maker.alias(&scope)))),
    };
    Some(change)
}

fn of_func(maker: &mut Maker, world: &World, at: Id, func: &Func) -> Option<Change> {
    let scope = Scope::at(world, at);
    let constructor = matches!(func.role, Role::Constructor(_));
    match maker.dice.below(8) {
        0 | 1 if !constructor => Some(Change::Async),
        2 | 3 if !constructor => {
            let new = match &func.result {
                Some(old) if !maker.dice.once_in(4) => Some(mutate(maker, &scope, old, false)),
                Some(_) => None,
                None => Some(maker.ty(&scope, 0, false)),
            };
            (new != func.result).then_some(Change::Result(new))
        }
        4 => match func.role {
            Role::Method(resource) => Some(Change::Rerole(Role::Static(resource))),
            Role::Static(resource) => Some(Change::Rerole(Role::Method(resource))),
            _ => None,
        },
        _ => of_fields(maker, &scope, at, &func.params, Members { bare: 0, borrows: true, least: 0 }),
    }
}

/// What may be in a list of fields, cases, labels or parameters.
struct Members {
    /// One in so many has no type; all have one where it is zero, and none where it is one.
    bare: usize,
    borrows: bool,
    /// How many there must be.
    least: usize,
}

fn of_fields(
    maker: &mut Maker,
    scope: &Scope,
    _at: Id,
    fields: &[Field],
    members: Members,
) -> Option<Change> {
    if fields.is_empty() {
        return Some(Change::AddField(0, maker.field(scope, members.bare, members.borrows)));
    }
    let field = maker.dice.pick(fields).clone();
    match maker.dice.below(8) {
        0 if fields.len() > members.least => Some(Change::RemoveField(field.id)),
        1 => Some(Change::RenameField(field.id, maker.name())),
        2 => Some(Change::RenameField(field.id, other_case(&field.name))),
        3 => {
            let place = maker.dice.below(fields.len() + 1);
            Some(Change::AddField(place, maker.field(scope, members.bare, members.borrows)))
        }
        4 => {
            let other = maker.dice.pick(fields);
            (other.id != field.id).then_some(Change::SwapFields(field.id, other.id))
        }
        _ => {
            let new = match &field.ty {
                Some(_) if members.bare > 1 && maker.dice.once_in(4) => None,
                Some(old) => Some(mutate(maker, scope, old, members.borrows)),
                None if members.bare > 1 => Some(maker.ty(scope, 0, members.borrows)),
                None => None,
            };
            (new != field.ty).then_some(Change::Retype(field.id, new))
        }
    }
}

/// Names are of one case throughout, so the other one is a name as well.
fn other_case(name: &str) -> String {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        name.to_ascii_lowercase()
    } else {
        name.to_ascii_uppercase()
    }
}

/// The same type with something changed at some depth; by chance it may come out the same.
fn mutate(maker: &mut Maker, scope: &Scope, old: &Ty, borrows: bool) -> Ty {
    let mut new = old.clone();
    let inside_channel = matches!(old, Ty::Stream(_) | Ty::Future(_));
    let mut children = new.children_mut();
    if !children.is_empty() && !maker.dice.once_in(3) {
        let at = maker.dice.below(children.len());
        let child = mutate(maker, scope, children[at], borrows && !inside_channel);
        if !(inside_channel && child == Ty::Prim(Prim::Char)) {
            *children[at] = child;
        }
        return new;
    }
    match (old, maker.dice.below(3)) {
        (Ty::Own(id), 0) if borrows => Ty::Borrow(*id),
        (Ty::Borrow(id), 0) => Ty::Own(*id),
        (Ty::Fixed(inner, length), 0) => Ty::Fixed(inner.clone(), length + 1),
        (Ty::Fixed(inner, _), 1) => Ty::List(inner.clone()),
        (Ty::Tuple(types), 0) if types.len() > 1 => Ty::Tuple(types[1..].to_vec()),
        (Ty::Stream(payload), 0) => Ty::Future(payload.clone()),
        (Ty::Result(ok, err), 0) => Ty::Result(err.clone(), ok.clone()),
        (Ty::Result(Some(_), err), 1) => Ty::Result(None, err.clone()),
        (Ty::Option(inner), 0) | (Ty::List(inner), 0) => (**inner).clone(),
        _ => maker.ty(scope, 0, borrows),
    }
}

impl Edit {
    pub fn apply(&self, world: &mut World) {
        match &self.change {
            Change::RemoveExtern => world.externs.retain(|found| found.id != self.at),
            Change::RenameExtern(name) => world.find_mut(self.at).expect("it is there").name = name.clone(),
            Change::Rekind(kind) => world.find_mut(self.at).expect("it is there").kind = kind.clone(),
            Change::AddItem(item) => self.items(world).push(item.clone()),
            Change::RemoveItem => self.items(world).retain(|item| item.id != self.at),
            Change::MoveLast => {
                let items = self.items(world);
                let place = items.iter().position(|item| item.id == self.at).expect("it is there");
                let item = items.remove(place);
                items.push(item);
            }
            Change::RenameItem(name) => world.item_mut(self.at).expect("it is there").name = name.clone(),
            Change::Redefine(kind) => world.item_mut(self.at).expect("it is there").kind = kind.clone(),
            Change::Rerole(role) => self.func(world).role = *role,
            Change::Async => {
                let func = self.func(world);
                func.is_async = !func.is_async;
            }
            Change::Result(ty) => self.func(world).result = ty.clone(),
            Change::RemoveField(id) => self.fields(world).retain(|field| field.id != *id),
            Change::RenameField(id, name) => self.field(world, *id).name = name.clone(),
            Change::Retype(id, ty) => self.field(world, *id).ty = ty.clone(),
            // Other edits may have taken fields away before.
            Change::AddField(place, field) => {
                let fields = self.fields(world);
                fields.insert((*place).min(fields.len()), field.clone());
            }
            Change::SwapFields(one, other) => {
                let fields = self.fields(world);
                let place = |id| fields.iter().position(|field: &Field| field.id == id).expect("it is there");
                let (one, other) = (place(*one), place(*other));
                fields.swap(one, other);
            }
        }
    }

    fn items<'w>(&self, world: &'w mut World) -> &'w mut Vec<Item> {
        let home = world.home(self.at).map_or(self.at, |home| home.id);
        match &mut world.find_mut(home).expect("it is there").kind {
            ExternKind::Interface(items) => items,
            ExternKind::Func(_) => panic!("a function has no items"),
        }
    }

    fn func<'w>(&self, world: &'w mut World) -> &'w mut Func {
        world.func_mut(self.at).expect("it is a function")
    }

    fn fields<'w>(&self, world: &'w mut World) -> &'w mut Vec<Field> {
        if world.func(self.at).is_some() {
            return &mut self.func(world).params;
        }
        match &mut world.item_mut(self.at).expect("it is there").kind {
            ItemKind::Type(def) => def.fields_mut().expect("it has fields"),
            ItemKind::Func(_) => unreachable!("functions are dealt with above"),
        }
    }

    fn field<'w>(&self, world: &'w mut World, id: Id) -> &'w mut Field {
        self.fields(world).iter_mut().find(|field| field.id == id).expect("it is there")
    }

    /// The way to what is changed: extern, item, member. Lists have a member of their own, so that only one edit
    /// rearranges a list.
    fn path(&self, base: &World) -> Vec<Step> {
        let mut path = Vec::new();
        path.extend(base.home(self.at).map(|home| Step::Node(home.id)));
        path.push(Step::Node(self.at));
        match &self.change {
            Change::AddItem(item) => path.push(Step::Node(item.id)),
            Change::RemoveField(_)
            | Change::RenameField(..)
            | Change::SwapFields(..)
            | Change::AddField(..) => {
                path.push(Step::List);
            }
            Change::Retype(id, _) => path.push(Step::Node(*id)),
            Change::Async => path.push(Step::Async),
            Change::Result(_) => path.push(Step::Result),
            _ => {}
        }
        path
    }

    /// All named types that it touches or refers to, before and after.
    fn reach(&self, base: &World) -> HashSet<Id> {
        let mut open = Vec::new();
        let mut note = |ty: &Ty| ty.mentions(&mut open);
        let old = |id: &Id| {
            base.func(self.at).map(|f| &f.params[..]).or_else(|| def_fields(base, self.at)).and_then(
                |fields| fields.iter().find(|field| field.id == *id).and_then(|field| field.ty.clone()),
            )
        };
        match &self.change {
            Change::Retype(id, new) => old(id).iter().chain(new).for_each(&mut note),
            Change::RemoveField(id) => old(id).iter().for_each(&mut note),
            Change::AddField(_, field) => field.ty.iter().for_each(&mut note),
            Change::Result(new) => {
                base.func(self.at)
                    .and_then(|func| func.result.as_ref())
                    .into_iter()
                    .chain(new)
                    .for_each(&mut note);
            }
            Change::AddItem(item) => open.extend(item.mentions()),
            Change::Redefine(kind) => {
                let new = Item { id: self.at, name: String::new(), kind: kind.clone() };
                open.extend(new.mentions());
                open.extend(base.item(self.at).map(Item::mentions).unwrap_or_default());
            }
            Change::Rerole(role) => open.extend(role.resource()),
            _ => {}
        }
        let mut reach = HashSet::new();
        while let Some(id) = open.pop() {
            if reach.insert(id) {
                open.extend(base.item(id).map(Item::mentions).unwrap_or_default());
            }
        }
        reach
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Node(Id),
    List,
    Async,
    Result,
}

fn def_fields(world: &World, item: Id) -> Option<&[Field]> {
    match &world.item(item)?.kind {
        ItemKind::Type(def) => def.fields(),
        ItemKind::Func(_) => None,
    }
}

fn are_disjoint(base: &World, one: &Edit, other: &Edit) -> bool {
    let (path, other_path) = (one.path(base), other.path(base));
    let shared = path.len().min(other_path.len());
    if path[..shared] == other_path[..shared] {
        return false;
    }
    // The type of a field that is taken away or moved is changed by nobody else.
    let member = |edit: &Edit| match &edit.change {
        Change::Retype(id, _) | Change::RemoveField(id) | Change::RenameField(id, _) => vec![*id],
        Change::SwapFields(one, other) => vec![*one, *other],
        _ => vec![],
    };
    if member(one).iter().any(|id| member(other).contains(id)) {
        return false;
    }
    // Renaming or redefining a resource changes its functions, whose role leads there.
    let leads = |edit: &Edit, to: &Edit| {
        let mut reach = edit.reach(base);
        reach.extend(base.func(edit.at).and_then(|func| func.role.resource()));
        reach.iter().any(|id| *id == to.at || base.home(*id).is_some_and(|home| home.id == to.at))
    };
    !leads(one, other) && !leads(other, one)
}
