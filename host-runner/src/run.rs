//! Programs: components that export `wasi:cli/run`.

use crate::app::App;
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

/// Runs the program to its end; the answer is whether it says that it succeeded.
pub async fn run(app: &App) -> Result<bool, RunError> {
    let exports = app.exports();
    let Some(entry) = exports.iter().find(|exported| is_entry(exported)) else {
        return Err(RunError::NotAProgram {
            file: app.name().to_owned(),
            serves: exports.iter().any(|exported| {
                exported.interface().is_some_and(|name| name.starts_with("wasi:http/incoming-handler@"))
            }),
        });
    };
    let mut session = app.session().await.map_err(RunError::Call)?;
    match session.call_exported(entry, &[]).await {
        Ok(result) => Ok(!matches!(result, Some(Val::Result(Err(_))))),
        Err(CallError::Exit(status)) => Ok(status == 0),
        Err(error) => Err(error.into()),
    }
}

fn is_entry(exported: &Exported) -> bool {
    exported.function() == "run"
        && exported.interface().is_some_and(|name| name.starts_with("wasi:cli/run@0.2."))
}
