//! `composer build`, with a stand-in for a toolchain: a script that copies a component from where it is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::place::Place;
use crate::common::{PROJECT, answers, component, composer, doubles};
use serde_json::{Value, json};
use tempfile::TempDir;

const WIT: &str = "package example:worlds;
world source { export answer: func() -> u32; }
world doubler { import answer: func() -> u32; export doubled: func() -> u32; }
world whole { export doubled: func() -> u32; }
";

const WHOLE: &str = "package example:whole targets example:worlds/whole;
let source = new parts:source {};
let doubler = new parts:doubler { answer: source[\"answer\"] };
export doubler[\"doubled\"];
";

/// The stand-in: it is told its product's path after `-o`, and the world after `-w`.
const TOOL: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
    case "$1" in -o) out=$2 ;; -w) world=$2 ;; esac
    shift
done
echo "$world" >> "ROOT/calls"
if grep -q 'syntax error' app.py; then
    echo "app.py: what is this?" >&2
    echo "and a second line"
    exit 1
fi
if grep -q 'power failure' app.py; then
    head -c 20 "ROOT/made/$world.wasm" > "$out"
    kill -9 $PPID
    exit 0
fi
cp "ROOT/made/$world.wasm" "$out"
"#;

struct Shop(TempDir);

impl Shop {
    fn new() -> Self {
        let shop = Shop(tempfile::tempdir().expect("a directory"));
        shop.write("interlock.toml", PROJECT.as_bytes());
        shop.write("wit/worlds.wit", WIT.as_bytes());
        shop.write("whole.wac", WHOLE.as_bytes());
        shop.write("source/app.py", b"1");
        shop.write("doubler/app.py", b"2");
        shop.write("made/source.wasm", &answers(21));
        shop.write("made/doubler.wasm", &doubles());
        shop.write("venv/lib/python3/site-packages/componentize_py-1.0.dist-info/METADATA", b"");
        shop.write("venv/bin/componentize-py", b"");
        shop.write("venv/bin/python", TOOL.replace("ROOT", &shop.root().to_string_lossy()).as_bytes());
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(shop.root().join("venv/bin/python"), mode).expect("it is there");
        shop
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        fs::write(path, content).expect("a file");
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn build(&self, names: &[&str]) -> (i32, String) {
        let output = composer(self.root(), &[&["build"], names].concat());
        (
            output.status.code().expect("it was not killed"),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    /// Which worlds the stand-in was called for since the last time, in order of the alphabet.
    fn calls(&self) -> Vec<String> {
        let path = self.root().join("calls");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        let mut calls: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
        calls.sort();
        calls
    }
}

#[test]
fn only_what_changed_is_built_again() {
    let shop = Shop::new();
    let (code, words) = shop.build(&[]);
    assert_eq!(code, 0, "{words}");
    assert!(words.contains("2 built, 1 composed in "), "{words}");
    assert_eq!(shop.calls(), ["doubler", "source"]);
    let whole = anatomy::read(&shop.read("out/compositions/whole.wasm")).expect("a component");
    assert_eq!(whole.exports, ["doubled"]);
    assert_eq!(whole.parts[0].language.as_deref(), Some("Python"));

    let (code, words) = shop.build(&[]);
    assert_eq!((code, words.starts_with("3 unchanged in ")), (0, true), "{words}");
    assert!(shop.calls().is_empty());

    // A test and what Git ignores are no inputs, a source is.
    shop.write("source/tests/test_it.py", b"new");
    shop.write("source/.gitignore", b"*.log\n");
    shop.write("source/x.log", b"new");
    assert!(shop.build(&[]).1.starts_with("3 unchanged in "));
    shop.write("source/app.py", b"11");
    shop.write("made/source.wasm", &answers(22));
    assert!(shop.build(&[]).1.contains("1 built, 1 composed, 1 unchanged in "));
    assert_eq!(shop.calls(), ["source"]);

    // The same product from other sources changes nothing further on.
    shop.write("source/app.py", b"111");
    assert!(shop.build(&[]).1.contains("1 built, 2 unchanged in "));
    assert_eq!(shop.calls(), ["source"]);

    // Contracts are an input of everything, tools of what they make.
    shop.write("wit/worlds.wit", format!("{WIT}\n// changed\n").as_bytes());
    assert!(shop.build(&[]).1.contains("2 built, 1 composed in "));
    shop.calls();
    let packages = shop.root().join("venv/lib/python3/site-packages");
    fs::rename(
        packages.join("componentize_py-1.0.dist-info"),
        packages.join("componentize_py-1.1.dist-info"),
    )
    .expect("it is there");
    assert!(shop.build(&["doubler"]).1.contains("1 built in "));
    assert_eq!(shop.calls(), ["doubler"]);

    // A product that was damaged is made again.
    shop.write("out/components/source.wasm", b"damaged");
    shop.build(&["source"]);
    assert_eq!(shop.calls(), ["source"]);
}

#[test]
fn a_composition_brings_its_components_along() {
    let shop = Shop::new();
    assert_eq!(shop.build(&["source"]).0, 0);
    assert!(!shop.root().join("out/components/doubler.wasm").exists());
    assert_eq!(shop.build(&["whole"]).0, 0);
    assert!(shop.root().join("out/compositions/whole.wasm").exists());
    let (code, words) = shop.build(&["other"]);
    assert_eq!(
        (code, words.as_str()),
        (2, "  × interlock.toml lists no `other`\n  help: it lists source, doubler, whole\n")
    );
}

#[test]
fn a_failed_tool_is_quoted_and_the_old_product_stays() {
    let shop = Shop::new();
    assert_eq!(shop.build(&[]).0, 0);
    let before = shop.read("out/components/source.wasm");
    shop.write("source/app.py", b"syntax error");
    let (code, words) = shop.build(&[]);
    assert_eq!(code, 1);
    let quoted = "  × `componentize-py` failed (exit status: 1); what it said:\nand a second line\napp.py: what is this?\n";
    assert!(words.contains(quoted), "{words}");
    let end =
        "  × could not be built: source\n  help: left as they were, since parts of them are missing: whole\n";
    assert!(words.ends_with(end), "{words}");
    assert_eq!(shop.read("out/components/source.wasm"), before);
}

#[test]
fn a_product_that_does_not_fit_its_world_never_gets_in_place() {
    let shop = Shop::new();
    shop.write("made/source.wasm", &doubles());
    let (code, words) = shop.build(&["source"]);
    assert_eq!(code, 1);
    let expected = "  × the product does not replace `out/components/source.wasm`
  ╰─▶ it does not fit the world `example:worlds/source`:
      - missing-function: answer: it imports the function `answer`, which the world does not
      - missing-function: answer: it does not export the function `answer`, which the world demands
";
    assert!(words.contains(expected), "{words}");
    assert!(!shop.root().join("out/components/source.wasm").exists());
}

#[test]
fn a_missing_tool_is_named_with_what_installs_it() {
    let shop = Shop::new();
    fs::remove_dir_all(shop.root().join("venv")).expect("it is there");
    let (code, words) = shop.build(&["source"]);
    assert_eq!(code, 1);
    assert!(words.contains("componentize_py is missing: expected in the virtual environment `"), "{words}");
    assert!(words.contains("help: `./just setup` installs it"), "{words}");
}

#[test]
fn a_killed_run_leaves_the_old_product_whole() {
    let shop = Shop::new();
    assert_eq!(shop.build(&[]).0, 0);
    let before = shop.read("out/components/source.wasm");
    shop.write("source/app.py", b"power failure");
    let output = composer(shop.root(), &["build"]);
    assert_eq!(output.status.code(), None, "the stand-in kills the command");
    assert_eq!(shop.read("out/components/source.wasm"), before);
    shop.write("source/app.py", b"1");
    let (code, words) = shop.build(&[]);
    assert_eq!((code, words.starts_with("3 unchanged in ")), (0, true), "{words}");
}

#[test]
fn what_a_killed_run_left_is_swept_away() {
    let shop = Shop::new();
    shop.write("out/components/.unfinished-abc", b"half");
    assert_eq!(shop.build(&[]).0, 0);
    assert!(!shop.root().join("out/components/.unfinished-abc").exists());
}

#[test]
fn builds_at_the_same_time_do_not_disturb_each_other() {
    let shop = Shop::new();
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_composer"));
        command.arg("build").current_dir(shop.root()).stderr(Stdio::piped());
        command.spawn().expect("it can be started")
    };
    let running: Vec<_> = (0..4).map(|_| start()).collect();
    for child in running {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(shop.calls(), ["doubler", "source"]);
}

#[test]
fn mistakes_in_the_manifest_are_shown_where_they_are() {
    let shop = Shop::new();
    shop.write("interlock.toml", PROJECT.replace("world = \"doubler\"", "wrold = \"doubler\"").as_bytes());
    let (code, words) = shop.build(&[]);
    assert_eq!(code, 3);
    let expected =
        "unknown field `wrold`, expected one of `language`, `path`, `world`, `entry`, `disable`, `wasi`";
    assert!(words.contains(expected), "{words}");
    assert!(words.contains("interlock.toml:17:1]"), "{words}");

    shop.write(
        "interlock.toml",
        PROJECT.replace("path = \"doubler\"", "path = \"doubler\"\ndisable = []").as_bytes(),
    );
    assert!(shop.build(&[]).1.contains("`disable` does not go with Python"));
    shop.write("interlock.toml", PROJECT.replace("compositions.whole", "compositions.source").as_bytes());
    assert!(shop.build(&[]).1.contains("`source` is both a component and a composition"));
    shop.write("interlock.toml", PROJECT.replace("components.source", "components.Source").as_bytes());
    assert!(shop.build(&[]).1.contains("`Source` is not a name"));
}

#[test]
fn imports_of_wasi_beyond_the_world_are_left_in_where_the_manifest_says_so() {
    let importing = |name: &str| {
        component(&format!(
            r#"(component
                (import "{name}" (instance (export "get" (func (result u64)))))
                (core module $m (func (export "f") (result i32) i32.const 21))
                (core instance $i (instantiate $m))
                (func (export "answer") (result u32) (canon lift (core func $i "f"))))"#
        ))
    };
    let shop = Shop::new();
    shop.write("made/source.wasm", &importing("wasi:random/random@0.2.0"));
    let (code, words) = shop.build(&["source"]);
    assert!(
        code == 1
            && words
                .contains("it imports the interface `wasi:random/random@0.2.0`, which the world does not"),
        "{words}"
    );
    let kept = PROJECT.replace("path = \"source\"", "path = \"source\"\nwasi = true");
    shop.write("interlock.toml", kept.as_bytes());
    assert_eq!(shop.build(&["source"]).0, 0);
    // Nobody else's.
    shop.write("made/source.wasm", &importing("example:random/random@0.2.0"));
    shop.write("source/app.py", b"changed");
    let (code, words) = shop.build(&["source"]);
    assert!(code == 1 && words.contains("it imports the interface `example:random/random@0.2.0`"), "{words}");

    let rust = PROJECT.replacen("language = \"python\"", "language = \"rust\"\nwasi = true", 1);
    shop.write("interlock.toml", rust.as_bytes());
    assert!(shop.build(&[]).1.contains("`wasi` does not go with Rust"));
}

#[test]
fn what_is_not_where_the_manifest_says_is_named_with_the_key_that_says_so() {
    let shop = Shop::new();
    shop.write("interlock.toml", PROJECT.replace("path = \"doubler\"", "path = \"gone\"").as_bytes());
    let expected = "  × there is no directory `gone`\n  help: `path` of [components.doubler] in interlock.toml says where it is";
    let (code, words) = shop.build(&[]);
    assert!(code == 1 && words.contains(expected), "{code} {words}");

    let manifest = PROJECT.replace("path = \"doubler\"", "path = \"doubler\"\nentry = \"gone.py\"");
    shop.write("interlock.toml", manifest.as_bytes());
    let expected = "  × there is no `doubler/gone.py`\n  help: `entry` of [components.doubler] in interlock.toml says where it is";
    let (code, words) = shop.build(&[]);
    assert!(code == 1 && words.contains(expected), "{code} {words}");

    shop.write("interlock.toml", PROJECT.replace("whole.wac", "gone.wac").as_bytes());
    let expected = "help: `file` of [compositions.whole] in interlock.toml says where it is";
    let (code, words) = shop.build(&[]);
    assert!(code == 3 && words.contains(expected), "{code} {words}");
}

#[test]
fn a_build_goes_on_when_nobody_reads_what_it_says() {
    let shop = Shop::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_composer"))
        .arg("build")
        .current_dir(shop.root())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    anatomy::read(&shop.read("out/compositions/whole.wasm")).expect("a component");
}

#[test]
fn programs_are_told_what_became_of_each_product() {
    let shop = Shop::new();
    let told = |names: &[&str]| {
        let output = composer(shop.root(), &[&["build", "--json"], names].concat());
        let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(value["format"], 1);
        (output.status.code(), value)
    };
    let root = fs::canonicalize(shop.root()).expect("it is there");
    let file = |name: &str| root.join("out").join(name).display().to_string();
    let product = |name: &str, status: &str| {
        let composed = name == "whole";
        let path =
            if composed { format!("compositions/{name}.wasm") } else { format!("components/{name}.wasm") };
        json!({
            "name": name,
            "kind": if composed { "composition" } else { "component" },
            "language": if composed { Value::Null } else { "Python".into() },
            "status": status,
            "file": file(&path),
            "bytes": shop.root().join("out").join(&path).metadata().map(|found| found.len()).ok(),
            "error": null,
        })
    };
    // How long it took differs.
    let products = |value: &Value| -> Vec<Value> {
        let mut products = value["products"].as_array().expect("a list").clone();
        for product in &mut products {
            let seconds = product.as_object_mut().expect("an object").remove("seconds").expect("it is there");
            assert!(
                seconds.is_null() == (product["status"] == "left")
                    && seconds.as_f64().is_none_or(|time| time >= 0.0)
            );
        }
        products
    };
    let (code, first) = told(&[]);
    assert_eq!((code, &first["error"]), (Some(0), &Value::Null), "{first:#}");
    let expected = [product("source", "built"), product("doubler", "built"), product("whole", "composed")];
    assert_eq!(products(&first), expected);
    assert!(expected.iter().all(|product| product["bytes"].is_u64()));
    let (_, again) = told(&[]);
    assert_eq!(products(&again), ["source", "doubler", "whole"].map(|name| product(name, "unchanged")));

    shop.write("source/app.py", b"syntax error");
    let (code, failed) = told(&[]);
    assert_eq!((code, &failed["error"]["class"]), (Some(1), &json!("cannot")));
    let mut products = products(&failed);
    let error = products[0]["error"].take();
    assert_eq!(
        products,
        [product("source", "failed"), product("doubler", "unchanged"), product("whole", "left")]
    );
    assert!(error["message"].as_str().is_some_and(|words| words.contains("failed")), "{error:#}");
    let output = error["output"].as_str().expect("what the tool said");
    assert!(output.contains("app.py: what is this?") && output.contains("and a second line"), "{output}");

    // What does not fit its world is told as `check` tells it.
    shop.write("source/app.py", b"2");
    shop.write("made/source.wasm", &doubles());
    let (_, misfit) = told(&["source"]);
    let mismatches = misfit["products"][0]["error"]["mismatches"].as_array().expect("a list");
    assert!(mismatches.iter().any(|mismatch| mismatch["class"] == "missing-function"), "{misfit:#}");

    let (code, unknown) = told(&["nothing-of-the-kind"]);
    assert_eq!(
        (code, &unknown["error"]["class"], &unknown["products"]),
        (Some(2), &json!("usage"), &json!([]))
    );
}

/// A stand-in for Cargo: it writes a lock where there is none, and copies the core module that is there.
const CARGO: &str = r#"#!/bin/sh
echo called >> 'ROOT/calls'
[ -e 'ROOT/crate/Cargo.lock' ] || echo 'version = 4' > 'ROOT/crate/Cargo.lock'
mkdir -p 'ROOT/out/guests/wasm32-unknown-unknown/guest'
cp 'ROOT/core.wasm' 'ROOT/out/guests/wasm32-unknown-unknown/guest/part.wasm'
"#;

#[test]
fn what_a_build_writes_beside_the_sources_makes_nothing_stale() {
    let shop = Shop(tempfile::tempdir().expect("a directory"));
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("w.wit", WIT).expect("it is valid");
    let world = resolve.select_world(&[package], Some("source")).expect("it is there");
    let mut core = component(r#"(module (func (export "answer") (result i32) i32.const 21))"#);
    let encoding = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut core, &resolve, world, encoding).expect("it fits");
    shop.write("core.wasm", &core);
    shop.write("wit/worlds.wit", WIT.as_bytes());
    shop.write(
        "interlock.toml",
        b"[project]\nwit = \"wit\"\nout = \"out\"\n[components.part]\nlanguage = \"rust\"\npath = \"crate\"\nworld = \"source\"\n",
    );
    shop.write("crate/Cargo.toml", b"[package]\nname = \"part\"\n[workspace]\n");
    shop.write("crate/src/lib.rs", b"");
    for (tool, script) in [("cargo", CARGO), ("rustc", "#!/bin/sh\necho rustc 1.0.0\n")] {
        shop.write(&format!("bin/{tool}"), script.replace("ROOT", &shop.root().to_string_lossy()).as_bytes());
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(shop.root().join("bin").join(tool), mode).expect("it is there");
    }
    let path = format!("{}:{}", shop.root().join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let composer = |command: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_composer"))
            .arg(command)
            .current_dir(shop.root())
            .env("PATH", &path)
            .output()
            .expect("it can be started");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, _, words) = composer("build");
    assert_eq!((code, shop.calls().len()), (Some(0), 1), "{words}");
    assert!(shop.root().join("crate/Cargo.lock").exists());
    let (_, report, _) = composer("doctor");
    assert!(!report.contains("(stale)"), "{report}");
    let (code, _, words) = composer("build");
    assert_eq!((code, shop.calls().len()), (Some(0), 0), "{words}");

    // Another lock is another build.
    shop.write("crate/Cargo.lock", b"version = 4\n# others\n");
    let (_, report, _) = composer("doctor");
    assert!(report.contains("(stale)"), "{report}");
    let (code, _, words) = composer("build");
    assert_eq!((code, shop.calls().len()), (Some(0), 1), "{words}");
}

#[test]
fn a_manifest_of_the_old_name_is_to_be_renamed_and_one_of_another_tool_does_not_matter() {
    let place = Place::new();
    place.write("composer.toml", "[package]\nname = \"theirs\"\n");
    let (code, words) = place.said(&["build"]);
    assert!(code == 3 && words.contains("there is no interlock.toml"), "{words}");
    place.write("composer.toml", "[project]\nwit = \"wit\"\nout = \"out\"\n");
    place.write("wit/worlds.wit", "package a:b;\nworld w {}\n");
    let (code, words) = place.said(&["build"]);
    assert_eq!(code, 3, "{words}");
    assert!(words.contains("composer.toml` has the old name of the manifest"), "{words}");
    assert!(words.contains("interlock.toml`"), "{words}");
    fs::rename(place.at("composer.toml"), place.at("interlock.toml")).expect("it can be renamed");
    let (code, words) = place.said(&["build"]);
    assert!(!words.contains("old name"), "{code} {words}");
}
