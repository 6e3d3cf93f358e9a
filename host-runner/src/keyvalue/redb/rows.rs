//! The rows of a store, each with its checksum: what the disk changed is an error, and is never given to a guest.
//!
//! redb has a checksum for each of its pages, and looks at them only when it repairs a file that was not closed in order.
//! To check a file of 1 GB that way takes 2 to 9 s while the system has it in memory, and 8 to 29 s from the disk (values
//! of 64 KiB and 120 bytes): too long for each start, and it would not see what is damaged later. So each value is kept
//! with two checksums: one of its bucket and key, and one of these and the value. The first one costs little, and
//! makes it possible to check keys that are listed without reading their values.
//!
//! A key that was damaged cannot be found under its old name. So where a key is not found, the rows on both sides of its
//! place are checked too: a binary search that was misled by one wrong key ends right beside it, and one that was misled
//! by an inner page finds a neighbour that is on the wrong side.

use std::ops::Bound;

use redb::{AccessGuard, ReadableTable, TableDefinition, TypeName, Value};

use super::super::{Keys, PAGE, StoreError};

/// Bucket and key.
pub(super) type Place = (&'static str, &'static str);

/// Bucket and key to value. One table for all buckets: a transaction opens it once. Its type is the mark of the format:
/// versions without checksums refuse to open it, and a table of theirs is recognised.
pub(super) const TABLE: TableDefinition<Place, Sealed> = TableDefinition::new("keyvalue");

/// The table of versions that kept values without checksums, under the name that it had.
pub(super) const BEFORE: TableDefinition<Place, &[u8]> = TableDefinition::new("keyvalue");

/// How many bytes the checksums have: eight of the place, eight of the place and the value.
const SEAL: usize = 16;

/// A value with its checksums before it, as bytes.
#[derive(Debug)]
pub(super) struct Sealed;

impl Value for Sealed {
    type SelfType<'a> = &'a [u8];
    type AsBytes<'a> = &'a [u8];

    fn fixed_width() -> Option<usize> {
        None
    }

    fn from_bytes<'a>(data: &'a [u8]) -> &'a [u8]
    where
        Self: 'a,
    {
        data
    }

    fn as_bytes<'a, 'b: 'a>(value: &'a &'b [u8]) -> &'a [u8]
    where
        Self: 'b,
    {
        value
    }

    fn type_name() -> TypeName {
        TypeName::new("host_runner::Sealed")
    }
}

/// A row that is not what was written.
#[derive(Debug, thiserror::Error)]
#[error(
    "an entry of the bucket {bucket:?} is damaged on the disk: `host-runner kv check` on the file of the store tells which; restore the file from a copy"
)]
struct Damaged {
    bucket: String,
}

/// Returns the error for damage in or beside a bucket.
fn damaged(bucket: &str) -> StoreError {
    StoreError::failed(Damaged { bucket: bucket.to_owned() })
}

/// Returns what the checksums of a place begin with.
fn of_place((bucket, key): (&str, &str)) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(bucket.len() as u64).to_le_bytes());
    hasher.update(bucket.as_bytes());
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key.as_bytes());
    hasher
}

fn half(hasher: &blake3::Hasher) -> [u8; SEAL / 2] {
    let mut half = [0; SEAL / 2];
    half.copy_from_slice(&hasher.finalize().as_bytes()[..SEAL / 2]);
    half
}

/// Returns the row for a value: its checksums, and then itself.
pub(super) fn seal(place: (&str, &str), value: &[u8]) -> Vec<u8> {
    let mut hasher = of_place(place);
    let mut row = Vec::with_capacity(SEAL + value.len());
    row.extend(half(&hasher));
    hasher.update(value);
    row.extend(half(&hasher));
    row.extend(value);
    row
}

/// Returns whether the row was written at this place.
pub(super) fn is_of(place: (&str, &str), row: &[u8]) -> bool {
    row.len() >= SEAL && row[..SEAL / 2] == half(&of_place(place))
}

/// Returns the value of a row, if all of it is as it was written.
pub(super) fn unseal<'a>(place: (&str, &str), row: &'a [u8]) -> Option<&'a [u8]> {
    let (seal, value) = row.split_at_checked(SEAL)?;
    let mut hasher = of_place(place);
    let of_place = half(&hasher);
    hasher.update(value);
    (seal[..SEAL / 2] == of_place && seal[SEAL / 2..] == half(&hasher)).then_some(value)
}

/// A value as it was written.
pub(super) struct Sound<'a>(AccessGuard<'a, Sealed>);

impl Sound<'_> {
    pub(super) fn value(&self) -> &[u8] {
        &self.0.value()[SEAL..]
    }
}

/// Returns the value of a key, checked.
pub(super) fn get<'t>(
    table: &'t impl ReadableTable<Place, Sealed>,
    bucket: &str,
    key: &str,
) -> Result<Option<Sound<'t>>, StoreError> {
    let Some(row) = table.get((bucket, key)).map_err(StoreError::failed)? else {
        is_missing(table, bucket, key)?;
        return Ok(None);
    };
    if unseal((bucket, key), row.value()).is_none() {
        return Err(damaged(bucket));
    }
    Ok(Some(Sound(row)))
}

/// Makes sure that a key that was not found is not one that was damaged.
pub(super) fn is_missing(
    table: &impl ReadableTable<Place, Sealed>,
    bucket: &str,
    key: &str,
) -> Result<(), StoreError> {
    ends_before(table, bucket, key)?;
    let mut after = table.range::<(&str, &str)>((bucket, key)..).map_err(StoreError::failed)?;
    match after.next().transpose().map_err(StoreError::failed)? {
        Some((place, row)) if place.value() <= (bucket, key) || !is_of(place.value(), row.value()) => {
            Err(damaged(bucket))
        }
        _ => Ok(()),
    }
}

/// Makes sure that what lies before a place is before it.
fn ends_before(table: &impl ReadableTable<Place, Sealed>, bucket: &str, key: &str) -> Result<(), StoreError> {
    let mut before = table.range::<(&str, &str)>(..(bucket, key)).map_err(StoreError::failed)?;
    match before.next_back().transpose().map_err(StoreError::failed)? {
        Some((place, row)) if place.value() >= (bucket, key) || !is_of(place.value(), row.value()) => {
            Err(damaged(bucket))
        }
        _ => Ok(()),
    }
}

/// Returns the first [`PAGE`] keys of a bucket that come after `after`, checked.
pub(super) fn list(
    table: &impl ReadableTable<Place, Sealed>,
    bucket: &str,
    after: Option<&str>,
) -> Result<Keys, StoreError> {
    let start = match after {
        Some(key) => Bound::Excluded((bucket, key)),
        None => Bound::Included((bucket, "")),
    };
    ends_before(table, bucket, after.unwrap_or_default())?;
    let mut page = Keys::default();
    let rows = table.range::<(&str, &str)>((start, Bound::Unbounded)).map_err(StoreError::failed)?;
    for row in rows {
        let (place, row) = row.map_err(StoreError::failed)?;
        let (in_bucket, key) = place.value();
        let last = page.keys.last().map(String::as_str).or(after);
        let in_order =
            last.map_or((bucket, "") <= (in_bucket, key), |last| (bucket, last) < (in_bucket, key));
        if !in_order || !is_of((in_bucket, key), row.value()) {
            return Err(damaged(bucket));
        }
        if in_bucket != bucket {
            break;
        }
        if page.keys.len() == PAGE {
            page.more = true;
            break;
        }
        page.keys.push(key.to_owned());
    }
    Ok(page)
}
