//! `composer build`.

use std::path::Path;

use clap::Args;

use crate::build::{self, Summary};
use crate::failure::{Exit, Failure};
use crate::project::Project;

/// Builds the components and compositions that composer.toml lists.
///
/// What did not change since the last time is not built again: its sources, the contracts, the flags and the versions of
/// the tools decide. Every product is validated and checked against its world before it replaces the old one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  composer build\n  composer build greeter whole")]
pub struct Build {
    /// Components and compositions; a composition brings its components along. Default: all.
    names: Vec<String>,
}

/// Executes the command.
pub fn run(arguments: &Build) -> Result<(), Failure> {
    let project = Project::find(Path::new("."))?.ok_or_else(|| {
        Failure::new(Exit::Input, "there is no composer.toml in this folder or above it")
            .help("it lists what is to be built: run this inside a project")
    })?;
    build::build(&project, &arguments.names, Summary::Always)
}
