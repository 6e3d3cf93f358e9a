//! `host-runner run`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use host_runner::{Limits, Program, RunError, Setup};

use super::config::{self, ConfigFlag};
use super::flags::{BlameFlags, EngineFlags, GrantFlags, LimitFlags};
use super::timing::TimingFlags;
use super::{Failure, load, runtime};

/// Run a component that exports wasi:cli/run.
///
/// The exit code is the program's own: 0 if `run` returns ok, 1 if it returns an error or calls
/// exit(err), and otherwise the number that it passes to exit-with-code. With --repeat it is the
/// code of the first run that failed. Arguments after `--` are for the program; they grant
/// wasi:cli/environment without any variable.
#[derive(Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXIT_CODES}\n\n{}", config::HELP))]
pub(crate) struct Run {
    /// The component.
    file: PathBuf,

    #[command(flatten)]
    timing: TimingFlags,

    #[command(flatten)]
    config: ConfigFlag,

    #[command(flatten)]
    grants: GrantFlags,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    engine: EngineFlags,

    #[command(flatten)]
    blame: BlameFlags,

    /// The program's arguments.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// How the exit code of a program and one of this command are told apart.
const EXIT_CODES: &str = "\
Exit codes:
  The program's own, 0 to 255, where the program ended by itself.
  2 to 6 of `host-runner --help` where it was not started, trapped or met a limit. Only then
  does this command report an error on standard error: a line that begins with `error: `, and
  with --log json an object with \"level\": \"ERROR\" and \"exit_code\". A program without --stdio
  cannot print such a line.";

impl Run {
    pub(crate) fn execute(mut self) -> Result<ExitCode, Failure> {
        let config = self.config.read()?;
        self.engine.fill(&config.limits);
        let Some(prepared) = self.engine.prepare(&self.file, None, false)? else {
            return Ok(ExitCode::SUCCESS);
        };
        let mut grants = self.grants.open(&config.grants)?;
        if !self.arguments.is_empty() {
            grants.environment.get_or_insert_default();
        }
        // A request has somebody waiting for it; a program may take as long as it takes.
        let defaults = Limits {
            time: Duration::MAX,
            cpu: Duration::MAX,
            open_files: usize::MAX,
            keyvalue_ops: u64::MAX,
            keyvalue_bytes: u64::MAX,
            ..Limits::default()
        };
        let limits = self.limits.limits(config.limits.over(defaults));
        let setup = Setup { grants, limits, arguments: self.arguments, ..Setup::default() };
        let app = load(prepared, setup)?;
        let program = Program::of(&app)?;
        let runtime = runtime()?;
        let (mut took, mut status) = (Vec::new(), 0);
        let outcome = (0..self.timing.repeat).try_for_each(|_| {
            let outcome = runtime.block_on(program.run());
            if let Err(RunError::Call(error)) = &outcome {
                self.blame.explain(error, "a run of the program");
            }
            let (ended, time) = outcome?;
            took.push(time);
            status = if status == 0 { ended.code() } else { status };
            Ok::<_, Failure>(())
        });
        // A guest may have left a read of standard input behind, which nothing can end.
        runtime.shutdown_background();
        self.timing.report(&took);
        outcome?;
        Ok(ExitCode::from(status))
    }
}
