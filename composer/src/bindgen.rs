//! C bindings for a world: what Zig and C components are written against.

use std::collections::HashSet;

use thiserror::Error;
use wit_bindgen_core::Files;
use wit_parser::{LiveTypes, Resolve, Type, TypeDefKind, WorldId};

use contract::contain::{Crash, contain};
use contract::{Contracts, TooLarge, WorldError, made_of, signatures};

/// How many types a world may have: the generator's memory grows with their square. All of WASI in one world is within it.
const MOST: usize = 1_500;

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
    #[error("no C bindings for the world `{world}`: it {what}, which the generator cannot take")]
    Unsupported {
        /// The full name of the world.
        world: String,
        /// What it does.
        what: &'static str,
    },
    /// The types of the world are too large once all are written out, as the generator does where they are copied.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The generator gives one name to two things.
    #[error("no C bindings for the world `{world}`: the generator calls two things in them `{name}`")]
    Clash {
        /// The full name of the world.
        world: String,
        /// The name in C.
        name: String,
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
/// Where there is no such world, its types are [too large](TooLarge), or the generator cannot say it in C: error contexts,
/// lists of fixed length, and two things for which it has the same name.
pub fn c(contracts: &Contracts, world: &str) -> Result<Vec<(String, Vec<u8>)>, BindgenError> {
    let id = contracts.world(world)?;
    contracts.bounded(id)?;
    if let Some(what) = unsupported(contracts.resolve(), id) {
        return Err(BindgenError::Unsupported { world: contracts.world_name(id), what });
    }
    let mut resolve = contracts.resolve().clone();
    let generated = contain(move || {
        let mut files = Files::default();
        wit_bindgen_c::Opts::default().build().generate(&mut resolve, id, &mut files)?;
        Ok(files.iter().map(|(name, content)| (name.to_owned(), content.to_vec())).collect())
    })?;
    let files: Vec<(String, Vec<u8>)> =
        generated.map_err(|source| BindgenError::Generate { world: contracts.world_name(id), source })?;
    let header = files.iter().find(|(name, _)| name.ends_with(".h"));
    match header.and_then(|(_, content)| twice(&String::from_utf8_lossy(content))) {
        Some(name) => Err(BindgenError::Clash { world: contracts.world_name(id), name }),
        None => Ok(files),
    }
}

/// Returns a name that a header of the generator declares twice. Each of its declarations ends a line with `NAME;` or
/// `NAME(…);`.
fn twice(header: &str) -> Option<String> {
    let mut seen = HashSet::new();
    let declared = header.lines().filter_map(|line| {
        let line = line.strip_suffix(';')?;
        let is_type = line.starts_with("typedef ") || line.starts_with("} ");
        let is_function = !line.starts_with(' ') && line.contains('(');
        let line = line.split_once('(').filter(|_| is_function).map_or(line, |(head, _)| head);
        (is_type || is_function).then(|| line.rsplit([' ', '*']).next())?
    });
    declared.map(str::to_owned).find(|name| !seen.insert(name.clone()))
}

/// What the generator would give up on without an error.
fn unsupported(resolve: &Resolve, world: WorldId) -> Option<&'static str> {
    let mut live = LiveTypes::default();
    live.add_world(resolve, world);
    if live.len() > MOST {
        return Some("has more than 1,500 types");
    }
    let mut used: Vec<Type> = signatures(resolve, world).collect();
    for id in live.iter() {
        let kind = &resolve.types[id].kind;
        if matches!(kind, TypeDefKind::FixedLengthList(..)) {
            return Some("uses a list of fixed length");
        }
        used.extend(made_of(kind));
    }
    used.contains(&Type::ErrorContext).then_some("uses an error context")
}
