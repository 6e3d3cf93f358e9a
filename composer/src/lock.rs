//! `interlock.lock`: what each composition was made of, by source and digest.
//!
//! ```
//! use composer::lock::{Difference, Digest, Entry, Lock, differences, format, parse};
//!
//! let greeter = Entry {
//!     package: Some("parts:greeter".to_owned()),
//!     source: "oci://registry.example/greeter:1.0".to_owned(),
//!     manifest: Some(Digest::of(b"what the registry says about it")),
//!     digest: Digest::of(b"the component"),
//! };
//! let mut lock = Lock::default();
//! lock.compositions.insert("whole.wasm".to_owned(), vec![greeter.clone()]);
//! assert_eq!(parse("interlock.lock", &format(&lock))?, lock);
//!
//! // The tag was moved: the same source, other content.
//! let found = Entry { digest: Digest::of(b"another component"), ..greeter.clone() };
//! let found = [found.clone()];
//! assert_eq!(
//!     differences(&lock.compositions["whole.wasm"], &found),
//!     [Difference::Changed { locked: greeter, found: found[0].clone() }]
//! );
//! # Ok::<(), composer::TomlError>(())
//! ```
//!
//! The file is TOML. A composition is known by its output, an input by the package it is given for, where there is
//! one, and by its source; paths are relative to the directory of the lock, with `/` between directories. Everything is
//! sorted, so that the same inputs give the same text. Unknown keys are refused: a later version of the file may
//! promise more than this one can hold.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use toml::Spanned;

use crate::TomlError;

/// The name of the file.
pub const FILE: &str = "interlock.lock";

/// The name that it had before.
pub const OLD_FILE: &str = "composer.lock";

/// The version of its form.
const VERSION: i64 = 1;

/// The longest text that is read, in bytes: room for tens of thousands of inputs.
pub const LONGEST: usize = 8 << 20;

/// How the file begins.
const OURS: &str = "# Written by composer: the inputs of each composition, and the digests they had.";

const MORE: &str = "\
# Keep it with the sources: `composer compose --locked` takes these inputs and no others.
";

/// A SHA-256 digest. As text it is `sha256:` and 64 hexadecimal digits, as registries write it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Digest(Sha256::digest(bytes).into())
    }

    /// The 64 digits alone.
    #[must_use]
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not `sha256:` and 64 hexadecimal digits in lower case")]
pub struct NoDigest(String);

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || NoDigest(text.chars().take(80).collect());
        let digits = text.strip_prefix("sha256:").ok_or_else(fail)?.as_bytes();
        if digits.len() != 64 {
            return Err(fail());
        }
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(fail()),
        };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Ok(Digest(bytes))
    }
}

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// The inputs of each composition, by its output.
    pub compositions: BTreeMap<String, Vec<Entry>>,
}

/// An input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The package that it was given for, if it was given for one.
    pub package: Option<String>,
    /// Where it came from: a path, or an OCI reference with `oci://` before it.
    pub source: String,
    /// For an OCI reference, the digest of the manifest that it led to.
    pub manifest: Option<Digest>,
    /// The digest of the input itself.
    pub digest: Digest,
}

impl Entry {
    /// What an input is known by. Two entries with the same key are one input at two times.
    #[must_use]
    pub fn key(&self) -> (Option<&str>, &str) {
        (self.package.as_deref(), &self.source)
    }

    /// What it is called in messages: by all of its key.
    fn title(&self) -> String {
        match &self.package {
            Some(package) => format!("`{}` as `{package}`", self.source),
            None => format!("`{}`", self.source),
        }
    }
}

/// How inputs differ from those of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// An input is not what it was.
    Changed {
        /// What the lock says.
        locked: Entry,
        /// What there is.
        found: Entry,
    },
    /// An input is not in the lock.
    New(Entry),
    /// The lock has an input that is not used.
    Gone(Entry),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Changed { locked, found } if locked.digest == found.digest => {
                // The same component in another wrapping.
                let manifest = |entry: &Entry| match entry.manifest {
                    Some(digest) => format!("manifest {digest}"),
                    None => "no manifest".to_owned(),
                };
                write!(
                    f,
                    "`{}` changed: locked {}, found {}",
                    found.source,
                    manifest(locked),
                    manifest(found)
                )
            }
            Difference::Changed { locked, found } => {
                write!(f, "`{}` changed: locked {}, found {}", found.source, locked.digest, found.digest)
            }
            Difference::New(entry) => {
                write!(f, "{} is not in the lock: found {}", entry.title(), entry.digest)
            }
            Difference::Gone(entry) => {
                let title = entry.title();
                write!(f, "{title} is in the lock and not among the inputs: locked {}", entry.digest)
            }
        }
    }
}

/// All differences, in the order of the inputs' keys. None where both are the same, in whatever order.
#[must_use]
pub fn differences(locked: &[Entry], found: &[Entry]) -> Vec<Difference> {
    let locked: BTreeMap<_, _> = locked.iter().map(|entry| (entry.key(), entry)).collect();
    let found: BTreeMap<_, _> = found.iter().map(|entry| (entry.key(), entry)).collect();
    let mut differences: BTreeMap<_, Difference> = BTreeMap::new();
    for (key, &entry) in &found {
        match locked.get(key) {
            Some(&locked) if locked == entry => {}
            Some(&locked) => {
                let changed = Difference::Changed { locked: locked.clone(), found: entry.clone() };
                differences.insert(*key, changed);
            }
            None => {
                differences.insert(*key, Difference::New(entry.clone()));
            }
        }
    }
    for (key, &entry) in locked.iter().filter(|(key, _)| !found.contains_key(*key)) {
        differences.insert(*key, Difference::Gone(entry.clone()));
    }
    differences.into_values().collect()
}

#[derive(Deserialize)]
struct Versioned {
    version: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    #[allow(dead_code, reason = "it was looked at before")]
    version: i64,
    #[serde(default)]
    composition: Vec<RawComposition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawComposition {
    output: Spanned<String>,
    #[serde(default)]
    input: Vec<RawInput>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInput {
    package: Option<String>,
    source: Spanned<String>,
    manifest: Option<Spanned<String>>,
    digest: Spanned<String>,
}

/// Reads `interlock.lock`: `name` is what the file is called in error messages.
///
/// # Errors
///
/// Where the text is longer than [`LONGEST`], is not TOML, is of another version, has unknown keys or lacks some,
/// has a digest that is none, or the same composition or input twice.
pub fn parse(name: &str, text: &str) -> Result<Lock, TomlError> {
    if text.len() > LONGEST {
        let message = format!("a lock of {} bytes is not read: the limit is {LONGEST}", text.len());
        return Err(TomlError::new(name, "", message, None, None));
    }
    let fail = |message: String, span: Option<Range<usize>>, help: Option<&str>| {
        TomlError::new(name, text, message, span, help)
    };
    let broken = |error: toml::de::Error| fail(error.message().to_owned(), error.span(), None);
    let version = toml::from_str::<Versioned>(text).map_err(broken)?.version;
    if *version.get_ref() != VERSION {
        let message = format!("version {} of the lock is not known", version.get_ref());
        let help = "it was written by another version of composer: use that one, or have the lock made anew";
        return Err(fail(message, Some(version.span()), Some(help)));
    }
    let raw: RawLock = toml::from_str(text).map_err(broken)?;
    let digest = |text: &Spanned<String>| {
        text.get_ref().parse::<Digest>().map_err(|error| fail(error.to_string(), Some(text.span()), None))
    };
    let mut lock = Lock::default();
    for composition in raw.composition {
        let mut entries = BTreeMap::new();
        for input in composition.input {
            let entry = Entry {
                package: input.package,
                source: input.source.get_ref().clone(),
                manifest: input.manifest.as_ref().map(digest).transpose()?,
                digest: digest(&input.digest)?,
            };
            let key = (entry.package.clone(), entry.source.clone());
            if entries.insert(key, entry).is_some() {
                let message = format!("`{}` is there twice", input.source.get_ref());
                return Err(fail(message, Some(input.source.span()), None));
            }
        }
        let span = composition.output.span();
        let output = composition.output.into_inner();
        if lock.compositions.contains_key(&output) {
            return Err(fail(format!("`{output}` is there twice"), Some(span), None));
        }
        lock.compositions.insert(output, entries.into_values().collect());
    }
    Ok(lock)
}

#[derive(Serialize)]
struct Written<'a> {
    version: i64,
    composition: Vec<WrittenComposition<'a>>,
}

#[derive(Serialize)]
struct WrittenComposition<'a> {
    output: &'a str,
    input: Vec<WrittenInput<'a>>,
}

#[derive(Serialize)]
struct WrittenInput<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<String>,
    digest: String,
}

/// The text of the file: the same for the same content, in whatever order the inputs are. Of inputs with the same
/// key, the last one counts.
#[must_use]
pub fn format(lock: &Lock) -> String {
    let composition = lock.compositions.iter().map(|(output, entries)| {
        let sorted: BTreeMap<_, _> = entries.iter().map(|entry| (entry.key(), entry)).collect();
        let input = sorted.into_values().map(|entry| WrittenInput {
            package: entry.package.as_deref(),
            source: &entry.source,
            manifest: entry.manifest.map(|digest| digest.to_string()),
            digest: entry.digest.to_string(),
        });
        WrittenComposition { output, input: input.collect() }
    });
    let written = Written { version: VERSION, composition: composition.collect() };
    let body = toml::to_string(&written).expect("strings and numbers always have a form in TOML");
    format!("{OURS}\n{MORE}{body}")
}
