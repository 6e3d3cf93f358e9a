//! Builds what a project lists: components in parallel, then the compositions whose parts changed.

mod compositions;
mod key;
mod lock;
mod pool;
mod product;
mod progress;
mod recipes;
mod step;
mod tools;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use check::fit::{self, FitError};
use check::{Mismatch, is_host};
use composer::doctor::State;
use composer::manifest::{FILE, Language};
use contract::Contracts;

use self::compositions::Plan;
use self::key::Stamp;
use self::pool::Task;
pub use self::product::Product;
use self::progress::{Progress, Report};
pub use self::recipes::RUST_TARGET;
use self::recipes::Site;
use self::step::StepError;
pub use self::tools::Toolbox;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::project::{self, Project};

/// What became of what was to be built.
pub struct Outcome {
    /// All of it, in the order of interlock.toml.
    pub products: Vec<Product>,
    /// Whether it is as it should be.
    pub verdict: Result<(), Failure>,
}

/// When a build is summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summary {
    /// Whatever there was to do.
    Always,
    /// Unless there was nothing to do.
    OfWork,
}

/// Builds the components and compositions of these names, or all.
pub fn build(project: &Project, names: &[String], summary: Summary) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let plans = compositions::plans(project, names)?;
    let wanted = components(project, names, &plans)?;
    let _lock = lock::hold(&project.out())?;
    sweep(project);
    let contracts = project::load(&project.wit())?;
    let toolbox = Toolbox::new(project);
    let progress = Progress::new(wanted.iter().map(String::as_str).chain(plans.iter().map(Plan::name)));

    let sites = wanted.iter().map(|name| Site::new(project, name, &contracts, &toolbox));
    let tasks = sites.map(|site| Task { exclusive: site.exclusive(), work: site }).collect();
    let built = pool::run(tasks, |site: &Site<'_>| {
        progress.attempt(site.name, &site.component.language.to_string(), |note| component(site, note))
    });
    let failed: BTreeSet<&str> =
        built.iter().filter(|(_, ended)| !ended.well()).map(|(site, _)| site.name).collect();

    let (ready, left): (Vec<&Plan>, Vec<&Plan>) =
        plans.iter().partition(|plan| !plan.components().any(|name| failed.contains(name)));
    let tasks = ready.into_iter().map(|plan| Task { exclusive: false, work: plan }).collect();
    let composed = pool::run(tasks, |plan: &&Plan| {
        progress.attempt(plan.name(), "composition", |_| plan.compose(project, &contracts))
    });
    let failed_compositions = composed.iter().filter(|(_, ended)| !ended.well()).map(|(plan, _)| plan.name());
    let all: Vec<&str> = failed.iter().copied().chain(failed_compositions).collect();
    if summary == Summary::Always || progress.worth_a_word() {
        progress.finish(begun.elapsed());
    }
    let left: Vec<&str> = left.into_iter().map(Plan::name).collect();
    let verdict = verdict(&all, &left);
    let components = built.into_iter().map(|(site, ended)| Product {
        name: site.name.to_owned(),
        language: Some(site.component.language.to_string()),
        file: site.product(),
        ended: Some(ended),
    });
    let attempted = composed.into_iter().map(|(plan, ended)| (plan.name(), Some(ended)));
    let compositions = attempted.chain(left.into_iter().map(|name| (name, None))).map(|(name, ended)| {
        Product { name: name.to_owned(), language: None, file: project.composition(name), ended }
    });
    let mut products: Vec<Product> = components.chain(compositions).collect();
    let manifest = &project.manifest;
    products.sort_by_key(|product| match &product.language {
        Some(_) => (false, manifest.components.get_index_of(&product.name)),
        None => (true, manifest.compositions.get_index_of(&product.name)),
    });
    Ok(Outcome { products, verdict })
}

/// What there is to say of what failed, and what was left as it was for that.
fn verdict(failed: &[&str], left: &[&str]) -> Result<(), Failure> {
    if failed.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(Exit::Cannot, format!("could not be built: {}", failed.join(", ")));
    if left.is_empty() {
        return Err(failure);
    }
    Err(failure.help(format!("left as they were, since parts of them are missing: {}", left.join(", "))))
}

/// The components that are to be built: those named, and those that named compositions consist of.
fn components(project: &Project, names: &[String], plans: &[Plan]) -> Result<Vec<String>, Failure> {
    let manifest = &project.manifest;
    for name in names {
        if !manifest.components.contains_key(name) && !manifest.compositions.contains_key(name) {
            let known = manifest.components.keys().chain(manifest.compositions.keys());
            let known = known.map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(Failure::new(Exit::Usage, format!("interlock.toml lists no `{name}`"))
                .help(format!("it lists {known}")));
        }
    }
    let chosen = |name: &str| {
        names.is_empty()
            || names.iter().any(|wanted| wanted == name)
            || plans.iter().any(|plan| plan.components().any(|part| part == name))
    };
    Ok(manifest.components.keys().filter(|name| chosen(name)).cloned().collect())
}

/// Whether the product of each component is what its sources say. Nothing is built.
pub fn states(project: &Project, contracts: &Contracts, toolbox: &Toolbox) -> Vec<(String, State)> {
    let state = |name: &String| {
        let site = Site::new(project, name, contracts, toolbox);
        if !site.product().exists() {
            return State::Missing;
        }
        match site.key() {
            Ok(key) if Stamp::of(&site.product()).is_some_and(|stamp| stamp.key == key) => State::Fresh,
            Ok(_) => State::Stale,
            // A tool that is missing is told of elsewhere.
            Err(_) => State::Unknown,
        }
    };
    project.manifest.components.keys().map(|name| (name.clone(), state(name))).collect()
}

/// The files and directories that the products of these names, or all, are made of: for each a path, and whether all below
/// it counts.
pub fn inputs(project: &Project, names: &[String]) -> Result<Vec<(PathBuf, bool)>, Failure> {
    let plans = compositions::plans(project, names)?;
    let mut inputs = vec![(project.root.join(FILE), false), (project.wit(), true)];
    for name in components(project, names, &plans)? {
        let component = &project.manifest.components[&name];
        inputs.push((project.root.join(&component.path), true));
        if component.language == Language::Rust {
            // What cannot be read now is said when it is built.
            inputs.extend(recipes::around(&project.root.join(&component.path)).unwrap_or_default());
        }
    }
    let texts =
        plans.iter().map(|plan| (project.root.join(&project.manifest.compositions[plan.name()].file), false));
    inputs.extend(texts);
    Ok(inputs)
}

/// Removes what killed runs have left. The lock is held, so nobody is writing now.
fn sweep(project: &Project) {
    for directory in ["components", "compositions"] {
        let Ok(entries) = fs::read_dir(project.out().join(directory)) else { continue };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(files::UNFINISHED) {
                // What cannot be removed does no harm.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Builds a component, unless nothing changed.
fn component(site: &Site<'_>, note: &dyn Fn(&str)) -> Result<Report, StepError> {
    // Before it is built: what people change meanwhile has to be built again.
    let inputs = site.inputs()?;
    let key = site.settled(inputs.clone())?;
    let product = site.product();
    if Stamp::of(&product).is_some_and(|stamp| stamp.key == key) {
        return Ok(Report::Unchanged);
    }
    let made = site.make(note)?;
    match fit::check(&made, site.contracts, &site.component.world) {
        Err(FitError::Misfit { mismatches, .. })
            if site.component.wasi && mismatches.iter().all(is_of_wasi) => {}
        checked => {
            checked.map_err(|error| StepError::DoesNotFit {
                file: site.project.show(&product).to_string(),
                source: Box::new(error),
            })?;
        }
    }
    Stamp::write(&product, &site.settled(inputs)?, &made)?;
    Ok(Report::Made { verb: "built", bytes: made.len() as u64 })
}

/// Whether it is an import of WASI that does not fit: one that the world does not have.
fn is_of_wasi(mismatch: &Mismatch) -> bool {
    let whole = matches!(mismatch.path.as_slice(), [interface] if is_host(interface));
    whole && mismatch.wanted_by == fit::COMPONENT
}
