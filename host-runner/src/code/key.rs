//! The key that compiled code is signed with.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::open_file;

/// The longest file that is read for a key.
const LONGEST: u64 = 4096;

/// The name of the key in a directory of compiled code.
pub(super) const KEY: &str = "key";

/// Returns the directory of compiled code of this user: `host-runner` in `$XDG_CACHE_HOME` or `~/.cache`. `None` where there is
/// no home.
pub(super) fn directory_of_user() -> Option<PathBuf> {
    let directories = directories_next::BaseDirs::new()?;
    Some(directories.cache_dir().join("host-runner"))
}

/// A secret that compiled code is signed with. Whoever has it can make code that a host with the same key runs.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read.
    #[error("the key {} cannot be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be made.
    #[error("the key {} cannot be written", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read or change it.
    #[error(
        "the key {} has mode {mode:03o}: others can read it, and make code that this host would run. Take their rights away (chmod 600 {}), and make a new one if anybody may have read it",
        file.display(),
        file.display()
    )]
    Open {
        /// The file.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It belongs to somebody else.
    #[error(
        "the key {} belongs to user {owner}, and this host runs as user {user}: a key is the host's own, or root's",
        file.display()
    )]
    Foreign {
        /// The file.
        file: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who runs this host.
        user: u32,
    },
    /// It is something else.
    #[error(
        "{} is no key: a key is 64 hexadecimal digits on one line. `host-runner compile --key FILE` makes one where there is no file",
        file.display()
    )]
    NotAKey {
        /// The file.
        file: PathBuf,
    },
}

impl Key {
    /// Reads a key: 64 hexadecimal digits, in a file that nobody but its owner can read or write, who is the user that runs
    /// this host, or root.
    ///
    /// # Errors
    ///
    /// Where there is no such file, it is something else, or others have a right to it.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let file = || path.to_owned();
        let unreadable = |source| KeyError::Unreadable { file: file(), source };
        let opened = open_file(path).map_err(unreadable)?;
        let metadata = opened.metadata().map_err(unreadable)?;
        let (mode, owner) = (metadata.mode() & 0o777, metadata.uid());
        let user = rustix::process::geteuid().as_raw();
        if owner != user && owner != 0 {
            return Err(KeyError::Foreign { file: file(), owner, user });
        }
        if mode & 0o077 != 0 {
            return Err(KeyError::Open { file: file(), mode });
        }
        let mut text = Vec::new();
        opened.take(LONGEST).read_to_end(&mut text).map_err(unreadable)?;
        let digits = text.trim_ascii_end();
        let key = blake3::Hash::from_hex(digits).map_err(|_| KeyError::NotAKey { file: file() })?;
        Ok(Self(*key.as_bytes()))
    }

    /// Reads the key in the user's own directory for compiled code.
    ///
    /// # Errors
    ///
    /// As for [`Key::read`].
    pub fn of_user() -> Result<Self, KeyError> {
        Self::read(&directory_of_user().unwrap_or_default().join(KEY))
    }

    /// Reads a key, or makes one where there is no file, with mode 600. Of several processes that do so at once, one makes
    /// it and all get the same.
    ///
    /// # Errors
    ///
    /// As for [`Key::read`], and where the file cannot be written.
    pub fn read_or_make(path: &Path) -> Result<Self, KeyError> {
        match Self::read(path) {
            Err(KeyError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            outcome => return outcome,
        }
        let unwritable = |source| KeyError::Unwritable { file: path.to_owned(), source };
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| unwritable(error.into()))?;
        let directory =
            path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Its mode is 600 from the beginning, and it appears under its name when it is whole.
        let mut new = tempfile::NamedTempFile::new_in(directory).map_err(unwritable)?;
        writeln!(new, "{}", blake3::Hash::from_bytes(secret).to_hex()).map_err(unwritable)?;
        new.as_file().sync_all().map_err(unwritable)?;
        match new.persist_noclobber(path) {
            Ok(_) => Ok(Self(secret)),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Self::read(path),
            Err(error) => Err(unwritable(error.error)),
        }
    }

    pub(super) fn hasher(&self) -> blake3::Hasher {
        blake3::Hasher::new_keyed(&self.0)
    }
}
