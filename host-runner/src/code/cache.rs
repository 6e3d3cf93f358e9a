//! The directory that keeps compiled code from start to start.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::key::{KEY, directory_of_user};
use super::{Compiled, Facts, Key, KeyError, entry, open_file};

/// What all entries together may take, in bytes. Those that were not used for longest go first.
const MOST_KEPT: u64 = 2 << 30;

/// How old a half-written entry is when nobody writes it any more.
const ABANDONED: Duration = Duration::from_secs(3600);

const EXTENSION: &str = "cwasm";
const UNFINISHED: &str = ".unfinished-";

/// A directory that keeps compiled code, found by the component, the engine's version and its settings. Cheap to clone.
///
/// Any number of processes may use it at once. An entry is written whole or not at all; one that is damaged is compiled
/// anew. Together they take up to 2 GiB: then those that were not used for longest are deleted.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: Arc<Path>,
    /// Which directory it was when it was opened.
    identity: (u64, u64),
    key: Key,
}

/// Why a directory keeps no code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// It is not there and cannot be made, or it is no directory.
    #[error("the directory for compiled code, {}, cannot be used", directory.display())]
    Unusable {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It belongs to somebody else.
    #[error(
        "the directory for compiled code, {}, belongs to user {owner}, and this host runs as user {user}: its owner could make this host run code. Name a directory of your own with --cache DIR",
        directory.display()
    )]
    Foreign {
        /// The directory.
        directory: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who runs this host.
        user: u32,
    },
    /// Others may write to it.
    #[error(
        "the directory for compiled code, {}, has mode {mode:03o}: others may write to it, and could make this host run code. Take that right away (chmod 700 {}), or name another directory with --cache DIR",
        directory.display(),
        directory.display()
    )]
    Open {
        /// The directory.
        directory: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Its key is missing and cannot be made, or is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl CacheError {
    /// Whether somebody may have meddled with it: then a start without it would hide that.
    pub fn is_unsafe(&self) -> bool {
        match self {
            Self::Unusable { .. } => false,
            Self::Foreign { .. } | Self::Open { .. } => true,
            Self::Key(error) => matches!(error, KeyError::Open { .. } | KeyError::Foreign { .. }),
        }
    }
}

impl Cache {
    /// Opens a directory, with mode 700 where it is not there yet, and the key in it, which is made where there is none.
    ///
    /// # Errors
    ///
    /// Where it cannot be made, others may write to it, or it belongs to somebody else.
    pub fn open(directory: &Path) -> Result<Self, CacheError> {
        let identity = check(directory)?;
        let key = Key::read_or_make(&directory.join(KEY))?;
        Ok(Self { directory: directory.into(), identity, key })
    }

    /// Opens a directory for code that is signed with a key of one's own.
    ///
    /// # Errors
    ///
    /// As for [`Cache::open`].
    pub fn open_with(directory: &Path, key: Key) -> Result<Self, CacheError> {
        Ok(Self { identity: check(directory)?, directory: directory.into(), key })
    }

    /// The directory of this user: `host-runner` in `$XDG_CACHE_HOME` or `~/.cache`. `None` where there is no home.
    pub fn of_user() -> Option<PathBuf> {
        directory_of_user()
    }

    /// The key that its entries are signed with.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The code of a component, by its digest and the fingerprint of the engine, if it is here and sound. A damaged entry
    /// is told of, and taken for missing.
    pub(crate) fn find(&self, component: &str, fingerprint: &str) -> Option<Compiled> {
        let path = self.entry(component, fingerprint);
        let mut file = match open_file(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!("compiled code cannot be read from {}: {error}", path.display());
                return None;
            }
        };
        match Compiled::read(&mut file, &self.key) {
            // Where a file was renamed, its content does not fit its name.
            Ok(compiled) if compiled.facts.digest == component => {
                // When it was last used: only for what is deleted first.
                let _ = file.set_modified(SystemTime::now());
                tracing::debug!("compiled code comes from {}", path.display());
                Some(compiled)
            }
            Ok(_) => {
                tell_of_damage(&path, "it is the code of something else");
                None
            }
            Err(error) => {
                tell_of_damage(&path, &error.to_string());
                None
            }
        }
    }

    /// Where the code of a component is.
    fn entry(&self, component: &str, fingerprint: &str) -> PathBuf {
        let name =
            blake3::Hasher::new().update(component.as_bytes()).update(fingerprint.as_bytes()).finalize();
        self.directory.join(name.to_hex().as_str()).with_extension(EXTENSION)
    }

    /// Keeps code. Where that fails (a full disk, a directory that cannot be written to) it is told, and nothing is kept.
    pub(crate) fn keep(&self, fingerprint: &str, facts: &Facts, code: &[u8]) {
        let path = self.entry(&facts.digest, fingerprint);
        // Somebody may have put a link in its place, to another directory that this user may write to.
        if !check(&self.directory).is_ok_and(|identity| identity == self.identity) {
            tracing::warn!(
                "compiled code is not kept: {} is not the directory any more that it was at the start",
                self.directory.display()
            );
            return;
        }
        self.make_room(code.len() as u64);
        if let Err(error) = write_whole(&path, 0o600, |file| entry::write(file, &self.key, facts, code)) {
            tracing::warn!(
                "compiled code is not kept: {} cannot be written: {error}. The next start compiles again",
                path.display()
            );
        }
    }

    /// Deletes what was not used for longest until there is room, and what nobody finished. Another process may be at it
    /// too: a file that is gone already is no error.
    fn make_room(&self, wanted: u64) {
        let Ok(listed) = fs::read_dir(&self.directory) else { return };
        let mut entries = Vec::new();
        for file in listed.flatten() {
            let Ok(metadata) = file.metadata() else { continue };
            let Ok(used) = metadata.modified() else { continue };
            let (path, name) = (file.path(), file.file_name());
            if name.to_string_lossy().starts_with(UNFINISHED) {
                if used.elapsed().is_ok_and(|age| age > ABANDONED) {
                    let _ = fs::remove_file(path);
                }
            } else if path.extension().is_some_and(|extension| extension == EXTENSION) {
                entries.push((used, metadata.len(), path));
            }
        }
        entries.sort_unstable();
        let mut kept = entries.iter().map(|(_, length, _)| length).sum::<u64>().saturating_add(wanted);
        for (_, length, path) in entries {
            if kept <= MOST_KEPT {
                break;
            }
            let _ = fs::remove_file(path);
            kept = kept.saturating_sub(length);
        }
    }
}

fn tell_of_damage(path: &Path, reason: &str) {
    tracing::warn!("compiled code in {} is not used: {reason}. It is compiled anew", path.display());
}

/// Writes a file under its name when it is whole and on disk, with this mode as far as the user's mask allows it.
pub(crate) fn write_whole(
    path: &Path,
    mode: u32,
    content: impl FnOnce(&mut io::BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let directory =
        path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let permissions = fs::Permissions::from_mode(mode);
    let new = tempfile::Builder::new().prefix(UNFINISHED).permissions(permissions).tempfile_in(directory)?;
    let mut writer = io::BufWriter::new(new.as_file());
    content(&mut writer)?;
    writer.flush()?;
    drop(writer);
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Makes the directory, or makes sure that it is one that only its owner writes to, and which nobody else has put in its place.
/// Returns which directory it is.
fn check(directory: &Path) -> Result<(u64, u64), CacheError> {
    let unusable = |source| CacheError::Unusable { directory: directory.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(unusable)?;
    let metadata = fs::metadata(directory).map_err(unusable)?;
    let mode = metadata.mode() & 0o777;
    let user = rustix::process::geteuid().as_raw();
    // Where it is a link, whoever made that chose the directory.
    for owner in [fs::symlink_metadata(directory).map_err(unusable)?.uid(), metadata.uid()] {
        if owner != user && owner != 0 {
            return Err(CacheError::Foreign { directory: directory.to_owned(), owner, user });
        }
    }
    if mode & 0o022 != 0 {
        return Err(CacheError::Open { directory: directory.to_owned(), mode });
    }
    Ok((metadata.dev(), metadata.ino()))
}
