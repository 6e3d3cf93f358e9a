//! `host-runner run`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use host_runner::{Limits, Setup};

use super::flags::{EngineFlags, GrantFlags, LimitFlags};
use super::{Failure, load, runtime};

/// Runs a component that exports wasi:cli/run.
///
/// Exit code 0 when it says that it succeeded, 1 when it says that it failed. Arguments after `--` are for the
/// program, and grant wasi:cli/environment, which tells them, without any variable.
#[derive(Args)]
pub(crate) struct Run {
    /// The component.
    file: PathBuf,

    #[command(flatten)]
    grants: GrantFlags,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    engine: EngineFlags,

    /// The program's arguments.
    #[arg(last = true)]
    arguments: Vec<String>,
}

impl Run {
    pub(crate) fn execute(self) -> Result<ExitCode, Failure> {
        let Some(prepared) = self.engine.prepare(&self.file, None, false)? else {
            return Ok(ExitCode::SUCCESS);
        };
        let mut grants = self.grants.open()?;
        if !self.arguments.is_empty() {
            grants.environment.get_or_insert_default();
        }
        // A request has somebody waiting for it; a program may take as long as it takes.
        let defaults = Limits { time: Duration::MAX, ..Limits::default() };
        let limits = self.limits.limits(defaults);
        let setup = Setup { grants, limits, arguments: self.arguments, clock: None };
        let app = load(prepared, setup)?;
        let runtime = runtime()?;
        let outcome = runtime.block_on(host_runner::run(&app));
        // A guest may have left a read of standard input behind, which nothing can end.
        runtime.shutdown_background();
        Ok(ExitCode::from(u8::from(!outcome?)))
    }
}
