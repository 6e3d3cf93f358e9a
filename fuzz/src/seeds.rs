//! Corpora: files to begin with, and those that once broke something.

use std::io;
use std::path::{Path, PathBuf};

/// What stands between the components of an input that has several: no comment in WAT, and rare in binaries.
pub const SEPARATOR: &[u8] = b"\n;; ---\n";

/// The corpus of a target: the files in its directory, sorted by name.
///
/// # Errors
///
/// Where there is no such directory.
pub fn of(name: &str) -> io::Result<Vec<PathBuf>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        files.push(entry?.path());
    }
    files.sort();
    Ok(files)
}

/// The input that a file stands for: a `.wat` text is assembled, component by component, everything else is as it is.
///
/// # Errors
///
/// Where it cannot be read or assembled.
pub fn load(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = std::fs::read(path)?;
    if path.extension().is_none_or(|extension| extension != "wat") {
        return Ok(bytes);
    }
    let mut assembled: Vec<u8> = Vec::new();
    for (index, text) in components(&bytes).enumerate() {
        if index > 0 {
            assembled.extend(SEPARATOR);
        }
        let binary = wat::parse_bytes(text).map_err(|error| {
            io::Error::other(format!("component {} of {}: {error}", index + 1, path.display()))
        })?;
        assembled.extend(&*binary);
    }
    Ok(assembled)
}

/// The components of an input.
pub fn components(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut done = false;
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let at = data.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
        let found = &data[..at.unwrap_or(data.len())];
        match at {
            Some(at) => data = &data[at + SEPARATOR.len()..],
            None => done = true,
        }
        Some(found)
    })
}

/// Writes the corpus of a target to a directory as inputs, for libFuzzer to begin with.
///
/// # Errors
///
/// Where something cannot be read, assembled or written.
pub fn assemble(name: &str, directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    for path in of(name)? {
        let Some(file) = path.file_name() else { continue };
        std::fs::write(directory.join(file), load(&path)?)?;
    }
    Ok(())
}
