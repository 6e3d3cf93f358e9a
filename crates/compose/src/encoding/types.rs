//! Writes types anew at the end of a component, with new names for some of the types that they mention.

use std::collections::HashMap;

use wasm_encoder::{
    Alias, ComponentAliasSection, ComponentExportKind, ComponentSection, ComponentTypeSection,
    ComponentValType,
};
use wasmparser::PrimitiveValType;
use wasmparser::component_types as known;
use wasmparser::component_types::{ComponentAnyTypeId, ComponentDefinedType};
use wasmparser::types::TypesRef;

use crate::named_types::is_named;

/// Where the types of instances come from: the index of the instance, and the names that lead to the type.
pub(super) type Origins = HashMap<ComponentAnyTypeId, (u32, Vec<String>)>;

/// Types that are written anew.
pub(super) struct Renamed<'a> {
    types: TypesRef<'a>,
    origins: &'a Origins,
    /// The indices by which types go from now on.
    new: HashMap<ComponentAnyTypeId, u32>,
    /// The indices that types have already.
    old: HashMap<ComponentAnyTypeId, u32>,
    /// How many types and instances there are by now.
    count: u32,
    instances: u32,
    /// The sections that were written.
    written: Vec<u8>,
}

impl<'a> Renamed<'a> {
    pub(super) fn new(types: TypesRef<'a>, origins: &'a Origins) -> Self {
        let count = types.component_type_count();
        let mut old = HashMap::new();
        for index in 0..count {
            old.entry(types.component_any_type_at(index)).or_insert(index);
        }
        let instances = types.component_instance_count();
        Renamed { types, origins, new: HashMap::new(), old, count, instances, written: Vec::new() }
    }

    /// Returns whether one of these types goes by another index than its own.
    pub(super) fn concerns<'b>(
        &self,
        mut ids: impl Iterator<Item = &'b ComponentAnyTypeId>,
    ) -> Option<ComponentAnyTypeId> {
        ids.find(|id| self.new.contains_key(id)).copied()
    }

    /// Has a type that is exported next go by the index that the export gives it.
    pub(super) fn export(&mut self, id: ComponentAnyTypeId) {
        self.new.insert(id, self.count);
        self.count += 1;
    }

    /// Returns the sections that were written since the last time.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.written)
    }

    /// Writes a type of a function, and returns its index. None where it mentions what cannot be reached.
    pub(super) fn function(&mut self, id: known::ComponentFuncTypeId) -> Option<u32> {
        let types = self.types;
        let function = &types[id];
        let mut params = Vec::with_capacity(function.params.len());
        for (name, ty) in &function.params {
            params.push((name.as_str(), self.value(ty)?));
        }
        let result = self.maybe(function.result.as_ref())?;
        Some(self.write(|section| {
            section.function().async_(function.async_).params(params).result(result);
        }))
    }

    /// Writes a type that has a name, under no name yet, and returns its index.
    pub(super) fn definition(&mut self, id: ComponentAnyTypeId) -> Option<u32> {
        match id {
            ComponentAnyTypeId::Defined(id) => self.define(id),
            ComponentAnyTypeId::Func(id) => self.function(id),
            _ => None,
        }
    }

    fn value(&mut self, ty: &known::ComponentValType) -> Option<ComponentValType> {
        Some(match ty {
            known::ComponentValType::Primitive(ty) => ComponentValType::Primitive((*ty).into()),
            known::ComponentValType::Type(id) if is_named(&self.types[*id]) => {
                ComponentValType::Type(self.named(ComponentAnyTypeId::Defined(*id))?)
            }
            known::ComponentValType::Type(id) => ComponentValType::Type(self.define(*id)?),
        })
    }

    fn maybe(&mut self, ty: Option<&known::ComponentValType>) -> Option<Option<ComponentValType>> {
        ty.map_or(Some(None), |ty| self.value(ty).map(Some))
    }

    fn define(&mut self, id: known::ComponentDefinedTypeId) -> Option<u32> {
        let types = self.types;
        Some(match &types[id] {
            ComponentDefinedType::Primitive(ty) => {
                let ty: wasm_encoder::PrimitiveValType = PrimitiveValType::into(*ty);
                self.write(|section| section.defined_type().primitive(ty))
            }
            ComponentDefinedType::Record(record) => {
                let mut fields = Vec::new();
                for (name, ty) in &record.fields {
                    fields.push((name.as_str(), self.value(ty)?));
                }
                self.write(|section| section.defined_type().record(fields))
            }
            ComponentDefinedType::Variant(variant) => {
                let mut cases = Vec::new();
                for (name, case) in &variant.cases {
                    cases.push((name.as_str(), self.maybe(case.ty.as_ref())?));
                }
                self.write(|section| section.defined_type().variant(cases))
            }
            ComponentDefinedType::List { element, .. } => {
                let element = self.value(element)?;
                self.write(|section| section.defined_type().list(element))
            }
            ComponentDefinedType::Map { key, value, .. } => {
                let (key, value) = (self.value(key)?, self.value(value)?);
                self.write(|section| section.defined_type().map(key, value))
            }
            ComponentDefinedType::FixedLengthList { element, length, .. } => {
                let element = self.value(element)?;
                self.write(|section| section.defined_type().fixed_length_list(element, *length))
            }
            ComponentDefinedType::Tuple(tuple) => {
                let mut all = Vec::new();
                for ty in &tuple.types {
                    all.push(self.value(ty)?);
                }
                self.write(|section| section.defined_type().tuple(all))
            }
            ComponentDefinedType::Flags(names) => {
                let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
                self.write(|section| section.defined_type().flags(names))
            }
            ComponentDefinedType::Enum(names) => {
                let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
                self.write(|section| section.defined_type().enum_type(names))
            }
            ComponentDefinedType::Option { ty, .. } => {
                let ty = self.value(ty)?;
                self.write(|section| section.defined_type().option(ty))
            }
            ComponentDefinedType::Result { ok, err, .. } => {
                let (ok, err) = (self.maybe(ok.as_ref())?, self.maybe(err.as_ref())?);
                self.write(|section| section.defined_type().result(ok, err))
            }
            ComponentDefinedType::Own(id) => {
                let resource = self.named(ComponentAnyTypeId::Resource(*id))?;
                self.write(|section| section.defined_type().own(resource))
            }
            ComponentDefinedType::Borrow(id) => {
                let resource = self.named(ComponentAnyTypeId::Resource(*id))?;
                self.write(|section| section.defined_type().borrow(resource))
            }
            ComponentDefinedType::Future { ty, .. } => {
                let ty = self.maybe(ty.as_ref())?;
                self.write(|section| section.defined_type().future(ty))
            }
            ComponentDefinedType::Stream { ty, .. } => {
                let ty = self.maybe(ty.as_ref())?;
                self.write(|section| section.defined_type().stream(ty))
            }
        })
    }

    fn write(&mut self, define: impl FnOnce(&mut ComponentTypeSection)) -> u32 {
        let mut section = ComponentTypeSection::new();
        define(&mut section);
        section.append_to_component(&mut self.written);
        self.count += 1;
        self.count - 1
    }

    /// The index of a type that has a name: the new one, or else the one that it has, or else one that it gets by taking
    /// it out of its instance.
    fn named(&mut self, id: ComponentAnyTypeId) -> Option<u32> {
        if let Some(index) = self.new.get(&id).or_else(|| self.old.get(&id)) {
            return Some(*index);
        }
        let &(mut instance, ref path) = self.origins.get(&id)?;
        let (name, around) = path.split_last()?;
        for name in around {
            self.alias(instance, ComponentExportKind::Instance, name);
            instance = self.instances;
            self.instances += 1;
        }
        self.alias(instance, ComponentExportKind::Type, name);
        self.old.insert(id, self.count);
        self.count += 1;
        Some(self.count - 1)
    }

    fn alias(&mut self, instance: u32, kind: ComponentExportKind, name: &str) {
        let mut section = ComponentAliasSection::new();
        section.alias(Alias::InstanceExport { instance, kind, name });
        section.append_to_component(&mut self.written);
    }
}
