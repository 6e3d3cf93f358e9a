//! The tools of the languages: where they are, which versions, and running them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::step::StepError;
use crate::project::Project;

const SET_UP: &str = "`./just setup` installs it; interlock.toml says under [tools] where it is expected";

/// The tools of a project.
pub struct Toolbox {
    root: PathBuf,
    node: Option<PathBuf>,
    python: Option<PathBuf>,
    rustc: OnceLock<String>,
}

impl Toolbox {
    /// The tools that the project's manifest names.
    pub fn new(project: &Project) -> Self {
        let at = |path: &Option<PathBuf>| path.as_ref().map(|path| project.root.join(path));
        let tools = &project.manifest.tools;
        Toolbox {
            root: project.root.clone(),
            node: at(&tools.node),
            python: at(&tools.python),
            rustc: OnceLock::new(),
        }
    }

    /// What the Rust compiler of this project says of itself. Asked once: it takes as long as all the rest
    /// of a build with nothing to do.
    pub fn rustc(&self) -> Result<&str, StepError> {
        if let Some(known) = self.rustc.get() {
            return Ok(known);
        }
        let mut command = Command::new("rustc");
        command.arg("-vV").current_dir(&self.root);
        let said = run(command, "rustc", "the Rust compiler `rustc`", RUSTUP)?;
        Ok(self.rustc.get_or_init(|| String::from_utf8_lossy(&said).into_owned()))
    }

    /// Cargo, to be run in this directory.
    pub fn cargo(&self, directory: &Path) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(directory);
        // Flags for the machine's own programs are not for guests.
        command
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("CARGO_BUILD_TARGET");
        command
    }

    /// A file inside the directory of Node packages.
    pub fn node_module(&self, file: &str) -> Result<PathBuf, StepError> {
        let what = "componentize-js";
        let Some(node) = &self.node else { return Err(unnamed(what, "node")) };
        there(node.join("node_modules").join(file), what)
    }

    /// The Python of the virtual environment.
    pub fn python(&self, what: &str) -> Result<PathBuf, StepError> {
        there(self.python_bin(what)?.join(if cfg!(windows) { "python.exe" } else { "python" }), what)
    }

    /// A script of the virtual environment.
    pub fn python_script(&self, script: &str) -> Result<PathBuf, StepError> {
        there(self.python_bin(script)?.join(script), script)
    }

    fn python_bin(&self, what: &str) -> Result<PathBuf, StepError> {
        let Some(python) = &self.python else { return Err(unnamed(what, "python")) };
        Ok(python.join(if cfg!(windows) { "Scripts" } else { "bin" }))
    }

    /// The version of a package in the virtual environment: from the name of its metadata, without running anything.
    pub fn python_package(&self, package: &str) -> Result<String, StepError> {
        let Some(python) = &self.python else { return Err(unnamed(package, "python")) };
        let libraries = if cfg!(windows) { vec![python.join("Lib")] } else { entries(&python.join("lib")) };
        let found =
            libraries.iter().flat_map(|library| entries(&library.join("site-packages"))).find_map(|entry| {
                let name = entry.file_name()?.to_str()?.strip_suffix(".dist-info")?.to_owned();
                Some(name.strip_prefix(package)?.strip_prefix('-')?.to_owned())
            });
        found.ok_or_else(|| StepError::MissingTool {
            what: package.to_owned(),
            place: format!("in the virtual environment `{}`", python.display()),
            help: SET_UP.to_owned(),
        })
    }
}

/// What installs Rust.
pub const RUSTUP: &str = "https://rustup.rs installs it";
/// What installs Node.
pub const NODE: &str = "https://nodejs.org has it: version 20 or newer";

fn unnamed(what: &str, key: &str) -> StepError {
    StepError::MissingTool {
        what: what.to_owned(),
        place: format!("where `{key}` says under [tools] in interlock.toml, and there is no `{key}`"),
        help: format!("add it: `{key} = DIRECTORY`"),
    }
}

fn there(path: PathBuf, what: &str) -> Result<PathBuf, StepError> {
    if path.exists() {
        return Ok(path);
    }
    Err(StepError::MissingTool {
        what: what.to_owned(),
        place: format!("at `{}`", path.display()),
        help: SET_UP.to_owned(),
    })
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Runs a tool and answers with what it wrote to standard output. `tool` is what errors call it; `what` and `help` are for
/// the case that it is not installed.
pub fn run(mut command: Command, tool: &str, what: &str, help: &str) -> Result<Vec<u8>, StepError> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => StepError::MissingTool {
            what: what.to_owned(),
            place: "on the PATH".to_owned(),
            help: help.to_owned(),
        },
        _ => StepError::Inside { what: "a tool could not be started", source: error.into() },
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    Err(StepError::Tool {
        tool: tool.to_owned(),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&said).into_owned(),
    })
}
