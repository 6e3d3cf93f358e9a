//! Prints the contract of a component, or a WIT package that is in binary form, as WIT text.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let component = wat::parse_str(r#"(component
//!     (import "example:clock/now@1.0.0" (instance (export "seconds" (func (result u64))))))"#)?;
//! assert_eq!(check::wit::text(&component)?, "package root:component;
//!
//! world root {
//!   import example:clock/now@1.0.0;
//! }
//! package example:clock@1.0.0 {
//!   interface now {
//!     seconds: func() -> u64;
//!   }
//! }
//! ");
//! # Ok(())
//! # }
//! ```
//!
//! A component has no name for its own world: it is `root` in the package `root:component`, as with the other WIT
//! tools. What it takes from packages follows in nested packages, so that the text is complete, and can be read again by
//! whatever reads WIT; [`reads_again`] tells where it cannot. Documentation is printed where the component carries it.

use std::collections::HashMap;

use anyhow::bail;
use thiserror::Error;
use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType};
use wasmparser::types::Types;
use wasmparser::{Validator, WasmFeatures};
use wit_component::{DecodedWasm, OutputToString, WitPrinter};

use crate::fit::{self, FitError};
use contract::Contracts;
use contract::contain::{Crash, contain};
use contract::decode::decode;
use contract::roots;
use contract::shown::harmless;
use contract::wit_package;

/// Why a contract cannot be printed.
#[derive(Debug, Error)]
pub enum WitError {
    /// It cannot be read.
    #[error("it cannot be read as a component")]
    Read(#[from] anatomy::ReadError),
    /// It is not a valid component.
    #[error("it is not a valid component")]
    Invalid(#[source] wasmparser::Error),
    /// It has types that WIT has no words for.
    #[error("its contract cannot be said in WIT")]
    Unsayable(#[source] anyhow::Error),
    /// What it is printed as cannot be read again.
    #[error("it has something that WIT has no words for")]
    Unreadable(#[source] anyhow::Error),
    /// What it is printed as means something else.
    #[error("it has something that WIT has no words for: its text means something else")]
    Otherwise(#[source] FitError),
    /// A library crashed.
    #[error("its contract cannot be read")]
    Crash(#[from] Crash),
}

/// The contract of a component, or the WIT package that is in binary form, as text. Ends with a line feed; documentation
/// in it has no control characters but line feeds and tabs.
///
/// # Errors
///
/// Where the bytes are no valid component, or have a contract that WIT cannot say.
pub fn text(component: &[u8]) -> Result<String, WitError> {
    anatomy::read(component)?;
    let printed = contain(|| {
        Validator::new_with_features(WasmFeatures::all())
            .validate_all(component)
            .map_err(WitError::Invalid)?;
        complete(component).map_err(WitError::Unsayable)?;
        let decoded = decode(component).map_err(WitError::Unsayable)?;
        print(&decoded).map_err(WitError::Unsayable)
    })??;
    Ok(tidy(&printed))
}

/// Checks that a text from [`text`] can be read again, and that the component fits it. `name` is the text's, for messages.
///
/// There are contracts that WIT has no words for: a function of the world itself, say, that takes a type of an interface which
/// is written out inside the world.
///
/// # Errors
///
/// Where it cannot, or the component does not.
pub fn reads_again(name: &str, text: &str, component: &[u8]) -> Result<(), WitError> {
    let contracts = Contracts::parse(name, text).map_err(WitError::Unreadable)?;
    if wit_package::contracts(component).is_some() {
        return Ok(());
    }
    match fit::check(component, &contracts, WORLD) {
        Err(error @ FitError::Misfit { .. }) => Err(WitError::Otherwise(error)),
        // What cannot be compared was printed all the same, and reads again.
        _ => Ok(()),
    }
}

/// What the world of a component is called.
const WORLD: &str = "root";

fn print(decoded: &DecodedWasm) -> anyhow::Result<String> {
    let (resolve, main) = (decoded.resolve(), decoded.package());
    let others: Vec<_> = resolve.packages.iter().map(|(id, _)| id).filter(|&id| id != main).collect();
    let mut printer = WitPrinter::new(OutputToString::default());
    printer.print(resolve, main, &others)?;
    Ok(printer.output.to_string())
}

/// Documentation may hold anything, and must not steer the terminal that it is read on.
fn tidy(text: &str) -> String {
    let mut text = harmless(&text.replace("\r\n", "\n"));
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Refuses what WIT has no words for, and what its printer would leave out without a word.
fn complete(component: &[u8]) -> anyhow::Result<()> {
    let (names, types) = roots::read(component)?;
    let Some(types) = &types else { return Ok(()) };
    let imports = names.imports.iter().map(|name| ("imports", name, types.component_item_for_import(name)));
    let exports = names.exports.iter().map(|name| ("exports", name, types.component_item_for_export(name)));
    for (does, name, item) in imports.chain(exports) {
        let what = match item.map(|item| item.ty) {
            Some(ComponentEntityType::Module(_)) => "a core module",
            Some(ComponentEntityType::Component(_)) => "a component",
            Some(ComponentEntityType::Value(_)) => "a value",
            _ => continue,
        };
        bail!("it {does} {what}, `{name}`, for which WIT has no words");
    }
    if let Some((user, owner)) = shared_without_package(&names, types) {
        bail!(
            "its interface `{user}` uses a type of its interface `{owner}`, and WIT can name a type of another interface only \
             where that is in a package: give `{owner}` a name like `some:package/{owner}`"
        );
    }
    Ok(())
}

/// Returns two interfaces without a package of which the first uses a type of the second. `wit-parser` panics on it.
fn shared_without_package<'n>(names: &'n roots::Names, types: &Types) -> Option<(&'n str, &'n str)> {
    let mut owners: HashMap<ComponentAnyTypeId, &str> = HashMap::new();
    let imports = names.imports.iter().map(|name| (name, types.component_item_for_import(name)));
    let exports = names.exports.iter().map(|name| (name, types.component_item_for_export(name)));
    for (name, item) in imports.chain(exports).filter(|(name, _)| !name.contains(':')) {
        let Some(ComponentEntityType::Instance(id)) = item.map(|item| item.ty) else { continue };
        for item in types[id].exports.values() {
            let ComponentEntityType::Type { created, .. } = item.ty else { continue };
            let aliased = std::iter::successors(Some(created), |&id| types.peel_alias(id)).skip(1);
            if let Some(owner) = aliased.filter_map(|id| owners.get(&id)).find(|owner| *owner != name) {
                return Some((name, owner));
            }
            owners.insert(created, name);
        }
    }
    None
}
