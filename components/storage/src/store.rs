//! What the logic needs from the world: a key-value store with compare-and-swap, and a clock.
//!
//! The store is used in the most portable way: plain reads, compare-and-swap through a handle that was made
//! *and read* just before, and an increment for numbers that nobody else gets. Nothing is ever deleted.

use crate::types::Error;

/// How often a compare-and-swap is tried before the answer is [`Error::Contended`]. Of many writers on one
/// key one wins in each round, so this is far beyond what any number of them in one shop will need.
pub const TRIES: usize = 512;

/// A store of bytes under keys. All methods fail with the store's own words; after a failed write it is not
/// known whether it took place.
pub trait KeyValue {
    /// What a value was like when it was read, for [`KeyValue::swap`].
    type Ticket;

    /// The value under a key. It may be older than the newest one.
    ///
    /// # Errors
    /// The store failed.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;

    /// The newest value under a key, and the ticket to replace it.
    ///
    /// # Errors
    /// The store failed.
    fn read(&self, key: &str) -> Result<(Self::Ticket, Option<Vec<u8>>), Error>;

    /// Replaces (or creates) what the ticket was given for; false where it has changed in between. It may
    /// also be false for no reason.
    ///
    /// # Errors
    /// The store failed.
    fn swap(&self, ticket: Self::Ticket, value: &[u8]) -> Result<bool, Error>;

    /// A number above all that were given under this key before.
    ///
    /// # Errors
    /// The store failed.
    fn next_number(&self, key: &str) -> Result<u64, Error>;
}

/// Tells the time.
pub trait Clock {
    /// Milliseconds since 1970-01-01 00:00 UTC.
    fn now(&self) -> u64;
}

/// What to do with a value that was looked at.
pub enum Step<T> {
    /// Leave it: this is the answer.
    Keep(T),
    /// Replace it, and where that succeeds this is the answer.
    Write(Vec<u8>, T),
}

/// Looks at the value under a key, and replaces it by compare-and-swap, until nobody interferes.
///
/// `look` is called once a try and must not rely on what an earlier call saw. The swap may have taken place
/// although it was reported to have failed: `look` has to recognise its own work.
///
/// # Errors
/// What `look` or the store answers; [`Error::Contended`] after [`TRIES`] tries.
pub fn update<S: KeyValue, T, E: From<Error>>(
    store: &S,
    key: &str,
    mut look: impl FnMut(Option<&[u8]>) -> Result<Step<T>, E>,
) -> Result<T, E> {
    for _ in 0..TRIES {
        let (ticket, value) = store.read(key)?;
        match look(value.as_deref())? {
            Step::Keep(answer) => return Ok(answer),
            Step::Write(value, answer) => {
                if store.swap(ticket, &value)? {
                    return Ok(answer);
                }
            }
        }
    }
    Err(Error::Contended.into())
}
