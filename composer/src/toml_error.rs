//! What is wrong with a file in TOML: `interlock.toml`, `interlock.lock`.

use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

/// What is wrong with a file in TOML, and where.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct TomlError {
    /// What is wrong.
    pub message: String,
    #[source_code]
    text: Arc<NamedSource<String>>,
    #[label("here")]
    span: Option<SourceSpan>,
    #[help]
    help: Option<String>,
}

impl TomlError {
    /// `name` is what the file is called, and `text` what it says; `span` are bytes of that.
    pub(crate) fn new(
        name: &str,
        text: &str,
        message: String,
        span: Option<Range<usize>>,
        help: Option<&str>,
    ) -> Self {
        TomlError {
            message,
            text: Arc::new(NamedSource::new(name, text.to_owned())),
            span: span.map(Into::into),
            help: help.map(ToOwned::to_owned),
        }
    }
}
