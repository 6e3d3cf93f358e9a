//! `composer deny`.

use std::path::{Path, PathBuf};

use clap::Args;
use compose::deny::{Closed, Pattern, Stub, deny};
use contract::shown::{padded, width};
use serde_json::json;

use crate::closing;
use crate::failure::Failure;
use crate::files;
use crate::source::{self, RegistryOptions, Source};

/// Closes what a part imports and should not reach: makes a stub that refuses in the host's place.
///
/// The stub is a component that exports the named interfaces, with the types that the part imports, and refuses
/// everything: with the interface's own error where it has one, with an empty list or `none` where that is the truth, and
/// otherwise with a trap. Composed with its stub, the part finds all its imports and still starts.
///
/// Without `-o` it says what each function would answer, and writes nothing.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Deny {
    /// The part: a component, by path or as `oci://REGISTRY/NAME:TAG`.
    #[arg(value_parser = Source::parser())]
    part: Source,
    /// What to close: `wasi:sockets/tcp`, `wasi:sockets/tcp@0.2.10`, or all of a package as `wasi:sockets/*`.
    #[arg(required = true, value_name = "IFACE")]
    interfaces: Vec<Pattern>,
    /// Where the stub goes: a file, or `-` for a pipe. Folders on the way to a file are made where they are missing.
    #[arg(short, long, value_name = "STUB.wasm")]
    output: Option<PathBuf>,
    /// Prints JSON: `closed` (a list of `interface` and `functions`, each with `name` and `answer`) and `types-from` (the
    /// interfaces that stay open and that the stub takes types from).
    #[arg(long, conflicts_with = "output")]
    json: bool,
    #[command(flatten)]
    registry: RegistryOptions,
}

const AFTER_HELP: &str = "\
Examples:
  composer deny greeter.wasm 'wasi:sockets/*' 'wasi:filesystem/*'     what would be answered
  composer deny greeter.wasm 'wasi:sockets/*' -o greeter-closed.wasm

In a .wac text the stub stands in for the host, for this one part:
  let closed = new parts:greeter-closed { ... };
  let greeter = new parts:greeter { ...closed, ... };";

/// Executes the command.
pub fn run(arguments: &Deny) -> Result<(), Failure> {
    if let Some(output) = &arguments.output {
        files::keep_apart(output, arguments.part.path())?;
    }
    let part = source::read(&arguments.part, &arguments.registry, Path::new("."))?;
    let shown = arguments.part.to_string();
    let stub =
        deny(&part, &arguments.interfaces).map_err(|error| closing::explain(Path::new(&shown), error))?;
    match &arguments.output {
        Some(output) => files::deliver(output, &stub.component),
        None if arguments.json => files::print(json(&stub).as_bytes()),
        None => files::print(text(&stub).as_bytes()),
    }
}

fn text(stub: &Stub) -> String {
    let mut text = String::new();
    for Closed { name, functions } in &stub.closed {
        text.push_str(&format!("{name}\n"));
        let width = width(functions.iter().map(|function| function.name.as_str()));
        for function in functions {
            text.push_str(&format!("    {}  {}\n", padded(&function.name, width), function.answer));
        }
    }
    for name in &stub.types_from {
        text.push_str(&format!("types from {name}, which stays open\n"));
    }
    text
}

fn json(stub: &Stub) -> String {
    let interface = |closed: &Closed| {
        let functions: Vec<_> = closed
            .functions
            .iter()
            .map(|function| json!({ "name": function.name, "answer": function.answer.to_string() }))
            .collect();
        json!({ "interface": closed.name, "functions": functions })
    };
    let closed: Vec<_> = stub.closed.iter().map(interface).collect();
    format!("{:#}\n", json!({ "closed": closed, "types-from": stub.types_from }))
}
