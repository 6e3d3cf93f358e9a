//! Programs: components that export `wasi:cli/run`.

use std::time::Instant;

use crate::app::App;
use crate::call::Took;
use crate::exports::Exported;
use crate::session::CallError;
use wasmtime::component::Val;

/// Why a program did not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The component is no program.
    #[error(
        "{file} is not a program: it exports no wasi:cli/run@0.2. {}",
        if *serves { "It answers HTTP requests: use `host-runner serve`" } else { "Use `host-runner call` for one of its functions" }
    )]
    NotAProgram {
        /// The component's file.
        file: String,
        /// Whether it exports `wasi:http/incoming-handler`.
        serves: bool,
    },
    /// The program failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// A program that can be run any number of times.
#[derive(Debug)]
pub struct Program {
    app: App,
    entry: Exported,
}

impl Program {
    /// Finds the program in the component.
    pub fn of(app: &App) -> Result<Self, RunError> {
        let exports = app.exports();
        let Some(entry) = exports.iter().find(|exported| is_entry(exported)) else {
            return Err(RunError::NotAProgram {
                file: app.name().to_owned(),
                serves: exports.iter().any(|exported| {
                    exported.interface().is_some_and(|name| name.starts_with("wasi:http/incoming-handler@"))
                }),
            });
        };
        Ok(Self { app: app.clone(), entry: entry.clone() })
    }

    /// Runs it to its end, in a fresh instance; the answer is whether it says that it succeeded.
    pub async fn run(&self) -> Result<(bool, Took), RunError> {
        let begin = Instant::now();
        let mut session = self.app.session().await?;
        let started = Instant::now();
        let outcome = session.call_exported(&self.entry, &[]).await;
        let took = Took { start: started - begin, call: started.elapsed() };
        match outcome {
            Ok(result) => Ok((!matches!(result, Some(Val::Result(Err(_)))), took)),
            Err(CallError::Exit(status)) => Ok((status == 0, took)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Runs the program to its end; the answer is whether it says that it succeeded.
pub async fn run(app: &App) -> Result<bool, RunError> {
    let (succeeded, _) = Program::of(app)?.run().await?;
    Ok(succeeded)
}

fn is_entry(exported: &Exported) -> bool {
    exported.function() == "run"
        && exported.interface().is_some_and(|name| name.starts_with("wasi:cli/run@0.2."))
}
