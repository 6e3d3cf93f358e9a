//! What a component may cost before anything of it runs.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use host_runner::{
    App, CompileLimit, Compiler, ComponentFile, Engine, EngineOptions, Key, LoadError, Setup, call,
};
use wasm_encoder::{
    CodeSection, Component, Function, FunctionSection, Module, ModuleSection, NestedComponentSection,
    TypeSection, ValType,
};

/// A module of so many functions, each with so many variables, parameters and instructions.
fn functions(count: u32, locals: u32, code: usize, parameters: usize) -> Vec<u8> {
    let (mut types, mut functions, mut bodies) =
        (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function(vec![ValType::I64; parameters], []);
    for _ in 0..count {
        functions.function(0);
        let mut body = Function::new([(locals, ValType::I64)]);
        body.raw(vec![0x01; code]);
        body.instructions().end();
        bodies.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&bodies);
    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    component.finish()
}

/// Components in components, each of which instantiates the one within it so many times.
fn instances(levels: u32, width: usize) -> Vec<u8> {
    let instances = "(instance (instantiate $c))".repeat(width);
    let mut text = "(component $c (core module $m) (core instance (instantiate $m)))".to_owned();
    for _ in 0..levels {
        text = format!("(component $c {text} {instances})");
    }
    wat::parse_str(text).unwrap()
}

fn nested(levels: u32) -> Vec<u8> {
    let mut inner = Component::new();
    for _ in 0..levels {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&inner));
        inner = outer;
    }
    inner.finish()
}

/// Small components that take minutes, or gigabytes, to compile; with what is said of each.
fn bombs() -> [(&'static str, Vec<u8>, &'static str); 7] {
    [
        ("a thousand million instances", instances(3, 1_000), "there are 10001 instances of components"),
        ("instances, doubled", instances(22, 2), "there are 10001 instances of components"),
        ("components in components", nested(2_000), "components are nested more than 64 deep"),
        ("functions", functions(900_000, 0, 0, 0), "there are 900000 functions in core modules"),
        ("variables", functions(2_000, 50_000, 0, 0), "there are 10050000 local variables"),
        ("parameters", functions(10, 0, 0, 1_000), "there are 1000 parameters and results"),
        (
            "a large function",
            functions(1, 0, 3 << 20, 0),
            "there are 3145732 bytes in the body of one function",
        ),
    ]
}

/// The command, which the system ends if it takes more than 100 MiB or a second.
fn within_bounds(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "ulimit -d 102400 && ulimit -t 1 && exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_host-runner"),
    ]);
    command.args(arguments).current_dir(directory).env("XDG_CACHE_HOME", directory.join("user"));
    command
}

#[test]
fn what_declares_too_much_is_refused_before_it_is_compiled() {
    let directory = tempfile::tempdir().unwrap();
    for (what, bytes, said) in bombs() {
        fs::write(directory.path().join("bomb.wasm"), bytes).unwrap();
        for arguments in [
            &["call", "bomb.wasm", "f()"][..],
            &["run", "bomb.wasm"],
            &["compile", "bomb.wasm", "-o", "bomb.cwasm"],
            &["grants", "bomb.wasm"],
            &["serve", "bomb.wasm", "--addr", "127.0.0.1:0"],
        ] {
            let output = within_bounds(directory.path(), arguments).output().unwrap();
            let err = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(4), "{what}, {}: {err}", arguments[0]);
            let refused = "bomb.wasm was refused before anything of it was compiled: at byte ";
            assert!(err.contains(refused) && err.contains(said), "{what}: {err}");
        }
    }
}

/// Structure says little of how long a compiler takes. So that is limited for any code.
#[test]
fn compiling_is_limited_in_memory_and_time() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("long.wasm"), functions(200_000, 1, 2, 0)).unwrap();
    for (flag, said) in [
        ("--max-compile-memory=64MiB", "takes more than 64 MiB of memory (--max-compile-memory)"),
        ("--max-compile-time=1s", "takes more than 1 s of processor time (--max-compile-time)"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_host-runner"));
        let output =
            command.args(["call", "long.wasm", "f()", flag]).current_dir(&directory).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(4), "{err}");
        assert!(err.contains("long.wasm was refused: to compile it ") && err.contains(said), "{err}");
    }
}

fn with(compiler: Compiler) -> EngineOptions {
    EngineOptions { compiler: Some(compiler), ..EngineOptions::default() }
}

fn worker() -> Compiler {
    Compiler::new(env!("CARGO_BIN_EXE_host-runner"), &["compile-here"])
}

fn load(compiler: Compiler, bytes: &[u8]) -> Result<App, LoadError> {
    App::from_bytes(&Engine::new(&with(compiler)).unwrap(), "guest.wasm", bytes, Setup::default())
}

const ADDER: &str = r#"(component
    (core module $m (func (export "add") (param i32 i32) (result i32)
        local.get 0 local.get 1 i32.add))
    (core instance $i (instantiate $m))
    (func (export "add") (param "a" u32) (param "b" u32) (result u32)
        (canon lift (core func $i "add"))))"#;

#[tokio::test]
async fn code_is_the_same_wherever_it_was_compiled() {
    let bytes = wat::parse_str(ADDER).unwrap();
    assert_eq!(call(&load(worker(), &bytes).unwrap(), "add(40, 2)").await.unwrap().text, "42");
    let directory = tempfile::tempdir().unwrap();
    let key = Key::read_or_make(&directory.path().join("key")).unwrap();
    let file = ComponentFile::from_bytes("adder.wasm", bytes).unwrap();
    let compiled = |options: &EngineOptions| {
        let engine = Engine::for_demands(options, file.demands()).unwrap();
        let mut code = Vec::new();
        file.compile(&engine, &key, &mut code).unwrap();
        code
    };
    assert!(compiled(&EngineOptions::default()) == compiled(&with(worker())));
}

#[test]
fn what_is_invalid_is_said_in_the_words_of_the_engine() {
    let mut bytes = wat::parse_str(ADDER).unwrap();
    // The last byte of the name of the export that is lifted.
    let at = bytes.windows(3).rposition(|window| window == b"add").unwrap();
    let before = bytes[..at].windows(3).rposition(|window| window == b"add").unwrap();
    bytes[before] = b'x';
    let inside = App::from_bytes(
        &Engine::new(&EngineOptions::default()).unwrap(),
        "guest.wasm",
        &bytes,
        Setup::default(),
    );
    let apart = load(worker(), &bytes).unwrap_err();
    assert!(matches!(apart, LoadError::Invalid { .. }), "{apart}");
    assert_eq!(apart.to_string(), inside.unwrap_err().to_string());
}

#[test]
fn what_becomes_of_a_compiler_is_told() {
    let bytes = wat::parse_str(ADDER).unwrap();
    let error = load(Compiler::new("/no/such/program", &[]), &bytes).unwrap_err().to_string();
    assert!(error.contains("the process that compiles could not be started: No such file"), "{error}");
    let error = load(Compiler::new("/bin/sh", &["-c", "echo oh no >&2; exit 9"]), &bytes).unwrap_err();
    assert!(error.to_string().contains("ended early (exit status: 9): oh no"), "{error}");
    let error = load(Compiler::new("/bin/sh", &["-c", "kill -XCPU $$"]), &bytes).unwrap_err();
    assert!(
        matches!(error, LoadError::Compiling { limit: CompileLimit::Time(limit), .. } if limit == Duration::from_secs(2)),
        "{error}"
    );
    // Nothing that can be loaded.
    let error = load(Compiler::new("/bin/echo", &["hello"]), &bytes).unwrap_err();
    assert!(error.to_string().contains("left code that cannot be loaded"), "{error}");
}

#[test]
fn a_compiler_that_nobody_waits_for_any_more_is_ended() {
    let given_up = Arc::new(AtomicBool::new(true));
    let compiler = Compiler::new("/bin/sh", &["-c", "exec cat /dev/zero >/dev/null"]).until(given_up);
    let error = load(compiler, &wat::parse_str(ADDER).unwrap()).unwrap_err();
    assert!(matches!(error, LoadError::GivenUp { .. }), "{error}");
}
