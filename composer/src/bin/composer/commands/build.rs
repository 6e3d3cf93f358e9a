//! `composer build`.

use std::path::Path;

use clap::Args;
use serde_json::json;

use crate::build::{self, Outcome, Product, Summary};
use crate::failure::{Exit, Failure};
use crate::outcome;
use crate::project::Project;

/// Build the components and compositions listed in interlock.toml.
///
/// A product is built again only if something it depends on changed: its sources, the contracts,
/// the flags, or the versions of the tools. Each product is validated and checked against its world
/// before it replaces the old one.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Build {
    /// Components and compositions to build; a composition includes its components. Default: all.
    names: Vec<String>,
    /// Print JSON when everything is done: the outcome for each product. The fields are below.
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  composer build
  composer build greeter whole

JSON:
  products  in the order of interlock.toml, each with
    name, kind, language  what it is: a component in a language, or a composition
    status                built, composed, unchanged, failed; left, where parts of it failed
    seconds               how long that took
    file, bytes           where it is, and its length where it is there
    error                 null, or why it failed: as below, and `output` (what its tool said)
  error     null, or why not all is as it should be: `class`, `message`, `causes`, `help`,
            `place` (`file`, `line`, `column`), `mismatches` (as `composer check --json` has them)";

/// Executes the command.
pub fn run(arguments: &Build) -> Result<(), Failure> {
    let outcome = build(arguments);
    if !arguments.json {
        return outcome?.verdict;
    }
    let (products, verdict) = match outcome {
        Ok(outcome) => (outcome.products, outcome.verdict),
        Err(failure) => (Vec::new(), Err(failure)),
    };
    let told = json!({ "products": products.iter().map(Product::told).collect::<Vec<_>>() });
    outcome::print(verdict.map(|()| told.clone()), told)
}

fn build(arguments: &Build) -> Result<Outcome, Failure> {
    let project = Project::find(Path::new("."))?.ok_or_else(|| {
        Failure::new(Exit::Input, "there is no interlock.toml in this directory or above it")
            .help("it lists what is to be built: run this inside a project")
    })?;
    build::build(&project, &arguments.names, Summary::Always)
}
