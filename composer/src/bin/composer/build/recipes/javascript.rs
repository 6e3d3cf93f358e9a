//! JavaScript, with componentize-js: the engine, and a snapshot of the program's first moments.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Site, make_directory, read};
use crate::build::step::StepError;
use crate::build::tools::{NODE, run};
use crate::failure::{Exit, Failure};

const PACKAGE: &str = "@bytecodealliance/componentize-js";

/// What is installed. The engine is part of the package, so its version says all.
pub fn version(site: &Site<'_>) -> Result<Vec<u8>, StepError> {
    read(&site.tools.node_module(&format!("{PACKAGE}/package.json"))?)
}

/// Builds the component. The paths of the machine end up in the product, so it is not the same everywhere.
pub fn make(site: &Site<'_>) -> Result<Vec<u8>, StepError> {
    let tool = site.tools.node_module(&format!("{PACKAGE}/src/cli.js"))?;
    let temporary = site.workshop("tmp")?;
    no_blanks(&[&temporary, &site.directory()])?;
    let product = site.workshop("product")?.join("component.wasm");
    remove(&product)?;
    let mut node = Command::new("node");
    node.arg(tool).arg(&site.component.entry).arg("--wit").arg(site.project.wit());
    node.arg("--world-name").arg(site.world()?);
    if !site.component.disable.is_empty() {
        node.arg("--disable").args(&site.component.disable);
    }
    // Modules are found below the directory that the tool runs in.
    node.arg("-o").arg(&product).current_dir(site.directory());
    node.env("TMPDIR", &temporary).env_remove("NODE_OPTIONS").env("NO_COLOR", "1");
    run(node, "componentize-js", "`node`, in which componentize-js runs,", NODE)?;
    read(&product)
}

/// The tool hands paths to its engine in one line, and that splits it at blanks.
fn no_blanks(paths: &[&Path]) -> Result<(), StepError> {
    let Some(path) = paths.iter().find(|path| path.to_string_lossy().contains(char::is_whitespace)) else {
        return Ok(());
    };
    let message =
        format!("componentize-js cannot work in `{}`: there is a blank in the path", path.display());
    Err(Failure::new(Exit::Cannot, message).help("have the project in a directory without one").into())
}

fn remove(path: &Path) -> Result<(), StepError> {
    if let Some(directory) = path.parent() {
        make_directory(directory)?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StepError::Read { path: path.to_owned(), source: error.into() })
        }
        _ => Ok(()),
    }
}
