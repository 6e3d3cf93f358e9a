//! How the command ends when it does not end well: an exit code, and a report for people.

use std::error::Error;
use std::fmt;
use std::io::IsTerminal;

use check::Mismatch;
use compose::{ComposeError, ComposeErrorKind};
use contract::shown::{self, is_harmless};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

/// Exit codes, as `--help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was asked cannot be done with these inputs.
    Cannot = 1,
    /// The command line is wrong.
    Usage = 2,
    /// An input cannot be read, or is not what it should be.
    Input = 3,
    /// What was compared differs in a way that breaks somebody.
    Breaks = 4,
}

/// A failure of the command.
#[derive(Debug)]
pub struct Failure {
    /// The code to exit with.
    pub exit: Exit,
    /// What programs know it by, where that is more than its exit code says.
    class: Option<&'static str>,
    /// What does not fit, where that is why.
    mismatches: Vec<Mismatch>,
    /// Whether programs were told on standard output already.
    told: bool,
    report: Box<dyn Diagnostic + Send + Sync>,
}

impl Failure {
    /// A failure that an error of the library explains, with its source spans and help.
    pub fn of(exit: Exit, error: impl Diagnostic + Send + Sync + 'static) -> Self {
        Failure { exit, class: None, mismatches: Vec::new(), told: false, report: Box::new(error) }
    }

    /// A failure explained here.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Failure::of(exit, Plain { message: message.into(), cause: None })
    }

    /// A failure explained here, with its cause.
    pub fn because(
        exit: Exit,
        message: impl Into<String>,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Failure::of(exit, Plain { message: message.into(), cause: Some(cause.into()) })
    }

    /// Adds a way out.
    pub fn help(self, help: impl Into<String>) -> Self {
        let report = Box::new(Helped { report: self.report, help: help.into() });
        Failure { report, ..self }
    }

    /// Says what programs know it by.
    pub fn classed(self, class: Option<&'static str>) -> Self {
        Failure { class, ..self }
    }

    /// Says what does not fit.
    pub fn with_mismatches(self, mismatches: Vec<Mismatch>) -> Self {
        Failure { mismatches, ..self }
    }

    /// Says that programs were told on standard output already.
    pub fn told(self) -> Self {
        Failure { told: true, ..self }
    }

    /// Whether programs were told on standard output already.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// What programs know it by, where that is more than its exit code says.
    pub fn class(&self) -> Option<&'static str> {
        self.class
    }

    /// What does not fit, where that is why.
    pub fn mismatches(&self) -> &[Mismatch] {
        &self.mismatches
    }

    /// What it says.
    pub fn report(&self) -> &dyn Diagnostic {
        &*self.report
    }

    /// The whole report: on a terminal in colour, unless `NO_COLOR` is set; elsewhere plain. Lines are not wrapped, so that
    /// what is searched for is found.
    pub fn render(&self) -> String {
        self.painted(colour())
    }

    fn painted(&self, colour: bool) -> String {
        harmless(colour, |colour| {
            let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
            let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_wrap_lines(false);
            let mut text = String::new();
            match handler.render_report(&mut text, &*self.report) {
                Ok(()) => text,
                Err(_) => format!("{}\n", self.report),
            }
        })
    }
}

/// Whether standard error is a terminal that wants colour.
pub fn colour() -> bool {
    capable() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether standard error is a terminal that can do more than show lines.
pub fn capable() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
}

/// Whether standard output is a terminal that wants colour.
pub fn colour_on_stdout() -> bool {
    let capable = std::env::var_os("TERM").is_none_or(|value| value != "dumb");
    std::io::stdout().is_terminal()
        && capable
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A text that may be coloured, as it may go to a terminal. Names of files and lines of texts come from elsewhere: where they
/// bring control characters along, these are replaced, and as they may be colours themselves, there are none at all.
pub fn harmless(colour: bool, render: impl Fn(bool) -> String) -> String {
    let plain = render(false);
    match is_harmless(&plain) {
        true if colour => render(true),
        true => plain,
        false => shown::harmless(&plain),
    }
}

#[derive(Debug)]
struct Plain {
    message: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Plain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

impl Diagnostic for Plain {}

/// Another report, with a way out of our own.
#[derive(Debug)]
struct Helped {
    report: Box<dyn Diagnostic + Send + Sync>,
    help: String,
}

impl fmt::Display for Helped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(f)
    }
}

impl Error for Helped {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.report.source()
    }
}

impl Diagnostic for Helped {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.report.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        self.report.labels()
    }
}

impl From<ComposeError> for Failure {
    /// A text that is not WAC is a bad input; one that cannot be done with these packages is not.
    fn from(error: ComposeError) -> Self {
        let exit = match error.kind {
            ComposeErrorKind::TooLong(_)
            | ComposeErrorKind::TooDeep(_)
            | ComposeErrorKind::Syntax(_)
            | ComposeErrorKind::Itself(_)
            | ComposeErrorKind::Invalid(..)
            | ComposeErrorKind::Part(..) => Exit::Input,
            _ => Exit::Cannot,
        };
        let class = match error.kind {
            ComposeErrorKind::Syntax(_) => Some("syntax"),
            ComposeErrorKind::Missing(_) => Some("missing-package"),
            _ => None,
        };
        let mismatches = error.mismatches.clone();
        Failure::of(exit, error).classed(class).with_mismatches(mismatches)
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, Failure, harmless};

    #[test]
    fn colours_are_our_own() {
        let painted = |name: &'static str| {
            move |colour| if colour { format!("\u{1b}[1m{name}\u{1b}[0m") } else { name.to_owned() }
        };
        assert_eq!(harmless(true, painted("a\tb\n")), "\u{1b}[1ma\tb\n\u{1b}[0m");
        assert_eq!(harmless(false, painted("a\tb\n")), "a\tb\n");
        let hidden = "a\u{fffd}[8mb";
        assert_eq!(harmless(true, painted("a\u{1b}[8mb")), hidden);
        assert_eq!(harmless(false, painted("a\u{1b}[8mb")), hidden);
    }

    #[test]
    fn a_report_has_no_sequences_from_elsewhere() {
        let failure = Failure::new(Exit::Input, "cannot read `x\u{1b}[8mhidden`").help("see `\u{1b}[2J`");
        for colour in [false, true] {
            let text = failure.painted(colour);
            assert!(!text.contains('\u{1b}') && text.contains("x\u{fffd}[8mhidden"), "{text:?}");
        }
        let failure = Failure::new(Exit::Input, "cannot read it");
        assert!(failure.painted(true).contains('\u{1b}') && !failure.painted(false).contains('\u{1b}'));
    }
}
