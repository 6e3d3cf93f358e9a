//! How many files, directories and connections an instance has open on the host.
//!
//! The system limits what a whole process has open, and a server needs some of it for every connection that it accepts.
//! So what each instance has open is counted. A file is open until the last that uses it is gone: its descriptor, or a
//! stream of it that outlives the descriptor. The granted directories themselves are not counted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use wasmtime_wasi::filesystem::Descriptor;

use crate::limits::LimitHit;

/// Fewer are not worth looking through.
const FEW: usize = 64;

/// What one instance has open. Clones count the same.
#[derive(Clone)]
pub(crate) struct OpenFiles(Arc<Mutex<Held>>);

struct Held {
    limit: usize,
    /// Each is gone once nothing uses it any more.
    files: Vec<Weak<dyn Send + Sync>>,
    /// How many there are when those that are gone are looked for next.
    full: usize,
}

/// Room for one more, until this is dropped.
pub(crate) type Room = Arc<()>;

impl OpenFiles {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(Held { limit, files: Vec::new(), full: FEW })))
    }

    /// Room for one that is about to be opened, if there is any: several may be opened at the same time.
    pub(crate) fn room(&self) -> Result<Room, LimitHit> {
        let mut held = self.held();
        held.forget_closed();
        if held.files.len() >= held.limit {
            return Err(LimitHit::OpenFiles(held.limit));
        }
        let room = Room::new(());
        held.files.push(Arc::downgrade(&room) as Weak<dyn Send + Sync>);
        Ok(room)
    }

    /// Counts one that was opened, in the room that was for it.
    pub(crate) fn keep(&self, room: Room, descriptor: &Descriptor) {
        let file = match descriptor {
            Descriptor::File(file) => Arc::downgrade(&file.file),
            Descriptor::Dir(directory) => Arc::downgrade(&directory.dir),
        };
        self.held().files.push(file);
        drop(room);
    }

    /// Whether it has no more than half of those open that it may.
    pub(crate) fn is_half_free(&self) -> bool {
        let held = self.held();
        held.files.iter().filter(|file| file.strong_count() > 0).count() <= held.limit / 2
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn forget_closed(&mut self) {
        if self.files.len() >= self.full.min(self.limit) {
            self.files.retain(|file| file.strong_count() > 0);
            self.full = FEW.max(2 * self.files.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use wasmtime_wasi::filesystem::File;
    use wasmtime_wasi::{FsPerms, OpenMode};

    use super::*;

    fn file() -> Descriptor {
        let file = std::fs::File::open(".").unwrap();
        Descriptor::File(File::new(file, FsPerms::ReadOnly, OpenMode::READ, false))
    }

    #[test]
    fn what_is_still_used_counts_and_what_is_closed_does_not() {
        let open = OpenFiles::new(2);
        let (one, other) = (file(), file());
        for descriptor in [&one, &other] {
            open.keep(open.room().unwrap(), descriptor);
        }
        assert_eq!(open.room().unwrap_err(), LimitHit::OpenFiles(2));
        // As a stream has one.
        let stream = one.clone();
        drop(one);
        assert_eq!(open.room().unwrap_err(), LimitHit::OpenFiles(2));
        drop(stream);
        assert!(open.room().is_ok());
    }

    #[test]
    fn what_is_being_opened_counts() {
        let open = OpenFiles::new(2);
        let (one, other) = (open.room().unwrap(), open.room().unwrap());
        assert!(open.room().is_err());
        drop((one, other));
        assert!(open.room().is_ok());
        assert!(OpenFiles::new(0).room().is_err());
    }

    #[test]
    fn files_that_were_closed_are_forgotten() {
        let open = OpenFiles::new(usize::MAX);
        for _ in 0..10 * FEW {
            let descriptor = file();
            open.keep(open.room().unwrap(), &descriptor);
        }
        assert!(open.0.lock().unwrap().files.len() <= 2 * FEW);
    }
}
