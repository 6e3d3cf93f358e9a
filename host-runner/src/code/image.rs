//! Bytes in memory that nobody can change any more, while they are looked at and while they are run.

use std::fs::File;
use std::io::{self, Read};

use wasmtime::component::Component;

use crate::engine::Engine;

/// How much is copied at a time: what fits into a processor's own cache.
#[cfg(target_os = "linux")]
const PIECE: usize = 256 << 10;

/// A copy of bytes, made once.
pub(super) enum Image {
    /// A file in memory that is sealed: no process can change it. The engine maps it as it is, code and heap images
    /// alike, so nothing is copied again.
    #[cfg(target_os = "linux")]
    Sealed(sealed::Sealed),
    /// Where there are no such files.
    Plain(Vec<u8>),
}

impl Image {
    /// Copies `length` bytes out of a file, from where it stands.
    pub(super) fn copy(file: &mut File, length: usize) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        match sealed::Sealed::copy(file, length) {
            Ok(sealed) => return Ok(Self::Sealed(sealed)),
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
    pub(super) unsafe fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
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
    use std::os::fd::AsRawFd;
    use std::path::PathBuf;
    use std::ptr::{self, NonNull};

    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create, sendfile};
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

    use super::PIECE;

    pub(in crate::code) struct Sealed {
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
        pub(in crate::code) fn copy(from: &mut File, length: usize) -> Result<Self, Failure> {
            let mut file = Self::memory().map_err(Failure::Memory)?;
            let mut left = length;
            // Within the kernel, as far as that goes.
            while left > 0 {
                match sendfile(&file, &*from, None, left) {
                    Ok(0) | Err(_) => break,
                    Ok(sent) => left -= sent,
                }
            }
            let mut piece = vec![0; PIECE.min(left)];
            while left > 0 {
                let part = &mut piece[..PIECE.min(left)];
                from.read_exact(part).map_err(Failure::Source)?;
                file.write_all(part).map_err(Failure::Memory)?;
                left -= part.len();
            }
            Self::seal(file, length).map_err(Failure::Memory)
        }

        fn memory() -> io::Result<File> {
            let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
            Ok(memfd_create("compiled code", flags)?.into())
        }

        fn seal(file: File, length: usize) -> io::Result<Self> {
            fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
            // SAFETY: a new mapping touches no memory that is in use. The file is sealed, so its bytes stay as they are.
            let address = unsafe {
                mmap(
                    ptr::null_mut(),
                    length,
                    ProtFlags::READ,
                    MapFlags::PRIVATE | MapFlags::POPULATE,
                    &file,
                    0,
                )
            }?;
            let address = NonNull::new(address.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
            Ok(Self { file, address, length })
        }

        pub(in crate::code) fn bytes(&self) -> &[u8] {
            // SAFETY: the mapping is that long, readable, and lives as long as `self`; nobody can write to it.
            unsafe { std::slice::from_raw_parts(self.address.as_ptr(), self.length) }
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
