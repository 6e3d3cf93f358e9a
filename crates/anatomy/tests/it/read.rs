//! Small components, written down as text, and what is to be read from them.

use crate::common::read;
use anatomy::{Component, Limits, ReadError, Source};

/// A part with an import and an export of an interface with one function.
fn relay(name: &str, import: &str, export: &str) -> String {
    format!(
        r#"(component ${name}
            (import "{import}" (instance $in (export "f" (func (result u32)))))
            (core func $f (canon lower (func $in "f")))
            (core module $m
                (import "" "f" (func $f (result i32)))
                (export "g" (func $f)))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func $g (result u32) (canon lift (core func $i "g")))
            (instance $out (export "f" (func $g)))
            (export "{export}" (instance $out)))"#
    )
}

/// A part that imports nothing.
fn source(name: &str, export: &str) -> String {
    format!(
        r#"(component ${name}
            (core module $m (func (export "g") (result i32) i32.const 7))
            (core instance $i (instantiate $m))
            (func $g (result u32) (canon lift (core func $i "g")))
            (instance $out (export "f" (func $g)))
            (export "{export}" (instance $out)))"#
    )
}

fn from_part(part: usize, export: &str) -> Source {
    Source::Part { part, export: Some(export.to_owned()) }
}

fn from_host(import: &str) -> Source {
    Source::Host { import: import.to_owned() }
}

fn edges(component: &Component) -> Vec<(usize, &str, Source)> {
    component.edges.iter().map(|edge| (edge.part, edge.import.as_str(), edge.from.clone())).collect()
}

fn names(component: &Component) -> Vec<String> {
    component.parts.iter().map(|part| part.path.join("/")).collect()
}

const FACE: &str = r#"(instance (export "f" (func (result u32))))"#;

#[test]
fn a_plain_component_is_its_own_single_part() {
    let component =
        read(&relay("", "a:b/in@1.0.0", "a:b/out@1.0.0").replacen("component $", "component ", 1));
    assert!(!component.is_composition());
    assert_eq!(component.imports, ["a:b/in@1.0.0"]);
    assert_eq!(component.exports, ["a:b/out@1.0.0"]);
    assert_eq!(component.parts.len(), 1);
    assert_eq!(component.parts[0].digest, component.digest);
    assert_eq!(component.parts[0].bytes, component.bytes);
    assert_eq!(edges(&component), [(0, "a:b/in@1.0.0", from_host("a:b/in@1.0.0"))]);
    assert_eq!(component.outlets[0].from, [from_part(0, "a:b/out@1.0.0")]);
}

#[test]
fn a_chain_is_wired_from_the_host_to_the_export() {
    let text = format!(
        r#"(component
            (import "host:x/y" (instance $host (export "f" (func (result u32)))))
            {}
            {}
            (instance $first (instantiate $A (with "a:a/in" (instance $host))))
            (alias export $first "a:a/out" (instance $link))
            (instance $second (instantiate $B (with "b:b/in" (instance $link))))
            (export "c:c/d" (instance $second "b:b/out")))"#,
        relay("A", "a:a/in", "a:a/out"),
        relay("B", "b:b/in", "b:b/out"),
    );
    let component = read(&text);
    assert!(component.is_composition());
    assert_eq!(names(&component), ["first", "second"]);
    assert_eq!(
        edges(&component),
        [(0, "a:a/in", from_host("host:x/y")), (1, "b:b/in", from_part(0, "a:a/out"))]
    );
    assert_eq!(component.outlets[0].export, "c:c/d");
    assert_eq!(component.outlets[0].from, [from_part(1, "b:b/out")]);
    let wanted: Vec<_> = component.wanted_by("host:x/y").iter().map(|part| &part.name).collect();
    assert_eq!(wanted, ["first"]);
    assert!(component.wanted_by("a:a/in").is_empty());
    let all = component.wanted();
    assert_eq!((all.len(), &all["host:x/y"]), (1, &component.wanted_by("host:x/y")));
    let second = &component.parts[1];
    assert_eq!(component.part_at(second.offset + 20), Some(second));
    assert_eq!(component.part_at(4), None);
}

#[test]
fn instances_that_only_name_types_are_told_from_those_that_ask_for_something() {
    let component = read(
        r#"(component
            (import "a:b/names" (instance
                (type $r (record (field "x" u32)))
                (export "r" (type (eq $r)))))
            (import "a:b/resource" (instance (export "r" (type (sub resource)))))
            (import "a:b/function" (instance (export "f" (func))))
            (import "a:b/nothing" (instance))
            (import "plain" (func)))"#,
    );
    assert_eq!(component.imports, ["a:b/names", "a:b/resource", "a:b/function", "a:b/nothing", "plain"]);
    assert_eq!(component.naming, ["a:b/names", "a:b/nothing"]);
}

#[test]
fn two_instances_of_one_component_are_two_parts() {
    let text = format!(
        r#"(component {} (instance $a (instantiate $S)) (instance $b (instantiate $S))
            (export "x:x/a" (instance $a "s:s/out")) (export "x:x/b" (instance $b "s:s/out")))"#,
        source("S", "s:s/out")
    );
    let component = read(&text);
    assert_eq!(names(&component), ["a", "b"]);
    assert_eq!(component.parts[0].digest, component.parts[1].digest);
    assert_eq!(component.outlets[1].from, [from_part(1, "s:s/out")]);
}

#[test]
fn neighbours_of_one_name_are_told_apart() {
    let text = format!(
        r#"(component {} (instance (instantiate $S)) (instance (instantiate $S)))"#,
        source("S", "s:s/out")
    );
    assert_eq!(names(&read(&text)), ["S", "S-2"]);
}

#[test]
fn components_without_code_are_seen_through() {
    // The shape that wit-component gives to exports with types, here between two parts.
    let text = format!(
        r#"(component
            {} {}
            (component $Shim
                (import "import-func-f" (func $f (result u32)))
                (export "f" (func $f)))
            (instance $s (instantiate $S))
            (alias export $s "s:s/out" (instance $out))
            (alias export $out "f" (func $f))
            (instance $shim (instantiate $Shim (with "import-func-f" (func $f))))
            (instance $r (instantiate $R (with "r:r/in" (instance $shim))))
            (export "x:x/y" (instance $r "r:r/out")))"#,
        source("S", "s:s/out"),
        relay("R", "r:r/in", "r:r/out"),
    );
    let component = read(&text);
    assert_eq!(names(&component), ["s", "r"]);
    assert_eq!(edges(&component), [(1, "r:r/in", from_part(0, "s:s/out"))]);
}

#[test]
fn a_component_with_shims_for_its_exports_is_no_composition() {
    let text = r#"(component
        (core module $m (func (export "g") (result i32) i32.const 7))
        (core instance $i (instantiate $m))
        (func $g (result u32) (canon lift (core func $i "g")))
        (component $Shim (import "g" (func $g (result u32))) (export "f" (func $g)))
        (instance $shim (instantiate $Shim (with "g" (func $g))))
        (export "x:x/y" (instance $shim)))"#;
    let component = read(text);
    assert!(!component.is_composition());
    assert_eq!(names(&component), ["component"]);
}

#[test]
fn an_instance_from_several_sources_has_an_edge_from_each() {
    let text = format!(
        r#"(component
            (import "h:h/i" (instance $host (export "f" (func (result u32)))))
            {}
            (component $Two
                (import "t:t/in" (instance $in (export "a" (func (result u32))) (export "b" (func (result u32)))))
                (core module $m) (core instance (instantiate $m)))
            (instance $s (instantiate $S))
            (alias export $s "s:s/out" (instance $out))
            (alias export $out "f" (func $a))
            (alias export $host "f" (func $b))
            (instance $mixed (export "a" (func $a)) (export "b" (func $b)))
            (instance $two (instantiate $Two (with "t:t/in" (instance $mixed)))))"#,
        source("S", "s:s/out"),
    );
    let component = read(&text);
    assert_eq!(
        edges(&component),
        [(1, "t:t/in", from_host("h:h/i")), (1, "t:t/in", from_part(0, "s:s/out"))]
    );
    assert_eq!(component.wanted_by("h:h/i")[0].name, "two");
}

#[test]
fn compositions_of_compositions_have_longer_paths() {
    let inner = format!(
        r#"(component $Inner
            (import "i:i/need" (instance $need (export "f" (func (result u32)))))
            {}
            (instance $worker (instantiate $W (with "w:w/in" (instance $need))))
            (export "i:i/give" (instance $worker "w:w/out")))"#,
        relay("W", "w:w/in", "w:w/out"),
    );
    let text = format!(
        r#"(component
            (import "h:h/i" {FACE})
            (alias export 0 "f" (func))
            {inner}
            {}
            (instance $deep (instantiate $Inner (with "i:i/need" (instance 0))))
            (instance $user (instantiate $U (with "u:u/in" (instance $deep "i:i/give"))))
            (export "x:x/y" (instance $user "u:u/out")))"#,
        relay("U", "u:u/in", "u:u/out"),
    );
    let component = read(&text);
    assert_eq!(names(&component), ["deep/worker", "user"]);
    assert_eq!(
        edges(&component),
        [(0, "w:w/in", from_host("h:h/i")), (1, "u:u/in", from_part(0, "w:w/out"))]
    );
    assert_eq!(component.wanted_by("h:h/i")[0].path, ["deep", "worker"]);
}

#[test]
fn outer_aliases_and_components_as_arguments_are_followed() {
    let text = format!(
        r#"(component
            {}
            (component $Maker
                (alias outer 1 $S (component $again))
                (instance $made (instantiate $again))
                (export "m:m/out" (instance $made "s:s/out")))
            (component $Generic
                (import "plug" (component $p (export "s:s/out" {FACE})))
                (instance $plugged (instantiate $p))
                (export "g:g/out" (instance $plugged "s:s/out")))
            (instance $maker (instantiate $Maker))
            (instance $generic (instantiate $Generic (with "plug" (component $S))))
            (export "x:x/y" (instance $generic "g:g/out")))"#,
        source("S", "s:s/out"),
    );
    let component = read(&text);
    assert_eq!(names(&component), ["maker/made", "generic/plugged"]);
    assert_eq!(component.outlets[0].from, [from_part(1, "s:s/out")]);
}

#[test]
fn imported_components_count_as_the_host() {
    let text = format!(
        r#"(component
            (import "locked-dep=<a:b>" (component $c (export "s:s/out" {FACE})))
            {}
            (instance $i (instantiate $c))
            (instance $r (instantiate $R (with "r:r/in" (instance $i "s:s/out")))))"#,
        relay("R", "r:r/in", "r:r/out"),
    );
    let component = read(&text);
    assert_eq!(names(&component), ["r"]);
    assert_eq!(component.wanted_by("locked-dep=<a:b>")[0].name, "r");
}

#[test]
fn types_ask_for_nothing_and_resources_do() {
    let component = read(
        r#"(component
            (type $u u32)
            (import "number" (type (eq $u)))
            (import "thing" (type (sub resource)))
            (export "again" (type $u)))"#,
    );
    assert_eq!(component.imports, ["thing"]);
    assert!(component.exports.is_empty());
}

#[test]
fn the_language_is_what_the_component_says_before_what_its_modules_say() {
    let text = r#"(component
        (core module $m (@producers (language "C11" "") (language "Rust" "")))
        (core instance (instantiate $m)) LANGUAGE)"#;
    let language = |own: &str| read(&text.replace("LANGUAGE", own)).parts[0].language.clone();
    assert_eq!(language("").as_deref(), Some("Rust"));
    assert_eq!(language(r#"(@producers (language "JavaScript" ""))"#).as_deref(), Some("JavaScript"));
    assert_eq!(language(r#"(@producers (processed-by "componentize-py" "1"))"#).as_deref(), Some("Python"));
}

#[test]
fn a_program_is_in_cpp_where_c_stands_beside_it() {
    let text = r#"(component
        (core module $m (@producers (language "C11" "") (language "C_plus_plus_14" "")))
        (core instance (instantiate $m)))"#;
    assert_eq!(read(text).parts[0].language.as_deref(), Some("C++"));
}

/// What wit-component puts beside a module of another language is its own work: whatever that is written in says nothing.
#[test]
fn an_adapter_says_nothing_about_the_language() {
    let text = r#"(component
        (core module $main MAIN)
        (core module $adapter (@name "wit-component:adapter:wasi_snapshot_preview1")
            (@producers (language "Rust" "") (processed-by "rustc" "1.75.0 (of a day)")))
        (core module $shim (@name "wit-component:shim") (@producers (processed-by "wit-component" "0.222.0")))
        (core instance (instantiate $adapter))
        (core instance (instantiate $main)))"#;
    let part = |main: &str| read(&text.replace("MAIN", main)).parts.remove(0);
    let cpp =
        part(r#"(@producers (language "C_plus_plus_14" "") (processed-by "clang" "18.1.2 (of a day)"))"#);
    assert_eq!(cpp.language.as_deref(), Some("C++"));
    let tools: Vec<&str> = cpp.toolchain.iter().map(|tool| tool.name.as_str()).collect();
    // They had a hand in it all the same.
    assert_eq!(tools, ["clang", "rustc", "wit-component"]);
    assert_eq!(part("").language, None);
    assert_eq!(part(r#"(@producers (language "Rust" ""))"#).language.as_deref(), Some("Rust"));
}

#[test]
fn a_draft_of_the_binary_format_is_named() {
    let mut bytes = wat::parse_str("(component)").expect("a component");
    bytes[4] = 0x0c;
    let error = anatomy::read(&bytes).expect_err("of the spring of 2023");
    assert!(matches!(error, ReadError::Draft { version: 0x0c }), "{error}");
    assert_eq!(
        error.to_string(),
        "this is a component in a draft of the binary format (version 0x0c): the one in use is 0x0d"
    );
}

#[test]
fn what_is_no_component_is_named() {
    let module = wat::parse_str("(module)").expect("a module");
    assert!(matches!(anatomy::read(&module), Err(ReadError::CoreModule)));
    assert!(matches!(anatomy::read(b"(component)"), Err(ReadError::Text)));
    assert!(matches!(anatomy::read("größer ".repeat(1000).as_bytes()), Err(ReadError::Text)));
    assert!(matches!(anatomy::read(b""), Err(ReadError::NotWasm)));
    assert!(matches!(anatomy::read(b"\x7fELF\0\0"), Err(ReadError::NotWasm)));
    let component = wat::parse_str("(component (import \"x\" (func)))").expect("a component");
    let error = anatomy::read(&component[..component.len() - 1]).expect_err("its end is missing");
    assert!(matches!(error, ReadError::Malformed { .. }), "{error}");
}

#[test]
fn an_index_that_leads_nowhere_is_refused() {
    // An instance section that instantiates component 5 of none.
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.extend([5, 4, 1, 0, 5, 0]);
    let error = anatomy::read(&bytes).expect_err("there is no such component");
    assert_eq!(error.to_string(), "at byte 10: there is no component with index 5");
}

#[test]
fn nesting_is_bounded() {
    // Each level is a component in a component, written from the inside out.
    let mut nested = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..200 {
        let mut outer = b"\0asm\x0d\0\x01\0\x04".to_vec();
        let (low, high) = ((nested.len() & 0x7f) as u8 | 0x80, (nested.len() >> 7) as u8);
        outer.extend([low, high]);
        outer.extend(&nested);
        nested = outer;
    }
    let error = anatomy::read(&nested).expect_err("200 levels");
    assert!(matches!(error, ReadError::TooDeep { what: "components", .. }), "{error}");

    // A million instance types in each other: enough to exhaust a stack.
    let body = [[0x42, 1, 1]; 1_000_000].concat();
    let mut bytes = b"\0asm\x0d\0\x01\0\x07".to_vec();
    let size = body.len() + 1;
    bytes.extend([
        (size & 0x7f) as u8 | 0x80,
        (size >> 7 & 0x7f) as u8 | 0x80,
        (size >> 14 & 0x7f) as u8 | 0x80,
    ]);
    bytes.extend([(size >> 21) as u8, 1]);
    bytes.extend(body);
    let error = anatomy::read(&bytes).expect_err("a million levels");
    assert!(matches!(error, ReadError::TooDeep { what: "types", .. }), "{error}");
}

#[test]
fn a_file_that_is_cut_off_is_refused_wherever_it_is() {
    let text =
        format!("(component (component $outer (core module $m) {}) (component))", source("S", "s:s/out"));
    let bytes = wat::parse_str(text).expect("text");
    anatomy::read(&bytes).expect("it is whole");
    // Between two sections of the whole it may well end: nothing says how many there are.
    let mut whole: Vec<usize> = vec![8];
    let mut inside = 0..0;
    for payload in wasmparser::Parser::new(0).parse_all(&bytes) {
        if let wasmparser::Payload::ComponentSection { unchecked_range, .. } = payload.expect("it is whole")
            && unchecked_range.start as usize >= inside.end
        {
            inside = unchecked_range.start as usize..unchecked_range.end as usize;
            whole.push(inside.end);
        }
    }
    for cut in 8..bytes.len() {
        let read = anatomy::read(&bytes[..cut]);
        assert_eq!(read.is_ok(), whole.contains(&cut), "cut off at {cut}: {read:?}");
    }
    let error = anatomy::read(&bytes[..whole[1] - 3]).expect_err("three bytes are missing");
    let said = "the file ends 3 bytes before the component that begins at byte ";
    assert!(error.to_string().starts_with(said), "{error}");
}

#[test]
fn what_is_said_to_be_there_takes_no_room_before_it_is() {
    // A start section that claims to give ten million values.
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.extend([9, 6, 0, 0, 0x80, 0xad, 0xe2, 4]);
    let error = anatomy::read(&bytes).expect_err("ten million values");
    assert!(error.to_string().contains("results size is out of bounds"), "{error}");
}

#[test]
fn a_name_that_would_steer_a_terminal_is_refused() {
    let mut bytes = wat::parse_str(r#"(component (import "a:b/c@1.0.0" (instance)))"#).expect("text");
    let version = bytes.windows(5).position(|window| window == b"1.0.0").expect("it is there");
    bytes[version] = 0x1b;
    let error = anatomy::read(&bytes).expect_err("an escape in a version");
    assert!(matches!(error, ReadError::Name { .. }), "{error}");
}

#[test]
fn no_more_is_kept_than_the_input_is_worth() {
    // Ten levels, each of which instantiates the one below it four times: a million parts of a small file.
    let mut text = "(component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
    for level in 1..10 {
        let four = format!("(instance (instantiate $c{}))", level - 1).repeat(4);
        text = format!("(component $c{level} {text} {four})");
    }
    let bytes = wat::parse_str(text).expect("text");
    let unlimited = Limits { parts: u32::MAX, steps: u32::MAX, ..Limits::default() };
    let error = anatomy::read_within(&bytes, &unlimited).expect_err("a million parts");
    let granted = 100_000 + 4 * bytes.len() as u32;
    let limited =
        matches!(error, ReadError::TooMany { what: "steps of instantiation", limit, .. } if limit == granted);
    assert!(limited, "{error}");
}

#[test]
fn work_that_grows_exponentially_is_bounded() {
    // Every level instantiates the one below it twice: 2^30 instances of a component without code.
    let mut text = "(component $c0 (type u32))".to_owned();
    for level in 1..30 {
        let below = level - 1;
        text = format!(
            "(component $c{level} {text} (instance (instantiate $c{below})) (instance (instantiate $c{below})))"
        );
    }
    let bytes = wat::parse_str(text).expect("text");
    let error = anatomy::read(&bytes).expect_err("2^30 instances");
    assert!(matches!(error, ReadError::TooMany { what: "steps of instantiation", .. }), "{error}");
}

#[test]
fn a_component_that_is_given_itself_ends() {
    // Not valid, since no type fits it, but it can be written: (omega omega).
    let text = r#"(component
        (component $omega
            (import "f" (component $f))
            (instance (instantiate $f (with "f" (component $f)))))
        (instance (instantiate $omega (with "f" (component $omega)))))"#;
    let bytes = wat::parse_str(text).expect("text");
    let error = anatomy::read(&bytes).expect_err("it never ends");
    assert!(matches!(error, ReadError::TooDeep { what: "instances", .. }), "{error}");
}

#[test]
fn each_limit_is_checked() {
    let text = format!(
        r#"(component {} (instance $a (instantiate $S)) (instance $b (instantiate $S)))"#,
        source("S", "s:s/out")
    );
    let bytes = wat::parse_str(text).expect("text");
    let refused = |limits: Limits| anatomy::read_within(&bytes, &limits).expect_err("beyond the limit");
    let default = Limits::default;
    assert!(matches!(refused(Limits { bytes: 20, ..default() }), ReadError::TooLarge { limit: 20, .. }));
    assert!(matches!(refused(Limits { component_depth: 0, ..default() }), ReadError::TooDeep { .. }));
    assert!(matches!(refused(Limits { definitions: 1, ..default() }), ReadError::TooMany { .. }));
    assert!(matches!(refused(Limits { items: 1, ..default() }), ReadError::TooMany { .. }));
    assert!(matches!(refused(Limits { parts: 1, ..default() }), ReadError::TooMany { .. }));
    assert!(matches!(refused(Limits { steps: 1, ..default() }), ReadError::TooMany { .. }));
}

#[test]
fn imports_and_exports_with_a_name_of_their_own_say_what_they_implement() {
    let component = read(&format!(
        r#"(component
            (import "main" (implements "a:b/queue@1.0.0") {FACE})
            (import "spare" (implements "a:b/queue@1.0.0") (instance $spare (export "f" (func (result u32)))))
            (import "a:b/queue@1.0.0" {FACE})
            (export "again" (implements "a:b/queue@1.0.0") (instance $spare)))"#
    ));
    assert_eq!(component.imports, ["main", "spare", "a:b/queue@1.0.0"]);
    let implements = &component.implements;
    assert_eq!(implements.imported("main"), "a:b/queue@1.0.0");
    assert_eq!(implements.import("spare"), "spare: a:b/queue@1.0.0");
    assert_eq!(implements.import("a:b/queue@1.0.0"), "a:b/queue@1.0.0");
    assert_eq!(implements.export("again"), "again: a:b/queue@1.0.0");
    assert!(!implements.is_empty());
    assert!(read("(component)").implements.is_empty());
}

#[test]
fn of_bytes_that_cannot_be_read_it_is_told_which_tools_made_them() {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    let producers = b"\x09producers\x01\x0cprocessed-by\x01\x0dwit-component\x079.9.9.9";
    bytes.extend([0, producers.len() as u8]);
    bytes.extend(producers);
    assert_eq!(anatomy::made_by(&bytes).as_deref(), Some("wit-component 9.9.9.9"));
    // An alias of a sort that is not given out, and a section.
    for unknown in [&[6, 2, 1, 0x7e][..], &[0x5e, 0]] {
        let bytes = [&bytes, unknown].concat();
        let error = anatomy::read(&bytes).unwrap_err();
        assert_eq!(error.made_by(), Some("wit-component 9.9.9.9"), "{error}");
    }
    assert_eq!(anatomy::made_by(b"\0asm\x0d\0\x01\0"), None);
    assert_eq!(anatomy::made_by(b"text"), None);
}
