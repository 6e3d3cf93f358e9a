//! Tells what is in a WIT package in its binary form: a component that has types, and nothing that runs.

use serde::Serialize;
use wit_parser::decoding::DecodedWasm;
use wit_parser::{PackageId, Resolve};

use crate::Contracts;
use crate::contain::contain;
use crate::decode::decode;

/// What a WIT package has to offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WitPackage {
    /// Length of the binary, in bytes.
    pub bytes: u64,
    /// The package itself first, then those it refers to, as far as they are written down in it.
    pub packages: Vec<Contents>,
}

/// The contents of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// Its full name, with its version.
    pub name: String,
    /// The names of its interfaces, in their order.
    pub interfaces: Vec<String>,
    /// The names of its worlds, in their order.
    pub worlds: Vec<String>,
}

/// The contracts in a WIT package that is in its binary form. None where the bytes are something else, or cannot be read.
#[must_use]
pub fn contracts(bytes: &[u8]) -> Option<Contracts> {
    anatomy::read(bytes).ok()?;
    let Ok(Ok(DecodedWasm::WitPackage(resolve, main))) = contain(|| decode(bytes)) else { return None };
    Some(Contracts::new(resolve, main))
}

/// Whether bytes that were read are a WIT package, which to a reader is a component with nothing but types.
pub fn is_one(bytes: &[u8], imports: &[String], exports: &[String]) -> bool {
    imports.is_empty() && exports.is_empty() && read(bytes).is_some()
}

/// Whether there is nothing in it but types, as in every WIT package and in few components.
pub fn bare(found: &anatomy::Component) -> bool {
    found.imports.is_empty() && found.exports.is_empty() && found.sizes.code == 0
}

/// Reads a WIT package. None where the bytes are something else, or cannot be read.
///
/// The bytes must have passed [`anatomy::read`], which bounds what the decoder would not.
pub fn read(bytes: &[u8]) -> Option<WitPackage> {
    let Ok(Ok(DecodedWasm::WitPackage(resolve, main))) = contain(|| decode(bytes)) else { return None };
    let others = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != main);
    let packages = std::iter::once(main).chain(others).map(|id| contents(&resolve, id)).collect();
    Some(WitPackage { bytes: bytes.len() as u64, packages })
}

fn contents(resolve: &Resolve, id: PackageId) -> Contents {
    let package = &resolve.packages[id];
    Contents {
        name: package.name.to_string(),
        interfaces: package.interfaces.keys().cloned().collect(),
        worlds: package.worlds.keys().cloned().collect(),
    }
}
