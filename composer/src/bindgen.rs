//! C bindings for a world: what Zig and C components are written against.

use thiserror::Error;
use wit_bindgen_core::Files;
use wit_parser::{LiveTypes, Resolve, Type, TypeDefKind, TypeOwner, WorldId, WorldItem};

use crate::contain::{Crash, contain};
use crate::contract::{Contracts, WorldError};

/// Why there are no bindings.
#[derive(Debug, Error)]
pub enum BindgenError {
    /// There is no such world.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The generator does not know something that the world uses.
    #[error("no C bindings for the world `{world}`")]
    Generate {
        /// The full name of the world.
        world: String,
        /// What the generator says.
        #[source]
        source: anyhow::Error,
    },
    /// The world uses what the generator has no words for.
    #[error("no C bindings for the world `{world}`: it {what}, which the generator does not know")]
    Unsupported {
        /// The full name of the world.
        world: String,
        /// What it does.
        what: &'static str,
    },
    /// The generator crashed.
    #[error("no C bindings for this world")]
    Crash(#[from] Crash),
}

/// Bindings for a world: names and contents of the files. For a world `w` they are `w.h`, `w.c` and
/// `w_component_type.o`; the last carries the world into whatever it is linked with.
///
/// # Errors
///
/// Where there is no such world, or the generator cannot say it in C: error contexts, lists of fixed length, and
/// resources that a world exports without an interface.
pub fn c(contracts: &Contracts, world: &str) -> Result<Vec<(String, Vec<u8>)>, BindgenError> {
    let id = contracts.world(world)?;
    if let Some(what) = unsupported(contracts.resolve(), id) {
        return Err(BindgenError::Unsupported { world: contracts.world_name(id), what });
    }
    let mut resolve = contracts.resolve().clone();
    let generated = contain(move || {
        let mut files = Files::default();
        wit_bindgen_c::Opts::default().build().generate(&mut resolve, id, &mut files)?;
        Ok(files.iter().map(|(name, content)| (name.to_owned(), content.to_vec())).collect())
    })?;
    generated.map_err(|source| BindgenError::Generate { world: contracts.world_name(id), source })
}

/// What the generator would give up on without an error.
fn unsupported(resolve: &Resolve, world: WorldId) -> Option<&'static str> {
    let mut live = LiveTypes::default();
    live.add_world(resolve, world);
    let mut used: Vec<Type> = functions(resolve, world).collect();
    for id in live.iter() {
        match &resolve.types[id].kind {
            TypeDefKind::FixedLengthList(..) => return Some("uses a list of fixed length"),
            TypeDefKind::Record(record) => used.extend(record.fields.iter().map(|field| field.ty)),
            TypeDefKind::Tuple(tuple) => used.extend(&tuple.types),
            TypeDefKind::Variant(variant) => used.extend(variant.cases.iter().filter_map(|case| case.ty)),
            TypeDefKind::Option(inner) | TypeDefKind::List(inner) | TypeDefKind::Type(inner) => {
                used.push(*inner);
            }
            TypeDefKind::Map(key, value) => used.extend([*key, *value]),
            TypeDefKind::Result(result) => used.extend(result.ok.into_iter().chain(result.err)),
            TypeDefKind::Future(inner) | TypeDefKind::Stream(inner) => used.extend(*inner),
            TypeDefKind::Handle(_)
            | TypeDefKind::Resource
            | TypeDefKind::Flags(_)
            | TypeDefKind::Enum(_)
            | TypeDefKind::Unknown => {}
        }
    }
    if used.contains(&Type::ErrorContext) {
        return Some("uses an error context");
    }
    let own = |item: &WorldItem| {
        matches!(item, WorldItem::Type { id, .. }
        if matches!(resolve.types[*id].kind, TypeDefKind::Resource) && resolve.types[*id].owner == TypeOwner::World(world))
    };
    resolve.worlds[world].exports.values().any(own).then_some("exports a resource without an interface")
}

/// The types that the functions of a world take and give.
fn functions(resolve: &Resolve, world: WorldId) -> impl Iterator<Item = Type> + '_ {
    let world = &resolve.worlds[world];
    let all = world.imports.values().chain(world.exports.values()).flat_map(|item| match item {
        WorldItem::Interface { id, .. } => resolve.interfaces[*id].functions.values().collect(),
        WorldItem::Function(function) => vec![function],
        WorldItem::Type { .. } => Vec::new(),
    });
    all.flat_map(|function| function.params.iter().map(|param| param.ty).chain(function.result))
}
