//! Calls as text: what is said where something is missing or wrong, and calls made over and over.

use std::fs;
use std::process::Command;

use crate::proposed::checked;

use host_runner::{App, CallError, Engine, EngineOptions, ExpressionError, Setup, call, example};
use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{ManglingAndAbi, Resolve};

/// A component that exports functions over every type of WIT that has a text, and traps in each of them.
fn all_types() -> Vec<u8> {
    let wit = "
        package test:types;
        interface all {
            record point { x: s32, some: option<f64>, %record: string }
            record nested { points: list<point>, pair: tuple<point, point> }
            variant shape { none(point), circle(f32), nothing }
            variant bare { err, ok(string) }
            enum words { %true, %false, inf, nan, plain }
            flags switches { some, other, ok }
            type names = list<string>;
            integers: func(a: s8, b: s16, c: s32, d: s64, e: u8, f: u16, g: u32, h: u64);
            simple: func(a: bool, b: f32, c: f64, d: char, e: string);
            records: func(a: point, b: nested);
            variants: func(a: shape, b: bare, c: words, d: switches);
            lists: func(a: list<u8>, b: list<list<shape>>, c: names, d: list<words>);
            options: func(a: option<option<u32>>, b: option<words>, c: option<list<char>>);
            results: func(a: result, b: result<u32>, c: result<_, string>, d: result<shape, words>);
            tuples: func(a: tuple<u8>, b: tuple<string, tuple<bool, char>, switches>);
            nothing: func();
        }
        world types { export all; }";
    let mut resolve = Resolve::default();
    let package = resolve.push_str("types.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("types")).unwrap();
    let mut module = wit_component::dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).unwrap();
    encoder.encode().unwrap()
}

#[tokio::test]
async fn the_example_of_every_type_is_a_call_that_can_be_made() {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let app = App::from_bytes(&engine, "types.wasm", &all_types(), Setup::default()).unwrap();
    let exports = app.exports();
    assert_eq!(exports.len(), 9);
    for exported in exports {
        let example = example(&exported);
        let error = call(&app, &example).await.unwrap_err();
        // It came as far as the guest.
        assert!(matches!(error, ExpressionError::Call(CallError::Trap { .. })), "{example}: {error}");
    }
}

const GUEST: &str = r#"(component
    (core module $m
        (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
        (func (export "same") (param i32) (result i32) local.get 0)
        (global $n (mut i32) (i32.const 0))
        (func (export "next") (result i32)
            (global.set $n (i32.add (global.get $n) (i32.const 1))) global.get $n)
        (func (export "fail") unreachable)
        (func (export "run") (result i32) i32.const 1))
    (core instance $i (instantiate $m))
    (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
    (instance $sums (export "add" (func $add)))
    (export "example:math/sums@1.0.0" (instance $sums))
    (func (export "check") (param "it" (result)) (result (result)) (canon lift (core func $i "same")))
    (func (export "next") (result u32) (canon lift (core func $i "next")))
    (func (export "fail") (canon lift (core func $i "fail")))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $program (export "run" (func $run)))
    (export "wasi:cli/run@0.2.3" (instance $program)))"#;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("guest.wasm"), wat::parse_str(GUEST).unwrap()).unwrap();
        fs::write(place.path().join("empty.wasm"), wat::parse_str("(component)").unwrap()).unwrap();
        Self(place)
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_host-runner"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("RUST_LOG")
            .output()
            .unwrap();
        checked(arguments, output)
    }
}

#[test]
fn a_missing_call_is_answered_with_all_that_can_be_called() {
    let place = Place::new();
    assert_eq!(
        place.run(&["call", "guest.wasm"]),
        (
            2,
            String::new(),
            "error: a call is missing. These can be made, for example:
  add(a: u32, b: u32) -> u32
      example:math/sums@1.0.0#add(1, 1)
  run() -> result
      wasi:cli/run@0.2.3#run()
  check(it: result) -> result
      check(ok)
  next() -> u32
      next()
  fail()
      fail()
"
            .into()
        )
    );
    assert_eq!(
        place.run(&["call", "empty.wasm"]),
        (2, String::new(), "error: a call is missing, and the component exports no function\n".into())
    );
}

#[test]
fn missing_arguments_are_answered_with_the_signature_and_an_example() {
    let place = Place::new();
    for name in ["add", " sums#add ", "example:math/sums#add"] {
        assert_eq!(
            place.run(&["call", "guest.wasm", name]),
            (
                2,
                String::new(),
                "error: example:math/sums@1.0.0#add needs its arguments, in parentheses behind the name. The function is add(a: u32, b: u32) -> u32\nFor example: example:math/sums@1.0.0#add(1, 1)\n".into()
            )
        );
    }
    for wrong in [
        "add()",
        "add(1)",
        "add(1, 2, 3)",
        "add(1, -2)",
        "add(1, \"2\")",
        "add(1, {})",
        "add(",
        "add(1, 2",
        "add(1,",
        "add(1, 2) 3",
        "add(\"",
    ] {
        let (code, _, err) = place.run(&["call", "guest.wasm", wrong]);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("The function is add(a: u32, b: u32) -> u32\n"), "{wrong}: {err}");
        assert!(err.ends_with("For example: example:math/sums@1.0.0#add(1, 1)\n"), "{wrong}: {err}");
    }
}

#[test]
fn an_argument_that_does_not_fit_is_refused_by_name_and_marked() {
    let place = Place::new();
    fs::write(place.0.path().join("types.wasm"), all_types()).unwrap();
    let refused = |call: &str| {
        let (code, out, err) = place.run(&["call", "types.wasm", call]);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        err
    };
    let nested = "{points: [{x: 1, record: \"a\", y: 2}], pair: 1}";
    let err = refused(&format!("records({{x: 1, record: \"a\"}}, {nested})"));
    assert!(err.contains("the record has no field y; its fields are x, some, record\n"), "{err}");
    let err = refused("simple(true, 1, 1e400, 'a', \"\")");
    let marked = "out of range for f64; infinity is written inf or -inf\n  simple(true, 1, 1e400, 'a', \"\")\n                  ^^^^^\n";
    assert!(err.contains(marked), "{err}");
    let err = refused("variants(nothing, err, %inf, {})");
    assert!(err.contains("write %err for the case of this name"), "{err}");
    // The guest traps in every function: what is written as the messages say comes that far.
    let (code, _, err) = place.run(&["call", "types.wasm", "variants(nothing, %err, %inf, {%some, %ok})"]);
    assert_eq!(code, 5, "{err}");
}

#[test]
fn what_is_no_call_is_told_as_such() {
    let place = Place::new();
    for wrong in ["", "()", "(1, 2)", "sub", "add 1, 2"] {
        let (code, _, err) = place.run(&["call", "guest.wasm", wrong]);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("is not a call. Write the function and its arguments in parentheses"), "{err}");
    }
}

#[test]
fn a_call_is_repeated_each_time_in_a_fresh_instance() {
    let place = Place::new();
    assert_eq!(
        place.run(&["call", "guest.wasm", "next()", "--repeat", "3"]),
        (0, "1\n1\n1\n".into(), "".into())
    );
    // An error among the answers is one of the whole, and a trap ends it.
    assert_eq!(
        place.run(&["call", "guest.wasm", "check(err)", "--repeat", "2"]),
        (1, "err\nerr\n".into(), "".into())
    );
    let (code, out, err) = place.run(&["call", "guest.wasm", "fail()", "--repeat", "2", "--time"]);
    assert_eq!((code, out.as_str()), (5, ""));
    assert!(err.starts_with("error: the guest trapped"), "{err}");
    assert_eq!(place.run(&["call", "guest.wasm", "next()", "--repeat", "0"]).0, 2);
}

#[test]
fn what_calls_took_is_told_beside_their_results() {
    let place = Place::new();
    let (code, out, err) = place.run(&["call", "guest.wasm", "next()", "--repeat", "3", "--time=json"]);
    assert_eq!((code, out.as_str()), (0, "1\n1\n1\n"));
    let told: serde_json::Value = serde_json::from_str(&err).unwrap();
    assert_eq!(told["calls"], 3);
    for of in ["start", "call"] {
        let time = |which: &str| told[of][which].as_u64().unwrap();
        assert!(time("min") <= time("median") && time("median") <= time("max"), "{err}");
    }
    let (code, out, err) = place.run(&["call", "guest.wasm", "add(1, 2)", "--time"]);
    assert_eq!((code, out.as_str()), (0, "3\n"));
    let lines: Vec<Vec<&str>> = err.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["min", "median", "max"]);
    assert_eq!((lines[1][0], lines[1].len(), lines[2][0], lines[2].len()), ("start", 4, "call", 4));
}

#[test]
fn programs_are_repeated_and_measured_too() {
    let place = Place::new();
    let (code, out, err) = place.run(&["run", "guest.wasm", "--repeat", "2", "--time=json"]);
    assert_eq!((code, out.as_str()), (1, ""));
    let told: serde_json::Value = serde_json::from_str(&err).unwrap();
    assert_eq!(told["calls"], 2);
}
