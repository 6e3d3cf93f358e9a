//! The type of a component as a tree: what it imports and exports, down to the last field.
//!
//! The tree is built from the types that the validator computes, not from the binary's type sections. So two resources
//! are the same here exactly where the engine holds them for the same, and what is compared here (the crate `check`) is
//! what the engine compares. Names are kept for the sake of people: the types themselves are compared by structure.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use contract::shape::{Item, Shape, print};
//!
//! let bytes = wat::parse_str(r#"(component
//!     (import "example:greeting/greeter" (instance
//!         (export "greet" (func (param "who" string) (result (list string)))))))"#)?;
//! let shape = Shape::of_component(&bytes)?;
//! let (name, Item::Interface(id)) = &shape.root().imports[0] else { unreachable!() };
//! assert_eq!(
//!     print::interface(&shape, name, *id),
//!     "interface example:greeting/greeter {\n  greet: func(who: string) -> list<string>;\n}"
//! );
//! # Ok(())
//! # }
//! ```
//!
//! The tree is an arena with small indexes: types are shared, and a tree without sharing could be exponentially
//! larger than the binary. An index means something only in the [`Shape`] it comes from.

use thiserror::Error;
use wit_parser::WorldId;

use crate::contain::{Crash, contain};
use crate::contracts::interfaces as count_interfaces;
use crate::wit_package;
use crate::{Contracts, EncodeError};

pub mod member;
pub mod mention;
pub mod print;
mod read;

/// What an engine takes: so many instances in one component, aliases and exports of instances counted.
pub const MOST_INSTANCES: usize = 1000;

/// Why the type of a component cannot be taken in.
#[derive(Debug, Error)]
pub enum ShapeError {
    /// It cannot be read.
    #[error("it cannot be read as a component")]
    Read(#[from] anatomy::ReadError),
    /// It is not a valid component.
    #[error("it is not a valid component")]
    Invalid(#[source] wasmparser::Error),
    /// It is a WIT package in its binary form.
    #[error("it is a WIT package: it has types, and nothing that runs")]
    WitPackage,
    /// A world, or all interfaces of a package with what they need, are more than a component's type may hold.
    #[error(
        "there are {interfaces} interfaces to take in at once, where at most {MOST_INSTANCES} fit into one type"
    )]
    TooMany {
        /// How many there are.
        interfaces: usize,
    },
    /// A world breaks a rule of the binary format.
    #[error("its contract breaks a rule of the binary format: {0}")]
    Rule(String),
    /// A world cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// An encoded package does not hold the world that was asked for.
    #[error("the encoded package does not define the world `{0}`")]
    NoWorld(String),
    /// The validator crashed.
    #[error("its types cannot be taken in")]
    Crash(#[from] Crash),
}

macro_rules! index {
    ($(#[$doc:meta] $name:ident),* $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $name {
            fn at(index: usize) -> Self {
                $name(u32::try_from(index).expect("the limits of the binary format are far below"))
            }

            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

index! {
    /// A component or world in a shape.
    ComponentId,
    /// An interface in a shape.
    InterfaceId,
    /// A function type in a shape.
    FunctionId,
    /// A value type in a shape that is not primitive, or has a name.
    TypeId,
    /// A resource in a shape: one identity, whatever it is called and however often it is passed on.
    ResourceId,
    /// A core module's type in a shape.
    ModuleId,
}

/// The type of one component, or of the components of one world.
#[derive(Debug, Clone)]
pub struct Shape {
    components: Vec<Component>,
    interfaces: Vec<Interface>,
    functions: Vec<Function>,
    types: Vec<TypeDef>,
    resources: Vec<Resource>,
    modules: Vec<Module>,
    root: ComponentId,
}

/// What a component asks for and what it offers, in the order of the binary.
#[derive(Debug, Clone, Default)]
pub struct Component {
    /// By name: interfaces as a rule, and plain functions, types and resources.
    pub imports: Vec<(String, Item)>,
    /// By name.
    pub exports: Vec<(String, Item)>,
    /// The interfaces that imports and exports implement under a name of their own.
    pub implements: Implements,
    /// Resources that whoever instantiates the component decides, and where they come in.
    pub asked: Vec<(ResourceId, Place)>,
    /// Resources that each instance makes anew, and where they come out.
    pub made: Vec<(ResourceId, Place)>,
}

pub use anatomy::Implements;

/// Names from the outside in: an import or export, then exports of instances.
pub type Place = Vec<String>;

/// Something that is imported or exported under a name.
#[derive(Debug, Clone)]
pub enum Item {
    /// A function.
    Function(FunctionId),
    /// An instance.
    Interface(InterfaceId),
    /// A type that is not a function: a value type, a resource, or the type of something else.
    Type(Definition),
    /// A component.
    Component(ComponentId),
    /// A core module.
    Module(ModuleId),
    /// A value.
    Value(Type),
}

/// What an imported or exported type is the type of.
#[derive(Debug, Clone)]
pub enum Definition {
    /// Values.
    Value(TypeId),
    /// A resource.
    Resource(Handle),
    /// Functions.
    Function(FunctionId),
    /// Instances.
    Interface(InterfaceId),
    /// Components.
    Component(ComponentId),
}

/// The exports of an instance, in the order of the binary.
#[derive(Debug, Clone, Default)]
pub struct Interface {
    /// By name; methods as the binary names them: `[method]stream.read`.
    pub items: Vec<(String, Item)>,
}

/// A function's type.
#[derive(Debug, Clone)]
pub struct Function {
    /// Whether it is `async`.
    pub is_async: bool,
    /// By name, in order.
    pub params: Vec<(String, Type)>,
    /// What it returns, if anything.
    pub result: Option<Type>,
}

/// A value type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A primitive one: `u32`, `string` …
    Primitive(Primitive),
    /// Any other.
    Defined(TypeId),
}

/// A primitive value type. Its `Display` is its name in WIT.
pub use wasmparser::PrimitiveValType as Primitive;

/// A value type that is not primitive, or has a name.
#[derive(Debug, Clone)]
pub struct TypeDef {
    /// What it is called where it is used, and which import or export calls it so.
    pub name: Option<Named>,
    /// What it is.
    pub kind: Kind,
}

/// A name of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name, within its interface.
    pub name: String,
    /// The interface that exports it under this name; None for a type of the world itself.
    pub interface: Option<String>,
    /// The type that this is another name of, as with `use` and `type a = b`.
    pub same_as: Option<TypeId>,
}

/// What a value type is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A primitive type under a name of its own.
    Primitive(Primitive),
    /// Fields, in order.
    Record(Vec<(String, Type)>),
    /// Cases, in order, each with its payload.
    Variant(Vec<(String, Option<Type>)>),
    /// Cases, in order.
    Enum(Vec<String>),
    /// Labels, in order.
    Flags(Vec<String>),
    /// A value or nothing.
    Option(Type),
    /// Success or failure.
    Result {
        /// The payload of success.
        ok: Option<Type>,
        /// The payload of failure.
        err: Option<Type>,
    },
    /// A fixed sequence of values of their own types.
    Tuple(Vec<Type>),
    /// Any number of values.
    List(Type),
    /// As many values as it says.
    FixedList(Type, u32),
    /// Keys, and values to them.
    Map(Type, Type),
    /// Values that come one after the other.
    Stream(Option<Type>),
    /// A value that comes later.
    Future(Option<Type>),
    /// A handle that is handed over.
    Own(Handle),
    /// A handle that is lent for the time of a call.
    Borrow(Handle),
}

/// A mention of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle {
    /// Which.
    pub resource: ResourceId,
    /// What it is called here.
    pub name: String,
}

/// A resource.
#[derive(Debug, Clone)]
pub struct Resource {
    /// What it is called where it comes in or is made.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a resource comes from, seen from the component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It comes in as an import.
    Asked(Place),
    /// Each instance makes its own, and exports it here.
    Made(Place),
    /// It is no resource of the component itself, but of the type of something it imports or exports.
    Inner,
}

/// The type of a core module.
#[derive(Debug, Clone, Default)]
pub struct Module {
    /// By module and name.
    pub imports: Vec<((String, String), CoreItem)>,
    /// By name.
    pub exports: Vec<(String, CoreItem)>,
}

/// Something that a core module imports or exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreItem {
    /// All of its type, but for its limits, as text.
    pub text: String,
    /// The least size of a table or memory, and the greatest. None for everything else.
    pub limits: Option<(u64, Option<u64>)>,
}

impl Shape {
    /// Validates a component as the engine does, and takes in its type.
    ///
    /// # Errors
    ///
    /// Where the bytes are no component, not a valid one, or beyond the limits of [`anatomy`].
    pub fn of_component(bytes: &[u8]) -> Result<Shape, ShapeError> {
        let found = anatomy::read(bytes)?;
        let shape = contain(|| read::component(bytes))?.map_err(ShapeError::Invalid)?;
        // It would seem to fit everything that asks for nothing.
        if wit_package::is_one(bytes, &found.imports, &found.exports) {
            Err(ShapeError::WitPackage)
        } else {
            Ok(shape)
        }
    }

    /// The type that a component of this world has.
    ///
    /// # Errors
    ///
    /// Where the world cannot be encoded.
    pub fn of_world(contracts: &Contracts, world: WorldId) -> Result<Shape, ShapeError> {
        let package = contracts.encode_package_of(world)?;
        let found = &contracts.resolve().worlds[world];
        let interfaces = count_interfaces(found);
        let shape =
            contain(|| read::world(&package, &found.name))?.map_err(|error| refused(error, interfaces))?;
        shape.ok_or_else(|| ShapeError::NoWorld(contracts.world_name(world)))
    }

    /// The type that a component of this world has, where the WIT package is in its binary form: `world` is the short name.
    ///
    /// # Errors
    ///
    /// Where the bytes are no such package, or have no such world.
    pub fn of_world_in(package: &[u8], world: &str) -> Result<Shape, ShapeError> {
        anatomy::read(package)?;
        let shape = contain(|| read::world(package, world))?.map_err(ShapeError::Invalid)?;
        shape.ok_or_else(|| ShapeError::NoWorld(world.to_owned()))
    }

    /// The type of a component that exports this interface and nothing else, where the WIT package is in its binary form:
    /// `interface` is the short name. None where the package has no such interface.
    pub fn of_interface_in(package: &[u8], interface: &str) -> Result<Option<Shape>, ShapeError> {
        anatomy::read(package)?;
        contain(|| read::interface(package, interface))?.map_err(ShapeError::Invalid)
    }

    /// All interfaces of the main package, as the imports of a world that needs them all. Their names have no version.
    pub fn of_interfaces(contracts: &Contracts) -> Result<Shape, ShapeError> {
        let (package, world, interfaces) = contracts.encode_interfaces()?;
        let shape = contain(|| read::world(&package, world))?.map_err(|error| refused(error, interfaces))?;
        shape.ok_or_else(|| ShapeError::NoWorld(world.to_owned()))
    }

    /// The component itself.
    #[must_use]
    pub fn root(&self) -> &Component {
        self.component(self.root)
    }

    /// A component within the shape.
    #[must_use]
    pub fn component(&self, id: ComponentId) -> &Component {
        &self.components[id.index()]
    }

    /// An interface.
    #[must_use]
    pub fn interface(&self, id: InterfaceId) -> &Interface {
        &self.interfaces[id.index()]
    }

    /// A function's type.
    #[must_use]
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.index()]
    }

    /// A value type.
    #[must_use]
    pub fn type_def(&self, id: TypeId) -> &TypeDef {
        &self.types[id.index()]
    }

    /// A resource.
    #[must_use]
    pub fn resource(&self, id: ResourceId) -> &Resource {
        &self.resources[id.index()]
    }

    /// A core module's type.
    #[must_use]
    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.index()]
    }

    /// What a value type is, when names are disregarded: None for a primitive type, which `primitive` then gives.
    #[must_use]
    pub fn kind(&self, ty: Type) -> Option<&Kind> {
        match ty {
            Type::Primitive(_) => None,
            Type::Defined(id) => {
                Some(&self.type_def(id).kind).filter(|kind| !matches!(kind, Kind::Primitive(_)))
            }
        }
    }

    /// The primitive type that this is, under whatever name.
    #[must_use]
    pub fn primitive(&self, ty: Type) -> Option<Primitive> {
        match ty {
            Type::Primitive(primitive) => Some(primitive),
            Type::Defined(id) => match self.type_def(id).kind {
                Kind::Primitive(primitive) => Some(primitive),
                _ => None,
            },
        }
    }
}

/// Why an encoded world is not taken, of which there are so many interfaces.
fn refused(error: wasmparser::Error, interfaces: usize) -> ShapeError {
    if interfaces > MOST_INSTANCES {
        ShapeError::TooMany { interfaces }
    } else {
        ShapeError::Rule(error.message().to_owned())
    }
}

impl Interface {
    /// The item of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Item> {
        find(&self.items, name)
    }
}

/// The item of this name.
pub fn find<'a>(items: &'a [(String, Item)], name: &str) -> Option<&'a Item> {
    items.iter().find(|(known, _)| known == name).map(|(_, item)| item)
}
