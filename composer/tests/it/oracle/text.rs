//! Worlds as WIT, to be read by whoever has to find out why a test failed.

use std::fmt::Write;

use super::model::{Def, Extern, ExternKind, Field, Func, Id, ItemKind, Prim, Role, Ty, World};

/// The world as WIT text. Types that a function of the world takes from an interface are not declared in it.
pub fn world(world: &World) -> String {
    let mut text = String::new();
    for found in &world.externs {
        let name = found.name.full();
        match &found.kind {
            ExternKind::Func(func) => {
                writeln!(text, "import {name}: {};", function(world, func)).expect("a string takes it");
            }
            ExternKind::Interface(_) => {
                write!(text, "interface {name} {{\n{}}}\n", interface(world, found))
                    .expect("a string takes it");
            }
        }
    }
    text
}

fn interface(world: &World, found: &Extern) -> String {
    let mut text = String::new();
    for item in found.items() {
        let name = &item.name;
        let line = match &item.kind {
            ItemKind::Func(func) => match func.role {
                Role::Free => format!("{name}: {};", function(world, func)),
                role => {
                    let resource = role.resource().map_or("", |id| named(world, id));
                    match role {
                        Role::Constructor(_) => {
                            format!("/* {resource} */ constructor({});", fields(world, &func.params))
                        }
                        Role::Static(_) => {
                            format!("/* {resource} */ {name}: static {};", function(world, func))
                        }
                        _ => format!("/* {resource} */ {name}: {};", function(world, func)),
                    }
                }
            },
            ItemKind::Type(def) => match def {
                Def::Record(list) => format!("record {name} {{ {} }}", fields(world, list)),
                Def::Variant(list) => format!("variant {name} {{ {} }}", cases(world, list)),
                Def::Enum(list) => format!("enum {name} {{ {} }}", fields(world, list)),
                Def::Flags(list) => format!("flags {name} {{ {} }}", fields(world, list)),
                Def::Alias(ty) => format!("type {name} = {};", reference(world, ty)),
                Def::Resource => format!("resource {name};"),
                Def::Same(id) => match world.home(*id) {
                    Some(home) if home.id != found.id => {
                        format!("use {}.{{{} as {name}}};", home.name.full(), named(world, *id))
                    }
                    _ => format!("type {name} = {};", named(world, *id)),
                },
            },
        };
        writeln!(text, "    {line}").expect("a string takes it");
    }
    text
}

fn function(world: &World, func: &Func) -> String {
    let prefix = if func.is_async { "async " } else { "" };
    let result = func.result.as_ref().map_or_else(String::new, |ty| format!(" -> {}", reference(world, ty)));
    format!("{prefix}func({}){result}", fields(world, &func.params))
}

fn fields(world: &World, fields: &[Field]) -> String {
    let one = |field: &Field| match &field.ty {
        Some(ty) => format!("{}: {}", field.name, reference(world, ty)),
        None => field.name.clone(),
    };
    fields.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn cases(world: &World, cases: &[Field]) -> String {
    let one = |case: &Field| match &case.ty {
        Some(ty) => format!("{}({})", case.name, reference(world, ty)),
        None => case.name.clone(),
    };
    cases.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn named(world: &World, id: Id) -> &str {
    world.item(id).map_or("?", |item| &item.name)
}

fn reference(world: &World, ty: &Ty) -> String {
    let inner = |ty: &Ty| reference(world, ty);
    let payload =
        |ty: &Option<Box<Ty>>| ty.as_ref().map_or_else(String::new, |ty| format!("<{}>", inner(ty)));
    match ty {
        Ty::Prim(Prim::ErrorContext) => "error-context".to_owned(),
        Ty::Prim(prim) => format!("{prim:?}").to_ascii_lowercase(),
        Ty::Named(id) | Ty::Own(id) => named(world, *id).to_owned(),
        Ty::Borrow(id) => format!("borrow<{}>", named(world, *id)),
        Ty::List(ty) => format!("list<{}>", inner(ty)),
        Ty::Fixed(ty, length) => format!("list<{}, {length}>", inner(ty)),
        Ty::Map(key, ty) => format!("map<{}, {}>", inner(&Ty::Prim(*key)), inner(ty)),
        Ty::Option(ty) => format!("option<{}>", inner(ty)),
        Ty::Tuple(types) => format!("tuple<{}>", types.iter().map(inner).collect::<Vec<_>>().join(", ")),
        Ty::Stream(ty) => format!("stream{}", payload(ty)),
        Ty::Future(ty) => format!("future{}", payload(ty)),
        Ty::Result(None, None) => "result".to_owned(),
        Ty::Result(Some(ok), None) => format!("result<{}>", inner(ok)),
        Ty::Result(ok, Some(err)) => {
            let ok = ok.as_ref().map_or_else(|| "_".to_owned(), |ok| inner(ok));
            format!("result<{ok}, {}>", inner(err))
        }
    }
}
