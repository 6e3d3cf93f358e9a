//! What `check` finds, for each class of mismatches and where several meet.

use std::fs;
use std::path::Path;

use crate::common::{answers, component, composer, doubles};
use check::{Class, Connection, Excerpt, Export, Part, Report, json, plug, plug_bytes, text, wiring, world};
use compose::{Packages, compose};
use contract::Contracts;
use contract::shape::Shape;
use proptest::prelude::*;

/// The type of the components of the only world in a text.
fn shape(wit: &str) -> Shape {
    let contracts = Contracts::parse("test.wit", wit).unwrap_or_else(|error| panic!("{error:#}\n{wit}"));
    let world = contracts.only_world().expect("the test has one world");
    Shape::of_world(&contracts, world).expect("the world can be encoded")
}

/// Fenced blocks of WIT, each with the role that its fence names.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    page.split("```wit ")
        .skip(1)
        .map(|rest| {
            let (role, rest) = rest.split_once('\n').expect("a role");
            (role, rest.split("```").next().expect("a block that ends"))
        })
        .collect()
}

fn checked(page: &str) -> Report {
    let shapes: Vec<(&str, Shape)> = blocks(page).into_iter().map(|(role, wit)| (role, shape(wit))).collect();
    let parts: Vec<Part<'_>> = shapes.iter().map(|(role, shape)| Part { name: role, shape }).collect();
    match parts.as_slice() {
        [component, wanted] if wanted.name == "world" => world(*component, *wanted),
        [socket, plugs @ ..] => plug(*socket, plugs),
        [] => panic!("a page without an example"),
    }
    .expect("it can be compared")
}

#[test]
fn the_example_of_each_page_is_of_its_class() {
    for class in Class::ALL {
        let report = checked(class.page());
        let found: Vec<Class> = report.mismatches.iter().map(|mismatch| mismatch.class).collect();
        assert_eq!(found, [*class]);
        golden(class.as_str(), &text(&report, false));
    }
}

/// Compares with a file beside the tests, or writes it where `BLESS` is set.
fn golden(name: &str, real: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/check").join(format!("{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        fs::write(&path, real).expect("a file");
    }
    let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(real, expected, "{name}: BLESS=1 accepts what is there now");
}

/// What is found between two interfaces of one name: class, path without the interface, tokens.
fn between(wanted: &str, offered: &str) -> Vec<String> {
    let page = |role: &str, items: &str, way: &str| {
        format!("```wit {role}\npackage test:a;\ninterface i {{ {items} }}\nworld w {{ {way} i; }}\n```\n")
    };
    let report = checked(&(page("socket", wanted, "import") + &page("plug", offered, "export")));
    let token =
        |excerpt: &Option<Excerpt>| excerpt.as_ref().map_or(String::new(), |found| found.token().to_owned());
    report
        .mismatches
        .iter()
        .map(|found| {
            let path = found.path[1..].join(" > ");
            format!("{} {path}: {} | {}", found.class, token(&found.wanted), token(&found.offered))
        })
        .collect()
}

#[test]
fn every_difference_is_found_where_it_is() {
    let table: &[(&str, &str, &[&str])] = &[
        ("f: func();", "f: func(); g: func();", &[]),
        ("f: func(a: u8);", "f: func(a: s8);", &["type-shape f > a: u8 | s8"]),
        ("f: func(a: u8) -> u8;", "f: func(a: u8);", &["type-shape f > result: u8 | "]),
        (
            "f: func(a: u8, b: u8);",
            "f: func(b: u8, a: u8);",
            &["parameter-name f: (a: u8, b: u8) | (b: u8, a: u8)"],
        ),
        (
            "f: func(a: u8, b: u8);",
            "f: func(x: u8, b: u16, c: char);",
            &[
                "parameter-name f > a: a | x",
                "parameter-count f > c: (a: u8, b: u8) | c",
                "type-shape f > b: u8 | u16",
            ],
        ),
        (
            "f: func(a: list<list<u8>>);",
            "f: func(a: list<list<u16>>);",
            &["type-shape f > a > element > element: u8 | u16"],
        ),
        ("f: func(a: list<u8, 4>);", "f: func(a: list<u8, 5>);", &["type-shape f > a: 4 | 5"]),
        ("f: func(a: list<u8, 4>);", "f: func(a: list<u8>);", &["type-shape f > a: list<u8, 4> | list<u8>"]),
        (
            "f: func(a: map<string, u8>);",
            "f: func(a: map<u32, u16>);",
            &["type-shape f > a > key: string | u32", "type-shape f > a > value: u8 | u16"],
        ),
        (
            "f: func(a: tuple<u8, u8>);",
            "f: func(a: tuple<u8, char>);",
            &["type-shape f > a > item 1: u8 | char"],
        ),
        ("f: func(a: tuple<u8, u8>);", "f: func(a: tuple<u8>);", &["type-shape f > a: <u8, u8> | <u8>"]),
        (
            "f: func() -> result<u8>;",
            "f: func() -> result<u8, string>;",
            &["type-shape f > result > err:  | string"],
        ),
        (
            "f: func() -> result<_, u8>;",
            "f: func() -> result<u8, u8>;",
            &["type-shape f > result > ok: _ | u8"],
        ),
        ("f: func(a: stream<u8>);", "f: func(a: stream);", &["type-shape f > a > element: u8 | "]),
        (
            "f: func(a: future<u8>);",
            "f: func(a: stream<u8>);",
            &["type-shape f > a: future<u8> | stream<u8>"],
        ),
        ("f: func(a: error-context);", "f: func(a: string);", &["type-shape f > a: error-context | string"]),
        ("flags p { a, b } f: func(p: p);", "flags p { a, c } f: func(p: p);", &["enum-case p > b: b | c"]),
        (
            "variant v { a(u8) } f: func(v: v);",
            "variant v { a } f: func(v: v);",
            &["variant-case v > a: u8 | "],
        ),
        (
            "variant v { a(u8) } f: func(v: v);",
            "variant v { a(u16) } f: func(v: v);",
            &["type-shape v > a: u8 | u16"],
        ),
        (
            "record r { a: u8 } f: func(r: r);",
            "enum r { a } f: func(r: r);",
            &["type-shape r: record | enum"],
        ),
        ("type t = u8; f: func(t: t);", "type t = u16; f: func(t: t);", &["type-shape t: u8 | u16"]),
        // A type that is used twice is blamed once, and by its own name.
        (
            "record r { a: u8 } f: func(r: r); g: func() -> list<r>;",
            "record r { a: u16 } f: func(r: r); g: func() -> list<r>;",
            &["type-shape r > a: u8 | u16"],
        ),
        // The same difference in two places that share no name is two differences.
        (
            "f: func(a: list<u8>); g: func(a: list<u8>);",
            "f: func(a: list<u16>); g: func(a: list<u16>);",
            &["type-shape f > a > element: u8 | u16", "type-shape g > a > element: u8 | u16"],
        ),
        (
            "resource r; f: func(r: r);",
            "resource r; f: func(r: borrow<r>);",
            &["type-shape f > r: r | borrow<r>"],
        ),
        (
            "resource r { m: func(a: u8); }",
            "resource r { m: func(a: u16); }",
            &["type-shape r.m > a: u8 | u16"],
        ),
        ("resource r { m: func(); }", "resource r { m: static func(); }", &["kind r.m: m | m"]),
        ("resource row { m: func(); }", "resource rows { m: func(); }", &["name-near-miss row: row | rows"]),
        (
            "resource r { m: func(); } f: func(r: r);",
            "f: func(r: u8);",
            &["type-shape r: r | test:a/i", "type-shape f > r: r | u8"],
        ),
        ("resource r;", "record r { a: u8 }", &["kind r: r | r"]),
        ("f: async func();", "f: func();", &["async f: async | "]),
    ];
    for (wanted, offered, expected) in table {
        assert_eq!(between(wanted, offered), *expected, "wanted {wanted}, offered {offered}");
    }
}

/// A socket that imports `types` and `api`, which uses a resource of it, and plugs in the given order.
fn sharing(plugs: &[&str]) -> Report {
    let interfaces = "package test:a; interface types { resource r; } interface api { use types.{r}; f: func(r: borrow<r>); }";
    let shapes: Vec<Shape> = std::iter::once(&"import types; import api;")
        .chain(plugs)
        .map(|items| shape(&format!("{interfaces} world w {{ {items} }}")))
        .collect();
    let names = ["socket", "first", "second"];
    let parts: Vec<Part<'_>> = names.iter().zip(&shapes).map(|(name, shape)| Part { name, shape }).collect();
    plug(parts[0], &parts[1..]).expect("it can be compared")
}

#[test]
fn a_resource_that_comes_from_one_instance_is_one() {
    assert!(sharing(&["export types; export api;"]).fits());
    assert!(sharing(&["export types;", "import types; export api;"]).fits());
    assert!(sharing(&["import types; export api;", "export types;"]).fits());
    assert!(sharing(&["export types; export api;", "export types;"]).fits());
}

#[test]
fn a_resource_that_comes_from_two_instances_is_explained() {
    let report = sharing(&["export types;", "export types; export api;"]);
    let [found] = report.mismatches.as_slice() else { panic!("{:#?}", report.mismatches) };
    assert_eq!(found.class, Class::ResourceIdentity);
    assert_eq!(found.path, ["test:a/api", "r"]);
    assert_eq!(
        found.notes,
        [
            "`socket` means: `socket` imports `r` as `r` in `test:a/types`, which is wired to `first`; `first` makes `r` \
             itself, and exports it as `r` in `test:a/types`",
            "`second` means: `second` makes `r` itself, and exports it as `r` in `test:a/types`"
        ]
    );
    assert_eq!(
        found.edit,
        "take both from one: wire the import `test:a/types` of `socket` to `second` as well, or build `second` so that it \
         imports `test:a/types` instead of making its own `r`, and wire that to `first`"
    );
}

#[test]
fn a_resource_that_comes_from_two_instances_is_told_for_each_place() {
    let interfaces = "package test:a; interface types { resource r; } interface api { use types.{r}; f: func(r: borrow<r>); } \
                      interface more { use types.{r}; g: func(r: borrow<r>); }";
    let shapes = [
        "import types; import api; import more;",
        "export types;",
        "export types; export api;",
        "import types; import api; export more;",
    ]
    .map(|items| shape(&format!("{interfaces} world w {{ {items} }}")));
    let names = ["socket", "first", "second", "third"];
    let parts: Vec<Part<'_>> = names.iter().zip(&shapes).map(|(name, shape)| Part { name, shape }).collect();
    let report = plug(parts[0], &parts[1..]).expect("it can be compared");
    let found: Vec<(Class, &str)> =
        report.mismatches.iter().map(|found| (found.class, found.wanted_by.as_str())).collect();
    assert_eq!(found, [(Class::ResourceIdentity, "socket"), (Class::ResourceIdentity, "third")]);
}

#[test]
fn the_wire_to_draw_elsewhere_is_the_one_after_which_all_fits() {
    let interfaces = "package test:a; interface types { resource r; } interface api { use types.{r}; f: func(r: borrow<r>); } \
                      interface more { use types.{r}; g: func(r: borrow<r>); }";
    let base = shape(&format!("{interfaces} world w {{ export types; }}"));
    let user = shape(&format!("{interfaces} world w {{ import types; import api; import more; }}"));
    let left = shape(&format!("{interfaces} world w {{ import types; export api; }}"));
    let right = shape(&format!("{interfaces} world w {{ import types; export more; }}"));
    let names = ["one", "two", "user", "left", "right"];
    let shapes = [&base, &base, &user, &left, &right];
    let parts: Vec<Part<'_>> = names.iter().zip(shapes).map(|(name, shape)| Part { name, shape }).collect();
    let wire = |part: usize, import: &str, from: usize| {
        let import = format!("test:a/{import}");
        Connection { part, import: import.clone(), from: Some(Export { part: from, path: vec![import] }) }
    };
    // The user, left and right take the resource from these; whose wire is it?
    for (sources, wrong) in [([0, 0, 1], "right"), ([0, 1, 0], "left"), ([1, 0, 0], "user")] {
        let mut wires = vec![wire(2, "api", 3), wire(2, "more", 4)];
        wires.extend([2, 3, 4].into_iter().zip(sources).map(|(part, from)| wire(part, "types", from)));
        let report = wiring(&parts, &wires, &[]).expect("it can be compared");
        assert!(!report.fits());
        for found in &report.mismatches {
            let expected =
                format!("take both from one: wire the import `test:a/types` of `{wrong}` to `one` as well");
            assert_eq!(found.edit, expected);
        }
        let wired = wires.iter_mut().find(|wire| names[wire.part] == wrong && wire.import == "test:a/types");
        wired.and_then(|wire| wire.from.as_mut()).expect("it is there").part = 0;
        assert!(wiring(&parts, &wires, &[]).expect("it can be compared").fits(), "after what was said");
    }
}

#[test]
fn a_near_miss_lists_all_that_differs_besides() {
    let report = checked(
        "```wit socket\npackage test:a; interface greeter { f: func(a: u8); g: func(b: u8); } world w { import greeter; }\n```\n\
         ```wit plug\npackage test:a; interface greter { f: func(a: u16); g: func(b: char); } world w { export greter; }\n```\n",
    );
    let [found] = report.mismatches.as_slice() else { panic!("{:#?}", report.mismatches) };
    assert_eq!(found.class, Class::NameNearMiss);
    let notes = found.notes.join("\n");
    for expected in [
        "2 things differ",
        "f > a: `u8` is wanted, `u16` is offered",
        "g > b: `u8` is wanted, `char` is offered",
    ] {
        assert!(notes.contains(expected), "{expected}: {notes}");
    }
}

#[test]
fn what_an_older_version_lacks_is_not_said_to_be_in_it() {
    let report = checked(
        "```wit component\npackage test:a; world w { import v:one/i@1.1.0; }
         package v:one@1.1.0 { interface i { f: func(); g: func(); } }\n```\n\
         ```wit world\npackage test:a; world w { import v:one/i@1.0.0; }
         package v:one@1.0.0 { interface i { f: func(); } }\n```\n",
    );
    let [found] = report.mismatches.as_slice() else { panic!("{:#?}", report.mismatches) };
    assert_eq!(
        found.edit,
        "build `component` against `v:one/i@1.0.0`, or let `world` import `v:one/i@1.1.0`"
    );
}

#[test]
fn an_import_that_is_open_is_reported_once_and_not_for_what_follows() {
    let report = sharing(&["import types; export api;"]);
    let classes: Vec<Class> = report.mismatches.iter().map(|found| found.class).collect();
    assert_eq!(classes, [Class::Unwired]);
}

/// Types that mention each other so often that a tree of them would have more nodes than there is memory.
#[test]
fn types_that_share_are_compared_without_being_unfolded() {
    let deep = |leaf: &str| {
        let mut items = format!("record t0 {{ a: {leaf} }}\n");
        for level in 1..15 {
            let before = level - 1;
            items += &format!("record t{level} {{ a: t{before}, b: t{before} }}\n");
        }
        items + "f: func(a: t14);"
    };
    assert_eq!(between(&deep("u8"), &deep("u8")), [""; 0]);
    assert_eq!(between(&deep("u8"), &deep("u16")), ["type-shape t0 > a: u8 | u16"]);
}

#[test]
fn wires_that_are_drawn_are_compared_whatever_they_are_called() {
    let socket = shape(
        "package test:a; interface wanted { f: func(a: u8); } world w { import wanted; import g: func(); }",
    );
    let other = shape(
        "package test:b; interface there { f: func(a: u16); } world w { export there; export g: func(); }",
    );
    let parts = [Part { name: "socket", shape: &socket }, Part { name: "other", shape: &other }];
    let from = Some(Export { part: 1, path: vec!["test:b/there".to_owned()] });
    let wire = Connection { part: 0, import: "test:a/wanted".to_owned(), from };
    let report = wiring(&parts, &[wire], &[0]).expect("it can be compared");
    let found: Vec<String> = report.mismatches.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "type-shape: test:a/wanted > f > a: `u8` is wanted, `u16` is offered",
            "unwired: g: nothing that fits is wired to the import `g`, although `other` exports `g`"
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Damaged components are refused or compared, and nothing else.
    #[test]
    fn damaged_components_do_no_harm(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        socket in any::<bool>(),
    ) {
        let (mut one, mut other) = (component(SOCKET), component(PLUG));
        let bytes = if socket { &mut one } else { &mut other };
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(report) = plug_bytes(("socket", &one), &[("plug", &other)]) {
            for excerpt in report.mismatches.iter().flat_map(|found| [&found.wanted, &found.offered]).flatten() {
                prop_assert!(excerpt.text.get(excerpt.span.clone()).is_some());
            }
            let _ = (text(&report, true), json(&report));
        }
    }
}

const SOCKET: &str = r#"(component
    (import "test:a/types@0.1.0" (instance $types
        (type $record (record (field "a" u32) (field "b" (list string))))
        (export "pair" (type (eq $record)))
        (export "handle" (type (sub resource)))))
    (alias export $types "pair" (type $pair))
    (alias export $types "handle" (type $handle))
    (import "test:a/api@0.1.0" (instance
        (alias outer 1 $pair (type $outer))
        (export "pair" (type $p (eq $outer)))
        (alias outer 1 $handle (type $other))
        (export "handle" (type $h (eq $other)))
        (export "f" (func (param "p" $p) (param "h" (borrow $h)) (result (option u8)))))))"#;

const PLUG: &str = r#"(component
    (import "test:a/behind" (instance $types
        (type $record (record (field "a" u32) (field "b" (list string))))
        (export "pair" (type (eq $record)))
        (export "handle" (type (sub resource)))))
    (export "test:a/types@0.1.1" (instance $types)))"#;

#[test]
fn the_command_shows_what_does_not_fit() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).expect("a file");
    write("source.wasm", &answers(1));
    write("doubler.wasm", &doubles());
    write("asks.wasm", &component(r#"(component (import "answer" (func (result u64))))"#));
    write("w.wit", b"package test:a; world w { export answer: func() -> string; } world v {}");
    let run = |arguments: &[&str]| {
        let output = composer(directory.path(), arguments);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    assert_eq!(
        run(&["check", "doubler.wasm", "source.wasm"]),
        (
            Some(0),
            "everything fits\n  answer of `doubler.wasm` <- answer of `source.wasm`\n".to_owned(),
            String::new()
        )
    );
    let (code, out, said) = run(&["check", "asks.wasm", "source.wasm"]);
    assert_eq!((code, said.as_str()), (Some(1), "  × one thing does not fit\n"));
    assert_eq!(
        out,
        "type-shape: answer > result
  `u64` is wanted, `u32` is offered
  ╭─ wanted by `asks.wasm`
  │ answer: func() -> u64;
  ·                   ───
  ╰─
  ╭─ offered by `source.wasm`
  │ answer: func() -> u32;
  ·                   ───
  ╰─
  help: in `source.wasm`, make it `u64` instead of `u32`
"
    );
    let (code, out, _) = run(&["check", "asks.wasm", "source.wasm", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &json["format"], &json["fits"]), (Some(1), &1.into(), &false.into()));
    assert_eq!(json["mismatches"][0]["class"], "type-shape");
    assert_eq!(json["mismatches"][0]["path"], serde_json::json!(["answer", "result"]));
    assert_eq!(json["mismatches"][0]["wanted"]["span"], serde_json::json!({ "start": 18, "end": 21 }));

    let (code, out, _) = run(&["check", "source.wasm", "--world", "w.wit#w"]);
    assert_eq!(code, Some(1));
    assert!(
        out.starts_with("type-shape: answer > result\n  `string` is wanted, `u32` is offered\n"),
        "{out}"
    );
    assert_eq!(run(&["check", "source.wasm", "--world", "w.wit#v"]).0, Some(0));
    let (code, _, said) = run(&["check", "source.wasm", "--world", "w.wit"]);
    assert_eq!(code, Some(3));
    assert!(said.contains("--world PATH#WORLD"), "{said}");
    assert_eq!(run(&["check", "source.wasm"]).0, Some(2));
    assert_eq!(run(&["check", "source.wasm", "w.wit"]).0, Some(3));
    assert_eq!(run(&["check", "missing.wasm", "source.wasm"]).0, Some(3));
}

#[test]
fn the_command_explains_every_class() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = composer(directory.path(), &["explain"]);
    let list = String::from_utf8(output.stdout).expect("text");
    assert_eq!(list.lines().count(), Class::ALL.len());
    for class in Class::ALL {
        assert!(list.contains(&format!("{class} ")), "{class}");
        let output = composer(directory.path(), &["explain", class.as_str()]);
        assert_eq!(String::from_utf8(output.stdout).expect("text"), class.page());
    }
    assert_eq!(composer(directory.path(), &["explain", "nonsense"]).status.code(), Some(2));
}

/// Where composing fails because of types, the error says all that does not fit, not only the first.
#[test]
fn a_failed_composition_says_all_that_does_not_fit() {
    let socket = component(
        r#"(component
            (import "one" (func (param "a" u8)))
            (import "two" (func (param "b" string))))"#,
    );
    let plug = component(
        r#"(component
            (import "x" (func $one (param "a" u16)))
            (import "y" (func $two (param "c" string)))
            (export "one" (func $one))
            (export "two" (func $two)))"#,
    );
    let packages = Packages::from([("parts:socket".to_owned(), socket), ("parts:plug".to_owned(), plug)]);
    let attempt = |text: &str| {
        let error = compose("whole.wac", text, &packages).expect_err("it does not fit");
        let found: Vec<String> = error.mismatches.iter().map(ToString::to_string).collect();
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
        assert!(found.is_empty() || help.contains("what does not fit:"), "{help}");
        found
    };
    let both = [
        "type-shape: one > a: `u8` is wanted, `u16` is offered",
        "parameter-name: two > b: the parameter is called `c` where `b` is wanted",
    ];
    let begin = "package a:b; let plug = new parts:plug { ... };";
    assert_eq!(
        attempt(&format!("{begin} let s = new parts:socket {{ one: plug.one, two: plug[\"two\"] }};")),
        both
    );
    assert_eq!(attempt(&format!("{begin} let s = new parts:socket {{ ...plug }};")), both);
    let missing = attempt(&format!("{begin} let s = new parts:socket {{ one: plug.two }};"));
    assert_eq!(
        missing,
        [
            "parameter-name: one > a: the parameter is called `b` where `a` is wanted",
            "type-shape: one > a: `u8` is wanted, `string` is offered",
            "unwired: two: nothing that fits is wired to the import `two`, although `parts:plug` exports `two`"
        ]
        .map(|line| line.replace("called `b`", "called `c`"))
    );
}

/// A wire to an export that is not there is answered with what is there.
#[test]
fn a_wire_to_nothing_is_explained() {
    let there = shape("package test:b; interface there { f: func(); } world w { export there; }");
    let socket = shape("package test:a; interface wanted { g: func(); } world w { import wanted; }");
    let parts = [Part { name: "socket", shape: &socket }, Part { name: "other", shape: &there }];
    let from = Some(Export { part: 1, path: vec!["test:b/their".to_owned()] });
    let wire = Connection { part: 0, import: "test:a/wanted".to_owned(), from };
    let report = wiring(&parts, &[wire], &[]).expect("it can be compared");
    let [found] = report.mismatches.as_slice() else { panic!("{:#?}", report.mismatches) };
    assert_eq!(found.problem, "`other` does not export `test:b/their`, which is wired to it");
    assert_eq!(found.notes, ["`other` exports `test:b/there`"]);
}

#[test]
fn a_composition_that_misses_its_target_says_all_of_it() {
    let wit = "package test:worlds; world w { export answer: func() -> string; export other: func(); }";
    let contracts = Contracts::parse("w.wit", wit).expect("WIT");
    let package = contracts.package("test:worlds", None).expect("it can be encoded").expect("it is there");
    let packages =
        Packages::from([("parts:source".to_owned(), answers(1)), ("test:worlds".to_owned(), package)]);
    let text = "package a:b targets test:worlds/w; let s = new parts:source {}; export s.answer;";
    let error = compose("whole.wac", text, &packages).expect_err("it does not fit");
    let found: Vec<String> = error.mismatches.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "type-shape: answer > result: `string` is wanted, `u32` is offered",
            "missing-function: other: it does not export the function `other`, which the world demands"
        ]
    );
}

#[test]
fn a_file_may_have_the_sign_of_a_world_in_its_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let wit = "package a:b;\nworld one { export answer: func() -> u32; }\n";
    fs::write(directory.path().join("t#1.wit"), wit).expect("a file");
    fs::write(directory.path().join("s.wasm"), answers(1)).expect("a file");
    for world in ["t#1.wit", "t#1.wit#one"] {
        let output = composer(directory.path(), &["check", "s.wasm", "--world", world]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Functions without parameters whose names differ in every word.
fn functions(letter: char, count: usize) -> String {
    let name = |index: usize| format!("{letter}{index}-").repeat(30) + "end";
    (0..count).map(|index| format!("{}: func(); ", name(index))).collect()
}

/// Where nearly everything has another name, not everything is compared with everything.
#[test]
fn many_that_are_missing_are_not_all_looked_for() {
    let few = between(&functions('f', 20), &functions('f', 21).replace("-end", "-ends"));
    assert_eq!(few.len(), 20);
    assert!(few.iter().all(|found| found.starts_with("name-near-miss")), "{few:#?}");
    let many = between(&functions('f', 1_000), &functions('g', 1_000));
    assert_eq!(many.len(), 1_000);
    assert!(many.iter().all(|found| found.starts_with("missing-function")), "{many:#?}");
}

#[test]
fn many_fields_of_other_names_are_not_all_compared() {
    let records = |letter: char| -> String {
        let fields = functions(letter, 40).replace(": func();", ": u8,");
        (0..20)
            .map(|index| format!("record r{index} {{ {fields} }} call{index}: func(a: r{index}); "))
            .collect()
    };
    let found = between(&records('p'), &records('q'));
    let renamed = found.iter().filter(|found| !found.contains("{")).count();
    assert_eq!((renamed % 40, found.len()), (0, renamed + (20 - renamed / 40) * 80), "{renamed}");
    assert!((40..20 * 40).contains(&renamed), "{renamed}");
}

/// Another version is found by its name, however much else was looked for before.
#[test]
fn another_version_is_found_among_many() {
    let world = |letter: char, version: u8, way: &str| {
        let all = functions(letter, 1_000);
        let each: String = all.split_inclusive("; ").map(|function| format!("{way} {function}")).collect();
        format!(
            "```wit {way}\npackage test:a;\nworld w {{ {each} {way} last:one/i@{version}.0.0; }}\n\
             package last:one@{version}.0.0 {{ interface i {{ f: func(); }} }}\n```\n"
        )
    };
    let report = checked(&(world('f', 1, "import") + &world('g', 2, "export")));
    let last =
        report.mismatches.iter().find(|found| found.path[0].starts_with("last:one")).expect("it differs");
    assert_eq!(
        (last.class, last.candidate.as_deref()),
        (Class::VersionIncompatible, Some("last:one/i@2.0.0"))
    );
}
