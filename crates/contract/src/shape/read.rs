//! Takes in what the validator found out.

use std::collections::{BTreeMap, HashMap, HashSet};

use wasmparser::component_types::{
    AliasableResourceId, ComponentAnyTypeId, ComponentCoreModuleTypeId, ComponentDefinedType,
    ComponentDefinedTypeId, ComponentEntityType, ComponentFuncTypeId, ComponentInstanceTypeId, ComponentItem,
    ComponentTypeId, ComponentValType, ResourceId as Identity,
};
use wasmparser::types::{EntityType, Types};
use wasmparser::{Validator, WasmFeatures};

use super::{
    Component, ComponentId, CoreItem, Definition, Function, FunctionId, Handle, Implements, Interface,
    InterfaceId, Item, Kind, Module, ModuleId, Named, Origin, Place, Resource, ResourceId, Shape, Type,
    TypeDef, TypeId,
};
use crate::roots::Names;

type Entities = Vec<(String, ComponentEntityType)>;

/// The type of a component.
pub(super) fn component(bytes: &[u8]) -> Result<Shape, wasmparser::Error> {
    let types = Validator::new_with_features(WasmFeatures::all()).validate_all(bytes)?;
    let Names { imports, exports, .. } = Names::read(bytes)?;
    let imports = imports.iter().filter_map(|name| Some((name, types.component_item_for_import(name)?)));
    let exports = exports.iter().filter_map(|name| Some((name, types.component_item_for_export(name)?)));
    Ok(of_items(&types, imports, exports))
}

/// The type of a component that imports and exports these items.
fn of_items<'i>(
    types: &'i Types,
    imports: impl Iterator<Item = (&'i String, &'i ComponentItem)> + Clone,
    exports: impl Iterator<Item = (&'i String, &'i ComponentItem)> + Clone,
) -> Shape {
    let implements =
        Implements { imports: implements(imports.clone()), exports: implements(exports.clone()) };
    let (imports, exports) = (entities(imports), entities(exports));
    let mut reader = Reader::new(types);
    reader.name(&imports, None);
    reader.name(&exports, None);
    // The first place, not the one that the validator happens to name: that is where people look for it.
    let (asked, made) = (reader.first_places(&imports), reader.first_places(&exports));
    let mut shape = reader.shape(&imports, &exports, asked, made);
    shape.components[0].implements = implements;
    shape
}

/// The interfaces that these items implement, by their names.
fn implements<'i>(items: impl Iterator<Item = (&'i String, &'i ComponentItem)>) -> BTreeMap<String, String> {
    items.filter_map(|(name, item)| Some((name.clone(), item.implements.clone()?))).collect()
}

/// The type of the components of a world, in a package that was encoded. None where it is not in there.
pub(super) fn world(package: &[u8], world: &str) -> Result<Option<Shape>, wasmparser::Error> {
    let types = Validator::new_with_features(WasmFeatures::all()).validate_all(package)?;
    // The package exports a component type for each world; its only export has the type that is wanted.
    let Some(outer) = packaged(&types, world) else { return Ok(None) };
    let Some(ComponentEntityType::Component(inner)) =
        types[outer].exports.values().next().map(|item| item.ty)
    else {
        return Ok(None);
    };
    Ok(Some(of_type(&types, inner)))
}

/// The type of the components that export an interface, and import no more than it takes types from, in a package that
/// was encoded. None where it is not in there.
pub(super) fn interface(package: &[u8], interface: &str) -> Result<Option<Shape>, wasmparser::Error> {
    let types = Validator::new_with_features(WasmFeatures::all()).validate_all(package)?;
    let found = packaged(&types, interface).filter(|id| {
        let first = types[*id].exports.values().next();
        first.is_some_and(|item| matches!(item.ty, ComponentEntityType::Instance(_)))
    });
    Ok(found.map(|id| of_type(&types, id)))
}

/// The component type under which an encoded package has a world or interface.
fn packaged(types: &Types, name: &str) -> Option<ComponentTypeId> {
    match types.component_item_for_export(name)?.ty {
        ComponentEntityType::Type { referenced: ComponentAnyTypeId::Component(id), .. } => Some(id),
        _ => None,
    }
}

fn of_type(types: &Types, id: ComponentTypeId) -> Shape {
    let ty = &types[id];
    of_items(types, ty.imports.iter(), ty.exports.iter())
}

/// What a type is called, and by which interface.
type Naming = (String, Option<String>);

struct Reader<'a> {
    types: &'a Types,
    names: HashMap<ComponentAnyTypeId, Naming>,
    named: HashSet<(ComponentAnyTypeId, Option<String>)>,
    components: HashMap<ComponentTypeId, ComponentId>,
    interfaces: HashMap<ComponentInstanceTypeId, InterfaceId>,
    functions: HashMap<ComponentFuncTypeId, FunctionId>,
    defined: HashMap<ComponentDefinedTypeId, TypeId>,
    resources: HashMap<Identity, ResourceId>,
    modules: HashMap<ComponentCoreModuleTypeId, ModuleId>,
    shape: Shape,
}

impl<'a> Reader<'a> {
    fn new(types: &'a Types) -> Self {
        let shape = Shape {
            components: vec![Component::default()],
            interfaces: Vec::new(),
            functions: Vec::new(),
            types: Vec::new(),
            resources: Vec::new(),
            modules: Vec::new(),
            root: ComponentId::at(0),
        };
        Reader {
            types,
            names: HashMap::new(),
            named: HashSet::new(),
            components: HashMap::new(),
            interfaces: HashMap::new(),
            functions: HashMap::new(),
            defined: HashMap::new(),
            resources: HashMap::new(),
            modules: HashMap::new(),
            shape,
        }
    }

    fn shape(
        mut self,
        imports: &[(String, ComponentEntityType)],
        exports: &[(String, ComponentEntityType)],
        asked: Vec<(Identity, Place)>,
        made: Vec<(Identity, Place)>,
    ) -> Shape {
        let asked = self.originate(asked, Origin::Asked);
        let made = self.originate(made, Origin::Made);
        let made = made.into_iter().filter(|(id, _)| !asked.iter().any(|(known, _)| known == id)).collect();
        let imports = self.items(imports);
        let exports = self.items(exports);
        self.shape.components[0] = Component { imports, exports, asked, made, ..Component::default() };
        self.shape
    }

    /// Enters resources of the component itself, each with where it comes from. What is known already stays as it is: a
    /// resource that comes in and goes out again comes in.
    fn originate(
        &mut self,
        places: Vec<(Identity, Place)>,
        origin: impl Fn(Place) -> Origin,
    ) -> Vec<(ResourceId, Place)> {
        places
            .into_iter()
            .map(|(identity, place)| {
                let known = self.resources.contains_key(&identity);
                let id = self.resource(identity);
                if !known {
                    let name = place.last().cloned().unwrap_or_default();
                    self.shape.resources[id.index()] = Resource { name, origin: origin(place.clone()) };
                }
                (id, place)
            })
            .collect()
    }

    /// Collects what types are called, before any type is taken in: a function may mention one by an index that gets its
    /// name later.
    fn name(&mut self, items: &[(String, ComponentEntityType)], interface: Option<&str>) {
        for (name, entity) in items {
            match entity {
                ComponentEntityType::Type { created, .. } => {
                    let naming = || (name.clone(), interface.map(str::to_owned));
                    self.names.entry(*created).or_insert_with(naming);
                }
                ComponentEntityType::Instance(id)
                    // One type may stand behind several names: each interface names its types itself.
                    if self.named.insert(((*id).into(), Some(name.clone()))) => {
                        let inner = entities(self.types[*id].exports.iter());
                        self.name(&inner, Some(name));
                    }
                ComponentEntityType::Component(id)
                    if self.named.insert(((*id).into(), None)) => {
                        let ty = &self.types[*id];
                        let inner = entities(ty.imports.iter().chain(ty.exports.iter()));
                        self.name(&inner, None);
                    }
                _ => {}
            }
        }
    }

    /// The resources that these items hold, each where it is met first: that is where it is made, since everything else
    /// that has it refers to an earlier one.
    fn first_places(&self, items: &[(String, ComponentEntityType)]) -> Vec<(Identity, Place)> {
        let mut found = FirstPlaces {
            types: self.types,
            seen: HashSet::new(),
            visited: HashSet::new(),
            places: Vec::new(),
        };
        found.walk(items, &mut Vec::new());
        found.places
    }

    /// Places that the validator gives as positions, as names.
    fn places(
        &self,
        resources: &[(Identity, Vec<usize>)],
        items: &[(String, ComponentEntityType)],
    ) -> Vec<(Identity, Place)> {
        resources.iter().filter_map(|(identity, path)| Some((*identity, self.place(path, items)?))).collect()
    }

    fn place(&self, path: &[usize], items: &[(String, ComponentEntityType)]) -> Option<Place> {
        let (first, rest) = path.split_first()?;
        let (name, mut entity) = items.get(*first)?.clone();
        let mut place = vec![name];
        for index in rest {
            let ComponentEntityType::Instance(id) = entity else { return None };
            let (name, item) = self.types[id].exports.get_index(*index)?;
            place.push(name.clone());
            entity = item.ty;
        }
        Some(place)
    }

    fn items(&mut self, items: &[(String, ComponentEntityType)]) -> Vec<(String, Item)> {
        items.iter().map(|(name, entity)| (name.clone(), self.item(*entity))).collect()
    }

    fn item(&mut self, entity: ComponentEntityType) -> Item {
        match entity {
            ComponentEntityType::Func(id) => Item::Function(self.function(id)),
            ComponentEntityType::Instance(id) => Item::Interface(self.interface(id)),
            ComponentEntityType::Component(id) => Item::Component(self.component(id)),
            ComponentEntityType::Module(id) => Item::Module(self.module(id)),
            ComponentEntityType::Value(ty) => Item::Value(self.value(ty)),
            ComponentEntityType::Type { created, .. } => Item::Type(match created {
                ComponentAnyTypeId::Defined(id) => Definition::Value(self.defined(id)),
                ComponentAnyTypeId::Resource(id) => Definition::Resource(self.handle(id)),
                ComponentAnyTypeId::Func(id) => Definition::Function(self.function(id)),
                ComponentAnyTypeId::Instance(id) => Definition::Interface(self.interface(id)),
                ComponentAnyTypeId::Component(id) => Definition::Component(self.component(id)),
            }),
        }
    }

    fn component(&mut self, id: ComponentTypeId) -> ComponentId {
        if let Some(&known) = self.components.get(&id) {
            return known;
        }
        let ty = &self.types[id];
        let (imports, exports) = (entities(ty.imports.iter()), entities(ty.exports.iter()));
        let asked = self.places(&ty.imported_resources, &imports);
        let made = self.places(&ty.defined_resources, &exports);
        let asked = asked.into_iter().map(|(identity, place)| (self.resource(identity), place)).collect();
        let made = made.into_iter().map(|(identity, place)| (self.resource(identity), place)).collect();
        let component = Component {
            imports: self.items(&imports),
            exports: self.items(&exports),
            asked,
            made,
            ..Component::default()
        };
        self.shape.components.push(component);
        let index = ComponentId::at(self.shape.components.len() - 1);
        self.components.insert(id, index);
        index
    }

    fn interface(&mut self, id: ComponentInstanceTypeId) -> InterfaceId {
        if let Some(&known) = self.interfaces.get(&id) {
            return known;
        }
        let items = entities(self.types[id].exports.iter());
        let interface = Interface { items: self.items(&items) };
        self.shape.interfaces.push(interface);
        let index = InterfaceId::at(self.shape.interfaces.len() - 1);
        self.interfaces.insert(id, index);
        index
    }

    fn function(&mut self, id: ComponentFuncTypeId) -> FunctionId {
        if let Some(&known) = self.functions.get(&id) {
            return known;
        }
        let ty = &self.types[id];
        let params = ty.params.iter().map(|(name, ty)| (name.to_string(), self.value(*ty))).collect();
        let result = ty.result.map(|ty| self.value(ty));
        self.shape.functions.push(Function { is_async: ty.async_, params, result });
        let index = FunctionId::at(self.shape.functions.len() - 1);
        self.functions.insert(id, index);
        index
    }

    fn value(&mut self, ty: ComponentValType) -> Type {
        match ty {
            ComponentValType::Primitive(primitive) => Type::Primitive(primitive),
            ComponentValType::Type(id) => Type::Defined(self.defined(id)),
        }
    }

    fn defined(&mut self, id: ComponentDefinedTypeId) -> TypeId {
        if let Some(&known) = self.defined.get(&id) {
            return known;
        }
        let named = self.naming(id);
        let kind = self.kind(id);
        self.shape.types.push(TypeDef { name: named, kind });
        let index = TypeId::at(self.shape.types.len() - 1);
        self.defined.insert(id, index);
        index
    }

    /// What a type is called: by its own name, else by that of the next type that it is an alias of.
    fn naming(&mut self, id: ComponentDefinedTypeId) -> Option<Named> {
        let chain: Vec<_> = std::iter::successors(Some(id), |&id| self.types.peel_alias(id)).collect();
        let naming = |&id: &ComponentDefinedTypeId| self.names.get(&ComponentAnyTypeId::Defined(id)).cloned();
        let at = chain.iter().position(|id| naming(id).is_some())?;
        let (name, interface) = naming(&chain[at])?;
        let other = chain[at + 1..].iter().find(|id| naming(id).is_some()).copied();
        let same_as = other.map(|other| self.defined(other));
        Some(Named { name, interface, same_as })
    }

    fn kind(&mut self, id: ComponentDefinedTypeId) -> Kind {
        let types = self.types;
        match &types[id] {
            ComponentDefinedType::Primitive(primitive) => Kind::Primitive(*primitive),
            ComponentDefinedType::Record(record) => Kind::Record(
                record.fields.iter().map(|(name, ty)| (name.to_string(), self.value(*ty))).collect(),
            ),
            ComponentDefinedType::Variant(variant) => Kind::Variant(
                variant
                    .cases
                    .iter()
                    .map(|(name, case)| (name.to_string(), case.ty.map(|ty| self.value(ty))))
                    .collect(),
            ),
            ComponentDefinedType::List { element, .. } => Kind::List(self.value(*element)),
            ComponentDefinedType::Map { key, value, .. } => Kind::Map(self.value(*key), self.value(*value)),
            ComponentDefinedType::FixedLengthList { element, length, .. } => {
                Kind::FixedList(self.value(*element), *length)
            }
            ComponentDefinedType::Tuple(tuple) => {
                Kind::Tuple(tuple.types.iter().map(|ty| self.value(*ty)).collect())
            }
            ComponentDefinedType::Flags(labels) => {
                Kind::Flags(labels.iter().map(ToString::to_string).collect())
            }
            ComponentDefinedType::Enum(cases) => Kind::Enum(cases.iter().map(ToString::to_string).collect()),
            ComponentDefinedType::Option { ty, .. } => Kind::Option(self.value(*ty)),
            ComponentDefinedType::Result { ok, err, .. } => {
                Kind::Result { ok: ok.map(|ty| self.value(ty)), err: err.map(|ty| self.value(ty)) }
            }
            ComponentDefinedType::Own(id) => Kind::Own(self.handle(*id)),
            ComponentDefinedType::Borrow(id) => Kind::Borrow(self.handle(*id)),
            ComponentDefinedType::Future { ty, .. } => Kind::Future(ty.map(|ty| self.value(ty))),
            ComponentDefinedType::Stream { ty, .. } => Kind::Stream(ty.map(|ty| self.value(ty))),
        }
    }

    fn handle(&mut self, id: AliasableResourceId) -> Handle {
        let resource = self.resource(id.resource());
        let name = std::iter::successors(Some(id), |&id| self.types.peel_alias(id))
            .find_map(|id| self.names.get(&ComponentAnyTypeId::Resource(id)))
            .map(|(name, _)| name.clone());
        let known = &mut self.shape.resources[resource.index()].name;
        let name = name.unwrap_or_else(|| known.clone());
        if known.is_empty() {
            known.clone_from(&name);
        }
        Handle { resource, name }
    }

    fn resource(&mut self, identity: Identity) -> ResourceId {
        if let Some(&known) = self.resources.get(&identity) {
            return known;
        }
        self.shape.resources.push(Resource { name: String::new(), origin: Origin::Inner });
        let index = ResourceId::at(self.shape.resources.len() - 1);
        self.resources.insert(identity, index);
        index
    }

    fn module(&mut self, id: ComponentCoreModuleTypeId) -> ModuleId {
        if let Some(&known) = self.modules.get(&id) {
            return known;
        }
        let ty = &self.types[id];
        let imports = ty.imports.iter().map(|(name, entity)| (name.clone(), self.core(entity))).collect();
        let exports = ty.exports.iter().map(|(name, entity)| (name.clone(), self.core(entity))).collect();
        self.shape.modules.push(Module { imports, exports });
        let index = ModuleId::at(self.shape.modules.len() - 1);
        self.modules.insert(id, index);
        index
    }

    fn core(&self, entity: &EntityType) -> CoreItem {
        let shared = |shared: bool| if shared { " shared" } else { "" };
        match entity {
            EntityType::Func(id) => CoreItem { text: format!("{}", self.types[*id]), limits: None },
            EntityType::FuncExact(id) => {
                CoreItem { text: format!("exact {}", self.types[*id]), limits: None }
            }
            EntityType::Tag(id) => CoreItem { text: format!("tag {}", self.types[*id]), limits: None },
            EntityType::Global(global) => {
                let mutable = if global.mutable { "mut " } else { "" };
                CoreItem { text: format!("global {mutable}{}", global.content_type), limits: None }
            }
            EntityType::Table(table) => CoreItem {
                text: format!("table {}{}", table.element_type, shared(table.shared)),
                limits: Some((table.initial, table.maximum)),
            },
            EntityType::Memory(memory) => CoreItem {
                text: format!(
                    "memory {}{} pages of 2^{}",
                    if memory.memory64 { "i64" } else { "i32" },
                    shared(memory.shared),
                    memory.page_size_log2.unwrap_or(16)
                ),
                limits: Some((memory.initial, memory.maximum)),
            },
        }
    }
}

struct FirstPlaces<'a> {
    types: &'a Types,
    seen: HashSet<Identity>,
    visited: HashSet<ComponentInstanceTypeId>,
    places: Vec<(Identity, Place)>,
}

impl FirstPlaces<'_> {
    fn walk(&mut self, items: &[(String, ComponentEntityType)], place: &mut Place) {
        for (name, entity) in items {
            place.push(name.clone());
            match entity {
                ComponentEntityType::Type { created: ComponentAnyTypeId::Resource(id), .. }
                    if self.seen.insert(id.resource()) =>
                {
                    self.places.push((id.resource(), place.clone()));
                }
                ComponentEntityType::Instance(id) if self.visited.insert(*id) => {
                    let inner = entities(self.types[*id].exports.iter());
                    self.walk(&inner, place);
                }
                _ => {}
            }
            place.pop();
        }
    }
}

fn entities<'i>(items: impl Iterator<Item = (&'i String, &'i ComponentItem)>) -> Entities {
    items.map(|(name, item)| (name.clone(), item.ty)).collect()
}
