//! WIT texts: what is read, and what is said of those that break a rule.

use contract::Contracts;

use super::common::{answers, component, composer, directory, said};

/// A package that uses the same type of another one behind a feature and without one, in this order.
const GATED_FIRST: &str = "package pk:tls@0.1.0;
@unstable(feature = tls)
interface client { @unstable(feature = tls) use pk:base/t@0.1.0.{conn}; }
interface plain { use pk:base/t@0.1.0.{conn}; close: func(c: conn); }
world w { import plain; }
";

const BASE: &str = "package pk:base@0.1.0;
interface t {
    record conn { a: u8 }
    @unstable(feature = fast) record fast { a: u8 }
}
";

/// What a difference between two directories or files of WIT is.
fn diff(files: &[(&str, &[u8])], old: &str, new: &str) -> (Option<i32>, String) {
    let directory = directory(files);
    let output = composer(directory.path(), &["diff", old, new]);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).expect("text"))
}

#[test]
fn a_type_is_used_behind_a_feature_first() {
    let changed = GATED_FIRST.replace("c: conn", "c: conn, now: bool");
    let (code, words) = diff(
        &[
            ("old/m.wit", GATED_FIRST.as_bytes()),
            ("old/deps/base/b.wit", BASE.as_bytes()),
            ("new/m.wit", changed.as_bytes()),
            ("new/deps/base.wit", BASE.as_bytes()),
        ],
        "old",
        "new",
    );
    assert_eq!(code, Some(4), "{words}");
    assert!(words.contains("close"), "{words}");
    let nested = format!("{GATED_FIRST}{}}}", BASE.replacen(';', " {", 1));
    assert_eq!(diff(&[("one.wit", nested.as_bytes())], "one.wit", "one.wit").1, "nothing changed\n");
}

#[test]
fn a_type_that_is_behind_a_feature_itself_is_still_not_there() {
    let wrong = GATED_FIRST.replace("{conn}", "{fast}").replace("conn", "fast");
    let files = [("m/m.wit", wrong.as_bytes()), ("m/deps/base.wit", BASE.as_bytes())];
    let (code, words) = diff(&files, "m", "m");
    assert_eq!(code, Some(3), "{words}");
    assert!(words.contains("feature not being activated") && words.contains("m.wit:4:"), "{words}");
}

#[test]
fn a_package_may_call_itself_by_its_full_name() {
    let text = |own: &str| {
        format!(
            "package ex:selfref@1.0.0;\ninterface exports {{ record r {{ a: u8 }} foo: func(); }}\n\
             world only {{ export {own}exports; use {own}exports.{{r}}; import f: func(r: r); }}\n"
        )
    };
    let (full, short) = (text("ex:selfref/").replace("exports;", "exports@1.0.0;"), text(""));
    let full = full.replace("exports.{", "exports@1.0.0.{");
    let files = [("full.wit", full.as_bytes()), ("short.wit", short.as_bytes())];
    assert_eq!(diff(&files, "full.wit", "short.wit"), (Some(0), "nothing changed\n".to_owned()));
}

#[test]
fn messages_keep_their_places_behind_own_names() {
    let text = "package ex:selfref;\ninterface exports {}\nworld w { export ex:selfref/exports; import x: missing; }\n";
    let directory = directory(&[("w.wit", text.as_bytes())]);
    let (code, words) = said(directory.path(), &["diff", "w.wit", "w.wit"]);
    assert_eq!(code, 3);
    assert!(words.contains("w.wit:3:48"), "{words}");
    assert!(words.contains("3 | world w { export ex:selfref/exports; import x: missing; }"), "{words}");
}

#[test]
fn a_package_of_no_text_is_named() {
    let directory = directory(&[("m/m.wit", b"package a:b;"), ("m/deps/none/readme.md", b"")]);
    let (code, words) = said(directory.path(), &["diff", "m", "m"]);
    assert_eq!(code, 3);
    assert!(words.contains("there is no WIT in `m/deps/none`"), "{words}");
}

/// What is said of a text that breaks a rule, which only the validator would know otherwise.
fn broken(text: &str) -> String {
    let text = format!("package a:b;\n{text}\n");
    let (code, words) = diff(&[("w.wit", text.as_bytes())], "w.wit", "w.wit");
    assert_eq!(code, Some(3), "{text}: {words}");
    assert!(!words.contains("offset") && !words.contains("0x"), "{text}: {words}");
    words
}

#[test]
fn rules_of_the_binary_format_are_told_with_their_place() {
    let numbered = |count: usize, each: &str| -> String {
        (0..count).map(|index| each.replace('#', &index.to_string())).collect()
    };
    let flags = format!("interface i {{ flags f {{ {} }} }}", numbered(33, "flag#, "));
    let params = format!("interface i {{ f: func({}); }}", numbered(1001, "p#: u8, "));
    let cases = format!("interface i {{ enum e {{ {} }} }}", numbered(10_001, "c#, "));
    let nested = format!("interface i {{ type t0 = u8; {} }}", numbered(130, "type n#x = list<u8>; "));
    assert!(Contracts::parse("w.wit", &format!("package a:b; {nested}")).is_ok());
    let deep: String = (0..130).map(|index| format!("type t{} = option<t{index}>; ", index + 1)).collect();
    let deep = format!("interface i {{ type t0 = u8; {deep} }}");
    let large: String =
        (0..20).map(|index| format!("type t{} = tuple<t{index}, t{index}>; ", index + 1)).collect();
    let large = format!("interface i {{ type t0 = u8; {large} f: func(t: t20); }}");
    let long = format!("interface i {{ {}: func(); }}", "a".repeat(100_001));
    let long_method = format!("interface i {{ resource r {{ {}: func(); }} }}", "a".repeat(99_999));
    for (text, expected) in [
        ("interface i { record foo {} }", "the record `foo` has no fields, and must have at least one field"),
        ("interface i { flags none {} }", "the flags type `none` has no flags"),
        (&flags, "the flags type `f` has 33 flags, and may have at most 32"),
        (&params, "the function `f` has 1001 parameters, and may have at most 1000"),
        (&cases, "the enum `e` has 10001 cases, and may have at most 10000"),
        (&deep, "nests others more than 100 deep"),
        (&large, "is too large: written out"),
        (&long, "has 100001 bytes, and may have at most 100000"),
        (&long_method, "and may have at most 100000"),
        ("interface i { f: func() -> tuple<>; }", "a tuple has no types, and must have at least one type"),
        (
            "interface i { f: func() -> list<u8, 0>; }",
            "a list of fixed length must have at least one element",
        ),
        ("interface i { type c = char; f: func() -> stream<c>; }", "there is no `stream<char>`"),
        (
            "interface i { record r { a: u8, A: u8 } }",
            "the fields `a` and `A` of the record `r` differ in case only",
        ),
        ("interface i { record r { a: u8, a: u8 } }", "the record `r` has two fields `a`"),
        (
            "interface i { variant v { a, A } }",
            "the cases `a` and `A` of the variant `v` differ in case only",
        ),
        (
            "interface i { enum v { a-b, A-b } }",
            "the cases `a-b` and `A-b` of the enum `v` differ in case only",
        ),
        (
            "interface i { flags v { a, A } }",
            "the flags `a` and `A` of the flags type `v` differ in case only",
        ),
        (
            "interface i { f: func(a: u8, A: u8); }",
            "the parameters `a` and `A` of the function `f` differ in case only",
        ),
        ("interface i { f: func(); F: func(); }", "`f` and `F` in the interface `i` differ in case only"),
        ("interface i { type t = u8; T: func(); }", "`t` and `T` in the interface `i` differ in case only"),
        (
            "interface i { resource r { r: func(); } }",
            "`r` and `r.r` in the interface `i` count as the same name",
        ),
        ("interface i { resource r { m: func(self: u8); } }", "`self`"),
        ("interface i {} interface I {}", "`i` and `I` in the package `a:b` differ in case only"),
        ("interface i {} world I {}", "`i` and `I` in the package `a:b` differ in case only"),
        ("world w { export f: interface { record e {} } }", "the record `e` has no fields"),
        ("world w { import f: func(a: tuple<>); }", "a tuple has no types"),
        (
            "@unstable(feature = x) interface i { @unstable(feature = x) record e {} }",
            "the record `e` has no fields",
        ),
    ] {
        let words = broken(text);
        assert!(words.contains(expected) && words.contains("w.wit:2:"), "{expected}: {words}");
    }
}

#[test]
fn names_of_a_world_are_told_by_the_parser_without_a_line() {
    let words = broken("world w { import f: func(); import F: func(); }");
    assert!(words.contains("import `F` in world `w` conflicts with import `f`"), "{words}");
}

#[test]
fn every_command_that_reads_a_text_tells_the_rule() {
    let text = "package a:b;\ninterface i { record foo {} }\nworld w { export i; }\n";
    let manifest = "[project]\nwit = \"w.wit\"\nout = \"out\"\n";
    let core = component("(module)");
    let directory = directory(&[
        ("w.wit", text.as_bytes()),
        ("interlock.toml", manifest.as_bytes()),
        ("part.wasm", &answers(1)),
        ("core.wasm", &core),
        ("whole.wac", b"package a:whole;"),
    ]);
    for arguments in [
        &["check", "part.wasm", "--world", "w.wit"][..],
        &["new", "p", "--lang", "c", "--world", "w"],
        &["bindgen", "--world", "w", "--out", "gen"],
        &["build"],
        &["componentize", "core.wasm", "-o", "x.wasm", "--world", "w"],
        &["diff", "part.wasm", "w.wit"],
        &["compose", "whole.wac", "-o", "x.wasm", "--wit", "w.wit"],
    ] {
        let (code, words) = said(directory.path(), arguments);
        assert!(matches!(code, 1 | 3), "{arguments:?}: {code}: {words}");
        assert!(
            words.contains("the record `foo` has no fields") && words.contains("w.wit:2:22"),
            "{arguments:?}: {words}"
        );
    }
}
