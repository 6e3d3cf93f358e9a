//! A store whose operations are counted.

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;

use super::Metrics;
use crate::keyvalue::{Backend, Delta, Keys, StoreError, Swapped, Write, Written};

/// A store, and who counts what is done with it.
pub(super) struct Metered {
    inner: Arc<dyn Backend>,
    metrics: Arc<Metrics>,
}

impl Metrics {
    /// The same store, whose operations are counted.
    #[must_use]
    pub fn of_store(self: &Arc<Self>, store: Arc<dyn Backend>) -> Arc<dyn Backend> {
        Arc::new(Metered::new(store, Arc::clone(self)))
    }
}

impl Metered {
    pub(super) fn new(inner: Arc<dyn Backend>, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics }
    }

    /// Counts an operation that carries so many bytes to the store, and what comes of it.
    fn count<'a, T: Came + Send + 'a>(
        &self,
        operation: &'static str,
        carries: usize,
        run: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let timed = Timed {
            metrics: Arc::clone(&self.metrics),
            operation,
            began: Instant::now(),
            outcome: "abandoned",
        };
        Box::pin(async move {
            let mut timed = timed;
            let outcome = run.await;
            // What is not allowed goes nowhere; of what is abandoned nobody knows.
            if !matches!(outcome, Err(StoreError::Denied)) {
                timed.metrics.carried("written", carries as u64);
            }
            timed.outcome = match &outcome {
                Ok(came) => {
                    timed.metrics.carried("read", came.bytes() as u64);
                    came.outcome()
                }
                Err(StoreError::Denied) => "denied",
                Err(StoreError::Failed(_)) => "failed",
                Err(_) => "refused",
            };
            outcome
        })
    }
}

/// An operation under way. A guest whose time is up abandons it.
struct Timed {
    metrics: Arc<Metrics>,
    operation: &'static str,
    began: Instant,
    outcome: &'static str,
}

impl Drop for Timed {
    fn drop(&mut self) {
        self.metrics.operated(self.operation, self.outcome, self.began.elapsed().as_secs_f64());
    }
}

/// What came of an operation that did not fail.
trait Came {
    /// Bytes of keys and values that came from the store.
    fn bytes(&self) -> usize {
        0
    }

    fn outcome(&self) -> &'static str {
        "ok"
    }
}

impl Came for () {}
impl Came for bool {}
impl Came for i128 {}

impl Came for Option<Vec<u8>> {
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, Vec::len)
    }
}

impl Came for Vec<Option<Vec<u8>>> {
    fn bytes(&self) -> usize {
        self.iter().map(Came::bytes).sum()
    }
}

impl Came for Keys {
    fn bytes(&self) -> usize {
        self.keys.iter().map(String::len).sum()
    }
}

impl Came for Swapped {
    fn bytes(&self) -> usize {
        self.as_ref().err().map_or(0, Came::bytes)
    }

    fn outcome(&self) -> &'static str {
        if self.is_ok() { "ok" } else { "changed" }
    }
}

impl Came for Written {
    fn bytes(&self) -> usize {
        match self {
            Self::Changed(current) => current.bytes(),
            _ => 0,
        }
    }

    fn outcome(&self) -> &'static str {
        if matches!(self, Self::Changed(_)) { "changed" } else { "ok" }
    }
}

fn lengths(keys: &[String]) -> usize {
    keys.iter().map(String::len).sum()
}

fn lengths_of_pairs(pairs: &[(String, Vec<u8>)]) -> usize {
    pairs.iter().map(|(key, value)| key.len() + value.len()).sum()
}

impl Backend for Metered {
    fn may_open(&self, bucket: &str) -> bool {
        self.inner.may_open(bucket)
    }

    fn get_many<'a>(
        &'a self,
        bucket: &'a str,
        keys: Vec<String>,
    ) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StoreError>> {
        self.count("get-many", lengths(&keys), self.inner.get_many(bucket, keys))
    }

    fn list_keys<'a>(
        &'a self,
        bucket: &'a str,
        after: Option<String>,
    ) -> BoxFuture<'a, Result<Keys, StoreError>> {
        let carries = after.as_ref().map_or(0, String::len);
        self.count("list-keys", carries, self.inner.list_keys(bucket, after))
    }

    fn write<'a>(&'a self, bucket: &'a str, write: Write) -> BoxFuture<'a, Result<Written, StoreError>> {
        let (operation, carries) = match &write {
            Write::Set(pairs) => ("set-many", lengths_of_pairs(pairs)),
            Write::Delete(keys) => ("delete-many", lengths(keys)),
            Write::Add { key, .. } => ("increment", key.len()),
            Write::Swap { key, new, .. } => ("swap", key.len() + new.len()),
        };
        self.count(operation, carries, self.inner.write(bucket, write))
    }

    fn get<'a>(&'a self, bucket: &'a str, key: String) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        self.count("get", key.len(), self.inner.get(bucket, key))
    }

    fn exists<'a>(&'a self, bucket: &'a str, key: String) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.count("exists", key.len(), self.inner.exists(bucket, key))
    }

    fn set<'a>(
        &'a self,
        bucket: &'a str,
        key: String,
        value: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.count("set", key.len() + value.len(), self.inner.set(bucket, key, value))
    }

    fn set_many<'a>(
        &'a self,
        bucket: &'a str,
        pairs: Vec<(String, Vec<u8>)>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.count("set-many", lengths_of_pairs(&pairs), self.inner.set_many(bucket, pairs))
    }

    fn delete<'a>(&'a self, bucket: &'a str, key: String) -> BoxFuture<'a, Result<(), StoreError>> {
        self.count("delete", key.len(), self.inner.delete(bucket, key))
    }

    fn delete_many<'a>(
        &'a self,
        bucket: &'a str,
        keys: Vec<String>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.count("delete-many", lengths(&keys), self.inner.delete_many(bucket, keys))
    }

    fn increment<'a>(
        &'a self,
        bucket: &'a str,
        key: String,
        delta: Delta,
    ) -> BoxFuture<'a, Result<i128, StoreError>> {
        self.count("increment", key.len(), self.inner.increment(bucket, key, delta))
    }

    fn compare_and_swap<'a>(
        &'a self,
        bucket: &'a str,
        key: String,
        expected: Option<Vec<u8>>,
        new: Vec<u8>,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        let carries = key.len() + new.len();
        self.count("swap", carries, self.inner.compare_and_swap(bucket, key, expected, new))
    }
}
