//! The guests' side of the stores: `wasi:keyvalue` in both drafts, on one [`Backend`].
//!
//! `0.2.0-draft2` is the current one: signed counters, compare-and-swap, cursors that are strings. The older
//! `0.2.0-draft` is here for components that were built against it: unsigned counters, no compare-and-swap,
//! and cursors that are numbers. Buckets opened through either are the same buckets.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::component::{HasData, Linker, Resource, ResourceTable, ResourceTableError};

use crate::limits::{Exceeded, LimitHit, Outwaited};

use super::{Backend, Budget, Copies, DEFAULT_BUCKET, Delta, MAX_BUCKET, PAGE, StoreError};

mod draft2 {
    wasmtime::component::bindgen!({
        path: "../wit/deps/wasi-keyvalue",
        world: "wasi:keyvalue/imports",
        imports: { default: async | trappable },
        with: {
            "wasi:keyvalue/store.bucket": super::Bucket,
            "wasi:keyvalue/atomics.cas": super::Cas,
        },
        trappable_error_type: { "wasi:keyvalue/store.error" => super::Failure },
    });
}

mod draft1 {
    wasmtime::component::bindgen!({
        path: "wit/keyvalue-draft",
        world: "wasi:keyvalue/imports",
        imports: { default: async | trappable },
        with: { "wasi:keyvalue/store.bucket": super::Bucket },
        trappable_error_type: { "wasi:keyvalue/store.error" => super::Failure },
    });
}

use draft1::wasi::keyvalue as old;
use draft2::wasi::keyvalue as new;

/// Which of the drafts an import names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Draft {
    /// `0.2.0-draft`.
    One,
    /// `0.2.0-draft2`.
    Two,
}

/// A bucket that a guest has opened.
pub struct Bucket {
    name: Arc<str>,
}

/// A compare-and-swap that a guest has begun: the value that it saw is the one that must still be there.
pub struct Cas {
    bucket: Arc<str>,
    key: String,
    seen: Option<Vec<u8>>,
}

/// How an operation fails: an answer to the guest, or the end of it.
pub(crate) enum Failure {
    NoSuchStore,
    Denied,
    Store(StoreError),
    Trap(wasmtime::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Denied => Self::Denied,
            error => Self::Store(error),
        }
    }
}

impl From<Exceeded> for Failure {
    fn from(error: Exceeded) -> Self {
        Self::Trap(error.into())
    }
}

impl From<ResourceTableError> for Failure {
    fn from(error: ResourceTableError) -> Self {
        Self::Trap(error.into())
    }
}

/// What the guests' calls work on: the granted store and the table of the guest's handles.
pub(crate) struct View<'a> {
    pub(crate) backend: Option<&'a Arc<dyn Backend>>,
    pub(crate) table: &'a mut ResourceTable,
    /// Room for the values that compare-and-swap handles have seen.
    pub(crate) seen: &'a mut Copies,
    /// What may still be done.
    pub(crate) budget: &'a mut Budget,
    /// When the guest has to be done, and how long it was given.
    pub(crate) deadline: (Instant, Duration),
}

/// Names [`View`] to the linker.
pub(crate) struct HasKeyValue;

impl HasData for HasKeyValue {
    type Data<'a> = View<'a>;
}

/// Adds store, atomics and batch of one draft.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    draft: Draft,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    match draft {
        Draft::One => {
            old::store::add_to_linker::<_, HasKeyValue>(linker, view)?;
            old::atomics::add_to_linker::<_, HasKeyValue>(linker, view)?;
            old::batch::add_to_linker::<_, HasKeyValue>(linker, view)
        }
        Draft::Two => {
            new::store::add_to_linker::<_, HasKeyValue>(linker, view)?;
            new::atomics::add_to_linker::<_, HasKeyValue>(linker, view)?;
            new::batch::add_to_linker::<_, HasKeyValue>(linker, view)
        }
    }
}

impl View<'_> {
    fn backend(&self) -> Result<Arc<dyn Backend>, Failure> {
        self.backend.cloned().ok_or(Failure::Denied)
    }

    fn open_bucket(&mut self, name: String) -> Result<Resource<Bucket>, Failure> {
        let name = if name.is_empty() { DEFAULT_BUCKET.to_owned() } else { name };
        if name.len() > MAX_BUCKET {
            return Err(Failure::NoSuchStore);
        }
        if !self.backend()?.may_open(&name) {
            tracing::debug!(
                "opening the bucket {name:?} was denied: nothing of it is granted (--keyvalue-allow)"
            );
            return Err(Failure::Denied);
        }
        Ok(self.table.push(Bucket { name: name.into() })?)
    }

    /// Waits for the store until the guest's time is up. A write that is under way then may still take place.
    async fn wait<T>(
        &mut self,
        function: &'static str,
        operation: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Failure> {
        let (end, time) = self.deadline;
        match tokio::time::timeout_at(end.into(), operation).await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(Failure::Trap(Outwaited { hit: LimitHit::Time(time), function }.into())),
        }
    }

    /// Counts an operation on one key, with what it carries to the store.
    fn count(&mut self, key: &str, value: usize) -> Result<(), Exceeded> {
        self.budget.operate(1)?;
        self.budget.carry(key.len() + value)
    }

    /// Counts an operation on many keys, with what it carries to the store.
    fn count_many(&mut self, keys: &[String]) -> Result<(), Exceeded> {
        self.budget.operate(keys.len().max(1))?;
        self.budget.carry(keys.iter().map(String::len).sum())
    }

    /// Counts what was read.
    fn count_read<'v>(&mut self, values: impl IntoIterator<Item = &'v Vec<u8>>) -> Result<(), Exceeded> {
        self.budget.carry(values.into_iter().map(Vec::len).sum())
    }

    /// The store and the name of the bucket behind a handle.
    fn bucket(&self, bucket: &Resource<Bucket>) -> Result<(Arc<dyn Backend>, Arc<str>), Failure> {
        Ok((self.backend()?, Arc::clone(&self.table.get(bucket)?.name)))
    }
}

impl View<'_> {
    fn begin(&mut self, cas: Cas) -> Result<Resource<Cas>, Failure> {
        self.seen.take(cas.seen.as_deref())?;
        Ok(self.table.push(cas)?)
    }

    fn end(&mut self, cas: Resource<Cas>) -> Result<Cas, ResourceTableError> {
        let cas = self.table.delete(cas)?;
        self.seen.give_back(cas.seen.as_deref());
        Ok(cas)
    }
}

impl new::store::Host for View<'_> {
    async fn open(&mut self, identifier: String) -> Result<Resource<Bucket>, Failure> {
        self.open_bucket(identifier)
    }

    fn convert_error(&mut self, failure: Failure) -> wasmtime::Result<new::store::Error> {
        use new::store::Error;
        match failure {
            Failure::NoSuchStore => Ok(Error::NoSuchStore),
            Failure::Denied => Ok(Error::AccessDenied),
            Failure::Store(error) => Ok(Error::Other(told(&error))),
            Failure::Trap(error) => Err(error),
        }
    }
}

impl old::store::Host for View<'_> {
    async fn open(&mut self, identifier: String) -> Result<Resource<Bucket>, Failure> {
        self.open_bucket(identifier)
    }

    fn convert_error(&mut self, failure: Failure) -> wasmtime::Result<old::store::Error> {
        use old::store::Error;
        match failure {
            Failure::NoSuchStore => Ok(Error::NoSuchStore),
            Failure::Denied => Ok(Error::AccessDenied),
            Failure::Store(error) => Ok(Error::Other(told(&error))),
            Failure::Trap(error) => Err(error),
        }
    }
}

/// The text for the guest; what only the operator may know goes to the log.
fn told(error: &StoreError) -> String {
    if let StoreError::Failed(source) = error {
        tracing::error!("the store failed: {source}");
    }
    error.to_string()
}

/// What both drafts have in common: the operations on a bucket but for listing.
macro_rules! bucket_operations {
    () => {
        async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Option<Vec<u8>>, Failure> {
            let (backend, bucket) = self.bucket(&bucket)?;
            self.count(&key, 0)?;
            let value =
                self.wait("wasi:keyvalue/store#[method]bucket.get", backend.get(&bucket, key)).await?;
            self.count_read(&value)?;
            Ok(value)
        }

        async fn set(
            &mut self,
            bucket: Resource<Bucket>,
            key: String,
            value: Vec<u8>,
        ) -> Result<(), Failure> {
            let (backend, bucket) = self.bucket(&bucket)?;
            self.count(&key, value.len())?;
            self.wait("wasi:keyvalue/store#[method]bucket.set", backend.set(&bucket, key, value)).await
        }

        async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<(), Failure> {
            let (backend, bucket) = self.bucket(&bucket)?;
            self.count(&key, 0)?;
            self.wait("wasi:keyvalue/store#[method]bucket.delete", backend.delete(&bucket, key)).await
        }

        async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Result<bool, Failure> {
            let (backend, bucket) = self.bucket(&bucket)?;
            self.count(&key, 0)?;
            self.wait("wasi:keyvalue/store#[method]bucket.exists", backend.exists(&bucket, key)).await
        }

        async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
            self.table.delete(bucket)?;
            Ok(())
        }
    };
}

impl new::store::HostBucket for View<'_> {
    bucket_operations!();

    /// The cursor is the last key of the page before, so a listing stays in step while others write.
    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> Result<new::store::KeyResponse, Failure> {
        let (backend, bucket) = self.bucket(&bucket)?;
        self.count(cursor.as_deref().unwrap_or_default(), 0)?;
        let page = self
            .wait("wasi:keyvalue/store#[method]bucket.list-keys", backend.list_keys(&bucket, cursor))
            .await?;
        self.budget.carry(page.keys.iter().map(String::len).sum())?;
        let cursor = if page.more { page.keys.last().cloned() } else { None };
        Ok(new::store::KeyResponse { keys: page.keys, cursor })
    }
}

impl old::store::HostBucket for View<'_> {
    bucket_operations!();

    /// A number says too little to find a place in a changing list: it counts the keys before the page, and
    /// a key may be missed or told twice when others write meanwhile, as this draft allows.
    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<u64>,
    ) -> Result<old::store::KeyResponse, Failure> {
        let (backend, bucket) = self.bucket(&bucket)?;
        let skip = cursor.unwrap_or(0);
        let page = PAGE as u64;
        let mut after = None;
        // Whole pages first, and the rest within the page where the cursor points.
        for _ in 0..skip / page {
            self.budget.operate(1)?;
            let mut before = self
                .wait("wasi:keyvalue/store#[method]bucket.list-keys", backend.list_keys(&bucket, after))
                .await?;
            after = before.keys.pop();
            if !before.more {
                return Ok(old::store::KeyResponse { keys: Vec::new(), cursor: None });
            }
        }
        self.budget.operate(1)?;
        let found = self
            .wait("wasi:keyvalue/store#[method]bucket.list-keys", backend.list_keys(&bucket, after))
            .await?;
        self.budget.carry(found.keys.iter().map(String::len).sum())?;
        let inside = usize::try_from(skip % page).unwrap_or(PAGE);
        let keys: Vec<String> = found.keys.into_iter().skip(inside).collect();
        let cursor = found.more.then(|| skip - skip % page + page);
        Ok(old::store::KeyResponse { keys, cursor })
    }
}

impl new::atomics::HostCas for View<'_> {
    async fn new(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Resource<Cas>, Failure> {
        let (backend, bucket) = self.bucket(&bucket)?;
        self.count(&key, 0)?;
        let seen =
            self.wait("wasi:keyvalue/atomics#[constructor]cas", backend.get(&bucket, key.clone())).await?;
        self.count_read(&seen)?;
        self.begin(Cas { bucket, key, seen })
    }

    /// The value when the handle was made: the one that `swap` compares with, not a newer one.
    async fn current(&mut self, cas: Resource<Cas>) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.table.get(&cas)?.seen.clone())
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> wasmtime::Result<()> {
        self.end(cas)?;
        Ok(())
    }
}

impl new::atomics::Host for View<'_> {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: i64) -> Result<i64, Failure> {
        let (backend, bucket) = self.bucket(&bucket)?;
        self.count(&key, 0)?;
        let sum = self
            .wait("wasi:keyvalue/atomics#increment", backend.increment(&bucket, key, Delta::Signed(delta)))
            .await?;
        Ok(i64::try_from(sum).map_err(|_| StoreError::Overflow)?)
    }

    async fn swap(
        &mut self,
        cas: Resource<Cas>,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), new::atomics::CasError>> {
        use new::atomics::CasError;
        // The handle is consumed, whatever comes of it.
        let Cas { bucket, key, seen } = self.end(cas)?;
        self.count(&key, value.len())?;
        let swapped = match self.backend() {
            Ok(backend) => {
                self.wait(
                    "wasi:keyvalue/atomics#swap",
                    backend.compare_and_swap(&bucket, key.clone(), seen, value),
                )
                .await
            }
            Err(failure) => Err(failure),
        };
        let latest = match swapped {
            Ok(Ok(())) => return Ok(Ok(())),
            Ok(Err(seen)) => {
                self.count_read(&seen)?;
                self.begin(Cas { bucket, key, seen })
            }
            Err(failure) => Err(failure),
        };
        match latest {
            Ok(latest) => Ok(Err(CasError::CasFailed(latest))),
            Err(failure) => {
                let error = new::store::Host::convert_error(self, failure)?;
                Ok(Err(CasError::StoreError(error)))
            }
        }
    }
}

impl old::atomics::Host for View<'_> {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: u64) -> Result<u64, Failure> {
        let (backend, bucket) = self.bucket(&bucket)?;
        self.count(&key, 0)?;
        let sum = self
            .wait("wasi:keyvalue/atomics#increment", backend.increment(&bucket, key, Delta::Unsigned(delta)))
            .await?;
        Ok(u64::try_from(sum).map_err(|_| StoreError::Overflow)?)
    }
}

/// Setting and deleting many are the same in both drafts.
macro_rules! batch_writes {
    () => {
        async fn set_many(
            &mut self,
            bucket: Resource<Bucket>,
            pairs: Vec<(String, Vec<u8>)>,
        ) -> Result<(), Failure> {
            let (backend, bucket) = self.bucket(&bucket)?;
            self.budget.operate(pairs.len().max(1))?;
            self.budget.carry(pairs.iter().map(|(key, value)| key.len() + value.len()).sum())?;
            self.wait("wasi:keyvalue/batch#set-many", backend.set_many(&bucket, pairs)).await
        }

        async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Result<(), Failure> {
            let (backend, bucket) = self.bucket(&bucket)?;
            self.count_many(&keys)?;
            self.wait("wasi:keyvalue/batch#delete-many", backend.delete_many(&bucket, keys)).await
        }
    };
}

impl new::batch::Host for View<'_> {
    batch_writes!();

    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, Failure> {
        let (backend, bucket) = self.bucket(&bucket)?;
        self.count_many(&keys)?;
        let values =
            self.wait("wasi:keyvalue/batch#get-many", backend.get_many(&bucket, keys.clone())).await?;
        self.count_read(values.iter().flatten())?;
        Ok(keys.into_iter().zip(values).collect())
    }
}

impl old::batch::Host for View<'_> {
    batch_writes!();

    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Vec<Option<(String, Vec<u8>)>>, Failure> {
        let (backend, bucket) = self.bucket(&bucket)?;
        self.count_many(&keys)?;
        let values =
            self.wait("wasi:keyvalue/batch#get-many", backend.get_many(&bucket, keys.clone())).await?;
        self.count_read(values.iter().flatten())?;
        Ok(keys.into_iter().zip(values).map(|(key, value)| Some((key, value?))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MAX_COPIES, MAX_VALUE, Memory};
    use super::*;
    use crate::limits::Limits;

    #[tokio::test]
    async fn handles_keep_only_so_much_of_what_they_saw() {
        let backend: Arc<dyn Backend> = Arc::new(Memory::new());
        backend.set(DEFAULT_BUCKET, "big".into(), vec![7; MAX_VALUE]).await.unwrap();
        let (mut table, mut seen) = (ResourceTable::new(), Copies::default());
        let mut budget = Budget::new(&Limits::default());
        let mut view = View {
            backend: Some(&backend),
            table: &mut table,
            seen: &mut seen,
            budget: &mut budget,
            deadline: (Instant::now() + Duration::from_secs(3_600), Duration::from_secs(3_600)),
        };
        let bucket = view.open_bucket(String::new()).ok().unwrap();
        let mut handles = Vec::new();
        let refused = loop {
            let bucket = Resource::new_borrow(bucket.rep());
            match new::atomics::HostCas::new(&mut view, bucket, "big".into()).await {
                Ok(handle) => handles.push(handle),
                Err(failure) => break failure,
            }
        };
        assert_eq!(handles.len(), MAX_COPIES / MAX_VALUE);
        assert!(matches!(refused, Failure::Store(StoreError::TooMuch)));
        // A handle that is gone, dropped or swapped, makes room again, for the next one or for a failed swap.
        let stale = handles.pop().unwrap();
        backend.set(DEFAULT_BUCKET, "big".into(), vec![8; MAX_VALUE]).await.unwrap();
        let swapped = new::atomics::Host::swap(&mut view, stale, b"new".to_vec()).await.unwrap();
        let Err(new::atomics::CasError::CasFailed(latest)) = swapped else { panic!("{swapped:?}") };
        new::atomics::HostCas::drop(&mut view, latest).await.unwrap();
        let bucket = Resource::new_borrow(bucket.rep());
        assert!(new::atomics::HostCas::new(&mut view, bucket, "big".into()).await.is_ok());
    }
}
