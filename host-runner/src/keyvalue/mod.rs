//! `wasi:keyvalue` for real: what a store is, and the two that this host has.
//!
//! A store is a set of buckets, each a map from keys to bytes. Every bucket exists: opening one that
//! nobody has written to finds it empty. What a guest may rely on, with either store:
//! - *One order.* All writes of all guests, in all instances, take place one after the other. A
//!   compare-and-swap is judged in that order, so of two swaps from the same value one wins.
//! - *Acknowledged is durable* (redb): a write returns when it is on the disk. Writes that arrive while
//!   the disk is busy share the next commit.
//! - *What is read is what was written* (redb): every entry has a checksum, and one that was damaged is an error.
//! - *Reads see every acknowledged write*, and never half of a write.
//! - A write of many pairs is atomic here, which is more than the interface promises.

mod access;
mod bindings;
mod memory;
mod redb;

use futures::future::BoxFuture;

use crate::limits::{Exceeded, LimitHit, Limits};

pub use access::{Access, AccessError, Mode, Narrowed};
pub use memory::Memory;
pub use redb::{Checked, OpenError, Redb, check};

pub(crate) use bindings::{Draft, View, add_to_linker};

/// The longest name of a bucket, in bytes. Another name is no bucket of this host (`no-such-store`).
pub const MAX_BUCKET: usize = 255;
/// The longest key, in bytes.
pub const MAX_KEY: usize = 4_096;
/// The longest value, in bytes.
pub const MAX_VALUE: usize = 16 << 20;
/// Bytes of values that one read of many keys may give, and that one guest's compare-and-swap handles may keep
/// seen at the same time. Both are copies in the host, which the guest's own limit on memory does not count.
pub const MAX_COPIES: usize = 64 << 20;
/// How many keys one page of a listing holds.
pub const PAGE: usize = 1_000;
/// The bucket that an empty name opens: components written for hosts with a single bucket ask for that.
pub const DEFAULT_BUCKET: &str = "default";

/// Why a store did not do what was asked. The guest sees it as `error::other` with this text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The key is longer than [`MAX_KEY`].
    #[error("the key has {0} bytes; this host keeps keys of up to {MAX_KEY}")]
    KeyTooLong(usize),
    /// The value is longer than [`MAX_VALUE`].
    #[error("the value has {0} bytes; this host keeps values of up to {MAX_VALUE}")]
    ValueTooLong(usize),
    /// The values are more than [`MAX_COPIES`] together.
    #[error(
        "the values have more than {MAX_COPIES} bytes together; ask for fewer keys at once, or drop handles first"
    )]
    TooMuch,
    /// The value is not a number in decimal digits, so nothing can be added to it.
    #[error("the value is not a whole number in decimal digits: nothing can be added to it")]
    NotANumber,
    /// The sum does not fit the type of the counter; the value stays as it was.
    #[error("the sum is beyond what the counter can hold: the value stays as it was")]
    Overflow,
    /// The bucket or the key is not granted. The guest sees it as `error::access-denied`.
    #[error("the bucket or the key is not granted")]
    Denied,
    /// The store itself failed. Its own words are for the operator's log, not for guests.
    #[error("the store failed; the host's log has the reason")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Wraps a failure of the store itself.
    pub fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }
}

/// One change to a bucket. It happens whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets these pairs, in this order.
    Set(Vec<(String, Vec<u8>)>),
    /// Deletes these keys; those that do not exist are skipped.
    Delete(Vec<String>),
    /// Adds to the number, in decimal digits, under the key. A missing key counts as 0.
    Add {
        /// The key of the counter.
        key: String,
        /// What to add, and in which type the sum must fit.
        delta: Delta,
    },
    /// Sets the key to `new`, if its value is exactly `expected` now (`None`: it does not exist).
    Swap {
        /// The key.
        key: String,
        /// The value that the caller has seen.
        expected: Option<Vec<u8>>,
        /// The value to put in its place.
        new: Vec<u8>,
    },
}

/// What to add to a counter: the two drafts of the interface have different types of counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delta {
    /// A counter from -2^63 to 2^63-1 (draft2).
    Signed(i64),
    /// A counter from 0 to 2^64-1 (the older draft).
    Unsigned(u64),
}

/// What a [`Write`] came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It was done.
    Done,
    /// The counter has this value now.
    Sum(i128),
    /// The swap was not done: this is the value that is there (`None`: there is none).
    Changed(Option<Vec<u8>>),
}

/// What a compare-and-swap came to: done, or the value that is there instead (`None`: there is none).
pub type Swapped = Result<(), Option<Vec<u8>>>;

/// A page of the keys of a bucket, in ascending order of their bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// The keys, at most [`PAGE`].
    pub keys: Vec<String>,
    /// Whether there are more after the last of them.
    pub more: bool,
}

/// Where the buckets are kept. Three operations are the whole of it; the rest follows from them.
///
/// An implementation keeps the promises of [this module](self) for every caller of every clone, and does
/// not block the thread that polls.
pub trait Backend: Send + Sync + 'static {
    /// Whether anything of the bucket may be used; opening another one is denied.
    fn may_open(&self, _bucket: &str) -> bool {
        true
    }

    /// The values of these keys, in this order, all seen at the same moment. More than [`MAX_COPIES`] bytes of
    /// them are refused: a key that is named a thousand times is copied a thousand times.
    fn get_many<'a>(
        &'a self,
        bucket: &'a str,
        keys: Vec<String>,
    ) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StoreError>>;

    /// The first [`PAGE`] keys of the bucket that come after `after`.
    fn list_keys<'a>(
        &'a self,
        bucket: &'a str,
        after: Option<String>,
    ) -> BoxFuture<'a, Result<Keys, StoreError>>;

    /// Makes one change, and returns when it is as durable as this store makes it.
    fn write<'a>(&'a self, bucket: &'a str, write: Write) -> BoxFuture<'a, Result<Written, StoreError>>;

    /// The value of one key.
    fn get<'a>(&'a self, bucket: &'a str, key: String) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(async move { Ok(self.get_many(bucket, vec![key]).await?.pop().flatten()) })
    }

    /// Whether the key has a value.
    fn exists<'a>(&'a self, bucket: &'a str, key: String) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { Ok(self.get(bucket, key).await?.is_some()) })
    }

    /// Sets the value of one key.
    fn set<'a>(
        &'a self,
        bucket: &'a str,
        key: String,
        value: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.set_many(bucket, vec![(key, value)])
    }

    /// Sets the values of many keys, all or none.
    fn set_many<'a>(
        &'a self,
        bucket: &'a str,
        pairs: Vec<(String, Vec<u8>)>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.write(bucket, Write::Set(pairs)).await.map(drop) })
    }

    /// Deletes one key.
    fn delete<'a>(&'a self, bucket: &'a str, key: String) -> BoxFuture<'a, Result<(), StoreError>> {
        self.delete_many(bucket, vec![key])
    }

    /// Deletes many keys, all or none.
    fn delete_many<'a>(
        &'a self,
        bucket: &'a str,
        keys: Vec<String>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.write(bucket, Write::Delete(keys)).await.map(drop) })
    }

    /// Adds to a counter and gives its new value.
    fn increment<'a>(
        &'a self,
        bucket: &'a str,
        key: String,
        delta: Delta,
    ) -> BoxFuture<'a, Result<i128, StoreError>> {
        Box::pin(async move {
            match self.write(bucket, Write::Add { key, delta }).await? {
                Written::Sum(sum) => Ok(sum),
                other => Err(StoreError::failed(format!("an increment came to {other:?}"))),
            }
        })
    }

    /// Sets the key to `new` if its value is `expected`; gives the value that is there otherwise.
    fn compare_and_swap<'a>(
        &'a self,
        bucket: &'a str,
        key: String,
        expected: Option<Vec<u8>>,
        new: Vec<u8>,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            match self.write(bucket, Write::Swap { key, expected, new }).await? {
                Written::Done => Ok(Ok(())),
                Written::Changed(current) => Ok(Err(current)),
                other @ Written::Sum(_) => Err(StoreError::failed(format!("a swap came to {other:?}"))),
            }
        })
    }
}

/// What is left of [`MAX_COPIES`].
#[derive(Debug)]
pub(crate) struct Copies(usize);

impl Default for Copies {
    fn default() -> Self {
        Self(MAX_COPIES)
    }
}

impl Copies {
    /// Makes room for a copy of the value, before it is made.
    fn take(&mut self, value: Option<&[u8]>) -> Result<(), StoreError> {
        self.0 = self.0.checked_sub(value.map_or(0, <[u8]>::len)).ok_or(StoreError::TooMuch)?;
        Ok(())
    }

    /// Whether there is room for as much again as is taken.
    pub(crate) fn is_half_free(&self) -> bool {
        self.0 >= MAX_COPIES / 2
    }

    /// The copy is gone.
    fn give_back(&mut self, value: Option<&[u8]>) {
        self.0 += value.map_or(0, <[u8]>::len);
    }
}

/// What one request, call or program may still do with the store.
pub(crate) struct Budget {
    ops: u64,
    bytes: u64,
    limits: (u64, u64),
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (ops, bytes) = (limits.keyvalue_ops, limits.keyvalue_bytes);
        Self { ops, bytes, limits: (ops, bytes) }
    }

    /// Counts operations, before they are made.
    fn operate(&mut self, ops: usize) -> Result<(), Exceeded> {
        let left = self.ops.checked_sub(ops as u64);
        self.ops = left.ok_or(Exceeded(LimitHit::KeyvalueOps(self.limits.0)))?;
        Ok(())
    }

    /// Counts bytes of keys and values: before they are written, and after they were read.
    fn carry(&mut self, bytes: usize) -> Result<(), Exceeded> {
        let left = self.bytes.checked_sub(bytes as u64);
        self.bytes = left.ok_or(Exceeded(LimitHit::KeyvalueBytes(self.limits.1)))?;
        Ok(())
    }
}

/// The rows of one bucket, as a write sees them.
trait Rows {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;
    fn set(&mut self, key: &str, value: &[u8]) -> Result<(), StoreError>;
    fn delete(&mut self, key: &str) -> Result<(), StoreError>;
}

/// Makes one change. Both stores go through here: a write means the same in each of them.
///
/// Everything that can refuse the write is checked before the first row is touched.
fn apply(write: &Write, rows: &mut dyn Rows) -> Result<Written, StoreError> {
    match write {
        Write::Set(pairs) => {
            for (key, value) in pairs {
                check_key(key)?;
                check_value(value)?;
            }
            for (key, value) in pairs {
                rows.set(key, value)?;
            }
            Ok(Written::Done)
        }
        Write::Delete(keys) => {
            for key in keys {
                rows.delete(key)?;
            }
            Ok(Written::Done)
        }
        Write::Add { key, delta } => {
            check_key(key)?;
            let sum = delta.add_to(rows.get(key)?.as_deref())?;
            rows.set(key, sum.to_string().as_bytes())?;
            Ok(Written::Sum(sum))
        }
        Write::Swap { key, expected, new } => {
            check_key(key)?;
            check_value(new)?;
            let current = rows.get(key)?;
            if current != *expected {
                return Ok(Written::Changed(current));
            }
            rows.set(key, new)?;
            Ok(Written::Done)
        }
    }
}

impl Delta {
    fn add_to(self, value: Option<&[u8]>) -> Result<i128, StoreError> {
        let current = match value {
            None => 0,
            Some(digits) => parse_number(digits).ok_or(StoreError::NotANumber)?,
        };
        let (delta, range) = match self {
            Self::Signed(delta) => (i128::from(delta), i128::from(i64::MIN)..=i128::from(i64::MAX)),
            Self::Unsigned(delta) => (i128::from(delta), 0..=i128::from(u64::MAX)),
        };
        let sum = current.checked_add(delta).ok_or(StoreError::Overflow)?;
        if range.contains(&sum) { Ok(sum) } else { Err(StoreError::Overflow) }
    }
}

/// Decimal digits with an optional minus, and nothing else: no plus, no space.
fn parse_number(text: &[u8]) -> Option<i128> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn check_key(key: &str) -> Result<(), StoreError> {
    if key.len() > MAX_KEY { Err(StoreError::KeyTooLong(key.len())) } else { Ok(()) }
}

fn check_value(value: &[u8]) -> Result<(), StoreError> {
    if value.len() > MAX_VALUE { Err(StoreError::ValueTooLong(value.len())) } else { Ok(()) }
}
