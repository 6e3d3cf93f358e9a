//! The contracts of WebAssembly components: WIT as text and in its binary form, read, checked and printed, and the type of a
//! component.
//!
//! Bytes and text in, values and errors out: this crate reads no files and starts no processes.
//!
//! - [`Contracts`] holds a WIT package and all packages that it uses; [`guard`] refuses a text that would cost too much;
//! - [`shape`] takes in the type of a component, a world or an interface: names, values, resources;
//! - [`wit_package`] tells what is in a WIT package in its binary form;
//! - [`contain`] runs what may panic on hostile input in a library, and makes an error of it.

#![deny(missing_docs)]

pub mod contain;
mod contracts;
pub mod decode;
pub mod roots;
pub mod shape;
pub mod shown;
pub mod wit_package;
mod wit_rules;
mod wit_source;
mod wit_text;

pub use contain::{CONTAINED, Crash};
pub use contracts::{Contracts, EncodeError, TooLarge, WorldError, signatures};
pub use wit_rules::made_of;
pub use wit_source::{Texts, push};
pub use wit_text::{LONGEST, TextError, guard};
