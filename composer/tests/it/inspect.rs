//! What `inspect` shows.

use std::fs;

use crate::common::{component, composer, golden, part};
use compose::link_map::{Origin, Origins};
use compose::{Packages, compose, compose_from};
use serde_json::{Value, json};

const WHOLE: &str = r#"package example:whole;
let store = new parts:store { ... };
let logic = new parts:logic { ...store, ... };
let page = new parts:page { ...logic, ... };
export page["example:page/show@0.1.0"];
"#;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn packages() -> Packages {
    let store = part(
        &names(&["host:files/read@1.0.0", "host:files/write@1.0.0", "host:clocks/wall@1.0.0"]),
        "example:store/records@0.1.0",
        Some(("Rust", "rustc")),
    );
    let logic =
        part(&names(&["example:store/records@0.1.0"]), "example:logic/rules@0.1.0", Some(("Zig", "zig")));
    let page = part(
        &names(&["example:logic/rules@0.1.0", "host:clocks/wall@1.0.0"]),
        "example:page/show@0.1.0",
        None,
    );
    Packages::from([
        ("parts:store".to_owned(), store),
        ("parts:logic".to_owned(), logic),
        ("parts:page".to_owned(), page),
    ])
}

fn whole() -> Vec<u8> {
    let origins = Origins::from([
        ("parts:store".to_owned(), Origin::file("store.wasm")),
        ("parts:logic".to_owned(), Origin::registry("registry.example/logic:1.0.0")),
    ]);
    compose_from("whole.wac", WHOLE, &packages(), &origins).expect("a composition")
}

fn nested() -> Vec<u8> {
    let text = r#"package example:outer;
        let left = new parts:whole { ... };
        let right = new parts:whole { ... };
        export left["example:page/show@0.1.0"];"#;
    let packages = Packages::from([("parts:whole".to_owned(), whole())]);
    compose("outer.wac", text, &packages).expect("a composition")
}

/// What `inspect` prints of these bytes.
fn shown(bytes: &[u8], arguments: &[&str]) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("whole.wasm"), bytes).expect("a file");
    let output = composer(directory.path(), &[&["inspect", "whole.wasm"], arguments].concat());
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
    String::from_utf8(output.stdout).expect("text")
}

fn as_json(bytes: &[u8]) -> Value {
    serde_json::from_str(&shown(bytes, &["--json"])).expect("JSON")
}

#[test]
fn a_composition_is_drawn_as_a_tree() {
    let text = shown(&whole(), &[]);
    golden("inspect-whole.txt", &text);
    let wide = shown(&nested(), &[]);
    golden("inspect-nested.txt", &wide);
    for line in text.lines().chain(wide.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_component_is_its_own_part() {
    golden("inspect-component.txt", &shown(&packages()["parts:store"], &[]));
}

#[test]
fn programs_are_told_the_same() {
    golden("inspect-whole.json", &shown(&whole(), &["--json"]));
    let found = as_json(&whole());
    let bytes = &packages()["parts:store"];
    assert_eq!(found["parts"][0]["bytes"], bytes.len());
    assert_eq!(found["parts"][0]["toolchain"], json!([{"name": "rustc", "version": "1.2.3"}]));
    let all = json!(["host:files/read@1.0.0", "host:files/write@1.0.0", "host:clocks/wall@1.0.0"]);
    let page: Vec<&Value> =
        found["reach"].as_array().expect("a list").iter().filter(|reach| reach["part"] == 2).collect();
    assert_eq!(
        page,
        [
            &json!({
                "part": 2, "importer": 2, "imports": ["host:clocks/wall@1.0.0"], "ways": [[2]], "more": 0
            }),
            // That it imports the clock itself is no reason not to tell of the other way there.
            &json!({"part": 2, "importer": 0, "imports": all, "ways": [[2, 1, 0]], "more": 0}),
        ]
    );
}

/// One above `wide` that are above one, of which the host is asked.
fn diamond(wide: usize) -> Vec<u8> {
    let name = |place: usize| format!("side{place:02}");
    let face = |name: &str| format!("example:{name}/calls@0.1.0");
    let mut packages = Packages::new();
    let mut text = "package example:whole;\nlet low = new parts:low { ... };\n".to_owned();
    packages.insert("parts:low".to_owned(), part(&names(&["host:files/read@1.0.0"]), &face("low"), None));
    for place in 0..wide {
        let side = name(place);
        packages.insert(format!("parts:{side}"), part(&[face("low")], &face(&side), None));
        text.push_str(&format!("let {side} = new parts:{side} {{ ...low, ... }};\n"));
    }
    let sides: Vec<String> = (0..wide).map(|place| face(&name(place))).collect();
    packages.insert("parts:top".to_owned(), part(&sides, &face("top"), None));
    let given: String = (0..wide).map(|place| format!("...{}, ", name(place))).collect();
    text.push_str(&format!("let top = new parts:top {{ {given}... }};\nexport top[\"{}\"];\n", face("top")));
    compose("whole.wac", &text, &packages).expect("a composition")
}

/// What the tree says of what the last part reaches.
fn reached_last(text: &str) -> &str {
    text.split_once("    └── top\n").expect("it comes last").1
}

#[test]
fn who_closes_one_way_is_told_of_the_others() {
    assert_eq!(
        reached_last(&shown(&diamond(2), &[])),
        "        └── through side00 → low
            │ or through side01 → low
            └── host:files/read@1.0.0
"
    );
    let many = shown(&diamond(anatomy::WAYS + 2), &[]);
    let many = reached_last(&many);
    assert_eq!(many.lines().filter(|line| line.contains("through side")).count(), anatomy::WAYS, "{many}");
    assert!(many.contains("            │ and 2 more ways\n            └── host:"), "{many}");
}

#[test]
fn of_a_long_way_both_ends_are_named() {
    let face = |place: usize| format!("example:chain/link{place}@0.1.0");
    let mut packages = Packages::new();
    let mut text = "package example:whole;\n".to_owned();
    for place in 0..20 {
        let imports = if place == 0 { names(&["host:files/read"]) } else { vec![face(place - 1)] };
        packages.insert(format!("parts:p{place}"), part(&imports, &face(place), None));
        let given = if place == 0 { String::new() } else { format!("...p{}, ", place - 1) };
        text.push_str(&format!("let p{place} = new parts:p{place} {{ {given}... }};\n"));
    }
    text.push_str("export p19...;\n");
    let bytes = compose("whole.wac", &text, &packages).expect("a composition");
    let text = shown(&bytes, &[]);
    let whole = "└── through p11 → p10 → p9 → p8 → p7 → p6 → p5 → p4 → p3 → p2 → p1 → p0\n";
    assert!(text.contains(whole), "{text}");
    let last = text.split_once("    └── p19\n").expect("it comes last").1;
    let expected = "        └── through p18 → p17 → p16 → p15 → p14 → p13 → … 7 more … → p5 → p4 →
              p3 → p2 → p1 → p0
            └── host:files/read\n";
    assert_eq!(last, expected);
    let found = as_json(&bytes);
    let all = found["reach"].as_array().expect("a list").last().expect("there are parts")["ways"][0].clone();
    assert_eq!(all, json!((0..20).rev().collect::<Vec<usize>>()));
}

#[test]
fn a_part_reaches_nothing_through_types_alone() {
    let bytes = component(
        r#"(component
            (import "host:a/b" (instance $host (export "f" (func (result u32)))))
            (component $A
                (import "host:a/b" (instance $in (export "f" (func (result u32)))))
                (core func $f (canon lower (func $in "f")))
                (core module $m (import "" "f" (func (result i32))))
                (core instance (instantiate $m (with "" (instance (export "f" (func $f))))))
                (type $r (record (field "x" u32)))
                (export $e "r" (type $r))
                (instance $types (export "r" (type $e)))
                (export "test:a/types" (instance $types)))
            (component $B
                (import "test:a/types" (instance (type $r (record (field "x" u32))) (export "r" (type (eq $r)))))
                (core module $m) (core instance (instantiate $m)))
            (instance $a (instantiate $A (with "host:a/b" (instance $host))))
            (instance $b (instantiate $B (with "test:a/types" (instance $a "test:a/types")))))"#,
    );
    let read = anatomy::read(&bytes).expect("a component");
    assert_eq!(read.reach().of(0)[0].imports, ["host:a/b"]);
    assert!(read.edges[1].types_only);
    assert!(read.reach().of(1).is_empty());
}

#[test]
fn what_a_map_that_lies_says_is_not_shown() {
    let mut bytes = whole();
    let place = bytes.windows(11).position(|window| window == b"parts:store").expect("the map names it");
    let digest = bytes[place..].windows(9).position(|window| window == b"\"digest\":").expect("it has one")
        + place
        + 10;
    bytes[digest] = if bytes[digest] == b'0' { b'1' } else { b'0' };
    let text = shown(&bytes, &[]);
    assert!(
        text.contains(
            "│ its link map is not believed:\n│ the link map disagrees with the binary:\n│ - `store` has"
        ),
        "{text}"
    );
    assert!(!text.contains("parts:store"), "{text}");
    let found = as_json(&bytes);
    assert_eq!(found["link_map"], "refused");
    assert_eq!(found["parts"][0]["origin"], Value::Null);
    assert!(found["link_map_error"].as_str().expect("a reason").contains("`store` has the digest"));
}

#[test]
fn a_wit_package_is_told_as_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    let mut resolve = wit_parser::Resolve::default();
    let text = "package example:greeting@0.1.0;
        interface types { record who { name: string } }
        interface greet { use types.{who}; hello: func(to: who) -> string; }
        world greeter { export greet; }";
    let package = resolve.push_str("greeting.wit", text).expect("WIT");
    let bytes = wit_component::encode(&resolve, package).expect("a package");
    fs::write(at("greeting.wasm"), &bytes).expect("a file");
    let output = composer(directory.path(), &["inspect", "greeting.wasm"]);
    let expected = format!(
        "greeting.wasm: WIT package example:greeting@0.1.0, {}
├── interfaces
│   ├── types
│   └── greet
└── worlds
    └── greeter
",
        composer::report::size(bytes.len() as u64)
    );
    assert_eq!(String::from_utf8(output.stdout).expect("text"), expected);
    let found = as_json(&bytes);
    assert_eq!(found["kind"], "wit-package");
    assert_eq!(found["packages"][0]["worlds"], json!(["greeter"]));

    // What has nothing in it at all is no WIT package.
    let text = shown(&component("(component)"), &[]);
    assert_eq!(text, "whole.wasm: component, 8 bytes\n└── imports nothing and exports nothing\n");
}

/// What is longer than lines are sticks out, and has no others filled up.
#[test]
fn names_of_any_length_are_shown() {
    let long = "n".repeat(70_000);
    let import = |name: &str| format!(r#"(import "{name}" (func))"#);
    let bytes = component(&format!("(component {}{})", import(&long), import("a")));
    let text = shown(&bytes, &[]);
    assert!(text.contains(&format!("    ├── {long}\n    └── a\n")), "{}", text.len());
    // With a column beside it.
    let packages =
        Packages::from([("parts:long".to_owned(), part(std::slice::from_ref(&long), "a:b/out", None))]);
    let whole = compose("whole.wac", "package a:b; let x = new parts:long { ... }; export x...;", &packages);
    let text = shown(&whole.expect("a composition"), &[]);
    assert!(text.contains(&format!("{long}  ")), "{}", text.len());
}

#[test]
fn many_imports_are_listed() {
    let imports: String =
        (0..50_000).map(|index| format!(r#"(import "p{index}:q/i" (instance (type $i)))"#)).collect();
    let one = r#"(type $i (instance (export "f" (func))))"#;
    let text = shown(&component(&format!("(component {one} {imports})")), &[]);
    assert_eq!(text.lines().filter(|line| line.contains(":q/i")).count(), 50_000);
}

#[test]
fn a_name_of_a_file_does_not_steer_the_terminal() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = composer(directory.path(), &["inspect", "x\u{1b}[8mhidden.wasm"]);
    assert_eq!(output.status.code(), Some(3));
    let words = String::from_utf8(output.stderr).expect("text");
    assert!(words.contains("`x\u{fffd}[8mhidden.wasm`") && !words.contains('\u{1b}'), "{words:?}");
}

#[test]
fn a_component_may_come_from_standard_input() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path().join("whole.wasm");
    fs::write(&at, whole()).expect("a file");
    for command in ["inspect", "wit", "graph"] {
        let piped = |input: std::process::Stdio, word: &str| {
            std::process::Command::new(env!("CARGO_BIN_EXE_composer"))
                .args([command, word])
                .current_dir(directory.path())
                .stdin(input)
                .output()
                .expect("the command can be started")
        };
        let by_name = piped(std::process::Stdio::null(), "whole.wasm");
        let found = piped(fs::File::open(&at).expect("it is there").into(), "-");
        assert_eq!((found.status.code(), found.stderr), (Some(0), Vec::new()), "{command}");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        assert_eq!(
            text(found.stdout),
            text(by_name.stdout).replace("whole.wasm", "standard input"),
            "{command}"
        );
        let empty = piped(std::process::Stdio::null(), "-");
        assert_eq!(empty.status.code(), Some(3), "{command}");
        // A file may have that name.
        fs::write(directory.path().join("-"), whole()).expect("a file");
        assert_eq!(piped(std::process::Stdio::null(), "./-").status.code(), Some(0), "{command}");
    }
}

/// They are part of what others rely on, although nothing is reached through them.
#[test]
fn types_by_themselves_are_shown() {
    let bytes = component(
        r#"(component
            (import "a:b/i" (instance $i (export "r" (type (sub resource)))))
            (type $record (record (field "a" u8)))
            (import "rec" (type $named (eq $record)))
            (export "out" (type $named)))"#,
    );
    let text = shown(&bytes, &[]);
    assert!(
        text.ends_with("└── types by themselves\n    ├── rec  imported\n    └── out  exported\n"),
        "{text}"
    );
    let found = as_json(&bytes);
    assert_eq!(found["types"], json!({"imports": ["rec"], "exports": ["out"]}));
    assert_eq!((&found["imports"], &found["exports"]), (&json!(["a:b/i"]), &json!([])));
}

#[test]
fn what_an_import_or_export_with_a_name_of_its_own_implements_is_shown() {
    let bytes = component(
        r#"(component
            (import "main" (implements "a:b/queue@1.0.0") (instance (export "f" (func))))
            (import "spare" (implements "a:b/queue@1.0.0") (instance $spare (export "f" (func))))
            (export "again" (implements "a:b/queue@1.0.0") (instance $spare)))"#,
    );
    let text = shown(&bytes, &[]);
    for line in ["main: a:b/queue@1.0.0\n", "spare: a:b/queue@1.0.0\n", "again: a:b/queue@1.0.0"] {
        assert!(text.contains(line), "{text}");
    }
    let found = as_json(&bytes);
    assert_eq!(found["imports"], json!(["main", "spare"]));
    let implements = json!({
        "imports": { "main": "a:b/queue@1.0.0", "spare": "a:b/queue@1.0.0" },
        "exports": { "again": "a:b/queue@1.0.0" },
    });
    assert_eq!(found["implements"], implements);
}
