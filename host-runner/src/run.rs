//! Programs: components that export `wasi:cli/run`.

use std::time::Instant;

use crate::app::App;
use crate::call::Took;
use crate::exports::Exported;
use crate::session::CallError;
use wasmtime::component::Val;

/// The interfaces of programs, and those of components that answer requests, as their names begin.
const PROGRAMS: [&str; 2] = ["wasi:cli/run@0.2.", "wasi:cli/run@0.3."];
const HANDLERS: [&str; 2] = ["wasi:http/incoming-handler@0.2.", "wasi:http/handler@0.3."];

/// Why a program did not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The component is no program.
    #[error(
        "{file} is not a program: it exports no wasi:cli/run, of WASI 0.2 or 0.3. {}",
        if *serves { "It answers HTTP requests: use `host-runner serve`" } else { "Use `host-runner call` for one of its functions" }
    )]
    NotAProgram {
        /// The component's file.
        file: String,
        /// Whether it exports a handler of `wasi:http`.
        serves: bool,
    },
    /// The program failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// The status with which a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus(u8);

impl ExitStatus {
    const SUCCESS: Self = Self(0);
    /// What `wasi:cli/exit#exit(err)` stands for, and a `run` that returns an error.
    const FAILURE: Self = Self(1);

    /// Returns the status as a number: 0 for success, 1 for failure, or what the program gave to
    /// `wasi:cli/exit#exit-with-code`.
    #[must_use]
    pub fn code(self) -> u8 {
        self.0
    }

    /// Returns whether the program succeeded.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::SUCCESS
    }
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
        // The newest, where it has several.
        let entries = exports.iter().filter(|exported| is_entry(exported));
        let Some(entry) = entries.max_by_key(|exported| exported.interface().map(str::to_owned)) else {
            return Err(RunError::NotAProgram {
                file: app.name().to_owned(),
                serves: exports.iter().any(|exported| is_of(exported, &HANDLERS)),
            });
        };
        Ok(Self { app: app.clone(), entry: entry.clone() })
    }

    /// Runs it to its end, in a fresh instance. Returns the status with which it ended.
    pub async fn run(&self) -> Result<(ExitStatus, Took), RunError> {
        let begin = Instant::now();
        let mut session = self.app.session().await?;
        let started = Instant::now();
        let outcome = session.call_exported(&self.entry, &[]).await;
        let took = Took { start: started - begin, call: started.elapsed() };
        let status = match outcome {
            Ok(Some(Val::Result(Err(_)))) => ExitStatus::FAILURE,
            Ok(_) => ExitStatus::SUCCESS,
            // WASI passes a status as a `u8`.
            Err(CallError::Exit(status)) => ExitStatus(u8::try_from(status).unwrap_or(u8::MAX)),
            Err(error) => return Err(error.into()),
        };
        Ok((status, took))
    }
}

/// Runs the program to its end. Returns the status with which it ended.
pub async fn run(app: &App) -> Result<ExitStatus, RunError> {
    let (status, _) = Program::of(app)?.run().await?;
    Ok(status)
}

fn is_entry(exported: &Exported) -> bool {
    exported.function() == "run" && is_of(exported, &PROGRAMS)
}

fn is_of(exported: &Exported, interfaces: &[&str]) -> bool {
    exported.interface().is_some_and(|name| interfaces.iter().any(|interface| name.starts_with(interface)))
}
