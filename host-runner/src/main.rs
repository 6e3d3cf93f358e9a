//! The command: flags in, exit code out. All the work is the library's.

mod calm;
mod commands;
mod log;

use std::process::ExitCode;

use clap::Parser;

use commands::Command;

/// Runs WebAssembly components: with what they were granted, within their limits, and nothing else.
#[derive(Parser)]
#[command(name = "host-runner", version, max_term_width = 100, after_long_help = AFTER_HELP)]
struct Cli {
    /// Format of the log on standard error.
    ///
    /// With json, each line is an object.
    #[arg(long, global = true, value_name = "text|json", default_value = "text", hide_default_value = true)]
    #[arg(hide_possible_values = true, help_heading = "Options")]
    log: log::Format,

    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit codes:
  0  fine
  1  the guest answered with an error; `run` ends with the exit code of its program (see `run --help`); `kv check`: the store
     is damaged
  2  wrong usage
  3  the file cannot be used: missing, not a component, invalid; or that of --config
  4  refused: the component imports what was not granted, is beyond a limit on loading, or nothing vouches for its compiled
     code; `grants --check`: the new one asks for more
  5  the guest trapped or met a limit
  6  the host failed: address in use, store locked or unreadable

Examples:
  host-runner serve site.wasm --keyvalue redb:site.redb --addr 127.0.0.1:8080
  host-runner call adder.wasm 'add(40, 2)'
  host-runner call adder.wasm 'example:math/sums#add(40, 2)'
  host-runner serve site.wasm --config host.toml
  host-runner grants site.wasm
  host-runner run hello.wasm --stdio --env none --dir none -- one two
  host-runner kv check site.redb
  host-runner compile site.wasm -o site.cwasm && host-runner serve site.cwasm --keyvalue memory

Results go to standard output, everything else to standard error. RUST_LOG sets what is logged
(RUST_LOG=host_runner=debug logs every request), and --log json in which form.";

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads to the end is no error.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    log::begin(cli.log);
    // Where a library panics on what it finds (a damaged store), the panic is caught and becomes an error.
    std::panic::set_hook(Box::new(|panic| tracing::error!("internal error: {panic}")));
    match cli.command.execute() {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::commands::Failure;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_failure_has_the_exit_code_that_help_tells() {
        for (failure, code) in [
            (Failure::usage("x"), 2),
            (Failure::file(anyhow::anyhow!("x")), 3),
            (Failure::refused(anyhow::anyhow!("x")), 4),
            (Failure::guest(anyhow::anyhow!("x")), 5),
            (Failure::host(anyhow::anyhow!("x")), 6),
        ] {
            assert_eq!(failure.code(), code);
            assert!(AFTER_HELP.contains(&format!("\n  {code}  ")));
        }
    }
}
