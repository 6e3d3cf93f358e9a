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

/// Deny a component some of its imports: make a stub that refuses them in place of the host.
///
/// The stub is a component that exports the named interfaces, with the types that the component
/// imports, and refuses every call: with the interface's own error where it has one, with an empty
/// list or `none` where that is accurate, and otherwise with a trap. Composed with its stub, the
/// component gets all its imports and still starts.
///
/// Without `-o`, prints what each function would return, and writes nothing.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Deny {
    /// Component: a path, or `oci://REGISTRY/NAME:TAG`.
    #[arg(value_parser = Source::parser())]
    part: Source,
    /// Imports to deny: `wasi:sockets/tcp`, `wasi:sockets/tcp@0.2.10`, or all of a package as
    /// `wasi:sockets/*`.
    #[arg(required = true, value_name = "IFACE")]
    interfaces: Vec<Pattern>,
    /// Output file, or `-` for a pipe. Missing directories are created.
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
