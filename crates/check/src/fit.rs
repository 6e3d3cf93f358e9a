//! Checks a component against a world: whether it may stand where the world is asked for.
//!
//! The comparison is that of [`world`](crate::world); here a mismatch is an error.

use std::fmt;

use thiserror::Error;
use wasmparser::{Validator, WasmFeatures};

use crate::{CheckError, Class, Mismatch, Part};
use contract::shape::{Shape, ShapeError};
use contract::{Contracts, WorldError};

/// What the component is called in mismatches.
pub const COMPONENT: &str = "the component";

/// Why a component does not fit.
#[derive(Debug, Error)]
pub enum FitError {
    /// It cannot be read.
    #[error("it cannot be read as a component")]
    Read(#[from] anatomy::ReadError),
    /// It is not a valid component.
    #[error("it is not a valid component")]
    Invalid(#[source] wasmparser::Error),
    /// There is no such world.
    #[error(transparent)]
    World(#[from] WorldError),
    /// Its type or that of the world cannot be taken in.
    #[error(transparent)]
    Shape(ShapeError),
    /// The two cannot be compared.
    #[error("it cannot be compared with the world")]
    Check(#[from] CheckError),
    /// It does not fit the world.
    #[error("it does not fit the world `{world}`:{}", Listed(.mismatches))]
    Misfit {
        /// The full name of the world.
        world: String,
        /// All that is wrong: imports first, then exports.
        mismatches: Vec<Mismatch>,
    },
}

impl From<ShapeError> for FitError {
    fn from(error: ShapeError) -> Self {
        match error {
            ShapeError::Read(error) => FitError::Read(error),
            ShapeError::Invalid(error) => FitError::Invalid(error),
            other => FitError::Shape(other),
        }
    }
}

struct Listed<'a>(&'a [Mismatch]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|mismatch| write!(f, "\n- {mismatch}"))
    }
}

/// Checks that these bytes are a valid component.
///
/// # Errors
///
/// Where they are not, or exceed the limits of [`anatomy`].
pub fn validate(component: &[u8]) -> Result<anatomy::Component, FitError> {
    let found = anatomy::read(component)?;
    Validator::new_with_features(WasmFeatures::all()).validate_all(component).map_err(FitError::Invalid)?;
    Ok(found)
}

/// Checks that a component is valid and fits a world: it imports nothing else than the world does, exports
/// everything that the world does, and all types agree.
///
/// # Errors
///
/// Where it does not; all mismatches are named, not only the first.
pub fn check(component: &[u8], contracts: &Contracts, world: &str) -> Result<anatomy::Component, FitError> {
    check_adapted(component, contracts, world, &[])
}

/// As [`check`], for a component that may also import what its adapter does: `brought` has the full names of these
/// interfaces.
///
/// # Errors
///
/// As for [`check`].
pub fn check_adapted(
    component: &[u8],
    contracts: &Contracts,
    world: &str,
    brought: &[String],
) -> Result<anatomy::Component, FitError> {
    let found = anatomy::read(component)?;
    let shape = Shape::of_component(component)?;
    let id = contracts.world(world)?;
    let name = contracts.world_name(id);
    let wanted = Shape::of_world(contracts, id)?;
    let report = crate::world(Part { name: COMPONENT, shape: &shape }, Part { name: &name, shape: &wanted })?;
    let brought = |mismatch: &Mismatch| {
        let absent = matches!(
            mismatch.class,
            Class::MissingInterface | Class::NameNearMiss | Class::VersionIncompatible
        );
        absent && matches!(&mismatch.path[..], [name] if brought.contains(name))
    };
    let mismatches: Vec<_> = report.mismatches.into_iter().filter(|mismatch| !brought(mismatch)).collect();
    if mismatches.is_empty() { Ok(found) } else { Err(FitError::Misfit { world: name, mismatches }) }
}
