//! Checks WebAssembly components against their contracts, wires them to each other, and says what it did.
//!
//! This library is the part of the `composer` command that touches nothing: bytes and text in, bytes and findings
//! out. It reads no files, starts no processes and knows no network; the command does that around it.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use composer::compose::{Packages, compose};
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
//! One module an operation:
//!
//! - [`manifest`] reads `composer.toml`, [`contract`] holds WIT packages;
//! - [`bindgen`] writes C bindings for a world, [`componentize`] makes a component of a core module;
//! - [`shape`] takes in the type of a component, [`check`] compares two and says all that does not fit;
//! - [`diff`] says what changed between two versions of a contract or component, and whom it breaks;
//! - [`fit`] makes an error of that for a component and its world, [`deny`] makes stand-ins for what one may not reach;
//! - [`wire`] finds how a bag of components fits together, [`lock`] reads and writes `composer.lock`;
//! - [`compose`] puts components together, [`link_map`] has them say where their parts came from;
//! - [`decompose`] takes a composition apart;
//! - [`scaffold`] begins a component with stubs, [`doctor`] says which versions have drifted apart;
//! - [`report`] shows what is inside a component, [`wit_package`] the same of a WIT package, [`wit`] prints its
//!   contract, and [`graph`] draws it; [`shown`] has what all that is shown to people needs.

#![deny(missing_docs)]

pub mod bindgen;
pub mod check;
pub mod componentize;
pub mod compose;
mod composed;
mod contain;
pub mod contract;
mod decode;
pub mod decompose;
pub mod deny;
pub mod diff;
pub mod doctor;
pub mod fit;
pub mod graph;
pub mod link_map;
pub mod lock;
pub mod manifest;
mod named_types;
mod order;
pub mod report;
mod roots;
pub mod scaffold;
pub mod shape;
pub mod shown;
mod spread;
mod stand_in;
mod toml_error;
mod valid;
pub mod wire;
pub mod wit;
pub mod wit_package;
mod wit_rules;
mod wit_source;
mod wit_text;

pub use contain::{CONTAINED, Crash};
pub use toml_error::TomlError;
