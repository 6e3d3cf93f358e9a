//! WIT packages on disk: a directory with those beside it in `deps`, or a single file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use contract::{self, Texts};
use wit_parser::{PackageId, Resolve};

use crate::failure::Failure;
use crate::files;

/// What was read of a WIT package and those beside it.
pub struct WitDirectory {
    main: Main,
    /// The packages of `deps` that are texts.
    beside: Vec<Texts>,
    /// The packages of `deps` that are in binary form.
    encoded: Vec<PathBuf>,
}

enum Main {
    Texts(Texts),
    Encoded(PathBuf),
}

impl WitDirectory {
    /// Reads a directory or a file. `fail` is for what [`contract::guard`] refuses.
    pub fn read(wit: &Path, fail: &dyn Fn(anyhow::Error) -> Failure) -> Result<Self, Failure> {
        let add = |texts: &mut Texts, path: &Path, bytes: Vec<u8>| {
            let (name, text) = (path.display().to_string(), files::text(path, bytes)?);
            contract::guard(&name, &text).map_err(|error| fail(error.into()))?;
            texts.add(name, text);
            Ok::<(), Failure>(())
        };
        let add_all = |texts: &mut Texts, directory: &Path| {
            texts_in(directory, fail)?.iter().try_for_each(|path| add(texts, path, files::read(path)?))
        };
        let mut main = Texts::default();
        let (mut beside, mut encoded) = (Vec::new(), Vec::new());
        if !wit.is_dir() {
            let bytes = files::read(wit)?;
            if is_encoded(wit, &bytes) {
                return Ok(WitDirectory { main: Main::Encoded(wit.to_owned()), beside, encoded });
            }
            add(&mut main, wit, bytes)?;
            return Ok(WitDirectory { main: Main::Texts(main), beside, encoded });
        }
        add_all(&mut main, wit)?;
        let deps = wit.join("deps");
        let entries = if deps.exists() { entries(&deps, fail)? } else { Vec::new() };
        for path in entries {
            let mut texts = Texts::default();
            if path.is_dir() {
                add_all(&mut texts, &path)?;
            } else if has_suffix(&path, &["wit", "wat", "wasm"]) {
                let bytes = files::read(&path)?;
                if is_encoded(&path, &bytes) {
                    encoded.push(path);
                    continue;
                }
                add(&mut texts, &path, bytes)?;
            } else {
                continue;
            }
            if texts.is_empty() {
                return Err(fail(anyhow!("there is no WIT in `{}`", path.display())));
            }
            beside.push(texts);
        }
        Ok(WitDirectory { main: Main::Texts(main), beside, encoded })
    }

    /// Adds the packages to a set, as [`Contracts::load`](contract::Contracts::load) asks for it.
    pub fn push(&self, resolve: &mut Resolve, whole: Option<&Resolve>) -> anyhow::Result<PackageId> {
        let mut encoded = |path: &Path| {
            resolve
                .push_file(path)
                .with_context(|| format!("cannot read the package in `{}`", path.display()))
        };
        for path in &self.encoded {
            encoded(path)?;
        }
        match &self.main {
            Main::Encoded(path) => encoded(path),
            Main::Texts(texts) => contract::push(resolve, texts, &self.beside, whole),
        }
    }
}

/// Whether a file is a package in binary form, or in the text form of that.
fn is_encoded(path: &Path, bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm") || has_suffix(path, &["wat"])
}

fn has_suffix(path: &Path, suffixes: &[&str]) -> bool {
    path.extension().is_some_and(|suffix| suffixes.iter().any(|one| suffix == *one))
}

/// The `.wit` files of a directory, in the order of their names.
fn texts_in(directory: &Path, fail: &dyn Fn(anyhow::Error) -> Failure) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = entries(directory, fail)?;
    paths.retain(|path| !path.is_dir() && has_suffix(path, &["wit"]));
    Ok(paths)
}

fn entries(directory: &Path, fail: &dyn Fn(anyhow::Error) -> Failure) -> Result<Vec<PathBuf>, Failure> {
    let listed = fs::read_dir(directory).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    let failed = |error| fail(anyhow!("cannot list `{}`: {error}", directory.display()));
    let mut paths = listed.map_err(failed)?;
    paths.sort();
    Ok(paths)
}
