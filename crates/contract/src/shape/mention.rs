//! What a type mentions.

use std::collections::HashSet;

use super::{Definition, FunctionId, Handle, Item, Kind, Origin, Place, ResourceId, Shape, Type, TypeId};

/// The resources that an item mentions, each once, in the order of first mention. Inside components that are imported or
/// exported as such, nothing is looked for.
pub fn resources(shape: &Shape, item: &Item) -> Vec<ResourceId> {
    let mut walk = Mentions { shape, types: HashSet::new(), resources: HashSet::new(), found: Vec::new() };
    walk.item(item);
    walk.found
}

/// The place that a type has its name from, where the item is nothing but another name for a type of an import.
pub fn alias_of(shape: &Shape, item: &Item) -> Option<String> {
    match item {
        Item::Type(Definition::Resource(Handle { resource, .. })) => {
            match &shape.resource(*resource).origin {
                Origin::Asked(place) => first(place),
                _ => None,
            }
        }
        Item::Type(Definition::Value(id)) => {
            let same_as = |id: &TypeId| shape.type_def(*id).name.as_ref().and_then(|name| name.same_as);
            let original = std::iter::successors(Some(*id), same_as).last()?;
            shape.type_def(original).name.as_ref()?.interface.clone()
        }
        _ => None,
    }
}

fn first(place: &Place) -> Option<String> {
    place.first().cloned().filter(|_| place.len() > 1)
}

struct Mentions<'a> {
    shape: &'a Shape,
    types: HashSet<TypeId>,
    resources: HashSet<ResourceId>,
    found: Vec<ResourceId>,
}

impl Mentions<'_> {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Function(id) | Item::Type(Definition::Function(id)) => self.function(*id),
            Item::Interface(id) | Item::Type(Definition::Interface(id)) => {
                let shape = self.shape;
                shape.interface(*id).items.iter().for_each(|(_, item)| self.item(item));
            }
            Item::Type(Definition::Value(id)) => self.value(Type::Defined(*id)),
            Item::Type(Definition::Resource(handle)) => self.handle(handle),
            Item::Value(ty) => self.value(*ty),
            Item::Component(_) | Item::Module(_) | Item::Type(Definition::Component(_)) => {}
        }
    }

    fn function(&mut self, id: FunctionId) {
        let function = self.shape.function(id);
        function.params.iter().map(|(_, ty)| *ty).chain(function.result).for_each(|ty| self.value(ty));
    }

    fn handle(&mut self, handle: &Handle) {
        if self.resources.insert(handle.resource) {
            self.found.push(handle.resource);
        }
    }

    /// Types may be nested as deep as a file is long: no recursion there.
    fn value(&mut self, ty: Type) {
        let mut waiting = vec![ty];
        while let Some(ty) = waiting.pop() {
            let Type::Defined(id) = ty else { continue };
            if !self.types.insert(id) {
                continue;
            }
            let before = waiting.len();
            match &self.shape.type_def(id).kind {
                Kind::Primitive(_) | Kind::Enum(_) | Kind::Flags(_) => {}
                Kind::Record(fields) => waiting.extend(fields.iter().map(|(_, ty)| *ty)),
                Kind::Variant(cases) => waiting.extend(cases.iter().filter_map(|(_, ty)| *ty)),
                Kind::Tuple(types) => waiting.extend(types),
                Kind::Result { ok, err } => waiting.extend(ok.iter().chain(err)),
                Kind::Option(ty) | Kind::List(ty) | Kind::FixedList(ty, _) => waiting.push(*ty),
                Kind::Map(key, value) => waiting.extend([*key, *value]),
                Kind::Stream(ty) | Kind::Future(ty) => waiting.extend(ty),
                Kind::Own(handle) | Kind::Borrow(handle) => self.handle(handle),
            }
            waiting[before..].reverse();
        }
    }
}
