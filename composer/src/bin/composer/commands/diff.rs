//! `composer diff`.

use std::ffi::OsString;
use std::path::Path;

use check::diff::{self, DiffError, Side, Verdict};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use contract::Contracts;
use contract::shape::{Shape, ShapeError};
use contract::wit_package;
use wit_parser::WorldId;

use super::check::split;
use crate::failure::{self, Exit, Failure};
use crate::files;
use crate::project;
use crate::source::{self, RegistryOptions, Source};

/// Report what changed between two versions of a contract or component, whom each change breaks,
/// and the version number it requires.
///
/// Callers use what is described: they import an interface, run or compose components of a world,
/// or use the component. Implementers provide it: they export an interface, or are the components
/// of a world. For WIT without a world, the whole package is compared, with all its interfaces and
/// worlds, and so is every other package in its text or its `deps`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  composer diff old/wit new/wit                     two versions of a package
  composer diff old/wit#page new/wit#page           the same world in both
  composer diff old.wasm new.wasm                   may the new one stand where the old one does?
  composer diff old.wit new.wit --by-version        for CI: is the new version number large enough?
  composer diff old.wit new.wit --allow implementers

What a class of types that differ means, such as `type-shape`: `composer explain CLASS`. What is `added`, `removed`, `renamed`,
in another `version`, behind another `gate` or has other `documentation` says so itself.

Exit codes:
  0  nothing breaks, but for what --allow names; with --by-version: the declared version announces all that changed
  1  nothing can be said of these two: their types are too large, or standard output is gone
  2  the command line is wrong
  3  an input cannot be read, or is not what it should be
  4  something breaks; with --by-version: the declared version does not announce what changed. What it is, is on standard output")]
pub struct Diff {
    /// Old version: the file or directory of a WIT package, with a world after `#`; or a component
    /// or WIT package in binary form, by path or as `oci://REGISTRY/NAME:TAG`. One of the two can
    /// be `-` for standard input.
    #[arg(value_parser = Input::parser())]
    old: Input,
    /// New version, in the same forms.
    #[arg(value_parser = Input::parser())]
    new: Input,
    /// Ignore breaks for these.
    #[arg(long, value_name = "WHOM", value_enum, conflicts_with = "by_version")]
    allow: Vec<Whom>,
    /// Check the declared version instead: fail if it does not announce what changed.
    #[arg(long)]
    by_version: bool,
    /// Prints JSON: `callers` and `implementers` (whether these break), `calls_for`, `version` (with `old`, `needed`, `new`,
    /// `enough`), `packages` (the same of
    /// each other package that changed, with its `name`), `contracts` (whom it breaks of each) and `changes` (each with `class`, `path`, `problem`, `old`, `new`,
    /// `callers`, `implementers`, `calls_for`).
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Who may break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Whom {
    /// Those who use what is described.
    Callers,
    /// Those who provide it.
    Implementers,
}

/// A source, and the name of a world after it.
#[derive(Debug, Clone)]
struct Input {
    source: Source,
    world: Option<String>,
}

impl Input {
    fn parser() -> impl TypedValueParser<Value = Input> {
        OsStringValueParser::new().try_map(|text: OsString| -> Result<Input, String> {
            let (path, world) = split(&text);
            Ok(Input { source: Source::parse(path.as_os_str())?, world })
        })
    }
}

/// An input that was read.
enum Taken {
    Component(Shape),
    Contracts(Contracts),
}

/// Executes the command.
pub fn run(arguments: &Diff) -> Result<(), Failure> {
    if arguments.old.source.is_input() && arguments.new.source.is_input() {
        return Err(Failure::new(Exit::Usage, "standard input is given twice, and can only be read once")
            .help("give one of the two by its path"));
    }
    let (old, new) = (arguments.take(&arguments.old)?, arguments.take(&arguments.new)?);
    let worlds = worlds((&arguments.old, &old), (&arguments.new, &new))?;
    let (old_name, new_name) = names(arguments);
    let found = diff::diff(side(&old_name, &old, worlds.0), side(&new_name, &new, worlds.1));
    let found = found.map_err(|error| match error {
        DiffError::Shape { ref source, .. } if !matches!(source, ShapeError::TooMany { .. }) => {
            Failure::because(Exit::Input, "an input is not valid", error)
        }
        error => Failure::because(Exit::Cannot, "nothing can be said of these two", error),
    })?;
    if arguments.by_version && found.versions.is_none() {
        return Err(Failure::new(Exit::Input, format!("`{}` declares no version", found.old))
            .help("`--by-version` needs WIT packages that have one, as in `package a:b@1.0.0;`"));
    }
    let text = if arguments.json {
        format!("{}\n", diff::json(&found))
    } else {
        failure::harmless(failure::colour_on_stdout(), |colour| diff::text(&found, colour))
    };
    files::print(text.as_bytes())?;
    arguments.judge(&found).map_err(Failure::told)
}

/// What the two are called: their last names, or where these are the same, all of their paths.
fn names(arguments: &Diff) -> (String, String) {
    let title = |input: &Input, whole: bool| {
        let source = if whole { input.source.to_string() } else { input.source.title() };
        match &input.world {
            Some(world) => format!("{source}#{world}"),
            None => source,
        }
    };
    let (old, new) = (title(&arguments.old, false), title(&arguments.new, false));
    if old == new { (title(&arguments.old, true), title(&arguments.new, true)) } else { (old, new) }
}

fn side<'a>(name: &'a str, taken: &'a Taken, world: Option<WorldId>) -> Side<'a> {
    match (taken, world) {
        (Taken::Component(shape), _) => Side::component(name, shape),
        (Taken::Contracts(contracts), Some(world)) => Side::world(name, contracts, world),
        (Taken::Contracts(contracts), None) => Side::package(name, contracts),
    }
}

/// The worlds that are meant: none where both are packages. A world is compared with the one of the same name, or the only
/// one; a component with the only one.
fn worlds(
    (old, old_taken): (&Input, &Taken),
    (new, new_taken): (&Input, &Taken),
) -> Result<(Option<WorldId>, Option<WorldId>), Failure> {
    let whole = |input: &Input, taken: &Taken| input.world.is_none() && matches!(taken, Taken::Contracts(_));
    if whole(old, old_taken) && whole(new, new_taken) {
        return Ok((None, None));
    }
    let world = |input: &Input, taken: &Taken, other: Option<&str>| -> Result<Option<WorldId>, Failure> {
        let Taken::Contracts(contracts) = taken else { return Ok(None) };
        let choose = |name| project::world(contracts, &input.source, name, "PATH#WORLD");
        match (&input.world, contracts.only_world(), other) {
            (Some(name), ..) => choose(Some(name)).map(Some),
            (None, Some(only), _) => Ok(Some(only)),
            (None, None, Some(same)) if contracts.world(same).is_ok() => choose(Some(same)).map(Some),
            (None, None, _) => choose(None).map(Some),
        }
    };
    Ok((world(old, old_taken, new.world.as_deref())?, world(new, new_taken, old.world.as_deref())?))
}

impl Diff {
    fn take(&self, input: &Input) -> Result<Taken, Failure> {
        if let Source::Path(path) = &input.source
            && !input.source.is_input()
            && (path.is_dir() || path.extension().is_some_and(|suffix| suffix == "wit"))
        {
            return project::load(path).map(Taken::Contracts);
        }
        let bytes = source::read(&input.source, &self.registry, Path::new("."))?;
        let shown = input.source.to_string();
        if input.source.is_input() && !bytes.starts_with(b"\0asm") {
            let text = files::text(Path::new(&shown), bytes)?;
            return Contracts::parse("standard input", &text).map(Taken::Contracts).map_err(|error| {
                Failure::because(Exit::Input, "cannot read the contracts in standard input", error)
            });
        }
        anatomy::read(&bytes).map_err(|error| match error {
            anatomy::ReadError::Text => {
                Failure::new(Exit::Input, format!("`{shown}` is text, and its name does not end in `.wit`"))
                    .help("give a component, the directory of a WIT package, or a `.wit` file")
            }
            error => files::not_a_component(Path::new(&shown), error),
        })?;
        if let Some(contracts) = wit_package::contracts(&bytes) {
            return Ok(Taken::Contracts(contracts));
        }
        if let Some(world) = &input.world {
            return Err(Failure::new(
                Exit::Usage,
                format!("`{shown}` is a component: it has no world `{world}` to choose"),
            )
            .help("leave `#` and what follows it out"));
        }
        Shape::of_component(&bytes).map(Taken::Component).map_err(|error| match error {
            ShapeError::Read(error) => files::not_a_component(Path::new(&shown), error),
            other => Failure::because(Exit::Input, format!("`{shown}` cannot be compared"), other),
        })
    }

    /// How the command ends.
    fn judge(&self, found: &diff::Diff) -> Result<(), Failure> {
        if self.by_version {
            let others =
                found.packages.iter().map(|package| (format!(" of `{}`", package.name), &package.versions));
            let all = found.versions.iter().map(|versions| (String::new(), versions)).chain(others);
            for (whose, versions) in all {
                let why = match versions.verdict() {
                    Verdict::Enough => continue,
                    Verdict::Undeclared => format!("no version{whose} is declared"),
                    Verdict::Unchanged => format!("the declared version{whose} is the same as before"),
                    Verdict::Backwards => format!("the declared version{whose} goes backwards"),
                    Verdict::TooSmall => format!("the declared version{whose} is too small"),
                };
                return Err(Failure::new(Exit::Breaks, why));
            }
            return Ok(());
        }
        let allowed = |whom| self.allow.contains(&whom);
        let callers = found.breaks.callers && !allowed(Whom::Callers);
        let implementers = found.breaks.implementers && !allowed(Whom::Implementers);
        match (callers, implementers) {
            (false, false) => Ok(()),
            (true, true) => Err(Failure::new(Exit::Breaks, "callers and implementers break")),
            (true, false) => Err(Failure::new(Exit::Breaks, "callers break")),
            (false, true) => Err(Failure::new(Exit::Breaks, "implementers break")),
        }
    }
}
