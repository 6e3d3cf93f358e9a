//! What programs read with `--json`: how a command ended, what it made, and why it made nothing.

use std::fs;
use std::path::Path;

use crate::common::{answers, component, composer, directory, doubles, links, said, shell};
use check::Class;
use composer::lock::Digest;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What a command prints for programs, and its exit code.
fn told(directory: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = composer(directory, &[arguments, &["--json"]].concat());
    let code = output.status.code().expect("it was not killed");
    // What went wrong is told to people all the same.
    assert_eq!(
        code != 0,
        output.stderr.windows(3).any(|bytes| bytes == "×".as_bytes() || bytes.starts_with("×".as_bytes()))
    );
    let value: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(value["format"], 1);
    assert_eq!(value["error"].is_null(), code == 0, "{value:#}");
    (code, value)
}

fn bag() -> TempDir {
    directory(&[
        ("top.wasm", &links("top", &["t:i/base", "wasi:io/poll@0.2.0"], &["t:i/top"])),
        ("base.wasm", &links("base", &[], &["t:i/base@1.0.0", "t:i/base"])),
        ("rival.wasm", &links("rival", &[], &["t:i/base"])),
    ])
}

#[test]
fn a_composition_of_a_bag_is_told() {
    let directory = bag();
    let at = directory.path();
    let compose = ["compose", "top.wasm", "base.wasm", "-o", "whole.wasm"];
    let (code, told_) = told(at, &[&compose[..], &["--emit-wac", "whole.wac"]].concat());
    assert_eq!(code, 0);
    let whole = fs::read(at.join("whole.wasm")).expect("it was written");
    assert_eq!(
        told_["output"],
        json!({ "file": "whole.wasm", "bytes": whole.len(), "digest": Digest::of(&whole).to_string() })
    );
    let wire = json!({ "part": "top", "import": "t:i/base", "from": "base", "export": "t:i/base" });
    assert_eq!(told_["wired"], json!([wire]));
    assert_eq!(told_["host"], json!(["wasi:io/poll@0.2.0"]));
    assert_eq!(told_["exports"], json!(["t:i/base@1.0.0", "t:i/top"]));
    assert_eq!(told_["unused"], json!([]));
    assert_eq!(told_["wrote"], json!(["whole.wac", "whole.contract.wit"]));
    let command = told_["command"].as_str().expect("a command");
    assert_eq!(shell(at, command), (0, String::new()));
    assert_eq!(fs::read(at.join("again.wasm")).expect("it was written"), whole);

    // The text alone.
    let (_, told_) = told(at, &["compose", "top.wasm", "base.wasm", "--emit-wac", "other.wac"]);
    assert_eq!(told_["output"], Value::Null);
    assert_eq!(told_["wired"], json!([wire]));
}

#[test]
fn what_was_left_out_of_a_bag_is_told() {
    let directory = bag();
    let at = directory.path();
    let wishes = ["--wire", "top=rival", "--export", "t:i/top"];
    let (_, told) = told(at, &[&["compose", ".", "-o", "whole.wasm"], &wishes[..]].concat());
    assert_eq!(told["unused"], json!(["base"]));
    assert_eq!(told["wired"][0]["from"], "rival");
    assert_eq!(told["command"], Value::Null);
}

const TEXT: &str = "package a:b;\nlet s = new parts:s {};\nlet d = new parts:d { answer: s[\"answer\"] };\nexport d[\"doubled\"];\n";

#[test]
fn a_composition_of_a_text_is_told() {
    let directory =
        directory(&[("whole.wac", TEXT.as_bytes()), ("s.wasm", &answers(21)), ("d.wasm", &doubles())]);
    let compose = ["compose", "whole.wac", "-o", "whole.wasm", "-d", "s=s.wasm", "-d", "d=d.wasm"];
    let (code, told) = told(directory.path(), &compose);
    assert_eq!(code, 0);
    let wire = json!({ "part": "d", "import": "answer", "from": "s", "export": "answer" });
    assert_eq!((&told["wired"], &told["host"]), (&json!([wire]), &json!([])));
    assert_eq!(told["exports"], json!(["doubled"]));
    assert_eq!(told["output"]["file"], "whole.wasm");
}

#[test]
fn why_there_is_no_composition_is_told() {
    let directory = bag();
    let at = directory.path();
    fs::write(at.join("core.wasm"), component("(module)")).expect("a file");
    fs::write(at.join("wrong.wac"), "package a:b;\n\nlet s == 1;\n").expect("a file");
    fs::write(at.join("whole.wac"), TEXT).expect("a file");
    let classed = |arguments: &[&str]| {
        let (code, told) = told(at, &[&["compose", "-o", "whole.wasm"], arguments].concat());
        assert_eq!(told["output"], Value::Null);
        (code, told["error"]["class"].as_str().expect("a class").to_owned(), told["error"].clone())
    };
    let (code, class, error) = classed(&["top.wasm", "base.wasm", "rival.wasm"]);
    assert_eq!((code, class.as_str()), (1, "ambiguous"));
    assert!(
        error["message"].as_str().is_some_and(|words| words.contains("2 parts export: `base`, `rival`")),
        "{error}"
    );
    assert!(
        error["help"].as_str().is_some_and(|words| words.contains("--wire top.t:i/base=rival")),
        "{error}"
    );
    assert_eq!(error["causes"], json!([]));
    assert_eq!(error["place"], Value::Null);
    for (arguments, code, class) in [
        (&["top.wasm"][..], 1, "open"),
        (&["rival.wasm", "base.wasm", "--export", "base.t:i/base"], 1, "unused"),
        (&["rival.wasm", "base.wasm"], 1, "clash"),
        (&["rival.wasm", "--wire", "a=b"], 2, "usage"),
        (&["core.wasm", "base.wasm"], 3, "input"),
        (&["absent.wasm"], 3, "input"),
        (&["whole.wac"], 1, "missing-package"),
    ] {
        let (found, name, _) = classed(arguments);
        assert_eq!((found, name.as_str()), (code, class), "{arguments:?}");
    }
    let (code, class, error) = classed(&["wrong.wac"]);
    assert_eq!((code, class.as_str()), (3, "syntax"));
    assert_eq!(error["place"], json!({ "file": "wrong.wac", "line": 3, "column": 8 }));
    assert!(!at.join("whole.wasm").exists());
}

#[test]
fn all_that_does_not_fit_is_told() {
    let wrong = component(
        r#"(component
            (core module $m (func (export "f") (result i64) i64.const 1))
            (core instance $i (instantiate $m))
            (func (export "answer") (result u64) (canon lift (core func $i "f"))))"#,
    );
    let directory = directory(&[("s.wasm", &wrong), ("d.wasm", &doubles())]);
    let at = directory.path();
    let (code, composed) = told(at, &["compose", "s.wasm", "d.wasm", "-o", "whole.wasm"]);
    assert_eq!((code, &composed["error"]["class"]), (1, &json!("mismatch")));
    let checked = composer(at, &["check", "d.wasm", "s.wasm", "--json"]).stdout;
    let checked: Value = serde_json::from_slice(&checked).expect("JSON");
    let (found, expected) = (&composed["error"]["mismatches"][0], &checked["mismatches"][0]);
    for field in ["class", "path", "problem", "wanted", "offered"] {
        assert!(!found[field].is_null());
        assert_eq!(found[field], expected[field], "{field}");
    }
}

#[test]
fn standard_output_is_for_one_thing() {
    let directory = bag();
    for output in [&["-o", "-"][..], &["-o", "whole.wasm", "--emit-wac", "-"]] {
        let (code, told) = told(directory.path(), &[&["compose", "base.wasm"], output].concat());
        assert_eq!(code, 2);
        let message = told["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("cannot both go to standard output"), "{told}");
    }
}

#[test]
fn what_a_composition_was_taken_apart_to_is_told() {
    let directory =
        directory(&[("whole.wac", TEXT.as_bytes()), ("s.wasm", &answers(21)), ("d.wasm", &doubles())]);
    let at = directory.path();
    let compose = ["compose", "whole.wac", "-o", "whole.wasm", "-d", "s=s.wasm", "-d", "d=d.wasm"];
    assert_eq!(said(at, &compose), (0, String::new()));
    let (code, told_) = told(at, &["decompose", "whole.wasm", "-o", "apart"]);
    assert_eq!(code, 0);
    let text = fs::read(at.join("apart/whole.wac")).expect("it was written");
    assert_eq!(told_["text"], json!({ "file": "apart/whole.wac", "bytes": text.len() }));
    let part = |name: &str, bytes: &[u8]| json!({ "package": format!("parts:{name}"), "file": format!("apart/{name}.wasm"), "bytes": bytes.len() });
    assert_eq!(told_["parts"], json!([part("s", &answers(21)), part("d", &doubles())]));
    assert_eq!(told_["contracts"], json!([]));
    assert_eq!(shell(at, told_["command"].as_str().expect("a command")), (0, String::new()));

    let (code, told_) = told(at, &["decompose", "whole.wasm", "-o", "apart"]);
    assert_eq!((code, &told_["error"]["class"], &told_["text"]), (1, &json!("cannot"), &Value::Null));
    let (code, told_) = told(at, &["decompose", "whole.wac", "-o", "apart"]);
    assert_eq!((code, &told_["error"]["class"]), (3, &json!("input")));
}

#[test]
fn classes_are_explained_to_programs_too() {
    let directory = directory(&[]);
    let (_, all) = told(directory.path(), &["explain"]);
    let all = all["classes"].as_array().expect("a list");
    assert_eq!(all.len(), Class::ALL.len());
    for (found, class) in all.iter().zip(Class::ALL) {
        assert_eq!(*found, json!({ "class": class.as_str(), "title": class.title(), "page": class.page() }));
    }
    let (_, one) = told(directory.path(), &["explain", "kind"]);
    assert_eq!(
        one["classes"],
        json!([{ "class": "kind", "title": Class::Kind.title(), "page": Class::Kind.page() }])
    );
    let (code, none) = told(directory.path(), &["explain", "kindness"]);
    assert_eq!((code, &none["classes"]), (2, &json!([])));
}

#[test]
fn every_command_tells_programs_why_it_has_no_answer() {
    let directory = directory(&[("text.wasm", b"text"), ("a.wasm", &answers(1)), ("d.wasm", &doubles())]);
    let told = |arguments: &[&str]| {
        let output = composer(directory.path(), arguments);
        let told: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {:?}", output.stdout));
        assert_eq!(output.stderr.is_empty(), output.status.success(), "{arguments:?}: people are told too");
        (output.status.code(), told)
    };
    for arguments in [
        &["check", "text.wasm", "a.wasm"][..],
        &["check", "d.wasm", "gone.wasm"],
        &["inspect", "text.wasm"],
        &["diff", "a.wasm", "text.wasm"],
        &["doctor", "text.wasm"],
        &["deny", "text.wasm", "a:b/c"],
        &["decompose", "text.wasm", "-o", "x"],
        &["compose", "text.wasm", "a.wasm", "-o", "x"],
    ] {
        let (code, told) = told(&[arguments, &["--json"]].concat());
        let error = &told["error"];
        assert_eq!(
            (code, &told["format"], &error["class"]),
            (Some(3), &1.into(), &"input".into()),
            "{arguments:?}"
        );
        assert!(error["message"].as_str().is_some_and(|message| message.contains(".wasm`")), "{told}");
    }
    // The command line itself.
    for arguments in [
        &["inspect", "--json"][..],
        &["--json", "inspect", "a.wasm"],
        &["check", "a.wasm", "--json"],
        &["deny", "a.wasm", "a:b/c", "-o", "x", "--json"],
        &["compose", "a.wasm", "-o", "-", "--json"],
        &["nonsense", "--json"],
    ] {
        let (code, told) = told(arguments);
        let error = &told["error"];
        assert_eq!((code, &error["class"]), (Some(2), &"usage".into()), "{arguments:?}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{told}");
    }
    // What is an answer is one object, and not followed by another.
    let (code, told) = told(&["check", "d.wasm", "a.wasm", "d.wasm", "--json", "--leave-open", "answer"]);
    assert_eq!((code, &told["fits"], &told["error"]), (Some(0), &true.into(), &Value::Null));
}
