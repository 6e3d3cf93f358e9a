//! What can go wrong with a composition.

use miette::SourceSpan;
use semver::Version;
use thiserror::Error;
use wac_parser::resolution::Error as ResolveError;

use contract::contain::Crash;
use contract::shape::MOST_INSTANCES;

/// The longest text that is read, in bytes.
pub(super) const LONGEST: usize = 1 << 20;
/// How deep brackets may be nested: the parser is recursive, and knows no limit.
pub(super) const DEEPEST: usize = 64;

/// A package that a text mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its name, without a version.
    pub name: String,
    /// The version that is asked for.
    pub version: Option<Version>,
    /// Where it is mentioned first.
    pub span: SourceSpan,
}

/// What went wrong with a composition.
#[derive(Debug, Error)]
pub enum ComposeErrorKind {
    /// The text is longer than a megabyte.
    #[error("the text is too long: {0} bytes, where the limit is {LONGEST}")]
    TooLong(usize),
    /// Brackets are nested too deeply.
    #[error("brackets are nested more than {DEEPEST} deep")]
    TooDeep(SourceSpan),
    /// The text is not in the WAC language.
    #[error("{0}")]
    Syntax(Box<wac_parser::Error>),
    /// No package of this name was given.
    #[error("there is no package `{}`", .0.name)]
    Missing(Box<Reference>),
    /// What was given under this name cannot be read as a component.
    #[error("what was given for `{}` cannot be read as a component", .0.name)]
    Part(Box<Reference>, #[source] Box<anatomy::ReadError>),
    /// What was given under this name is not a valid component.
    #[error("what was given for `{}` cannot be used as a component", .0.name)]
    Invalid(Box<Reference>, #[source] anyhow::Error),
    /// The text instantiates what it defines.
    #[error("a composition cannot instantiate itself")]
    Itself(SourceSpan),
    /// What the text says cannot be done with these packages. Names that help come with it: where the target world lacks an
    /// import, those of the packages that want it; where a component does, those of its imports.
    #[error("{}", headline(.0))]
    Resolve(Box<ResolveError>, Vec<String>),
    /// Types that exports mention have no names.
    #[error("{}", unnamed(.0))]
    Unnamed(Vec<Unnamed>),
    /// An interface is exported that mentions a type which is exported for itself, by way of the part's own name for it.
    #[error(
        "`{export}` cannot be exported: it uses the type `{name}`, which is exported for itself, outside of any interface"
    )]
    Beside {
        /// The name of the interface.
        export: String,
        /// The name of the type.
        name: String,
    },
    /// An import that is left to the host cannot be written down.
    #[error("the import `{}`{} cannot be left to the host: {}", .0.import, of(&.0.parts), .0.reason)]
    Unwritable(Box<Unwritable>),
    /// No engine would take the composition.
    #[error(
        "the composition would have {instances} instances in one component, where engines take at most \
         {MOST_INSTANCES}: it has {parts} parts, and an interface counts where it is taken from a part, from the host, and \
         where it is exported"
    )]
    TooMany {
        /// How many instances there would be.
        instances: usize,
        /// How many components are embedded.
        parts: usize,
    },
    /// The composition goes beyond what can be read again.
    #[error("the composition cannot be described")]
    Describe(#[source] anatomy::ReadError),
    /// A library crashed.
    #[error("the composition cannot be made")]
    Crash(#[source] Crash),
}

/// A type that an export mentions, and that nothing names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unnamed {
    /// The name of the export.
    pub export: String,
    /// The name that the text has for the instance that `export` was taken from, if it was.
    pub instance: Option<String>,
    /// The name of the type, where it comes from.
    pub name: String,
    /// The name that the text has for the instance that the type comes from.
    pub from: String,
    /// The export of that instance by which the type would get its name.
    pub source: String,
}

/// An import that the library cannot write down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwritable {
    /// The name of the import.
    pub import: String,
    /// What about it cannot be written down.
    pub reason: String,
    /// The packages that import it. None where the text does.
    pub parts: Vec<String>,
}

/// Errors of wac carry the reason as their source; some are worth saying in other words.
fn headline(error: &ResolveError) -> String {
    match error {
        ResolveError::MismatchedInstantiationArg { name, .. } => {
            format!("the argument `{name}` is not of the type that is imported under this name")
        }
        ResolveError::MissingInstantiationArg { name, package, .. } => {
            format!("`{package}` imports `{name}`, and gets nothing for it")
        }
        ResolveError::ImportNotInTarget { name, world, .. } => {
            format!("the composition imports `{name}`, which its target world `{world}` does not")
        }
        ResolveError::MissingTargetExport { name, world, .. } => {
            format!("the composition does not export `{name}`, which its target world `{world}` demands")
        }
        other => other.to_string(),
    }
}

fn of(parts: &[String]) -> String {
    if parts.is_empty() { String::new() } else { format!(" of `{}`", parts.join("`, `")) }
}

fn unnamed(all: &[Unnamed]) -> String {
    let line = |one: &Unnamed| {
        let Unnamed { export, name, from, source, .. } = one;
        let of = if from.is_empty() { String::new() } else { format!(" of `{from}`") };
        if name == source {
            format!("`{export}` cannot be exported without the type `{name}`{of}, which it uses")
        } else {
            format!("`{export}` cannot be exported without `{source}`{of}: it uses the type `{name}` of it")
        }
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}
