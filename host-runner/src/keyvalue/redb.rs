//! A store in a redb file: durable at every acknowledged write, and safe to kill at any moment.
//!
//! Writes go through one thread. It takes all that are waiting, makes them one after the other in one
//! transaction, commits it, and only then answers: a commit costs a wait for the disk, and all who wait
//! share it. So a lone writer gets one write a commit, and a crowd of them gets hundreds, at the same
//! guarantee. Reads look at the last commit and wait for nobody.
//!
//! After an error of the disk redb refuses all further writes until the file is opened anew, because what it has
//! in memory may differ from what is in the file. So the writer opens it anew, as after a power failure.
//!
//! Each row has [checksums](rows), so that a file that was damaged gives errors and no wrong answers.

mod check;
mod rows;
mod upgrade;

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use futures::future::BoxFuture;
use redb::{Database, DatabaseError, Durability, ReadOnlyTable, ReadableDatabase, StorageError, Table};
use tokio::sync::{mpsc, oneshot};

use super::{Backend, Copies, Keys, Rows, StoreError, Write, Written, apply};
pub use check::{Checked, check};
use rows::{Place, Sealed, TABLE};

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
    /// The directory that the file should be in does not exist.
    #[error(
        "the store {} cannot be made: its directory does not exist. Make the directory first, or name another file",
        file.display()
    )]
    NoDirectory {
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
        if let Some(directory) = file.parent()
            && !directory.as_os_str().is_empty()
            && !directory.is_dir()
        {
            return Err(OpenError::NoDirectory { file: owned() });
        }
        let unusable = |source| OpenError::Unusable { file: owned(), source };
        // redb checks its own pages by assertions: in a damaged file it panics on what it finds there.
        let opened = catch_unwind(|| Ok(upgrade::table(open_database(file)?, file)));
        let prepared =
            opened.unwrap_or_else(|_| Err(senseless())).map_err(|error| cannot_open(file, error))?;
        let database = prepared.map_err(|error| match error {
            redb::Error::Corrupted(what) => {
                cannot_open(file, DatabaseError::Storage(StorageError::Corrupted(what)))
            }
            error => unusable(error.into()),
        })?;
        // The writer may open it anew when the host has gone to another directory.
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
        catch_unwind(|| open_database(&self.path)).map_err(|_| senseless())?
    }
}

/// Returns the error for a file on whose pages redb panics.
fn senseless() -> DatabaseError {
    DatabaseError::Storage(StorageError::Corrupted("its pages make no sense".to_owned()))
}

/// Says why a file cannot be opened.
fn cannot_open(file: &Path, error: DatabaseError) -> OpenError {
    let file = file.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::Locked { file },
        DatabaseError::Storage(StorageError::Io(source)) => match source.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                let source = DatabaseError::Storage(StorageError::Io(source));
                OpenError::NotAStore { file, source }
            }
            _ => OpenError::Unusable { file, source: source.into() },
        },
        source => OpenError::NotAStore { file, source },
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
                    let row = rows::get(&table, &bucket, key)?;
                    let value = row.as_ref().map(rows::Sound::value);
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
        Box::pin(
            self.read(move |database| rows::list(&open_for_reading(database)?, &bucket, after.as_deref())),
        )
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

fn open_for_reading(database: &Database) -> Result<ReadOnlyTable<Place, Sealed>, StoreError> {
    let transaction = database.begin_read().map_err(StoreError::failed)?;
    transaction.open_table(TABLE).map_err(StoreError::failed)
}

/// The writer: one turn of the loop is one commit.
fn write_all(file: &StoreFile, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::new();
    let mut failing = false;
    while jobs.blocking_recv_many(&mut batch, QUEUE) > 0 {
        let batch = std::mem::take(&mut batch);
        match try_to_commit(file, &batch) {
            // One of them met damage. The others are not to fail with it.
            Err(Failed::Panicked) if batch.len() > 1 => {
                for job in batch {
                    let outcome = try_to_commit(file, slice::from_ref(&job));
                    answer(file, vec![job], outcome, &mut failing);
                }
            }
            outcome => answer(file, batch, outcome, &mut failing),
        }
    }
}

/// Why a batch was not written.
enum Failed {
    /// What redb or the system said.
    Refused(StoreError),
    /// redb panicked on what it found in the file, which was opened anew then.
    Panicked,
}

fn try_to_commit(file: &StoreFile, batch: &[Job]) -> Result<Vec<Result<Written, StoreError>>, Failed> {
    match catch_unwind(AssertUnwindSafe(|| file.with(|database| commit(database, batch)))) {
        Ok(Ok(outcome)) => outcome.map_err(|error| Failed::Refused(StoreError::failed(error))),
        Ok(Err(closed)) => Err(Failed::Refused(closed)),
        Err(_) => {
            open_anew(file);
            Err(Failed::Panicked)
        }
    }
}

fn open_anew(file: &StoreFile) {
    if let Err(error) = file.reopen() {
        tracing::debug!("the store could not be opened anew: {error}");
    }
}

/// Tells all of a batch what came of it.
fn answer(
    file: &StoreFile,
    batch: Vec<Job>,
    outcome: Result<Vec<Result<Written, StoreError>>, Failed>,
    failing: &mut bool,
) {
    let error = match outcome {
        Ok(outcomes) => {
            if std::mem::take(failing) {
                tracing::info!("the store takes writes again");
            }
            for (job, outcome) in batch.into_iter().zip(outcomes) {
                // Who asked may be gone; the write stands.
                let _ = job.answer.send(outcome);
            }
            return;
        }
        Err(Failed::Refused(error)) => {
            tell(&error, batch.len(), *failing);
            *failing = true;
            open_anew(file);
            error
        }
        Err(Failed::Panicked) => StoreError::failed(senseless()),
    };
    let error = Arc::new(error);
    for job in batch {
        let _ = job.answer.send(Err(StoreError::failed(Arc::clone(&error))));
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
    table: &'a mut Table<'txn, Place, Sealed>,
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
        let row = rows::get(self.table, self.bucket, key)?;
        Ok(row.map(|row| row.value().to_vec()))
    }

    fn set(&mut self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.changed = true;
        let place = (self.bucket, key);
        let result = self.table.insert(place, rows::seal(place, value).as_slice()).map(drop);
        result.map_err(|error| self.failed(error))
    }

    fn delete(&mut self, key: &str) -> Result<(), StoreError> {
        let result = self.table.remove((self.bucket, key)).map(|old| old.is_some());
        match result {
            Ok(true) => {
                self.changed = true;
                Ok(())
            }
            Ok(false) => rows::is_missing(self.table, self.bucket, key),
            Err(error) => Err(self.failed(error)),
        }
    }
}
