//! `composer componentize` with modules that were built for WASI preview 1.

use std::fs;

use composer::componentize::preview1::{self, Kind};
use wit_component::StringEncoding;
use wit_parser::Resolve;

use super::common::{component, composer, directory, said};

const WIT: &str = "package a:b; world adder { export add: func(a: u32, b: u32) -> u32; }";

/// A program that writes a greeting.
const HELLO: &str = include_str!("../../../tests/support/hello-preview1.wat");

/// A library that adds, and asks the system for a random number.
const LIBRARY: &str = r#"(module
    (import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_initialize"))
    (func (export "add") (param i32 i32) (result i32)
        (drop (call $r (i32.const 0) (i32.const 4)))
        (i32.add (local.get 0) (local.get 1))))"#;

/// What a component of this module imports and exports.
fn made(module: &[u8], flags: &[&str]) -> anatomy::Component {
    let directory = directory(&[("core.wasm", module), ("a.wit", WIT.as_bytes())]);
    let mut arguments = vec!["componentize", "core.wasm", "-o", "made.wasm"];
    arguments.extend(flags);
    assert_eq!(said(directory.path(), &arguments), (0, String::new()));
    let output = composer(directory.path(), &["inspect", "made.wasm"]);
    assert_eq!(output.status.code(), Some(0), "it can be inspected");
    anatomy::read(&fs::read(directory.path().join("made.wasm")).expect("it was written"))
        .expect("a component")
}

/// What is said of a module of which no component can be made.
fn refused(module: &str, flags: &[&str]) -> String {
    let adapter = preview1::for_kind(Kind::Command).bytes;
    let files: [(&str, &[u8]); 4] = [
        ("core.wasm", &component(module)),
        ("a.wit", WIT.as_bytes()),
        ("adapter.wasm", &adapter),
        ("text", b"(module)"),
    ];
    let directory = directory(&files);
    let mut arguments = vec!["componentize", "core.wasm", "-o", "made.wasm"];
    arguments.extend(flags);
    let (code, words) = said(directory.path(), &arguments);
    assert_ne!(code, 0, "{words}");
    assert!(!directory.path().join("made.wasm").exists());
    assert!(!words.contains("offset") && !words.contains("internal error"), "{words}");
    words
}

/// A module of `_start` and more.
fn program(more: &str) -> String {
    format!(r#"(module {more} (memory (export "memory") 1) (func (export "_start")))"#)
}

fn has(words: &str, what: &[&str]) {
    for what in what {
        assert!(words.contains(what), "{what}: {words}");
    }
}

#[test]
fn a_program_exports_run() {
    let found = made(&component(HELLO), &[]);
    assert!(
        matches!(&found.exports[..], [run] if run.starts_with("wasi:cli/run@0.2.")),
        "{:?}",
        found.exports
    );
    assert!(found.imports.iter().any(|name| name.starts_with("wasi:cli/stdout@0.2.")), "{:?}", found.imports);
}

#[test]
fn the_world_of_an_adapter_that_is_given_is_the_world() {
    let adapter = preview1::for_kind(Kind::Command).bytes;
    let directory = directory(&[("core.wasm", &component(HELLO)), ("command.wasm", &adapter)]);
    let own = ["componentize", "core.wasm", "-o", "own.wasm"];
    assert_eq!(said(directory.path(), &own), (0, String::new()));
    for adapt in ["command.wasm", "wasi_snapshot_preview1=command.wasm"] {
        let given = ["componentize", "core.wasm", "-o", "given.wasm", "--adapt", adapt];
        assert_eq!(said(directory.path(), &given), (0, String::new()));
        let read = |name: &str| fs::read(directory.path().join(name)).expect("it was written");
        assert_eq!(read("own.wasm"), read("given.wasm"));
    }
}

#[test]
fn a_library_exports_what_its_world_does() {
    let found = made(&component(LIBRARY), &["--wit", "a.wit", "--world", "adder"]);
    assert_eq!(found.exports, ["add"]);
    assert!(
        found.imports.iter().any(|name| name.starts_with("wasi:random/random@0.2.")),
        "{:?}",
        found.imports
    );
    has(&refused(LIBRARY, &[]), &["does not say which world", "help: name it: `--world WORLD`"]);
}

#[test]
fn a_module_that_names_its_world_needs_nothing_else() {
    let with_world = |module: &str| {
        let mut resolve = Resolve::default();
        let package = resolve.push_source("a.wit", WIT).expect("the test's WIT parses");
        let world = resolve.select_world(&[package], None).expect("one world");
        let mut module = component(module);
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("metadata");
        module
    };
    assert_eq!(made(&with_world(LIBRARY), &[]).exports, ["add"]);
    let both = LIBRARY.replace(r#""_initialize""#, r#""_start""#);
    let found = made(&with_world(&both), &["--wit", "a.wit", "--world", "adder"]);
    assert!(
        matches!(&found.exports[..], [add, run] if add == "add" && run.starts_with("wasi:cli/run@")),
        "{found:?}"
    );
}

#[test]
fn what_it_cannot_adapt_is_named() {
    let exit = r#"(import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))"#;
    let foreign = program(&format!(r#"{exit} (import "env" "host_log" (func (param i32)))"#));
    has(&refused(&foreign, &[]), &["imports `host_log` from `env`", "`--adapt env=ADAPTER.wasm`"]);
    has(&refused(&foreign, &["--wit", "a.wit", "--world", "adder"]), &["env::host_log"]);

    let unstable = program(r#"(import "wasi_unstable" "proc_exit" (func (param i32)))"#);
    has(&refused(&unstable, &[]), &["`proc_exit` from `wasi_unstable`", "help: ", "`wasm32-wasip1`"]);

    let spawns =
        program(&format!(r#"{exit} (import "wasi" "thread-spawn" (func (param i32) (result i32)))"#));
    has(
        &refused(&spawns, &[]),
        &["built for threads (it imports `thread-spawn` from `wasi`)", "without threads"],
    );
    let shares =
        format!(r#"(module {exit} (import "env" "memory" (memory 1 2 shared)) (func (export "_start")))"#);
    has(&refused(&shares, &[]), &["built for threads (it imports a shared memory)"]);

    let unknown = program(r#"(import "wasi_snapshot_preview1" "no_such" (func (param i32)))"#);
    has(&refused(&unknown, &[]), &["`no_such`"]);
}

#[test]
fn modules_that_an_adapter_cannot_work_with_are_refused() {
    let write = r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))"#;
    let blind = format!(r#"(module {write} (func (export "_start")))"#);
    has(&refused(&blind, &[]), &["no memory under the name `memory`"]);
    let odd =
        format!(r#"(module {write} (memory (export "memory") 1) (func (export "_start") (param i32)))"#);
    has(&refused(&odd, &[]), &["`_start` is not a function without parameters"]);
}

#[test]
fn adapters_that_have_no_effect_are_refused() {
    let env = ["--adapt", "env=adapter.wasm"];
    has(&refused(HELLO, &env), &["imports nothing from `env`", "help: leave it out"]);
    let twice = ["--adapt", "adapter.wasm", "--adapt", "adapter.wasm"];
    has(&refused(HELLO, &twice), &["two adapters were given for `wasi_snapshot_preview1`"]);
    has(&refused(HELLO, &["--adapt", "text"]), &["it is text, and an adapter is a core module"]);
    has(&refused(HELLO, &["--adapt", "core.wasm"]), &["does not say which world"]);
}
