//! A bound on how much of something there may be.

use crate::error::ReadError;

/// A bound on the structure of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Its name, for people.
    pub name: &'static str,
    /// The largest count that is within it.
    pub most: u64,
    /// What it counts.
    pub counts: &'static str,
}

impl Bound {
    /// Whether a count is within it; `offset` is where the count was reached.
    pub(crate) fn check(self, count: u64, offset: u64) -> Result<(), ReadError> {
        if count <= self.most {
            return Ok(());
        }
        Err(ReadError::Beyond { offset, count, name: self.name, counts: self.counts, limit: self.most })
    }
}
