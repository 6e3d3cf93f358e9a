//! Checks a component against a world: whether it may stand where the world is asked for.

use std::fmt;

use thiserror::Error;
use wac_types::{ExternKind, ItemKind, Package, Type, Types, WorldId, validate_target};
use wasmparser::{Validator, WasmFeatures};

use crate::contain::{Crash, contain};
use crate::contract::{Contracts, EncodeError, WorldError};

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
    /// The world cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Its types cannot be taken in.
    #[error("its types cannot be compared")]
    Types(#[source] anyhow::Error),
    /// It does not fit the world.
    #[error("it does not fit the world `{world}`:{}", Listed(.misfits))]
    Misfit {
        /// The full name of the world.
        world: String,
        /// All that is wrong: imports first, then exports.
        misfits: Vec<Misfit>,
    },
    /// The checker crashed.
    #[error("it cannot be compared with the world")]
    Crash(#[from] Crash),
}

/// One way in which a component does not fit a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// It imports what the world does not offer.
    ExtraImport {
        /// The name of the import.
        name: String,
        /// The same interface in another version, which the world does offer.
        offered: Option<String>,
    },
    /// It does not export what the world demands.
    MissingExport {
        /// The name of the export.
        name: String,
        /// The same interface in another version, which it does export.
        present: Option<String>,
    },
    /// An import or export has a type of its own.
    Mismatch {
        /// Whether it is an import; an export otherwise.
        import: bool,
        /// Its name.
        name: String,
        /// Where the types differ, from the outside in.
        reasons: Vec<String>,
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::ExtraImport { name, offered: None } => {
                write!(f, "it imports `{name}`, which the world does not")
            }
            Misfit::ExtraImport { name, offered: Some(offered) } => {
                write!(f, "it imports `{name}`; the world has that interface as `{offered}`")
            }
            Misfit::MissingExport { name, present: None } => write!(f, "it does not export `{name}`"),
            Misfit::MissingExport { name, present: Some(present) } => {
                write!(f, "it does not export `{name}`, but `{present}`")
            }
            Misfit::Mismatch { import, name, reasons } => {
                let kind = if *import { "import" } else { "export" };
                write!(f, "its {kind} `{name}` has another type: {}", reasons.join(": "))
            }
        }
    }
}

struct Listed<'a>(&'a [Misfit]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|misfit| write!(f, "\n- {misfit}"))
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
/// Where it does not; all misfits are named, not only the first.
pub fn check(component: &[u8], contracts: &Contracts, world: &str) -> Result<anatomy::Component, FitError> {
    let found = validate(component)?;
    let id = contracts.world(world)?;
    let package = contracts.encode_package_of(id)?;
    let short = contracts.resolve().worlds[id].name.clone();
    let misfits = contain(|| compare(component, &package, &short, &found))?.map_err(FitError::Types)?;
    if misfits.is_empty() {
        Ok(found)
    } else {
        Err(FitError::Misfit { world: contracts.world_name(id), misfits })
    }
}

fn compare(
    component: &[u8],
    contract: &[u8],
    world: &str,
    found: &anatomy::Component,
) -> anyhow::Result<Vec<Misfit>> {
    let mut types = Types::default();
    let contract = Package::from_bytes("contract", None, contract, &mut types)?;
    let component = Package::from_bytes("component", None, component, &mut types)?;
    let Some(ItemKind::Type(Type::World(wanted))) = contract.definitions().get(world).copied() else {
        anyhow::bail!("the package of the world `{world}` does not define it");
    };
    let Err(report) = validate_target(&types, wanted, component.ty()) else { return Ok(Vec::new()) };
    let offered = offered(&types, wanted);
    let mut misfits: Vec<Misfit> = Vec::new();
    misfits.extend(report.imports_not_in_target().map(|name| Misfit::ExtraImport {
        name: name.to_owned(),
        offered: other_version(name, offered.iter().map(String::as_str)),
    }));
    let (imports, exports): (Vec<_>, Vec<_>) =
        report.mismatched_types().partition(|(_, kind, _)| matches!(kind, ExternKind::Import));
    let mismatch = |import| {
        move |(name, _, error): (&str, &ExternKind, &anyhow::Error)| Misfit::Mismatch {
            import,
            name: name.to_owned(),
            reasons: error.chain().map(ToString::to_string).collect(),
        }
    };
    misfits.extend(imports.into_iter().map(mismatch(true)));
    misfits.extend(report.missing_exports().map(|(name, _)| Misfit::MissingExport {
        name: name.to_owned(),
        present: other_version(name, found.exports.iter().map(String::as_str)),
    }));
    misfits.extend(exports.into_iter().map(mismatch(false)));
    Ok(misfits)
}

fn offered(types: &Types, world: WorldId) -> Vec<String> {
    let world = &types[world];
    let implicit = world.implicit_imported_interfaces(types);
    world.imports.keys().cloned().chain(implicit.keys().map(|&name| name.to_owned())).collect()
}

/// The same interface in another version.
pub(crate) fn other_version<'a>(name: &str, mut among: impl Iterator<Item = &'a str>) -> Option<String> {
    let bare = |name: &'a str| name.split_once('@').map_or(name, |(bare, _)| bare);
    let wanted = name.split_once('@').map_or(name, |(bare, _)| bare);
    among.find(|other| *other != name && bare(other) == wanted).map(str::to_owned)
}
