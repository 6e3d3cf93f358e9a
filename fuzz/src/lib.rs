//! Fuzz targets: everything here that reads what others wrote, and what must hold however it is broken.
//!
//! A [target](Target) takes bytes and puts them through a library as the commands would. It holds where nothing panics,
//! nothing that was read is contradictory, and no more memory was taken than [`memory::allowed`]. Panics of the libraries below that
//! `composer` catches count as well: limits are there to be met before. Those that no limit can be put in front of are
//! [listed](crashes::KNOWN).
//!
//! Each target has a [program] in `fuzz_targets/`, which cargo-fuzz builds. The target `host` has one that needs no libFuzzer
//! ([`wander`]). The corpora in `corpus/` are replayed by `tests/it/replay.rs`, without a fuzzer.

#![deny(missing_docs)]

pub mod crashes;
pub mod memory;
pub mod mutate;
pub mod program;
pub mod seeds;
mod targets;
#[cfg(not(fuzzing))]
pub mod wander;

use std::sync::{Mutex, PoisonError};

/// Something that reads foreign bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of the directory of its corpus.
    pub name: &'static str,
    /// What the input is.
    pub input: Input,
    /// Puts bytes through it. Panics where something does not hold.
    pub run: fn(&[u8]),
    /// Bytes of memory that are granted to any input: [`memory::BASE`], or more where code is compiled.
    pub memory: usize,
}

impl Target {
    const fn new(name: &'static str, input: Input, run: fn(&[u8])) -> Self {
        Self { name, input, run, memory: memory::BASE }
    }
}

/// What a target reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A component, or several with [`seeds::SEPARATOR`] between them. Some take texts of WIT as well.
    Components,
    /// Text. Bytes that are not UTF-8 are passed over: no file of them gets past the command.
    Text,
}

/// All targets. Where they are built for fuzzing, the host is not among them: its engine would be built a second time.
pub const TARGETS: &[Target] = &[
    Target::new("anatomy", Input::Components, targets::components::anatomy),
    Target::new("inspect", Input::Components, targets::components::inspect),
    Target::new("decompose", Input::Components, targets::components::decompose),
    Target::new("deny", Input::Components, targets::components::deny),
    Target::new("check", Input::Components, targets::components::check),
    Target::new("compose", Input::Components, targets::components::compose),
    Target::new("diff", Input::Components, targets::diff::diff),
    Target::new("link-map", Input::Text, targets::texts::link_map),
    Target::new("wac", Input::Text, targets::texts::wac),
    Target::new("wit", Input::Text, targets::wit::wit),
    Target::new("lock", Input::Text, targets::texts::lock),
    Target::new("manifest", Input::Text, targets::texts::manifest),
    #[cfg(not(fuzzing))]
    Target { memory: targets::host::MOST, ..Target::new("host", Input::Components, targets::host::host) },
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Puts bytes through a target, and looks at what it cost. One at a time: memory is counted for the whole process.
///
/// # Errors
///
/// Where it took too much memory, or a library crashed in a way that is not known.
///
/// # Panics
///
/// Where the target does.
pub fn attempt(target: &Target, data: &[u8]) -> Result<(), String> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    crashes::watch();
    let peak = memory::peak(|| (target.run)(data));
    let unknown = crashes::unknown();
    if !unknown.is_empty() {
        return Err(format!("caught, but not met by a limit: {}", unknown.join("; ")));
    }
    let allowed = memory::allowed(target.memory, data.len());
    if peak > allowed {
        return Err(format!(
            "{} bytes of input took {peak} bytes of memory, more than {allowed}",
            data.len()
        ));
    }
    Ok(())
}
