//! Plugs that define what they export: resources of their own, and functions lifted out of a core module.
//!
//! Each interface goes through a component of its own, as the usual tools do it: it takes types and functions in
//! under made-up names, and exports them under theirs, because functions of a resource can only be named where
//! the resource is.

use std::collections::HashMap;

use wasm_encoder::{
    CanonicalOption, CodeSection, ComponentBuilder, ComponentExportKind, ComponentTypeEncoder,
    ComponentTypeRef, ExportKind, ExportSection, Function, FunctionSection, MemorySection, MemoryType,
    Module, ModuleArg, TypeBounds, TypeSection, ValType,
};

use super::encode::{Place, Scene, def_type, func_type};
use super::model::{Def, Extern, ExternKind, Field, Func, Id, Item, ItemKind, Prim, Role, Ty, World};

/// Parameters that are passed flat, at most; more go through memory.
const FLAT_PARAMS: usize = 16;

/// A component without imports that exports this world. Calling its functions traps.
pub fn plug(world: &World) -> Vec<u8> {
    let mut scene = Scene::new(world);
    let lifted: Vec<(Id, &Func)> = world.externs.iter().flat_map(functions).collect();
    let module = scene.builder.core_module(None, &module(world, &lifted));
    let core = scene.builder.core_instantiate(None, module, Vec::<(&str, ModuleArg)>::new());
    let options = [
        CanonicalOption::UTF8,
        CanonicalOption::Memory(scene.builder.core_alias_export(None, core, "memory", ExportKind::Memory)),
        CanonicalOption::Realloc(scene.builder.core_alias_export(None, core, "realloc", ExportKind::Func)),
    ];
    let mut plug = Plug { scene, core, options: options.to_vec() };
    for found in &world.externs {
        plug.export(found);
    }
    plug.scene.builder.finish()
}

fn functions(found: &Extern) -> Vec<(Id, &Func)> {
    match &found.kind {
        ExternKind::Func(func) => vec![(found.id, func)],
        ExternKind::Interface(items) => {
            let func = items.iter().filter_map(|item| match &item.kind {
                ItemKind::Func(func) => Some((item.id, func)),
                ItemKind::Type(_) => None,
            });
            func.collect()
        }
    }
}

/// A module that has the right signature for each function.
fn module(world: &World, lifted: &[(Id, &Func)]) -> Module {
    let mut types = TypeSection::new();
    let mut functions = FunctionSection::new();
    let mut memories = MemorySection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    exports.export("memory", ExportKind::Memory, 0);
    let mut add = |name: &str, params: Vec<ValType>, results: Vec<ValType>| {
        exports.export(name, ExportKind::Func, functions.len());
        functions.function(types.len());
        types.ty().function(params, results);
        let mut body = Function::new([]);
        body.instructions().unreachable().end();
        code.function(&body);
    };
    add("realloc", vec![ValType::I32; 4], vec![ValType::I32]);
    for (id, func) in lifted {
        let mut params = Vec::new();
        if matches!(func.role, Role::Method(_)) {
            params.push(ValType::I32);
        }
        func.params
            .iter()
            .filter_map(|param| param.ty.as_ref())
            .for_each(|ty| params.extend(flat(world, ty)));
        if params.len() > FLAT_PARAMS {
            params = vec![ValType::I32];
        }
        let results = match (func.role, &func.result) {
            (Role::Constructor(_), _) => vec![ValType::I32],
            (_, result) => result.as_ref().map_or_else(Vec::new, |ty| flat(world, ty)),
        };
        add(&id.to_string(), params, if results.len() > 1 { vec![ValType::I32] } else { results });
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&memories).section(&exports).section(&code);
    module
}

/// The core values that a value of this type is passed as.
fn flat(world: &World, ty: &Ty) -> Vec<ValType> {
    match ty {
        Ty::Prim(prim) => match prim {
            Prim::U64 | Prim::S64 => vec![ValType::I64],
            Prim::F32 => vec![ValType::F32],
            Prim::F64 => vec![ValType::F64],
            Prim::String => vec![ValType::I32; 2],
            _ => vec![ValType::I32],
        },
        Ty::Own(_) | Ty::Borrow(_) | Ty::Stream(_) | Ty::Future(_) => vec![ValType::I32],
        Ty::List(_) | Ty::Map(..) => vec![ValType::I32; 2],
        Ty::Fixed(ty, length) => (0..*length).flat_map(|_| flat(world, ty)).collect(),
        Ty::Tuple(types) => types.iter().flat_map(|ty| flat(world, ty)).collect(),
        Ty::Option(ty) => one_of(&[vec![], flat(world, ty)]),
        Ty::Result(ok, err) => {
            let payload = |ty: &Option<Box<Ty>>| ty.as_ref().map_or_else(Vec::new, |ty| flat(world, ty));
            one_of(&[payload(ok), payload(err)])
        }
        Ty::Named(id) => {
            let of = |field: &Field| field.ty.as_ref().map_or_else(Vec::new, |ty| flat(world, ty));
            match world.definition(*id).expect("what is mentioned exists").1 {
                Def::Record(fields) => fields.iter().flat_map(of).collect(),
                Def::Variant(cases) => one_of(&cases.iter().map(of).collect::<Vec<_>>()),
                Def::Alias(ty) => flat(world, ty),
                Def::Enum(_) | Def::Flags(_) | Def::Resource | Def::Same(_) => vec![ValType::I32],
            }
        }
    }
}

/// A discriminant, and room for whichever payload it is.
fn one_of(payloads: &[Vec<ValType>]) -> Vec<ValType> {
    let mut joined: Vec<ValType> = Vec::new();
    for payload in payloads {
        for (at, ty) in payload.iter().enumerate() {
            match joined.get_mut(at) {
                None => joined.push(*ty),
                Some(known) if known == ty => {}
                Some(known)
                    if matches!(
                        (*known, ty),
                        (ValType::I32, ValType::F32) | (ValType::F32, ValType::I32)
                    ) =>
                {
                    *known = ValType::I32;
                }
                Some(known) => *known = ValType::I64,
            }
        }
    }
    joined.insert(0, ValType::I32);
    joined
}

struct Plug<'a> {
    scene: Scene<'a>,
    core: u32,
    options: Vec<CanonicalOption>,
}

impl Plug<'_> {
    fn export(&mut self, found: &Extern) {
        let name = found.name.full();
        let (kind, index) = match &found.kind {
            ExternKind::Func(func) => (ComponentExportKind::Func, self.lift(found.id, func)),
            ExternKind::Interface(items) => {
                let arguments = self.define(items);
                let shim = shim(&self.scene, items);
                let component = self.scene.builder.component(None, shim);
                (ComponentExportKind::Instance, self.scene.builder.instantiate(None, component, arguments))
            }
        };
        let exported = self.scene.builder.export(name.as_str(), kind, index, None);
        self.scene.imported.insert(found.id, (kind, exported));
        // Whoever uses these types from now on takes them from what is exported.
        found.items().iter().for_each(|item| self.scene.forget(item.id));
    }

    /// Defines and lifts everything of an interface; answers with what its shim is to be given.
    fn define(&mut self, items: &[Item]) -> Vec<(String, ComponentExportKind, u32)> {
        let instance =
            |(found, index): (&Extern, u32)| (found.name.full(), ComponentExportKind::Instance, index);
        let mut arguments: Vec<_> = before(&self.scene).into_iter().map(instance).collect();
        for item in items {
            let (kind, index) = match &item.kind {
                ItemKind::Func(func) => (ComponentExportKind::Func, self.lift(item.id, func)),
                ItemKind::Type(def) => {
                    let index = match def {
                        Def::Resource => self.scene.builder.type_resource(None, ValType::I32, None),
                        Def::Same(id) => self.scene.named(*id),
                        def => def_type(&mut self.scene, def),
                    };
                    self.scene.learn(item.id, index);
                    (ComponentExportKind::Type, index)
                }
            };
            arguments.push((hidden(item), kind, index));
        }
        arguments
    }

    fn lift(&mut self, id: Id, func: &Func) -> u32 {
        let ty = func_type(&mut self.scene, func);
        let core = self.scene.builder.core_alias_export(None, self.core, &id.to_string(), ExportKind::Func);
        self.scene.builder.lift_func(None, core, ty, self.options.iter().copied())
    }
}

/// The name by which a shim imports an item.
fn hidden(item: &Item) -> String {
    format!("hidden{}", item.id)
}

/// The interfaces exported so far, whose types the next one may use.
fn before<'a>(scene: &Scene<'a>) -> Vec<(&'a Extern, u32)> {
    let interfaces =
        scene.world.externs.iter().filter(|found| matches!(found.kind, ExternKind::Interface(_)));
    interfaces.filter_map(|found| scene.imported.get(&found.id).map(|(_, index)| (found, *index))).collect()
}

/// A component that imports everything of an interface piece by piece, and exports it under its names.
fn shim(outer: &Scene, items: &[Item]) -> ComponentBuilder {
    let mut scene = Scene::new(outer.world);
    for (found, _) in before(outer) {
        scene.import(found, &found.name.full());
    }
    let mut functions = Vec::new();
    for item in items {
        let reference = match &item.kind {
            ItemKind::Func(func) => ComponentTypeRef::Func(func_type(&mut scene, func)),
            ItemKind::Type(Def::Resource) => ComponentTypeRef::Type(TypeBounds::SubResource),
            ItemKind::Type(Def::Same(id)) => ComponentTypeRef::Type(TypeBounds::Eq(scene.named(*id))),
            ItemKind::Type(def) => ComponentTypeRef::Type(TypeBounds::Eq(def_type(&mut scene, def))),
        };
        let index = scene.builder.import(hidden(item).as_str(), reference);
        match &item.kind {
            ItemKind::Func(_) => functions.push(index),
            ItemKind::Type(_) => scene.learn(item.id, index),
        }
    }
    let mut functions = functions.into_iter();
    let mut names = Exported { scene: &mut scene, known: HashMap::new() };
    for item in items {
        let name = names.scene.world.full_name(item);
        match &item.kind {
            ItemKind::Func(func) => {
                let ty = func_type(&mut names, func);
                let index = functions.next().expect("all of them were imported");
                let ty = Some(ComponentTypeRef::Func(ty));
                names.scene.builder.export(name.as_str(), ComponentExportKind::Func, index, ty);
            }
            ItemKind::Type(def) => {
                // Defined anew, in terms of what was exported: a resource comes in as it is, and a name that
                // stands for another one means what that was exported as.
                let index = match def {
                    Def::Resource => names.scene.named(item.id),
                    Def::Same(id) => names.known.get(id).copied().unwrap_or_else(|| names.scene.named(*id)),
                    def => def_type(&mut names, def),
                };
                let index = names.scene.builder.export(name.as_str(), ComponentExportKind::Type, index, None);
                names.known.insert(item.id, index);
            }
        }
    }
    scene.builder
}

/// The same component where its exports are written: types are those that were exported.
struct Exported<'s, 'a> {
    scene: &'s mut Scene<'a>,
    known: HashMap<Id, u32>,
}

impl Place for Exported<'_, '_> {
    fn begin(&mut self) -> (u32, ComponentTypeEncoder<'_>) {
        self.scene.begin()
    }

    fn named(&mut self, id: Id) -> u32 {
        self.known[&id]
    }
}
