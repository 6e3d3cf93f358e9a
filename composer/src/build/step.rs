//! Why something could not be built.

use std::path::PathBuf;

use thiserror::Error;

use crate::failure::Failure;

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
        /// The file or folder.
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
        source: Box<composer::fit::FitError>,
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
    /// The report for people, and a tool's own output below it.
    pub fn render(self) -> String {
        use crate::failure::Exit::Cannot;
        match self {
            StepError::Reported(failure) => failure.render(),
            StepError::MissingTool { ref help, .. } => {
                Failure::new(Cannot, self.to_string()).help(help).render()
            }
            StepError::Tool { ref output, .. } => {
                format!("{}{}\n", Failure::new(Cannot, self.to_string()).render(), output.trim_end())
            }
            error => {
                let message = error.to_string();
                match error {
                    StepError::Read { source, .. } | StepError::Inside { source, .. } => {
                        Failure::because(Cannot, message, source).render()
                    }
                    StepError::DoesNotFit { source, .. } => {
                        Failure::because(Cannot, message, source).render()
                    }
                    _ => Failure::new(Cannot, message).render(),
                }
            }
        }
    }
}
