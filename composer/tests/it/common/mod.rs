//! What the tests of the command share: neutral components, and running the command.

pub mod place;
#[path = "../../../../tests/support/proposals.rs"]
pub mod proposals;

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

/// A component that exports `answer: func() -> u32`.
pub fn answers(number: u32) -> Vec<u8> {
    component(&format!(
        r#"(component
            (core module $m (func (export "f") (result i32) i32.const {number}))
            (core instance $i (instantiate $m))
            (func (export "answer") (result u32) (canon lift (core func $i "f"))))"#
    ))
}

/// A component that imports `answer` and exports `doubled`.
pub fn doubles() -> Vec<u8> {
    component(
        r#"(component
            (import "answer" (func $answer (result u32)))
            (core func $lowered (canon lower (func $answer)))
            (core module $m
                (import "" "answer" (func $answer (result i32)))
                (func (export "f") (result i32) call $answer i32.const 2 i32.mul))
            (core instance $i (instantiate $m (with "" (instance (export "answer" (func $lowered))))))
            (func (export "doubled") (result u32) (canon lift (core func $i "f"))))"#,
    )
}

/// A project of two parts and a composition of them: two lines of Python each, as far as the manifest knows.
pub const PROJECT: &str = r#"
[project]
wit = "wit"
out = "out"

[tools]
python = "venv"

[components.source]
language = "python"
path = "source"
world = "source"

[components.doubler]
language = "python"
path = "doubler"
world = "doubler"

[compositions.whole]
file = "whole.wac"
"#;

pub fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's own text parses")
}

/// A directory with these files.
pub fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, content) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        std::fs::write(path, content).expect("a file");
    }
    directory
}

/// A component for the only world in a text. Its functions trap: nothing here is executed.
pub fn of_world(text: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("test.wit", text).expect("the test's WIT parses");
    let world = resolve.select_world(&[package], None).expect("one world");
    let mut module = wit_component::dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("metadata");
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).expect("a module");
    encoder.encode().expect("a component")
}

/// A part that imports instances of one function, `f`, under these names, and exports another such instance. A language
/// comes with its compiler, in the part's producers section.
pub fn part(imports: &[String], export: &str, made: Option<(&str, &str)>) -> Vec<u8> {
    let declared = |(index, name): (usize, &String)| {
        format!(
            r#"(import "{name}" (instance $i{index} (export "f" (func (result u32)))))
               (core func $f{index} (canon lower (func $i{index} "f")))"#
        )
    };
    let declared: String = imports.iter().enumerate().map(declared).collect();
    let each = |text: &str| -> String {
        (0..imports.len()).map(|index| text.replace('#', &index.to_string())).collect()
    };
    let wanted = each(r#"(import "" "f#" (func (result i32)))"#);
    let given = each(r#"(export "f#" (func $f#))"#);
    let made = made.map_or_else(String::new, |(language, compiler)| {
        format!(r#"(@producers (language "{language}" "") (processed-by "{compiler}" "1.2.3"))"#)
    });
    component(&format!(
        r#"(component {declared}
            (core module $m {wanted} (func (export "g") (result i32) i32.const {}) {made})
            (core instance $m (instantiate $m (with "" (instance {given}))))
            (func $g (result u32) (canon lift (core func $m "g")))
            (instance $out (export "f" (func $g)))
            (export "{export}" (instance $out)))"#,
        imports.len()
    ))
}

/// Compares with a golden file beside the tests; `BLESS=1` writes it instead.
pub fn golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        std::fs::write(&path, found).expect("a file");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "not what is in {}", path.display());
}

/// Runs the command in a directory. Whatever it proposes there has to help.
#[track_caller]
pub fn composer(directory: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_composer");
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("the command can be started");
    let said = proposes(arguments, &output);
    if !output.status.success() {
        proposals::try_each(program, directory, arguments, &said);
    }
    output
}

/// Asserts that the command takes whatever it proposed when it was run, and returns what it said on standard error.
#[track_caller]
pub fn proposes(arguments: &[&str], output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let commands = proposals::Commands { composer: Some(env!("CARGO_BIN_EXE_composer")), host_runner: None };
    let known = arguments.first().copied().filter(|_| output.status.code() != Some(2));
    commands.take(proposals::Tool::Composer, known, &said);
    said
}

/// Runs the command, and answers with its exit code and what it said on standard error.
pub fn said(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let output = composer(directory, arguments);
    assert!(output.stdout.is_empty(), "results where there should be none: {:?}", output.stdout);
    (output.status.code().expect("it was not killed"), String::from_utf8(output.stderr).expect("text"))
}

/// Has a shell run a command that was printed, and answers with its exit code and what it said.
pub fn shell(directory: &Path, command: &str) -> (i32, String) {
    shell_called("sh", directory, command)
}

/// As [`shell`], by the name of the shell.
pub fn shell_called(shell: &str, directory: &Path, command: &str) -> (i32, String) {
    let own = format!("'{}'", env!("CARGO_BIN_EXE_composer"));
    let output = Command::new(shell)
        .args(["-c", &command.replacen("composer", &own, 1)])
        .current_dir(directory)
        .output()
        .expect("there is a shell");
    (output.status.code().expect("it was not killed"), String::from_utf8(output.stderr).expect("text"))
}

/// A component that imports and exports interfaces with one function each: what it answers is the sum of what its
/// imports answer. The name makes its bytes different from those of others.
pub fn links(name: &str, imports: &[&str], exports: &[&str]) -> Vec<u8> {
    let each = |shape: &dyn Fn(usize, &str) -> String, names: &[&str]| -> String {
        names.iter().enumerate().map(|(index, name)| shape(index, name)).collect()
    };
    let imported = each(
        &|i, name| {
            format!(
                r#"(import "{name}" (instance $i{i} (export "f" (func (result u32)))))
                   (core func $l{i} (canon lower (func $i{i} "f")))"#
            )
        },
        imports,
    );
    let passed = each(&|i, _| format!(r#"(export "f{i}" (func $l{i}))"#), imports);
    let lowered = each(&|i, _| format!(r#"(import "" "f{i}" (func $f{i} (result i32)))"#), imports);
    let added = each(&|i, _| format!("call $f{i} i32.add "), imports);
    let exported = each(
        &|i, name| format!(r#"(instance $e{i} (export "f" (func $f))) (export "{name}" (instance $e{i}))"#),
        exports,
    );
    component(&format!(
        r#"(component
            {imported}
            (core module $m {lowered} (func (export "f") (result i32) i32.const 1 {added}) (@custom "name of the part" "{name}"))
            (core instance $i (instantiate $m (with "" (instance {passed}))))
            (func $f (result u32) (canon lift (core func $i "f")))
            {exported})"#
    ))
}

/// What a command says, and how it ends. The first file is the socket.
pub fn says(command: &str, files: &[(&str, &[u8])], flags: &[&str]) -> (Option<i32>, String) {
    let names: Vec<String> = files.iter().map(|(name, _)| format!("{name}.wasm")).collect();
    let named: Vec<(&str, &[u8])> =
        names.iter().zip(files).map(|(name, (_, content))| (name.as_str(), *content)).collect();
    let directory = directory(&named);
    let mut arguments = vec![command];
    arguments.extend(names.iter().map(String::as_str));
    if command == "compose" {
        arguments.extend(["-o", "whole.wasm"]);
    }
    arguments.extend(flags);
    let output = composer(directory.path(), &arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).expect("nothing binary is printed"))
}
