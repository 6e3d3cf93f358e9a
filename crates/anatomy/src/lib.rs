//! Reads what a WebAssembly component is made of, from its bytes alone.
//!
//! A composed component is one file. This library tells what the file asks of its host, what it offers, which
//! parts it was put together from, and which import of which part is satisfied by whom:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bytes = wat::parse_str(r#"
//!     (component
//!         (import "clock" (func $clock (result u64)))
//!         (component $Counter
//!             (import "now" (func $now (result u64)))
//!             (core func $lowered (canon lower (func $now)))
//!             (core module $m
//!                 (import "" "now" (func $now (result i64)))
//!                 (export "count" (func $now)))
//!             (core instance $i (instantiate $m
//!                 (with "" (instance (export "now" (func $lowered))))))
//!             (func (export "count") (result u64) (canon lift (core func $i "count"))))
//!         (instance $counter (instantiate $Counter (with "now" (func $clock))))
//!         (export "count" (func $counter "count")))
//! "#)?;
//!
//! let component = anatomy::read(&bytes)?;
//! assert_eq!(component.imports, ["clock"]);
//! assert_eq!(component.parts[0].name, "counter");
//! assert_eq!(component.parts[0].imports, ["now"]);
//! // A host that refuses `clock` can say who wanted it.
//! assert_eq!(component.wanted_by("clock")[0].name, "counter");
//! # Ok(())
//! # }
//! ```
//!
//! # What counts as a part
//!
//! A component that instantiates a core module itself runs code, so it is a part, whatever it embeds
//! besides. A component that does not, but holds instances of components that do, is a composition, and is
//! followed inwards: compositions of compositions give parts with longer [paths](Part::path). A component with
//! no code anywhere is glue: toolchains emit such components to give exports their types; they pass things
//! on and are seen through, and are no parts. A component that is no composition has itself as its single part.
//!
//! A component that is instantiated twice gives two parts. Components that are imported are not in the file:
//! whatever comes from their instances counts as coming from the host.
//!
//! # The link map
//!
//! Whoever composes may leave a [link map](link_map) in the file, which adds where the parts came from. It is believed
//! as far as it agrees with the binary.
//!
//! # What is checked
//!
//! The structure, not the validity: types are not compared and function bodies not looked at. A file that an
//! engine would reject may still be read here; what is said of it then is what is written in it. Reading never
//! panics, and costs no more than [`Limits`] allow. What a component may cost an engine is another matter: [`bounds`].

#![deny(missing_docs)]

mod bound;
pub mod bounds;
mod error;
mod guard;
mod limits;
mod link;
pub mod link_map;
mod model;
mod modules;
mod producers;
mod reach;
mod scan;

pub use error::ReadError;
pub use limits::Limits;
pub use model::{Component, Edge, Implements, Inner, Outlet, Part, Sizes, Source, Tool, Types};
pub use modules::{CoreModule, Given, core_modules};
pub use producers::made_by;
pub use reach::{Reach, Reached, WAYS};

/// Reads a component, within the default [`Limits`].
///
/// # Errors
///
/// Where the bytes are no component, break the binary format, or exceed a limit.
pub fn read(bytes: &[u8]) -> Result<Component, ReadError> {
    read_within(bytes, &Limits::default())
}

/// Reads a component, within limits of the caller's own.
///
/// # Errors
///
/// As for [`read`].
pub fn read_within(bytes: &[u8], limits: &Limits) -> Result<Component, ReadError> {
    let definitions = scan::scan(bytes, limits).map_err(|error| error.with_makers(bytes))?;
    link::link(bytes, &definitions, limits, true)
}

/// Reads a component within the default [`Limits`], and leaves all digests empty: for who starts a component and wants its
/// structure, in a fraction of the time of [`read`], most of which goes into digests.
///
/// # Errors
///
/// As for [`read`].
pub fn structure(bytes: &[u8]) -> Result<Component, ReadError> {
    let limits = Limits::default();
    let definitions = scan::scan(bytes, &limits).map_err(|error| error.with_makers(bytes))?;
    link::link(bytes, &definitions, &limits, false)
}

/// What a component asks for and offers, without a look at what is inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// As [`Component::imports`].
    pub imports: Vec<String>,
    /// As [`Component::naming`].
    pub naming: Vec<String>,
    /// As [`Component::exports`].
    pub exports: Vec<String>,
    /// As [`Component::implements`].
    pub implements: Implements,
}

/// Reads a component's outline, within the default [`Limits`]: in a fraction of the time of [`read`], most of which goes
/// into digests.
///
/// # Errors
///
/// As for [`read`]: what has an outline can be read.
pub fn outline(bytes: &[u8]) -> Result<Outline, ReadError> {
    let Component { imports, naming, exports, implements, .. } = structure(bytes)?;
    Ok(Outline { imports, naming, exports, implements })
}
