//! What the `composer` command shows, begins and builds with the crates below it: `contract`, `check` and `compose`.
//!
//! Bytes and text in, bytes and findings out: files, processes, the network and the terminal are the command's,
//! in `src/bin/composer`.
//!
//! - [`manifest`] reads `interlock.toml`, [`lock`] reads and writes `interlock.lock`;
//! - [`report`] shows what is inside a component, [`graph`] draws it, [`doctor`] says which versions have drifted apart;
//! - [`scaffold`] begins a component with stubs, [`bindgen`] writes C bindings for a world, [`componentize`] makes a component
//!   of a core module.

#![deny(missing_docs)]

pub mod bindgen;
pub mod componentize;
pub mod doctor;
pub mod graph;
pub mod lock;
pub mod manifest;
pub mod report;
pub mod scaffold;
mod toml_error;

pub use toml_error::TomlError;
