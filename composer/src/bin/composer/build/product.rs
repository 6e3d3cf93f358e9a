//! What became of each product, for programs.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

/// What became of a product.
pub struct Product {
    /// Its name.
    pub name: String,
    /// The language of a component. None: it is a composition.
    pub language: Option<String>,
    /// Where it is, once it is made.
    pub file: PathBuf,
    /// How the attempt at it ended. None: there was none, since parts are missing.
    pub ended: Option<Ended>,
}

/// How an attempt at a product ended.
pub struct Ended {
    /// What was done, in a word: `built`, `composed`, `unchanged`, `failed`.
    pub verb: &'static str,
    /// How long it took.
    pub took: Duration,
    /// Why it failed, for programs.
    pub error: Option<Value>,
}

impl Ended {
    /// Whether it ended well.
    pub fn well(&self) -> bool {
        self.error.is_none()
    }
}

impl Product {
    /// What there is to say of it. The bytes are those that are there now.
    pub fn told(&self) -> Value {
        let ended = self.ended.as_ref();
        json!({
            "name": self.name,
            "kind": if self.language.is_some() { "component" } else { "composition" },
            "language": self.language,
            "status": ended.map_or("left", |ended| ended.verb),
            "seconds": ended.map(|ended| ended.took.as_secs_f64()),
            "file": self.file.display().to_string(),
            "bytes": fs::metadata(&self.file).ok().map(|found| found.len()),
            "error": ended.and_then(|ended| ended.error.as_ref()),
        })
    }
}
