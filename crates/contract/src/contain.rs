//! Keeps libraries that may panic on strange input from taking the caller with them.
//!
//! The libraries that read and encode components mostly answer with errors, but not always: there are
//! `todo!`, `unwrap` and recursion in them that odd input reaches. Limits are checked before they get to see
//! anything; this is what remains when a limit was not enough.

#[cfg(not(target_family = "wasm"))]
use std::any::Any;

use thiserror::Error;

/// The name of the threads in which such libraries run. A panic hook can tell by it that a panic is dealt
/// with, and will be reported as a [`Crash`].
pub const CONTAINED: &str = "contained";

/// Stack of such a thread, in bytes: many times what reasonable input takes.
pub const STACK: usize = 64 << 20;

/// A library gave up on its input in a way that it should not have.
#[derive(Debug, Error)]
#[error("internal error in a library: {0}")]
pub struct Crash(String);

/// Runs `work` where a panic does no harm.
///
/// # Errors
///
/// Where it panicked.
#[cfg(not(target_family = "wasm"))]
pub fn contain<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Crash> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name(CONTAINED.to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map_err(|error| Crash(format!("no thread for it: {error}")))?
            .join()
            .map_err(|panic| Crash(words(&*panic)))
    })
}

/// Runs `work`. Here there are neither threads nor a way back from a panic: the embedder contains it.
#[cfg(target_family = "wasm")]
pub fn contain<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Crash> {
    Ok(work())
}

#[cfg(not(target_family = "wasm"))]
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}
