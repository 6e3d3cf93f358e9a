//! Which functions of a part can be called from text, and which take or return a handle, which has no text.

use std::collections::{BTreeSet, HashSet};

use wasmparser::component_types::{
    ComponentDefinedType, ComponentDefinedTypeId, ComponentEntityType, ComponentFuncTypeId, ComponentValType,
};
use wasmparser::types::{Types, TypesRef};
use wasmparser::{Parser, Payload, ValidPayload, Validator, WasmFeatures};

/// The exported functions of a component whose parameters and results have a text, as `ns:pkg/iface@1.0.0#func` and `func`.
/// None where its types cannot be read by themselves. Function bodies are not looked at.
pub(super) fn from_text(component: &[u8]) -> BTreeSet<String> {
    read(component).unwrap_or_default()
}

fn read(component: &[u8]) -> wasmparser::Result<BTreeSet<String>> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let (mut depth, mut exports, mut whole) = (0_u32, Vec::new(), None);
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        match &payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section.clone() {
                    exports.push(export?.name.name.to_owned());
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if let ValidPayload::End(types) = validator.payload(&payload)? {
            whole = Some(types);
        }
    }
    Ok(whole.map_or_else(BTreeSet::new, |types| named(&types, &exports)))
}

fn named(types: &Types, exports: &[String]) -> BTreeSet<String> {
    let walker = Walker(types.as_ref());
    let mut found = BTreeSet::new();
    for name in exports {
        match types.component_item_for_export(name).map(|item| item.ty) {
            Some(ComponentEntityType::Func(id)) if walker.has_text(id) => {
                found.insert(name.clone());
            }
            Some(ComponentEntityType::Instance(id)) => {
                let functions = types[id].exports.iter().filter(|(_, item)| match item.ty {
                    ComponentEntityType::Func(id) => walker.has_text(id),
                    _ => false,
                });
                found.extend(functions.map(|(function, _)| format!("{name}#{function}")));
            }
            _ => {}
        }
    }
    found
}

struct Walker<'a>(TypesRef<'a>);

impl Walker<'_> {
    fn has_text(&self, id: ComponentFuncTypeId) -> bool {
        let function = &self.0[id];
        let mut waiting = Vec::new();
        let add = |ty: &ComponentValType, waiting: &mut Vec<ComponentDefinedTypeId>| {
            if let ComponentValType::Type(id) = ty {
                waiting.push(*id);
            }
        };
        let mentioned = function.params.iter().map(|(_, ty)| ty).chain(&function.result);
        mentioned.for_each(|ty| add(ty, &mut waiting));
        // Types may be nested as deep as a file is long: no recursion here.
        let mut seen = HashSet::new();
        while let Some(id) = waiting.pop() {
            if !seen.insert(id) {
                continue;
            }
            let mut each = |ty: &ComponentValType| add(ty, &mut waiting);
            match &self.0[id] {
                ComponentDefinedType::Own(_)
                | ComponentDefinedType::Borrow(_)
                | ComponentDefinedType::Future { .. }
                | ComponentDefinedType::Stream { .. } => return false,
                ComponentDefinedType::Primitive(primitive) => {
                    if matches!(primitive, wasmparser::PrimitiveValType::ErrorContext) {
                        return false;
                    }
                }
                ComponentDefinedType::Enum(_) | ComponentDefinedType::Flags(_) => {}
                ComponentDefinedType::Record(record) => record.fields.values().for_each(each),
                ComponentDefinedType::Variant(variant) => {
                    variant.cases.values().filter_map(|case| case.ty.as_ref()).for_each(each);
                }
                ComponentDefinedType::Tuple(tuple) => tuple.types.iter().for_each(each),
                ComponentDefinedType::Result { ok, err, .. } => ok.iter().chain(err).for_each(each),
                ComponentDefinedType::List { element, .. }
                | ComponentDefinedType::FixedLengthList { element, .. } => each(element),
                ComponentDefinedType::Option { ty, .. } => each(ty),
                ComponentDefinedType::Map { key, value, .. } => {
                    each(key);
                    each(value);
                }
            }
        }
        true
    }
}
