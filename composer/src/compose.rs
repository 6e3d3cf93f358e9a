//! Puts components together, as a text in the WAC language says.
//!
//! The language and the encoding are the standard ones (`wac-parser`, `wac-graph`). What is added here: limits
//! before the text reaches a recursive parser, an answer to what packages a text needs before any is looked for,
//! errors that name the way out, and validation of the result as a whole. Parts are embedded byte for byte, and
//! the result depends on the text and the parts alone, not on the order in which they were given.

use std::collections::BTreeMap;
use std::fmt;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};
use semver::Version;
use thiserror::Error;
use wac_parser::Document;
use wac_parser::lexer::{Lexer, Token};
use wac_parser::resolution::Error as ResolveError;

use crate::check::{self, Mismatch};
use crate::contain::{Crash, contain};
use crate::diagnosis;
use crate::encoding::{self, Encoded};
use crate::link_map::Origins;
use crate::wire::MOST_INSTANCES;

pub use crate::composed::Composed;

/// The longest text that is read, in bytes.
const LONGEST: usize = 1 << 20;
/// The longest line that is shown with an error, in bytes.
const WIDEST: usize = 500;
/// How deep brackets may be nested: the parser is recursive, and knows no limit.
const DEEPEST: usize = 64;

/// Binary packages by their names, such as `parts:greeter`, without versions: components, and WIT packages in
/// their binary form.
pub type Packages = BTreeMap<String, Vec<u8>>;

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

/// Why there is no composition.
#[derive(Debug)]
pub struct ComposeError {
    /// What went wrong.
    pub kind: ComposeErrorKind,
    /// All that does not fit in what the text asks for, where types are what went wrong.
    pub mismatches: Vec<Mismatch>,
    /// The text. None where nobody wrote one.
    source: Option<Box<NamedSource<String>>>,
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
    Missing(Reference),
    /// What was given under this name cannot be read as a component.
    #[error("what was given for `{}` cannot be read as a component", .0.name)]
    Part(Reference, #[source] Box<anatomy::ReadError>),
    /// What the text says cannot be done with these packages. Where an import is the matter, the packages that
    /// want it are named.
    #[error("{}", headline(.0))]
    Resolve(Box<ResolveError>, Vec<String>),
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

/// The packages that `text` mentions, in the order of first mention: those that [`compose`] will ask for.
///
/// # Errors
///
/// Where the text is too long, nested too deeply, or not in the WAC language.
pub fn references(name: &str, text: &str) -> Result<Vec<Reference>, ComposeError> {
    wanted(text).map_err(|kind| ComposeError::new(kind, name, text))
}

/// Composes: `name` is the name of the text, for error messages.
///
/// # Errors
///
/// Where the text is not in the WAC language, a package that it mentions is not among `packages`, or what it says
/// cannot be done: types that differ, arguments that are missing, a target world that does not fit.
pub fn compose(name: &str, text: &str, packages: &Packages) -> Result<Vec<u8>, ComposeError> {
    compose_from(name, text, packages, &Origins::new())
}

/// As [`compose`], with what is known of where the packages came from. It goes into the
/// [link map](anatomy::link_map) of the composition, and changes nothing else.
///
/// # Errors
///
/// As for [`compose`].
pub fn compose_from(
    name: &str,
    text: &str,
    packages: &Packages,
    origins: &Origins,
) -> Result<Vec<u8>, ComposeError> {
    compose_in_place(name, text, packages, origins).map(|composed| composed.to_vec())
}

/// As [`compose_from`], without a copy of the packages: what large parts are composed with.
///
/// # Errors
///
/// As for [`compose`].
pub fn compose_in_place<'p>(
    name: &str,
    text: &str,
    packages: &'p Packages,
    origins: &Origins,
) -> Result<Composed<'p>, ComposeError> {
    encoded(text, packages).and_then(|encoded| encoded.described(origins)).map_err(|kind| {
        let mismatches = diagnose(&kind, text, packages);
        ComposeError { mismatches, ..ComposeError::new(kind, name, text) }
    })
}

fn encoded<'p>(text: &str, packages: &'p Packages) -> Result<Encoded<'p>, ComposeErrorKind> {
    encoding::encode(text, &wanted(text)?, packages)
}

/// All that does not fit, where that is what went wrong: the libraries stop at the first mismatch.
fn diagnose(kind: &ComposeErrorKind, text: &str, packages: &Packages) -> Vec<Mismatch> {
    let ComposeErrorKind::Resolve(error, _) = kind else { return Vec::new() };
    let work = || {
        let Ok(document) = parse(text) else { return Vec::new() };
        match &**error {
            ResolveError::MismatchedInstantiationArg { .. }
            | ResolveError::MissingInstantiationArg { .. }
            | ResolveError::MissingComponentImport { .. }
            | ResolveError::MissingInstanceExport { .. }
            | ResolveError::InstantiationArgMergeFailure { .. }
            | ResolveError::SpreadInstantiationNoMatch { .. }
            | ResolveError::ValidationFailure { .. } => diagnosis::wiring(&document, packages),
            ResolveError::ImportNotInTarget { .. }
            | ResolveError::MissingTargetExport { .. }
            | ResolveError::TargetMismatch { .. } => {
                let Some(target) = &document.directive.targets else { return Vec::new() };
                // The same text without its target composes, and then both can be compared as a whole.
                let end = target.span.offset() + target.span.len();
                let start = document.directive.package.span.offset() + document.directive.package.span.len();
                let untargeted = format!("{}{}", &text[..start], &text[end..]);
                encoded(&untargeted, packages)
                    .map(|encoded| encoded.composed.to_vec())
                    .map(|composition| diagnosis::target(&composition, target.string, packages))
                    .unwrap_or_default()
            }
            _ => Vec::new(),
        }
    };
    contain(work).unwrap_or_default()
}

/// The full name of the world that `text` targets, if it does.
///
/// # Errors
///
/// As for [`references`].
pub fn target(name: &str, text: &str) -> Result<Option<String>, ComposeError> {
    let read = || {
        guard(text)?;
        let document = parse(text)?;
        Ok(document.directive.targets.map(|path| path.string.to_owned()))
    };
    read().map_err(|kind| ComposeError::new(kind, name, text))
}

pub(crate) fn parse(text: &str) -> Result<Document<'_>, ComposeErrorKind> {
    Document::parse(text).map_err(|error| ComposeErrorKind::Syntax(Box::new(error)))
}

fn wanted(text: &str) -> Result<Vec<Reference>, ComposeErrorKind> {
    let tokens = guard(text)?;
    let document = contain(|| parse(text).map(|document| document.directive.package.name.to_owned()));
    let own = document.map_err(ComposeErrorKind::Crash)??;
    let mut found: Vec<Reference> = Vec::new();
    for (token, span) in tokens {
        if !matches!(token, Token::PackageName | Token::PackagePath) {
            continue;
        }
        let full = &text[span.offset()..span.offset() + span.len()];
        let (path, version) =
            full.split_once('@').map_or((full, None), |(path, version)| (path, Some(version)));
        let name = path.split('/').next().unwrap_or(path);
        let version = version.and_then(|version| version.parse().ok());
        let known = |known: &Reference| known.name == name && known.version == version;
        if name != own && !found.iter().any(known) {
            found.push(Reference { name: name.to_owned(), version, span });
        }
    }
    Ok(found)
}

/// Checks the limits, and answers with the tokens, up to where the text stops making sense: what is wrong there
/// is for the parser to say.
fn guard(text: &str) -> Result<Vec<(Token, SourceSpan)>, ComposeErrorKind> {
    if text.len() > LONGEST {
        return Err(ComposeErrorKind::TooLong(text.len()));
    }
    let mut depth = 0_usize;
    let mut tokens = Vec::new();
    let Ok(lexer) = Lexer::new(text) else { return Ok(tokens) };
    for (token, span) in lexer {
        let Ok(token) = token else { break };
        match token {
            Token::OpenParen | Token::OpenBrace | Token::OpenAngle | Token::OpenBracket => depth += 1,
            Token::CloseParen | Token::CloseBrace | Token::CloseAngle | Token::CloseBracket => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        if depth > DEEPEST {
            return Err(ComposeErrorKind::TooDeep(span));
        }
        tokens.push((token, span));
    }
    Ok(tokens)
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

impl ComposeError {
    fn new(kind: ComposeErrorKind, name: &str, text: &str) -> Self {
        ComposeError {
            kind,
            mismatches: Vec::new(),
            source: Some(Box::new(NamedSource::new(name, text.to_owned()))),
        }
    }

    /// The same error for a text that nobody wrote, where what does not fit is known in terms of the parts it was found for.
    #[must_use]
    pub fn found(self, mismatches: Vec<Mismatch>) -> Self {
        if mismatches.is_empty() { self } else { ComposeError { mismatches, source: None, ..self } }
    }

    /// Whether the mismatches say it all: what the validator refused is in numbers.
    fn told(&self) -> bool {
        let refused = |error: &ResolveError| matches!(error, ResolveError::ValidationFailure { .. });
        let refused = matches!(&self.kind, ComposeErrorKind::Resolve(error, _) if refused(error));
        !self.mismatches.is_empty() && (refused || self.source.is_none())
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
        if !self.shown() {
            let (line, column) = self.place();
            let name = self.source.as_ref().map_or("", |text| text.name());
            write!(f, "{name}:{line}:{column}: ")?;
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
            ComposeErrorKind::Describe(error) => Some(error),
            _ => None,
        }
    }
}

impl Diagnostic for ComposeError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let way_out = self.way_out().filter(|_| self.source.is_some());
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
            ComposeErrorKind::Part(reference, _) => one("this one", reference.span),
            ComposeErrorKind::TooLong(_)
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
            ComposeErrorKind::Missing(Reference { name, .. }) => format!(
                "say which file it is: `-d {name}=FILE.wasm` for a component, `-d {name}=FOLDER` for a WIT package"
            ),
            ComposeErrorKind::Resolve(error, wanting) => match &**error {
                ResolveError::MissingInstantiationArg { .. } => {
                    "give it an instance that exports it, or end the arguments with `...`, which leaves what is \
                     missing to the host"
                        .to_owned()
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
                // The validator's own words; there is no error of a kind of its own for it.
                ResolveError::ValidationFailure { source }
                    if source.message().contains("not valid to be used as export") =>
                {
                    "an interface that others take types from is exported before them: move its `export` (often \
                     that of `…/types`) up, or add it where it is missing"
                        .to_owned()
                }
                other => return other.help().map(|help| Box::new(help.to_string()) as Box<dyn fmt::Display>),
            },
            ComposeErrorKind::TooMany { .. } => {
                "compose some of the parts to a component of their own first, and compose that with the rest".to_owned()
            }
            ComposeErrorKind::Syntax(error) => {
                return error.help().map(|help| Box::new(help.to_string()) as Box<dyn fmt::Display>);
            }
            _ => return None,
        };
        Some(Box::new(words))
    }
}

fn one(label: &str, span: SourceSpan) -> Option<Box<dyn Iterator<Item = LabeledSpan>>> {
    Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(Some(label.to_owned()), span))))
}
