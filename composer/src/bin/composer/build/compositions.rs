//! The compositions of a project.

use check::fit;
use compose::link_map::{Origin, Origins};
use compose::{self, Packages, Reference};
use composer::manifest::NAMESPACE;
use contract::Contracts;

use super::key::{Key, Stamp};
use super::progress::Report;
use super::step::StepError;
use crate::failure::Failure;
use crate::files;
use crate::project::{Project, wit_package};

/// A composition that is to be made, once its components are there.
pub struct Plan {
    name: String,
    /// The file, as messages call it.
    file: String,
    text: String,
    references: Vec<Reference>,
    components: Vec<String>,
}

/// The compositions of these names, or all.
pub fn plans(project: &Project, names: &[String]) -> Result<Vec<Plan>, Failure> {
    let mut plans = Vec::new();
    for (name, composition) in &project.manifest.compositions {
        if !names.is_empty() && !names.contains(name) {
            continue;
        }
        let path = project.root.join(&composition.file);
        let file = composition.file.display().to_string();
        let text = files::read_text(&path).map_err(|failure| {
            failure.help(format!("`file` of [compositions.{name}] in interlock.toml says where it is"))
        })?;
        let references = compose::references(&file, &text).map_err(Failure::from)?;
        let components = references.iter().filter_map(|reference| component(project, reference));
        let components = components.map(ToOwned::to_owned).collect();
        plans.push(Plan { name: name.clone(), file, text, references, components });
    }
    Ok(plans)
}

/// The component of the project that is meant, if it is one.
fn component<'a>(project: &Project, reference: &'a Reference) -> Option<&'a str> {
    let (namespace, name) = reference.name.split_once(':')?;
    (namespace == NAMESPACE && project.manifest.components.contains_key(name)).then_some(name)
}

impl Plan {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its components.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.components.iter().map(String::as_str)
    }

    /// Composes, unless nothing changed.
    pub fn compose(&self, project: &Project, contracts: &Contracts) -> Result<Report, StepError> {
        let mut key = Key::new("composition");
        key.add("text", &self.text);
        key.add_directory("wit", &project.wit(), None)?;
        for part in &self.components {
            let digest = Stamp::of(&project.component(part)).map(|stamp| stamp.digest).unwrap_or_default();
            key.add(part, digest);
        }
        let key = key.finish();
        let product = project.composition(&self.name);
        if Stamp::of(&product).is_some_and(|stamp| stamp.key == key) {
            return Ok(Report::Unchanged);
        }
        let mut packages = Packages::new();
        let mut origins = Origins::new();
        for reference in &self.references {
            let bytes = match component(project, reference) {
                Some(part) => {
                    origins.insert(reference.name.clone(), Origin::file(&format!("{part}.wasm")));
                    Some(files::read(&project.component(part))?)
                }
                None => wit_package(contracts, reference)?,
            };
            if let Some(bytes) = bytes {
                packages.insert(reference.name.clone(), bytes);
            }
        }
        let composed =
            compose::compose_from(&self.file, &self.text, &packages, &origins).map_err(Failure::from)?;
        let target = compose::target(&self.file, &self.text).map_err(Failure::from)?;
        let checked = match &target {
            Some(world) => fit::check(&composed, contracts, world),
            None => fit::validate(&composed),
        };
        checked.map_err(|error| StepError::DoesNotFit {
            file: project.show(&product).to_string(),
            source: Box::new(error),
        })?;
        Stamp::write(&product, &key, &composed)?;
        Ok(Report::Made { verb: "composed", bytes: composed.len() as u64 })
    }
}
