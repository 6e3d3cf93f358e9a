//! The contract of a component that has none yet, for a text to target.

use thiserror::Error;
use wit_component::WitPrinter;
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{PackageName, Resolve, WorldId};

use super::names;
use crate::contain::{Crash, contain};
use crate::contract::{Contracts, EncodeError};

/// The world of a component, as a WIT package of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The name of the package, without a version.
    pub package: String,
    /// The full name of its world.
    pub world: String,
    /// The package as WIT text, with all packages that it uses nested in it.
    pub wit: String,
    /// The package in its binary form, as compositions take it.
    pub binary: Vec<u8>,
}

/// Why a component's contract cannot be written down.
#[derive(Debug, Error)]
pub enum ContractError {
    /// WIT has no words for it.
    #[error("its imports and exports cannot be written as WIT")]
    Inexpressible(#[source] anyhow::Error),
    /// It cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A library crashed on it.
    #[error(transparent)]
    Crash(#[from] Crash),
}

/// The contract of a component: a world that imports and exports what it does, called `contract:NAME/NAME`.
///
/// # Errors
///
/// Where WIT cannot say what the component imports and exports.
pub fn contract(component: &[u8], name: &str) -> Result<Contract, ContractError> {
    let name = names::part_names(&[(name.to_owned(), String::new())], &[]).remove(0);
    let wit = contain(|| print(component, &name))?.map_err(ContractError::Inexpressible)?;
    let package = format!("contract:{name}");
    // What was printed is read again: what counts is what others will read there.
    let contracts =
        contain(|| Contracts::parse("contract.wit", &wit))?.map_err(ContractError::Inexpressible)?;
    let binary = contracts.package(&package, None)?.unwrap_or_default();
    Ok(Contract { world: format!("{package}/{name}"), package, wit, binary })
}

fn print(component: &[u8], name: &str) -> anyhow::Result<String> {
    let DecodedWasm::Component(mut resolve, world) = decode(component)? else {
        anyhow::bail!("this is a WIT package already");
    };
    let package = rename(&mut resolve, world, name)?;
    let mut others: Vec<_> = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package).collect();
    others.sort_by_key(|&id| resolve.packages[id].name.to_string());
    let print = |id| {
        let mut printer = WitPrinter::default();
        printer.print_package(&resolve, id, id == package)?;
        anyhow::Ok(printer.output.to_string().trim_end().to_owned() + "\n")
    };
    let printed: Vec<String> = [package].into_iter().chain(others).map(print).collect::<Result<_, _>>()?;
    Ok(printed.join("\n"))
}

/// Names the world and its package, which decoding can only call `root`.
fn rename(resolve: &mut Resolve, world: WorldId, name: &str) -> anyhow::Result<wit_parser::PackageId> {
    let package = resolve.worlds[world].package.ok_or_else(|| anyhow::anyhow!("its world has no package"))?;
    let old = std::mem::replace(&mut resolve.worlds[world].name, name.to_owned());
    let named = &mut resolve.packages[package];
    named.name = PackageName { namespace: "contract".to_owned(), name: name.to_owned(), version: None };
    named.worlds.shift_remove(&old);
    named.worlds.insert(name.to_owned(), world);
    Ok(package)
}
