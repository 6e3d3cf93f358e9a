//! Finds the project, its contracts, and the files behind package names.

use std::fs;
use std::path::{Path, PathBuf};

use compose::Reference;
use composer::manifest::{self, Manifest};
use contract::Contracts;
use wit_parser::WorldId;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::wit_directory::WitDirectory;

/// A project on disk.
#[derive(Debug)]
pub struct Project {
    /// The directory of its `interlock.toml`.
    pub root: PathBuf,
    /// What that says.
    pub manifest: Manifest,
}

impl Project {
    /// The project around `near`: that of the nearest `interlock.toml` upwards, or else upwards from the current directory.
    pub fn find(near: &Path) -> Result<Option<Self>, Failure> {
        let found = |name| upwards(near, name).or_else(|| upwards(Path::new("."), name));
        let Some(file) = found(manifest::FILE) else {
            return found(manifest::OLD_FILE).map_or(Ok(None), |old| refuse_old_name(&old));
        };
        let text = files::read_text(&file)?;
        let shown = file.strip_prefix(std::env::current_dir().unwrap_or_default()).unwrap_or(&file);
        let manifest = manifest::parse(&shown.display().to_string(), &text)
            .map_err(|error| Failure::of(Exit::Input, error))?;
        let root = file.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Some(Project { root, manifest }))
    }

    /// The directory of products and everything intermediate.
    pub fn out(&self) -> PathBuf {
        self.root.join(&self.manifest.out)
    }

    /// Where the component of this name is once it is built.
    pub fn component(&self, name: &str) -> PathBuf {
        self.out().join("components").join(format!("{name}.wasm"))
    }

    /// Where the composition of this name is once it is made.
    pub fn composition(&self, name: &str) -> PathBuf {
        self.out().join("compositions").join(format!("{name}.wasm"))
    }

    /// The directory of contracts.
    pub fn wit(&self) -> PathBuf {
        self.root.join(&self.manifest.wit)
    }

    /// A path as people know it: from the root of the project where it is inside.
    pub fn show<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

/// Refuses to go on with a manifest of the old name. Another tool's file of that name does not matter.
fn refuse_old_name(old: &Path) -> Result<Option<Project>, Failure> {
    let is_ours = |text: String| manifest::parse(manifest::OLD_FILE, &text).is_ok();
    if !fs::read_to_string(old).is_ok_and(is_ours) {
        return Ok(None);
    }
    let message = format!("`{}` has the old name of the manifest", old.display());
    let help = format!("rename it to `{}`", old.with_file_name(manifest::FILE).display());
    Err(Failure::new(Exit::Input, message).help(help))
}

fn upwards(near: &Path, name: &str) -> Option<PathBuf> {
    let near = if near.as_os_str().is_empty() { Path::new(".") } else { near };
    let near = fs::canonicalize(near).ok()?;
    near.ancestors().map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// The contracts in `wit`, or else those of the project around `near`.
pub fn contracts(wit: Option<&Path>, near: &Path) -> Result<Contracts, Failure> {
    match wit {
        Some(wit) => load(wit),
        None => match Project::find(near)? {
            Some(project) => load(&project.wit()),
            None => Err(Failure::new(
                Exit::Usage,
                "there is no interlock.toml here that says where the contracts are",
            )
            .help("`--wit DIR` says it")),
        },
    }
}

/// The world of this name in contracts that were read from `wit`, or without a name the only one. `way` is how one is chosen
/// on the command line.
pub fn world(
    contracts: &Contracts,
    wit: &dyn std::fmt::Display,
    name: Option<&str>,
    way: &str,
) -> Result<WorldId, Failure> {
    match name {
        Some(name) => contracts.world(name).map_err(|error| {
            Failure::because(Exit::Input, format!("`{wit}` does not have that world"), error).help(NO_WORLD)
        }),
        None => contracts.only_world().ok_or_else(|| {
            let worlds = contracts.worlds();
            if worlds.is_empty() {
                return Failure::new(Exit::Input, format!("`{wit}` has no world"));
            }
            let worlds = worlds.join("`, `");
            Failure::new(Exit::Input, format!("`{wit}` does not have one world, but `{worlds}`"))
                .help(format!("name it after the path: `{way}`"))
        }),
    }
}

/// Loads a directory of WIT packages, or a single WIT file.
pub fn load(wit: &Path) -> Result<Contracts, Failure> {
    let fail = |error: anyhow::Error| {
        let cause: Box<dyn std::error::Error + Send + Sync> = error.into();
        Failure::because(Exit::Input, format!("cannot read the contracts in `{}`", wit.display()), cause)
    };
    if !wit.exists() {
        return Err(fail(anyhow::anyhow!("there is no such file or directory")).help(files::not_there(wit)));
    }
    let directory = WitDirectory::read(wit, &fail)?;
    let loaded = Contracts::load(|resolve, whole| directory.push(resolve, whole));
    loaded.map_err(|error| {
        let missing = error.to_string().contains("known packages:");
        let failure = fail(error);
        let directory = match wit.parent() {
            _ if wit.is_dir() => wit,
            Some(directory) if !directory.as_os_str().is_empty() => directory,
            _ => Path::new("."),
        };
        if wit.is_file() && directory.join("deps").is_dir() {
            failure.help(format!(
                "a file is read by itself: with the packages in its `deps`, and the other files, it is the directory `{}`",
                directory.display()
            ))
        } else if missing {
            failure.help(format!(
                "the packages that it uses belong into `{}`, each as a directory or a file of WIT, beside the rest of a directory \
                 that is given as a whole",
                directory.join("deps").display()
            ))
        } else {
            failure.help("correct it at the place that is shown")
        }
    })
}

/// The way out where there is no world of a name.
pub const NO_WORLD: &str =
    "name one of those that there are: in the main package by the short name, elsewhere by the full one";

/// A WIT package by the name and version that a text mentions.
pub fn wit_package(contracts: &Contracts, reference: &Reference) -> Result<Option<Vec<u8>>, Failure> {
    contracts
        .package(&reference.name, reference.version.as_ref())
        .map_err(|error| Failure::because(Exit::Input, format!("cannot use `{}`", reference.name), error))
}
