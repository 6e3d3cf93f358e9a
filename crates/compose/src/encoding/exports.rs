//! Exports of a composition, in an order and of types that are valid.
//!
//! What an export mentions must have a name before: a record of an interface, for instance, by an export of that
//! interface. `wac-graph` exports in the order of the text, and as it comes. For two things that is not enough, and both
//! are done here:
//!
//! - an interface is exported before those that take types from it;
//! - a type that is exported for itself is a new one from then on. A function that mentions the one before is exported
//!   with the type that mentions the new one.
//!
//! Where a name is missing altogether, the answer says which.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem::{Discriminant, discriminant};
use std::ops::Range;

use wasm_encoder::{
    ComponentExportKind, ComponentExportSection, ComponentExternName, ComponentSection, ComponentTypeRef,
    TypeBounds,
};
use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType};
use wasmparser::types::TypesRef;
use wasmparser::{
    Chunk, ComponentAlias, ComponentAliasSectionReader, ComponentExport, ComponentExternalKind,
    ComponentName, KnownCustom, Parser, Payload, ValidPayload, Validator, WasmFeatures,
};

use super::types::{Origins, Renamed};
use crate::kind::{ComposeErrorKind, Unnamed};
use crate::named_types;
use contract::roots::Names;

/// Returns the composition with its exports put right. None where they are not what is wrong with it.
pub(super) fn settle(composition: &[u8]) -> Option<Result<Vec<u8>, ComposeErrorKind>> {
    let glue = Glue::read(composition).ok().flatten()?;
    let mut settling = Settling::new(&glue);
    for index in 0..glue.exports.len() {
        settling.visit(index);
    }
    if !settling.unnamed.is_empty() {
        return Some(Err(ComposeErrorKind::Unnamed(settling.unnamed.into_iter().collect())));
    }
    match settling.encode() {
        Ok(exports) => {
            let around = [&composition[..glue.place.start], &exports?, &composition[glue.place.end..]];
            Some(Ok(around.concat()))
        }
        Err(Stop::Refused(refused)) => Some(Err(refused)),
        Err(Stop::Unreachable) => None,
    }
}

/// The instances out of which items were taken, with the name in there, by kind and index of the item.
type Taken = HashMap<(Discriminant<ComponentExternalKind>, u32), (u32, String)>;

/// What there is at the place where a composition exports.
struct Glue<'a> {
    /// Knows the types of all that comes before the exports.
    validator: Validator,
    exports: Vec<ComponentExport<'a>>,
    /// Where the section with the exports is.
    place: Range<usize>,
    taken: Taken,
    /// The names of instances in the text.
    instances: HashMap<u32, String>,
    /// The names of imports, and of what is exported before the last section.
    outside: Names,
}

impl<'a> Glue<'a> {
    /// Reads a composition. None where it exports nothing at its end.
    fn read(bytes: &'a [u8]) -> wasmparser::Result<Option<Self>> {
        let mut validator = Validator::new_with_features(WasmFeatures::all());
        let (mut taken, mut instances, mut outside) = (Taken::new(), HashMap::new(), Names::default());
        let mut last: Option<(Payload<'a>, Range<usize>)> = None;
        let (mut parser, mut around, mut at) = (Parser::new(0), Vec::new(), 0);
        while let Chunk::Parsed { consumed, payload } = parser.parse(&bytes[at..], true)? {
            let start = at;
            at += consumed;
            let top = around.is_empty();
            match &payload {
                Payload::CustomSection(custom) => {
                    if let (true, KnownCustom::ComponentName(names)) = (top, custom.as_known()) {
                        instances.extend(named(names));
                    }
                    continue;
                }
                Payload::End(_) if top => break,
                Payload::ComponentAliasSection(aliases) if top => {
                    let types = validator.types(0).expect("a component has types");
                    take(aliases, types, &mut taken)?;
                }
                _ => {}
            }
            // Exports wait until it is known whether they are the last.
            if let Some((exports, _)) = last.take() {
                outside.see(&exports)?;
                validator.payload(&exports)?;
            }
            if top && matches!(payload, Payload::ComponentExportSection(_)) {
                last = Some((payload, start..at));
                continue;
            }
            if top && matches!(payload, Payload::ComponentImportSection(_)) {
                outside.see(&payload)?;
            }
            match validator.payload(&payload)? {
                ValidPayload::Parser(inner) => around.push(std::mem::replace(&mut parser, inner)),
                ValidPayload::End(_) => parser = around.pop().expect("what ends was begun"),
                ValidPayload::Ok | ValidPayload::Func(..) => {}
            }
        }
        let Some((Payload::ComponentExportSection(exports), place)) = last else { return Ok(None) };
        let exports = exports.into_iter().collect::<wasmparser::Result<_>>()?;
        Ok(Some(Glue { validator, exports, place, taken, instances, outside }))
    }

    fn types(&self) -> TypesRef<'_> {
        self.validator.types(0).expect("a component has types")
    }

    /// The type of what is exported.
    fn entity(&self, export: &ComponentExport<'_>) -> Option<ComponentEntityType> {
        let (types, index) = (self.types(), export.index);
        Some(match export.kind {
            ComponentExternalKind::Func => ComponentEntityType::Func(types.component_function_at(index)),
            ComponentExternalKind::Instance => {
                ComponentEntityType::Instance(types.component_instance_at(index))
            }
            ComponentExternalKind::Type => {
                let id = types.component_any_type_at(index);
                ComponentEntityType::Type { referenced: id, created: id }
            }
            ComponentExternalKind::Value => ComponentEntityType::Value(types.value_at(index)),
            ComponentExternalKind::Component | ComponentExternalKind::Module => return None,
        })
    }

    /// The instance out of which an item was taken, and its name in there.
    fn taken(&self, kind: ComponentExternalKind, index: u32) -> Option<&(u32, String)> {
        self.taken.get(&(discriminant(&kind), index))
    }

    fn instance(&self, index: u32) -> String {
        self.instances.get(&index).cloned().unwrap_or_default()
    }
}

/// Notes out of which instances a section takes items. `types` are those before the section.
fn take(
    aliases: &ComponentAliasSectionReader<'_>,
    types: TypesRef<'_>,
    taken: &mut Taken,
) -> wasmparser::Result<()> {
    let mut counts = HashMap::new();
    for alias in aliases.clone() {
        if let ComponentAlias::InstanceExport { kind, instance_index, name } = alias? {
            let index = counts.entry(discriminant(&kind)).or_insert_with(|| count(types, kind));
            taken.insert((discriminant(&kind), *index), (instance_index, name.to_owned()));
            *index += 1;
        }
    }
    Ok(())
}

fn named(names: wasmparser::ComponentNameSectionReader<'_>) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for name in names.into_iter().flatten() {
        if let ComponentName::Instances(map) = name {
            found.extend(map.into_iter().flatten().map(|naming| (naming.index, naming.name.to_owned())));
        }
    }
    found
}

fn count(types: TypesRef<'_>, kind: ComponentExternalKind) -> u32 {
    match kind {
        ComponentExternalKind::Func => types.component_function_count(),
        ComponentExternalKind::Instance => types.component_instance_count(),
        ComponentExternalKind::Type => types.component_type_count(),
        ComponentExternalKind::Value => types.value_count(),
        ComponentExternalKind::Component => types.component_count(),
        ComponentExternalKind::Module => types.module_count(),
    }
}

/// Puts exports in an order in which each comes after what it takes types from.
struct Settling<'a> {
    glue: &'a Glue<'a>,
    /// Types that have a name whatever is exported.
    named: HashSet<ComponentAnyTypeId>,
    /// The export that names each type, by index.
    naming: HashMap<ComponentAnyTypeId, usize>,
    origins: Origins,
    seen: HashSet<usize>,
    order: Vec<usize>,
    unnamed: BTreeSet<Unnamed>,
}

impl<'a> Settling<'a> {
    fn new(glue: &'a Glue<'a>) -> Self {
        let types = glue.types();
        let (mut named, mut naming, mut origins) = (HashSet::new(), HashMap::new(), Origins::new());
        for index in 0..types.component_instance_count() {
            let ty = ComponentEntityType::Instance(types.component_instance_at(index));
            named_types::given(types, &ty, &mut |id, path| {
                origins.entry(id).or_insert_with(|| (index, path.to_vec()));
            });
        }
        for (index, export) in glue.exports.iter().enumerate() {
            if let Some(ty) = glue.entity(export) {
                named_types::given(types, &ty, &mut |id, _| _ = naming.entry(id).or_insert(index));
            }
        }
        let Names { imports, exports, .. } = &glue.outside;
        let imports = imports.iter().filter_map(|name| types.component_item_for_import(name));
        let exports = exports.iter().filter_map(|name| types.component_item_for_export(name));
        for item in imports.chain(exports) {
            named_types::given(types, &item.ty, &mut |id, _| _ = named.insert(id));
        }
        let (seen, order, unnamed) = (HashSet::new(), Vec::new(), BTreeSet::new());
        Settling { glue, named, naming, origins, seen, order, unnamed }
    }

    /// Types are in no cycle, so this comes to an end.
    fn visit(&mut self, index: usize) {
        if !self.seen.insert(index) {
            return;
        }
        let export = &self.glue.exports[index];
        if let Some(ty) = self.glue.entity(export) {
            let mentioned = named_types::mentioned(self.glue.types(), &ty);
            let mut before = BTreeSet::new();
            for id in mentioned.difference(&self.named) {
                match self.naming.get(id) {
                    Some(other) => _ = before.insert(*other),
                    None => self.unnamed.extend(self.unnamed(export, id)),
                }
            }
            before.into_iter().for_each(|other| self.visit(other));
        }
        self.order.push(index);
    }

    /// What is missing where nothing names a type that an export mentions.
    fn unnamed(&self, export: &ComponentExport<'_>, id: &ComponentAnyTypeId) -> Option<Unnamed> {
        let &(mut from, ref path) = self.origins.get(id)?;
        let (name, mut source) = (path.last()?, path.first()?);
        // An instance that was taken out of another one is exported by way of that one.
        while let Some((around, inside)) = self.glue.taken(ComponentExternalKind::Instance, from) {
            (from, source) = (*around, inside);
        }
        let taken = self.glue.taken(export.kind, export.index);
        Some(Unnamed {
            export: export.name.name.to_owned(),
            instance: taken.map(|(instance, _)| self.glue.instance(*instance)),
            name: name.clone(),
            from: self.glue.instance(from),
            source: source.clone(),
        })
    }

    /// Writes the exports. None where nothing about them would change.
    fn encode(&self) -> Result<Option<Vec<u8>>, Stop> {
        let types = self.glue.types();
        let mut renamed = Renamed::new(types, &self.origins);
        let (mut written, mut section) = (Vec::new(), ComponentExportSection::new());
        let mut changed = !self.order.is_sorted();
        for &index in &self.order {
            let export = &self.glue.exports[index];
            let ascribed = self.ascribed(export, &mut renamed)?;
            changed |= ascribed.is_some();
            if ascribed.is_some() && !section.is_empty() {
                std::mem::take(&mut section).append_to_component(&mut written);
            }
            written.extend(renamed.take());
            if export.kind == ComponentExternalKind::Type {
                renamed.export(types.component_any_type_at(export.index));
            }
            section.export(name(&export.name), kind(export.kind), export.index, ascribed);
        }
        section.append_to_component(&mut written);
        Ok(Some(written).filter(|_| changed))
    }

    /// The type that an export has to be given: one that mentions types by the names that they were exported under.
    fn ascribed(
        &self,
        export: &ComponentExport<'_>,
        renamed: &mut Renamed<'_>,
    ) -> Result<Option<ComponentTypeRef>, Stop> {
        let Some(ty) = self.glue.entity(export) else { return Ok(None) };
        let mentioned = named_types::mentioned(self.glue.types(), &ty);
        let Some(id) = renamed.concerns(mentioned.iter()) else { return Ok(None) };
        let ascribed = match ty {
            ComponentEntityType::Func(id) => renamed.function(id).map(ComponentTypeRef::Func),
            ComponentEntityType::Type { referenced, .. } => {
                renamed.definition(referenced).map(|index| ComponentTypeRef::Type(TypeBounds::Eq(index)))
            }
            ComponentEntityType::Instance(_) => {
                let named = self.naming.get(&id).map(|index| self.glue.exports[*index].name.name);
                let (export, name) = (export.name.name.to_owned(), named.unwrap_or_default().to_owned());
                return Err(Stop::Refused(ComposeErrorKind::Beside { export, name }));
            }
            _ => None,
        };
        ascribed.map(Some).ok_or(Stop::Unreachable)
    }
}

/// Why exports cannot be written.
enum Stop {
    Refused(ComposeErrorKind),
    /// A type that is mentioned has no index, and cannot be given one.
    Unreachable,
}

fn name<'a>(name: &wasmparser::ComponentExternName<'a>) -> ComponentExternName<'a> {
    ComponentExternName {
        name: name.name.into(),
        implements: name.implements.map(Into::into),
        version_suffix: name.version_suffix.map(Into::into),
        external_id: name.external_id.map(Into::into),
    }
}

fn kind(kind: ComponentExternalKind) -> ComponentExportKind {
    match kind {
        ComponentExternalKind::Func => ComponentExportKind::Func,
        ComponentExternalKind::Instance => ComponentExportKind::Instance,
        ComponentExternalKind::Type => ComponentExportKind::Type,
        ComponentExternalKind::Value => ComponentExportKind::Value,
        ComponentExternalKind::Component => ComponentExportKind::Component,
        ComponentExternalKind::Module => ComponentExportKind::Module,
    }
}
