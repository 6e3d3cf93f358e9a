//! C bindings for a world: what Zig and C components are written against.

use thiserror::Error;
use wit_bindgen_core::Files;

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
    /// The generator crashed.
    #[error("no C bindings for this world")]
    Crash(#[from] Crash),
}

/// Bindings for a world: names and contents of the files. For a world `w` they are `w.h`, `w.c` and
/// `w_component_type.o`; the last carries the world into whatever it is linked with.
///
/// # Errors
///
/// Where there is no such world, or the generator cannot say it in C.
pub fn c(contracts: &Contracts, world: &str) -> Result<Vec<(String, Vec<u8>)>, BindgenError> {
    let id = contracts.world(world)?;
    let mut resolve = contracts.resolve().clone();
    let generated = contain(move || {
        let mut files = Files::default();
        wit_bindgen_c::Opts::default().build().generate(&mut resolve, id, &mut files)?;
        Ok(files.iter().map(|(name, content)| (name.to_owned(), content.to_vec())).collect())
    })?;
    generated.map_err(|source| BindgenError::Generate { world: contracts.world_name(id), source })
}
