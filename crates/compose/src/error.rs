//! Why there is no composition, and how that is told.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};
use wac_parser::lexer::Token;
use wac_parser::resolution::Error as ResolveError;

use super::kind::{ComposeErrorKind, Unnamed};
use super::place;
use super::text::guard;
use check::{self, Mismatch, Wire};

/// The longest line that is shown with an error, in bytes.
const WIDEST: usize = 500;

/// Where to read how a text is written.
const LANGUAGE: &str = "the language is described at https://github.com/bytecodealliance/wac/blob/main/LANGUAGE.md; `composer compose \
                        A.wasm B.wasm --emit-wac OUT.wac` writes a text to begin with";

/// Why there is no composition.
#[derive(Debug)]
pub struct ComposeError {
    /// What went wrong.
    pub kind: ComposeErrorKind,
    /// All that does not fit in what the text asks for, where types are what went wrong.
    pub mismatches: Vec<Mismatch>,
    /// Where the target world and the composition have one interface under different versions that promise to fit: a target
    /// wants the very name.
    pub(super) versions: Vec<Wire>,
    /// The text. None where nobody wrote one.
    source: Option<Box<NamedSource<String>>>,
}

impl ComposeError {
    pub(super) fn new(kind: ComposeErrorKind, name: &str, text: &str) -> Self {
        ComposeError {
            kind,
            mismatches: Vec::new(),
            versions: Vec::new(),
            source: Some(Box::new(NamedSource::new(name, text.to_owned()))),
        }
    }

    /// The same error for a text that nobody wrote: it is not shown. What does not fit is told in terms of the parts, where
    /// that is known.
    #[must_use]
    pub fn of_bag(self, mismatches: Vec<Mismatch>) -> Self {
        let mismatches = if mismatches.is_empty() { self.mismatches } else { mismatches };
        let kind = match self.kind {
            ComposeErrorKind::Unwritable(mut found) => {
                found.parts = found.parts.iter().map(|package| part(package).to_owned()).collect();
                ComposeErrorKind::Unwritable(found)
            }
            kind => kind,
        };
        ComposeError { kind, mismatches, source: None, ..self }
    }

    /// Whether it is about the target world, and not about what is wired.
    fn of_target(&self) -> bool {
        let ComposeErrorKind::Resolve(error, _) = &self.kind else { return false };
        matches!(
            **error,
            ResolveError::ImportNotInTarget { .. }
                | ResolveError::MissingTargetExport { .. }
                | ResolveError::TargetMismatch { .. }
        )
    }

    /// Whether the mismatches say it all: what the validator refused is in numbers.
    fn told(&self) -> bool {
        let refused = |error: &ResolveError| matches!(error, ResolveError::ValidationFailure { .. });
        let refused = matches!(&self.kind, ComposeErrorKind::Resolve(error, _) if refused(error));
        !self.mismatches.is_empty() && !self.of_target() && (refused || self.source.is_none())
    }

    /// Whether the text is shown with the error: not where a line of it would fill the screen.
    fn shown(&self) -> bool {
        self.source.as_ref().is_some_and(|text| text.inner().lines().all(|line| line.len() <= WIDEST))
    }

    /// Line and column of the first label, counted from 1.
    fn place(&self) -> (usize, usize) {
        let offset = self.labels().and_then(|mut labels| labels.next()).map_or(0, |label| label.offset());
        let text = self.source.as_ref().map_or("", |text| text.inner());
        let before = text.get(..offset).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or(before);
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    /// Where the text names its target world: the place of errors that wac gives none.
    fn target_span(&self) -> Option<SourceSpan> {
        let tokens = guard(self.source.as_ref()?.inner()).ok()?;
        let mut after = tokens.iter().skip_while(|(token, _)| *token != Token::TargetsKeyword);
        after.nth(1).map(|(_, span)| *span)
    }
}

impl fmt::Display for ComposeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.told() {
            return f.write_str(if self.source.is_some() {
                "what is wired together does not fit"
            } else {
                "the components do not fit each other"
            });
        }
        if let Some(source) = self.source.as_ref().filter(|_| !self.shown()) {
            let (line, column) = self.place();
            write!(f, "{}:{line}:{column}: ", source.name())?;
        }
        self.kind.fmt(f)
    }
}

impl std::error::Error for ComposeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            _ if self.told() => None,
            ComposeErrorKind::Resolve(error, _) => std::error::Error::source(&**error),
            ComposeErrorKind::Crash(crash) => Some(crash),
            ComposeErrorKind::Part(_, error) => Some(&**error),
            ComposeErrorKind::Invalid(_, error) => Some(&**error),
            ComposeErrorKind::Describe(error) => Some(error),
            _ => None,
        }
    }
}

impl Diagnostic for ComposeError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let way_out = if self.source.is_some() { self.way_out() } else { self.flag() };
        if self.mismatches.is_empty() {
            return way_out;
        }
        let words = way_out.map(|words| format!("{words}\n")).unwrap_or_default();
        Some(Box::new(format!("{words}what does not fit:\n{}", check::blocks(&self.mismatches, false))))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        let text = self.source.as_deref().filter(|_| self.shown())?;
        Some(text as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        match &self.kind {
            _ if self.source.is_none() => None,
            ComposeErrorKind::Syntax(error) => error.labels(),
            ComposeErrorKind::Resolve(error, _) => match &**error {
                ResolveError::ImportNotInTarget { span: None, .. }
                | ResolveError::TargetMismatch { span: None, .. } => one("this world", self.target_span()?),
                other => other.labels(),
            },
            ComposeErrorKind::TooDeep(span) => one("one too deep", *span),
            ComposeErrorKind::Missing(reference) => one("nothing was given for this", reference.span),
            ComposeErrorKind::Part(reference, _) | ComposeErrorKind::Invalid(reference, _) => {
                one("this one", reference.span)
            }
            ComposeErrorKind::Itself(span) => one("this is the package that the text defines", *span),
            ComposeErrorKind::Unnamed(all) => {
                let text = self.source.as_ref()?.inner();
                let first = all.first()?;
                one("exported here", place::export(text, &first.export, first.instance.as_deref())?)
            }
            ComposeErrorKind::Beside { export, .. } => {
                one("exported here", place::export(self.source.as_ref()?.inner(), export, None)?)
            }
            ComposeErrorKind::TooLong(_)
            | ComposeErrorKind::Unwritable(_)
            | ComposeErrorKind::TooMany { .. }
            | ComposeErrorKind::Describe(_)
            | ComposeErrorKind::Crash(_) => None,
        }
    }
}

impl ComposeError {
    /// What to do about it, as far as the kind of error says it.
    fn way_out(&self) -> Option<Box<dyn fmt::Display + '_>> {
        let words: String = match &self.kind {
            ComposeErrorKind::Missing(reference) => format!(
                "say which file it is: `-d {name}=FILE.wasm` for a component, `-d {name}=DIRECTORY` for a WIT package",
                name = reference.name
            ),
            ComposeErrorKind::Resolve(error, wanting) => match &**error {
                ResolveError::MissingInstantiationArg { .. } => {
                    "give it an instance that exports it, or end the arguments with `...`, which leaves what is \
                     missing to the host"
                        .to_owned()
                }
                ResolveError::ImportNotInTarget { name, .. } if self.version(name).is_some() => {
                    let there = self.version(name).unwrap_or_default();
                    format!(
                        "the world imports `{there}`, which promises to fit, but a target wants the very name: `import i: {there};`, \
                         and `\"{name}\": i` among the arguments"
                    )
                }
                ResolveError::MissingTargetExport { name, .. } if self.version(name).is_some() => {
                    let there = self.version(name).unwrap_or_default();
                    format!(
                        "it exports `{there}`, which promises to fit, but a target wants the very name: `export \
                         NAME[\"{there}\"] as \"{name}\";` where NAME is the instance that has it"
                    )
                }
                ResolveError::ImportNotInTarget { .. } => {
                    let wanting = if wanting.is_empty() {
                        String::new()
                    } else {
                        format!("`{}` wants it: ", wanting.join("`, `"))
                    };
                    format!("{wanting}wire that import to a part that exports it, or let the world import it")
                }
                ResolveError::MissingTargetExport { name, .. } => {
                    format!("export it: `export NAME[\"{name}\"];` where NAME is the instance that has it")
                }
                ResolveError::UndefinedName { .. } => {
                    "a name is defined above the place that uses it: `let NAME = new PACKAGE { ... };` or `import NAME: ...;`"
                        .to_owned()
                }
                ResolveError::DuplicateName { .. } => "give one of the two another name".to_owned(),
                ResolveError::MissingComponentImport { .. } if wanting.is_empty() => "it imports nothing".to_owned(),
                ResolveError::MissingComponentImport { .. } => format!("it imports `{}`", wanting.join("`, `")),
                ResolveError::MissingInstanceExport { .. } => {
                    "`composer inspect` of the component that it is an instance of shows what it exports".to_owned()
                }
                other => return other.help().map(|help| Box::new(help.to_string()) as Box<dyn fmt::Display>),
            },
            ComposeErrorKind::Itself(_) => {
                "instantiate another package, or give the composition another name in the first line".to_owned()
            }
            ComposeErrorKind::Unnamed(all) => also(all),
            ComposeErrorKind::Unwritable(found) => unwritable(&found.import),
            ComposeErrorKind::Beside { .. } => {
                "wire it to a part instead of exporting it, or define the type in an interface of its own".to_owned()
            }
            ComposeErrorKind::TooMany { .. } => {
                "compose some of the parts to a component of their own first, and compose that with the rest".to_owned()
            }
            ComposeErrorKind::Syntax(error) => {
                error.help().map_or_else(|| LANGUAGE.to_owned(), |help| help.to_string())
            }
            _ => return None,
        };
        Some(Box::new(words))
    }
}

impl ComposeError {
    /// The version in which the other side has an interface, of the composition and its target world.
    fn version(&self, name: &str) -> Option<&str> {
        self.versions.iter().find(|wire| wire.import == name).map(|wire| wire.export.as_str())
    }

    /// What to do about it where nobody wrote a text: that is decided by flags.
    fn flag(&self) -> Option<Box<dyn fmt::Display + '_>> {
        if let ComposeErrorKind::Unwritable(found) = &self.kind {
            return Some(Box::new(unwritable(&found.import)));
        }
        let ComposeErrorKind::Resolve(error, concerned) = &self.kind else { return None };
        let parts: Vec<&str> = concerned.iter().map(|package| part(package)).collect();
        let parts = parts.join("`, `");
        let words = match &**error {
            ResolveError::ImportNotInTarget { name, .. } => match self.version(name) {
                Some(there) => format!(
                    "the world imports `{there}`, which promises to fit, but a target wants the very name: let it import `{name}`, \
                     or write the text (`--emit-wac`, without `--world`) and give `{there}` there: `import i: {there};`, and \
                     `\"{name}\": i` among the arguments"
                ),
                None => format!(
                    "`{parts}` wants it: give a part that exports it as well, or let the world import it"
                ),
            },
            ResolveError::MissingTargetExport { name, .. } => match self.version(name) {
                Some(there) => format!(
                    "it exports `{there}`, which promises to fit, but a target wants the very name: let the world export `{there}`, \
                     or write the text (`--emit-wac`, without `--world`) and rename it there: `export NAME[\"{there}\"] as \
                     \"{name}\";`"
                ),
                None if parts.is_empty() => format!("give a part that exports `{name}` as well"),
                None => format!(
                    "`{parts}` has it: `--export {name}`, beside all else that the result should export"
                ),
            },
            _ => return None,
        };
        Some(Box::new(words))
    }
}

/// The name of a part, of which a text has a package.
fn part(package: &str) -> &str {
    package.split_once(':').map_or(package, |(_, part)| part)
}

/// Names the parts whose import it is.
/// What to do about an import that cannot be left to the host.
fn unwritable(import: &str) -> String {
    format!(
        "the library that writes compositions cannot write that (docs/upstream.md): give a component that exports \
         `{import}`"
    )
}

/// Says which types have no names, and which exports would give them names.
/// The statements that are missing where types have no names.
fn also(all: &[Unnamed]) -> String {
    let mut statements = Vec::new();
    for Unnamed { from, source, .. } in all {
        let name = if from.is_empty() { "NAME" } else { from };
        let statement = format!("`export {name}[\"{source}\"];`");
        if !statements.contains(&statement) {
            statements.push(statement);
        }
    }
    let whose = if all.iter().any(|one| one.from.is_empty()) {
        ", where NAME is the instance that has it, named with `let`"
    } else {
        ""
    };
    format!("export that as well: {}{whose}", statements.join(", "))
}

fn one(label: &str, span: SourceSpan) -> Option<Box<dyn Iterator<Item = LabeledSpan>>> {
    Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(Some(label.to_owned()), span))))
}
