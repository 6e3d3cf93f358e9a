//! Rust: Cargo builds a core module for `wasm32-unknown-unknown`, which asks the system for nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{Site, from_core};
use crate::build::key::Key;
use crate::build::step::StepError;
use crate::build::tools::{RUSTUP, run};

/// What guests are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "guest";

/// Builds the package in the component's directory.
pub fn make(site: &Site<'_>) -> Result<Vec<u8>, StepError> {
    let crate_ = Crate::read(&site.directory())?;
    let target = site.project.out().join("guests");
    let mut cargo = site.tools.cargo(&site.project.root);
    cargo.args([
        "build",
        "--quiet",
        "--color=never",
        "-p",
        &crate_.package,
        "--target",
        TARGET,
        "--profile",
        PROFILE,
    ]);
    cargo.arg("--manifest-path").arg(site.directory().join("Cargo.toml")).arg("--target-dir").arg(&target);
    run(cargo, "cargo build", "Rust's `cargo`", RUSTUP)?;
    from_core(&target.join(TARGET).join(PROFILE).join(format!("{}.wasm", crate_.library)))
}

/// The lock. Cargo writes it where it is missing, or does not have all that the manifests ask for; only that of the
/// workspace counts.
pub const LOCK: &str = "Cargo.lock";

/// The files of a workspace that decide how its crates are built, beside the lock.
const SHARED: [&str; 3] = ["Cargo.toml", "rust-toolchain.toml", ".cargo/config.toml"];

/// Adds the lock as it is now.
pub fn add_lock(site: &Site<'_>, key: &mut Key) -> Result<(), StepError> {
    key.add_file("workspace/lock", &workspace(&site.directory()).join(LOCK))
}

/// Adds what Cargo looks at outside the component's own directory and does not write: the workspace, and crates beside it.
pub fn add_inputs(site: &Site<'_>, key: &mut Key) -> Result<(), StepError> {
    key.add("rustc", site.tools.rustc()?);
    let root = workspace(&site.directory());
    for file in SHARED {
        key.add_file(&format!("workspace/{file}"), &root.join(file))?;
    }
    for directory in crates_beside(&site.directory(), &root)? {
        let shown = directory.strip_prefix(&root).unwrap_or(&directory).to_string_lossy().into_owned();
        key.add_directory(&shown, &directory, Some(LOCK))?;
    }
    Ok(())
}

/// The same as paths: files of the workspace, and directories of which all counts.
pub fn around(directory: &Path) -> Result<Vec<(PathBuf, bool)>, StepError> {
    let root = workspace(directory);
    let beside = crates_beside(directory, &root)?.into_iter().map(|directory| (directory, true));
    let shared = SHARED.iter().chain([&LOCK]).map(|file| (root.join(file), false));
    Ok(shared.chain(beside).collect())
}

/// The directories of the crates that this one is built with, directly or not.
fn crates_beside(directory: &Path, root: &Path) -> Result<BTreeSet<PathBuf>, StepError> {
    let shared = table(&root.join("Cargo.toml"))?;
    let shared = shared.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let mut seen = BTreeSet::new();
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        for beside in path_dependencies(&directory, root, shared)? {
            if seen.insert(beside.clone()) {
                left.push(beside);
            }
        }
    }
    Ok(seen)
}

/// What Cargo calls the package and its library.
struct Crate {
    package: String,
    library: String,
}

impl Crate {
    fn read(directory: &Path) -> Result<Self, StepError> {
        let path = directory.join("Cargo.toml");
        let manifest = table(&path)?;
        let name =
            |section: &str| manifest.get(section).and_then(|table| table.get("name")).and_then(Value::as_str);
        let Some(package) = name("package") else {
            let source = "it names no package".into();
            return Err(StepError::Read { path, source });
        };
        let library = name("lib").map_or_else(|| package.replace('-', "_"), ToOwned::to_owned);
        Ok(Crate { package: package.to_owned(), library })
    }
}

/// The nearest directory upwards whose Cargo manifest has a workspace, as Cargo looks for it, or else the package's own.
fn workspace(directory: &Path) -> PathBuf {
    let mut with = directory.ancestors().filter(|candidate| {
        table(&candidate.join("Cargo.toml")).is_ok_and(|manifest| manifest.contains_key("workspace"))
    });
    with.next().unwrap_or(directory).to_owned()
}

fn table(path: &Path) -> Result<Table, StepError> {
    let fail =
        |source: Box<dyn std::error::Error + Send + Sync>| StepError::Read { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(|error| fail(error.into()))?;
    text.parse().map_err(|error: toml::de::Error| fail(error.into()))
}

/// The crates that this one is built with and that lie in directories, tests' aside.
fn path_dependencies(
    directory: &Path,
    root: &Path,
    shared: Option<&Value>,
) -> Result<Vec<PathBuf>, StepError> {
    let manifest = table(&directory.join("Cargo.toml"))?;
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let sections = targets.filter_map(Value::as_table).chain([&manifest]);
    let lists = sections.flat_map(|section| [section.get("dependencies"), section.get("build-dependencies")]);
    let mut found = Vec::new();
    for (name, dependency) in lists.flatten().filter_map(Value::as_table).flatten() {
        let inherited = dependency.get("workspace").and_then(Value::as_bool) == Some(true);
        let (base, entry) = if inherited {
            (root, shared.and_then(|shared| shared.get(name)))
        } else {
            (directory, Some(dependency))
        };
        if let Some(path) = entry.and_then(|entry| entry.get("path")).and_then(Value::as_str) {
            let path = base.join(path);
            found.push(fs::canonicalize(&path).unwrap_or(path));
        }
    }
    Ok(found)
}
