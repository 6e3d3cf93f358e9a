//! What `inspect` shows.

mod common;

use std::fs;

use common::{component, composer, golden, part};
use composer::compose::{Packages, compose, compose_from};
use composer::link_map::{Origin, Origins};
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
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("whole.wasm"), bytes).expect("a file");
    let output = composer(folder.path(), &[&["inspect", "whole.wasm"], arguments].concat());
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
        found["reach"].as_array().expect("a list").iter().filter(|reach| reach["path"][0] == 2).collect();
    assert_eq!(
        page,
        [
            &json!({"path": [2], "imports": ["host:clocks/wall@1.0.0"]}),
            // By another way the clock is not reached once more: the shortest one counts.
            &json!({"path": [2, 1, 0], "imports": [all[0], all[1]]}),
        ]
    );
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
    assert_eq!(read.reach(0)[0].imports, ["host:a/b"]);
    assert!(read.edges[1].types_only);
    assert!(read.reach(1).is_empty());
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
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let mut resolve = wit_parser::Resolve::default();
    let text = "package example:greeting@0.1.0;
        interface types { record who { name: string } }
        interface greet { use types.{who}; hello: func(to: who) -> string; }
        world greeter { export greet; }";
    let package = resolve.push_str("greeting.wit", text).expect("WIT");
    let bytes = wit_component::encode(&resolve, package).expect("a package");
    fs::write(at("greeting.wasm"), &bytes).expect("a file");
    let output = composer(folder.path(), &["inspect", "greeting.wasm"]);
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
