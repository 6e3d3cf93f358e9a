//! Pages of a list, some entries of which mean nothing.

use crate::index::Index;
use crate::store::KeyValue;
use crate::types::{Error, Page};

/// How many entries a call looks at before it answers with what it has found.
const PATIENCE: usize = 1_000;

/// What the entries after `after` stand for, up to `limit`. `find` answers none for an entry that is to be
/// skipped. There is a next page exactly where something is left to be found on it; only where there are a
/// great many entries to skip, the page ends early and the next one may be empty.
///
/// # Errors
/// Those of the store, the list, and `find`.
pub fn collect<S: KeyValue, T>(
    index: &Index<S>,
    after: Option<String>,
    limit: u32,
    mut find: impl FnMut(&str) -> Result<Option<T>, Error>,
) -> Result<Page<T>, Error> {
    let limit = limit as usize;
    let mut items = Vec::new();
    let (mut seen, mut last) = (0, after);
    loop {
        let keys = index.after(last.as_deref(), limit + 1)?;
        let complete = keys.len() <= limit;
        seen += keys.len();
        for key in keys {
            if let Some(item) = find(&key)? {
                if items.len() == limit {
                    return Ok(Page { items, next: last });
                }
                items.push(item);
            }
            last = Some(key);
        }
        if complete {
            return Ok(Page { items, next: None });
        }
        if seen >= PATIENCE {
            return Ok(Page { items, next: last });
        }
    }
}
