//! A store in a redb file: durable at every acknowledged write, and safe to kill at any moment.
//!
//! Writes go through one thread. It takes all that are waiting, makes them one after the other in one
//! transaction, commits it, and only then answers: a commit costs a wait for the disk, and all who wait
//! share it. So a lone writer gets one write a commit, and a crowd of them gets hundreds, at the same
//! guarantee. Reads look at the last commit and wait for nobody.
//!
//! After an error of the disk redb refuses all further writes until the file is opened anew, because what it has
//! in memory may differ from what is in the file. So the writer opens it anew, as after a power failure.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use futures::future::BoxFuture;
use redb::{
    Database, DatabaseError, Durability, ReadOnlyTable, ReadableDatabase, ReadableTable, StorageError, Table,
    TableDefinition,
};
use tokio::sync::{mpsc, oneshot};

use super::{Backend, Copies, Keys, PAGE, Rows, StoreError, Write, Written, apply};

/// Bucket and key to value. One table for all buckets: a transaction opens it once.
const TABLE: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("keyvalue");

/// Writes that may wait for the writer; who comes then waits to be let in.
const QUEUE: usize = 1_024;

/// Memory for pages of the file.
const CACHE: usize = 64 << 20;

/// Why the file cannot be used as a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has the file open.
    #[error(
        "the store {} is in use by another process: only one may have it open. Stop the other one, or name another file",
        file.display()
    )]
    Locked {
        /// The file.
        file: PathBuf,
    },
    /// The folder that the file should be in does not exist.
    #[error(
        "the store {} cannot be made: its folder does not exist. Make the folder first, or name another file",
        file.display()
    )]
    NoFolder {
        /// The file.
        file: PathBuf,
    },
    /// The file is something else.
    #[error(
        "{} is not a store: it is not a redb file, or a damaged one. It was left as it is; name another file",
        file.display()
    )]
    NotAStore {
        /// The file.
        file: PathBuf,
        /// What redb said.
        source: DatabaseError,
    },
    /// The system refuses the file.
    #[error("the store {} cannot be opened", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What redb or the system said.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Keeps its buckets in one file. Dropping the last handle closes the file, when all writes are done.
pub struct Redb {
    file: Arc<StoreFile>,
    /// There until the store is dropped.
    writer: Option<(mpsc::Sender<Job>, JoinHandle<()>)>,
}

/// The file, which can be closed and opened anew below all who use it.
struct StoreFile {
    path: PathBuf,
    /// `None` when it could not be opened anew.
    database: RwLock<Option<Database>>,
}

struct Job {
    bucket: String,
    write: Write,
    answer: oneshot::Sender<Result<Written, StoreError>>,
}

impl Redb {
    /// Opens the file, or makes it where there is none. A file that a killed process left behind is
    /// repaired first: everything that was acknowledged is in it.
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        let owned = || file.to_owned();
        if let Some(folder) = file.parent()
            && !folder.as_os_str().is_empty()
            && !folder.is_dir()
        {
            return Err(OpenError::NoFolder { file: owned() });
        }
        let damaged = || OpenError::NotAStore {
            file: owned(),
            source: DatabaseError::Storage(StorageError::Corrupted("its pages make no sense".to_owned())),
        };
        let unusable = |source| OpenError::Unusable { file: owned(), source };
        // redb checks its own pages by assertions: in a damaged file it panics on what it finds there.
        let opened = catch_unwind(|| {
            let database = open_database(file)?;
            Ok((create_table(&database), database))
        });
        let (created, database) = opened.map_err(|_| damaged())?.map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => OpenError::Locked { file: owned() },
            DatabaseError::Storage(StorageError::Io(source))
                if matches!(source.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                let source = DatabaseError::Storage(StorageError::Io(source));
                OpenError::NotAStore { file: owned(), source }
            }
            DatabaseError::Storage(StorageError::Io(source)) => {
                OpenError::Unusable { file: owned(), source: source.into() }
            }
            source => OpenError::NotAStore { file: owned(), source },
        })?;
        created.map_err(|error| unusable(error.into()))?;
        // The writer may open it anew when the host has gone to another folder.
        let path = std::path::absolute(file).map_err(|error| unusable(error.into()))?;
        let file = Arc::new(StoreFile { path, database: RwLock::new(Some(database)) });
        let (sender, jobs) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("store".into())
            .spawn({
                let file = Arc::clone(&file);
                move || write_all(&file, jobs)
            })
            .map_err(|error| unusable(error.into()))?;
        Ok(Self { file, writer: Some((sender, thread)) })
    }

    /// Reads on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let file = Arc::clone(&self.file);
        tokio::task::spawn_blocking(move || file.with(read)?).await.map_err(StoreError::failed)?
    }
}

impl StoreFile {
    /// Does something with the open file; opens it first where an earlier attempt failed.
    fn with<T>(&self, act: impl FnOnce(&Database) -> T) -> Result<T, StoreError> {
        {
            // A panic while the lock was held was about the pages of one call, and said so to its caller.
            let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(database) = database.as_ref() {
                return Ok(act(database));
            }
        }
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if database.is_none() {
            *database = Some(self.reopened().map_err(StoreError::failed)?);
        }
        match database.as_ref() {
            Some(database) => Ok(act(database)),
            None => Err(StoreError::failed("the store is closed")),
        }
    }

    /// Closes the file and opens it anew, as it is on the disk. Without success it stays closed until somebody needs
    /// it again.
    fn reopen(&self) -> Result<(), DatabaseError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // First away with the old one: it has the file locked.
        close(database.take());
        *database = Some(self.reopened()?);
        Ok(())
    }

    fn reopened(&self) -> Result<Database, DatabaseError> {
        let damaged =
            || DatabaseError::Storage(StorageError::Corrupted("its pages make no sense".to_owned()));
        catch_unwind(|| open_database(&self.path)).map_err(|_| damaged())?
    }
}

/// Closing writes down which pages are free, and so can meet damage too. What was acknowledged is safe.
fn close(database: Option<Database>) {
    if catch_unwind(AssertUnwindSafe(|| drop(database))).is_err() {
        tracing::error!("the store is damaged: it could not be closed in order");
    }
}

impl fmt::Debug for Redb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redb").finish_non_exhaustive()
    }
}

impl Drop for Redb {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.writer.take() {
            drop(sender);
            // The writer ends when its queue is empty; it holds the file until then.
            if thread.join().is_err() {
                tracing::error!("the writer of the store ended in a panic");
            }
        }
    }
}

impl Drop for StoreFile {
    fn drop(&mut self) {
        close(self.database.get_mut().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Backend for Redb {
    fn get_many<'a>(
        &'a self,
        bucket: &'a str,
        keys: Vec<String>,
    ) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StoreError>> {
        let bucket = bucket.to_owned();
        Box::pin(self.read(move |database| {
            let table = open_for_reading(database)?;
            let mut copies = Copies::default();
            keys.iter()
                .map(|key| {
                    let value = table.get((bucket.as_str(), key.as_str())).map_err(StoreError::failed)?;
                    let value = value.as_ref().map(redb::AccessGuard::value);
                    copies.take(value)?;
                    Ok(value.map(<[u8]>::to_vec))
                })
                .collect()
        }))
    }

    fn list_keys<'a>(
        &'a self,
        bucket: &'a str,
        after: Option<String>,
    ) -> BoxFuture<'a, Result<Keys, StoreError>> {
        let bucket = bucket.to_owned();
        Box::pin(self.read(move |database| {
            let table = open_for_reading(database)?;
            let start = match &after {
                Some(key) => Bound::Excluded((bucket.as_str(), key.as_str())),
                None => Bound::Included((bucket.as_str(), "")),
            };
            let mut page = Keys::default();
            let rows = table.range::<(&str, &str)>((start, Bound::Unbounded)).map_err(StoreError::failed)?;
            for row in rows {
                let (place, _) = row.map_err(StoreError::failed)?;
                let (in_bucket, key) = place.value();
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
        }))
    }

    fn write<'a>(&'a self, bucket: &'a str, write: Write) -> BoxFuture<'a, Result<Written, StoreError>> {
        let bucket = bucket.to_owned();
        Box::pin(async move {
            let gone = || StoreError::failed("the writer of the store has ended");
            let (sender, _) = self.writer.as_ref().ok_or_else(gone)?;
            let (answer, answered) = oneshot::channel();
            sender.send(Job { bucket, write, answer }).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        })
    }
}

fn open_database(file: &Path) -> Result<Database, DatabaseError> {
    let name = file.to_owned();
    let told = Cell::new(false);
    redb::Builder::new()
        .set_cache_size(CACHE)
        .set_repair_callback(move |_| {
            if !told.replace(true) {
                tracing::info!("{} was not closed in order: repairing it", name.display());
            }
        })
        .create(file)
}

fn open_for_reading(
    database: &Database,
) -> Result<ReadOnlyTable<(&'static str, &'static str), &'static [u8]>, StoreError> {
    let transaction = database.begin_read().map_err(StoreError::failed)?;
    transaction.open_table(TABLE).map_err(StoreError::failed)
}

fn create_table(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(TABLE)?;
    transaction.commit()?;
    Ok(())
}

/// The writer: one turn of the loop is one commit.
fn write_all(file: &StoreFile, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::new();
    let mut failing = false;
    while jobs.blocking_recv_many(&mut batch, QUEUE) > 0 {
        let outcome = match file.with(|database| commit(database, &batch)) {
            Ok(outcome) => outcome.map_err(StoreError::failed),
            Err(closed) => Err(closed),
        };
        match outcome {
            Ok(outcomes) => {
                if failing {
                    tracing::info!("the store takes writes again");
                }
                failing = false;
                for (job, outcome) in batch.drain(..).zip(outcomes) {
                    // Who asked may be gone; the write stands.
                    let _ = job.answer.send(outcome);
                }
            }
            Err(error) => {
                tell(&error, batch.len(), failing);
                failing = true;
                if let Err(error) = file.reopen() {
                    tracing::debug!("the store could not be opened anew: {error}");
                }
                let error = Arc::new(error);
                for job in batch.drain(..) {
                    let _ = job.answer.send(Err(StoreError::failed(Arc::clone(&error))));
                }
            }
        }
    }
}

/// Logs a failure of the disk: once, since a disk that is full fails every request.
fn tell(error: &StoreError, writes: usize, again: bool) {
    let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    if again {
        tracing::debug!("{writes} more writes to the store failed: {reason}");
    } else {
        tracing::error!(
            "{writes} writes to the store failed: {reason}. What was acknowledged is safe. See that the disk works and has room: writes are tried again as they come"
        );
    }
}

/// Makes all writes of a batch, in their order, in one transaction. A write that is refused (a swap from an
/// old value) changes nothing and takes nothing else with it; a store that fails takes all of them.
fn commit(database: &Database, batch: &[Job]) -> Result<Vec<Result<Written, StoreError>>, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut changed = false;
    {
        let mut table = transaction.open_table(TABLE)?;
        for job in batch {
            let mut rows = Stored { table: &mut table, bucket: &job.bucket, failed: None, changed: false };
            let outcome = apply(&job.write, &mut rows);
            changed |= rows.changed;
            if let Some(error) = rows.failed {
                return Err(error.into());
            }
            outcomes.push(outcome);
        }
    }
    // Nothing new to make durable: refused swaps alone need no disk.
    if changed {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(outcomes)
}

struct Stored<'a, 'txn> {
    table: &'a mut Table<'txn, (&'static str, &'static str), &'static [u8]>,
    bucket: &'a str,
    failed: Option<StorageError>,
    changed: bool,
}

impl Stored<'_, '_> {
    fn failed(&mut self, error: StorageError) -> StoreError {
        let text = error.to_string();
        self.failed = Some(error);
        StoreError::failed(text)
    }
}

impl Rows for Stored<'_, '_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.table.get((self.bucket, key)).map_err(StoreError::failed)?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    fn set(&mut self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.changed = true;
        let result = self.table.insert((self.bucket, key), value).map(drop);
        result.map_err(|error| self.failed(error))
    }

    fn delete(&mut self, key: &str) -> Result<(), StoreError> {
        let result = self.table.remove((self.bucket, key)).map(|old| old.is_some());
        match result {
            Ok(existed) => {
                self.changed |= existed;
                Ok(())
            }
            Err(error) => Err(self.failed(error)),
        }
    }
}
