//! Where the packages that a text mentions are taken from.

use std::path::Path;

use compose::link_map::{Origin, Origins};
use compose::{Packages, Reference};
use composer::manifest;
use contract::Contracts;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::project::{Project, load, wit_package};
use crate::source::{Content, Input};

/// Where packages are taken from: the command line first, then the project.
pub struct PackageStore {
    given: Vec<Input>,
    project: Option<Project>,
    contracts: Option<Contracts>,
}

impl PackageStore {
    /// Creates a store of what was given, the contracts in `wit`, and the project around `near`.
    pub fn new(given: Vec<Input>, wit: Option<&Path>, near: &Path) -> Result<Self, Failure> {
        let project = Project::find(near)?;
        let contracts = match (wit, &project) {
            (Some(wit), _) => Some(load(wit)?),
            (None, Some(project)) if project.wit().exists() => Some(load(&project.wit())?),
            (None, _) => None,
        };
        Ok(PackageStore { given, project, contracts })
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
                Content::Wit(directory) => match wit_package(&load(directory)?, reference)? {
                    None => Err(Failure::new(
                        Exit::Input,
                        format!("there is no WIT package `{}` in `{}`", reference.name, directory.display()),
                    )
                    .help("a component is given as its `.wasm` file, a WIT package as its directory")),
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
