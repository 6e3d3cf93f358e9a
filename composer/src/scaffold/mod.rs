//! The beginning of a component: from a world to files that build, with a stub for each exported function.
//!
//! A stub carries what the contract asks of its function, as a comment in its language, and ends in a trap that says that
//! it is not written yet: nothing that was forgotten answers as if it were done.
//!
//! ```
//! use contract::Contracts;
//! use composer::manifest::Language;
//! use composer::scaffold::{Part, scaffold};
//!
//! let contracts = Contracts::parse("example.wit", "
//!     package example:worlds;
//!     interface greeting {
//!         /// Greets whoever has this name.
//!         greet: func(name: string) -> string;
//!     }
//!     world greeter { export greeting; }
//! ")?;
//! let part = Part {
//!     name: "greeter",
//!     language: Language::JavaScript,
//!     world: "example:worlds/greeter",
//!     wit: "../../wit",
//!     cargo: None,
//! };
//! let files = scaffold(&contracts, &part)?;
//! let main = files.iter().find(|file| file.path == "src/main.js").expect("JavaScript begins there");
//! assert!(main.text.contains(" * Greets whoever has this name."));
//! assert!(main.text.contains("  greet(name) {"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Names are those that each language's bindings generator gives: wit-bindgen for Rust, componentize-py,
//! componentize-js, and wit-bindgen's C header for C and Zig, whose declarations are read from the header itself.
//!
//! One module a language, and beside them: `exports` is what is to be implemented, `text` writes lines and comments, `wit`
//! writes types as the contract does, and [`project`] lists a part in `interlock.toml` and in a Cargo workspace.

mod c;
mod clash;
mod exports;
mod header;
mod javascript;
pub mod project;
mod python;
mod rust;
mod text;
mod wit;
mod zig;

use thiserror::Error;
use wit_parser::{Function, FunctionKind};

use crate::bindgen::BindgenError;
use crate::manifest::Language;
use contract::{Contracts, TooLarge, WorldError};
use exports::Exports;

pub use rust::{Cargo, WIT_BINDGEN};

/// What is to be begun.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Its name, as `interlock.toml` lists it.
    pub name: &'a str,
    /// The language.
    pub language: Language,
    /// The world that it is for, as `interlock.toml` names it.
    pub world: &'a str,
    /// The way from the part's directory to that of the contracts, with `/` between its steps. Only Rust needs it.
    pub wit: &'a str,
    /// What a Rust crate may take over from the Cargo workspace that it joins; None where it joins none.
    pub cargo: Option<&'a Cargo>,
}

/// A file that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in the part's directory, with `/` between its steps.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Why there is nothing to begin with.
#[derive(Debug, Error)]
pub enum ScaffoldError {
    /// There is no such world.
    #[error(transparent)]
    World(#[from] WorldError),
    /// Its types are too large once all are written out.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// There is nothing to implement.
    #[error("the world `{world}` exports no function: there is nothing to implement")]
    Nothing {
        /// The full name of the world.
        world: String,
    },
    /// A function needs what no stub can be written for.
    #[error("there is no stub for `{function}`: it {what}, which not every toolchain here can build")]
    Unsupported {
        /// The interface and the function.
        function: String,
        /// What about it.
        what: &'static str,
    },
    /// The language's toolchain only knows interfaces that have a name of their own.
    #[error("{language}'s toolchain cannot export `{interface}`, which is written out inside the world")]
    Inline {
        /// The language.
        language: Language,
        /// The name that the world gives to the interface.
        interface: String,
    },
    /// The language's toolchain would make code of a name that does not compile.
    #[error("{place} has {what}, for which there is no code in {language}: {why}")]
    Clash {
        /// What has the name.
        place: String,
        /// The name, and what it is given to.
        what: String,
        /// Why it does not do.
        why: &'static str,
        /// The language.
        language: Language,
    },
    /// There are no C bindings, which C and Zig are written against.
    #[error(transparent)]
    Bindings(#[from] BindgenError),
    /// The C bindings do not declare a function of the world.
    #[error("the C bindings of this world do not declare `{name}`")]
    Undeclared {
        /// The name of the C function.
        name: String,
    },
}

/// Begins a component: the files of its directory.
///
/// # Errors
///
/// Where there is no such world, its types are [too large](TooLarge), it exports nothing, or it uses something that not every toolchain knows: asynchronous
/// functions, streams, futures, error contexts, maps and lists of fixed length; or where the language's toolchain would make code
/// of a name that does not compile.
pub fn scaffold(contracts: &Contracts, part: &Part<'_>) -> Result<Vec<File>, ScaffoldError> {
    let world = contracts.world(part.world)?;
    contracts.bounded(world)?;
    let exports = Exports::of(contracts.resolve(), world)?;
    if exports.functions.is_empty() && exports.interfaces.is_empty() {
        return Err(ScaffoldError::Nothing { world: contracts.world_name(world) });
    }
    clash::check(&exports, part.language)?;
    match part.language {
        Language::Rust => Ok(rust::files(&exports, part)),
        Language::Python => python::files(&exports, part),
        Language::JavaScript => javascript::files(&exports, part),
        Language::C => c::files(&exports, part, contracts),
        Language::Zig => zig::files(&exports, part, contracts),
    }
}

fn file(path: &str, text: impl Into<String>) -> File {
    File { path: path.to_owned(), text: text.into() }
}

/// What a stub ends with: the words for whoever calls it before it is written.
fn unwritten(interface: Option<&exports::Interface<'_>>, function: &Function) -> String {
    let called = match (&function.kind, function.name.split_once(']')) {
        (FunctionKind::Constructor(_), Some((_, resource))) => format!("{resource}.constructor"),
        (_, Some((_, name))) => name.to_owned(),
        (_, None) => function.name.clone(),
    };
    match interface {
        Some(interface) => format!("{}: {called} is not written yet", interface.full),
        None => format!("{called} is not written yet"),
    }
}
