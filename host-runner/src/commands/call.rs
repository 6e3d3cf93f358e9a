//! `host-runner call`.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use host_runner::{App, Limits, Setup};

use super::config::{self, ConfigFlag};
use super::flags::{BlameFlags, EngineFlags, GrantFlags, LimitFlags};
use super::timing::TimingFlags;
use super::{Failure, load, print_line, runtime};

/// The longest call that is read from standard input.
const LONGEST: u64 = 64 << 20;

/// Call one exported function and print its result, with arguments and result in WAVE.
///
/// Name the function as `ns:pkg/iface@1.0.0#func`. The version can be omitted, and `func` alone is
/// enough if only one export has that name. An `err(...)` is printed like any other result, with
/// exit code 1.
///
/// Example: host-runner call adder.wasm 'example:math/sums#add(40, 2)'
#[derive(Args)]
#[command(after_long_help = config::HELP)]
pub(crate) struct Call {
    /// The component.
    file: PathBuf,

    /// The call, `FUNCTION(ARGUMENTS)`; `-` reads it from standard input. Without one, lists what can be called.
    call: Option<String>,

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
}

impl Call {
    pub(crate) fn execute(mut self) -> Result<ExitCode, Failure> {
        let expression = match self.call {
            Some(call) if call == "-" => Some(read_call()?),
            call => call,
        };
        let config = self.config.read()?;
        self.engine.fill(&config.limits);
        let Some(prepared) = self.engine.prepare(&self.file, None, false)? else {
            return Ok(ExitCode::SUCCESS);
        };
        let setup = Setup {
            grants: self.grants.open(&config.grants)?,
            limits: self.limits.limits(config.limits.over(Limits::default())),
            ..Setup::default()
        };
        let app = load(prepared, setup)?;
        let Some(expression) = expression else { return Err(no_call(&app)) };
        let call = host_runner::Call::parse(&app, &expression)?;
        let runtime = runtime()?;
        let behalf = format!("a call of {}", expression.split('(').next().unwrap_or_default());
        let (mut took, mut any_error) = (Vec::new(), false);
        let outcome = (0..self.timing.repeat).try_for_each(|_| {
            let made = runtime.block_on(call.make());
            let (answer, time) = made.inspect_err(|error| self.blame.explain(error, &behalf))?;
            took.push(time);
            any_error |= answer.is_error;
            print_line(&answer.text)
        });
        // A guest may have left a read of standard input behind, which nothing can end.
        runtime.shutdown_background();
        self.timing.report(&took);
        outcome?;
        Ok(ExitCode::from(u8::from(any_error)))
    }
}

/// What can be called, where nothing was.
fn no_call(app: &App) -> Failure {
    let exports = app.exports();
    if exports.is_empty() {
        return Failure::usage("a call is missing, and the component exports no function");
    }
    let (made, others): (Vec<_>, Vec<_>) = exports.into_iter().partition(host_runner::Exported::has_text);
    let mut text = "a call is missing".to_owned();
    if !made.is_empty() {
        text.push_str(". These can be made, for example:");
    }
    for exported in made {
        text.push_str(&format!("\n  {}\n      {}", exported.signature(), host_runner::example(&exported)));
    }
    if !others.is_empty() {
        text.push_str("\nThese take or return handles, and cannot be called from text:");
    }
    for exported in others {
        text.push_str(&format!("\n  {}", exported.signature()));
    }
    Failure::usage(text)
}

fn read_call() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("the call cannot be read from standard input: {error}")))?;
    Ok(text)
}
