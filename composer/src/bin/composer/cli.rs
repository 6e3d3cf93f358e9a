//! The command line, and how the command ends.

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use serde_json::json;

use crate::commands::{
    bindgen, build, check, completions, componentize, compose, decompose, deny, diff, doctor, explain, graph,
    inspect, new, watch, wit,
};
use crate::failure::{Exit, Failure};
use crate::outcome;

/// Build WebAssembly components, check them against their contracts, and compose them.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, arg_required_else_help = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  composer build                                    everything that interlock.toml lists
  composer inspect target/components/greeter.wasm   what it imports, exports and holds
  composer check page.wasm greeter.wasm             does what one imports fit what the other exports?
  composer compose whole.wac -o whole.wasm -d parts:greeter=greeter.wasm
  composer compose a.wasm b.wasm c.wasm -o whole.wasm
  composer compose whole.wac -o whole.wasm -d greeter=greeter.wasm

Results go to standard output, everything else to standard error. With `--json`, standard output has one object: the answer; or
where there is none, `format` and `error` (`class`, `message`, `causes`, `help`, `place`, `mismatches`), beside what the
command itself says of that.

Exit codes:
  0  fine
  1  the operation failed: types differ, a build failed, a world does not fit
  2  the command line is wrong
  3  an input cannot be read, or is not what it should be
  4  of `diff` alone: something breaks";

const EXIT_CODES: &str = "\
Exit codes:
  0  fine
  1  the operation failed, or an output cannot be written
  2  the command line is wrong
  3  an input cannot be read, or is not what it should be";

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::Build),
    Bindgen(bindgen::Bindgen),
    Check(check::Check),
    Componentize(componentize::Componentize),
    Compose(compose::Compose),
    Decompose(decompose::Decompose),
    Deny(deny::Deny),
    Diff(diff::Diff),
    Explain(explain::Explain),
    Graph(graph::Graph),
    Inspect(inspect::Inspect),
    Wit(wit::Wit),
    New(new::New),
    Watch(watch::Watch),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
}

/// Parses the command line, executes the command, and reports.
pub fn main() -> ExitCode {
    be_quiet_about_contained_panics();
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads to its end is no error, so neither is a failure to print it.
            let _ = error.print();
            if error.use_stderr() && wants_json() {
                tell(wrong(&error));
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match execute(&cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(mut failure) => {
            if !failure.is_told() && wants_json() {
                failure = tell(failure);
            }
            let _ = std::io::stderr().write_all(failure.render().as_bytes());
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// The command line. Exit codes are part of the help of every command: those that all have, where it says no others.
fn parse() -> Result<Cli, clap::Error> {
    let mut whole = with_exit_codes();
    let matches = whole.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut whole))
}

fn with_exit_codes() -> clap::Command {
    Cli::command().mut_subcommands(|command| {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        if help.contains("Exit codes:") {
            return command;
        }
        command.after_help(format!("{help}\n\n{EXIT_CODES}").trim_start().to_owned())
    })
}

/// Whether a program reads what is printed. The command line may be one that cannot be parsed.
fn wants_json() -> bool {
    std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--json")
}

/// Tells programs of a failure that no command told them of. Where that cannot be printed, this is the failure.
fn tell(failure: Failure) -> Failure {
    let told = outcome::print(Err(failure), json!({}));
    told.err().unwrap_or_else(|| Failure::new(Exit::Cannot, "nothing was told"))
}

/// What is wrong with a command line: the first lines, and the others as the way out.
fn wrong(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let (message, help) = text.split_once("\n\n").unwrap_or((&text, ""));
    let failure = Failure::new(Exit::Usage, message.trim_start_matches("error: ").trim());
    if help.trim().is_empty() { failure } else { failure.help(help.trim()) }
}

fn execute(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Build(arguments) => build::run(arguments),
        Command::Bindgen(arguments) => bindgen::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Componentize(arguments) => componentize::run(arguments),
        Command::Compose(arguments) => compose::run(arguments),
        Command::Decompose(arguments) => decompose::run(arguments),
        Command::Deny(arguments) => deny::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Graph(arguments) => graph::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Wit(arguments) => wit::run(arguments),
        Command::New(arguments) => new::run(arguments),
        Command::Watch(arguments) => watch::run(arguments),
        Command::Doctor(arguments) => doctor::run(arguments),
        Command::Completions(arguments) => completions::run(arguments, Cli::command()),
    }
}

/// Panics of the libraries that the library keeps apart come back as errors: only others are shown as panics.
fn be_quiet_about_contained_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(contract::CONTAINED) {
            default(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
        super::with_exit_codes().debug_assert();
    }
}
