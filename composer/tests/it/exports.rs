//! What a composition exports: every export of a part is in it, or something is said of it.

use std::fs;

use proptest::prelude::*;

use crate::common::place::{Place, has};
use crate::common::{component, directory, of_world, said, says, shell};

/// Exports a type for itself, and a function that takes it.
const KINDS: &str = r#"(component
    (type $kind (enum "scalar" "vector"))
    (export $named "kind" (type $kind))
    (core module $m (func (export "k") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m))
    (func $f (param "k" $named) (result $named) (canon lift (core func $i "k")))
    (export "same" (func $f)))"#;

/// Imports both.
const ASKS: &str = r#"(component
    (type $kind (enum "scalar" "vector"))
    (import "kind" (type $named (eq $kind)))
    (import "same" (func $f (param "k" $named) (result $named)))
    (core func $lowered (canon lower (func $f)))
    (core module $m
        (import "" "k" (func $k (param i32) (result i32)))
        (func (export "go") (result i32) (call $k (i32.const 1))))
    (core instance $i (instantiate $m (with "" (instance (export "k" (func $lowered))))))
    (func $go (result u32) (canon lift (core func $i "go")))
    (export "go" (func $go)))"#;

fn exports(bytes: &[u8]) -> Vec<String> {
    let (mut depth, mut found) = (0, Vec::new());
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        match payload.expect("it is a component") {
            wasmparser::Payload::ModuleSection { .. } | wasmparser::Payload::ComponentSection { .. } => {
                depth += 1
            }
            wasmparser::Payload::End(_) => depth -= 1,
            wasmparser::Payload::ComponentExportSection(section) if depth == 0 => {
                found.extend(section.into_iter().map(|export| export.expect("one").name.name.to_owned()));
            }
            _ => {}
        }
    }
    found
}

/// Composes these parts, and answers with what the result exports.
#[track_caller]
fn composed(parts: &[(&str, &str)], flags: &[&str]) -> (Vec<String>, String) {
    let parts: Vec<(String, Vec<u8>)> =
        parts.iter().map(|(name, text)| (format!("{name}.wasm"), component(text))).collect();
    let files: Vec<(&str, &[u8])> = parts.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    let directory = directory(&files);
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let (code, words) = said(directory.path(), &[&["compose", "-o", "whole"], &names[..], flags].concat());
    assert_eq!(code, 0, "{words}");
    let whole = fs::read(directory.path().join("whole")).expect("it was written");
    wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
        .validate_all(&whole)
        .expect("it is valid");
    (exports(&whole), words)
}

#[test]
fn types_that_are_exported_for_themselves_are_in_the_result() {
    let unused = r#"(component (type $r (variant (case "a"))) (export "r" (type $r))
        (core module $m (func (export "f") (param i32)))
        (core instance $i (instantiate $m))
        (func $f (param "x" u32) (canon lift (core func $i "f")))
        (export "f" (func $f)))"#;
    let (found, words) = composed(&[("unused", unused)], &[]);
    assert_eq!((found, words.as_str()), (vec!["r".to_owned(), "f".to_owned()], ""));
    // A part that has nothing else.
    let alone = r#"(component (type $r (record (field "a" u32))) (export "r" (type $r)))"#;
    assert_eq!(composed(&[("alone", alone)], &[]).0, ["r"]);
    // A function that takes one takes the one that the result exports.
    assert_eq!(composed(&[("kinds", KINDS)], &[]).0, ["kind", "same"]);
    assert_eq!(composed(&[("kinds", KINDS)], &["--export", "kind"]).0, ["kind"]);
    assert_eq!(composed(&[("kinds", KINDS)], &["--export", "same"]).0, ["kind", "same"]);
    // What another part consumes is not exported.
    assert_eq!(composed(&[("kinds", KINDS), ("asks", ASKS)], &[]).0, ["go"]);
}

#[test]
fn types_within_types_and_resources_go_by_their_new_names_too() {
    let all = r#"(component
        (type $kind (enum "scalar" "vector"))
        (export $kind' "kind" (type $kind))
        (type $shape (record (field "kind" $kind') (field "sizes" (list u32))))
        (export $shape' "shape" (type $shape))
        (type $thing (resource (rep i32)))
        (export $thing' "thing" (type $thing))
        (core func $new (canon resource.new $thing))
        (type $all (tuple $shape' (option $kind') (result (list $shape') (error $kind'))))
        (type $case (variant (case "one" $shape') (case "none")))
        (export $case' "choice" (type $case))
        (core module $m
            (memory (export "m") 1)
            (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 0))
            (func (export "f") (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 0)))
        (core instance $i (instantiate $m))
        (func $make (param "n" u32) (result (own $thing')) (canon lift (core func $new)))
        (export "[constructor]thing" (func $make))
        (func $f (param "all" $all) (result (option $case'))
            (canon lift (core func $i "f") (memory $i "m") (realloc (func $i "r"))))
        (export "f" (func $f)))"#;
    let (found, words) = composed(&[("all", all)], &[]);
    assert_eq!(found, ["kind", "shape", "thing", "choice", "[constructor]thing", "f"], "{words}");
    assert_eq!(words, "");
}

#[test]
fn a_type_that_two_parts_export_is_left_out_and_that_is_said() {
    let part = |function: &str| {
        format!(
            r#"(component (type $r (enum "a" "{function}")) (export "r" (type $r))
                (core module $m (func (export "f"))) (core instance $i (instantiate $m))
                (func $f (canon lift (core func $i "f"))) (export "{function}" (func $f)))"#
        )
    };
    let (one, two) = (part("one"), part("two"));
    let parts = [("first", one.as_str()), ("second", two.as_str())];
    let (found, words) = composed(&parts, &[]);
    assert_eq!(found, ["one", "two"]);
    has(&words, &["the type `r` of `first` is not exported", "`--export second.r`"]);
    let (found, words) = composed(&parts, &["--export", "second.r", "--export", "one", "--export", "two"]);
    assert_eq!((found, words.as_str()), (vec!["one".to_owned(), "r".to_owned(), "two".to_owned()], ""));
}

/// Two components of interfaces: the first has the types that the second takes over in an interface of its own.
fn purse() -> (Vec<u8>, Vec<u8>) {
    let coin = "package lib:coin@0.1.0 {
        interface base { record amount { v: u64 } }
        interface purse { use base.{amount}; variant purse { gold(amount), silver(amount) } }
    }";
    let adder = format!(
        "package root:adder; world adder {{ export lib:coin/base@0.1.0; export lib:coin/purse@0.1.0; }} {coin}"
    );
    let calc = format!(
        "package root:calc; world calc {{ export lib:calc/kinds@0.1.0; export lib:calc/late@0.1.0; }}
         package lib:calc@0.1.0 {{
             interface kinds {{ use lib:coin/purse@0.1.0.{{purse}}; record holder {{ p: purse }} }}
             interface late {{ use kinds.{{holder}}; variant who {{ a(holder), b }} }}
         }} {coin}"
    );
    (of_world(&adder), of_world(&calc))
}

const PURSE: &str = "let n = new p:adder { ... };\nlet g = new p:calc { ...n, ... };\n";

#[track_caller]
fn of_text(place: &Place, exports: &str) -> (i32, String) {
    place.write("whole.wac", format!("package mine:whole;\n{PURSE}{exports}\n"));
    place.said(&[
        "compose",
        "whole.wac",
        "-o",
        "whole.wasm",
        "-d",
        "p:adder=adder.wasm",
        "-d",
        "p:calc=calc.wasm",
    ])
}

#[test]
fn an_export_without_the_types_that_it_uses_is_refused_by_name_and_the_help_is_right() {
    let place = Place::new();
    let (adder, calc) = purse();
    place.write("adder.wasm", adder);
    place.write("calc.wasm", calc);
    for (exports, at) in [("export g...;", "whole.wac:4:8"), ("export g.kinds;", "whole.wac:4:10")] {
        let (code, words) = of_text(&place, exports);
        assert_eq!(code, 1, "{words}");
        let what = "`lib:calc/kinds@0.1.0` cannot be exported without `lib:coin/purse@0.1.0` of `n`";
        has(&words, &[what, at, "exported here", r#"`export n["lib:coin/purse@0.1.0"];`"#]);
        assert!(!words.contains("offset"), "{words}");
        let added = words.split('`').find(|words| words.starts_with("export n[")).expect("a statement");
        // In whichever place it is added.
        for exports in [format!("{added}\n{exports}"), format!("{exports}\n{added}")] {
            let (code, words) = of_text(&place, &exports);
            assert_eq!(code, 0, "{words}");
        }
    }
}

#[test]
fn exports_come_after_what_they_take_types_from_in_whatever_order_they_are_written() {
    let place = Place::new();
    let (adder, calc) = purse();
    place.write("adder.wasm", adder);
    place.write("calc.wasm", calc);
    let (code, words) = of_text(&place, "export g.late;\nexport g.kinds;\nexport n.purse;");
    assert_eq!(code, 0, "{words}");
    let whole = fs::read(place.at("whole.wasm")).expect("it was written");
    assert_eq!(exports(&whole), ["lib:coin/purse@0.1.0", "lib:calc/kinds@0.1.0", "lib:calc/late@0.1.0"]);
}

#[test]
fn a_function_of_a_type_by_itself_is_not_exported_without_it() {
    let place = Place::new();
    place.write("kinds.wasm", component(KINDS));
    let text = |exports: &str| format!("package mine:whole;\nlet k = new p:kinds {{ }};\n{exports}\n");
    let compose = ["compose", "whole.wac", "-o", "whole.wasm", "-d", "p:kinds=kinds.wasm"];
    place.write("whole.wac", text("export k.same;"));
    let (code, words) = place.said(&compose);
    assert_eq!(code, 1, "{words}");
    has(
        &words,
        &[
            "`same` cannot be exported without the type `kind` of `k`",
            r#"`export k["kind"];`"#,
            "whole.wac:3:10",
        ],
    );
    place.write("whole.wac", text("export k.same;\nexport k[\"kind\"];"));
    assert_eq!(place.said(&compose), (0, String::new()));
    assert_eq!(exports(&fs::read(place.at("whole.wasm")).expect("it was written")), ["kind", "same"]);
    place.write("whole.wac", text("export k...;"));
    assert_eq!(place.said(&compose), (0, String::new()));
}

#[test]
fn components_and_modules_are_handed_from_part_to_part() {
    let pairs = [
        (
            r#"(component (import "dep" (component $d (export "get" (func (result u32)))))
                (instance $x (instantiate $d)) (alias export $x "get" (func $g)) (export "go" (func $g)))"#,
            r#"(component
                (component $c
                    (core module $m (func (export "f") (result i32) (i32.const 7)))
                    (core instance $i (instantiate $m))
                    (func $f (result u32) (canon lift (core func $i "f")))
                    (export "get" (func $f)))
                (export "dep" (component $c)))"#,
        ),
        (
            r#"(component (import "lib" (core module $d (export "f" (func (result i32)))))
                (core instance $x (instantiate $d))
                (func $g (result u32) (canon lift (core func $x "f"))) (export "go" (func $g)))"#,
            r#"(component (core module $m (func (export "f") (result i32) (i32.const 7))) (export "lib" (core module $m)))"#,
        ),
    ];
    for (takes, gives) in pairs {
        let (takes, gives) = (component(takes), component(gives));
        let files: [(&str, &[u8]); 2] = [("takes", &takes), ("gives", &gives)];
        for command in ["check", "compose"] {
            let (code, words) = says(command, &files, &[]);
            assert_eq!(code, Some(0), "{command}: {words}");
        }
        let directory = directory(&[("takes.wasm", &takes), ("gives.wasm", &gives)]);
        let (code, words) =
            said(directory.path(), &["compose", "takes.wasm", "gives.wasm", "-o", "whole.wasm"]);
        assert_eq!(code, 0, "{words}");
        for command in ["inspect", "graph", "decompose"] {
            let more = if command == "decompose" { "-o apart" } else { "> seen" };
            let (code, words) = shell(directory.path(), &format!("composer {command} whole.wasm {more}"));
            assert_eq!(code, 0, "{command}: {words}");
        }
    }
}

#[test]
fn what_the_library_cannot_leave_to_the_host_is_named() {
    let cases = [
        (
            r#"(component (import "a" (instance $a (export "v" (core module)))) (alias export $a "v" (core module $m))
                (export "v" (core module $m)))"#,
            "the import `a` of `t` cannot be left to the host: `v` in it is a core module",
            "a",
        ),
        (
            r#"(component (import "a" (instance $a (export "in" (instance (export "c" (component))))))
                (core module $m) (export "m" (core module $m)))"#,
            "`in` of `c` in it is a component",
            "a",
        ),
        (
            r#"(component (import "t:t/types" (instance $t (export "r" (type (sub resource)))))
                (alias export $t "r" (type $r)) (import "f" (func (param "r" (list (own $r)))))
                (core module $m) (export "m" (core module $m)))"#,
            "`t` imports `f` outside of an interface, which cannot be left to the host",
            "it",
        ),
        (
            r#"(component (import "r" (type $r (sub resource))) (import "f" (func (param "r" (borrow $r))))
                (core module $m) (export "m" (core module $m)))"#,
            "`t` imports `f` outside of an interface, which cannot be left to the host",
            "it",
        ),
    ];
    for (text, what, import) in cases {
        let part = component(text);
        let flags =
            ["--leave-open", "a", "--leave-open", "f", "--leave-open", "r", "--leave-open", "t:t/types"];
        let named = flags.chunks(2).filter(|pair| text.contains(&format!("(import \"{}\"", pair[1])));
        let flags: Vec<&str> = named.flatten().copied().collect();
        let help = match import {
            "it" => "give the component that exports it".to_owned(),
            import => format!("give a component that exports `{import}`"),
        };
        let (code, words) = says("compose", &[("t", &part)], &flags);
        assert_eq!(code, Some(1), "{words}");
        has(&words, &[what, &help]);
        assert!(!words.contains("internal error"), "{words}");
        // Of a text it is the same.
        let text = b"package test:whole;\nlet t = new p:t { ... };\n";
        let directory = directory(&[("t.wasm", &part), ("whole.wac", text)]);
        let (code, words) =
            said(directory.path(), &["compose", "whole.wac", "-o", "o.wasm", "-d", "p:t=t.wasm"]);
        assert_eq!(code, 1, "{words}");
        has(&words, &["of `p:t` cannot be left to the host: "]);
    }
}

#[test]
fn functions_of_resources_that_are_imported_by_themselves_are_left_to_the_host() {
    let part = component(
        r#"(component (import "a" (type $a (sub resource)))
            (import "[constructor]a" (func (result (own $a))))
            (core module $m) (export "m" (core module $m)))"#,
    );
    let flags = ["--leave-open", "a", "--leave-open", "[constructor]a"];
    let (code, words) = says("compose", &[("t", &part)], &flags);
    assert_eq!(code, Some(0), "{words}");
}

#[test]
fn a_text_that_instantiates_itself_and_a_part_that_is_not_valid_are_told_as_they_are() {
    let place = Place::new();
    place.write("x.wasm", component("(component)"));
    place.write("t.wac", "package foo:bar;\n\nlet i = new foo:bar {};\n");
    let (code, words) = place.said(&["compose", "t.wac", "-d", "foo:bar=x.wasm", "-o", "o.wasm"]);
    assert_eq!(code, 3, "{words}");
    has(&words, &["a composition cannot instantiate itself", "t.wac:3:13"]);
    assert!(!words.contains("does not mention"), "{words}");

    // A component whose function is not there: canon lift of core function 0.
    let mut invalid = component("(component)");
    invalid.extend([7, 5, 1, 0x40, 0, 1, 0, 8, 6, 1, 0, 0, 0, 0, 0]);
    place.write("root.wasm", invalid);
    place.write("t.wac", "package test:t;\nlet v-root = new test:root { ... };\n");
    let (code, words) = place.said(&["compose", "t.wac", "-d", "test:root=root.wasm", "-o", "o.wasm"]);
    assert_eq!(code, 3, "{words}");
    let (alone, of_set) = place.said(&["compose", "root.wasm", "-o", "o.wasm"]);
    assert_eq!((alone, &of_set), (code, &words), "as for a set of components");
    has(&words, &["`root.wasm` cannot be used as a component", "it is not a valid component"]);
}

#[test]
fn resources_that_come_through_an_import_of_the_text_are_told_apart() {
    let place = Place::new();
    place.write(
        "bar.wasm",
        component(
            r#"(component (type $r (resource (rep i32))) (instance $t (export "x" (type $r)))
                (export "foo:dependency/types" (instance $t)))"#,
        ),
    );
    place.write(
        "baz.wasm",
        component(
            r#"(component (import "foo:dependency/types" (instance $t (export "x" (type (sub resource)))))
                (alias export $t "x" (type $x)) (import "my-func" (func (result (own $x)))))"#,
        ),
    );
    place.write(
        "import/world.wit",
        "package foo:test-import;\ninterface my-interface { use foo:dependency/types.{x}; my-func: func() -> x; }\n",
    );
    place.write("import/deps/types.wit", "package foo:dependency;\ninterface types { resource x; }\n");
    let text = |types: &str| {
        format!(
            "package test:graph;
             import n0 as \"foo:test-import/my-interface\": foo:test-import/my-interface;
             let n1 = new test:bar {{ ... }};
             let n4 = new test:baz {{ \"my-func\": n0[\"my-func\"], {types} ... }};
             export n1...;"
        )
    };
    let given = ["-d", "test:bar=bar.wasm", "-d", "test:baz=baz.wasm", "-d", "foo:test-import=import"];
    let compose = [&["compose", "t.wac", "-o", "o.wasm"][..], &given].concat();
    place.write("t.wac", text(r#""foo:dependency/types": n1["foo:dependency/types"],"#));
    let (code, words) = place.said(&compose);
    assert_eq!(code, 1, "{words}");
    has(
        &words,
        &[
            "resource-identity: my-func > result",
            "which is wired to `test:bar`",
            "no part is wired to that: it is the host's",
            "leave `foo:dependency/types` of `test:baz` to the host as well",
        ],
    );
    assert!(!words.contains("offset"), "{words}");
    place.write("t.wac", text(""));
    assert_eq!(place.said(&compose), (0, String::new()), "the help is right");
}

#[test]
fn an_interface_that_fits_under_another_name_is_offered_with_the_flag_that_wires_it() {
    let body = "{ store: func(key: string, value: string); retrieve: func(key: string) -> option<string>; }";
    let a = of_world(&format!(
        "package root:a; world a {{ export svc:store/storage@1.0.0; }}
         package svc:store@1.0.0 {{ interface storage {body} }}"
    ));
    let b = of_world(&format!(
        "package root:b; world b {{ import storage: interface {body} export main: func() -> u32; }}"
    ));
    let files: [(&str, &[u8]); 2] = [("a", &a), ("b", &b)];
    let (code, words) = says("compose", &files, &[]);
    assert_eq!(code, Some(1), "{words}");
    let flag = words.split('`').find(|words| words.starts_with("--wire")).expect("a flag");
    assert_eq!(flag, "--wire b.storage=a.svc:store/storage@1.0.0");
    let (code, words) = says("compose", &files, &flag.split(' ').collect::<Vec<_>>());
    assert_eq!(code, Some(0), "{words}");
}

/// Something that a part exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Function,
    /// A type under a name that other parts may have as well, and a function that takes it.
    Type,
    /// A record of the type before, if there is one.
    Record,
    Resource,
    Interface,
    Module,
    Component,
}

/// A part that exports these, and imports the first function of the part before where that has one.
fn part_of(number: usize, kinds: &[Kind], shared: bool, imports: Option<String>) -> (String, Vec<String>) {
    let mut text = String::from(
        r#"(core module $m (func (export "f")) (func (export "id") (param i32)))
           (core instance $i (instantiate $m)) (func $f (canon lift (core func $i "f")))"#,
    );
    if let Some(import) = imports {
        text.insert_str(0, &format!(r#"(import "{import}" (func))"#));
    }
    let (mut names, mut last) = (Vec::new(), None);
    for (index, kind) in kinds.iter().enumerate() {
        let name = format!("e{number}x{index}");
        match kind {
            Kind::Function => text += &format!(r#"(export "{name}" (func $f))"#),
            Kind::Type => {
                let ty = if shared { format!("shared{index}") } else { format!("{name}t") };
                text += &format!(
                    r#"(type $t{index} (enum "a")) (export $n{index} "{ty}" (type $t{index}))
                       (func $g{index} (param "k" $n{index}) (canon lift (core func $i "id")))"#
                );
                // Where the type's name is not its own, a function of it would have to be exported with it.
                text +=
                    &if shared { String::new() } else { format!(r#"(export "{name}" (func $g{index}))"#) };
                names.push(ty);
                last = Some(index);
                if shared {
                    continue;
                }
            }
            Kind::Record => {
                let field = last.filter(|_| !shared).map_or("u8".to_owned(), |last| format!("$n{last}"));
                text += &format!(
                    r#"(type $t{index} (record (field "a" {field}))) (export $n{index} "{name}" (type $t{index}))"#
                );
            }
            Kind::Resource => {
                text += &format!(
                    r#"(type $t{index} (resource (rep i32))) (export $n{index} "{name}" (type $t{index}))
                       (core func $c{index} (canon resource.new $t{index}))
                       (func $k{index} (param "n" u32) (result (own $n{index})) (canon lift (core func $c{index})))
                       (export "[constructor]{name}" (func $k{index}))"#
                );
                names.push(format!("[constructor]{name}"));
            }
            Kind::Interface => {
                text += &format!(
                    r#"(instance $s{index} (export "f" (func $f))) (export "a:b/{name}" (instance $s{index}))"#
                );
                names.push(format!("a:b/{name}"));
                continue;
            }
            Kind::Module => text += &format!(r#"(export "{name}" (core module $m))"#),
            Kind::Component => {
                text += &format!(
                    r#"(component $p{index} (core module $x) (export "x" (core module $x)))
                       (export "{name}" (component $p{index}))"#
                );
            }
        }
        names.push(name);
    }
    (format!("(component {text})"), names)
}

fn kinds() -> impl Strategy<Value = Vec<Kind>> {
    let kind = prop_oneof![
        Just(Kind::Function),
        Just(Kind::Type),
        Just(Kind::Record),
        Just(Kind::Resource),
        Just(Kind::Interface),
        Just(Kind::Module),
        Just(Kind::Component)
    ];
    prop::collection::vec(kind, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a part exports is exported by the result, consumed by another part, or named in a note.
    #[test]
    fn every_export_is_in_the_result_or_in_a_note(
        sets in prop::collection::vec((kinds(), any::<bool>(), any::<bool>()), 1..4)
    ) {
        let (mut files, mut all, mut consumed) = (Vec::new(), Vec::new(), Vec::new());
        let mut before: Option<String> = None;
        for (number, (kinds, shared, asks)) in sets.iter().enumerate() {
            let import = before.clone().filter(|_| *asks);
            consumed.extend(import.clone());
            let (text, names) = part_of(number, kinds, *shared, import);
            let first = kinds.iter().position(|kind| *kind == Kind::Function);
            before = first.map(|index| format!("e{number}x{index}"));
            files.push((format!("part{number}.wasm"), component(&text)));
            all.extend(names);
        }
        let named: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
        let directory = directory(&named);
        let mut arguments = vec!["compose", "-o", "whole"];
        arguments.extend(named.iter().map(|(name, _)| *name));
        let (code, words) = said(directory.path(), &arguments);
        // A component of which the result can have nothing, since another one exports the same name, is refused by its name.
        let refused = code == 1 && words.contains("is used by nothing: it exports `shared");
        prop_assert!(code == 0 || refused, "{}", words);
        if refused {
            return Ok(());
        }
        let found = exports(&fs::read(directory.path().join("whole")).expect("it was written"));
        for name in all {
            let there = found.contains(&name) || consumed.contains(&name);
            prop_assert!(there || words.contains(&format!("`{name}`")), "{} is lost: {:?}: {}", name, found, words);
        }
    }
}
