//! Panics that `composer` catches.

use std::sync::{Mutex, Once, PoisonError};

/// Panics of the libraries below that are caught, and that no limit is put in front of: to foresee them would take what
/// the library itself does. Each is a crate and words of the message; each is told in `docs/upstream.md`.
pub const KNOWN: [(&str, &str); 2] = [
    // A function of a world that takes a resource of an interface.
    ("wac-graph-0.12.0", "no entry found for key"),
    ("wac-graph-0.12.0", "assertion failed: !state.scopes.is_empty()"),
];

static CAUGHT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on takes note of panics that are caught, rather than printing them. All others are printed, and with libFuzzer end the
/// process.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() != Some(contract::CONTAINED) {
                return before(panic);
            }
            let payload = panic.payload();
            let words = payload.downcast_ref::<String>().map(String::as_str);
            let words = words.or(payload.downcast_ref::<&str>().copied()).unwrap_or_default();
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            // From the directory of the crate on: what is before it depends on the machine.
            let place = place.rsplit_once("/src/index.crates.io").map_or(&*place, |(_, rest)| rest);
            let known =
                KNOWN.iter().any(|(crate_name, said)| place.contains(crate_name) && words.contains(said));
            if !known {
                let caught = format!("`{words}` at {place}");
                CAUGHT.lock().unwrap_or_else(PoisonError::into_inner).push(caught);
            }
        }));
    });
}

/// What was caught since this was last asked, and is not [known](KNOWN).
#[must_use]
pub fn unknown() -> Vec<String> {
    std::mem::take(&mut CAUGHT.lock().unwrap_or_else(PoisonError::into_inner))
}
