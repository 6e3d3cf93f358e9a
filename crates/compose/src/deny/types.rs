//! Ways through types. Types are graphs: a type may be reached along many ways, and is visited once.

use std::collections::BTreeSet;

use wit_parser::{Function, Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldItem};

/// The functions of an import.
pub(super) fn functions<'a>(
    resolve: &'a Resolve,
    item: &'a WorldItem,
) -> Box<dyn Iterator<Item = &'a Function> + 'a> {
    match item {
        WorldItem::Interface { id, .. } => Box::new(resolve.interfaces[*id].functions.values()),
        WorldItem::Function(function) => Box::new(std::iter::once(function)),
        WorldItem::Type { .. } => Box::new(std::iter::empty()),
    }
}

/// The types that a function mentions.
pub(super) fn mentioned(function: &Function) -> impl Iterator<Item = Type> {
    function.params.iter().map(|parameter| parameter.ty).chain(function.result)
}

/// What an alias stands for, through however many others.
pub(super) fn named(resolve: &Resolve, mut id: TypeId) -> TypeId {
    while let TypeDefKind::Type(Type::Id(next)) = resolve.types[id].kind {
        id = next;
    }
    id
}

/// The types that a type is made of.
pub(super) fn pieces(kind: &TypeDefKind) -> Vec<Type> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| field.ty).collect(),
        TypeDefKind::Tuple(tuple) => tuple.types.clone(),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty).collect(),
        TypeDefKind::Result(result) => result.ok.into_iter().chain(result.err).collect(),
        TypeDefKind::Map(key, value) => vec![*key, *value],
        TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => vec![Type::Id(*id)],
        TypeDefKind::Option(ty)
        | TypeDefKind::List(ty)
        | TypeDefKind::FixedLengthList(ty, _)
        | TypeDefKind::Type(ty) => vec![*ty],
        TypeDefKind::Future(ty) | TypeDefKind::Stream(ty) => ty.iter().copied().collect(),
        TypeDefKind::Resource | TypeDefKind::Flags(_) | TypeDefKind::Enum(_) | TypeDefKind::Unknown => {
            Vec::new()
        }
    }
}

/// The types that an import or export borrows: named ones that belong elsewhere. What those are made of is not looked at.
pub(super) fn foreign(resolve: &Resolve, item: &WorldItem) -> BTreeSet<TypeId> {
    let mut ahead: Vec<Type> = functions(resolve, item).flat_map(mentioned).collect();
    let home = match item {
        WorldItem::Interface { id, .. } => {
            ahead.extend(resolve.interfaces[*id].types.values().map(|&id| Type::Id(id)));
            Some(*id)
        }
        WorldItem::Type { id, .. } => {
            ahead.extend(pieces(&resolve.types[*id].kind));
            None
        }
        WorldItem::Function(_) => None,
    };
    let mut seen = BTreeSet::new();
    let mut found = BTreeSet::new();
    while let Some(ty) = ahead.pop() {
        let Type::Id(id) = ty else { continue };
        if !seen.insert(id) {
            continue;
        }
        let at_home = match resolve.types[id].owner {
            TypeOwner::Interface(owner) => home == Some(owner),
            TypeOwner::World(_) => false,
            TypeOwner::None => true,
        };
        if at_home {
            ahead.extend(pieces(&resolve.types[id].kind));
        } else {
            found.insert(id);
        }
    }
    found
}

/// Whether a type belongs to no interface.
pub(super) fn is_loose(resolve: &Resolve, id: TypeId) -> bool {
    matches!(resolve.types[id].owner, TypeOwner::World(_))
}

/// The interfaces that lend types to an import or export.
pub(super) fn lenders(resolve: &Resolve, item: &WorldItem) -> BTreeSet<InterfaceId> {
    let owner = |id: TypeId| match resolve.types[id].owner {
        TypeOwner::Interface(interface) => Some(interface),
        _ => None,
    };
    foreign(resolve, item).into_iter().filter_map(owner).collect()
}

/// The interfaces that lend types to an interface.
pub(super) fn lenders_of(resolve: &Resolve, interface: InterfaceId) -> BTreeSet<InterfaceId> {
    let item = WorldItem::Interface {
        id: interface,
        stability: Default::default(),
        external_id: None,
        docs: Default::default(),
        span: Default::default(),
    };
    lenders(resolve, &item)
}
