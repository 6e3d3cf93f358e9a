//! The rules of the binary format for contracts that the WIT parser does not check.
//!
//! The validator checks them, but it can only name a place in the encoded bytes. Here they are checked where the text is read, and
//! the message has the place in it.

use std::collections::{HashMap, HashSet};

use wasmparser::WasmFeatures;
use wasmparser::names::{ComponentName, KebabStr};
use wit_parser::{
    Function, Handle, Resolve, ResolveError, Span, Type, TypeDef, TypeDefKind, TypeId, WorldItem,
};

/// How deep types may be nested in each other, and named by each other.
const DEEPEST: u32 = 100;

/// How large a type may be, where each type in it counts as often as it is used.
const LARGEST: u64 = 1_000_000;

/// How long a name may be, in bytes.
const LONGEST_NAME: usize = 100_000;

/// How many parameters a function may have.
const PARAMETERS: usize = 1_000;

/// How many flags one type may have.
const FLAGS: usize = 32;

/// How many members any other type may have.
const MEMBERS: usize = 10_000;

/// How many elements a list of fixed length may have.
const ELEMENTS: u32 = 1 << 30;

type Checked = Result<(), ResolveError>;

/// Checks all packages.
///
/// # Errors
///
/// Where one of them breaks a rule. The error has the place, where the packages were read as text.
pub fn check(resolve: &Resolve) -> Checked {
    let mut measures = HashMap::new();
    // The parser has what a type is made of before the type itself.
    for (id, ty) in resolve.types.iter() {
        members(resolve, ty)?;
        measures.insert(id, measure(&measures, ty)?);
    }
    packages(resolve)?;
    let mut interfaces = HashMap::new();
    for (id, interface) in resolve.interfaces.iter() {
        let shown = match &interface.name {
            Some(name) => format!("the interface `{name}`"),
            None => "an interface".to_owned(),
        };
        let types = interface.types.iter().map(|(name, ty)| (name.clone(), resolve.types[*ty].span));
        let functions = interface.functions.values().map(|function| (function.name.clone(), function.span));
        names(&shown, types.chain(functions))?;
        let mut size = interface
            .types
            .values()
            .fold(1, |sum: u64, ty| sum.saturating_add(size(&measures, &Type::Id(*ty))));
        for function in interface.functions.values() {
            size = size.saturating_add(signature(&measures, function)?);
        }
        bounded(interface.span, &shown, size)?;
        interfaces.insert(id, size);
    }
    for (_, world) in resolve.worlds.iter() {
        let shown = format!("the world `{}`", world.name);
        let mut size = 1_u64;
        for (items, does) in [(&world.imports, "imports"), (&world.exports, "exports")] {
            let known = items.iter().map(|(key, item)| (resolve.name_world_key(key), item.span()));
            names(&format!("the {does} of {shown}"), known)?;
            for item in items.values() {
                size = size.saturating_add(match item {
                    WorldItem::Interface { id, .. } => interfaces.get(id).copied().unwrap_or(1),
                    WorldItem::Function(function) => signature(&measures, function)?,
                    WorldItem::Type { id, .. } => self::size(&measures, &Type::Id(*id)),
                });
            }
        }
        bounded(world.span, &shown, size)?;
    }
    Ok(())
}

/// Checks the names of what packages define.
fn packages(resolve: &Resolve) -> Checked {
    resolve.packages.iter().try_for_each(|(_, package)| {
        let interfaces =
            package.interfaces.iter().map(|(name, id)| (name.clone(), resolve.interfaces[*id].span));
        let worlds = package.worlds.iter().map(|(name, id)| (name.clone(), resolve.worlds[*id].span));
        names(&format!("the package `{}`", package.name), interfaces.chain(worlds))
    })
}

/// Checks the members that a type has itself.
fn members(resolve: &Resolve, ty: &TypeDef) -> Checked {
    let called = |kind: &str| match &ty.name {
        Some(name) => format!("the {kind} `{name}`"),
        None => format!("a {kind}"),
    };
    match &ty.kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter().map(|field| (field.name.as_str(), field.span));
            labels(ty.span, &called("record"), ["field", "fields"], MEMBERS, fields)
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter().map(|case| (case.name.as_str(), case.span));
            labels(ty.span, &called("variant"), ["case", "cases"], MEMBERS, cases)
        }
        TypeDefKind::Enum(cases) => {
            let cases = cases.cases.iter().map(|case| (case.name.as_str(), case.span));
            labels(ty.span, &called("enum"), ["case", "cases"], MEMBERS, cases)
        }
        TypeDefKind::Flags(flags) => {
            let flags = flags.flags.iter().map(|flag| (flag.name.as_str(), flag.span));
            labels(ty.span, &called("flags type"), ["flag", "flags"], FLAGS, flags)
        }
        TypeDefKind::Tuple(tuple) => {
            counted(ty.span, &called("tuple"), ["type", "types"], MEMBERS, tuple.types.len())
        }
        TypeDefKind::FixedLengthList(_, 0) => {
            fail(ty.span, "a list of fixed length must have at least one element")
        }
        TypeDefKind::FixedLengthList(_, length) if *length > ELEMENTS => fail(
            ty.span,
            format!("a list of fixed length may have at most {ELEMENTS} elements, and this one has {length}"),
        ),
        TypeDefKind::Stream(Some(inner)) if is_char(resolve, inner) => fail(
            ty.span,
            "there is no `stream<char>` in the binary format yet: use `stream<u8>`, and say how characters are encoded",
        ),
        _ => Ok(()),
    }
}

fn is_char(resolve: &Resolve, ty: &Type) -> bool {
    match ty {
        Type::Char => true,
        Type::Id(id) => {
            matches!(&resolve.types[*id].kind, TypeDefKind::Type(inner) if is_char(resolve, inner))
        }
        _ => false,
    }
}

/// Checks the members of a type, or the parameters of a function: how many there are, and how they are called. `kind` is
/// what one and what several of them are called.
fn labels<'a>(
    span: Span,
    owner: &str,
    kind: [&str; 2],
    most: usize,
    labels: impl ExactSizeIterator<Item = (&'a str, Span)>,
) -> Checked {
    counted(span, owner, kind, most, labels.len())?;
    unique(owner, kind, labels)
}

fn counted(span: Span, owner: &str, [one, many]: [&str; 2], most: usize, count: usize) -> Checked {
    if count == 0 {
        return fail(span, format!("{owner} has no {many}, and must have at least one {one}"));
    }
    if count > most {
        return fail(span, format!("{owner} has {count} {many}, and may have at most {most}"));
    }
    Ok(())
}

fn unique<'a>(owner: &str, [one, many]: [&str; 2], labels: impl Iterator<Item = (&'a str, Span)>) -> Checked {
    let mut seen = HashSet::new();
    for (name, span) in labels {
        let Some(label) = KebabStr::new(name).filter(|_| name.len() <= LONGEST_NAME) else {
            return no_name(span, name);
        };
        if let Some(before) = seen.replace(label) {
            let problem = match before.as_str() {
                before if before == name => format!("{owner} has two {many} `{name}`"),
                before => format!(
                    "the {many} `{before}` and `{name}` of {owner} differ in case only: rename one {one}"
                ),
            };
            return fail(span, problem);
        }
    }
    Ok(())
}

/// Checks the names of what stands side by side in an interface, a world or a package.
fn names(owner: &str, names: impl Iterator<Item = (String, Span)>) -> Checked {
    let mut seen = HashSet::new();
    for (name, span) in names {
        let parsed = ComponentName::new_with_features(&name, 0, WasmFeatures::all());
        let Ok(parsed) =
            parsed.map_err(drop).and_then(|it| if name.len() > LONGEST_NAME { Err(()) } else { Ok(it) })
        else {
            return no_name(span, &name);
        };
        if let Some(before) = seen.replace(parsed) {
            let before = before.as_str();
            let problem = if before == name {
                format!("there are two `{}` in {owner}", plain(&name))
            } else if before.eq_ignore_ascii_case(&name) || plain(before).eq_ignore_ascii_case(&plain(&name))
            {
                format!(
                    "`{}` and `{}` in {owner} differ in case only: rename one of them",
                    plain(before),
                    plain(&name)
                )
            } else {
                format!(
                    "`{}` and `{}` in {owner} count as the same name: rename one of them",
                    plain(before),
                    plain(&name)
                )
            };
            return fail(span, problem);
        }
    }
    Ok(())
}

/// Returns the name of a function as WIT has it: `r.f` for the method `f` of a resource `r`.
fn plain(name: &str) -> String {
    match name.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some(("constructor", resource)) => format!("{resource}.constructor"),
        Some((_, function)) => function.to_owned(),
        None => name.to_owned(),
    }
}

fn no_name(span: Span, name: &str) -> Checked {
    let shown: String = plain(name).chars().take(80).collect();
    if name.len() > LONGEST_NAME {
        return fail(
            span,
            format!("the name `{shown}…` has {} bytes, and may have at most {LONGEST_NAME}", name.len()),
        );
    }
    fail(
        span,
        format!(
            "`{shown}` is no name in the binary format: words begin with a letter, are in one case, and have a `-` between them"
        ),
    )
}

/// How deep a type is, and how large.
type Measure = (u32, u64);

fn measure(known: &HashMap<TypeId, Measure>, ty: &TypeDef) -> Result<Measure, ResolveError> {
    let (mut depth, mut size) = (0, 1_u64);
    for inner in made_of(&ty.kind) {
        let (below, more) = measured(known, &inner);
        depth = depth.max(below);
        size = size.saturating_add(more);
    }
    let shown = || match &ty.name {
        Some(name) => format!("the type `{name}`"),
        None => "a type without a name".to_owned(),
    };
    if depth >= DEEPEST {
        return Err(ResolveError::new_semantic(
            ty.span,
            format!("{} nests others more than {DEEPEST} deep, which no engine takes", shown()),
        ));
    }
    bounded(ty.span, &shown(), size)?;
    Ok((depth + 1, size))
}

fn measured(known: &HashMap<TypeId, Measure>, ty: &Type) -> Measure {
    match ty {
        Type::Id(id) => known.get(id).copied().unwrap_or((0, 1)),
        _ => (0, 1),
    }
}

fn size(known: &HashMap<TypeId, Measure>, ty: &Type) -> u64 {
    measured(known, ty).1
}

/// Checks a function, and returns its size.
fn signature(known: &HashMap<TypeId, Measure>, function: &Function) -> Result<u64, ResolveError> {
    let shown = format!("the function `{}`", plain(&function.name));
    if function.params.len() > PARAMETERS {
        let count = function.params.len();
        let problem = format!("{shown} has {count} parameters, and may have at most {PARAMETERS}");
        return Err(ResolveError::new_semantic(function.span, problem));
    }
    let place = |span: Span| if span.is_known() { span } else { function.span };
    let params = function.params.iter().map(|param| (param.name.as_str(), place(param.span)));
    unique(&shown, ["parameter", "parameters"], params)?;
    let types = function.params.iter().map(|param| &param.ty).chain(&function.result);
    let size = types.fold(1, |sum: u64, ty| sum.saturating_add(size(known, ty)));
    bounded(function.span, &shown, size)?;
    Ok(size)
}

fn bounded(span: Span, shown: &str, size: u64) -> Checked {
    if size > LARGEST {
        return fail(
            span,
            format!("{shown} is too large: written out, it has {size} types, and may have at most {LARGEST}"),
        );
    }
    Ok(())
}

fn fail(span: Span, problem: impl Into<String>) -> Checked {
    Err(ResolveError::new_semantic(span, problem))
}

/// The types that a type is put together from.
pub fn made_of(kind: &TypeDefKind) -> Vec<Type> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| field.ty).collect(),
        TypeDefKind::Tuple(tuple) => tuple.types.clone(),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty).collect(),
        TypeDefKind::Option(inner)
        | TypeDefKind::List(inner)
        | TypeDefKind::FixedLengthList(inner, _)
        | TypeDefKind::Type(inner) => vec![*inner],
        TypeDefKind::Map(key, value) => vec![*key, *value],
        TypeDefKind::Result(result) => result.ok.into_iter().chain(result.err).collect(),
        TypeDefKind::Future(inner) | TypeDefKind::Stream(inner) => inner.iter().copied().collect(),
        TypeDefKind::Handle(Handle::Own(resource) | Handle::Borrow(resource)) => vec![Type::Id(*resource)],
        TypeDefKind::Resource | TypeDefKind::Flags(_) | TypeDefKind::Enum(_) | TypeDefKind::Unknown => {
            Vec::new()
        }
    }
}
