//! Compiled code that outlives the process: in a directory that keeps it from start to start ([`Cache`]), or in a `.cwasm`
//! file that was made ahead of time ([`ComponentFile::compile`](crate::ComponentFile::compile)).
//!
//! Compiled code runs with all rights of the host: whoever can write it owns the host. So it is loaded only when a
//! keyed hash says that it was written with the [`Key`] of this host, over the very bytes that are loaded, and never
//! from where somebody could change them after that.

mod cache;
mod compiler;
mod entry;
mod image;
mod key;

use std::borrow::Cow;
use std::fs::File;
use std::hash::Hash;
use std::io::{self, Read, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use wasmtime::component::Component;

use crate::blame::Index;
use crate::tuning::{Demands, Tuned};

use image::Image;

pub(crate) use cache::write_whole;
pub use cache::{Cache, CacheError};
pub(crate) use compiler::Failed;
pub use compiler::{CompileLimit, Compiler, compile_here};
pub(crate) use entry::{Compiled, Unreadable, is_entry, write};
pub use key::{Key, KeyError};

/// Counted up where what is written changes its form or its meaning.
const FORMAT: &str = "host-runner code 6";

/// What is kept of a component beside its code, so that its bytes need not be read again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// What the code was compiled with: see [`settings_of`].
    pub(crate) settings: String,
    /// The digest of the component's bytes: see [`digest_of`].
    pub(crate) digest: String,
    pub(crate) demands: Demands,
    /// Its structure; `None` where that could not be read.
    pub(crate) anatomy: Option<anatomy::Component>,
    /// Those of its imports that only name types.
    pub(crate) naming: Vec<String>,
    /// Its link map, where it has one that agrees with it.
    pub(crate) link_map: Option<anatomy::link_map::LinkMap>,
    /// What traps are looked up in.
    pub(crate) blame: Index,
}

impl Facts {
    pub(crate) fn of(bytes: &[u8], demands: &Demands, engine: &Tuned) -> Self {
        let anatomy = anatomy::read(bytes).ok();
        let link_map =
            anatomy.as_ref().and_then(|anatomy| anatomy::link_map::read(bytes, anatomy).ok().flatten());
        Self {
            settings: settings_of(engine),
            digest: digest_of(bytes),
            demands: demands.clone(),
            naming: anatomy.as_ref().map(|anatomy| anatomy.naming.clone()).unwrap_or_default(),
            anatomy,
            link_map,
            blame: Index::of(bytes),
        }
    }
}

/// Code that was just compiled.
pub(crate) enum Fresh {
    /// In this process.
    Here(Component),
    /// In a process of its own, by an engine with the same settings.
    Apart(Image),
}

impl Fresh {
    /// Compiles a component for an engine: in a process of its own where there is a [`Compiler`].
    pub(crate) fn compile(engine: &Tuned, compiler: Option<&Compiler>, bytes: &[u8]) -> Result<Self, Failed> {
        match compiler {
            Some(compiler) => compiler.compile(engine.settings().recipe(), bytes).map(Self::Apart),
            None => Component::from_binary(engine.inner(), bytes)
                .map(Self::Here)
                .map_err(|error| Failed::Invalid(format!("{error:#}"))),
        }
    }

    /// Loads it into the engine that it was compiled for.
    pub(crate) fn load(&self, engine: &Tuned) -> wasmtime::Result<Component> {
        match self {
            Self::Here(component) => Ok(component.clone()),
            // SAFETY: the worker is this very program, and what it wrote has been in nobody else's hands.
            Self::Apart(image) => unsafe { image.load(engine) },
        }
    }

    /// Returns the code as the engine writes it.
    pub(crate) fn serialized(&self) -> wasmtime::Result<Cow<'_, [u8]>> {
        match self {
            Self::Here(component) => component.serialize().map(Cow::Owned),
            Self::Apart(image) => Ok(Cow::Borrowed(image.bytes())),
        }
    }
}

/// The digest that compiled code is found by.
pub(crate) fn digest_of(component: &[u8]) -> String {
    blake3::Hasher::new().update_rayon(component).finalize().to_hex().to_string()
}

/// The digest of a file's bytes, which are read from the beginning.
pub(crate) fn digest_of_file(file: &mut File) -> io::Result<String> {
    /// Enough for all processors to take part, and little enough to stay in their caches.
    const PIECE: usize = 1 << 20;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    file.rewind()?;
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            length => hasher.update_rayon(&piece[..length]),
        };
    }
}

/// The digest of everything that compiling depends on besides the component: the engine's version, its settings, and
/// the processor.
pub(crate) fn settings_of(engine: &Tuned) -> String {
    fingerprint(engine.inner(), engine.settings().image())
}

/// The same, of an engine, and something else that decides how code comes out.
pub(crate) fn fingerprint(engine: &wasmtime::Engine, besides: impl Hash) -> String {
    let mut digest = Digest(blake3::Hasher::new());
    (FORMAT, env!("CARGO_PKG_VERSION"), besides).hash(&mut digest);
    engine.precompile_compatibility_hash().hash(&mut digest);
    digest.0.finalize().to_hex().to_string()
}

/// Takes in what the standard library hashes, and keeps all of it.
struct Digest(blake3::Hasher);

impl std::hash::Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.finalize();
        u64::from_le_bytes(std::array::from_fn(|index| digest.as_bytes()[index]))
    }
}

/// Opens a file for reading. Whatever else lies there is refused, and not waited for: nobody may ever write to a named pipe.
fn open_file(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    let file = File::options().read(true).custom_flags(flags.cast_signed()).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"))
    }
}
