//! Which named types an import or export of a component mentions.
//!
//! A record, variant, enum, flags type or resource that an import or export mentions must have got a name before: from
//! an earlier import or export, or from one inside of these. Validation demands it
//! (`validate_and_register_named_types` of `wasmparser`) and does not say which name is missing.

use std::collections::HashSet;

use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId, ComponentEntityType,
    ComponentFuncTypeId, ComponentInstanceTypeId, ComponentValType,
};
use wasmparser::types::TypesRef;

/// Calls `found` for each type that an import or export of this type gives a name, with the names that lead to it from
/// there: none for a type itself.
pub(crate) fn given(
    types: TypesRef<'_>,
    ty: &ComponentEntityType,
    found: &mut impl FnMut(ComponentAnyTypeId, &[String]),
) {
    walk(types, ty, &mut Vec::new(), found);
}

fn walk(
    types: TypesRef<'_>,
    ty: &ComponentEntityType,
    path: &mut Vec<String>,
    found: &mut impl FnMut(ComponentAnyTypeId, &[String]),
) {
    match ty {
        ComponentEntityType::Type { created, .. } => found(*created, path),
        ComponentEntityType::Instance(id) => {
            for (name, item) in &types[*id].exports {
                path.push(name.clone());
                walk(types, &item.ty, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Returns the types that an import or export of this type mentions and does not name itself.
pub(crate) fn mentioned(types: TypesRef<'_>, ty: &ComponentEntityType) -> HashSet<ComponentAnyTypeId> {
    Mentioned::of(types, ty).found
}

/// Returns whether an import or export of this type borrows a resource.
pub(crate) fn borrows(types: TypesRef<'_>, ty: &ComponentEntityType) -> bool {
    Mentioned::of(types, ty).borrows
}

struct Mentioned<'a> {
    types: TypesRef<'a>,
    /// Types that the import or export names itself.
    own: HashSet<ComponentAnyTypeId>,
    seen: HashSet<ComponentDefinedTypeId>,
    /// Types that have to be looked into.
    waiting: Vec<ComponentDefinedTypeId>,
    found: HashSet<ComponentAnyTypeId>,
    /// Whether there is a borrowed handle among them.
    borrows: bool,
}

impl<'a> Mentioned<'a> {
    fn of(types: TypesRef<'a>, ty: &ComponentEntityType) -> Self {
        let (own, seen, waiting, found) = (HashSet::new(), HashSet::new(), Vec::new(), HashSet::new());
        let mut mentioned = Mentioned { types, own, seen, waiting, found, borrows: false };
        mentioned.entity(ty);
        mentioned
    }

    fn entity(&mut self, ty: &ComponentEntityType) {
        match ty {
            ComponentEntityType::Type { created, referenced } => {
                self.any(*referenced);
                self.own.insert(*created);
            }
            ComponentEntityType::Instance(id) => self.instance(*id),
            ComponentEntityType::Func(id) => self.function(*id),
            ComponentEntityType::Value(ty) => self.value(ty),
            ComponentEntityType::Component(_) | ComponentEntityType::Module(_) => {}
        }
        // Types may be nested as deep as a file is long: no recursion there.
        while let Some(id) = self.waiting.pop() {
            self.inside(id);
        }
    }

    fn instance(&mut self, id: ComponentInstanceTypeId) {
        let types = self.types;
        types[id].exports.values().for_each(|item| self.entity(&item.ty));
    }

    /// A type that is given a name here: what it consists of must have names, not itself.
    fn any(&mut self, id: ComponentAnyTypeId) {
        match id {
            ComponentAnyTypeId::Defined(id) => self.waiting.push(id),
            ComponentAnyTypeId::Func(id) => self.function(id),
            ComponentAnyTypeId::Instance(id) => self.instance(id),
            ComponentAnyTypeId::Resource(_) | ComponentAnyTypeId::Component(_) => {}
        }
    }

    fn function(&mut self, id: ComponentFuncTypeId) {
        let types = self.types;
        let function = &types[id];
        let mentioned = function.params.iter().map(|(_, ty)| ty).chain(&function.result);
        mentioned.for_each(|ty| self.value(ty));
    }

    fn value(&mut self, ty: &ComponentValType) {
        let ComponentValType::Type(id) = ty else { return };
        if is_named(&self.types[*id]) {
            self.add(ComponentAnyTypeId::Defined(*id));
        } else {
            self.waiting.push(*id);
        }
    }

    fn inside(&mut self, ty: ComponentDefinedTypeId) {
        if !self.seen.insert(ty) {
            return;
        }
        let types = self.types;
        match &types[ty] {
            ComponentDefinedType::Primitive(_)
            | ComponentDefinedType::Enum(_)
            | ComponentDefinedType::Flags(_) => {}
            ComponentDefinedType::Record(record) => {
                record.fields.values().for_each(|ty| self.value(ty));
            }
            ComponentDefinedType::Variant(variant) => {
                variant.cases.values().filter_map(|case| case.ty.as_ref()).for_each(|ty| self.value(ty));
            }
            ComponentDefinedType::Tuple(tuple) => tuple.types.iter().for_each(|ty| self.value(ty)),
            ComponentDefinedType::Result { ok, err, .. } => {
                ok.iter().chain(err).for_each(|ty| self.value(ty));
            }
            ComponentDefinedType::List { element: ty, .. }
            | ComponentDefinedType::FixedLengthList { element: ty, .. }
            | ComponentDefinedType::Option { ty, .. } => self.value(ty),
            ComponentDefinedType::Map { key, value, .. } => {
                self.value(key);
                self.value(value);
            }
            ComponentDefinedType::Own(id) | ComponentDefinedType::Borrow(id) => {
                self.borrows |= matches!(types[ty], ComponentDefinedType::Borrow(_));
                self.add(ComponentAnyTypeId::Resource(*id));
            }
            ComponentDefinedType::Future { ty, .. } | ComponentDefinedType::Stream { ty, .. } => {
                ty.iter().for_each(|ty| self.value(ty));
            }
        }
    }

    fn add(&mut self, id: ComponentAnyTypeId) {
        if !self.own.contains(&id) {
            self.found.insert(id);
        }
    }
}

/// Returns whether types of this kind must have a name where they are mentioned.
pub(crate) fn is_named(ty: &ComponentDefinedType) -> bool {
    matches!(
        ty,
        ComponentDefinedType::Record(_)
            | ComponentDefinedType::Variant(_)
            | ComponentDefinedType::Enum(_)
            | ComponentDefinedType::Flags(_)
    )
}
