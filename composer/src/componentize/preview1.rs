//! WASI preview 1, the system interface before components, and the adapters for it.
//!
//! Many toolchains build core modules that import the functions of the system from `wasi_snapshot_preview1`: Rust for
//! `wasm32-wasip1`, Go for `wasip1`, TinyGo, and the WASI SDK. An adapter provides these functions, with interfaces of WASI 0.2. It
//! becomes part of the component, without the functions that the module does not import.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use composer::componentize::{componentize, preview1};
//!
//! let module = wat::parse_str(r#"(module
//!     (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
//!     (memory (export "memory") 1)
//!     (func (export "_start") (call $exit (i32.const 0))))"#)?;
//! let adapter = preview1::adapter(&module)?.expect("the module imports from it");
//! let component = componentize(&module, None, &[adapter])?;
//! let found = anatomy::read(&component)?;
//! assert!(found.exports[0].starts_with("wasi:cli/run@0.2."));
//! # Ok(())
//! # }
//! ```

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmparser::Parser;

use super::module::Module;
use super::{Adapter, ComponentizeError};

/// The module name of WASI preview 1.
pub const NAME: &str = WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME;

/// How a core module is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A program: it exports `_start`, which runs it from its beginning to its end.
    Command,
    /// A library: its other exports are called.
    Reactor,
}

/// Returns the adapter for a core module, or None where it imports nothing from WASI preview 1 or is something else.
///
/// # Errors
///
/// Where the module breaks the binary format. Whether it is valid is not checked.
pub fn adapter(core: &[u8]) -> Result<Option<Adapter>, ComponentizeError> {
    if !Parser::is_core_wasm(core) {
        return Ok(None);
    }
    let module = Module::outline(core).map_err(ComponentizeError::Invalid)?;
    if !module.imports.iter().any(|from| from.module == NAME) {
        return Ok(None);
    }
    Ok(Some(for_kind(if module.starts { Kind::Command } else { Kind::Reactor })))
}

/// Returns the adapter for modules of a kind.
#[must_use]
pub fn for_kind(kind: Kind) -> Adapter {
    let bytes = match kind {
        Kind::Command => WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        Kind::Reactor => WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
    };
    Adapter { name: NAME.to_owned(), bytes: bytes.to_vec() }
}

/// Whether a module of this name is of WASI as it was before components.
pub(super) fn is_old(module: &str) -> bool {
    module == "wasi_unstable" || module.starts_with("wasi_snapshot_preview")
}
