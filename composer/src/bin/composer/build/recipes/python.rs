//! Python, with componentize-py: the interpreter, and a snapshot of the program's first moments.
//!
//! The interpreter that runs at build time writes its caches beside the sources, so it gets a copy of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Site, make_directory, read, sign};
use crate::build::key::sources;
use crate::build::step::StepError;
use crate::build::tools::run;

/// Builds the component.
pub fn make(site: &Site<'_>) -> Result<Vec<u8>, StepError> {
    let version = site.tools.python_package("componentize_py")?;
    let copy = site.workshop("source")?;
    copy_sources(&site.directory(), &copy)?;
    let product = site.workshop("product")?.join("component.wasm");
    let entry = site.component.entry.with_extension("");
    let module =
        entry.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join(".");
    let mut python = Command::new(site.tools.python("componentize-py")?);
    python.arg("-B").arg(site.tools.python_script("componentize-py")?);
    python.args(["-q", "-d"]).arg(site.project.wit()).arg("-w").arg(site.world()?);
    python.arg("componentize");
    if !site.component.wasi {
        python.arg("--stub-wasi");
    }
    python.args(["-p", ".", &module, "-o"]).arg(&product).current_dir(&copy);
    // Neither a stranger's packages nor the tool's own stack belong here.
    python
        .env_remove("VIRTUAL_ENV")
        .env_remove("PYTHONPATH")
        .env_remove("PYTHONHOME")
        .env("RUST_BACKTRACE", "0");
    python.env("TMPDIR", site.workshop("tmp")?);
    // It keeps compiled code between builds where its user's caches are: HOME decides on macOS, XDG_CACHE_HOME elsewhere.
    let cache = site.project.out().join("build").join("python-cache");
    make_directory(&cache)?;
    python.env("HOME", &cache).env("XDG_CACHE_HOME", &cache);
    run(python, "componentize-py", "Python", "")?;
    sign(&read(&product)?, "Python", "componentize-py", version)
}

/// Copies the Python files of the component into an empty directory.
fn copy_sources(from: &Path, to: &Path) -> Result<(), StepError> {
    let fail = |error: std::io::Error| StepError::Read { path: to.to_owned(), source: error.into() };
    fs::remove_dir_all(to).map_err(fail)?;
    make_directory(to)?;
    for path in sources(from)? {
        if path.extension().is_some_and(|extension| extension == "py") {
            let target = to.join(path.strip_prefix(from).unwrap_or(&path));
            if let Some(directory) = target.parent() {
                make_directory(directory)?;
            }
            fs::copy(&path, &target).map_err(|error| StepError::Read { path, source: error.into() })?;
        }
    }
    Ok(())
}
