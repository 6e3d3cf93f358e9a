//! `host-runner call`.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use host_runner::{Limits, Setup};

use super::flags::{EngineFlags, GrantFlags, LimitFlags};
use super::{Failure, load, print_line, runtime};

/// The longest call that is read from standard input.
const LONGEST: u64 = 64 << 20;

/// Calls one exported function and prints its result, arguments and result in WAVE.
///
/// The function is named `ns:pkg/iface@1.0.0#func`; the version may be left out, and `func` alone is enough
/// where one export has that name. An `err(...)` is printed like any result, with exit code 1.
#[derive(Args)]
#[command(after_help = "\
Example:
  host-runner call adder.wasm 'example:math/sums#add(40, 2)'")]
pub(crate) struct Call {
    /// The component.
    file: PathBuf,

    /// The call, `FUNCTION(ARGUMENTS)`; `-` reads it from standard input.
    call: String,

    #[command(flatten)]
    grants: GrantFlags,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    engine: EngineFlags,
}

impl Call {
    pub(crate) fn execute(self) -> Result<ExitCode, Failure> {
        let expression = if self.call == "-" { read_call()? } else { self.call };
        let Some(prepared) = self.engine.prepare(&self.file, None, false)? else {
            return Ok(ExitCode::SUCCESS);
        };
        let setup = Setup {
            grants: self.grants.open()?,
            limits: self.limits.limits(Limits::default()),
            ..Setup::default()
        };
        let app = load(prepared, setup)?;
        let runtime = runtime()?;
        let answer = runtime.block_on(host_runner::call(&app, &expression));
        // A guest may have left a read of standard input behind, which nothing can end.
        runtime.shutdown_background();
        let answer = answer?;
        print_line(&answer.text)?;
        Ok(ExitCode::from(u8::from(answer.is_error)))
    }
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
