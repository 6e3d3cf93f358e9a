//! What changed between two versions: whom it breaks, which version it calls for, and how the command ends.

use std::process::Output;

use crate::common::place::{Place, has};
use crate::common::{answers, component, golden};
use check::diff::{Class, Diff, DiffError, Level, Side, Versions, diff, json, next, text};
use contract::Contracts;
use contract::shape::Shape;
use semver::Version;

const OLD: &str = include_str!("../diff/old.wit");
const NEW: &str = include_str!("../diff/new.wit");

fn contracts(text: &str) -> Contracts {
    Contracts::parse("test.wit", text).unwrap_or_else(|error| panic!("{error:#}\n{text}"))
}

fn packages(old: &str, new: &str) -> Diff {
    let (old, new) = (contracts(old), contracts(new));
    diff(Side::package("old.wit", &old), Side::package("new.wit", &new)).expect("they can be compared")
}

/// What is said of each change: its class, its path, whom it breaks, what it calls for.
fn lines(found: &Diff) -> Vec<String> {
    let line = |change: &check::diff::Change| {
        let whom = match (change.breaks.callers, change.breaks.implementers) {
            (true, true) => "both",
            (true, false) => "callers",
            (false, true) => "implementers",
            (false, false) => "nobody",
        };
        format!("{} {}: {whom}, {}", change.class, change.path.join(" > "), change.level)
    };
    found.changes.iter().map(line).collect()
}

fn ended(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn what_cannot_be_compared_is_refused_in_words() {
    let place = Place::new();
    place.write("old.wit", OLD);
    place.write("broken.wit", "package a:b;\ninterface i { f: func(a: nothing); }\n");
    place.write("none.wit", "package a:b; interface i {}");
    place.write("one.wit", "package a:b; world only { export answer: func() -> u32; }");
    place.write("text.txt", "package a:b;");
    place.write("core.wasm", component("(module)"));
    place.write("cut.wasm", &answers(1)[..30]);
    place.write("answers.wasm", answers(1));
    let table: &[(&[&str], i32, &[&str])] = &[
        (
            &["gone.wit", "old.wit"],
            3,
            &["cannot read the contracts in `gone.wit`", "no such file or directory"],
        ),
        (&["old.wit", "gone.wasm"], 3, &["cannot read `gone.wasm`"]),
        (&["old.wit", "broken.wit"], 3, &["broken.wit:2:26", "nothing"]),
        (&["text.txt", "old.wit"], 3, &["`text.txt` is text", "does not end in `.wit`"]),
        (&["core.wasm", "answers.wasm"], 3, &["`core.wasm` is a core module, not a component"]),
        (&["answers.wasm", "cut.wasm"], 3, &["`cut.wasm` cannot be read as a component"]),
        (&["old.wit#nowhere", "old.wit"], 3, &["there is no world `nowhere`", "example:greeting/page@0.2.0"]),
        (&["old.wit", "answers.wasm"], 3, &["does not have one world", "PATH#WORLD"]),
        (&["old.wit#page", "none.wit"], 3, &["`none.wit` has no world"]),
        (&["answers.wasm#page", "old.wit#page"], 2, &["it has no world `page`", "leave `#`"]),
        (&["answers.wasm", "answers.wasm", "--by-version"], 3, &["declares no version"]),
        (&["old.wit", "old.wit", "--by-version", "--allow", "callers"], 2, &["cannot be used with"]),
        (&["old.wit"], 2, &["<NEW>"]),
    ];
    for (arguments, code, words) in table {
        let (found, out, said) = ended(&place.run(&[&["diff"], *arguments].concat()));
        assert_eq!((found, out.as_str()), (Some(*code), ""), "{arguments:?}: {said}");
        has(&said, words);
    }
}

#[test]
fn a_package_is_not_compared_with_one_component() {
    let package = contracts(OLD);
    let shape = Shape::of_component(&answers(1)).expect("a component");
    let (package, component) = (Side::package("wit", &package), Side::component("answers", &shape));
    for (old, new) in [(package, component), (component, package)] {
        let error = diff(old, new).expect_err("they are unlike");
        assert!(matches!(error, DiffError::Unlike { .. }));
        assert_eq!(error.to_string(), "`wit` is a package, and `answers` is not");
    }
}

/// Old and new items of an interface, and what is said of it.
const INTERFACES: [(&str, &str, &[&str]); 20] = [
    ("f: func();", "f: func();", &[]),
    ("f: func(); g: func();", "g: func(); f: func();", &[]),
    ("f: func();", "f: func(); go: func();", &["added go: implementers, minor"]),
    ("f: func(); go: func();", "f: func();", &["removed go: callers, major"]),
    ("greet: func();", "great: func();", &["renamed greet: both, major"]),
    ("f: func(a: u8);", "f: func(b: u8);", &["parameter-name f > a: both, major"]),
    ("f: func(a: u8);", "f: func(a: u8, b: u8);", &["parameter-count f > b: both, major"]),
    ("f: func(a: u8);", "f: func(a: u16);", &["type-shape f > a: both, major"]),
    ("f: func();", "f: async func();", &["async f: both, major"]),
    ("f: func();", "f: func() -> u8;", &["type-shape f > result: both, major"]),
    ("enum e { a }", "enum e { a, b }", &["enum-case e > b: both, major"]),
    ("variant v { a }", "variant v { a, b(u8) }", &["variant-case v > b: both, major"]),
    ("record r { a: u8 }", "record r { a: u8, b: u8 }", &["record-field r > b: both, major"]),
    ("flags p { a }", "flags p { b }", &["enum-case p > a: both, major"]),
    ("type t = u8;", "type t = u8; type s = t;", &["added s: implementers, minor"]),
    ("resource r;", "resource r { m: func(); }", &["added r.m: implementers, minor"]),
    ("resource r { m: func(); }", "", &["removed r: callers, major"]),
    ("resource r { m: func(); }", "resource r { m: static func(); }", &["kind r.m: both, major"]),
    ("resource r;", "record r { a: u8 }", &["kind r: both, major"]),
    (
        "record r { a: u8 } f: func(r: r);",
        "record s { a: u8 } f: func(r: s);",
        &["removed r: callers, major", "added s: implementers, minor"],
    ),
];

#[test]
fn a_change_in_an_interface_breaks_whom_it_breaks() {
    for (old, new, expected) in INTERFACES {
        let wit = |items: &str| format!("package test:a@1.0.0; interface i {{ {items} }}");
        let found = lines(&packages(&wit(old), &wit(new)));
        let expected: Vec<String> = expected
            .iter()
            .map(|line| {
                let (class, rest) = line.split_once(' ').expect("a class");
                format!("{class} test:a/i > {rest}")
            })
            .collect();
        assert_eq!(found, expected, "{old} became {new}");
    }
}

/// What old and new worlds hold, and what is said of them: whoever provides a component breaks otherwise than whoever
/// runs it.
const WORLDS: [(&str, &str, &[&str]); 14] = [
    ("", "import a;", &["added import test:a/a: callers, minor"]),
    ("import a;", "", &["removed import test:a/a: implementers, major"]),
    ("", "export a;", &["added export test:a/a: implementers, major"]),
    ("export a;", "", &["removed export test:a/a: callers, major"]),
    ("import f: func();", "import f: func(a: u8);", &["parameter-count import f > a: both, major"]),
    ("export f: func();", "export f: async func();", &["async export f: both, major"]),
    (
        "import x: interface { f: func(); }",
        "import x: interface { f: func(); go: func(); }",
        &["added import x > go: callers, minor"],
    ),
    (
        "import x: interface { f: func(); go: func(); }",
        "import x: interface { f: func(); }",
        &["removed import x > go: implementers, major"],
    ),
    (
        "export x: interface { f: func(); }",
        "export x: interface { f: func(); go: func(); }",
        &["added export x > go: implementers, major"],
    ),
    (
        "export x: interface { f: func(); go: func(); }",
        "export x: interface { f: func(); }",
        &["removed export x > go: callers, major"],
    ),
    ("import greet: func();", "import great: func();", &["renamed import greet: both, major"]),
    // Another package moves on: along its track, and off it.
    ("import test:b/c@0.2.0;", "import test:b/c@0.2.1;", &["version import test:b/c@0.2.0: nobody, minor"]),
    ("import test:b/c@0.2.0;", "import test:b/c@0.3.0;", &["renamed import test:b/c@0.2.0: both, major"]),
    // Another name for a type that is known anyway is nothing that anybody has to provide.
    ("import t;", "import t; use t.{e};", &["added import e: nobody, minor"]),
];

const AROUND: &str = "
    package test:b@0.2.0 { interface c { f: func(); } }
    package test:b@0.2.1 { interface c { f: func(); } }
    package test:b@0.3.0 { interface c { f: func(); } }";

#[test]
fn a_change_in_a_world_breaks_whom_it_breaks() {
    let wit = |items: &str, version: &str| {
        let interfaces = "interface a { f: func(); } interface t { enum e { x } }";
        format!("package test:a@{version}; {interfaces} world w {{ {items} }} {AROUND}")
    };
    for (old, new, expected) in WORLDS {
        // The version of the package itself is no difference in what its names mean.
        let (one, other) = (contracts(&wit(old, "1.0.0")), contracts(&wit(new, "2.0.0")));
        let world = |contracts: &Contracts| contracts.only_world().expect("there is one");
        let found =
            diff(Side::world("old.wit", &one, world(&one)), Side::world("new.wit", &other, world(&other)));
        assert_eq!(lines(&found.expect("they can be compared")), expected, "{old} became {new}");
        let inner: Vec<String> = expected.iter().map(|line| line.replacen(' ', " test:a/w > ", 1)).collect();
        assert_eq!(lines(&packages(&wit(old, "1.0.0"), &wit(new, "2.0.0"))), inner, "{old} became {new}");
    }
}

/// Of a component, whatever breaks callers breaks those who have it.
#[test]
fn a_component_may_ask_for_less_and_offer_more() {
    const FUNC: &str = r#"(import "behind" (func $f))"#;
    let table: [(&str, &str, &[&str]); 6] = [
        ("", r#"(import "g" (func))"#, &["added import g: callers, major"]),
        (r#"(import "g" (func))"#, "", &["removed import g: implementers, minor"]),
        ("", r#"(export "g" (func $f))"#, &["added export g: implementers, minor"]),
        (r#"(export "g" (func $f))"#, "", &["removed export g: callers, major"]),
        (
            r#"(import "a:b/c@1.0.0" (instance))"#,
            r#"(import "a:b/c@2.0.0" (instance))"#,
            &["renamed import a:b/c@1.0.0: both, major"],
        ),
        (
            r#"(import "m" (core module (export "f" (func))))"#,
            r#"(import "m" (core module))"#,
            &["type-shape import m: implementers, minor"],
        ),
    ];
    for (old, new, expected) in table {
        let shape = |text: &str| {
            Shape::of_component(&component(&format!("(component {FUNC} {text})"))).expect("a component")
        };
        let (one, other) = (shape(old), shape(new));
        let found = diff(Side::component("old", &one), Side::component("new", &other));
        let found = found.expect("they can be compared");
        assert_eq!(lines(&found), expected, "{old} became {new}");
        assert_eq!(found.versions, None);
    }
}

/// A resource that two names stand for may be given to those who want two, but not the other way round.
#[test]
fn resources_that_become_one_break_one_side() {
    let wit =
        |second: &str| format!("package test:a; interface i {{ resource r; {second} f: func(r: r, s: s); }}");
    let (two, one) = (wit("resource s;"), wit("type s = r;"));
    assert_eq!(lines(&packages(&two, &one)), ["resource-identity test:a/i > s: implementers, minor"]);
    assert_eq!(lines(&packages(&one, &two)), ["resource-identity test:a/i > s: callers, major"]);
}

#[test]
fn whole_interfaces_and_worlds_come_and_go() {
    let wit = |items: &str| format!("package test:a@1.0.0; {items}");
    let found = packages(&wit("interface i {}"), &wit("interface i {} interface k {} world w {}"));
    assert_eq!(lines(&found), ["added test:a/k: nobody, minor", "added test:a/w: nobody, minor"]);
    assert_eq!((found.breaks.callers, found.breaks.implementers), (false, false));
    let found = packages(&wit("interface i {} interface zero {} world w {}"), &wit("interface i {}"));
    assert_eq!(lines(&found), ["removed test:a/zero: callers, major", "removed test:a/w: both, major"]);
}

/// Names may be words of WIT, and a package may use an older version of itself: that one keeps its version.
#[test]
fn odd_packages_are_compared_too() {
    let wit = |more: &str| format!("package %package:%use@1.0.0; interface %world {{ f: func(); {more} }}");
    let found = packages(&wit(""), &wit("%interface: func();"));
    assert_eq!(lines(&found), ["added package:use/world > interface: implementers, minor"]);
    let wit = |own: &str, ty: &str| {
        format!(
            "package test:a@{own};
             interface i {{ use test:a/i@0.1.0.{{r}}; g: func(r: r); }} world w {{ import test:a/i@0.1.0; export i; }}
             package test:a@0.1.0 {{ interface i {{ record r {{ a: {ty} }} f: func(r: r); }} }}"
        )
    };
    assert_eq!(packages(&wit("1.0.0", "u8"), &wit("2.0.0", "u8")).level, None);
    let found = packages(&wit("1.0.0", "u8"), &wit("1.0.1", "u16"));
    assert_eq!(
        lines(&found),
        [
            "type-shape test:a/i > r > a: both, major",
            "type-shape test:a/w > import test:a/i@0.1.0 > r > a: both, major"
        ]
    );
}

/// A type is found once, where it is defined; that others use it is told by whom it breaks.
#[test]
fn a_type_that_others_use_breaks_them_too() {
    let wit = |ty: &str| {
        format!(
            "package test:a@1.0.0; interface types {{ record r {{ a: {ty} }} }}
             interface api {{ use types.{{r}}; f: func(r: r); }} interface other {{ f: func(); }}
             world w {{ export api; }}"
        )
    };
    let found = packages(&wit("u8"), &wit("u16"));
    assert_eq!(lines(&found), ["type-shape test:a/types > r > a: both, major"]);
    let broken: Vec<&str> = found.contracts.iter().map(|contract| contract.name.as_str()).collect();
    assert_eq!(broken, ["test:a/types", "test:a/api", "test:a/w"]);
}

/// An interface may gain a function in a minor version, unless a world has components export it.
#[test]
fn what_a_world_exports_is_asked_of_its_components() {
    let wit = |more: &str, way: &str| {
        format!("package test:a@1.0.0; interface i {{ f: func(); {more} }} world w {{ {way} i; }}")
    };
    let level = |way: &str| packages(&wit("", way), &wit("go: func();", way)).level;
    assert_eq!(level("import"), Some(Level::Minor));
    assert_eq!(level("export"), Some(Level::Major));
}

#[test]
fn what_only_people_read_is_a_patch() {
    let found = packages(
        "package test:a@1.0.0; /// One.\ninterface i { /// Says it.\nf: func(); enum e { a, b } g: func(); }",
        "package test:a@1.0.0; /// Two.\ninterface i { f: func(); enum e { /// Is it.\na, b } g: func(); }",
    );
    assert_eq!(
        lines(&found),
        [
            "documentation test:a/i: nobody, patch",
            "documentation test:a/i > e > a: nobody, patch",
            "documentation test:a/i > f: nobody, patch"
        ]
    );
    assert_eq!(found.level, Some(Level::Patch));
    let found = packages(
        "package test:a@1.2.0; interface i { @since(version = 1.0.0) f: func(); g: func(); }",
        "package test:a@1.2.0; interface i { @since(version = 1.0.0) @deprecated(version = 1.2.0) f: func();
         @since(version = 1.1.0) g: func(); }",
    );
    assert_eq!(lines(&found), ["gate test:a/i > f: nobody, minor", "gate test:a/i > g: nobody, patch"]);
}

fn version(text: &str) -> Version {
    Version::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn versions_that_may_follow() {
    let table = [
        ("1.2.3", Level::Patch, Some("1.2.4")),
        ("1.2.3", Level::Minor, Some("1.3.0")),
        ("1.2.3", Level::Major, Some("2.0.0")),
        ("0.2.3", Level::Patch, Some("0.2.4")),
        ("0.2.3", Level::Minor, Some("0.2.4")),
        ("0.2.3", Level::Major, Some("0.3.0")),
        ("0.0.3", Level::Patch, Some("0.0.4")),
        ("0.0.3", Level::Minor, Some("0.0.4")),
        ("0.0.3", Level::Major, Some("0.0.4")),
        ("1.0.0+build", Level::Patch, Some("1.0.1")),
        ("1.0.0-rc.1", Level::Major, None),
        ("0.2.0-draft", Level::Patch, None),
    ];
    for (old, level, expected) in table {
        assert_eq!(next(&version(old), level), expected.map(version), "{old}, {level}");
    }
}

#[test]
fn declared_versions_are_enough_or_too_small() {
    let (patch, minor, major) = (Some(Level::Patch), Some(Level::Minor), Some(Level::Major));
    let table = [
        ("1.0.0", None, "1.0.0", true),
        ("1.0.0", None, "1.0.1", true),
        ("1.0.0", None, "0.9.0", false),
        ("1.0.0", patch, "1.0.0", false),
        ("1.0.0", patch, "1.0.1", true),
        ("1.0.0", patch, "1.1.0", true),
        ("1.0.0", minor, "1.0.1", false),
        ("1.0.0", minor, "1.1.0", true),
        ("1.0.0", major, "1.9.0", false),
        ("1.0.0", major, "2.0.0", true),
        ("1.0.0", major, "2.0.0-rc.1", true),
        ("1.0.0", minor, "2.0.0", true),
        ("0.2.0", minor, "0.2.1", true),
        ("0.2.0", major, "0.2.9", false),
        ("0.2.0", major, "0.3.0", true),
        ("0.0.3", patch, "0.0.3", false),
        ("0.0.3", major, "0.0.4", true),
        ("1.0.0-rc.1", major, "1.0.0-rc.1", false),
        ("1.0.0-rc.1", major, "1.0.0-rc.2", true),
        ("1.0.0-rc.1", major, "1.0.0", true),
        ("1.0.0+a", patch, "1.0.0+b", false),
    ];
    for (old, level, new, enough) in table {
        let found = Versions::judge(Some(&version(old)), Some(&version(new)), level);
        assert_eq!(found.expect("there is something to judge").enough, enough, "{old}, {level:?}, {new}");
    }
    assert_eq!(Versions::judge(None, Some(&version("1.0.0")), major), None);
    let undeclared = Versions::judge(Some(&version("1.0.0")), None, minor).expect("there is something");
    assert!(!undeclared.enough);
}

#[test]
fn all_of_it_is_shown() {
    let found = packages(OLD, NEW);
    golden("diff/package.txt", &text(&found, false));
    golden("diff/package.json", &json(&found));
    let plain: String = text(&found, true).split('\u{1b}').enumerate().map(uncoloured).collect();
    assert_eq!(plain, text(&found, false));
    golden("diff/nothing.txt", &text(&packages(OLD, OLD), false));
}

/// What comes after the code of a colour.
fn uncoloured((index, piece): (usize, &str)) -> &str {
    if index == 0 { piece } else { piece.split_once('m').expect("a colour ends").1 }
}

#[test]
fn the_command_ends_as_its_help_says() {
    let place = Place::new();
    place.write("old.wit", OLD);
    place.write("new.wit", NEW);
    place.write("more.wit", OLD.replace("farewell:", "wave: func();\n  farewell:"));
    place.write("next.wit", NEW.replace("@0.2.1", "@0.3.0"));
    place.write(
        "says.wit",
        OLD.replace("/// Greets.", "/// Greets whom it is told.").replace("0.2.0", "0.2.1"),
    );
    place.write("answers.wasm", answers(1));
    place.write("same.wasm", answers(2));
    place.write("wit/greeting.wit", OLD);
    place.write("answer.wit", "package a:b; world w { export answer: func() -> u32; import more: func(); }");
    let table: &[(&[&str], i32, &str)] = &[
        (&["old.wit", "old.wit"], 0, ""),
        (&["old.wit", "wit"], 0, ""),
        (&["old.wit", "says.wit"], 0, ""),
        (&["old.wit", "new.wit"], 4, "callers and implementers break"),
        (&["old.wit", "new.wit", "--allow", "callers"], 4, "implementers break"),
        (&["old.wit", "new.wit", "--allow", "callers", "--allow", "implementers"], 0, ""),
        (&["old.wit", "more.wit", "--allow", "callers"], 4, "implementers break"),
        (&["old.wit#page", "more.wit#page"], 4, "callers break"),
        (&["old.wit#page", "more.wit", "--allow", "callers"], 0, ""),
        (&["old.wit", "new.wit", "--by-version"], 4, "the declared version is too small"),
        (&["old.wit", "next.wit", "--by-version"], 0, ""),
        (&["old.wit", "says.wit", "--by-version"], 0, ""),
        (&["answers.wasm", "same.wasm"], 0, ""),
        (&["answers.wasm", "answer.wit"], 4, "callers break"),
        (&["answer.wit#w", "answers.wasm"], 4, "implementers break"),
    ];
    for (arguments, code, words) in table {
        let (found, out, said) = ended(&place.run(&[&["diff"], *arguments].concat()));
        let expected = if words.is_empty() { String::new() } else { format!("  × {words}\n") };
        assert_eq!((found, said), (Some(*code), expected), "{arguments:?}:\n{out}");
        assert!(!out.is_empty() && !out.contains('\u{1b}'), "{out}");
    }
    let (_, out, _) = ended(&place.run(&["diff", "old.wit", "new.wit", "--json"]));
    let told: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!(told["format"], 1);
    assert_eq!(told["version"]["needed"], "0.3.0");
    assert_eq!(told["changes"][0]["class"], "type-shape");
}

/// A package in its binary form is the same package.
#[test]
fn a_binary_package_is_read_as_one() {
    let place = Place::new();
    let bytes = contracts(OLD).package("example:greeting", None).expect("it can be encoded");
    place.write("old.wasm", bytes.expect("it is there"));
    place.write("new.wit", NEW);
    place.write("old.wit", OLD);
    assert_eq!(ended(&place.run(&["diff", "old.wasm", "old.wit"])).0, Some(0));
    let whole = ended(&place.run(&["diff", "old.wasm", "new.wit"]));
    assert_eq!(whole.0, Some(4));
    assert_eq!(
        whole.1,
        ended(&place.run(&["diff", "old.wit", "new.wit"])).1.replace("`old.wit`", "`old.wasm`")
    );
    assert_eq!(ended(&place.run(&["diff", "old.wasm#page", "new.wit#page"])).0, Some(4));
}

/// What changed in an interface.
fn interfaces(old: &str, new: &str) -> Diff {
    let wit = |items: &str| format!("package test:a@1.0.0; interface i {{ {items} }}");
    packages(&wit(old), &wit(new))
}

#[test]
fn names_of_any_length_are_shown() {
    let long = "n".repeat(70_000);
    let wit =
        |ty: &str| format!("package test:a@1.0.0; interface {long} {{ f: func(a: {ty}); }} interface i {{}}");
    let shown = text(&packages(&wit("u8"), &wit("u16")), false);
    assert!(
        shown.contains(&format!("interface test:a/{long}  callers and implementers; major")),
        "{}",
        shown.len()
    );
}

/// Where nearly everything has another name, nothing is compared with everything.
#[test]
fn many_that_are_renamed_are_gone_and_new() {
    let functions = |letter: char, count: usize| -> String {
        (0..count).map(|index| format!("{letter}{index}-does-something: func(); ")).collect()
    };
    let few = interfaces(&functions('f', 50), &functions('g', 50));
    assert!(few.changes.iter().all(|change| change.class == Class::Renamed) && few.changes.len() == 50);
    let many = interfaces(&functions('f', 4_000), &functions('g', 4_000));
    let count = |class| many.changes.iter().filter(|change| change.class == class).count();
    assert_eq!((count(Class::Removed), count(Class::Added)), (4_000, 4_000));
    // A function of another kind is found by its name.
    let methods = |kind: &str| -> String {
        let each: String = (0..2_000).map(|index| format!("m{index}: {kind}func(); ")).collect();
        format!("resource r {{ {each} }}")
    };
    let kinds = interfaces(&methods(""), &methods("static "));
    assert_eq!(kinds.changes.len(), 2_000);
    assert_eq!(kinds.changes[0].class.to_string(), "kind");
}

/// A resource is what it is because of where it comes from.
#[test]
fn a_resource_from_elsewhere_is_another_one() {
    const OF: &str = "package x:y@0.1.0 { interface t { resource n; } interface t2 { resource n; } }
        package x:y@0.1.1 { interface t { resource n; } } package x:y@0.2.0 { interface t { resource n; } }";
    let identity: &[&str] = &["resource-identity test:a/i > n: both, major"];
    let table: [(&str, &str, &[&str]); 4] = [
        ("use x:y/t@0.1.0.{n};", "use x:y/t@0.1.0.{n};", &[]),
        ("use x:y/t@0.1.0.{n};", "use x:y/t@0.1.1.{n};", &[]),
        ("use x:y/t@0.1.0.{n};", "use x:y/t@0.2.0.{n};", identity),
        ("use x:y/t@0.1.0.{n};", "use x:y/t2@0.1.0.{n};", identity),
    ];
    for (old, new, expected) in table {
        let wit =
            |items: &str| format!("package test:a@1.0.0; interface i {{ {items} f: func(a: n); }} {OF}");
        assert_eq!(lines(&packages(&wit(old), &wit(new))), expected, "{old} became {new}");
        // Through a record of another interface it is the same.
        let wit = |items: &str| {
            format!(
                "package test:a@1.0.0; interface i {{ {items} record r {{ n: own<n> }} }}
                 interface k {{ use i.{{r}}; f: func(a: r); }} {OF}"
            )
        };
        let found = packages(&wit(old), &wit(new));
        assert_eq!(lines(&found), expected, "{old} became {new}");
        let broken: Vec<&str> = found.contracts.iter().map(|contract| contract.name.as_str()).collect();
        let both: &[&str] = if expected.is_empty() { &[] } else { &["test:a/i", "test:a/k"] };
        assert_eq!(broken, both, "{old} became {new}");
    }
    // Of values only the type counts, whoever defines it; a world has to import who does.
    let wit = |version: &str, more: &str| {
        format!(
            "package test:a@1.0.0; interface i {{ use x:y/t@{version}.{{n}}; f: func(a: n); }} {more}
             package x:y@{version} {{ interface t {{ type n = u32; }} }}"
        )
    };
    let version = "version x:y@0.1.0: nobody, patch";
    assert_eq!(lines(&packages(&wit("0.1.0", ""), &wit("0.2.0", ""))), [version]);
    let world = "world w { import i; }";
    assert_eq!(
        lines(&packages(&wit("0.1.0", world), &wit("0.2.0", world))),
        ["renamed test:a/w > import x:y/t@0.1.0: both, major", version]
    );
}

#[test]
fn what_is_deprecated_is_told_wherever_it_is() {
    let world = |gate: &str, docs: &str| {
        format!(
            "package test:a@1.1.0; interface i {{ f: func(); }}
             world w {{ @since(version = 1.0.0) {gate} import i;
             {docs}
             @since(version = 1.0.0) {gate} type t = u8; @since(version = 1.0.0) {gate} import f: func(); }}"
        )
    };
    let deprecated = "@deprecated(version = 1.1.0)";
    let found = packages(&world("", ""), &world(deprecated, "/// A number."));
    assert_eq!(
        lines(&found),
        [
            "gate test:a/w > import test:a/i: nobody, minor",
            "gate test:a/w > import t: nobody, minor",
            "documentation test:a/w > import t: nobody, patch",
            "gate test:a/w > import f: nobody, minor"
        ]
    );
    // Of one world by itself, the interfaces of its package are part of what there is to read.
    let within = |gate: &str| {
        format!("package test:a@1.1.0; interface i {{ {gate} f: func(); }} world w {{ import i; export i; }}")
    };
    let (old, new) =
        (contracts(&within("")), contracts(&within("@since(version = 1.0.0) @deprecated(version = 1.1.0)")));
    let side = |contracts| (contracts, Contracts::only_world(contracts).expect("there is one"));
    let ((old, one), (new, other)) = (side(&old), side(&new));
    let found = diff(Side::world("old.wit", old, one), Side::world("new.wit", new, other));
    assert_eq!(lines(&found.expect("they can be compared")), ["gate test:a/i > f: nobody, minor"]);
}

/// What has another name may differ besides.
#[test]
fn changes_within_what_was_renamed_are_found() {
    let resource = |name: &str, get: &str, more: &str| {
        format!(
            "resource {name} {{ constructor(a: u8); get: func() -> {get}; {more} }} make: func() -> {name};"
        )
    };
    let found = interfaces(&resource("request", "u8", ""), &resource("requests", "u16", "put: func();"));
    assert_eq!(
        lines(&found),
        [
            "renamed test:a/i > request: both, major",
            "type-shape test:a/i > request.get > result: both, major",
            "added test:a/i > requests.put: implementers, minor"
        ]
    );
    let gone =
        interfaces(&resource("request", "u8", "set: func();"), &resource("requests", "u8", "send: func();"));
    assert_eq!(
        lines(&gone),
        [
            "renamed test:a/i > request: both, major",
            "removed test:a/i > request.set: callers, major",
            "added test:a/i > requests.send: implementers, minor"
        ]
    );
    let wit = |name: &str, items: &str| {
        format!("package test:a@1.0.0; interface {name} {{ {items} }} world w {{ import {name}; }}")
    };
    let found = packages(&wit("greeter", "f: func();"), &wit("greeters", "f: func(a: u8); go: func();"));
    assert_eq!(
        lines(&found),
        [
            "renamed test:a/greeter: both, major",
            "parameter-count test:a/greeter > f > a: both, major",
            "added test:a/greeter > go: implementers, minor",
            "renamed test:a/w > import test:a/greeter: both, major"
        ]
    );
    let wit = |name: &str, items: &str| {
        format!("package test:a@1.0.0; interface i {{ f: func(); }} world {name} {{ import i; {items} }}")
    };
    let found = packages(&wit("shopfront", ""), &wit("shop-front", "export f: func();"));
    assert_eq!(
        lines(&found),
        ["renamed test:a/shopfront: both, major", "added test:a/shopfront > export f: implementers, major"]
    );
    assert_eq!(found.changes[0].problem, "the world `shopfront` is called `shop-front` now");
    assert_eq!(found.contracts.len(), 1);
}

/// Two versions of one interface that become one are not both compared with it.
#[test]
fn what_another_version_had_is_not_new() {
    let of = |version: &str, more: &str| {
        format!("package x:y@{version} {{ interface t {{ f: func(); {more} }} }}")
    };
    let (first, second) = (of("0.1.0", ""), of("0.1.1", "g: func();"));
    let found = packages(
        &format!("package a:b@1.0.0; {first} {second} world w {{ import x:y/t@0.1.0; import x:y/t@0.1.1; }}"),
        &format!("package a:b@1.0.0; {second} world w {{ import x:y/t@0.1.1; }}"),
    );
    assert_eq!(
        lines(&found),
        ["version a:b/w > import x:y/t@0.1.0: nobody, minor", "version x:y@0.1.0: nobody, patch"]
    );
}

#[test]
fn a_package_may_have_so_many_interfaces() {
    let wit = |count: usize, ty: &str| {
        let each: String =
            (0..count).map(|index| format!("interface i{index} {{ f: func(a: {ty}); }} ")).collect();
        format!("package test:a@1.0.0; {each}")
    };
    let found = packages(&wit(1_000, "u8"), &wit(1_000, "u16"));
    assert_eq!((found.changes.len(), found.contracts.len()), (1_000, 1_000));
    let place = Place::new();
    place.write("old.wit", wit(1_001, "u8"));
    let (code, words) = place.said(&["diff", "old.wit", "old.wit"]);
    assert_eq!(code, 1, "{words}");
    has(&words, &["nothing can be said of these two", "1001 interfaces", "at most 1000"]);
}

#[test]
fn what_is_behind_a_feature_is_not_gone() {
    let said = |old: &str, new: &str| {
        let found = interfaces(old, new);
        found.changes.iter().map(|change| format!("{}: {}", change.class, change.problem)).collect::<Vec<_>>()
    };
    let unstable = "@unstable(feature = later)";
    assert_eq!(
        said("f: func();", &format!("{unstable} f: func();")),
        ["removed: the function `f` is behind the feature `later` now"]
    );
    assert_eq!(
        said(&format!("{unstable} f: func();"), "f: func();"),
        ["added: the function `f` was behind the feature `later`"]
    );
    assert_eq!(said(&format!("{unstable} f: func();"), ""), Vec::<String>::new());
    let wit = |gate: &str| {
        format!("package test:a@1.0.0; interface i {{ {gate} f: func(); }} world w {{ import i; }}")
    };
    let (old, new) = (contracts(&wit("")), contracts(&wit(unstable)));
    let world = |contracts: &Contracts| contracts.only_world().expect("there is one");
    let found = diff(Side::world("old", &old, world(&old)), Side::world("new", &new, world(&new)));
    let found = found.expect("they can be compared");
    assert_eq!(found.changes[0].problem, "the function `f` is behind the feature `later` now");
}

#[test]
fn numbers_agree_with_their_verbs() {
    let one = text(&interfaces("f: func();", "f: func(); go: func();"), false);
    has(&one, &["one change, which breaks implementers\n"]);
    let two = text(&interfaces("f: func();", "f: func(); go: func(); gone: func();"), false);
    has(&two, &["2 changes, which break implementers\n"]);
}

/// What is wrong with the declared version is told in the same words at both ends.
#[test]
fn a_version_is_too_small_only_if_it_is() {
    let table = [
        ("@1.0.0", "", "f: func();", "none is declared", "no version is declared"),
        ("@1.0.0", "@0.9.0", "", "which goes backwards", "the declared version goes backwards"),
        (
            "@1.0.0-rc.1",
            "@1.0.0-rc.1",
            "f: func();",
            "which is the same",
            "the declared version is the same as before",
        ),
        ("@1.0.0", "@1.0.1", "f: func();", "which is too small", "the declared version is too small"),
    ];
    for (old, new, more, shown, words) in table {
        let place = Place::new();
        place.write("old.wit", format!("package test:a{old}; interface i {{ }}"));
        place.write("new.wit", format!("package test:a{new}; interface i {{ {more} }}"));
        let (code, out, said) = ended(&place.run(&["diff", "old.wit", "new.wit", "--by-version"]));
        assert_eq!((code, said), (Some(4), format!("  × {words}\n")), "{old} {new}");
        has(&out, &[shown]);
    }
}

#[test]
fn a_file_beside_its_dependencies_is_pointed_at_its_directory() {
    let place = Place::new();
    place.write("one/a.wit", "package a:b; interface i { use x:y/t.{n}; f: func(a: n); }");
    place.write("one/deps/x.wit", "package x:y; interface t { type n = u8; }");
    let (code, words) = place.said(&["diff", "one/a.wit", "one"]);
    assert_eq!(code, 3, "{words}");
    has(&words, &["it is the directory `one`"]);
    assert_eq!(place.said(&["diff", "one", "one"]).0, 0);
}

#[test]
fn one_side_may_come_from_standard_input() {
    let place = Place::new();
    place.write("old.wit", OLD);
    place.write("new.wit", NEW);
    place.write("answers.wasm", answers(1));
    let piped = |name: &str, arguments: &[&str]| {
        let input = std::fs::File::open(place.at(name)).expect("it is there");
        ended(&place.command(arguments).stdin(input).output().expect("the command can be started"))
    };
    let (code, out, _) = piped("new.wit", &["diff", "old.wit", "-"]);
    assert_eq!(code, Some(4));
    has(&out, &["now, in `standard input`"]);
    assert_eq!(piped("answers.wasm", &["diff", "-", "answers.wasm"]).0, Some(0));
    let (code, _, words) = piped("old.wit", &["diff", "-", "-"]);
    assert_eq!(code, Some(2));
    has(&words, &["can only be read once"]);
    let (code, _, words) = piped("answers.wasm", &["diff", "old.wit", "-#w"]);
    assert_eq!(code, Some(2), "{words}");
}

/// A text with packages beside the main one, in which the marks stand for what is edited.
fn nested(edit: (&str, &str)) -> String {
    "/// The main package.
package a:b@1.0.0;
/// One of its interfaces.
interface i { use c:d/x@1.0.0.{shared}; g: func(s: shared) -> u32; }
world top { import i; export c:d/x@1.0.0; }
package c:d@1.0.0 {
    /// Whatever is shared.
    interface x { record shared { one: u32, } /* more */ f: func(a: u8) -> string; }
    world w { export x; import log: func(line: string); }
}
package e:f { interface alone { enum colour { red, green } paint: func(c: colour); } }
"
    .replacen(edit.0, edit.1, 1)
}

/// Wherever in a text something is edited, the edit is named where it was made; and what it is called for.
#[test]
fn an_edit_is_named_in_whichever_package_it_is() {
    let table: [((&str, &str), &str); 14] = [
        (("The main", "A main"), "documentation a:b: nobody, patch"),
        (
            ("g: func(s: shared) -> u32", "g: func(s: shared) -> u64"),
            "type-shape a:b/i > g > result: both, major",
        ),
        (("import i;", ""), "removed a:b/top > import a:b/i: implementers, major"),
        (("Whatever is", "What is"), "documentation c:d/x: nobody, patch"),
        (("one: u32", "one: u64"), "type-shape c:d/x > shared > one: both, major"),
        (("one: u32", "first: u32"), "record-field c:d/x > shared > one: both, major"),
        (("f: func(a: u8)", "f: func(a: u8, b: u8)"), "parameter-count c:d/x > f > b: both, major"),
        (("/* more */", "h: func();"), "added c:d/x > h: implementers, minor"),
        (("line: string", "line: u8"), "type-shape c:d/w > import log > line: both, major"),
        (("world w {", "world v {"), "removed c:d/w: both, major"),
        (("red, green", "red, blue"), "enum-case e:f/alone > colour > green: both, major"),
        (("package e:f", "package e:g"), "removed e:f: both, major"),
        (("paint: func", "tint: func"), "removed e:f/alone > paint: callers, major"),
        (("package e:f {", "package e:f { world new {}"), "added e:f/new: nobody, minor"),
    ];
    for (edit, expected) in table {
        let found = lines(&packages(&nested(("", "")), &nested(edit)));
        assert!(found.iter().any(|line| line == expected), "{edit:?}: {expected} is not in {found:#?}");
        assert!(found.len() <= 3, "{edit:?} is told more than it has to be: {found:#?}");
    }
    assert_eq!(packages(&nested(("", "")), &nested(("", ""))).level, None);
}

/// Each package has its own version, and announces its own changes with it.
#[test]
fn a_package_beside_the_main_one_is_judged_by_its_own_version() {
    let [old, wider] = [("", ""), ("/* more */", "h: func();")].map(nested);
    let found = packages(&old, &wider);
    let [of_other] = &found.packages[..] else { panic!("{:?}", found.packages) };
    assert_eq!((of_other.name.as_str(), of_other.versions.enough), ("c:d", false));

    let announced = wider.replace("c:d@1.0.0", "c:d@1.1.0").replace("c:d/x@1.0.0", "c:d/x@1.1.0");
    let found = packages(&old, &announced);
    assert!(found.packages.iter().all(|package| package.versions.enough), "{:?}", found.packages);
    let lines = lines(&found);
    for line in ["added c:d/x > h: implementers, minor", "version c:d@1.0.0: nobody, patch"] {
        assert!(lines.iter().any(|found| found == line), "{line} is not in {lines:#?}");
    }
}

/// What a package without a version went through, or that one is gone, is announced by the main one.
#[test]
fn what_has_no_version_is_announced_by_the_main_package() {
    for edit in [("red, green", "red, blue"), ("package e:f", "package e:g")] {
        let found = packages(&nested(("", "")), &nested(edit));
        let versions = found.versions.expect("the main package has one");
        assert_eq!((versions.level, versions.enough), (Some(Level::Major), false), "{edit:?}");
        let announced = nested(edit).replacen("a:b@1.0.0", "a:b@2.0.0", 1);
        assert!(packages(&nested(("", "")), &announced).versions.expect("it has one").enough, "{edit:?}");
    }
}

#[test]
fn the_command_says_whose_version_is_too_small() {
    let place = Place::new();
    place.write("old.wit", nested(("", "")));
    place.write("new.wit", nested(("f: func(a: u8)", "f: func(a: u16)")));
    let output = place.run(&["diff", "old.wit", "new.wit", "--by-version"]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(4), "{text}");
    has(
        &text,
        &["`c:d`: after 1.0.0, a major change calls for 2.0.0; 1.0.0 is declared, which is too small"],
    );
    let output = place.run(&["diff", "old.wit", "new.wit", "--by-version", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&json["packages"][0]["name"], &json["packages"][0]["enough"]),
        (&"c:d".into(), &false.into())
    );
}
