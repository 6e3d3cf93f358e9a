//! Finds the project, its contracts, and the files behind package names.

use std::ffi::{OsStr, OsString};
use std::fs;
#[cfg(unix)]
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};
use composer::check::bare;
use composer::compose::{Packages, Reference};
use composer::contract::Contracts;
use composer::link_map::{Origin, Origins};
use composer::manifest::{self, Manifest};
use wit_parser::WorldId;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::source::{Content, Input, Source};
use crate::wit_folder::WitFolder;

/// A project on disk.
#[derive(Debug)]
pub struct Project {
    /// The folder of its `composer.toml`.
    pub root: PathBuf,
    /// What that says.
    pub manifest: Manifest,
}

impl Project {
    /// The project around `near`: that of the nearest `composer.toml` upwards, or else upwards from the current folder.
    pub fn find(near: &Path) -> Result<Option<Self>, Failure> {
        let found = upwards(near).or_else(|| upwards(Path::new(".")));
        let Some(file) = found else { return Ok(None) };
        let text = files::read_text(&file)?;
        let shown = file.strip_prefix(std::env::current_dir().unwrap_or_default()).unwrap_or(&file);
        let manifest = manifest::parse(&shown.display().to_string(), &text)
            .map_err(|error| Failure::of(Exit::Input, error))?;
        let root = file.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Some(Project { root, manifest }))
    }

    /// The folder of products and everything intermediate.
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

    /// The folder of contracts.
    pub fn wit(&self) -> PathBuf {
        self.root.join(&self.manifest.wit)
    }

    /// A path as people know it: from the root of the project where it is inside.
    pub fn show<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

fn upwards(near: &Path) -> Option<PathBuf> {
    let near = if near.as_os_str().is_empty() { Path::new(".") } else { near };
    let near = fs::canonicalize(near).ok()?;
    near.ancestors().map(|folder| folder.join(manifest::FILE)).find(|file| file.is_file())
}

/// The contracts in `wit`, or else those of the project around `near`.
pub fn contracts(wit: Option<&Path>, near: &Path) -> Result<Contracts, Failure> {
    match wit {
        Some(wit) => load(wit),
        None => match Project::find(near)? {
            Some(project) => load(&project.wit()),
            None => Err(Failure::new(
                Exit::Usage,
                "there is no composer.toml here that says where the contracts are",
            )
            .help("`--wit DIR` says it")),
        },
    }
}

/// The world of this name in contracts that were read from `wit`, or without a name the only one. `way` is how one is chosen
/// on the command line.
pub fn world(contracts: &Contracts, wit: &Source, name: Option<&str>, way: &str) -> Result<WorldId, Failure> {
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

/// Loads a folder of WIT packages, or a single WIT file.
pub fn load(wit: &Path) -> Result<Contracts, Failure> {
    let fail = |error: anyhow::Error| {
        let cause: Box<dyn std::error::Error + Send + Sync> = error.into();
        Failure::because(Exit::Input, format!("cannot read the contracts in `{}`", wit.display()), cause)
    };
    if !wit.exists() {
        return Err(fail(anyhow::anyhow!("there is no such file or folder")).help(files::not_there(wit)));
    }
    let folder = WitFolder::read(wit, &fail)?;
    let loaded = Contracts::load(|resolve, whole| folder.push(resolve, whole));
    loaded.map_err(|error| {
        let missing = error.to_string().contains("known packages:");
        let failure = fail(error);
        let folder = match wit.parent() {
            _ if wit.is_dir() => wit,
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if wit.is_file() && folder.join("deps").is_dir() {
            failure.help(format!(
                "a file is read by itself: with the packages in its `deps`, and the other files, it is the folder `{}`",
                folder.display()
            ))
        } else if missing {
            failure.help(format!(
                "the packages that it uses belong into `{}`, each as a folder or a file of WIT, beside the rest of a folder \
                 that is given as a whole",
                folder.join("deps").display()
            ))
        } else {
            failure.help("correct it at the place that is shown")
        }
    })
}

/// The way out where there is no world of a name.
pub const NO_WORLD: &str =
    "name one of those that there are: in the main package by the short name, elsewhere by the full one";

/// A package given on the command line: `PKG=SOURCE`. A name alone, without a namespace, is that of a component.
#[derive(Debug, Clone)]
pub struct Given {
    /// The name of the package.
    pub package: String,
    /// Where its component is, or the folder or `.wit` file of a WIT package.
    pub source: Source,
}

impl Given {
    /// A parser for clap. A path need not be text.
    pub fn parser() -> impl TypedValueParser<Value = Given> {
        OsStringValueParser::new().try_map(|text: OsString| Given::parse(&text))
    }

    fn parse(text: &OsStr) -> Result<Self, String> {
        match named(text) {
            Some((package, source)) if !package.is_empty() && !source.is_empty() => {
                let package = bare(package);
                let whole = package.contains(':');
                let package =
                    if whole { package.to_owned() } else { format!("{}:{package}", manifest::NAMESPACE) };
                Ok(Given { package, source: Source::parse(source)? })
            }
            _ => Err("it should be like `parts:greeter=greeter.wasm`".to_owned()),
        }
    }
}

/// A name, and after the first `=` what has it.
#[cfg(unix)]
pub fn named(text: &OsStr) -> Option<(&str, &OsStr)> {
    let bytes = text.as_bytes();
    let at = bytes.iter().position(|&byte| byte == b'=')?;
    Some((std::str::from_utf8(&bytes[..at]).ok()?, OsStr::from_bytes(&bytes[at + 1..])))
}

/// A name, and after the first `=` what has it. Here both have to be text.
#[cfg(not(unix))]
pub fn named(text: &OsStr) -> Option<(&str, &OsStr)> {
    text.to_str()?.split_once('=').map(|(name, source)| (name, source.as_ref()))
}

/// Refuses two inputs for one package.
pub fn each_once(given: &[Given]) -> Result<(), Failure> {
    for (index, one) in given.iter().enumerate() {
        if let Some(other) = given[..index].iter().find(|other| other.package == one.package) {
            return Err(Failure::new(Exit::Usage, format!("the package `{}` is given twice", one.package))
                .help(format!("keep one of the two: `{}` or `{}`", other.source, one.source)));
        }
    }
    Ok(())
}

/// Where packages are taken from: the command line first, then the project.
pub struct Shelf {
    given: Vec<Input>,
    project: Option<Project>,
    contracts: Option<Contracts>,
}

impl Shelf {
    /// A shelf with what was given, the contracts in `wit`, and the project around `near`.
    pub fn new(given: Vec<Input>, wit: Option<&Path>, near: &Path) -> Result<Self, Failure> {
        let project = Project::find(near)?;
        let contracts = match (wit, &project) {
            (Some(wit), _) => Some(load(wit)?),
            (None, Some(project)) if project.wit().exists() => Some(load(&project.wit())?),
            (None, _) => None,
        };
        Ok(Shelf { given, project, contracts })
    }

    /// All packages that are mentioned and can be found.
    pub fn packages(mut self, references: &[Reference]) -> Result<Packages, Failure> {
        let mut packages = Packages::new();
        for reference in references {
            if let Some(bytes) = self.package(reference)? {
                packages.insert(reference.name.clone(), bytes);
            }
        }
        Ok(packages)
    }

    /// Where the packages that are mentioned come from, as far as they are files or in a registry.
    pub fn origins(&self, references: &[Reference]) -> Origins {
        let origin = |reference: &Reference| {
            let given = self.given.iter().find(|given| given.package.as_deref() == Some(&reference.name));
            if let Some(given) = given {
                return Some(given.source.origin());
            }
            let (_, name) =
                reference.name.split_once(':').filter(|(space, _)| *space == manifest::NAMESPACE)?;
            let known = self.project.as_ref()?.manifest.components.contains_key(name);
            known.then(|| Origin::file(&format!("{name}.wasm")))
        };
        let of = |reference: &Reference| Some((reference.name.clone(), origin(reference)?));
        references.iter().filter_map(of).collect()
    }

    fn package(&mut self, reference: &Reference) -> Result<Option<Vec<u8>>, Failure> {
        let given = |given: &&mut Input| given.package.as_deref() == Some(&reference.name);
        if let Some(Input { content, .. }) = self.given.iter_mut().find(given) {
            return match content {
                Content::Bytes(bytes) => {
                    // It may be large, so it is handed over, not copied. It is empty once a first mention of it was
                    // served; packages are kept by name, so that one serves all mentions.
                    let bytes = std::mem::take(bytes);
                    Ok((!bytes.is_empty()).then_some(bytes))
                }
                Content::Wit(folder) => match wit_package(&load(folder)?, reference)? {
                    None => Err(Failure::new(
                        Exit::Input,
                        format!("there is no WIT package `{}` in `{}`", reference.name, folder.display()),
                    )
                    .help("a component is given as its `.wasm` file, a WIT package as its folder")),
                    found => Ok(found),
                },
            };
        }
        if let Some(project) = &self.project
            && let Some((manifest::NAMESPACE, name)) = reference.name.split_once(':')
            && project.manifest.components.contains_key(name)
        {
            let file = project.component(name);
            if !file.exists() {
                let message =
                    format!("the component `{name}` is not built: there is no `{}`", project.show(&file));
                return Err(
                    Failure::new(Exit::Input, message).help(format!("`composer build {name}` builds it"))
                );
            }
            return files::read(&file).map(Some);
        }
        match &self.contracts {
            Some(contracts) => wit_package(contracts, reference),
            None => Ok(None),
        }
    }
}

/// A WIT package by the name and version that a text mentions.
pub fn wit_package(contracts: &Contracts, reference: &Reference) -> Result<Option<Vec<u8>>, Failure> {
    contracts
        .package(&reference.name, reference.version.as_ref())
        .map_err(|error| Failure::because(Exit::Input, format!("cannot use `{}`", reference.name), error))
}
