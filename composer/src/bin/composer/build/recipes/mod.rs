//! How a component is made, language by language.

mod c;
mod javascript;
mod python;
mod rust;
mod zig;

use std::fs;
use std::path::{Path, PathBuf};

use composer::componentize::{self, Origin, componentize};
use composer::manifest::{Component, Language};
use contract::Contracts;

use super::key::Key;
use super::step::StepError;
use super::tools::Toolbox;
use crate::failure::{Exit, Failure};
use crate::project::Project;

pub use rust::{TARGET as RUST_TARGET, around};

/// A component, and all that is around while it is built.
pub struct Site<'a> {
    pub project: &'a Project,
    pub name: &'a str,
    pub component: &'a Component,
    pub contracts: &'a Contracts,
    pub tools: &'a Toolbox,
}

impl<'a> Site<'a> {
    /// The site of the component of this name.
    pub fn new(project: &'a Project, name: &'a str, contracts: &'a Contracts, tools: &'a Toolbox) -> Self {
        let component = &project.manifest.components[name];
        Site { project, name, component, contracts, tools }
    }

    /// Whether its tool keeps others from running.
    pub fn exclusive(&self) -> bool {
        self.component.language == Language::Rust
    }

    /// Where the product goes.
    pub fn product(&self) -> PathBuf {
        self.project.component(self.name)
    }

    /// The directory of its sources.
    pub fn directory(&self) -> PathBuf {
        self.project.root.join(&self.component.path)
    }

    /// A directory for what its tools leave on the way, made where it is missing.
    fn workshop(&self, name: &str) -> Result<PathBuf, StepError> {
        let path = self.project.out().join("build").join(self.name).join(name);
        make_directory(&path)?;
        Ok(path)
    }

    /// The short name of its world, as tools take it.
    fn world(&self) -> Result<String, StepError> {
        let id = self.contracts.world(&self.component.world);
        let id =
            id.map_err(|error| StepError::Inside { what: "its world is not known", source: error.into() })?;
        Ok(self.contracts.resolve().worlds[id].name.clone())
    }

    /// The key of all that goes into the product, as it is now.
    pub fn key(&self) -> Result<String, StepError> {
        self.inputs().and_then(|inputs| self.settled(inputs))
    }

    /// The key of these inputs, together with what its tool writes itself beside the sources while it builds: that is what
    /// it was built with once it is built.
    pub fn settled(&self, mut inputs: Key) -> Result<String, StepError> {
        if self.component.language == Language::Rust {
            rust::add_lock(self, &mut inputs)?;
        }
        Ok(inputs.finish())
    }

    /// All that goes into the product and that nobody but people writes.
    pub fn inputs(&self) -> Result<Key, StepError> {
        let directory = self.directory();
        self.look(&directory)?;
        let mut key = Key::new("component");
        let Component { language, world, entry, disable, wasi, .. } = self.component;
        key.add("language", language.to_string());
        key.add("world", world);
        key.add("entry", entry.to_string_lossy().as_bytes());
        key.add("disable", disable.join(" "));
        if *wasi {
            key.add("wasi", "left in");
        }
        key.add_directory("source", &directory, (*language == Language::Rust).then_some(rust::LOCK))?;
        key.add_directory("wit", &self.project.wit(), None)?;
        match language {
            Language::Rust => rust::add_inputs(self, &mut key)?,
            Language::Zig | Language::C => key.add("ziglang", self.tools.python_package("ziglang")?),
            Language::Python => key.add("componentize-py", self.tools.python_package("componentize_py")?),
            Language::JavaScript => key.add("componentize-js", javascript::version(self)?),
        }
        Ok(key)
    }

    /// Looks whether its sources are where the manifest says: no tool's own words lead back to that.
    fn look(&self, directory: &Path) -> Result<(), StepError> {
        let Component { language, path, entry, .. } = self.component;
        let absent = |message: String, key: &str| {
            let help = format!("`{key}` of [components.{}] in interlock.toml says where it is", self.name);
            Err(Failure::new(Exit::Cannot, message).help(help).into())
        };
        if !directory.is_dir() {
            return absent(format!("there is no directory `{}`", path.display()), "path");
        }
        let there = match language {
            Language::Rust => return Ok(()),
            // A module: a file or a package.
            Language::Python => {
                directory.join(entry).exists() || directory.join(entry.with_extension("py")).exists()
            }
            _ => directory.join(entry).is_file(),
        };
        if there { Ok(()) } else { absent(format!("there is no `{}`", path.join(entry).display()), "entry") }
    }

    /// Makes the component. It is not checked yet.
    pub fn make(&self, note: &dyn Fn(&str)) -> Result<Vec<u8>, StepError> {
        match self.component.language {
            Language::Rust => rust::make(self),
            Language::Zig => zig::make(self, note),
            Language::C => c::make(self, note),
            Language::Python => python::make(self),
            Language::JavaScript => javascript::make(self),
        }
    }
}

fn make_directory(path: &Path) -> Result<(), StepError> {
    fs::create_dir_all(path).map_err(|error| StepError::Read { path: path.to_owned(), source: error.into() })
}

fn read(path: &Path) -> Result<Vec<u8>, StepError> {
    fs::read(path).map_err(|error| StepError::Read { path: path.to_owned(), source: error.into() })
}

/// Makes a component of the core module that a tool has left here.
fn from_core(core: &Path) -> Result<Vec<u8>, StepError> {
    componentize(&read(core)?, None, &[]).map_err(|error| StepError::Inside {
        what: "no component can be made of its core module",
        source: error.into(),
    })
}

/// Signs a component on behalf of a toolchain that does not.
fn sign(component: &[u8], language: &str, tool: &str, version: String) -> Result<Vec<u8>, StepError> {
    let origin = Origin { language: language.to_owned(), tool: (tool.to_owned(), version) };
    componentize::sign(component, &origin)
        .map_err(|error| StepError::Inside { what: "the component cannot be signed", source: error.into() })
}
