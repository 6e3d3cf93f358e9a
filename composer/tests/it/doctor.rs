//! `composer doctor`: each rule on facts that break it and on such that just do not, and the command on files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::common::{answers, component, composer};
use composer::componentize::{Origin, sign};
use composer::doctor::{Built, Facts, Package, Pin, RULES, Severity, State, Tool, examine, making};

fn tool(name: &str, version: Option<&str>) -> Facts {
    let tool = Tool {
        name: name.to_owned(),
        version: version.map(ToOwned::to_owned),
        wanted_by: vec!["mine".to_owned()],
    };
    Facts { tools: vec![tool], ..Facts::default() }
}

fn pins(facts: Facts, pins: &[(&str, &str)]) -> Facts {
    let pin = |(name, version): &(&str, &str)| Pin {
        name: (*name).to_owned(),
        version: (*version).to_owned(),
        file: "lock".to_owned(),
    };
    Facts { pins: pins.iter().map(pin).collect(), ..facts }
}

fn rust(wanted: &str, found: &str) -> Facts {
    Facts { rust_version: Some(wanted.to_owned()), ..tool("rustc", Some(found)) }
}

fn package(version: Option<&str>, locked: Option<&str>) -> Facts {
    let own = |text: Option<&str>| text.map(ToOwned::to_owned);
    let package = Package { name: "wasi:io".to_owned(), version: own(version), locked: own(locked) };
    Facts { packages: vec![package], ..Facts::default() }
}

fn speaking(interfaces: &[&str]) -> Facts {
    let built = |(index, interface): (usize, &&str)| Built {
        name: format!("part-{index}"),
        imports: vec![(*interface).to_owned()],
        ..Built::default()
    };
    Facts { components: interfaces.iter().enumerate().map(built).collect(), ..Facts::default() }
}

fn made(tool: &str, version: &str) -> Facts {
    let made_by = vec![(tool.to_owned(), version.to_owned())];
    Facts {
        components: vec![Built { name: "mine".to_owned(), made_by, ..Built::default() }],
        ..Facts::default()
    }
}

fn engine(mut facts: Facts) -> Facts {
    facts.components[0].language = Some("JavaScript".to_owned());
    facts
}

fn adapted(language: &str) -> Facts {
    let built = Built {
        name: "mine".to_owned(),
        language: Some(language.to_owned()),
        adapters: vec!["wasi_snapshot_preview1".to_owned()],
        ..Built::default()
    };
    Facts { components: vec![built], ..Facts::default() }
}

fn state(state: State) -> Facts {
    Facts {
        components: vec![Built { name: "mine".to_owned(), state, ..Built::default() }],
        ..Facts::default()
    }
}

/// Facts that break one rule and no other: the rule, and a piece of what is found.
fn breaches() -> Vec<(Facts, &'static str, &'static str)> {
    vec![
        (tool("node", None), "missing-tool", "node is not there; mine cannot do without it"),
        (tool("wasm32-unknown-unknown", None), "missing-tool", "wasm32-unknown-unknown is not there"),
        (tool("node", Some("18.20.4")), "old-node", "node is 18.20.4, and 20.0.0 is the oldest that will do"),
        (rust("1.95", "1.94.1"), "old-rust", "rustc is 1.94.1, and 1.95.0 is the oldest"),
        (
            pins(Facts::default(), &[("wasmtime", "48.0.8"), ("wasmtime-wasi", "47.0.0")]),
            "engine-split",
            "lock has wasmtime 48.0.8, wasmtime-wasi 47.0.0",
        ),
        (
            package(Some("0.2.3"), Some("0.2.12")),
            "contract-differs-from-lock",
            "there in 0.2.3, and its lock says 0.2.12",
        ),
        (
            speaking(&["wasi:keyvalue/store@0.2.0-draft", "wasi:keyvalue/atomics@0.2.0-draft2"]),
            "versions-apart",
            "wasi:keyvalue is spoken in 0.2.0-draft (part-0) and 0.2.0-draft2 (part-1)",
        ),
        (
            speaking(&["wasi:io/streams@0.2.3", "wasi:io/poll@0.3.0"]),
            "versions-apart",
            "0.2.3 (part-0) and 0.3.0 (part-1)",
        ),
        (speaking(&["a:b/c@1.9.0", "a:b/c@2.0.0"]), "versions-apart", "a:b is spoken in 1.9.0"),
        (speaking(&["a:b/c@0.0.1", "a:b/c@0.0.2"]), "versions-apart", "a:b is spoken in 0.0.1"),
        (
            speaking(&["wasi:io/streams@0.2.3", "wasi:io/poll@0.2.12"]),
            "patches-mixed",
            "0.2.3 (part-0) and 0.2.12 (part-1)",
        ),
        (
            pins(tool("componentize-js", Some("0.22.0")), &[("@bytecodealliance/componentize-js", "0.23.0")]),
            "installed-differs-from-lock",
            "componentize-js is installed in 0.22.0, and lock says 0.23.0",
        ),
        (
            made("wit-bindgen-rust", "0.41.0"),
            "older-wit-bindgen",
            "mine has bindings of wit-bindgen-rust 0.41.0",
        ),
        (made("cargo-component", "0.21.1"), "cargo-component", "mine was built by cargo-component 0.21.1"),
        (adapted("Rust"), "adapter", "mine was built with an adapter for wasi_snapshot_preview1"),
        (state(State::Stale), "stale", "mine: older than sources"),
        (state(State::Missing), "stale", "mine: not built"),
    ]
}

#[test]
fn each_rule_is_broken_by_its_facts_alone() {
    let mut seen = BTreeSet::new();
    for (facts, rule, found) in breaches() {
        let findings = examine(&facts);
        let rules: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, [rule], "{findings:?}");
        assert!(findings[0].found.contains(found), "{:?}", findings[0]);
        assert!(!findings[0].breaks.is_empty() && !findings[0].cure.is_empty());
        seen.insert(rule);
    }
    assert_eq!(
        seen,
        RULES.iter().map(|rule| rule.name).collect(),
        "a rule has no case here, or two have one name"
    );
}

#[test]
fn what_goes_together_is_left_in_peace() {
    for facts in [
        tool("node", Some("20.0.0")),
        tool("wasm32-unknown-unknown", Some("")),
        tool("node", Some("an odd answer")),
        rust("1.95", "1.95.0"),
        rust("1.95", "1.96.0-nightly"),
        pins(Facts::default(), &[("wasmtime", "48.0.8"), ("wasmtime-wasi", "48.0.8")]),
        package(Some("0.2.12"), Some("0.2.12")),
        package(Some("0.2.12"), None),
        speaking(&["wasi:io/streams@0.2.3", "wasi:io/poll@0.2.3"]),
        speaking(&["a:b/c@1.0.0", "a:d/c@2.0.0", "a:b/c", "odd@version"]),
        pins(tool("ziglang", Some("0.17.0")), &[("ziglang", "0.17.0")]),
        made("wit-bindgen-rust", "0.61.0"),
        made("wit-bindgen-rust", "0.70.0"),
        made("wit-bindgen-rust", ""),
        engine(made("wit-bindgen-c", "0.52.0")),
        adapted("Python"),
        state(State::Fresh),
        state(State::Unknown),
    ] {
        assert_eq!(examine(&facts), [], "{facts:?}");
    }
}

#[test]
fn the_worst_comes_first() {
    let mut facts = speaking(&["a:b/c@1.0.0", "a:b/c@1.1.0", "d:e/f@1.0.0", "d:e/f@2.0.0"]);
    facts.components[0].state = State::Stale;
    let severities: Vec<_> = examine(&facts).iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Broken, Severity::Drift, Severity::Note]);
}

#[test]
fn a_component_says_what_made_it_however_deep_inside() {
    let origin =
        Origin { language: "Zig".to_owned(), tool: ("zig".to_owned(), "0.17.0 (of a day)".to_owned()) };
    let inner = sign(&answers(1), &origin).expect("a component");
    let found = making(&inner).expect("WebAssembly");
    assert_eq!(found.tools, [("zig".to_owned(), "0.17.0".to_owned())]);
    let adapted =
        component("(component (component (core module $\"wit-component:adapter:wasi_snapshot_preview1\")))");
    assert_eq!(making(&adapted).expect("WebAssembly").adapters, ["wasi_snapshot_preview1"]);
    assert!(making(b"no component").is_err());
}

/// A component that asks for one interface.
fn asks(interface: &str) -> Vec<u8> {
    component(&format!("(component (import \"{interface}\" (instance (export \"f\" (func)))))"))
}

fn doctor(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = composer(directory, &[&["doctor"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("it was not killed"), text(output.stdout), text(output.stderr))
}

#[test]
fn files_are_looked_at_without_a_project() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).expect("a file");
    write("old.wasm", &asks("wasi:keyvalue/store@0.2.0-draft"));
    write("new.wasm", &asks("wasi:keyvalue/store@0.2.0-draft2"));
    write("text.wasm", b"text");

    let (code, printed, said) = doctor(directory.path(), &["old.wasm"]);
    assert_eq!((code, said.as_str()), (0, ""));
    assert_eq!(printed, "components\n  old.wasm  unknown\n\nnothing is wrong\n");

    let (code, printed, said) = doctor(directory.path(), &["old.wasm", "new.wasm"]);
    assert_eq!((code, said.as_str()), (1, "  × something is broken\n"));
    let expected = "\nbroken: wasi:keyvalue is spoken in 0.2.0-draft (old.wasm) and 0.2.0-draft2 (new.wasm) (versions-apart)\n  breaks: ";
    assert!(printed.contains(expected), "{printed}");

    let (code, printed, _) = doctor(directory.path(), &["--json", "old.wasm", "new.wasm"]);
    let json: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(code, 1);
    assert_eq!(json["findings"][0]["rule"], "versions-apart");
    assert_eq!(json["findings"][0]["severity"], "broken");
    assert_eq!(json["facts"]["components"][1]["name"], "new.wasm");

    let (code, _, said) = doctor(directory.path(), &["text.wasm"]);
    assert!(code == 3 && said.contains("`text.wasm` is text, not a component"), "{said}");
    let (code, _, said) = doctor(directory.path(), &[]);
    assert!(code == 3 && said.contains("name the components that are to be looked at"), "{said}");
}

#[test]
fn a_project_is_looked_at_with_its_tools_and_locks() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, content: &str| {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        fs::write(path, content).expect("a file");
    };
    write(
        "interlock.toml",
        "[project]\nwit = \"wit\"\nout = \"out\"\n[tools]\npython = \"venv\"\n\
         [components.mine]\nlanguage = \"python\"\npath = \"mine\"\nworld = \"w\"\n",
    );
    write("wit/w.wit", "package a:b@1.0.0; world w { export f: func(); }");
    write("wit/deps.lock", "[[package]]\nname = \"a:b\"\nversion = \"1.0.1\"\n");
    write("mine/app.py", "");
    write("tools/requirements.txt", "# pinned\ncomponentize-py==1.1 \\\n    --hash=sha256:00\n");
    write("venv/lib/python3/site-packages/componentize_py-1.0.dist-info/METADATA", "");
    let (code, printed, _) = doctor(directory.path(), &[]);
    assert_eq!(code, 1, "{printed}");
    for line in [
        "tools\n  componentize-py  1.0         for mine\n",
        "locked\n  componentize-py  1.1         tools/requirements.txt\n",
        "contracts\n  a:b  1.0.0\n",
        "components\n  mine  not built\n",
        "\nbroken: a:b is there in 1.0.0, and its lock says 1.0.1 (contract-differs-from-lock)\n",
        "\ndrift: componentize-py is installed in 1.0, and tools/requirements.txt says 1.1 (installed-differs-from-lock)\n",
        "\ndrift: mine: not built (stale)\n",
        "  cure: `composer build mine`\n",
    ] {
        assert!(printed.contains(line), "no {line:?} in\n{printed}");
    }
}
