//! Programs: components that export `wasi:cli/run`.

use std::fmt;
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
        "{file} is not a program: it exports no wasi:cli/run, of WASI 0.2 or 0.3{instead}",
        instead = instead.map(|instead| format!(". {instead}")).unwrap_or_default()
    )]
    NotAProgram {
        /// The component's file.
        file: String,
        /// What it can be used for.
        instead: Option<Use>,
    },
    /// The program failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// What a component can be used for, by its exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Use {
    /// It answers HTTP requests.
    Serve,
    /// It is a program.
    Run,
    /// It exports functions that can be called from text.
    Call,
}

impl Use {
    /// Returns the first of these that a component with these exports can be used for.
    pub(crate) fn of(exports: &[Exported]) -> Option<Self> {
        let any = |of: &dyn Fn(&Exported) -> bool| exports.iter().any(of);
        match () {
            () if any(&|exported| is_of(exported, &HANDLERS)) => Some(Self::Serve),
            () if any(&is_entry) => Some(Self::Run),
            () if any(&Exported::has_text) => Some(Self::Call),
            () => None,
        }
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serve => "It answers HTTP requests: use `host-runner serve`",
            Self::Run => "It is a program: use `host-runner run`",
            Self::Call => "Use `host-runner call` for one of its functions",
        })
    }
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
            return Err(RunError::NotAProgram { file: app.name().to_owned(), instead: Use::of(&exports) });
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
