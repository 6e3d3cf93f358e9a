//! Keeps two builds of one project apart.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use crate::failure::{Exit, Failure};
use crate::files::say;

/// Held for as long as it lives. The system lets go of it when the process ends, however that happens.
pub struct Lock(#[allow(dead_code, reason = "it is held, not used")] File);

/// Waits until no other build uses this directory, and keeps others from it.
pub fn hold(out: &Path) -> Result<Lock, Failure> {
    let path = out.join("build.lock");
    let fail = |error: std::io::Error| {
        Failure::because(Exit::Cannot, format!("cannot lock `{}`", path.display()), error)
    };
    fs::create_dir_all(out).map_err(fail)?;
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say(&format!("waiting for another build that uses `{}`", out.display()));
            file.lock().map_err(fail)?;
        }
        Err(TryLockError::Error(error)) => return Err(fail(error)),
    }
    Ok(Lock(file))
}
