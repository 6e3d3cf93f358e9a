//! The form of compiled code on disk.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `\0hrcode` and the version of the form |
//! | 32 | keyed BLAKE3 of everything that follows |
//! | 8 | length of the facts, little-endian |
//! | 8 | length of the code |
//! | | the facts, as JSON |
//! | | the code, as the engine wrote it |

use std::fs::File;
use std::io::{self, Read, Write};

use wasmtime::component::Component;

use super::image::Image;
use super::{Facts, Key, settings_of};
use crate::tuning::Tuned;

const MAGIC: &[u8; 8] = b"\0hrcode\x01";
const HEAD: usize = 56;

/// The longest facts that are read. Those of a composition of 480 parts are some 2 MB.
const LONGEST_FACTS: u64 = 64 << 20;

/// Why there is no code in a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is cut short, or has bytes too many")]
    Length,
    #[error("its keyed hash does not verify: it was changed, or made with another key")]
    Hash,
    #[error("its beginning is not that of code that this version of host-runner compiled")]
    Form,
}

/// Code, verified, with what is known of its component.
pub(crate) struct Compiled {
    pub(crate) facts: Facts,
    code: Image,
}

/// Whether bytes begin as compiled code does.
pub(crate) fn is_entry(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC[..7])
}

/// Writes code and facts, signed.
pub(crate) fn write(to: &mut impl Write, key: &Key, facts: &Facts, code: &[u8]) -> io::Result<()> {
    let facts = serde_json::to_vec(facts)?;
    let mut lengths = [0; 16];
    lengths[..8].copy_from_slice(&(facts.len() as u64).to_le_bytes());
    lengths[8..].copy_from_slice(&(code.len() as u64).to_le_bytes());
    let mut hasher = key.hasher();
    hasher.update(&lengths).update(&facts).update_rayon(code);
    to.write_all(MAGIC)?;
    to.write_all(hasher.finalize().as_bytes())?;
    to.write_all(&lengths)?;
    to.write_all(&facts)?;
    to.write_all(code)
}

impl Compiled {
    /// Reads code, and verifies it on the copy that will be loaded.
    pub(crate) fn read(file: &mut File, key: &Key) -> Result<Self, Unreadable> {
        let mut head = [0; HEAD];
        file.read_exact(&mut head).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Unreadable::Length,
            _ => error.into(),
        })?;
        if head[..8] != MAGIC[..] {
            return Err(Unreadable::Form);
        }
        let length = |at: usize| u64::from_le_bytes(std::array::from_fn(|index| head[at + index]));
        let (facts_length, code_length) = (length(40), length(48));
        let whole = (HEAD as u64).checked_add(facts_length).and_then(|sum| sum.checked_add(code_length));
        if whole != Some(file.metadata()?.len()) || facts_length > LONGEST_FACTS || code_length == 0 {
            return Err(Unreadable::Length);
        }
        let mut facts = vec![0; facts_length as usize];
        file.read_exact(&mut facts)?;
        let mut hasher = key.hasher();
        hasher.update(&head[40..]).update(&facts);
        let code_length = usize::try_from(code_length).map_err(|_| Unreadable::Length)?;
        let code = Image::copy(file, code_length, &mut hasher)?;
        let told = blake3::Hash::from_bytes(std::array::from_fn(|index| head[8 + index]));
        // The comparison takes the same time wherever they differ.
        if hasher.finalize() != told {
            return Err(Unreadable::Hash);
        }
        let facts = serde_json::from_slice(&facts).map_err(|_| Unreadable::Form)?;
        Ok(Self { facts, code })
    }

    /// Loads the code. It is an error where the engine is another than it was compiled for.
    pub(crate) fn load(&self, engine: &Tuned) -> wasmtime::Result<Component> {
        if self.facts.settings != settings_of(engine) {
            return Err(wasmtime::Error::msg("it was compiled for other settings"));
        }
        // SAFETY: the keyed hash says that these bytes were written by a host with the same key, which writes only what
        // an engine compiled; and nobody can have changed them since.
        unsafe { self.code.load(engine) }
    }
}
