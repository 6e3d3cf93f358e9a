//! The contract of a component that has none yet, for a text to target.

use std::collections::BTreeMap;

use semver::Version;
use thiserror::Error;
use wit_component::WitPrinter;
use wit_parser::decoding::DecodedWasm;
use wit_parser::{PackageId, PackageName, Resolve, WorldId, WorldKey};

use super::names;
use crate::check::{compatible, version};
use crate::contain::{Crash, contain};
use crate::contract::{Contracts, EncodeError};
use crate::decode::decode;

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
/// `parts_import` is what its parts leave to the host. Of several versions of one interface a composition imports the
/// newest, on behalf of all parts; but a target is compared with what each part says, so its world has them all.
///
/// # Errors
///
/// Where WIT cannot say what the component imports and exports.
pub fn contract(component: &[u8], name: &str, parts_import: &[&str]) -> Result<Contract, ContractError> {
    let name = names::part_names(&[(name.to_owned(), String::new())], &[]).remove(0);
    let wit = contain(|| print(component, &name, parts_import))?.map_err(ContractError::Inexpressible)?;
    let package = format!("contract:{name}");
    // What was printed is read again: what counts is what others will read there.
    let contracts =
        contain(|| Contracts::parse("contract.wit", &wit))?.map_err(ContractError::Inexpressible)?;
    let binary = contracts.package(&package, None)?.unwrap_or_default();
    Ok(Contract { world: format!("{package}/{name}"), package, wit, binary })
}

fn print(component: &[u8], name: &str, parts_import: &[&str]) -> anyhow::Result<String> {
    let DecodedWasm::Component(mut resolve, world) = decode(component)? else {
        anyhow::bail!("this is a WIT package already");
    };
    let package = rename(&mut resolve, world, name)?;
    let older = older(&resolve, world, parts_import);
    let mut printed = vec![with_imports(&print_package(&resolve, package, true)?, older.keys())];
    let mut others: BTreeMap<String, String> = BTreeMap::new();
    for id in resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package) {
        others.insert(resolve.packages[id].name.to_string(), print_package(&resolve, id, false)?);
    }
    for (id, version) in older.into_values() {
        let newest = resolve.packages[id].name.version.replace(version);
        others.insert(resolve.packages[id].name.to_string(), print_package(&resolve, id, false)?);
        resolve.packages[id].name.version = newest;
    }
    printed.extend(others.into_values());
    Ok(printed.join("\n"))
}

fn print_package(resolve: &Resolve, package: PackageId, main: bool) -> anyhow::Result<String> {
    let mut printer = WitPrinter::default();
    // Documentation comes from strangers, and a target has no use for it.
    printer.emit_docs(false).print_package(resolve, package, main)?;
    Ok(printer.output.to_string().trim_end().to_owned() + "\n")
}

/// Imports of parts that the world has in another version on the same track: by their names, the package of the one that
/// it has, and their own version.
fn older(resolve: &Resolve, world: WorldId, parts_import: &[&str]) -> BTreeMap<String, (PackageId, Version)> {
    let imports = resolve.worlds[world].imports.keys().filter_map(|key| match key {
        WorldKey::Interface(id) => Some((resolve.name_world_key(key), resolve.interfaces[*id].package?)),
        WorldKey::Name(_) => None,
    });
    let imports: BTreeMap<String, PackageId> = imports.collect();
    let absent = parts_import.iter().filter(|import| !imports.contains_key(**import));
    let found = absent.filter_map(|import| {
        let (_, package) = imports.iter().find(|(name, _)| compatible(import, name))?;
        Some(((*import).to_owned(), (*package, version(import)?)))
    });
    found.collect()
}

/// The text of a package, whose only world imports these too.
fn with_imports<'a>(package: &str, imports: impl Iterator<Item = &'a String>) -> String {
    let lines: String = imports.map(|import| format!("  import {import};\n")).collect();
    let inside =
        package.find("\nworld ").and_then(|at| package[at..].find("{\n").map(|brace| at + brace + 2));
    let (head, tail) = package.split_at(inside.unwrap_or(package.len()));
    format!("{head}{lines}{tail}")
}

/// Names the world and its package, which decoding can only call `root`.
fn rename(resolve: &mut Resolve, world: WorldId, name: &str) -> anyhow::Result<PackageId> {
    let package = resolve.worlds[world].package.ok_or_else(|| anyhow::anyhow!("its world has no package"))?;
    let old = std::mem::replace(&mut resolve.worlds[world].name, name.to_owned());
    let named = &mut resolve.packages[package];
    named.name = PackageName { namespace: "contract".to_owned(), name: name.to_owned(), version: None };
    named.worlds.shift_remove(&old);
    named.worlds.insert(name.to_owned(), world);
    Ok(package)
}
