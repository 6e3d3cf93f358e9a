//! Bytes in memory that nobody can change any more, while they are looked at and while they are run.

use std::fs::File;
use std::io::{self, Read};

use blake3::Hasher;
use wasmtime::component::Component;

use crate::tuning::Tuned;

/// How much is copied at a time: what fits into a processor's own cache, since it is looked at right after.
#[cfg(target_os = "linux")]
const PIECE: usize = 512 << 10;

/// A copy of bytes, made once.
pub(crate) enum Image {
    /// A file in memory that is sealed: no process can change it. The engine maps it as it is, code and heap images
    /// alike, so nothing is copied again.
    #[cfg(target_os = "linux")]
    Sealed(sealed::Sealed),
    /// Where there are no such files.
    Plain(Vec<u8>),
}

impl Image {
    /// Copies `length` bytes out of a file, from where it stands, and hashes what the copy holds.
    pub(super) fn copy(file: &mut File, length: usize, hasher: &mut Hasher) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        match sealed::Sealed::copy(file, length, hasher.clone()) {
            Ok((sealed, hashed)) => {
                *hasher = hashed;
                return Ok(Self::Sealed(sealed));
            }
            Err(sealed::Failure::Source(error)) => return Err(error),
            Err(sealed::Failure::Memory(error)) => {
                // Where the file stands now is unknown, so it is read again from where the bytes begin.
                tracing::debug!("compiled code is copied to ordinary memory: {error}");
                sealed::rewind(file, length)?;
            }
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        file.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hasher.update_rayon(&bytes);
        Ok(Self::Plain(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            #[cfg(target_os = "linux")]
            Self::Sealed(sealed) => sealed.bytes(),
            Self::Plain(bytes) => bytes,
        }
    }

    /// Loads the bytes as the code of a component.
    ///
    /// # Safety
    ///
    /// The bytes are what an engine compiled, unchanged.
    pub(super) unsafe fn load(&self, engine: &Tuned) -> wasmtime::Result<Component> {
        #[cfg(target_os = "linux")]
        if let Self::Sealed(sealed) = self {
            // SAFETY: as the caller says; and the file behind the path is sealed, so it does not change.
            match unsafe { Component::deserialize_file(engine.inner(), sealed.path()) } {
                Ok(component) => return Ok(component),
                // A system without /proc, or one that runs nothing out of such files.
                Err(error) => tracing::debug!("compiled code is copied again: {error:#}"),
            }
        }
        // SAFETY: as the caller says.
        unsafe { Component::deserialize(engine.inner(), self.bytes()) }
    }
}

#[cfg(target_os = "linux")]
mod sealed {
    use std::fs::File;
    use std::io::{self, Read, Seek, SeekFrom, Write};
    use std::ops::Range;
    use std::os::fd::AsRawFd;
    use std::path::PathBuf;
    use std::ptr::{self, NonNull};
    use std::sync::mpsc::{self, Sender};
    use std::thread;

    use blake3::Hasher;
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create, sendfile};
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

    use super::PIECE;

    pub(crate) struct Sealed {
        file: File,
        address: NonNull<u8>,
        length: usize,
    }

    // SAFETY: the mapping is read-only, and belongs to this value alone.
    unsafe impl Send for Sealed {}
    // SAFETY: as above.
    unsafe impl Sync for Sealed {}

    /// Which side failed.
    pub(in crate::code) enum Failure {
        /// What was to be copied cannot be read.
        Source(io::Error),
        /// There is no such memory.
        Memory(io::Error),
    }

    impl Sealed {
        /// Copies the bytes, and hashes the copy piece by piece while the next ones are copied. It is sealed only after
        /// that; until then it can be changed by whoever may change the whole process.
        pub(in crate::code) fn copy(
            from: &mut File,
            length: usize,
            mut hasher: Hasher,
        ) -> Result<(Self, Hasher), Failure> {
            let sealed = Self::map(length).map_err(Failure::Memory)?;
            let hashed = thread::scope(|scope| {
                let (copied, pieces) = mpsc::channel::<Range<usize>>();
                let reader = scope.spawn(|| {
                    for piece in pieces {
                        // SAFETY: it was written, and nobody writes there again.
                        hasher.update(unsafe { sealed.piece(piece) });
                    }
                    hasher
                });
                sealed.fill(from, &copied)?;
                drop(copied);
                reader.join().map_err(|_| Failure::Memory(io::Error::other("hashing failed")))
            })?;
            let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
            fcntl_add_seals(&sealed.file, seals).map_err(|error| Failure::Memory(error.into()))?;
            Ok((sealed, hashed))
        }

        /// Writes the bytes, and tells of each piece that is written.
        fn fill(&self, from: &mut File, copied: &Sender<Range<usize>>) -> Result<(), Failure> {
            let mut done = 0;
            let mut tell = |sent: usize| {
                // The reader is there until all is told.
                let _ = copied.send(done..done + sent);
                done += sent;
                done
            };
            let mut at = 0;
            // Within the kernel, as far as that goes.
            while at < self.length {
                match sendfile(&self.file, &*from, None, PIECE.min(self.length - at)) {
                    Ok(0) | Err(_) => break,
                    Ok(sent) => at = tell(sent),
                }
            }
            let mut piece = vec![0; PIECE.min(self.length - at)];
            while at < self.length {
                let part = &mut piece[..PIECE.min(self.length - at)];
                from.read_exact(part).map_err(Failure::Source)?;
                (&self.file).write_all(part).map_err(Failure::Memory)?;
                at = tell(part.len());
            }
            Ok(())
        }

        fn memory() -> io::Result<File> {
            let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
            Ok(memfd_create("compiled code", flags)?.into())
        }

        /// Memory for so many bytes.
        fn map(length: usize) -> io::Result<Self> {
            let file = Self::memory()?;
            ftruncate(&file, length as u64)?;
            // SAFETY: a new mapping touches no memory that is in use. What is read in it is what is in the file.
            let address =
                unsafe { mmap(ptr::null_mut(), length, ProtFlags::READ, MapFlags::PRIVATE, &file, 0) }?;
            let address = NonNull::new(address.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
            Ok(Self { file, address, length })
        }

        /// # Safety
        ///
        /// Nobody writes to this part any more, and it lies within the whole.
        unsafe fn piece(&self, part: Range<usize>) -> &[u8] {
            // SAFETY: as the caller says; the mapping lives as long as `self`.
            unsafe { std::slice::from_raw_parts(self.address.as_ptr().add(part.start), part.len()) }
        }

        pub(in crate::code) fn bytes(&self) -> &[u8] {
            // SAFETY: it is sealed.
            unsafe { self.piece(0..self.length) }
        }

        pub(in crate::code) fn path(&self) -> PathBuf {
            format!("/proc/self/fd/{}", self.file.as_raw_fd()).into()
        }
    }

    impl Drop for Sealed {
        fn drop(&mut self) {
            // SAFETY: the mapping is this value's own, and no reference into it outlives the value.
            let _ = unsafe { munmap(self.address.as_ptr().cast(), self.length) };
        }
    }

    /// Goes back to where the last `length` bytes of a file begin.
    pub(in crate::code) fn rewind(file: &mut File, length: usize) -> io::Result<()> {
        let whole = file.metadata()?.len();
        file.seek(SeekFrom::Start(whole.saturating_sub(length as u64))).map(drop)
    }
}
