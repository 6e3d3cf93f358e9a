//! What has become of an attempt to order, and how to end one for good.
//!
//! An attempt is named by its order and its number. Its fate is decided in one key, the order's record, whose
//! attempt number never falls and whose `committed` is final. So [`Fate::Dead`] and [`Fate::Committed`] are
//! final too: whoever has seen one of them may act on it however much later.

use crate::record::{OrderRecord, Record, State, decode_some};
use crate::store::{KeyValue, Step, update};
use crate::types::Error;

/// What has become of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It may still commit.
    Open,
    /// It is the order: its holds are sold.
    Committed,
    /// It can never commit: its holds may be dropped.
    Dead,
}

/// The key of an order's record.
#[must_use]
pub fn place(order: &str) -> String {
    format!("order/{order}")
}

/// Reads an order's record.
///
/// # Errors
/// Those of the store and its records.
pub fn record<S: KeyValue>(store: &S, order: &str) -> Result<Option<OrderRecord>, Error> {
    let key = place(order);
    decode_some(&key, store.get(&key)?.as_deref())
}

/// What has become of an attempt. Changes nothing.
///
/// # Errors
/// Those of the store and its records.
pub fn fate<S: KeyValue>(store: &S, order: &str, attempt: u64) -> Result<Fate, Error> {
    Ok(judge(record(store, order)?.as_ref(), attempt))
}

/// Ends an attempt, unless it has become the order: afterwards it is never [`Fate::Open`].
///
/// # Errors
/// Those of the store and its records; the attempt may then be open or not.
pub fn end<S: KeyValue>(store: &S, order: &str, attempt: u64) -> Result<Fate, Error> {
    let key = place(order);
    update(store, &key, |bytes| {
        let record: Option<OrderRecord> = decode_some(&key, bytes)?;
        Ok(match judge(record.as_ref(), attempt) {
            Fate::Open => {
                let place = record.and_then(|record| record.place);
                Step::Write(OrderRecord::new(attempt, place, State::Released {}).encode(), Fate::Dead)
            }
            settled => Step::Keep(settled),
        })
    })
}

/// The records that an attempt finds in its own key say all. An attempt that they do not know yet, although
/// its hold exists, means that the store has lost data: it counts as open, so [`end`] writes its end down
/// before anybody drops its holds.
fn judge(record: Option<&OrderRecord>, attempt: u64) -> Fate {
    match record {
        None => Fate::Open,
        Some(record) => match record.state {
            State::Committed { .. } if record.attempt == attempt => Fate::Committed,
            State::Committed { .. } => Fate::Dead,
            _ if record.attempt > attempt => Fate::Dead,
            State::Released {} if record.attempt == attempt => Fate::Dead,
            _ => Fate::Open,
        },
    }
}
