//! Takes a composition apart: into the components that it was put together from, and a text in the WAC language that
//! puts them together again.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use compose::compose;
//! use compose::decompose::decompose;
//!
//! let whole = wat::parse_str(r#"(component
//!     (component $offers
//!         (core module $m (func (export "f") (result i32) i32.const 42))
//!         (core instance $i (instantiate $m))
//!         (func (export "answer") (result u32) (canon lift (core func $i "f"))))
//!     (component $asks
//!         (import "answer" (func $answer (result u32)))
//!         (export "passed-on" (func $answer)))
//!     (instance $source (instantiate $offers))
//!     (alias export $source "answer" (func $answer))
//!     (instance $relay (instantiate $asks (with "answer" (func $answer))))
//!     (export "passed-on" (func $relay "passed-on")))"#)?;
//!
//! let apart = decompose("whole", &whole)?;
//! assert_eq!(apart.text, r#"package decomposed:whole;
//!
//! let source = new parts:source {};
//!
//! let relay = new parts:relay { "answer": source["answer"] };
//!
//! export relay["passed-on"];
//! "#);
//! let again = compose("whole.wac", &apart.text, &apart.packages())?;
//! assert_eq!(anatomy::read(&again)?.edges, anatomy::read(&whole)?.edges);
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! Every answer was tried: the text was composed, and the result compared with what was taken apart. The parts are
//! the same byte for byte, every instance gets the same from the same, every export is made of the same, and the
//! validator takes either component for the other. What may differ is what has no meaning: the order of sections,
//! names that were no names in WAC, custom sections of the whole.
//!
//! # What is refused
//!
//! What WAC has no words for, with the offset of the first such thing: core modules and canonical definitions at the
//! root, outer aliases, instances put together from single items, instances of imported components, parts that are
//! never instantiated, exported types of the root's own, imports of compatible versions beside each other (WAC makes
//! one of them). Only the outermost level counts: a part may be anything, a composition too, and stays whole.

mod draft;
mod names;
mod root;
mod same;
mod stated;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use anatomy::link_map;
use thiserror::Error;
use wasmparser::{Validator, WasmFeatures};

use crate::{ComposeError, Packages, compose};
use contract::contain::{Crash, contain};
use contract::wit_package;
use draft::Naming;
use root::Root;
use same::Difference;
use stated::Contract;

/// The namespace of the packages that parts become.
pub const PARTS: &str = "parts";
/// The namespace of the WIT packages that say what imports look like.
pub const CONTRACTS: &str = "contracts";

/// A composition that was taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decomposition {
    /// What the text calls itself, without the namespace: the title, made a name that WAC takes.
    pub name: String,
    /// What puts it together again, in the WAC language.
    pub text: String,
    /// The components, each once, in the order in which they are embedded.
    pub parts: Vec<Piece>,
    /// WIT packages in their binary form, for types of imports that the parts alone do not say. Mostly there are
    /// none.
    pub contracts: Vec<Piece>,
}

/// A package that the text mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its name, without the namespace: letters, digits and hyphens, unique among its kind. The text knows it as
    /// `parts:NAME` or `contracts:NAME`.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why a composition cannot be taken apart.
#[derive(Debug, Error)]
pub enum DecomposeError {
    /// It cannot be read.
    #[error("it cannot be read as a component")]
    Read(#[from] anatomy::ReadError),
    /// It is not a valid component.
    #[error("it is not a valid component")]
    Invalid(#[source] wasmparser::Error),
    /// It ends too early. The validator does not notice where the end happens to fall between two sections of a component
    /// within.
    #[error("it is cut off: the component that begins at byte {offset} does not end in it")]
    CutOff {
        /// Where that begins, in bytes from the beginning.
        offset: u64,
    },
    /// It is not made of components.
    #[error("it is no composition of components that it holds: {0}")]
    NoParts(String),
    /// It is made in a way that WAC has no words for.
    #[error("at byte {offset}: {construct}; WAC cannot say that")]
    Unsayable {
        /// What is there.
        construct: String,
        /// Where it is, in bytes from the beginning.
        offset: u64,
        /// What is in the way, where that is known.
        #[source]
        reason: Option<anyhow::Error>,
    },
    /// The text does not put it together again.
    #[error("the parts do not go together again as they were")]
    Recompose(#[source] Box<ComposeError>),
    /// Put together again, it is not what it was.
    #[error("at byte {offset}: {construct}; put together again from WAC it would be another")]
    Differs {
        /// What would be another.
        construct: String,
        /// Where it is, in bytes from the beginning.
        offset: u64,
    },
    /// A library crashed.
    #[error("it cannot be taken apart")]
    Crash(#[from] Crash),
}

impl Decomposition {
    /// All pieces as [`compose`] takes them, by the names that the text has for them.
    #[must_use]
    pub fn packages(&self) -> Packages {
        let named = |namespace: &'static str| {
            move |piece: &Piece| (format!("{namespace}:{}", piece.name), piece.bytes.clone())
        };
        self.parts.iter().map(named(PARTS)).chain(self.contracts.iter().map(named(CONTRACTS))).collect()
    }
}

/// Takes a composition apart. `title` is what the text is called: `package decomposed:TITLE`.
///
/// # Errors
///
/// Where the bytes are no valid component, are not made of components, or are put together in a way that WAC cannot say.
pub fn decompose(title: &str, bytes: &[u8]) -> Result<Decomposition, DecomposeError> {
    let found = anatomy::read(bytes)?;
    match contain(|| apart(title, bytes, &found))? {
        Err(DecomposeError::Unsayable { construct, offset, .. }) if !found.is_composition() => {
            Err(DecomposeError::NoParts(format!("{construct}, at byte {offset}")))
        }
        result => result,
    }
}

fn apart(title: &str, bytes: &[u8], found: &anatomy::Component) -> Result<Decomposition, DecomposeError> {
    Validator::new_with_features(WasmFeatures::all()).validate_all(bytes).map_err(DecomposeError::Invalid)?;
    if wit_package::is_one(bytes, &found.imports, &found.exports) {
        return Err(DecomposeError::NoParts("it is a WIT package".to_owned()));
    }
    let root = root::read(bytes)?;
    if root.instances.is_empty() {
        return Err(DecomposeError::NoParts("it instantiates no component".to_owned()));
    }
    self_contained(bytes, &root)?;
    let naming = Naming::new(&root, &packages(bytes, found));
    let mut wanted = draft::stated(&root)?;
    let mut contract = None;
    let mut statements = BTreeMap::new();
    loop {
        for import in wanted {
            statements.insert(import, statement(&mut contract, bytes, &root, import)?);
        }
        let found = decomposition(title, &root, &naming, &statements, contract.as_ref())?;
        let again = compose(&format!("{title}.wac"), &found.text, &found.packages())
            .map_err(|error| DecomposeError::Recompose(Box::new(error)))?;
        let differences = differences(bytes, &root, &naming, &again)?;
        let Some(first) = differences.first() else { return Ok(found) };
        // An import that the parts bring back otherwise than it was may still be stated.
        let left = |name: &String| root.imports.iter().position(|import| import.name == name);
        wanted = differences
            .iter()
            .filter_map(|difference| match difference {
                Difference::Import(name) => left(name).filter(|import| !statements.contains_key(import)),
                _ => None,
            })
            .collect();
        if wanted.is_empty() {
            return Err(differs(&root, &naming, first));
        }
    }
}

/// What packages were called when they were composed, by their digests: so says the link map. One that is wrong about what
/// can be checked is not believed about names either.
fn packages(bytes: &[u8], found: &anatomy::Component) -> HashMap<String, String> {
    let map = link_map::read(bytes, found).ok().flatten();
    let (parts, compositions) = map.map(|map| (map.parts, map.compositions)).unwrap_or_default();
    let parts = parts.into_iter().map(|part| (part.path, part.digest, part.origin));
    let all = parts.chain(compositions.into_iter().map(|inner| (inner.path, inner.digest, inner.origin)));
    // Of what is within a part, its own composer knew the names.
    let outermost = all.filter(|(path, ..)| path.len() == 1);
    outermost.filter_map(|(_, digest, origin)| Some((digest, origin?.package))).collect()
}

/// Refuses parts that mean nothing without what is around them.
fn self_contained(whole: &[u8], root: &Root<'_>) -> Result<(), DecomposeError> {
    for part in &root.parts {
        let mut alone = Validator::new_with_features(WasmFeatures::all());
        // Bodies of functions reach nothing outside of their module, and were validated with the whole.
        let checked = wasmparser::Parser::new(0)
            .parse_all(part)
            .try_for_each(|payload| payload.and_then(|payload| alone.payload(&payload).map(drop)));
        if let Err(error) = checked {
            let offset = place(whole, part).start + error.offset();
            return Err(DecomposeError::Unsayable {
                construct: "a component that takes something from around it (an outer alias)".to_owned(),
                offset,
                reason: Some(anyhow::anyhow!("alone it is not valid: {}", error.message())),
            });
        }
    }
    Ok(())
}

/// Where a piece of the whole is.
fn place(whole: &[u8], piece: &[u8]) -> Range<u64> {
    let begin = (piece.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize) as u64;
    begin..begin + piece.len() as u64
}

/// The statement of an import; the contract is read when the first is asked for.
fn statement(
    contract: &mut Option<Contract>,
    bytes: &[u8],
    root: &Root<'_>,
    import: usize,
) -> Result<String, DecomposeError> {
    let import = &root.imports[import];
    let unsayable = |reason| DecomposeError::Unsayable {
        construct: format!("the import `{}`, in a way that the parts alone do not ask for it", import.name),
        offset: import.offset,
        reason: Some(reason),
    };
    if contract.is_none() {
        // Exports have no say in it, and may be what WIT has no words for.
        let imports = bytes.get(..root.imports_end).unwrap_or(bytes);
        *contract = Some(Contract::read(imports).map_err(unsayable)?);
    }
    let contract = contract.as_mut().ok_or_else(|| unsayable(anyhow::anyhow!("there is no contract")))?;
    contract.statement(import.name).map_err(unsayable)
}

fn decomposition(
    title: &str,
    root: &Root<'_>,
    naming: &Naming,
    statements: &BTreeMap<usize, String>,
    contract: Option<&Contract>,
) -> Result<Decomposition, DecomposeError> {
    let parts = root.parts.iter().zip(&naming.parts);
    let parts = parts.map(|(bytes, name)| Piece { name: name.clone(), bytes: bytes.to_vec() }).collect();
    let contracts = match contract.map(Contract::packages).transpose() {
        Ok(packages) => packages.unwrap_or_default(),
        Err(error) => return Err(unsayable_imports(root, error)),
    };
    let contracts = contracts.into_iter().map(|(name, bytes)| Piece { name, bytes }).collect();
    let name = names::identifier(title);
    Ok(Decomposition { text: draft::write(&name, root, naming, statements), name, parts, contracts })
}

fn unsayable_imports(root: &Root<'_>, reason: anyhow::Error) -> DecomposeError {
    DecomposeError::Unsayable {
        construct: "imports whose WIT package cannot be encoded".to_owned(),
        offset: root.imports.first().map_or(0, |import| import.offset),
        reason: Some(reason),
    }
}

/// In what a composition differs from its second making, if in anything.
fn differences(
    before: &[u8],
    root: &Root<'_>,
    naming: &Naming,
    after: &[u8],
) -> Result<Vec<Difference>, DecomposeError> {
    let again = root::read(after)?;
    let wiring = same::wiring(root, &naming.instances, &again);
    if same::same_type(before, after).map_err(DecomposeError::Invalid)? {
        return Ok(wiring.into_iter().collect());
    }
    let mut found = same::items(before, after).unwrap_or_default();
    found.extend(wiring);
    if found.is_empty() {
        found.push(Difference::Type);
    }
    Ok(found)
}

/// The error for a difference, with the place of what differs.
fn differs(root: &Root<'_>, naming: &Naming, difference: &Difference) -> DecomposeError {
    let import =
        |name: &str| root.imports.iter().find(|import| import.name == name).map(|found| found.offset);
    let export =
        |name: &str| root.exports.iter().find(|export| export.name == name).map(|found| found.offset);
    let (construct, offset) = match difference {
        Difference::Import(name) => (format!("the import `{name}`"), import(name)),
        Difference::Export(name) => (format!("the type of the export `{name}`"), export(name)),
        Difference::Source(name) => (format!("the export `{name}`"), export(name)),
        Difference::Instance(name) => {
            let index = naming.instances.iter().position(|instance| instance == name);
            (format!("the instance `{name}`"), index.map(|index| root.instances[index].offset))
        }
        Difference::Type => ("the type of the whole".to_owned(), None),
    };
    DecomposeError::Differs { construct, offset: offset.unwrap_or(0) }
}
