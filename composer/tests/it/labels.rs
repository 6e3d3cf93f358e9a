//! Imports and exports that go by a name of their own and say which interface they implement: every command reads them as
//! imports and exports of that interface.

use std::fs;

use crate::common::{component, composer, directory, said};

/// Imports one interface twice, each time under a name of its own.
fn app() -> Vec<u8> {
    component(
        r#"(component
            (type $queue (instance (export "push" (func (param "m" u32) (result u32)))))
            (import "main-queue" (implements "mq:bus/queue@1.0.0") (instance $a (type $queue)))
            (import "spare-queue" (implements "mq:bus/queue@1.0.0") (instance $b (type $queue)))
            (core func $a (canon lower (func $a "push")))
            (core func $b (canon lower (func $b "push")))
            (core module $m
                (import "" "a" (func $a (param i32) (result i32)))
                (import "" "b" (func $b (param i32) (result i32)))
                (func (export "go") (param i32) (result i32)
                    (i32.add (call $a (local.get 0)) (call $b (local.get 0)))))
            (core instance $i (instantiate $m
                (with "" (instance (export "a" (func $a)) (export "b" (func $b))))))
            (func (export "go") (param "n" u32) (result u32) (canon lift (core func $i "go"))))"#,
    )
}

fn queue(number: u32) -> Vec<u8> {
    component(&format!(
        r#"(component
            (core module $m (func (export "push") (param i32) (result i32) (i32.const {number})))
            (core instance $i (instantiate $m))
            (func $push (param "m" u32) (result u32) (canon lift (core func $i "push")))
            (instance $queue (export "push" (func $push)))
            (export "mq:bus/queue@1.0.0" (instance $queue)))"#
    ))
}

fn out(directory: &tempfile::TempDir, arguments: &[&str]) -> String {
    let output = composer(directory.path(), arguments);
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).expect("text")
}

#[test]
fn each_of_two_imports_of_one_interface_can_be_given_a_part_of_its_own() {
    let directory = directory(&[("app.wasm", &app()), ("q1.wasm", &queue(1)), ("q2.wasm", &queue(2))]);
    let plain = ["compose", "app.wasm", "q1.wasm", "q2.wasm", "-o", "whole.wasm"];
    let (code, words) = said(directory.path(), &plain);
    assert_eq!(code, 1);
    let flags = "--wire app.main-queue=q1 --wire app.spare-queue=q2";
    assert!(words.contains(&format!("say which for each, for example `{flags}`")), "{words}");
    let flags: Vec<&str> = flags.split(' ').collect();
    assert_eq!(said(directory.path(), &[&plain[..], &flags].concat()), (0, String::new()));
}

#[test]
fn what_stays_open_keeps_its_interface() {
    let directory = directory(&[("app.wasm", &app()), ("q1.wasm", &queue(1))]);
    let flags = ["--wire", "app.main-queue=q1", "--leave-open", "app.spare-queue"];
    let compose = ["compose", "app.wasm", "q1.wasm", "-o", "whole.wasm"];
    assert_eq!(said(directory.path(), &[&compose[..], &flags].concat()), (0, String::new()));
    let whole = fs::read(directory.path().join("whole.wasm")).expect("it was written");
    let implements = anatomy::outline(&whole).expect("it is a component").implements;
    assert_eq!(implements.import("spare-queue"), "spare-queue: mq:bus/queue@1.0.0");
}

#[test]
fn check_finds_the_part_that_exports_the_interface() {
    let directory = directory(&[("app.wasm", &app()), ("q1.wasm", &queue(1))]);
    let output = composer(directory.path(), &["check", "app.wasm", "q1.wasm", "--json"]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(0), "{text}");
    let told: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let wired: Vec<&str> =
        told["wired"].as_array().expect("a list").iter().filter_map(|wire| wire["import"].as_str()).collect();
    assert_eq!(wired, ["main-queue", "spare-queue"]);
}

#[test]
fn pictures_name_the_interface_behind_a_name() {
    let directory = directory(&[("app.wasm", &app()), ("q1.wasm", &queue(1))]);
    let text = out(&directory, &["graph", "app.wasm", "--format", "mmd"]);
    assert!(text.contains(r#"["<b>mq:bus@1.0.0</b><br>main-queue: queue<br>spare-queue: queue"]"#), "{text}");
    let compose = ["compose", "app.wasm", "q1.wasm", "-o", "whole.wasm"];
    assert_eq!(said(directory.path(), &compose), (0, String::new()));
    let text = out(&directory, &["graph", "whole.wasm", "--format", "mmd"]);
    assert!(text.contains("main-queue: bus/queue, 1 function"), "{text}");
}

#[test]
fn an_interface_is_closed_under_every_name_that_it_is_imported_by() {
    let directory = directory(&[("app.wasm", &app())]);
    let both = &["main-queue", "spare-queue"][..];
    for (pattern, closed) in [("mq:bus/queue", both), ("mq:bus/*@1.0.0", both), ("main-queue", &both[..1])] {
        let deny = ["deny", "app.wasm", pattern, "-o", "stub.wasm"];
        assert_eq!(said(directory.path(), &deny).0, 0, "{pattern}");
        let bytes = fs::read(directory.path().join("stub.wasm")).expect("it was written");
        let outline = anatomy::outline(&bytes).expect("it is a component");
        assert_eq!(outline.exports, closed, "{pattern}");
    }
    let (code, words) = said(directory.path(), &["deny", "app.wasm", "wasi:io/*", "-o", "closed.wasm"]);
    assert_ne!(code, 0);
    assert!(
        words.contains("it imports `main-queue: mq:bus/queue@1.0.0`, `spare-queue: mq:bus/queue@1.0.0`"),
        "{words}"
    );
}

#[test]
fn another_interface_behind_the_same_name_is_a_change() {
    let text = |interface: &str| {
        format!(
            "package a:b@1.0.0;\ninterface i {{ f: func(); }}\ninterface j {{ f: func(); }}\n\
             world w {{ import main: {interface}; export out: {interface}; }}\n"
        )
    };
    let directory = directory(&[("old.wit", text("i").as_bytes()), ("new.wit", text("j").as_bytes())]);
    assert_eq!(out(&directory, &["diff", "old.wit", "old.wit"]), "nothing changed\n");
    let told = out(&directory, &["diff", "old.wit", "new.wit"]);
    for side in ["import main", "export out"] {
        let name = side.split(' ').next_back().expect("a name");
        assert!(told.contains(&format!("renamed: a:b/w > {side}")), "{told}");
        assert!(told.contains(&format!("`{name}` implemented `a:b/i")), "{told}");
    }
    assert_eq!(composer(directory.path(), &["diff", "old.wit", "new.wit"]).status.code(), Some(4));
}
