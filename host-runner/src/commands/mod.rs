//! The subcommands, and what they share: how they fail.

mod call;
mod compile;
mod config;
mod flags;
mod grants;
mod kv;
mod observe;
mod open_files;
mod run;
mod serve;
mod swap;
mod timing;
mod values;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::log;
use clap::Subcommand;
use flags::Prepared;
use host_runner::{
    App, CallError, CompileError, EngineError, ExpressionError, LoadError, RunError, ServeError, Setup,
};

/// How long a command may be silent.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Subcommand)]
pub(crate) enum Command {
    // It has the most flags.
    Serve(Box<serve::Serve>),
    Call(call::Call),
    Run(run::Run),
    Grants(grants::Grants),
    Compile(compile::Compile),
    /// Compiles for another process of this program, which says on standard input what and how.
    #[command(name = flags::COMPILE_HERE, hide = true)]
    CompileHere,
    Kv(kv::Kv),
}

impl Command {
    pub(crate) fn execute(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Serve(serve) => serve.execute(),
            Self::Call(call) => call.execute(),
            Self::Run(run) => run.execute(),
            Self::Grants(grants) => grants.execute(),
            Self::Compile(compile) => compile.execute(),
            Self::CompileHere => Ok(host_runner::compile_here()),
            Self::Kv(kv) => kv.execute(),
        }
    }
}

/// An error and the exit code that it ends the command with.
#[derive(Debug)]
pub(crate) struct Failure {
    error: anyhow::Error,
    code: u8,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { error: anyhow::Error::msg(message.into()), code: 2 }
    }

    /// Wrong usage, with its cause.
    pub(crate) fn wrong(error: impl Into<anyhow::Error>) -> Self {
        Self { error: error.into(), code: 2 }
    }

    pub(crate) fn file(error: impl Into<anyhow::Error>) -> Self {
        Self { error: error.into(), code: 3 }
    }

    pub(crate) fn refused(error: impl Into<anyhow::Error>) -> Self {
        Self { error: error.into(), code: 4 }
    }

    pub(crate) fn guest(error: impl Into<anyhow::Error>) -> Self {
        Self { error: error.into(), code: 5 }
    }

    pub(crate) fn host(error: impl Into<anyhow::Error>) -> Self {
        Self { error: error.into(), code: 6 }
    }

    #[cfg(test)]
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// The error with its causes, for the log.
    pub(crate) fn on_one_line(&self) -> String {
        format!("{:#}", self.error).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Prints the error with its causes, numbered where there are several.
    pub(crate) fn report(&self) -> ExitCode {
        log::error(&self.error, self.code);
        ExitCode::from(self.code)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Refused(refusal) => Self::refused(refusal),
            error @ (LoadError::Untrusted { .. }
            | LoadError::Structure { .. }
            | LoadError::Compiling { .. }) => Self::refused(error),
            error @ LoadError::Compiler { .. } => Self::host(error),
            error => Self::file(error),
        }
    }
}

impl From<CompileError> for Failure {
    fn from(error: CompileError) -> Self {
        match error {
            CompileError::Load(error) => error.into(),
            error @ CompileError::Compiled { .. } => Self::file(error),
            error => Self::host(error),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::host(error)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Start(error) => Self::host(error),
            error @ (CallError::Lookup(_) | CallError::Arguments { .. }) => {
                Self { error: error.into(), code: 2 }
            }
            error => Self::guest(error),
        }
    }
}

impl From<ExpressionError> for Failure {
    fn from(error: ExpressionError) -> Self {
        match error {
            ExpressionError::Call(error) => error.into(),
            error => Self { error: error.into(), code: 2 },
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Call(error) => error.into(),
            error => Self::file(error),
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            error @ ServeError::NoHandler { .. } => Self::file(error),
            ServeError::Start { source: CallError::Start(error), .. } => Self::host(error),
            error @ ServeError::Start { .. } => Self::guest(error),
            error => Self::host(error),
        }
    }
}

/// Writes a line of results. A reader that has had enough is no error.
pub(crate) fn print_line(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::host(error)),
        _ => Ok(()),
    }
}

/// Loads an app, and says what it is doing where that takes longer: compiling a large guest does.
pub(crate) fn load(prepared: Prepared, setup: Setup) -> Result<App, LoadError> {
    let Prepared { component, engine } = &prepared;
    let (done, waiting) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let hint =
                    if engine.keeps_code() { "" } else { "; --cache DIR keeps the code for the next time" };
                tracing::info!("compiling {}{hint}", component.name());
            }
        });
        let app = App::new(engine, component, setup);
        drop(done);
        app
    })
}

/// The threads that guests and requests share.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::host)
}
