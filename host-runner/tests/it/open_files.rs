//! How many files a guest may have open at once.

use std::path::Path;

use host_runner::blame::Kind;
use host_runner::grants::Directory;
use host_runner::{
    App, Blame, Engine, EngineOptions, ExpressionError, Grants, LimitHit, Limits, Setup, Tuning, call,
};
use tempfile::TempDir;
use wit_parser::Resolve;

const LIMIT: usize = 10;

/// Each function opens something in the first granted directory, as often as it is told: `keep` the file `note`, `directories` the
/// directory itself, and neither closes anything; `turns` closes the file before it opens it again, `missing` finds nothing to open.
const GUEST: &str = r#"(module
    (import "wasi:filesystem/preopens@VERSION" "get-directories" (func $directories (param i32)))
    (import "wasi:filesystem/types@VERSION" "[method]descriptor.open-at"
        (func $open-at (param i32 i32 i32 i32 i32 i32 i32)))
    (import "wasi:filesystem/types@VERSION" "[resource-drop]descriptor" (func $close (param i32)))
    ;; imports
    (memory (export "memory") 1)
    (data (i32.const 0) "note.")
    (global $top (mut i32) (i32.const 1024))
    (global $directory (mut i32) (i32.const 0))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get 3))))
    ;; Whether it could not be opened; what was opened is at 132.
    (func $open (param $name i32) (param $length i32) (param $how i32) (result i32)
        (if (i32.eqz (global.get $directory)) (then
            (call $directories (i32.const 128))
            (global.set $directory (i32.load (i32.load (i32.const 128))))))
        (call $open-at (global.get $directory) (i32.const 0) (local.get $name) (local.get $length) (local.get $how)
            (i32.const 1) (i32.const 128))
        (i32.load8_u (i32.const 128)))
    (func (export "keep") (param $times i32)
        (loop $more
            (if (call $open (i32.const 0) (i32.const 4) (i32.const 0)) (then unreachable))
            (br_if $more (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
    (func (export "directories") (param $times i32)
        (loop $more
            (if (call $open (i32.const 4) (i32.const 1) (i32.const 2)) (then unreachable))
            (br_if $more (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
    (func (export "turns") (param $times i32)
        (loop $more
            (if (call $open (i32.const 0) (i32.const 4) (i32.const 0)) (then unreachable))
            (call $close (i32.load (i32.const 132)))
            (br_if $more (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
    (func (export "missing") (param $times i32)
        (loop $more
            (if (i32.eqz (call $open (i32.const 0) (i32.const 3) (i32.const 0))) (then unreachable))
            (br_if $more (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
    ;; functions
    )"#;

const FUNCTIONS: [&str; 4] = ["keep", "directories", "turns", "missing"];

/// The same with WASI 0.2, whose streams are resources of their own: `streams` closes every file and keeps a stream of it.
fn guest_of_0_2() -> Vec<u8> {
    let imports = r#"(import "wasi:filesystem/types@VERSION" "[method]descriptor.read-via-stream"
        (func $stream (param i32 i64 i32)))"#;
    let functions = r#"(func (export "streams") (param $times i32) (local $file i32)
        (loop $more
            (if (call $open (i32.const 0) (i32.const 4) (i32.const 0)) (then unreachable))
            (local.set $file (i32.load (i32.const 132)))
            (call $stream (local.get $file) (i64.const 0) (i32.const 128))
            (call $close (local.get $file))
            (br_if $more (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))"#;
    let text = GUEST.replace(";; imports", imports).replace(";; functions", functions);
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/deps");
    let mut resolve = Resolve::default();
    for package in ["io", "clocks", "filesystem"] {
        resolve.push_dir(directory.join(format!("wasi-{package}"))).unwrap();
    }
    component(resolve, &text, "0.2.12", "func", &[&FUNCTIONS[..], &["streams"]].concat())
}

fn guest_of_0_3() -> Vec<u8> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wasi-0.3");
    let mut resolve = Resolve::default();
    for package in ["clocks", "filesystem"] {
        resolve.push_file(directory.join(format!("{package}.wit"))).unwrap();
    }
    component(resolve, GUEST, "0.3.0", "async func", &FUNCTIONS)
}

fn component(mut resolve: Resolve, text: &str, version: &str, ty: &str, functions: &[&str]) -> Vec<u8> {
    let exports: String = functions.iter().map(|name| format!("export {name}: {ty}(times: u32);")).collect();
    let world = format!(
        "package test:opening;
        world opening {{
            import wasi:filesystem/types@{version};
            import wasi:filesystem/preopens@{version};
            {exports}
        }}"
    );
    let package = resolve.push_str("opening.wit", &world).unwrap();
    let world = resolve.select_world(&[package], Some("opening")).unwrap();
    crate::support::encode(&text.replace("VERSION", version), &resolve, world)
}

fn load(bytes: &[u8], directory: &TempDir, concurrency: bool) -> App {
    std::fs::write(directory.path().join("note"), "a note").unwrap();
    let options = EngineOptions {
        tuning: Tuning { concurrency: Some(concurrency), ..Tuning::default() },
        ..EngineOptions::default()
    };
    let granted =
        Directory { host: directory.path().to_owned(), guest: "/data".to_owned(), read_only: false };
    let grants = Grants { directories: Some(vec![granted]), ..Grants::default() };
    let limits = Limits { open_files: LIMIT, ..Limits::default() };
    let setup = Setup { grants, limits, ..Setup::default() };
    App::from_bytes(&Engine::new(&options).unwrap(), "guest.wasm", bytes, setup).unwrap()
}

async fn blamed(app: &App, expression: &str) -> (Blame, String) {
    match call(app, expression).await {
        Err(ExpressionError::Call(error)) => (error.blame().expect("somebody").clone(), error.to_string()),
        other => panic!("{expression}: {other:?}"),
    }
}

async fn meets_the_limit(app: &App, function: &str) {
    call(app, &format!("{function}({LIMIT})")).await.unwrap();
    let (blame, text) = blamed(app, &format!("{function}({})", LIMIT + 1)).await;
    assert_eq!(blame.kind, Kind::Limit(LimitHit::OpenFiles(LIMIT)), "{function}: {text}");
    assert_eq!(blame.at().unwrap().function.as_deref(), Some(function), "{text}");
    assert!(
        text.contains("the limit of 10 on the files that it has open was reached (--max-open-files)"),
        "{text}"
    );
}

#[tokio::test]
async fn files_that_are_never_closed_meet_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    for app in [load(&guest_of_0_2(), &directory, false), load(&guest_of_0_3(), &directory, true)] {
        for function in ["keep", "directories"] {
            meets_the_limit(&app, function).await;
        }
    }
}

#[tokio::test]
async fn a_stream_keeps_its_file_open() {
    let directory = tempfile::tempdir().unwrap();
    meets_the_limit(&load(&guest_of_0_2(), &directory, false), "streams").await;
}

#[tokio::test]
async fn what_is_closed_and_what_could_not_be_opened_does_not_count() {
    let directory = tempfile::tempdir().unwrap();
    for app in [load(&guest_of_0_2(), &directory, false), load(&guest_of_0_3(), &directory, true)] {
        for function in ["turns", "missing"] {
            call(&app, &format!("{function}({})", 20 * LIMIT)).await.unwrap();
        }
    }
}
