//! Files that look like components, and cannot be used as such: what each command says of them.

use std::fs;

use crate::common::{answers, component, composer, said};
use tempfile::TempDir;

/// What each command is to be called with.
const COMMANDS: [&[&str]; 7] = [
    &["inspect", "it.wasm"],
    &["wit", "it.wasm"],
    &["check", "it.wasm", "it.wasm"],
    &["compose", "it.wasm", "-o", "out.wasm"],
    &["deny", "it.wasm", "wasi:io/*", "-o", "out.wasm"],
    &["decompose", "it.wasm", "-o", "out"],
    &["graph", "it.wasm"],
];

fn directory(bytes: &[u8]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("it.wasm"), bytes).expect("a file");
    directory
}

/// Drafts of the format counted up to the version that is in use.
#[test]
fn a_draft_of_the_binary_format_is_not_called_damaged() {
    let mut bytes = answers(42);
    bytes[4] = 0x0c;
    let directory = directory(&bytes);
    for command in COMMANDS {
        let words = "  × `it.wasm` cannot be read as a component\n  ╰─▶ this is a component in a draft of the binary format \
                     (version 0x0c): the one in use is 0x0d\n  help: no engine of today takes it either: build it again with \
                     a current toolchain\n";
        assert_eq!(said(directory.path(), command), (3, words.to_owned()), "{command:?}");
    }
}

/// Release candidates of WASI 0.3 lifted functions with `async` whatever their types. What was made then is neither cut off nor
/// damaged.
#[test]
fn what_older_rules_allowed_is_not_only_called_damaged() {
    let directory = directory(&component(
        r#"(component
            (core module $m
                (func (export "f") (result i32) i32.const 0)
                (func (export "callback") (param i32 i32 i32) (result i32) i32.const 0))
            (core instance $i (instantiate $m))
            (func (export "f") (canon lift (core func $i "f") async (callback (func $i "callback")))))"#,
    ));
    for command in &COMMANDS[1..6] {
        let (code, words) = said(directory.path(), command);
        assert_eq!(code, 3, "{command:?}: {words}");
        assert!(words.contains("the `async` canonical option requires an async function type"), "{words}");
        assert!(words.contains("was made by the rules of a draft that are others now"), "{words}");
        assert!(words.contains("build it again with a current toolchain"), "{words}");
    }
    // What is written in it can be shown all the same.
    for command in [COMMANDS[0], COMMANDS[6]] {
        assert_eq!(composer(directory.path(), command).status.code(), Some(0), "{command:?}");
    }
}

#[test]
fn a_wit_package_is_called_one() {
    let mut resolve = wit_parser::Resolve::default();
    let text =
        "package example:clock@1.0.0;\ninterface now { seconds: func() -> u64; }\nworld w { import now; }\n";
    let package = resolve.push_source("clock.wit", text).expect("it is WIT");
    let directory = directory(&wit_component::encode(&resolve, package).expect("it is encoded"));
    let refused = [
        (2, 3, "it is a WIT package: it has types, and nothing that runs", "`--world FILE.wit#WORLD`"),
        (
            3,
            3,
            "it is a WIT package: it has types, and nothing that runs",
            "give the component that implements it",
        ),
        (
            4,
            3,
            "it is a WIT package: it has types, and nothing that runs",
            "give the component that implements it",
        ),
        (5, 1, "it is no composition of components that it holds: it is a WIT package", "composer inspect"),
        (6, 3, "is a WIT package: there is nothing to draw", "composer inspect"),
    ];
    for (command, exit, cause, help) in refused {
        let (code, words) = said(directory.path(), COMMANDS[command]);
        assert_eq!(code, exit, "{words}");
        assert!(words.contains("`it.wasm`") && words.contains(cause) && words.contains(help), "{words}");
    }
    for command in [COMMANDS[0], COMMANDS[1]] {
        assert_eq!(composer(directory.path(), command).status.code(), Some(0), "{command:?}");
    }
}

/// What newer tools write is unknown to the parser, as damage is.
#[test]
fn a_newer_toolchain_is_named_where_the_file_says_which() {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    let producers = b"\x09producers\x01\x0cprocessed-by\x01\x0dwit-component\x079.9.9.9";
    bytes.extend([0, producers.len() as u8]);
    bytes.extend(producers);
    // A canonical function of a kind that is not given out.
    bytes.extend([8, 2, 1, 0x7e]);
    let directory = directory(&bytes);
    for command in COMMANDS {
        let (code, words) = said(directory.path(), command);
        assert_eq!(code, 3, "{command:?}: {words}");
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let named =
            "or it was made by a newer toolchain than this composer knows: it names wit-component 9.9.9.9";
        assert!(words.contains(named), "{command:?}: {words}");
    }
}

#[test]
fn a_core_module_that_cannot_be_read_may_be_of_a_newer_toolchain() {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    // A section of a kind that is not given out.
    bytes.extend([0x6e, 1, 0]);
    let directory = directory(&bytes);
    let (code, words) = said(directory.path(), &["componentize", "it.wasm", "-o", "out.wasm"]);
    assert_eq!(code, 3);
    assert!(words.contains("or it was made by a newer toolchain than this composer knows"), "{words}");
}
