//! The `composer` command. What it can do without files, processes and a terminal is in the library.

mod bag;
mod build;
mod cli;
mod closing;
mod commands;
mod emit;
mod failure;
mod files;
mod given;
mod inputs;
mod outcome;
mod package_store;
mod project;
mod shell;
mod source;
mod survey;
mod wit_directory;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
