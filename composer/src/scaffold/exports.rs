//! What a world asks of a component: interfaces, their resources, and functions.

use wit_parser::{
    Function, Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldId, WorldItem,
    WorldKey,
};

use super::ScaffoldError;

/// All that is to be implemented.
pub struct Exports<'a> {
    pub resolve: &'a Resolve,
    pub world: WorldId,
    /// Interfaces with something to implement. Those that only define types need nothing.
    pub interfaces: Vec<Interface<'a>>,
    /// Functions of the world itself.
    pub functions: Vec<&'a Function>,
}

/// An exported interface.
pub struct Interface<'a> {
    pub key: &'a WorldKey,
    /// Its name with package and version, as the world exports it.
    pub full: String,
    /// Its own name, or one with its package where two exported interfaces share it: in kebab case.
    pub label: String,
    pub docs: Option<&'a str>,
    pub functions: Vec<&'a Function>,
    pub resources: Vec<Resource<'a>>,
}

/// A resource of an exported interface.
pub struct Resource<'a> {
    pub name: &'a str,
    pub docs: Option<&'a str>,
    pub functions: Vec<&'a Function>,
}

impl<'a> Exports<'a> {
    /// What this world exports.
    pub fn of(resolve: &'a Resolve, world: WorldId) -> Result<Self, ScaffoldError> {
        let mut exports = Exports { resolve, world, interfaces: Vec::new(), functions: Vec::new() };
        for (key, item) in &resolve.worlds[world].exports {
            match item {
                WorldItem::Function(function) => exports.functions.push(function),
                WorldItem::Interface { id, .. } => {
                    let interface = Interface::of(resolve, world, key, *id);
                    if !interface.functions.is_empty() || !interface.resources.is_empty() {
                        exports.interfaces.push(interface);
                    }
                }
                WorldItem::Type { .. } => {}
            }
        }
        for function in &exports.functions {
            supported(resolve, function, &function.name)?;
        }
        for interface in &exports.interfaces {
            for function in interface.all() {
                supported(resolve, function, &format!("{}#{}", interface.full, function.name))?;
            }
        }
        Ok(exports)
    }

    /// The description of the world.
    pub fn docs(&self) -> Option<&'a str> {
        self.resolve.worlds[self.world].docs.contents.as_deref()
    }

    /// The names of what the world imports, but for interfaces that only define types.
    pub fn imports(&self) -> Vec<String> {
        let imports = self.resolve.worlds[self.world].imports.iter();
        let calls = imports.filter(|(_, item)| match item {
            WorldItem::Interface { id, .. } => !self.resolve.interfaces[*id].functions.is_empty(),
            WorldItem::Function(_) => true,
            WorldItem::Type { .. } => false,
        });
        calls.map(|(key, _)| self.resolve.name_world_key(key)).collect()
    }

    /// Whether a type is defined by an exported interface, in the end.
    pub fn defined_here(&self, id: TypeId) -> bool {
        let defined = wit_bindgen_core::dealias(self.resolve, id);
        matches!(self.resolve.types[defined].owner, TypeOwner::Interface(owner) if self.exported(owner))
    }

    /// Whether an interface is exported, with functions or without.
    pub fn exported(&self, interface: InterfaceId) -> bool {
        self.resolve.worlds[self.world].exports.values().any(|item| is(item, interface))
    }
}

impl<'a> Interface<'a> {
    fn of(resolve: &'a Resolve, world: WorldId, key: &'a WorldKey, id: InterfaceId) -> Self {
        let interface = &resolve.interfaces[id];
        let resources = interface.types.iter().filter_map(|(name, resource)| {
            let definition = &resolve.types[*resource];
            let functions = interface.functions.values();
            matches!(definition.kind, TypeDefKind::Resource).then(|| Resource {
                name,
                docs: definition.docs.contents.as_deref(),
                functions: functions.filter(|function| function.kind.resource() == Some(*resource)).collect(),
            })
        });
        let functions = interface.functions.values().filter(|function| function.kind.resource().is_none());
        Interface {
            key,
            full: resolve.name_world_key(key),
            label: label(resolve, key, resolve.worlds[world].exports.iter()),
            docs: interface.docs.contents.as_deref(),
            functions: functions.collect(),
            resources: resources.collect(),
        }
    }

    /// Its own functions and those of its resources.
    pub fn all(&self) -> impl Iterator<Item = &'a Function> {
        let of_resources = self.resources.iter().flat_map(|resource| &resource.functions);
        self.functions.iter().chain(of_resources).copied()
    }
}

fn is(item: &WorldItem, interface: InterfaceId) -> bool {
    matches!(item, WorldItem::Interface { id, .. } if *id == interface)
}

/// The short name of an interface that is in a world under this key.
pub fn short<'a>(resolve: &'a Resolve, key: &'a WorldKey) -> &'a str {
    match key {
        WorldKey::Name(name) => name,
        WorldKey::Interface(id) => resolve.interfaces[*id].name.as_deref().unwrap_or_default(),
    }
}

/// The short name of an interface where no other one in the same direction has it, or else one with its package, and
/// with its version where there are several of them.
pub fn label<'a>(
    resolve: &'a Resolve,
    key: &'a WorldKey,
    beside: impl Iterator<Item = (&'a WorldKey, &'a WorldItem)> + Clone,
) -> String {
    let name = short(resolve, key);
    let namesakes = beside
        .filter(|(other, item)| {
            matches!(item, WorldItem::Interface { .. }) && short(resolve, other) == name && *other != key
        })
        .map(|(other, _)| other);
    let WorldKey::Interface(id) = key else { return name.to_owned() };
    let Some(package) = resolve.interfaces[*id].package.map(|package| &resolve.packages[package].name) else {
        return name.to_owned();
    };
    let mut others = namesakes.peekable();
    if others.peek().is_none() {
        return name.to_owned();
    }
    let long = format!("{}-{}-{name}", package.namespace, package.name);
    let same_package = others.any(|other| match other {
        WorldKey::Interface(id) => resolve.interfaces[*id].package.is_some_and(|other| {
            let other = &resolve.packages[other].name;
            other.namespace == package.namespace && other.name == package.name
        }),
        WorldKey::Name(_) => false,
    });
    match &package.version {
        Some(version) if same_package => {
            format!("{long}-{}", version.to_string().replace(['.', '+'], "-"))
        }
        _ => long,
    }
}

/// Refuses what not every toolchain can build.
fn supported(resolve: &Resolve, function: &Function, name: &str) -> Result<(), ScaffoldError> {
    let refuse = |what| Err(ScaffoldError::Unsupported { function: name.to_owned(), what });
    if function.kind.is_async() {
        return refuse("is asynchronous");
    }
    let mut left: Vec<Type> = function.params.iter().map(|param| param.ty).chain(function.result).collect();
    // Types cannot contain themselves, so this ends; each is looked at once, as they can share parts without end.
    let mut seen = std::collections::HashSet::new();
    while let Some(next) = left.pop() {
        let id = match next {
            Type::Id(id) if seen.insert(id) => id,
            Type::ErrorContext => return refuse("uses an error context"),
            _ => continue,
        };
        match &resolve.types[id].kind {
            TypeDefKind::Future(_) => return refuse("uses a future"),
            TypeDefKind::Stream(_) => return refuse("uses a stream"),
            TypeDefKind::Map(..) => return refuse("uses a map"),
            TypeDefKind::FixedLengthList(..) => return refuse("uses a list of fixed length"),
            TypeDefKind::Record(record) => left.extend(record.fields.iter().map(|field| field.ty)),
            TypeDefKind::Tuple(tuple) => left.extend(&tuple.types),
            TypeDefKind::Variant(variant) => left.extend(variant.cases.iter().filter_map(|case| case.ty)),
            TypeDefKind::Option(inner) | TypeDefKind::List(inner) | TypeDefKind::Type(inner) => {
                left.push(*inner);
            }
            TypeDefKind::Result(result) => left.extend(result.ok.into_iter().chain(result.err)),
            TypeDefKind::Handle(Handle::Own(_) | Handle::Borrow(_))
            | TypeDefKind::Resource
            | TypeDefKind::Flags(_)
            | TypeDefKind::Enum(_)
            | TypeDefKind::Unknown => {}
        }
    }
    Ok(())
}
