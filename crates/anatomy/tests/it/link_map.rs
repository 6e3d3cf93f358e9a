//! Link maps that are honest, and all the ways in which they are not.

use anatomy::link_map::{self, Lie, LinkMap, LinkMapError, SECTION};
use anatomy::{Component, Limits, ReadError};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Three parts, one of them within an embedded composition, and a host.
fn composition() -> Vec<u8> {
    let part = |name: &str, import: &str, export: &str| {
        format!(
            r#"(component ${name}
                (import "{import}" (instance $in (export "f" (func (result u32)))))
                (core func $f (canon lower (func $in "f")))
                (core module $m
                    (import "" "f" (func $f (result i32)))
                    (export "g" (func $f))
                    (@producers (language "Rust" "") (processed-by "rustc" "1.0.0 (of a commit)")))
                (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
                (func $g (result u32) (canon lift (core func $i "g")))
                (instance $out (export "f" (func $g)))
                (export "{export}" (instance $out)))"#
        )
    };
    let text = format!(
        r#"(component
            (import "host:a/b" (instance $host (export "f" (func (result u32)))))
            {}
            (component $Inner
                (import "test:a/out" (instance $in (export "f" (func (result u32)))))
                {}
                (instance $deep (instantiate $B (with "test:b/in" (instance $in))))
                (export "test:b/out" (instance $deep "test:b/out")))
            {}
            (instance $a (instantiate $A (with "test:a/in" (instance $host))))
            (instance $inner (instantiate $Inner (with "test:a/out" (instance $a "test:a/out"))))
            (instance $c (instantiate $C (with "test:c/in" (instance $inner "test:b/out"))))
            (export "test:c/out" (instance $c "test:c/out")))"#,
        part("A", "test:a/in", "test:a/out"),
        part("B", "test:b/in", "test:b/out"),
        part("C", "test:c/in", "test:c/out"),
    );
    let bytes = wat::parse_str(text).expect("the test's own text parses");
    wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
        .validate_all(&bytes)
        .expect("the test's own component is valid");
    bytes
}

/// Adds a link map with this content.
fn with(mut bytes: Vec<u8>, content: &[u8]) -> Vec<u8> {
    let mut body = vec![SECTION.len() as u8];
    body.extend(SECTION.as_bytes());
    body.extend(content);
    bytes.push(0);
    let mut size = body.len();
    while size >= 0x80 {
        bytes.push(size as u8 & 0x7f | 0x80);
        size >>= 7;
    }
    bytes.push(size as u8);
    bytes.extend(body);
    bytes
}

fn anatomy_of(bytes: &[u8]) -> Component {
    anatomy::read(bytes).expect("a component")
}

/// The honest map, as JSON.
fn honest() -> Value {
    serde_json::to_value(LinkMap::recover(&anatomy_of(&composition()))).expect("JSON")
}

fn read(map: &Value) -> Result<Option<LinkMap>, LinkMapError> {
    let bytes = with(composition(), map.to_string().as_bytes());
    link_map::read(&bytes, &anatomy_of(&bytes))
}

/// What is wrong with the honest map after a change, in words.
fn lies(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut map = honest();
    change(&mut map);
    match read(&map) {
        Err(LinkMapError::Lies(lies)) => lies.iter().map(ToString::to_string).collect(),
        other => panic!("not refused for lies: {other:?}"),
    }
}

#[test]
fn where_there_is_no_map_the_binary_tells_the_same() {
    let bytes = composition();
    assert!(link_map::read(&bytes, &anatomy_of(&bytes)).expect("nothing to refuse").is_none());

    let map = LinkMap::recover(&anatomy_of(&bytes));
    let paths: Vec<String> = map.parts.iter().map(|part| part.path.join("/")).collect();
    assert_eq!(paths, ["a", "inner/deep", "c"]);
    assert_eq!(map.compositions[0].path, ["inner"]);
    assert_eq!(map.parts[0].language.as_deref(), Some("Rust"));
    assert_eq!((&*map.parts[0].toolchain[0].name, &*map.parts[0].toolchain[0].version), ("rustc", "1.0.0"));
    assert_eq!(read(&honest()).expect("an honest map"), Some(map));
}

#[test]
fn origins_are_kept_and_what_is_not_known_is_passed_over() {
    let mut map = honest();
    map["parts"][0]["origin"] = json!({"package": "parts:a", "file": "a.wasm", "later": true});
    map["from-a-later-minor-version"] = json!([1, 2, 3]);
    let map = read(&map).expect("an honest map").expect("there is one");
    let origin = map.parts[0].origin.as_ref().expect("it was written down");
    assert_eq!((&*origin.package, origin.file.as_deref()), ("parts:a", Some("a.wasm")));
}

#[test]
fn a_wrong_digest_is_found() {
    let zeros = "0".repeat(64);
    for (list, index, path) in [("parts", 1, "inner/deep"), ("compositions", 0, "inner")] {
        let found = honest()[list][index]["digest"].as_str().expect("a digest").to_owned();
        let told = lies(|map| map[list][index]["digest"] = json!(zeros));
        assert_eq!(told, [format!("`{path}` has the digest {found}, and not {zeros}")]);
    }
}

#[test]
fn parts_that_are_left_out_or_invented_are_found() {
    let told = lies(|map| {
        map["parts"].as_array_mut().expect("a list").pop();
    });
    assert_eq!(told[0], "it leaves `c` out");

    let told = lies(|map| {
        let mut ghost = map["parts"][0].clone();
        ghost["path"] = json!(["ghost\u{1b}[2J"]);
        map["parts"].as_array_mut().expect("a list").push(ghost);
    });
    assert_eq!(told, ["there is no `ghost\u{fffd}[2J`"]);

    let told = lies(|map| map["compositions"] = json!([]));
    assert_eq!(told, ["it leaves `inner` out"]);
}

#[test]
fn other_names_and_languages_are_found() {
    assert_eq!(lies(|map| map["parts"][2]["path"] = json!(["d"])), ["what it calls `d` is `c`"]);
    assert_eq!(lies(|map| map["parts"][2]["language"] = json!("Zig")), ["`c` is in Rust, and not in Zig"]);
    let mut silent = honest();
    silent["parts"][2]["language"] = json!(null);
    assert!(read(&silent).is_ok(), "who says nothing does not lie");
}

#[test]
fn wrong_wires_are_found_from_both_sides() {
    let told = lies(|map| map["edges"][1]["from"] = json!({"kind": "host", "import": "host:a/b"}));
    assert_eq!(
        told,
        [
            "it has `test:b/in` of `inner/deep` satisfied by the host's `host:a/b`, which is not so",
            "it leaves out `test:b/in` of `inner/deep` satisfied by `test:a/out` of `a`",
        ]
    );
    // An index beyond all parts is nothing that anything is looked up by.
    let told = lies(|map| map["edges"][0]["part"] = json!(u32::MAX));
    assert_eq!(
        told,
        [
            "it has `test:a/in` of `part 4294967295` satisfied by the host's `host:a/b`, which is not so",
            "it leaves out `test:a/in` of `a` satisfied by the host's `host:a/b`",
        ]
    );
    let told = lies(|map| map["outlets"][0]["from"] = json!([]));
    assert_eq!(told, ["something else stands behind the export `test:c/out`"]);
}

#[test]
fn a_map_of_the_future_is_not_guessed_at() {
    for format in [2, u64::from(u32::MAX) + 2] {
        let error = read(&json!({"format": format, "parts": "told in another way"})).expect_err("the future");
        assert!(matches!(error, LinkMapError::Format(found) if found == format), "{error}");
    }
}

#[test]
fn what_is_no_map_is_refused() {
    let text = honest().to_string();
    let deep = format!("{{\"format\":1,\"parts\":{}", "[".repeat(100_000));
    let cut = &text[..text.len() - 1];
    for content in
        [b"" as &[u8], b"{}", b"[1]", b"\xff\xfe", b"{\"format\":-1}", cut.as_bytes(), deep.as_bytes()]
    {
        let bytes = with(composition(), content);
        let error = link_map::read(&bytes, &anatomy_of(&bytes)).expect_err("no map");
        assert!(matches!(error, LinkMapError::Malformed(_)), "{error}");
    }
}

#[test]
fn a_section_that_ends_too_early_is_no_component() {
    let bytes = with(composition(), honest().to_string().as_bytes());
    let error = anatomy::read(&bytes[..bytes.len() - 1]).expect_err("it ends too early");
    assert!(matches!(error, ReadError::Malformed { .. }), "{error}");
}

#[test]
fn two_maps_are_one_too_many() {
    let content = honest().to_string();
    let bytes = with(with(composition(), content.as_bytes()), content.as_bytes());
    let error = link_map::read(&bytes, &anatomy_of(&bytes)).expect_err("two maps");
    assert!(matches!(error, LinkMapError::Twice), "{error}");
}

#[test]
fn a_huge_map_is_refused_before_it_is_parsed() {
    let bytes = with(composition(), &b" ".repeat((8 << 20) + 1));
    let error = link_map::read(&bytes, &anatomy_of(&bytes)).expect_err("beyond the limit");
    assert_eq!(error.to_string(), "the link map has 8388609 bytes, where the limit is 8388608");

    let bytes = with(composition(), honest().to_string().as_bytes());
    let strict = Limits { link_map: 100, ..Limits::default() };
    let error = link_map::read_within(&bytes, &anatomy_of(&bytes), &strict).expect_err("beyond the limit");
    assert!(matches!(error, LinkMapError::TooLarge { limit: 100, .. }), "{error}");
}

#[test]
fn only_so_many_lies_are_told() {
    let told = lies(|map| map["parts"] = json!(vec![map["parts"][0].clone(); 10_000]));
    assert_eq!(told.len(), 100);
}

#[test]
fn a_map_within_a_part_is_not_that_of_the_whole() {
    let inner = with(
        wat::parse_str("(component (core module $m) (core instance (instantiate $m)))").expect("text"),
        b"no map",
    );
    // The part as a section of a component without anything else but an instance of it.
    let mut whole = b"\0asm\x0d\0\x01\0\x04".to_vec();
    whole.push(u8::try_from(inner.len()).expect("it is small"));
    whole.extend(inner);
    whole.extend([5, 4, 1, 0, 0, 0]);
    let component = anatomy_of(&whole);
    assert!(component.is_composition());
    assert!(link_map::read(&whole, &component).expect("nothing to refuse").is_none());
}

#[test]
fn what_is_no_composition_has_nothing_in_its_map() {
    let plain =
        wat::parse_str("(component (core module $m) (core instance (instantiate $m)))").expect("text");
    let empty = LinkMap::recover(&anatomy_of(&plain));
    assert!(empty.parts.is_empty());
    let bytes = with(plain.clone(), &empty.to_bytes());
    assert_eq!(link_map::read(&bytes, &anatomy_of(&bytes)).expect("an honest map"), Some(empty));

    let bytes = with(plain, honest().to_string().as_bytes());
    let error = link_map::read(&bytes, &anatomy_of(&bytes)).expect_err("a map of something else");
    assert!(matches!(&error, LinkMapError::Lies(lies) if matches!(lies[0], Lie::Invented { .. })), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changes_of_a_map_are_found_or_are_none(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut content = honest().to_string().into_bytes();
        let place = place.index(content.len());
        content[place] = byte;
        let bytes = with(composition(), &content);
        let component = anatomy_of(&bytes);
        if let Ok(Some(map)) = link_map::read(&bytes, &component) {
            let truth = LinkMap::recover(&component);
            // Only what the binary does not tell for certain may differ.
            prop_assert_eq!(&map.edges, &truth.edges);
            prop_assert_eq!(&map.outlets, &truth.outlets);
            for (said, found) in map.parts.iter().zip(&truth.parts) {
                prop_assert_eq!((&said.path, &said.digest), (&found.path, &found.digest));
            }
        }
    }
}
