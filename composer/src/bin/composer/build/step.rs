//! Why something could not be built.

use std::path::PathBuf;

use check::fit::FitError;
use serde_json::Value;
use thiserror::Error;

use crate::failure::Exit::Cannot;
use crate::failure::Failure;
use crate::outcome;

/// Why a component or a composition could not be built.
#[derive(Debug, Error)]
pub enum StepError {
    /// A tool is not where it should be.
    #[error("{what} is missing: expected {place}")]
    MissingTool {
        /// The tool, and what it is for.
        what: String,
        /// Where it should be.
        place: String,
        /// What installs it.
        help: String,
    },
    /// A tool failed. Its output is shown whole.
    #[error("`{tool}` failed ({status}); what it said:")]
    Tool {
        /// The tool.
        tool: String,
        /// How it ended.
        status: String,
        /// All that it said.
        output: String,
    },
    /// A source cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A step inside this program failed.
    #[error("{what}")]
    Inside {
        /// The step.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The product does not fit its world.
    #[error("the product does not replace `{file}`")]
    DoesNotFit {
        /// The file that would have been replaced.
        file: String,
        /// In what way.
        #[source]
        source: Box<FitError>,
    },
    /// A failure with a report of its own.
    #[error("failed")]
    Reported(Failure),
}

impl From<Failure> for StepError {
    fn from(failure: Failure) -> Self {
        StepError::Reported(failure)
    }
}

impl StepError {
    /// The report for people with a tool's own output below it, and the same for programs.
    pub fn told(self) -> (String, Value) {
        let message = self.to_string();
        let (failure, output) = match self {
            StepError::Reported(failure) => (failure, None),
            StepError::MissingTool { help, .. } => (Failure::new(Cannot, message).help(help), None),
            StepError::Tool { output, .. } => (Failure::new(Cannot, message), Some(output)),
            StepError::Read { source, .. } | StepError::Inside { source, .. } => {
                (Failure::because(Cannot, message, source), None)
            }
            StepError::DoesNotFit { source, .. } => {
                let mismatches = match &*source {
                    FitError::Misfit { mismatches, .. } => mismatches.clone(),
                    _ => Vec::new(),
                };
                (Failure::because(Cannot, message, source).with_mismatches(mismatches), None)
            }
        };
        let mut value = outcome::error(&failure);
        value["output"] = output.as_deref().into();
        let output = output.map(|output| format!("{}\n", output.trim_end())).unwrap_or_default();
        (failure.render() + &output, value)
    }
}
