//! The lock, and the files that were fetched by it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

pub struct Corpus {
    pub entries: Vec<Entry>,
}

/// A component, and where it comes from.
pub struct Entry {
    pub name: String,
    pub file: PathBuf,
    pub bytes: Vec<u8>,
    pub sha256: String,
    pub what: String,
    pub registry: String,
    pub package: String,
    pub version: String,
    pub license: String,
}

#[derive(Deserialize)]
struct Lock {
    archive: Vec<Archive>,
}

#[derive(Deserialize)]
struct Archive {
    registry: String,
    package: String,
    version: String,
    license: String,
    #[serde(default)]
    component: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    name: String,
    sha256: String,
    what: String,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn lock() -> Vec<Archive> {
    let text =
        fs::read_to_string(root().join("tests/third-party/components.lock")).expect("the lock is there");
    toml::from_str::<Lock>(&text).expect("the lock can be read").archive
}

/// The names of all of them, in the order of the lock.
pub fn names() -> Vec<String> {
    lock().into_iter().flat_map(|archive| archive.component).map(|component| component.name).collect()
}

/// Reads those of the lock whose names are wanted.
fn read(wanted: impl Fn(&str) -> bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    for archive in lock() {
        for Component { name, sha256, what } in archive.component.into_iter().filter(|it| wanted(&it.name)) {
            let file = root().join("target/third-party").join(format!("{name}.wasm"));
            let bytes = fs::read(&file).unwrap_or_else(|error| {
                panic!(
                    "target/third-party/{name}.wasm: {error}: `python3 tools/third_party.py fetch` gets it"
                )
            });
            let file = fs::canonicalize(file).expect("it was read");
            let [registry, package, version, license] =
                [&archive.registry, &archive.package, &archive.version, &archive.license].map(String::clone);
            entries.push(Entry { name, file, bytes, sha256, what, registry, package, version, license });
        }
    }
    entries
}

impl Corpus {
    /// All of it.
    pub fn read() -> Self {
        Corpus { entries: read(|_| true) }
    }

    /// Those that are components by today's rules.
    pub fn valid(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| super::refused::reason(&entry.name, "check").is_none())
    }

    pub fn entry(&self, name: &str) -> &Entry {
        self.entries.iter().find(|entry| entry.name == name).expect("it is in the lock")
    }
}

impl Entry {
    /// The one of this name.
    pub fn read(name: &str) -> Self {
        read(|other| other == name).pop().expect("it is in the lock")
    }

    pub fn path(&self) -> &str {
        self.file.to_str().expect("the path is text")
    }
}

pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn every_file_is_the_locked_one(corpus: &Corpus) {
    for entry in &corpus.entries {
        assert_eq!(digest(&entry.bytes), entry.sha256, "{}", entry.name);
    }
    assert!(corpus.valid().count() >= 15, "{} of them are components", corpus.valid().count());
}
