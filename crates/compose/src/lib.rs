//! Puts components together, as a text in the WAC language says.
//!
//! The language and the encoding are the standard ones (`wac-parser`, `wac-graph`). What is added here: limits
//! before the text reaches a recursive parser, an answer to what packages a text needs before any is looked for,
//! errors that name the way out, and validation of the result as a whole. Parts are embedded byte for byte, and
//! the result depends on the text and the parts alone, not on the order in which they were given.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use compose::{Packages, compose};
//!
//! // Two components: one offers a function, the other asks for it and passes it on.
//! let offers = wat::parse_str(r#"(component
//!     (core module $m (func (export "f") (result i32) i32.const 42))
//!     (core instance $i (instantiate $m))
//!     (func (export "answer") (result u32) (canon lift (core func $i "f"))))"#)?;
//! let asks = wat::parse_str(r#"(component
//!     (import "answer" (func $answer (result u32)))
//!     (export "passed-on" (func $answer)))"#)?;
//!
//! let text = r#"
//!     package example:whole;
//!     let offers = new parts:offers {};
//!     let asks = new parts:asks { answer: offers["answer"] };
//!     export asks["passed-on"];
//! "#;
//! let packages = Packages::from([
//!     ("parts:offers".to_owned(), offers),
//!     ("parts:asks".to_owned(), asks),
//! ]);
//! let whole = compose("whole.wac", text, &packages)?;
//!
//! let found = anatomy::read(&whole)?;
//! assert_eq!(found.exports, ["passed-on"]);
//! assert!(found.imports.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! - [`wire`] finds how a set of components fits together, and writes it as such a text;
//! - [`deny`] makes components that stand in for what a component may not reach;
//! - [`decompose`] is the way back: from a composition to its components and a text;
//! - [`link_map`] records where the parts of a composition came from.

#![deny(missing_docs)]

mod composed;
pub mod decompose;
pub mod deny;
mod diagnosis;
mod encoding;
mod error;
mod kind;
pub mod link_map;
mod named_types;
mod place;
mod spread;
mod stand_in;
mod text;
mod valid;
pub mod wire;

use std::collections::BTreeMap;

use wac_parser::resolution::Error as ResolveError;

use crate::link_map::Origins;
use check::Report;
use contract::contain::contain;
use encoding::Encoded;
use text::{guard, parse, wanted};

pub use crate::composed::Composed;
pub use error::ComposeError;
pub use kind::{ComposeErrorKind, Reference, Unnamed, Unwritable};

/// The namespace of the packages that are components of a project, or were given without a namespace: `parts:greeter`.
pub const NAMESPACE: &str = "parts";

/// Binary packages by their names, such as `parts:greeter`, without versions: components, and WIT packages in
/// their binary form.
pub type Packages = BTreeMap<String, Vec<u8>>;

/// The packages that `text` mentions, in the order of first mention: those that [`compose`] will ask for.
///
/// # Errors
///
/// Where the text is too long, nested too deeply, or not in the WAC language.
pub fn references(name: &str, text: &str) -> Result<Vec<Reference>, ComposeError> {
    wanted(text).map_err(|kind| ComposeError::new(kind, name, text))
}

/// Composes: `name` is the name of the text, for error messages.
///
/// # Errors
///
/// Where the text is not in the WAC language, a package that it mentions is not among `packages`, or what it says
/// cannot be done: types that differ, arguments that are missing, a target world that does not fit.
pub fn compose(name: &str, text: &str, packages: &Packages) -> Result<Vec<u8>, ComposeError> {
    compose_from(name, text, packages, &Origins::new())
}

/// As [`compose`], with what is known of where the packages came from. It goes into the
/// [link map](anatomy::link_map) of the composition, and changes nothing else.
///
/// # Errors
///
/// As for [`compose`].
pub fn compose_from(
    name: &str,
    text: &str,
    packages: &Packages,
    origins: &Origins,
) -> Result<Vec<u8>, ComposeError> {
    compose_in_place(name, text, packages, origins).map(|composed| composed.to_vec())
}

/// As [`compose_from`], without a copy of the packages: what large parts are composed with.
///
/// # Errors
///
/// As for [`compose`].
pub fn compose_in_place<'p>(
    name: &str,
    text: &str,
    packages: &'p Packages,
    origins: &Origins,
) -> Result<Composed<'p>, ComposeError> {
    encoded(text, packages).and_then(|encoded| encoded.described(origins)).map_err(|kind| {
        let found = diagnose(&kind, text, packages);
        let mut error = ComposeError::new(kind, name, text);
        error.versions = found.wired.into_iter().filter(|wire| wire.import != wire.export).collect();
        error.mismatches = found.mismatches;
        error
    })
}

fn encoded<'p>(text: &str, packages: &'p Packages) -> Result<Encoded<'p>, ComposeErrorKind> {
    encoding::encode(text, &wanted(text)?, packages)
}

/// All that does not fit, where that is what went wrong: the libraries stop at the first mismatch.
fn diagnose(kind: &ComposeErrorKind, text: &str, packages: &Packages) -> Report {
    let ComposeErrorKind::Resolve(error, _) = kind else { return Report::default() };
    let work = || {
        let Ok(document) = parse(text) else { return Report::default() };
        match &**error {
            ResolveError::MismatchedInstantiationArg { .. }
            | ResolveError::MissingInstantiationArg { .. }
            | ResolveError::MissingComponentImport { .. }
            | ResolveError::MissingInstanceExport { .. }
            | ResolveError::InstantiationArgMergeFailure { .. }
            | ResolveError::SpreadInstantiationNoMatch { .. }
            | ResolveError::ValidationFailure { .. } => {
                Report { mismatches: diagnosis::wiring(&document, packages), ..Report::default() }
            }
            ResolveError::ImportNotInTarget { .. }
            | ResolveError::MissingTargetExport { .. }
            | ResolveError::TargetMismatch { .. } => {
                let Some(target) = &document.directive.targets else { return Report::default() };
                // The same text without its target composes, and then both can be compared as a whole.
                let end = target.span.offset() + target.span.len();
                let start = document.directive.package.span.offset() + document.directive.package.span.len();
                let untargeted = format!("{}{}", &text[..start], &text[end..]);
                encoded(&untargeted, packages)
                    .map(|encoded| encoded.composed.to_vec())
                    .map(|composition| diagnosis::target(&composition, target.string, packages))
                    .unwrap_or_default()
            }
            _ => Report::default(),
        }
    };
    contain(work).unwrap_or_default()
}

/// The full name of the world that `text` targets, if it does.
///
/// # Errors
///
/// As for [`references`].
pub fn target(name: &str, text: &str) -> Result<Option<String>, ComposeError> {
    let read = || {
        guard(text)?;
        let document = parse(text)?;
        Ok(document.directive.targets.map(|path| path.string.to_owned()))
    };
    read().map_err(|kind| ComposeError::new(kind, name, text))
}
