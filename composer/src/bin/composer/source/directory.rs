//! The digest of a directory.

use std::io;
use std::path::Path;

use composer::lock::Digest;
use ignore::WalkBuilder;

use crate::failure::{Exit, Failure};
use crate::files;

fn cannot_read(directory: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::because(Exit::Input, format!("cannot read the directory `{}`", directory.display()), error)
}

/// A digest of all files below a directory, hidden ones and ignored ones left out: that of a list with a line for each,
/// sorted by path, as `sha256sum` writes them.
pub fn digest(directory: &Path) -> Result<Digest, Failure> {
    let mut lines = Vec::new();
    for entry in WalkBuilder::new(directory).require_git(false).git_global(false).git_exclude(false).build() {
        let entry = entry.map_err(|error| cannot_read(directory, error))?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            let inside = entry.path().strip_prefix(directory).unwrap_or(entry.path());
            let name = inside.to_str().ok_or_else(|| {
                cannot_read(
                    directory,
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
