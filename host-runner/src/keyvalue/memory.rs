//! A store in memory: the same promises, for as long as the process lives.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::{BoxFuture, ready};

use super::{Backend, Copies, Keys, PAGE, Rows, StoreError, Write, Written, apply};

type Bucket = BTreeMap<String, Vec<u8>>;

/// Keeps its buckets in memory, and forgets them when it is dropped.
#[derive(Debug, Default)]
pub struct Memory {
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn buckets(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        // Every write checks before it changes anything, so a panic leaves no half of one behind.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Memory {
    fn get_many<'a>(
        &'a self,
        bucket: &'a str,
        keys: Vec<String>,
    ) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StoreError>> {
        let buckets = self.buckets();
        let rows = buckets.get(bucket);
        let mut copies = Copies::default();
        let copy = |key: &String| {
            let value = rows.and_then(|rows| rows.get(key));
            copies.take(value.map(Vec::as_slice))?;
            Ok(value.cloned())
        };
        Box::pin(ready(keys.iter().map(copy).collect()))
    }

    fn list_keys<'a>(
        &'a self,
        bucket: &'a str,
        after: Option<String>,
    ) -> BoxFuture<'a, Result<Keys, StoreError>> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let buckets = self.buckets();
        let mut keys: Vec<String> = match buckets.get(bucket) {
            Some(rows) => {
                rows.range((start, Bound::Unbounded)).map(|(key, _)| key.clone()).take(PAGE + 1).collect()
            }
            None => Vec::new(),
        };
        let more = keys.len() > PAGE;
        keys.truncate(PAGE);
        Box::pin(ready(Ok(Keys { keys, more })))
    }

    fn write<'a>(&'a self, bucket: &'a str, write: Write) -> BoxFuture<'a, Result<Written, StoreError>> {
        let mut buckets = self.buckets();
        let rows = buckets.entry(bucket.to_owned()).or_default();
        Box::pin(ready(apply(&write, rows)))
    }
}

impl Rows for Bucket {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(BTreeMap::get(self, key).cloned())
    }

    fn set(&mut self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    fn delete(&mut self, key: &str) -> Result<(), StoreError> {
        self.remove(key);
        Ok(())
    }
}
