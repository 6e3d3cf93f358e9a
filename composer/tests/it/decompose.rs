//! Taken apart and put together again, a composition is what it was; what cannot be put together again is refused.
//!
//! What is the same is asked of `anatomy`, which knows nothing of how the text was written, and of the validator.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::common::{answers, component, composer, doubles, said};
use anatomy::{Component, Source};
use compose::compose;
use compose::decompose::{DecomposeError, Decomposition, decompose};
use proptest::prelude::*;

/// Takes it apart, puts it together, and compares.
fn there_and_back(bytes: &[u8]) -> Decomposition {
    let apart = decompose("whole", bytes).unwrap_or_else(|error| panic!("{}", chain(&error)));
    let again = compose("whole.wac", &apart.text, &apart.packages())
        .unwrap_or_else(|error| panic!("{error:?}\n{}", apart.text));
    let (before, after) = (anatomy::read(bytes).expect("it reads"), anatomy::read(&again).expect("it reads"));
    // What has no name here is called so by `anatomy`, after its index.
    let named = before.parts.iter().all(|part| !part.path.iter().any(|name| name.starts_with("part-")));
    assert_eq!(graph(&before, named), graph(&after, named), "{}", apart.text);
    for part in &apart.parts {
        let embedded = |whole: &[u8]| whole.windows(part.bytes.len()).any(|window| window == part.bytes);
        assert!(embedded(bytes) && embedded(&again), "{} is embedded byte for byte", part.name);
    }
    apart
}

/// What a composition is made of, in no order: parts, edges, outlets, imports.
type Graph = (Vec<String>, BTreeSet<String>, BTreeSet<String>, BTreeSet<String>);

/// Parts are known by their names, or where they have none by what they are and what they get.
fn graph(whole: &Component, named: bool) -> Graph {
    let part = |part: usize| {
        let path = whole.parts[part].path.join("/");
        if named { format!("{path} {}", whole.parts[part].digest) } else { nameless(whole, part) }
    };
    let name = |source: &Source| match source {
        Source::Host { import } => format!("host {import}"),
        Source::Part { part: index, export } => format!("{} {export:?}", part(*index)),
    };
    let edges = whole
        .edges
        .iter()
        .map(|edge| format!("{} {} from {}", part(edge.part), edge.import, name(&edge.from)));
    let outlets = whole.outlets.iter().map(|outlet| {
        let from: BTreeSet<_> = outlet.from.iter().map(name).collect();
        format!("{} from {from:?}", outlet.export)
    });
    let mut parts: Vec<_> = (0..whole.parts.len()).map(part).collect();
    parts.sort();
    (parts, edges.collect(), outlets.collect(), whole.imports.iter().cloned().collect())
}

fn nameless(whole: &Component, part: usize) -> String {
    let from = |source: &Source| match source {
        Source::Host { import } => format!("host {import}"),
        Source::Part { part, export } => format!("{} {export:?}", nameless(whole, *part)),
    };
    let edges = whole.edges.iter().filter(|edge| edge.part == part);
    let edges: BTreeSet<_> = edges.map(|edge| format!("{} from {}", edge.import, from(&edge.from))).collect();
    format!("{} {edges:?}", whole.parts[part].digest)
}

fn chain(error: &DecomposeError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        write!(text, "\n  because: {error}").expect("text");
        cause = error.source();
    }
    text
}

/// A component with imports and exports, in the text format: each export adds up what all imports answer, and a number.
fn part(id: &str, number: usize, imports: &[String], exports: &[String]) -> String {
    let mut text = format!("(component ${id}\n");
    let mut calls = format!("i32.const {number}");
    let (mut lowered, mut given) = (String::new(), String::new());
    for (index, import) in imports.iter().enumerate() {
        if import.contains(':') {
            writeln!(text, "(import \"{import}\" (instance $n{index} (export \"f\" (func (result u32)))))\n(alias export $n{index} \"f\" (func $i{index}))").expect("text");
        } else {
            writeln!(text, "(import \"{import}\" (func $i{index} (result u32)))").expect("text");
        }
        writeln!(text, "(core func $l{index} (canon lower (func $i{index})))").expect("text");
        write!(lowered, "(import \"\" \"{index}\" (func $c{index} (result i32)))").expect("text");
        write!(given, "(export \"{index}\" (func $l{index}))").expect("text");
        write!(calls, " call $c{index} i32.add").expect("text");
    }
    writeln!(
        text,
        "(core module $m {lowered} (func (export \"f\") (result i32) {calls}))
        (core instance $m (instantiate $m (with \"\" (instance {given}))))
        (func $f (result u32) (canon lift (core func $m \"f\")))"
    )
    .expect("text");
    for (index, export) in exports.iter().enumerate() {
        if export.contains(':') {
            writeln!(
                text,
                "(instance $e{index} (export \"f\" (func $f)))\n(export \"{export}\" (instance $e{index}))"
            )
            .expect("text");
        } else {
            writeln!(text, "(export \"{export}\" (func $f))").expect("text");
        }
    }
    text.push_str(")\n");
    text
}

/// A composition: which part each instance is of, and where each gets what from.
#[derive(Debug, Clone)]
struct Plan {
    /// Of each part: how many imports it has, and whether they are interfaces.
    parts: Vec<(usize, bool)>,
    /// Of each instance: its part, and a number for each of up to three imports that chooses its source.
    instances: Vec<(prop::sample::Index, [prop::sample::Index; 3])>,
    /// What is exported: of which instance, and whether under its own name.
    exports: Vec<(prop::sample::Index, bool)>,
}

/// Names for parts and imports: interfaces or plain functions.
fn name(kind: &str, interface: bool, index: usize) -> String {
    if interface { format!("test:{kind}/n{index}@1.0.0") } else { format!("{kind}-n{index}") }
}

impl Plan {
    /// In the text format: no tool for compositions has a hand in it.
    fn text(&self) -> String {
        let mut text = "(component\n".to_owned();
        for interface in [false, true] {
            for index in 0..3 {
                let ty = if interface {
                    "instance $hi{} (export \"f\" (func (result u32)))"
                } else {
                    "func $hf{} (result u32)"
                };
                let ty = ty.replace("{}", &index.to_string());
                // Under the names that the parts have for them, but for one that is called otherwise.
                let kind = if index == 2 { "host" } else { "in" };
                writeln!(text, "(import \"{}\" ({ty}))", name(kind, interface, index)).expect("text");
            }
        }
        let chosen: Vec<usize> =
            self.instances.iter().map(|(part, _)| part.index(self.parts.len())).collect();
        for (index, (imports, interface)) in self.parts.iter().enumerate() {
            // A part without an instance is refused; that is tested elsewhere.
            if !chosen.contains(&index) {
                continue;
            }
            let imports: Vec<_> = (0..*imports).map(|import| name("in", *interface, import)).collect();
            let exports = [name("out", false, index), name("out", true, index)];
            text.push_str(&part(&format!("p{index}"), index, &imports, &exports));
        }
        for (index, (_, sources)) in self.instances.iter().enumerate() {
            let (imports, interface) = self.parts[chosen[index]];
            let mut given = String::new();
            for (import, source) in sources.iter().enumerate().take(imports) {
                // Either an import of the whole, or an export of an earlier instance.
                let source = source.index(3 + index);
                let sort = if interface { "instance" } else { "func" };
                let from = match source.checked_sub(3) {
                    None => format!("({sort} $h{}{source})", if interface { "i" } else { "f" }),
                    Some(other) => {
                        format!("({sort} $i{other} \"{}\")", name("out", interface, chosen[other]))
                    }
                };
                write!(given, "(with \"{}\" {from})", name("in", interface, import)).expect("text");
            }
            writeln!(text, "(instance $i{index} (instantiate $p{} {given}))", chosen[index]).expect("text");
        }
        let mut taken = BTreeSet::new();
        for (index, (instance, own)) in self.exports.iter().enumerate() {
            let instance = instance.index(self.instances.len());
            let interface = index % 2 == 0;
            let inner = name("out", interface, chosen[instance]);
            let outer = if *own { inner.clone() } else { format!("renamed{index}") };
            let sort = if interface { "instance" } else { "func" };
            if taken.insert(outer.clone()) {
                writeln!(text, "(export \"{outer}\" ({sort} $i{instance} \"{inner}\"))").expect("text");
            }
        }
        text.push(')');
        text
    }
}

fn plan() -> impl Strategy<Value = Plan> {
    let index = any::<prop::sample::Index>;
    (
        prop::collection::vec((0..4_usize, any::<bool>()), 1..4),
        prop::collection::vec((index(), [index(), index(), index()]), 1..7),
        prop::collection::vec((index(), any::<bool>()), 1..4),
    )
        .prop_map(|(parts, instances, exports)| Plan { parts, instances, exports })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Chains, diamonds, several instances of one part, imports that several get, some under another name.
    #[test]
    fn whatever_the_graph_it_comes_back(plan in plan()) {
        let apart = there_and_back(&component(&plan.text()));
        let used: BTreeSet<_> = plan.instances.iter().map(|(part, _)| part.index(plan.parts.len())).collect();
        prop_assert_eq!(apart.parts.len(), used.len());
    }

    /// Damaged, it is refused or still comes back; no library that sees it crashes.
    #[test]
    fn damaged_compositions_are_no_danger(
        plan in plan(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = component(&plan.text());
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        match decompose("damaged", &bytes) {
            Ok(apart) => prop_assert!(compose("whole.wac", &apart.text, &apart.packages()).is_ok()),
            Err(error) => prop_assert!(!matches!(error, DecomposeError::Crash(_)), "{}", chain(&error)),
        }
        if let Err(error) = check::wit::text(&bytes) {
            prop_assert!(!matches!(error, check::wit::WitError::Crash(_)), "{error:?}");
        }
    }
}

/// A component of these parts and items. There are `source`, which exports `out`, and `sink`, which imports `in` and
/// exports `sum`.
fn whole(parts: &[&str], items: &str) -> Vec<u8> {
    let known = |name: &&str| match *name {
        "source" => part("source", 1, &[], &["out".to_owned()]),
        "sink" => part("sink", 2, &["in".to_owned()], &["sum".to_owned()]),
        text => text.to_owned(),
    };
    component(&format!("(component {} {items})", parts.iter().map(known).collect::<String>()))
}

#[test]
fn two_instances_of_one_part_are_one_file() {
    let apart = there_and_back(&whole(
        &["source", "sink"],
        r#"(instance $first (instantiate $source))
        (instance $a (instantiate $sink (with "in" (func $first "out"))))
        (instance $b (instantiate $sink (with "in" (func $a "sum"))))
        (export "a" (instance $a))
        (export "b" (func $b "sum"))"#,
    ));
    assert_eq!(apart.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["first", "sink"]);
    assert_eq!(
        apart.text,
        r#"package decomposed:whole;

let first = new parts:first {};

let a = new parts:sink { "in": first["out"] };

let b = new parts:sink { "in": a["sum"] };

export a as "a";
export b["sum"] as "b";
"#
    );
}

#[test]
fn what_is_embedded_twice_is_one_file() {
    let bytes = part("again", 1, &[], &["out".to_owned()]);
    let apart = there_and_back(&whole(
        // The name of a component is in its name section, and so in its bytes.
        &[&bytes, &bytes.replace("(component $again", "(component $other (@name \"again\")")],
        r#"(instance $x (instantiate $again)) (instance $y (instantiate $other))
        (export "x" (func $x "out")) (export "y" (func $y "out"))"#,
    ));
    assert_eq!(apart.parts.len(), 1, "{}", apart.text);
}

#[test]
fn imports_get_a_statement_where_the_parts_alone_would_not_ask_for_them_so() {
    let apart = there_and_back(&whole(
        &["sink"],
        r#"(import "in" (func $in (result u32)))
        (import "let" (func $let (param "new" (list string)) (param "list" u8) (result (result (error u8)))))
        (import "other" (func $other (result u32)))
        (import "test:unused/types@1.0.0" (instance
            (export "r" (type $r (sub resource)))
            (export "[method]r.get" (func (param "self" (borrow $r)) (result u8)))))
        (import "bag" (instance
            (type $r (record (field "a" u8) (field "new" string)))
            (export "r" (type $s (eq $r)))
            (export "f" (func (param "r" $s) (result (tuple u8 $s))))))
        (instance $plain (instantiate $sink (with "in" (func $in))))
        (instance $renamed (instantiate $sink (with "in" (func $other))))
        (export "passed" (func $let))
        (export "sum" (func $plain "sum"))
        (export "more" (func $renamed "sum"))"#,
    ));
    assert_eq!(
        apart.text,
        r#"package decomposed:whole;

import let2 as "let": func(%new: list<string>, %list: u8) -> result<_, u8>;
import other: func() -> u32;
import types as "test:unused/types@1.0.0": contracts:test-unused/types;
import bag: interface {
    record r {
        a: u8,
        %new: string,
    }
    f: func(r: r) -> tuple<u8, r>;
};

let plain = new parts:sink { ... };

let renamed = new parts:sink { "in": other };

export let2 as "passed";
export plain["sum"];
export renamed["sum"] as "more";
"#
    );
}

#[test]
fn versions_that_are_compatible_stay_one_import() {
    let old = part("old", 1, &["test:a/b@0.2.0".to_owned()], &["out".to_owned()]);
    let new = part("new", 2, &["test:a/b@0.2.1".to_owned()], &["out".to_owned()]);
    let merged = |version: &str| {
        whole(
            &[&old, &new],
            &format!(
                r#"(import "test:a/b@{version}" (instance $b (export "f" (func (result u32)))))
                (instance $x (instantiate $old (with "test:a/b@0.2.0" (instance $b))))
                (instance $y (instantiate $new (with "test:a/b@0.2.1" (instance $b))))
                (export "x" (func $x "out")) (export "y" (func $y "out"))"#
            ),
        )
    };
    let apart = there_and_back(&merged("0.2.1"));
    assert!(!apart.text.contains("import") && apart.contracts.is_empty(), "{}", apart.text);
    // wac would choose the newest: another choice has to be said.
    for version in ["0.2.0", "0.2.7"] {
        let apart = there_and_back(&merged(version));
        let statement = format!("import b as \"test:a/b@{version}\": contracts:test-a/b;\n");
        assert!(apart.text.contains(&statement), "{}", apart.text);
        assert_eq!(apart.contracts.len(), 1);
    }
}

#[test]
fn a_composition_within_is_one_part() {
    let inner = format!(
        "(component $inner {} (instance $leaf (instantiate $source)) (export \"out\" (func $leaf \"out\")))",
        part("source", 1, &[], &["out".to_owned()])
    );
    let apart = there_and_back(&whole(
        &[&inner, "sink"],
        r#"(instance $nested (instantiate $inner))
        (instance $top (instantiate $sink (with "in" (func $nested "out"))))
        (export "sum" (func $top "sum"))"#,
    ));
    assert_eq!(apart.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["nested", "top"]);
    let again = decompose("inner", &apart.parts[0].bytes).expect("it can be taken apart in turn");
    assert_eq!(again.parts[0].name, "leaf");
}

#[test]
fn names_that_wac_does_not_take_are_replaced() {
    let name = |name: &str| {
        let bytes = whole(
            &["source"],
            &format!(
                "(instance $one (@name {name:?}) (instantiate $source))
                (instance $two (@name {name:?}) (instantiate $source)) (export \"x\" (func $one \"out\"))"
            ),
        );
        let apart = decompose("whole", &bytes).expect("names are no obstacle");
        let names = apart.text.lines().filter_map(|line| line.strip_prefix("let "));
        let names = names.filter_map(|line| line.split(' ').next().map(str::to_owned));
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(name("greeter"), "greeter greeter2");
    assert_eq!(name("new"), "new2 new3");
    assert_eq!(name("v2"), "v2 v2-n2");
    assert_eq!(name("My_Great  Part 2"), "my-great-part2 my-great-part2-n2");
    assert_eq!(name("7zip"), "part7zip part7zip2");
    assert_eq!(name("wasi:http/handler@0.2.0"), "handler handler2");
    assert_eq!(name("\u{1b}[31m\n\";"), "part31m part31m2");
    assert_eq!(name("é"), "part part2");
    assert_eq!(name(&"long-".repeat(100)).len(), 39 + 1 + 40);
}

/// Compares with a golden file. `BLESS=1` writes it.
fn golden(file: &Path, found: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(file, found).expect("it can be written");
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    assert_eq!(found, expected, "{}", file.display());
}

fn fixtures(directory: &str, extension: &str) -> Vec<std::path::PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decompose").join(directory);
    let entries = fs::read_dir(directory).expect("the directory is there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    assert!(!files.is_empty());
    files
}

/// `refused/NAME.wat` is what nobody can say in WAC, `refused/NAME.txt` what is said of it.
#[test]
fn what_wac_cannot_say_is_refused_with_construct_and_offset() {
    for file in fixtures("refused", "wat") {
        let text = fs::read_to_string(&file).expect("text");
        let error = decompose("whole", &component(&text)).expect_err(&file.display().to_string());
        golden(&file.with_extension("txt"), &format!("{}\n", chain(&error)));
    }
}

/// `stock/NAME.wasm` was made by another tool, as `stock/README.md` says; `stock/NAME.wac` is what comes out.
#[test]
fn compositions_of_other_tools_come_back() {
    for file in fixtures("stock", "wasm") {
        let apart = there_and_back(&fs::read(&file).expect("bytes"));
        golden(&file.with_extension("wac"), &apart.text);
    }
}

#[test]
fn what_is_no_composition_is_told_apart() {
    let error = |bytes: &[u8]| decompose("whole", bytes).expect_err("there is nothing to take apart");
    assert!(
        matches!(error(&answers(1)), DecomposeError::NoParts(words) if words.contains("a core module at the root, at byte "))
    );
    assert!(matches!(error(&component("(component)")), DecomposeError::NoParts(_)));
    assert!(matches!(error(b"(component)"), DecomposeError::Read(anatomy::ReadError::Text)));
    assert!(matches!(error(&component("(module)")), DecomposeError::Read(anatomy::ReadError::CoreModule)));
    let wrong = whole(&["source"], "(instance (instantiate $source (with \"no\" (func 0))))");
    assert!(matches!(error(&wrong), DecomposeError::Read(_) | DecomposeError::Invalid(_)));
}

const WAC: &str = r#"package example:whole;
let source = new parts:source {};
let doubler = new parts:twice { answer: source["answer"] };
export doubler["doubled"];
"#;

/// A directory with a composition in `my whole.wasm`.
fn composed() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).expect("a file");
    write("source.wasm", &answers(21));
    write("twice.wasm", &doubles());
    write("whole.wac", WAC.as_bytes());
    let arguments = [
        "compose",
        "whole.wac",
        "-o",
        "my whole.wasm",
        "-d",
        "parts:source=source.wasm",
        "-d",
        "parts:twice=twice.wasm",
    ];
    assert_eq!(said(directory.path(), &arguments), (0, String::new()));
    directory
}

#[test]
fn the_command_that_is_printed_puts_it_together_again() {
    let directory = composed();
    let output = composer(directory.path(), &["decompose", "my whole.wasm", "-o", "a part"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "wrote a part/my-whole.wac\nwrote a part/source.wasm\nwrote a part/twice.wasm\n"
    );
    let command = String::from_utf8(output.stdout).expect("text");
    assert_eq!(
        command,
        "composer compose 'a part/my-whole.wac' -o again.wasm \\
    -d 'parts:source=a part/source.wasm' \\
    -d 'parts:twice=a part/twice.wasm'
"
    );
    let ran = std::process::Command::new("sh")
        .args(["-c", &command.replacen("composer", env!("CARGO_BIN_EXE_composer"), 1)])
        .current_dir(directory.path())
        .status()
        .expect("there is a shell");
    assert!(ran.success());
    let read = |name: &str| fs::read(directory.path().join(name)).expect("it is there");
    assert_eq!(read("again.wasm"), read("my whole.wasm"), "what this tool composed comes back byte for byte");
    assert_eq!(read("a part/twice.wasm"), doubles());
    let names: BTreeSet<_> = fs::read_dir(directory.path().join("a part"))
        .expect("it is there")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names.len(), 3, "nothing else is left: {names:?}");
}

#[test]
fn nothing_is_overwritten_unless_it_is_said() {
    let directory = composed();
    let again = |more: &[&str]| {
        composer(directory.path(), &[&["decompose", "my whole.wasm", "-o", "apart"], more].concat())
            .status
            .code()
    };
    fs::create_dir(directory.path().join("apart")).expect("a directory");
    fs::write(directory.path().join("apart/twice.wasm"), "mine").expect("a file");
    let (code, words) = said(directory.path(), &["decompose", "my whole.wasm", "-o", "apart"]);
    assert_eq!(code, 1);
    assert!(words.contains("`apart/twice.wasm` is there already") && words.contains("--force"), "{words}");
    assert_eq!(
        fs::read_dir(directory.path().join("apart")).expect("a directory").count(),
        1,
        "nothing was written"
    );
    assert_eq!(fs::read(directory.path().join("apart/twice.wasm")).expect("a file"), b"mine");
    assert_eq!(again(&["--force"]), Some(0));
    assert_eq!(fs::read(directory.path().join("apart/twice.wasm")).expect("a file"), doubles());
    assert_eq!(fs::read_dir(directory.path().join("apart")).expect("a directory").count(), 3);
    assert_eq!(again(&["--force"]), Some(0));
    let (code, words) = said(directory.path(), &["decompose", "my whole.wasm", "-o", "apart"]);
    assert_eq!(code, 1);
    assert!(words.contains(" and 2 more are there already") && words.contains("overwrites them"), "{words}");
}

#[test]
fn an_input_is_never_overwritten() {
    let directory = composed();
    fs::create_dir(directory.path().join("apart")).expect("a directory");
    fs::rename(directory.path().join("my whole.wasm"), directory.path().join("apart/twice.wasm"))
        .expect("it is there");
    let (code, words) = said(directory.path(), &["decompose", "apart/twice.wasm", "-o", "apart", "--force"]);
    assert_eq!(code, 2);
    assert!(words.contains("is an input, and would be overwritten"), "{words}");
    assert!(!directory.path().join("apart/source.wasm").exists(), "nothing was written");
}

#[test]
fn the_command_says_why_it_cannot() {
    let directory = composed();
    fs::write(directory.path().join("text.wasm"), "hello").expect("a file");
    let (code, words) = said(directory.path(), &["decompose", "twice.wasm", "-o", "apart"]);
    assert_eq!(code, 1);
    assert!(
        words.starts_with("  × `twice.wasm` is not taken apart\n  ╰─▶ it is no composition of components that it holds: a canonical definition at the root, at byte 31"),
        "{words}"
    );
    assert!(words.contains("help: `composer inspect twice.wasm`"), "{words}");
    assert_eq!(said(directory.path(), &["decompose", "text.wasm", "-o", "apart"]).0, 3);
    assert_eq!(said(directory.path(), &["decompose", "twice.wasm"]).0, 2);
    assert!(!directory.path().join("apart").exists());
}

#[test]
fn types_of_imports_are_shared_as_they_were() {
    // Two interfaces, one with a resource that the other uses, both wider than any part asks for.
    let streams = |methods: &str| {
        format!(
            r#"(type $streams (instance
                (export "stream" (type $s (sub resource)))
                {methods}
                (export "[method]stream.read" (func (param "self" (borrow $s)) (result u8)))))
            (import "test:io/streams@1.0.0" (instance $streams (type $streams)))
            (alias export $streams "stream" (type $stream))
            (type $files (instance
                (alias outer 1 $stream (type $s))
                (export "stream" (type $t (eq $s)))
                (export "open" (func (result (own $t))))))
            (import "test:io/files@1.0.0" (instance $files (type $files)))"#
        )
    };
    let part = format!("(component $part {} (core module $m) (core instance (instantiate $m)))", streams(""));
    let wider =
        streams(r#"(export "[method]stream.skip" (func (param "self" (borrow $s)) (param "by" u32)))"#);
    let instances = r#"(instance $x (instantiate $part
            (with "test:io/streams@1.0.0" (instance $streams)) (with "test:io/files@1.0.0" (instance $files))))
        (instance $y (instantiate $part
            (with "test:io/streams@1.0.0" (instance $streams)) (with "test:io/files@1.0.0" (instance $files))))"#;
    let apart = there_and_back(&component(&format!("(component {wider} {part} {instances})")));
    assert_eq!(apart.contracts.len(), 1, "{}", apart.text);
    assert!(
        apart.text.contains("import streams as \"test:io/streams@1.0.0\": contracts:test-io/streams;"),
        "{}",
        apart.text
    );
    let apart = there_and_back(&component(&format!("(component {} {part} {instances})", streams(""))));
    assert!(apart.contracts.is_empty() && !apart.text.contains("import"), "{}", apart.text);
}
