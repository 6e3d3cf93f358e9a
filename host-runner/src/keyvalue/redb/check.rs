//! The check of a whole store, which changes nothing of its file.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::backends::FileBackend;
use redb::{
    BackendError, Database, DatabaseError, ReadOnlyTable, ReadableDatabase, ReadableTable, StorageBackend,
    TableError,
};

use super::rows::{BEFORE, Place, Sealed, TABLE, unseal};
use super::{CACHE, OpenError, cannot_open};

/// How many damaged entries are named.
const NAMED: usize = 20;

/// What a [`check`] of a store found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Checked {
    /// Entries that are as they were written.
    pub entries: u64,
    /// Bytes of their values.
    pub bytes: u64,
    /// Whether the entries have checksums of their own. Those of a store of an earlier version get them when
    /// the store is opened; until then only the pages of the file have some.
    pub sealed: bool,
    /// Whether the pages of the file have the checksums that they were given.
    pub pages_sound: bool,
    /// How many entries are damaged.
    pub damaged: u64,
    /// The first of them: bucket and key, as far as they can be read.
    pub named: Vec<(String, String)>,
    /// Whether all entries could be reached.
    pub complete: bool,
}

impl Checked {
    /// Returns whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.pages_sound && self.complete && self.damaged == 0
    }
}

/// Reads a whole store, and compares everything in it with its checksums. The file is not changed, and nobody else may
/// have it open meanwhile.
///
/// # Errors
///
/// Where there is no such file, another process has it open, or it cannot be read as a store at all.
pub fn check(file: &Path) -> Result<Checked, OpenError> {
    let pages_sound = pages_are_sound(file).map_err(|error| cannot_open(file, error))?;
    let database = open(file).map_err(|error| cannot_open(file, error))?;
    let mut checked = Checked { pages_sound, ..Checked::default() };
    let read = catch_unwind(AssertUnwindSafe(|| read_all(&database, &mut checked)));
    checked.complete = matches!(read, Ok(Ok(())));
    if let Ok(Err(error)) = &read {
        tracing::debug!("the entries could not be read to their end: {error}");
    }
    super::close(Some(database));
    Ok(checked)
}

/// Returns whether the pages of a file have the checksums that redb gave them.
pub(super) fn pages_are_sound(file: &Path) -> Result<bool, DatabaseError> {
    let mut database = open(file)?;
    // redb checks its own pages by assertions too.
    let sound = catch_unwind(AssertUnwindSafe(|| database.check_integrity()));
    super::close(Some(database));
    match sound {
        Ok(Ok(sound)) => Ok(sound),
        Ok(Err(DatabaseError::Storage(redb::StorageError::Io(error)))) => Err(error.into()),
        Ok(Err(_)) | Err(_) => Ok(false),
    }
}

/// Opens a file in a way that leaves it as it is.
fn open(file: &Path) -> Result<Database, DatabaseError> {
    let opened = OpenOptions::new().read(true).write(true).open(file)?;
    let backend = Untouched::new(opened)?;
    catch_unwind(AssertUnwindSafe(|| redb::Builder::new().set_cache_size(CACHE).create_with_backend(backend)))
        .map_err(|_| super::senseless())?
}

fn read_all(database: &Database, checked: &mut Checked) -> Result<(), redb::Error> {
    let transaction = database.begin_read()?;
    match transaction.open_table(TABLE) {
        Ok(table) => {
            checked.sealed = true;
            read_sealed(&table, checked)
        }
        Err(TableError::TableDoesNotExist(_)) => Ok(()),
        Err(TableError::TableTypeMismatch { .. }) => {
            for row in transaction.open_table(BEFORE)?.iter()? {
                let (_, value) = row?;
                checked.entries += 1;
                checked.bytes += value.value().len() as u64;
            }
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn read_sealed(table: &ReadOnlyTable<Place, Sealed>, checked: &mut Checked) -> Result<(), redb::Error> {
    for row in table.iter()? {
        let (place, row) = row?;
        // A damaged key may be no text at all.
        let place = catch_unwind(AssertUnwindSafe(|| {
            let (bucket, key) = place.value();
            (bucket.to_owned(), key.to_owned())
        }));
        let value = match &place {
            Ok((bucket, key)) => unseal((bucket, key), row.value()),
            Err(_) => None,
        };
        if let Some(value) = value {
            checked.entries += 1;
            checked.bytes += value.len() as u64;
            continue;
        }
        checked.damaged += 1;
        if checked.named.len() < NAMED {
            checked.named.push(place.unwrap_or_default());
        }
    }
    Ok(())
}

/// A file that is read, and of which everything that is written is kept in memory: what opening and checking it change.
#[derive(Debug)]
struct Untouched {
    file: FileBackend,
    over: Mutex<Over>,
}

#[derive(Debug)]
struct Over {
    /// How long the file seems to be.
    length: u64,
    /// How much of the file is still to be seen.
    below: u64,
    blocks: BTreeMap<u64, Box<[u8; BLOCK]>>,
}

const BLOCK: usize = 4_096;

impl Untouched {
    fn new(file: File) -> Result<Self, DatabaseError> {
        let length = file.metadata()?.len();
        let over = Over { length, below: length, blocks: BTreeMap::new() };
        Ok(Self { file: FileBackend::new(file)?, over: Mutex::new(over) })
    }

    fn over(&self) -> MutexGuard<'_, Over> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from the file what it still has there; the rest is zero.
    fn read_below(&self, below: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = below.saturating_sub(offset).min(out.len() as u64) as usize;
        out[there..].fill(0);
        self.file.read(offset, &mut out[..there])
    }
}

/// Returns the parts of a range, each within one block: the block, where it begins there, and where in the range it is.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let begin = (at % BLOCK as u64) as usize;
        let count = (BLOCK - begin).min(length - done);
        let part = (count > 0).then_some((at / BLOCK as u64, begin, done..done + count));
        done += count;
        part
    })
}

impl StorageBackend for Untouched {
    fn len(&self) -> io::Result<u64> {
        Ok(self.over().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let over = self.over();
        if offset + out.len() as u64 > over.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_below(over.below, offset, out)?;
        for (block, begin, range) in parts(offset, out.len()) {
            if let Some(bytes) = over.blocks.get(&block) {
                let length = range.len();
                out[range].copy_from_slice(&bytes[begin..begin + length]);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut over = self.over();
        let below = over.below;
        for (block, begin, range) in parts(offset, data.len()) {
            let bytes = match over.blocks.entry(block) {
                std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
                std::collections::btree_map::Entry::Vacant(place) => {
                    let mut bytes = Box::new([0; BLOCK]);
                    self.read_below(below, block * BLOCK as u64, &mut bytes[..])?;
                    place.insert(bytes)
                }
            };
            bytes[begin..begin + range.len()].copy_from_slice(&data[range]);
        }
        over.length = over.length.max(offset + data.len() as u64);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut over = self.over();
        if length < over.length {
            // What grows again later is zero.
            over.below = over.below.min(length);
            let first = length / BLOCK as u64;
            over.blocks.split_off(&(first + 1));
            if let Some(bytes) = over.blocks.get_mut(&first) {
                bytes[(length % BLOCK as u64) as usize..].fill(0);
            }
        }
        over.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
