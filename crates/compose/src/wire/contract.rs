//! The contract of a component that has none yet, for a text to target.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use thiserror::Error;
use wit_component::WitPrinter;
use wit_parser::decoding::DecodedWasm;
use wit_parser::{InterfaceId, PackageId, PackageName, Resolve, WorldId, WorldItem, WorldKey};

use super::names;
use check::{compatible, version};
use contract::contain::{Crash, contain};
use contract::decode::decode;
use contract::{Contracts, EncodeError};

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
/// newest, on behalf of all parts; but a target is compared with what each part says, so its world has them all. What the
/// older ones have is not in the composition: they are printed as the newest one is, and a comment says so.
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
    let used: Vec<PackageId> =
        resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package).collect();
    let older = older(&resolve, world, parts_import);
    for (place, one) in older.iter().enumerate() {
        import(&mut resolve, world, place, one);
    }
    let mut printed = vec![print_package(&resolve, package, true)?];
    let mut others: BTreeMap<String, String> = BTreeMap::new();
    for id in used {
        others.insert(resolve.packages[id].name.to_string(), print_package(&resolve, id, false)?);
    }
    for Older { package, version, .. } in older {
        let newest = resolve.packages[package].name.clone();
        resolve.packages[package].name.version = Some(version);
        let name = resolve.packages[package].name.to_string();
        let note = format!(
            "// Parts import `{name}`, and the host serves them with `{newest}`. Only that is known here: some of what follows\n\
             // may have come after `{name}`.\n"
        );
        others.insert(name, note + &print_package(&resolve, package, false)?);
        resolve.packages[package].name = newest;
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

/// An import of parts that the world has in another version on the same track.
struct Older {
    /// The interface that it has, and its package.
    interface: InterfaceId,
    package: PackageId,
    /// The version that the parts import.
    version: Version,
}

/// All of them, by name.
fn older(resolve: &Resolve, world: WorldId, parts_import: &[&str]) -> Vec<Older> {
    let imports = resolve.worlds[world].imports.keys().filter_map(|key| match key {
        WorldKey::Interface(id) => Some((resolve.name_world_key(key), *id)),
        WorldKey::Name(_) => None,
    });
    let imports: BTreeMap<String, InterfaceId> = imports.collect();
    let absent: BTreeSet<&str> =
        parts_import.iter().copied().filter(|import| !imports.contains_key(*import)).collect();
    let found = absent.into_iter().filter_map(|import| {
        let (_, interface) = imports.iter().find(|(name, _)| compatible(import, name))?;
        let package = resolve.interfaces[*interface].package?;
        Some(Older { interface: *interface, package, version: version(import)? })
    });
    found.collect()
}

/// Has the world import this one too, at that place. It is there by its name alone: its package is never printed.
fn import(resolve: &mut Resolve, world: WorldId, place: usize, older: &Older) {
    let mut package = resolve.packages[older.package].clone();
    package.name.version = Some(older.version.clone());
    let mut interface = resolve.interfaces[older.interface].clone();
    interface.package = Some(resolve.packages.alloc(package));
    let alike = resolve.worlds[world].imports.get(&WorldKey::Interface(older.interface)).cloned();
    if let Some(mut item @ WorldItem::Interface { .. }) = alike {
        let older = resolve.interfaces.alloc(interface);
        if let WorldItem::Interface { id, .. } = &mut item {
            *id = older;
        }
        resolve.worlds[world].imports.shift_insert(place, WorldKey::Interface(older), item);
    }
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
