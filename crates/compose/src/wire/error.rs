//! Why a bag has no wiring.

use std::fmt;

use miette::Diagnostic;
use thiserror::Error;

use super::{MOST_INSTANCES, Part};
use contract::contain::Crash;

/// Why there is no wiring.
#[derive(Debug, Error)]
pub enum WireError {
    /// There are no parts.
    #[error("there are no components to compose")]
    Empty,
    /// A part has a name that a text could not have for it.
    #[error("`{0}` cannot be the name of a part")]
    BadName(String),
    /// Two parts have one name.
    #[error("two parts are called `{0}`")]
    TwoOfOneName(String),
    /// A part cannot be read.
    #[error("`{part}` cannot be read as a component")]
    Part {
        /// The part.
        part: String,
        /// Why not.
        source: Box<PartError>,
    },
    /// Something was decided about what is not there, or cannot be so.
    #[error("{what}")]
    Unknown {
        /// What was asked for, and that it is not there.
        what: String,
        /// What there is instead.
        help: String,
    },
    /// Two decisions about one import differ.
    #[error("conflicting `--wire` options for `{0}`")]
    DecidedTwice(String),
    /// Several parts could satisfy the same imports: those with the fewest candidates first.
    #[error("{}", ambiguous(.0))]
    Ambiguous(Vec<Ambiguity>),
    /// Parts need each other in a circle: each step's provider is the part of the next. There is no smaller circle.
    #[error("{}", cycle(.0))]
    Cycle(Vec<Step>),
    /// Imports that nobody satisfies.
    #[error("{}", open(.0))]
    Open(Vec<OpenImport>),
    /// Functions that take or return a resource, are imported outside of an interface, and stay open.
    #[error("{}", open_functions(.0))]
    OpenFunctions(Vec<OpenImport>),
    /// Several parts export what the result can export once.
    #[error("{}", clash(export, offers))]
    Clash {
        /// The name of the export, as it was asked for.
        export: String,
        /// The parts, each with the full name of its export.
        offers: Vec<Candidate>,
        /// Whether one may be chosen. Not where at least two of the parts are there for this export alone: one of them would be
        /// unused.
        choice: bool,
    },
    /// Nothing is left to export.
    #[error("the result would export nothing")]
    NothingExported,
    /// Parts that nothing uses.
    #[error("{}", unused(.0))]
    Unused(Vec<Unused>),
    /// No engine would take the result.
    #[error(
        "the result would have {instances} instances in one component, where engines take at most {MOST_INSTANCES}: it \
         has {parts} parts, and an interface counts where it is taken from a part, from the host, and where it is exported"
    )]
    TooMany {
        /// How many instances there would be.
        instances: usize,
        /// How many of them are parts.
        parts: usize,
    },
}

/// Why a part cannot be read.
#[derive(Debug, Error)]
pub enum PartError {
    /// It is not a component, or exceeds a limit.
    #[error(transparent)]
    Read(#[from] anatomy::ReadError),
    /// It is not valid.
    #[error("{}", PartError::INVALID)]
    Invalid(#[source] wasmparser::Error),
    /// It is a WIT package in its binary form.
    #[error("it is a WIT package: it has types, and nothing that runs")]
    WitPackage,
    /// A library crashed on it.
    #[error(transparent)]
    Crash(#[from] Crash),
}

impl PartError {
    /// What is said of a part that is not valid.
    pub const INVALID: &str = "it is not a valid component";
}

/// Imports of one part, and those who could satisfy each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambiguity {
    /// The part that imports.
    pub part: String,
    /// The names of the imports.
    pub imports: Vec<String>,
    /// The parts that could satisfy them.
    pub providers: Vec<String>,
    /// Whether several of the imports are of one interface, so that each may be meant for another part.
    pub apart: bool,
}

/// A part that takes something from another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The part that imports.
    pub part: String,
    /// The name of the import.
    pub import: String,
    /// The part that satisfies it.
    pub provider: String,
}

/// An import that nobody satisfies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenImport {
    /// The part that imports.
    pub part: String,
    /// The name of the import.
    pub import: String,
    /// A part that exports the interface in another version that does not match, and that export.
    pub present: Option<(String, String)>,
}

/// An export of a part that could be one of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The part.
    pub part: String,
    /// The name of its export.
    pub export: String,
}

/// A part that nothing uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// The part.
    pub part: String,
    /// What it exports.
    pub exports: Vec<String>,
    /// Those of its exports that the result could have: nothing else is exported under their names.
    pub free: Vec<String>,
}

impl WireError {
    pub(super) fn unknown_part(name: &str, parts: &[&Part]) -> Self {
        let known: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        WireError::Unknown {
            what: format!("there is no part `{name}`"),
            help: format!("there are {}", list(&known)),
        }
    }
}

impl Diagnostic for WireError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let words = match self {
            WireError::Empty => "give at least one: a file, a directory of files, or NAME=FILE".to_owned(),
            WireError::BadName(_) => {
                "a name is words of lower-case letters and digits that begin with a letter, joined by hyphens"
                    .to_owned()
            }
            WireError::TwoOfOneName(_) => "give them names of their own: `NAME=FILE`".to_owned(),
            WireError::Unknown { help, .. } => help.clone(),
            WireError::DecidedTwice(_) => "keep one of the two".to_owned(),
            WireError::Ambiguous(all) => decide(&all[0]),
            WireError::Cycle(steps) => {
                let flags = steps.iter().map(|step| format!("`--leave-open {}.{}`", step.part, step.import));
                let flags: Vec<String> = flags.collect();
                let Step { part, import, .. } = &steps[0];
                format!(
                    "cut it at one place: leave that import to the host ({}), or take it from a part outside of the circle \
                     (`--wire {part}.{import}=PART` and the like)",
                    flags.join(" or ")
                )
            }
            WireError::Open(all) => {
                let OpenImport { part, import, present } = &all[0];
                match present {
                    Some((other, export)) => format!(
                        "give a component that exports it in a version that matches; `{other}` exports `{export}`, which \
                         `--wire {part}.{import}={other}.{export}` passes all the same where the types agree; or leave it to \
                         the host: `--leave-open {import}`"
                    ),
                    None if all.len() == 1 => format!(
                        "give the component that exports it, or leave it to the host: `--leave-open {import}`"
                    ),
                    None => format!(
                        "give the components that export them, or leave them to the host: `{}`",
                        leave_open(all)
                    ),
                }
            }
            WireError::OpenFunctions(all) => format!(
                "give the component that exports {}, or build `{}` so that it imports an interface with the resource and its \
                 functions in it",
                if all.len() == 1 { "it" } else { "them" },
                all[0].part
            ),
            WireError::Clash { offers, choice: true, .. } => {
                let flag = |Candidate { part, export }: &Candidate| format!("`--export {part}.{export}`");
                let flags: Vec<String> = offers.iter().map(flag).collect();
                format!("say which, beside all else that the result should export: {}", flags.join(" or "))
            }
            WireError::Clash { offers, .. } => {
                let Candidate { part, export } = &offers[offers.len() - 1];
                format!(
                    "a name can be exported once: leave out all of them but one, or write a text that exports one under another \
                     name: `export {part}[\"{export}\"] as \"NAME\";`"
                )
            }
            WireError::NothingExported => "say what it should export: `--export IFACE`".to_owned(),
            WireError::Unused(all) => match all.iter().find(|unused| !unused.free.is_empty()) {
                Some(Unused { part, free, .. }) => format!(
                    "leave out what is not needed, or have the result export what it is there for: `--export {part}.{}`",
                    free[0]
                ),
                None if all.iter().any(|unused| !unused.exports.is_empty()) => {
                    "leave it out: another part exports the same out of the result, and a name can be exported once".to_owned()
                }
                None => "leave it out".to_owned(),
            },
            WireError::TooMany { .. } => {
                "compose some of the parts to a component of their own first, and compose that with the rest"
                    .to_owned()
            }
            WireError::Part { .. } => return None,
        };
        Some(Box::new(words))
    }
}

fn decide(one: &Ambiguity) -> String {
    if one.apart {
        let each = one.imports.iter().zip(one.providers.iter().cycle());
        let flags = each.map(|(import, provider)| format!("--wire {}.{import}={provider}", one.part));
        return format!("say which for each, for example `{}`", flags.collect::<Vec<_>>().join(" "));
    }
    let place = match one.imports.as_slice() {
        [import] => format!("{}.{import}", one.part),
        _ => one.part.clone(),
    };
    let flags = one.providers.iter().map(|provider| format!("`--wire {place}={provider}`"));
    format!("say which: {}", flags.collect::<Vec<_>>().join(" or "))
}

fn clash(export: &str, offers: &[Candidate]) -> String {
    if offers.iter().all(|offer| offer.export == export) {
        let parts: Vec<&str> = offers.iter().map(|offer| offer.part.as_str()).collect();
        return format!("`{export}` is to be exported, and {} have it: {}", count(parts.len()), list(&parts));
    }
    let each = |offer: &Candidate| format!("`{}` of `{}`", offer.export, offer.part);
    let all: Vec<String> = offers.iter().map(each).collect();
    format!("`{export}` is to be exported, and there are {}", all.join(" and "))
}

fn ambiguous(all: &[Ambiguity]) -> String {
    let line = |one: &Ambiguity| {
        format!(
            "`{}` imports {}, which {} export: {}",
            one.part,
            list(&one.imports),
            count(one.providers.len()),
            list(&one.providers)
        )
    };
    match all {
        [one] => line(one),
        many => format!("there is a choice in {} places:{}", many.len(), lines(many.iter().map(line))),
    }
}

fn cycle(steps: &[Step]) -> String {
    let line = |Step { part, import, provider }: &Step| {
        format!("`{part}` imports `{import}`, which `{provider}` exports")
    };
    let all: Vec<&str> = steps.iter().map(|step| step.part.as_str()).collect();
    format!(
        "{} need each other, so none of them can be instantiated first:{}",
        list(&all),
        lines(steps.iter().map(line))
    )
}

fn open_functions(all: &[OpenImport]) -> String {
    let one = |one: &OpenImport| format!("`{}` imports `{}`", one.part, one.import);
    let why = "outside of an interface, which cannot be left to the host: it takes or returns a resource";
    match all {
        [only] => format!("{} {why}", one(only)),
        all => format!(
            "{} functions cannot be left to the host:{}",
            all.len(),
            lines(all.iter().map(|it| format!("{} {why}", one(it))))
        ),
    }
}

/// The flags that leave all of these to the host, each import once.
fn leave_open(all: &[OpenImport]) -> String {
    let mut imports: Vec<&str> = all.iter().map(|open| open.import.as_str()).collect();
    imports.sort_unstable();
    imports.dedup();
    imports.iter().map(|import| format!("--leave-open {import}")).collect::<Vec<_>>().join(" ")
}

fn open(all: &[OpenImport]) -> String {
    let line = |one: &OpenImport| match &one.present {
        None => format!("`{}` imports `{}`, which nothing that was given exports", one.part, one.import),
        Some((part, export)) => format!(
            "`{}` imports `{}`, which nothing that was given exports: `{part}` has it as `{export}`, which is not compatible",
            one.part, one.import
        ),
    };
    match all {
        [one] => line(one),
        many => format!("{} imports stay open:{}", many.len(), lines(many.iter().map(line))),
    }
}

fn unused(all: &[Unused]) -> String {
    let line = |one: &Unused| match one.exports.as_slice() {
        [] => format!("`{}` exports nothing, so nothing can use it", one.part),
        exports => format!("`{}` is used by nothing: it exports {}", one.part, list(exports)),
    };
    match all {
        [one] => line(one),
        many => format!("{} components are not needed:{}", many.len(), lines(many.iter().map(line))),
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| format!("\n- {line}")).collect()
}

pub(super) fn list(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

fn count(parts: usize) -> String {
    format!("{parts} parts")
}
