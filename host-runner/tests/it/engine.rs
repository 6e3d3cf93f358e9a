//! The engine that is set up for a component: what is chosen, what is said of it, and that it fits.

use std::fs;
use std::path::Path;
use std::process::Command;

use host_runner::engine::{Demands, Exactness, Tuning};
use host_runner::{App, CallError, Engine, EngineOptions, LoadError, Pool, Setup, Val};
use serde_json::Value;

const SYNCHRONOUS: &str = r#"(component
    (core module $m
        (memory 3) (table 5 funcref) (data (i32.const 0) "x")
        (func (export "seven") (result i32) i32.const 7))
    (core instance $i (instantiate $m))
    (func (export "seven") (result u32) (canon lift (core func $i "seven"))))"#;

/// Its function is lifted asynchronously: it returns through `task.return` and ends by answering 0.
const ASYNCHRONOUS: &str = r#"(component
    (core func $return (canon task.return (result u32)))
    (core module $m
        (import "" "return" (func $return (param i32)))
        (memory 1)
        (func (export "seven") (result i32) (call $return (i32.const 7)) i32.const 0)
        (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
    (core instance $i (instantiate $m (with "" (instance (export "return" (func $return))))))
    (func (export "seven") async (result u32)
        (canon lift (core func $i "seven") async (callback (func $i "callback")))))"#;

fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_host-runner"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("RUST_LOG")
        .env("XDG_CACHE_HOME", directory.join("user"))
        .output()
        .unwrap();
    crate::proposed::checked(arguments, output)
}

fn place() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("plain.wasm"), binary(SYNCHRONOUS)).unwrap();
    fs::write(directory.path().join("async.wasm"), binary(ASYNCHRONOUS)).unwrap();
    directory
}

/// What was chosen for a setting, and why.
fn chosen(directory: &Path, arguments: &[&str], setting: &str) -> (String, String) {
    let (code, out, err) = run(directory, &[arguments, &["--explain-engine=json"]].concat());
    assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
    let told: Value = serde_json::from_str(&out).unwrap();
    let choices = told["choices"].as_array().unwrap();
    let choice = choices.iter().find(|choice| choice["setting"] == setting);
    let choice = choice.unwrap_or_else(|| panic!("nothing is said of {setting}: {out}"));
    (choice["chosen"].as_str().unwrap().to_owned(), choice["reason"].as_str().unwrap().to_owned())
}

#[test]
fn an_explanation_names_every_choice_its_reason_and_its_flag() {
    let place = place();
    let (code, out, err) = run(place.path(), &["serve", "plain.wasm", "--explain-engine"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let lines: Vec<&str> = out.lines().collect();
    let begins = |start: &str| {
        *lines.iter().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start}:\n{out}"))
    };
    assert_eq!(
        begins("concurrency"),
        "concurrency        off        the component validates without the asynchronous component model, and a call from part to part costs half without it (--concurrency on)"
    );
    assert!(begins("blame").contains("exact") && begins("blame").ends_with("(--blame coarse)"));
    assert!(begins("copy-on-write").ends_with("(--copy-on-write off)"));
    assert!(begins("pool").contains("64 instances"));
    assert!(begins("memories").contains("1 each"));
    assert!(begins("tables").contains("1 each"));
    assert!(begins("resident memory").contains("the largest memory begins with 192 KiB"));
    assert!(begins("resident tables").contains("the largest table begins with 5 elements"));
    assert!(begins("warm slots").ends_with("(--warm-slots COUNT)"));
}

#[test]
fn support_for_asynchronous_calls_is_on_where_the_component_needs_it() {
    let place = place();
    let (on, reason) = chosen(place.path(), &["serve", "async.wasm"], "concurrency");
    assert_eq!(on, "on");
    assert_eq!(reason, "the component does not validate without the asynchronous component model");
    assert_eq!(chosen(place.path(), &["serve", "plain.wasm"], "concurrency").0, "off");
    for file in ["plain.wasm", "async.wasm"] {
        assert_eq!(run(place.path(), &["call", file, "seven()"]), (0, "7\n".into(), String::new()), "{file}");
    }
    // Told otherwise: support that is not needed does no harm, and without what is needed nothing goes.
    assert_eq!(run(place.path(), &["call", "plain.wasm", "seven()", "--concurrency", "on"]).1, "7\n");
    let (code, _, err) = run(place.path(), &["call", "async.wasm", "seven()", "--concurrency", "off"]);
    assert_eq!(code, 3);
    let expected = "error: async.wasm needs async of the Component Model, which is off in this engine. Leave `--concurrency off` out";
    assert!(err.starts_with(expected) && !err.contains("damaged"), "{err}");
}

#[test]
fn every_choice_has_a_flag_that_turns_it_back() {
    let place = place();
    for (flags, setting, value) in [
        (&["--concurrency", "on"][..], "concurrency", "on"),
        (&["--blame", "coarse"], "blame", "coarse"),
        (&["--copy-on-write", "off"], "copy-on-write", "off"),
        (&["--pool", "off"], "pool", "off"),
        (&["--max-concurrency", "3"], "pool", "3 instances"),
        (&["--page-map-scan", "off"], "page-map scan", "off"),
        (&["--resident-memory", "0"], "resident memory", "0 bytes"),
        (&["--resident-memory", "3MiB"], "resident memory", "3 MiB"),
        (&["--resident-table", "8KiB"], "resident tables", "8 KiB"),
        (&["--warm-slots", "0"], "warm slots", "0"),
    ] {
        let arguments = [&["serve", "plain.wasm"], flags].concat();
        assert_eq!(chosen(place.path(), &arguments, setting).0, value, "{flags:?}");
    }
    // A single call has no use for a pool.
    assert_eq!(chosen(place.path(), &["call", "plain.wasm", "seven()"], "pool").0, "off");
    assert_eq!(run(place.path(), &["call", "plain.wasm", "seven()", "--blame", "coarse"]).1, "7\n");
}

#[test]
fn compiled_code_is_explained_like_the_component_that_it_was_made_of() {
    let place = place();
    for (file, compiled) in [("plain.wasm", "plain.cwasm"), ("async.wasm", "async.cwasm")] {
        assert_eq!(run(place.path(), &["compile", file, "-o", compiled]).0, 0);
        let explained = |file| run(place.path(), &["serve", file, "--explain-engine"]);
        assert_eq!(explained(compiled), explained(file));
        assert_eq!(run(place.path(), &["call", compiled, "seven()"]), (0, "7\n".into(), String::new()));
    }
}

/// A component with many memories and tables in one instance.
fn wide(parts: usize) -> Vec<u8> {
    let parts: String = (0..parts).map(|_| "(core instance (instantiate $m))").collect();
    binary(&format!("(component (core module $m (memory 1) (table 1 funcref)) {parts})"))
}

#[tokio::test]
async fn the_pool_has_room_for_as_many_instances_as_were_asked_for_and_no_more() {
    let component = wide(40);
    let demands = Demands::of(&component);
    assert_eq!(demands.instance.unwrap().memories, 40);
    let pool = Pool { instances: 2, memory: 1 << 20, table_elements: 10 };
    let options = EngineOptions {
        tuning: Tuning { pool: Some(pool), ..Tuning::default() },
        ..EngineOptions::default()
    };
    let engine = Engine::for_demands(&options, &demands).unwrap();
    let app = App::from_bytes(&engine, "wide.wasm", &component, Setup::default()).unwrap();
    let first = app.session().await.unwrap();
    let _second = app.session().await.unwrap();
    assert!(matches!(app.session().await, Err(CallError::Trap { .. })));
    drop(first);
    app.session().await.unwrap();
}

#[tokio::test]
async fn an_engine_that_was_built_for_nothing_in_particular_runs_both_kinds() {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    for text in [SYNCHRONOUS, ASYNCHRONOUS] {
        let app = App::from_bytes(&engine, "guest.wasm", &binary(text), Setup::default()).unwrap();
        let mut session = app.session().await.unwrap();
        assert_eq!(session.call("seven", &[]).await.unwrap(), Some(Val::U32(7)));
    }
}

#[test]
fn an_engine_without_support_takes_no_asynchronous_component() {
    let options = EngineOptions {
        tuning: Tuning { concurrency: Some(false), ..Tuning::default() },
        ..EngineOptions::default()
    };
    let engine = Engine::new(&options).unwrap();
    let loaded = App::from_bytes(&engine, "async.wasm", &binary(ASYNCHRONOUS), Setup::default());
    let features = ["async".to_owned()];
    assert!(matches!(&loaded, Err(LoadError::Features { features: off, .. }) if *off == features));
}

/// A part that calls another, whose function traps and is small enough to be inlined.
const PARTS: &str = r#"(component
    (component $Inner
        (core module $inner (func $trap (export "fail") unreachable))
        (core instance $i (instantiate $inner))
        (func (export "fail") (canon lift (core func $i "fail"))))
    (instance $inner (instantiate $Inner))
    (component $Outer
        (import "fail" (func $fail))
        (core func $lowered (canon lower (func $fail)))
        (core module $outer
            (import "" "fail" (func $fail))
            (func $calls (export "go") (call $fail)))
        (core instance $o (instantiate $outer (with "" (instance (export "fail" (func $lowered))))))
        (func (export "go") (canon lift (core func $o "go"))))
    (instance $outer (instantiate $Outer (with "fail" (func $inner "fail"))))
    (export "go" (func $outer "go")))"#;

#[tokio::test]
async fn with_exact_blame_every_frame_of_a_trap_is_there() {
    let blamed = async |blame| {
        let component = binary(PARTS);
        let options =
            EngineOptions { tuning: Tuning { blame, ..Tuning::default() }, ..EngineOptions::default() };
        let engine = Engine::for_demands(&options, &Demands::of(&component)).unwrap();
        let app = App::from_bytes(&engine, "parts.wasm", &component, Setup::default()).unwrap();
        match app.session().await.unwrap().call("go", &[]).await.unwrap_err() {
            CallError::Trap { blame } => blame,
            other => panic!("{other}"),
        }
    };
    let exact = blamed(Exactness::Exact).await;
    let names: Vec<&str> = exact.frames.iter().map(|frame| &*frame.function).collect();
    assert!(names[0] == "trap" && names.contains(&"calls"), "{names:?}");
    assert_eq!(exact.way(), "outer > inner");
    assert!(!exact.coarse && !exact.page("a test", None).contains("a frame may hide"));
    // With coarse blame a frame may be missing, none is made up, and the page says so.
    let coarse = blamed(Exactness::Coarse).await;
    assert!(coarse.frames.len() <= exact.frames.len(), "{coarse}");
    assert!(coarse.coarse && coarse.page("a test", None).contains("a frame may hide"));
}

/// A component over types that the engine has behind a switch each. Its functions trap.
fn of_a_wit(wit: &str) -> Vec<u8> {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("w.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("w")).unwrap();
    let abi = wit_parser::ManglingAndAbi::Standard32;
    let mut module = wit_component::dummy_module(&resolve, world, abi);
    let utf8 = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, utf8).unwrap();
    wit_component::ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

const MAP: &str = "package a:b; world w { export f: func(x: map<string, u32>) -> map<string, u32>; }";
const LIST: &str = "package a:b; world w { export f: func(x: list<u8, 4>); }";

#[test]
fn a_feature_is_on_where_the_component_needs_it_and_nowhere_else() {
    let place = place();
    let write = |file: &str, bytes: &[u8]| fs::write(place.path().join(file), bytes).unwrap();
    write("map.wasm", &of_a_wit(MAP));
    write("list.wasm", &of_a_wit(LIST));
    for (file, feature, call) in
        [("map.wasm", "map", "f([(\"a\", 1)])"), ("list.wasm", "fixed-length lists", "f([1, 2, 3, 4])")]
    {
        for command in ["call", "run", "serve"] {
            let given = if command == "call" { &[command, file, call][..] } else { &[command, file][..] };
            let (name, reason) = chosen(place.path(), given, "features");
            assert_eq!(
                (name.as_str(), reason.as_str()),
                (feature, "the component does not validate without")
            );
        }
        let (code, _, err) = run(place.path(), &["grants", file]);
        assert_eq!((code, err.as_str()), (0, ""));
        // The guest runs, and traps; also out of code that was kept, and that was compiled ahead of time.
        let compiled = format!("{file}.cwasm");
        let (code, _, err) = run(place.path(), &["compile", file, "-o", &compiled]);
        assert_eq!(code, 0, "{err}");
        for arguments in [&[file][..], &[file, "--cache", "kept"], &[file, "--cache", "kept"], &[&compiled]] {
            let (code, _, err) = run(place.path(), &[&["call"], arguments, &[call]].concat());
            assert_eq!(code, 5, "{err}");
            assert!(err.contains("the guest trapped"), "{err}");
        }
    }
    let (_, out, _) = run(place.path(), &["call", "plain.wasm", "seven()", "--explain-engine"]);
    assert!(!out.contains("features"), "{out}");
}

#[test]
fn a_feature_that_is_off_is_named_by_every_command() {
    let place = place();
    let error = r#"(component (type $e error-context) (import "d" (func (param "x" $e))))"#;
    fs::write(place.path().join("new.wasm"), binary(error)).unwrap();
    let expected = "error: new.wasm needs error-context of the Component Model, which this host does not have. Build it without, or run it on a host that has them\n";
    for arguments in [
        &["run", "new.wasm"][..],
        &["call", "new.wasm", "f()"],
        &["serve", "new.wasm"],
        &["compile", "new.wasm", "-o", "new.cwasm"],
        &["grants", "new.wasm"],
    ] {
        assert_eq!(run(place.path(), arguments), (3, String::new(), expected.to_owned()), "{arguments:?}");
    }
    // An engine for any component has none of the features that have a switch.
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let error = App::from_bytes(&engine, "map.wasm", &of_a_wit(MAP), Setup::default()).unwrap_err();
    assert!(matches!(&error, LoadError::Features { features, .. } if features == &["map"]), "{error}");
}

#[test]
fn where_bytes_make_no_sense_a_newer_toolchain_is_named_too() {
    let place = place();
    // A component whose canonical section has a code that is not given out, behind a producers section.
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    let producers = b"\x09producers\x01\x0cprocessed-by\x01\x0dwit-component\x079.9.9.9";
    bytes.extend([0, producers.len() as u8]);
    bytes.extend(producers);
    bytes.extend([8, 2, 1, 0x7e]);
    fs::write(place.path().join("new.wasm"), bytes).unwrap();
    for arguments in [&["run", "new.wasm"][..], &["grants", "new.wasm"], &["compile", "new.wasm", "-o", "o"]]
    {
        let (code, _, err) = run(place.path(), arguments);
        assert_eq!(code, 3);
        let named = "Or a newer toolchain made it than this host knows: it names wit-component 9.9.9.9\n";
        assert!(err.ends_with(named), "{err}");
    }
}

#[test]
fn imports_of_one_interface_under_two_names_come_each_from_its_own_part() {
    let part = |name: &str, number: u32| {
        format!(
            r#"(component ${name}
                (core module $m (func (export "f") (result i32) i32.const {number}))
                (core instance $i (instantiate $m))
                (func $f (result u32) (canon lift (core func $i "f")))
                (instance $out (export "f" (func $f)))
                (export "t:b/queue" (instance $out)))"#
        )
    };
    let whole = format!(
        r#"(component {} {}
            (component $app
                (import "main" (implements "t:b/queue") (instance $main (export "f" (func (result u32)))))
                (import "spare" (implements "t:b/queue") (instance $spare (export "f" (func (result u32)))))
                (core func $a (canon lower (func $main "f")))
                (core func $b (canon lower (func $spare "f")))
                (core instance $i (export "a" (func $a)) (export "b" (func $b)))
                (core module $m
                    (import "" "a" (func $a (result i32))) (import "" "b" (func $b (result i32)))
                    (func (export "go") (result i32) (i32.add (i32.mul (call $a) (i32.const 10)) (call $b))))
                (core instance $c (instantiate $m (with "" (instance $i))))
                (func (export "go") (result u32) (canon lift (core func $c "go"))))
            (instance $one (instantiate $one))
            (instance $two (instantiate $two))
            (alias export $one "t:b/queue" (instance $q1))
            (alias export $two "t:b/queue" (instance $q2))
            (instance $it (instantiate $app (with "main" (instance $q1)) (with "spare" (instance $q2))))
            (export "go" (func $it "go")))"#,
        part("one", 4),
        part("two", 2)
    );
    let place = place();
    fs::write(place.path().join("two.wasm"), binary(&whole)).unwrap();
    assert_eq!(run(place.path(), &["call", "two.wasm", "go()"]), (0, "42\n".into(), String::new()));
    assert_eq!(chosen(place.path(), &["call", "two.wasm", "go()"], "features").0, "implements");
}
