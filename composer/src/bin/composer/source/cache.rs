//! What was pulled from registries, kept by digest.
//!
//! The directory is laid out as `blobs/sha256/DIGITS`, like the blobs of an OCI image layout. A file gets its name once
//! it is whole, and its digest is computed again whenever it is used: whatever happened to it since is noticed.

use std::path::PathBuf;

use composer::lock::Digest;
use directories_next::ProjectDirs;

use crate::failure::{Exit, Failure};
use crate::files;

/// The cache.
#[derive(Debug)]
pub struct Cache(PathBuf);

impl Cache {
    /// The cache in this directory, or else the user's.
    pub fn at(directory: Option<PathBuf>) -> Result<Self, Failure> {
        let directory =
            directory.or_else(|| Some(ProjectDirs::from("", "", "composer")?.cache_dir().to_owned()));
        directory.map(Cache).ok_or_else(|| {
            Failure::new(Exit::Usage, "there is no home directory to keep a cache in")
                .help("`--cache DIR` says where components from registries are kept")
        })
    }

    fn place(&self, digest: Digest) -> PathBuf {
        self.0.join("blobs").join("sha256").join(digest.hex())
    }

    /// What has this digest, if it is there. What is there and has another one is refused by name: somebody may want
    /// to know who changed it.
    pub fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, Failure> {
        let place = self.place(digest);
        if !place.exists() {
            return Ok(None);
        }
        let bytes = files::read(&place)?;
        let found = Digest::of(&bytes);
        if found != digest {
            let message = format!(
                "`{}` is not what was pulled: it should be {digest}, and is {found}",
                place.display()
            );
            return Err(Failure::new(Exit::Input, message)
                .help("it was changed after it was put there; once it is deleted, it is pulled anew"));
        }
        Ok(Some(bytes))
    }

    /// Keeps what has this digest. Where that cannot be done, this run goes on without, and says so.
    pub fn put(&self, digest: Digest, bytes: &[u8]) {
        if let Err(failure) = files::write(&self.place(digest), bytes) {
            files::say("note: what was pulled is used, but not kept for the next time:");
            files::say(failure.render().trim_end());
        }
    }
}
