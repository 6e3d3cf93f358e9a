//! A store of a version that kept values without checksums: its rows are moved into a table with them.
//!
//! Some at a time, each batch in a transaction of its own, so that a large store needs little memory and a kill in the
//! middle loses nothing: the next start goes on.

use std::path::Path;

use redb::{Database, ReadableTableMetadata, TableDefinition, TableError, TableHandle};

use super::check::pages_are_sound;
use super::open_database;
use super::rows::{BEFORE, Place, TABLE, seal};

/// The same while its rows are being moved.
const LEFT: TableDefinition<Place, &[u8]> = TableDefinition::new("keyvalue without checksums");
/// Rows and bytes of values that are moved in one transaction.
const ROWS: usize = 10_000;
const BYTES: usize = 16 << 20;

/// Makes the table where there is none, and moves the rows of an earlier version.
pub(super) fn table(database: Database, file: &Path) -> Result<Database, redb::Error> {
    let transaction = database.begin_write()?;
    let opened = transaction.open_table(TABLE).map(drop);
    let database = match opened {
        Ok(()) => {
            transaction.commit()?;
            database
        }
        Err(TableError::TableTypeMismatch { .. }) => {
            // Only a table of this very type is one of an earlier version.
            transaction.open_table(BEFORE)?;
            transaction.abort()?;
            drop(database);
            // What is damaged now would get a checksum, and be found sound for ever.
            if !pages_are_sound(file)? {
                return Err(redb::Error::Corrupted(
                    "its pages do not have the checksums that they were given".to_owned(),
                ));
            }
            let database = open_database(file)?;
            let transaction = database.begin_write()?;
            transaction.rename_table(BEFORE, LEFT)?;
            transaction.open_table(TABLE)?;
            transaction.commit()?;
            database
        }
        Err(error) => return Err(error.into()),
    };
    let transaction = database.begin_write()?;
    let unfinished = transaction.list_tables()?.any(|table| table.name() == LEFT.name());
    transaction.abort()?;
    if unfinished {
        move_rows(&database)?;
    }
    Ok(database)
}

fn move_rows(database: &Database) -> Result<(), redb::Error> {
    tracing::info!("the store is of an earlier version: its entries are given checksums, once");
    loop {
        let transaction = database.begin_write()?;
        let done = {
            let (mut from, mut to) = (transaction.open_table(LEFT)?, transaction.open_table(TABLE)?);
            let (mut rows, mut bytes) = (0, 0);
            while rows < ROWS && bytes < BYTES {
                let Some((place, value)) = from.pop_first()? else { break };
                to.insert(place.value(), seal(place.value(), value.value()).as_slice())?;
                rows += 1;
                bytes += value.value().len();
            }
            from.is_empty()?
        };
        if done {
            transaction.delete_table(LEFT)?;
        }
        transaction.commit()?;
        if done {
            return Ok(());
        }
    }
}
