//! What is done with an input, and what must hold.

pub(crate) mod components;
pub(crate) mod diff;
#[cfg(not(fuzzing))]
pub(crate) mod host;
pub(crate) mod texts;
pub(crate) mod wit;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

/// An error with all its causes. To say them is part of what is tested.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// An error as the command shows it, with the lines of the text.
fn shown(error: &dyn Diagnostic) {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
    let mut text = String::new();
    handler.render_report(&mut text, error).expect("every error can be shown");
    assert!(!text.is_empty());
}
