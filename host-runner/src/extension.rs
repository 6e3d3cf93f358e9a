//! Interfaces that this host lacks, added from outside: `wasi:config`, `wasi:logging`, or one's own WIT.
//!
//! An [`Extension`] is written with the bindings that wasmtime's `bindgen!` makes of the WIT; `examples/wasi_config.rs` is a
//! whole one. Adding it to [`Setup::extensions`](crate::Setup::extensions) grants its interfaces: components that import
//! them are linked to it, and without it they are refused, as with every other grant. What it does in its functions is
//! its own affair: nothing limits code of the host, so it checks what guests pass to it, and bounds what it keeps for them.
//!
//! Use the [`wasmtime`](crate::wasmtime) of this crate, so that the types are the same: `wasmtime_crate: host_runner::wasmtime`
//! in `bindgen!`.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use wasmtime::component::{Linker, ResourceTable};

use crate::state::Kept;
pub use crate::state::{ExtensionError, State};

/// Some interfaces, and what stands behind them.
pub trait Extension: Send + Sync + 'static {
    /// What it keeps for one instance of a component. Gone when the instance is.
    type Data: Send + 'static;

    /// The interfaces that it adds, with their versions: `wasi:config/store@0.2.0-rc.1`. All that
    /// [`add_to_linker`](Self::add_to_linker) defines and nothing else; versions that semver calls compatible are met too.
    fn interfaces(&self) -> Vec<String>;

    /// What they allow a component, in words, as the end of "allows": `reading 3 settings`.
    fn allows(&self) -> String;

    /// Defines the interfaces: what `bindgen!` calls `add_to_linker`, with [`State::extension`] as the way to the data.
    ///
    /// # Errors
    ///
    /// Where something of that name is there already: the host's own interface is granted as well, or another
    /// extension has it.
    fn add_to_linker(&self, linker: &mut Linker<State>) -> wasmtime::Result<()>;

    /// The data for a fresh instance. Called for every request that gets one, so what takes time is done before. Where
    /// instances are [used again](crate::Limits::reuse), one request after the other finds the same data.
    ///
    /// # Errors
    ///
    /// Where the instance cannot be served; it is not started then. The text is for the operator.
    fn start(&self) -> Result<Self::Data, ExtensionError>;
}

/// The extensions that are granted.
#[derive(Clone, Default)]
pub struct Extensions(Vec<Arc<dyn Erased>>);

impl Extensions {
    /// Grants the interfaces of one more; one of the same type that was there before goes.
    pub fn add<E: Extension>(&mut self, extension: E) {
        self.0.retain(|other| other.id() != TypeId::of::<E>());
        self.0.push(Arc::new(extension));
    }

    /// What the extension that has this interface, or a compatible version of it, allows; `None` where none has it.
    pub fn allows(&self, import: &str) -> Option<String> {
        let has = |extension: &&Arc<dyn Erased>| {
            extension.interfaces().iter().any(|own| compatible(own) == compatible(import))
        };
        self.0.iter().find(has).map(|extension| extension.allows())
    }

    pub(crate) fn add_to_linker(&self, linker: &mut Linker<State>) -> Result<(), LinkFailed> {
        for extension in &self.0 {
            extension
                .add_to_linker(linker)
                .map_err(|source| extension.failed(format!("{source:#}").into()))?;
        }
        Ok(())
    }

    pub(crate) fn start(&self) -> Result<Kept, LinkFailed> {
        let mut kept = Kept::default();
        for extension in &self.0 {
            kept.add(extension.id(), extension.start().map_err(|source| extension.failed(source))?);
        }
        Ok(kept)
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|extension| extension.interfaces())).finish()
    }
}

/// An extension could not be linked, or started for an instance.
pub(crate) struct LinkFailed {
    pub(crate) interfaces: String,
    pub(crate) source: ExtensionError,
}

impl State {
    /// What the extension keeps for this instance.
    ///
    /// # Panics
    ///
    /// Where `E` is not among the instance's grants: for its own functions it always is.
    pub fn extension<E: Extension>(&mut self) -> &mut E::Data {
        self.extension_and_table::<E>().0
    }

    /// What the extension keeps for this instance, and the table of the instance's handles: for interfaces with resources,
    /// or with streams and pollables of `wasi:io`.
    ///
    /// # Panics
    ///
    /// As [`extension`](Self::extension).
    pub fn extension_and_table<E: Extension>(&mut self) -> (&mut E::Data, &mut ResourceTable) {
        let (data, table) = self.kept_and_table(TypeId::of::<E>());
        (data.expect("only functions of granted extensions are linked"), table)
    }
}

/// An [`Extension`] whatever its data is.
trait Erased: Send + Sync {
    fn id(&self) -> TypeId;
    fn interfaces(&self) -> Vec<String>;
    fn allows(&self) -> String;
    fn add_to_linker(&self, linker: &mut Linker<State>) -> wasmtime::Result<()>;
    fn start(&self) -> Result<Box<dyn Any + Send>, ExtensionError>;

    fn failed(&self, source: ExtensionError) -> LinkFailed {
        LinkFailed { interfaces: self.interfaces().join(", "), source }
    }
}

impl<E: Extension> Erased for E {
    fn id(&self) -> TypeId {
        TypeId::of::<E>()
    }

    fn interfaces(&self) -> Vec<String> {
        Extension::interfaces(self)
    }

    fn allows(&self) -> String {
        Extension::allows(self)
    }

    fn add_to_linker(&self, linker: &mut Linker<State>) -> wasmtime::Result<()> {
        Extension::add_to_linker(self, linker)
    }

    fn start(&self) -> Result<Box<dyn Any + Send>, ExtensionError> {
        Ok(Box::new(Extension::start(self)?))
    }
}

/// An import's name, and as much of its version as makes a difference to the linker.
pub(crate) fn compatible(import: &str) -> (&str, &str) {
    let Some((path, version)) = import.split_once('@') else { return (import, "") };
    if version.contains('-') {
        return (path, version);
    }
    let version = version.split('+').next().unwrap_or(version);
    let numbers: Vec<&str> = version.split('.').collect();
    let significant = match numbers.as_slice() {
        ["0", "0", ..] => version.len(),
        ["0", minor, ..] => "0.".len() + minor.len(),
        [major, ..] => major.len(),
        [] => 0,
    };
    (path, &version[..significant])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compatible_as_the_linker_has_it() {
        for (one, other, same) in [
            ("a:b/c@1.2.0", "a:b/c@1.9.3", true),
            ("a:b/c@1.2.0", "a:b/c@2.2.0", false),
            ("a:b/c@0.2.0", "a:b/c@0.2.9", true),
            ("a:b/c@0.2.0", "a:b/c@0.3.0", false),
            ("a:b/c@0.0.1", "a:b/c@0.0.2", false),
            ("a:b/c@0.2.0-rc.1", "a:b/c@0.2.0-rc.1", true),
            ("a:b/c@0.2.0-rc.1", "a:b/c@0.2.0", false),
            ("a:b/c@1.2.0+x", "a:b/c@1.2.0", true),
            ("a:b/c", "a:b/c", true),
            ("a:b/c", "a:b/d", false),
            ("a:b/c@10.0.0", "a:b/c@1.0.0", false),
        ] {
            assert_eq!(compatible(one) == compatible(other), same, "{one} and {other}");
        }
    }
}
