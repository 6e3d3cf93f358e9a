//! When something need not be built again.
//!
//! All that goes into a product is hashed into a key: the sources by path and content, contracts, flags, versions of
//! tools. The key is kept in a file beside the product, with the digest of the product itself, so that a
//! product that was damaged or put there by somebody else is made anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ignore::WalkBuilder;
use sha2::{Digest, Sha256};

use super::step::StepError;
use crate::failure::Failure;
use crate::files;

/// A hash of inputs, in the making.
#[derive(Clone)]
pub struct Key(Sha256);

impl Key {
    /// A key for this kind of product. It has the version of this program in it, and those of the libraries that
    /// it was built with: they encode what it writes.
    pub fn new(kind: &str) -> Self {
        let mut key = Key(Sha256::new());
        key.add("kind", kind);
        key.add("composer", concat!(env!("CARGO_PKG_VERSION"), " recipes 1"));
        key.add("libraries", include_bytes!("../../../../../Cargo.lock"));
        key
    }

    /// Adds a named value. Lengths go in too, so that no two lists of values look alike.
    pub fn add(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        for bytes in [name.as_bytes(), value] {
            self.0.update((bytes.len() as u64).to_le_bytes());
            self.0.update(bytes);
        }
    }

    /// Adds a file where it exists.
    pub fn add_file(&mut self, name: &str, path: &Path) -> Result<(), StepError> {
        match fs::read(path) {
            Ok(content) => self.add(name, content),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.add(name, "missing"),
            Err(error) => return Err(StepError::Read { path: path.to_owned(), source: error.into() }),
        }
        Ok(())
    }

    /// Adds all files below a directory that are sources, but for one directly in it.
    pub fn add_directory(
        &mut self,
        name: &str,
        directory: &Path,
        but: Option<&str>,
    ) -> Result<(), StepError> {
        let but = but.map(|but| directory.join(but));
        for path in sources(directory)?.into_iter().filter(|path| Some(path) != but.as_ref()) {
            let shown = path.strip_prefix(directory).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            self.add_file(&format!("{name}/{shown}"), &path)?;
        }
        Ok(())
    }

    /// The key.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// The files below a directory that are sources, in order: neither hidden, nor ignored by Git, nor tests, nor what tools leave
/// behind. Tests do not go into a product. Further down a directory called `tests` may well be a module, and what a user's
/// own settings make Git ignore must not decide what is built.
pub fn sources(directory: &Path) -> Result<Vec<PathBuf>, StepError> {
    const NOT_ON_TOP: [&str; 4] = ["tests", "test", "benches", "target"];
    const NOWHERE: [&str; 2] = ["node_modules", "__pycache__"];
    let walk = WalkBuilder::new(directory)
        .require_git(false)
        .git_global(false)
        .git_exclude(false)
        .filter_entry(|entry| {
            let directory = entry.file_type().is_some_and(|kind| kind.is_dir());
            let called = |names: &[&str]| names.iter().any(|name| entry.file_name() == *name);
            !directory
                || match entry.depth() {
                    0 => true,
                    1 => !called(&NOT_ON_TOP) && !called(&NOWHERE),
                    _ => !called(&NOWHERE),
                }
        })
        .sort_by_file_name(Ord::cmp)
        .build();
    let mut paths = Vec::new();
    for entry in walk {
        let entry =
            entry.map_err(|error| StepError::Read { path: directory.to_owned(), source: error.into() })?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            paths.push(entry.into_path());
        }
    }
    Ok(paths)
}

/// What is kept beside a product.
pub struct Stamp {
    /// The key of the inputs it was made of.
    pub key: String,
    /// The digest of the product.
    pub digest: String,
}

impl Stamp {
    /// The stamp of a product, if it has one and is still the one that was stamped.
    pub fn of(product: &Path) -> Option<Stamp> {
        let text = fs::read_to_string(beside(product)).ok()?;
        let mut lines = text.lines();
        let (key, digest, state) = (lines.next()?, lines.next()?, lines.next()?);
        // Hashing tens of megabytes takes longer than all the rest, so it is done only where the file looks touched.
        let same = state_of(product).is_some_and(|now| now == state)
            || fs::read(product).is_ok_and(|bytes| digest_of(&bytes) == digest);
        same.then(|| Stamp { key: key.to_owned(), digest: digest.to_owned() })
    }

    /// Puts a product in place, and then its stamp.
    pub fn write(product: &Path, key: &str, bytes: &[u8]) -> Result<(), Failure> {
        files::write(product, bytes)?;
        let state = state_of(product).unwrap_or_default();
        files::write(&beside(product), format!("{key}\n{}\n{state}\n", digest_of(bytes)).as_bytes())
    }
}

fn beside(product: &Path) -> PathBuf {
    product.with_extension("key")
}

/// Length and time of the last change: enough to see that a file was not touched.
fn state_of(product: &Path) -> Option<String> {
    let metadata = fs::metadata(product).ok()?;
    let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} {}", metadata.len(), changed.as_nanos()))
}

fn digest_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Key, Stamp, beside, sources};

    #[test]
    fn a_key_tells_names_from_values() {
        let key = |pairs: &[(&str, &str)]| {
            let mut key = Key::new("test");
            for (name, value) in pairs {
                key.add(name, value);
            }
            key.finish()
        };
        assert_eq!(key(&[("a", "b")]), key(&[("a", "b")]));
        assert_ne!(key(&[("a", "b")]), key(&[("ab", "")]));
        assert_ne!(key(&[("a", "b"), ("c", "d")]), key(&[("c", "d"), ("a", "b")]));
    }

    #[test]
    fn tests_and_ignored_files_are_no_sources() {
        let directory = tempfile::tempdir().expect("a directory");
        for name in [
            "src/a.rs",
            "src/b/c.rs",
            "src/target/mod.rs",
            "tests/t.rs",
            ".hidden",
            "made.tmp",
            "app.py",
            "src/__pycache__/x",
        ] {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
            fs::write(path, name).expect("a file");
        }
        fs::write(directory.path().join(".gitignore"), "*.tmp\n").expect("a file");
        let found = sources(directory.path()).expect("it can be read");
        let names: Vec<_> =
            found.iter().map(|path| path.strip_prefix(directory.path()).expect("inside")).collect();
        let expected = ["app.py", "src/a.rs", "src/b/c.rs", "src/target/mod.rs"];
        assert_eq!(names, expected.map(std::path::Path::new));
    }

    #[test]
    fn a_product_that_was_changed_has_no_stamp() {
        let directory = tempfile::tempdir().expect("a directory");
        let product = directory.path().join("x.wasm");
        assert!(Stamp::of(&product).is_none());
        Stamp::write(&product, "key", b"product").expect("it can be written");
        assert_eq!(Stamp::of(&product).expect("a stamp").key, "key");
        fs::write(&product, b"changed").expect("it can be written");
        assert!(Stamp::of(&product).is_none());
        fs::write(&product, b"product").expect("it can be written");
        assert_eq!(Stamp::of(&product).expect("the same bytes again").key, "key");
        fs::remove_file(beside(&product)).expect("it is there");
        assert!(Stamp::of(&product).is_none());
    }
}
