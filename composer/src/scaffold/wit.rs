//! Types and signatures as the contract writes them.

use wit_parser::{Function, FunctionKind, Handle, Resolve, Type, TypeDefKind};

/// A function's signature, such as `greet: func(name: string) -> string`.
pub fn signature(resolve: &Resolve, function: &Function) -> String {
    let skipped = usize::from(matches!(function.kind, FunctionKind::Method(_)));
    let params = function.params.iter().skip(skipped);
    let params = params.map(|param| format!("{}: {}", param.name, name(resolve, param.ty)));
    let params = params.collect::<Vec<_>>().join(", ");
    match (&function.kind, function.result) {
        (FunctionKind::Constructor(_), _) => format!("constructor({params})"),
        (kind, result) => {
            let fixed = if matches!(kind, FunctionKind::Static(_)) { "static " } else { "" };
            let result = result.map_or_else(String::new, |result| format!(" -> {}", name(resolve, result)));
            format!("{}: {fixed}func({params}){result}", function.item_name())
        }
    }
}

/// A type, by its name where it has one.
pub fn name(resolve: &Resolve, ty: Type) -> String {
    let id = match ty {
        Type::Id(id) => id,
        Type::Bool => return "bool".to_owned(),
        Type::U8 => return "u8".to_owned(),
        Type::U16 => return "u16".to_owned(),
        Type::U32 => return "u32".to_owned(),
        Type::U64 => return "u64".to_owned(),
        Type::S8 => return "s8".to_owned(),
        Type::S16 => return "s16".to_owned(),
        Type::S32 => return "s32".to_owned(),
        Type::S64 => return "s64".to_owned(),
        Type::F32 => return "f32".to_owned(),
        Type::F64 => return "f64".to_owned(),
        Type::Char => return "char".to_owned(),
        Type::String => return "string".to_owned(),
        Type::ErrorContext => return "error-context".to_owned(),
    };
    let definition = &resolve.types[id];
    if let Some(name) = &definition.name {
        return name.clone();
    }
    let name = |ty| name(resolve, ty);
    match &definition.kind {
        TypeDefKind::Option(inner) => format!("option<{}>", name(*inner)),
        TypeDefKind::List(inner) => format!("list<{}>", name(*inner)),
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", tuple.types.iter().map(|ty| name(*ty)).collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Result(result) => match (result.ok, result.err) {
            (None, None) => "result".to_owned(),
            (Some(ok), None) => format!("result<{}>", name(ok)),
            (None, Some(err)) => format!("result<_, {}>", name(err)),
            (Some(ok), Some(err)) => format!("result<{}, {}>", name(ok), name(err)),
        },
        TypeDefKind::Handle(Handle::Own(resource)) => name(Type::Id(*resource)),
        TypeDefKind::Handle(Handle::Borrow(resource)) => format!("borrow<{}>", name(Type::Id(*resource))),
        other => other.as_str().to_owned(),
    }
}
