//! Writes worlds into binaries, with nothing but `wasm-encoder`.
//!
//! A [`Scene`] is a component in the making: its interfaces are imported one after the other, and types that one
//! uses of another are aliased out of the instance that was imported before, as every tool does it.

use std::collections::HashMap;

use wasm_encoder::{
    Alias, ComponentBuilder, ComponentExportKind, ComponentOuterAliasKind, ComponentTypeEncoder,
    ComponentTypeRef, ComponentValType, InstanceType, PrimitiveValType, TypeBounds,
};

use super::model::{Def, Extern, ExternKind, Field, Func, Id, Item, ItemKind, Prim, Role, Ty, World};

/// Where types are being written: a component, or the type of an instance in it.
pub trait Place {
    /// Begins a type, and answers with its index.
    fn begin(&mut self) -> (u32, ComponentTypeEncoder<'_>);
    /// The index of a named type or resource at this place.
    fn named(&mut self, id: Id) -> u32;
}

/// A component in the making, with what was imported into it so far.
pub struct Scene<'a> {
    pub world: &'a World,
    pub builder: ComponentBuilder,
    /// Imported instances and functions, by extern.
    pub imported: HashMap<Id, (ComponentExportKind, u32)>,
    aliased: HashMap<Id, u32>,
}

impl<'a> Scene<'a> {
    pub fn new(world: &'a World) -> Self {
        Scene::on(ComponentBuilder::default(), world)
    }

    /// Another world in a component that has something in it.
    pub fn on(builder: ComponentBuilder, world: &'a World) -> Self {
        Scene { world, builder, imported: HashMap::new(), aliased: HashMap::new() }
    }

    /// Imports everything of the world, each under the name that `name` gives it.
    pub fn import_all(&mut self, name: impl Fn(&Extern) -> String) {
        for found in &self.world.externs {
            self.import(found, &name(found));
        }
    }

    /// Imports one thing of the world under this name.
    pub fn import(&mut self, found: &Extern, name: &str) {
        let reference = match &found.kind {
            ExternKind::Interface(items) => ComponentTypeRef::Instance(self.instance_type(items)),
            ExternKind::Func(func) => ComponentTypeRef::Func(func_type(self, func)),
        };
        let index = self.builder.import(name, reference);
        self.imported.insert(found.id, (reference.kind(), index));
    }

    /// Sets the index by which a type is known from now on.
    pub fn learn(&mut self, id: Id, index: u32) {
        self.aliased.insert(id, index);
    }

    /// A type is taken from its interface from now on.
    pub fn forget(&mut self, id: Id) {
        self.aliased.remove(&id);
    }

    fn instance_type(&mut self, items: &[Item]) -> u32 {
        let mut place = Inside { scene: self, ty: InstanceType::new(), known: HashMap::new() };
        items.iter().for_each(|item| place.item(item));
        let ty = place.ty;
        self.builder.type_instance(None, &ty)
    }
}

impl Place for Scene<'_> {
    fn begin(&mut self) -> (u32, ComponentTypeEncoder<'_>) {
        self.builder.ty(None)
    }

    fn named(&mut self, id: Id) -> u32 {
        if let Some(&index) = self.aliased.get(&id) {
            return index;
        }
        let home = self.world.home(id).expect("what is mentioned exists");
        let item = self.world.item(id).expect("what is mentioned exists");
        let (_, instance) = self.imported[&home.id];
        let index = self.builder.alias_export(instance, &item.name, ComponentExportKind::Type);
        self.aliased.insert(id, index);
        index
    }
}

/// The type of an instance in the making.
struct Inside<'s, 'a> {
    scene: &'s mut Scene<'a>,
    ty: InstanceType,
    known: HashMap<Id, u32>,
}

impl Inside<'_, '_> {
    fn item(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Type(Def::Resource) => self.export_type(item, TypeBounds::SubResource),
            ItemKind::Type(Def::Same(id)) => {
                let index = self.named(*id);
                self.export_type(item, TypeBounds::Eq(index));
            }
            ItemKind::Type(def) => {
                let index = def_type(self, def);
                self.export_type(item, TypeBounds::Eq(index));
            }
            ItemKind::Func(func) => {
                let index = func_type(self, func);
                self.ty.export(self.scene.world.full_name(item).as_str(), ComponentTypeRef::Func(index));
            }
        }
    }

    fn export_type(&mut self, item: &Item, bounds: TypeBounds) {
        self.known.insert(item.id, self.ty.type_count());
        self.ty.export(item.name.as_str(), ComponentTypeRef::Type(bounds));
    }
}

impl Place for Inside<'_, '_> {
    fn begin(&mut self) -> (u32, ComponentTypeEncoder<'_>) {
        (self.ty.type_count(), self.ty.ty())
    }

    fn named(&mut self, id: Id) -> u32 {
        if let Some(&index) = self.known.get(&id) {
            return index;
        }
        let outer = self.scene.named(id);
        let index = self.ty.type_count();
        self.ty.alias(Alias::Outer { kind: ComponentOuterAliasKind::Type, count: 1, index: outer });
        self.known.insert(id, index);
        index
    }
}

pub fn def_type(place: &mut impl Place, def: &Def) -> u32 {
    let names = |fields: &[Field]| fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
    match def {
        Def::Record(fields) => {
            let fields = typed(place, fields);
            let (index, ty) = place.begin();
            ty.defined_type().record(fields.iter().map(|(name, ty)| (name.as_str(), *ty)));
            index
        }
        Def::Variant(cases) => {
            let types: Vec<_> =
                cases.iter().map(|case| case.ty.as_ref().map(|ty| val_type(place, ty))).collect();
            let (index, ty) = place.begin();
            ty.defined_type().variant(cases.iter().map(|case| case.name.as_str()).zip(types));
            index
        }
        Def::Enum(cases) => {
            let (index, ty) = place.begin();
            ty.defined_type().enum_type(names(cases).iter().map(String::as_str));
            index
        }
        Def::Flags(flags) => {
            let (index, ty) = place.begin();
            ty.defined_type().flags(names(flags).iter().map(String::as_str));
            index
        }
        Def::Alias(ty) => match val_type(place, ty) {
            ComponentValType::Type(index) => index,
            ComponentValType::Primitive(prim) => {
                let (index, ty) = place.begin();
                ty.defined_type().primitive(prim);
                index
            }
        },
        Def::Resource | Def::Same(_) => unreachable!("these are exports, not definitions"),
    }
}

fn typed(place: &mut impl Place, fields: &[Field]) -> Vec<(String, ComponentValType)> {
    let typed = |field: &Field| field.ty.as_ref().map(|ty| (field.name.clone(), val_type(place, ty)));
    fields.iter().filter_map(typed).collect()
}

pub fn func_type(place: &mut impl Place, func: &Func) -> u32 {
    let mut params = Vec::new();
    if let Role::Method(resource) = func.role {
        params.push(("self".to_owned(), val_type(place, &Ty::Borrow(resource))));
    }
    params.extend(typed(place, &func.params));
    let result = match (func.role, &func.result) {
        (Role::Constructor(resource), _) => Some(val_type(place, &Ty::Own(resource))),
        (_, result) => result.as_ref().map(|ty| val_type(place, ty)),
    };
    let (index, ty) = place.begin();
    ty.function()
        .async_(func.is_async)
        .params(params.iter().map(|(name, ty)| (name.as_str(), *ty)))
        .result(result);
    index
}

fn val_type(place: &mut impl Place, ty: &Ty) -> ComponentValType {
    let prim = match ty {
        Ty::Prim(prim) => return ComponentValType::Primitive(primitive(*prim)),
        Ty::Named(id) => return ComponentValType::Type(place.named(*id)),
        Ty::Map(key, _) => Some(primitive(*key)),
        _ => None,
    };
    let resource = match ty {
        Ty::Own(id) | Ty::Borrow(id) => Some(place.named(*id)),
        _ => None,
    };
    let inner: Vec<ComponentValType> =
        ty.children().into_iter().map(|child| val_type(place, child)).collect();
    let (index, encoder) = place.begin();
    let encoder = encoder.defined_type();
    match ty {
        Ty::Prim(_) | Ty::Named(_) => unreachable!("these are answered above"),
        Ty::Own(_) => encoder.own(resource.expect("it is set for handles")),
        Ty::Borrow(_) => encoder.borrow(resource.expect("it is set for handles")),
        Ty::List(_) => encoder.list(inner[0]),
        Ty::Fixed(_, length) => encoder.fixed_length_list(inner[0], *length),
        Ty::Map(..) => encoder.map(prim.expect("it is set for maps"), inner[0]),
        Ty::Option(_) => encoder.option(inner[0]),
        Ty::Result(ok, err) => {
            let mut inner = inner.into_iter();
            let ok = ok.as_ref().and_then(|_| inner.next());
            let err = err.as_ref().and_then(|_| inner.next());
            encoder.result(ok, err);
        }
        Ty::Tuple(_) => encoder.tuple(inner),
        Ty::Stream(_) => encoder.stream(inner.first().copied()),
        Ty::Future(_) => encoder.future(inner.first().copied()),
    }
    ComponentValType::Type(index)
}

fn primitive(prim: Prim) -> PrimitiveValType {
    match prim {
        Prim::Bool => PrimitiveValType::Bool,
        Prim::U8 => PrimitiveValType::U8,
        Prim::S8 => PrimitiveValType::S8,
        Prim::U16 => PrimitiveValType::U16,
        Prim::S16 => PrimitiveValType::S16,
        Prim::U32 => PrimitiveValType::U32,
        Prim::S32 => PrimitiveValType::S32,
        Prim::U64 => PrimitiveValType::U64,
        Prim::S64 => PrimitiveValType::S64,
        Prim::F32 => PrimitiveValType::F32,
        Prim::F64 => PrimitiveValType::F64,
        Prim::Char => PrimitiveValType::Char,
        Prim::String => PrimitiveValType::String,
        Prim::ErrorContext => PrimitiveValType::ErrorContext,
    }
}

/// A component that imports a world, and does nothing with it.
pub fn socket(wanted: &World) -> Vec<u8> {
    let mut scene = Scene::new(wanted);
    scene.import_all(|found| found.name.full());
    scene.builder.finish()
}

/// A component that exports a world: what it exports, it imports under another name.
pub fn plug(provided: &World) -> Vec<u8> {
    let mut scene = Scene::new(provided);
    scene.import_all(source);
    for found in &provided.externs {
        let (kind, index) = scene.imported[&found.id];
        scene.builder.export(found.name.full().as_str(), kind, index, None);
    }
    scene.builder.finish()
}

/// The name under which a plug imports what it exports.
pub fn source(found: &Extern) -> String {
    match found.name.full().strip_prefix("test:") {
        Some(rest) => format!("behind:{rest}"),
        None => format!("behind-{}", found.name.full()),
    }
}
