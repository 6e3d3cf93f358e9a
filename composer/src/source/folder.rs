//! Folders as inputs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anatomy::ReadError;
use composer::lock::Digest;
use ignore::WalkBuilder;

use crate::failure::{Exit, Failure};
use crate::files;

fn cannot_read(folder: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::because(Exit::Input, format!("cannot read the folder `{}`", folder.display()), error)
}

/// The components in a folder, by name: its files that end in `.wasm`, but not those of folders in it. Core modules
/// are left out, and said so; what cannot be read at all is for the one who reads it to refuse.
pub fn components(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| cannot_read(folder, error))? {
        let path = entry.map_err(|error| cannot_read(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    let mut components = Vec::with_capacity(found.len());
    for path in found {
        match anatomy::read(&files::read(&path)?) {
            Err(ReadError::CoreModule) => {
                files::say(&format!("note: `{}` is a core module, not a component: left out", path.display()))
            }
            _ => components.push(path),
        }
    }
    if components.is_empty() {
        return Err(Failure::new(
            Exit::Input,
            format!("there is no component in the folder `{}`", folder.display()),
        )
        .help(
            "of a folder, the files in it that end in `.wasm` are taken; folders in it are not looked at",
        ));
    }
    Ok(components)
}

/// A digest of all files below a folder, hidden ones and ignored ones left out: that of a list with a line for each,
/// sorted by path, as `sha256sum` writes them.
pub fn digest(folder: &Path) -> Result<Digest, Failure> {
    let mut lines = Vec::new();
    for entry in WalkBuilder::new(folder).require_git(false).git_global(false).git_exclude(false).build() {
        let entry = entry.map_err(|error| cannot_read(folder, error))?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            let inside = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let name = inside.to_str().ok_or_else(|| {
                cannot_read(
                    folder,
                    io::Error::other(format!("the name of `{}` is not UTF-8", inside.display())),
                )
            })?;
            let digest = Digest::of(&files::read(entry.path())?);
            lines.push((name.replace('\\', "/"), digest.hex()));
        }
    }
    lines.sort();
    let list: String = lines.into_iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
    Ok(Digest::of(list.as_bytes()))
}
