//! What is asserted of each component, command by command.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anatomy::{Component, Source};
use check::is_host;
use serde_json::Value;
use wit_component::{DecodedWasm, OutputToString, WitPrinter};
use wit_parser::Resolve;

use super::corpus::{Entry, digest};
use super::{edits, oracle, reader};
use crate::common::{composer, said};

/// Standard output of a command that ends well and has nothing to say beside it.
fn prints(directory: &Path, arguments: &[&str]) -> String {
    let output = composer(directory, arguments);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*words), (Some(0), ""), "{arguments:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Ends well without a word.
pub fn does(directory: &Path, arguments: &[&str]) {
    assert_eq!(said(directory, arguments), (0, String::new()), "{arguments:?}");
}

fn names(list: &Value) -> Vec<String> {
    serde_json::from_value(list.clone()).expect("a list of names")
}

pub fn inspect(entry: &Entry, directory: &Path) {
    let json: Value =
        serde_json::from_str(&prints(directory, &["inspect", "--json", entry.path()])).expect("it is JSON");
    assert_eq!(json["bytes"], entry.bytes.len());
    let tree = prints(directory, &["inspect", entry.path()]);
    if json["kind"] == "wit-package" {
        let DecodedWasm::WitPackage(resolve, _) = wit_component::decode(&entry.bytes).expect("it decodes")
        else {
            panic!("wit-component takes it for a component");
        };
        let told: BTreeSet<_> = json["packages"]
            .as_array()
            .expect("packages")
            .iter()
            .map(|it| it["name"].as_str().expect("a name"))
            .collect();
        assert_eq!(told.len(), resolve.packages.len());
        for (_, package) in &resolve.packages {
            let name = package.name.to_string();
            assert!(told.contains(name.as_str()) && tree.contains(&name), "{name}");
        }
        return;
    }
    assert_eq!((&json["kind"], &json["digest"]), (&"component".into(), &entry.sha256.as_str().into()));
    let facts = reader::read(&entry.bytes);
    assert_eq!(
        (names(&json["imports"]), names(&json["exports"])),
        (facts.imports.clone(), facts.exports.clone())
    );
    for name in facts.imports.iter().chain(&facts.exports) {
        assert!(tree.contains(name.as_str()), "{name} is not in\n{tree}");
    }
    assert_eq!((&json["sizes"]["code"], &json["sizes"]["data"]), (&facts.code.into(), &facts.data.into()));
    inspected_parts(&json, &facts, entry);
    let told = json["parts"]
        .as_array()
        .expect("parts")
        .iter()
        .flat_map(|part| part["toolchain"].as_array())
        .flatten();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let told: BTreeSet<_> = told.map(|tool| (text(&tool["name"]), text(&tool["version"]))).collect();
    assert!(told.is_subset(&facts.tools), "{told:?} {:?}", facts.tools);
    assert_eq!(told.is_empty(), facts.tools.is_empty(), "who made it is told where it is written down");
}

/// Parts are what is embedded, byte for byte, and each of their imports is satisfied by something.
fn inspected_parts(json: &Value, facts: &reader::Facts, entry: &Entry) {
    let number = |value: &Value| usize::try_from(value.as_u64().expect("a number")).expect("it fits");
    let parts = json["parts"].as_array().expect("parts");
    let mut ranges = BTreeSet::new();
    for (index, part) in parts.iter().enumerate() {
        let start = number(&part["offset"]);
        let range = start..start + number(&part["bytes"]);
        assert_eq!(part["digest"], digest(&entry.bytes[range.clone()]), "{}", part["name"]);
        let satisfied: BTreeSet<_> = json["edges"]
            .as_array()
            .expect("edges")
            .iter()
            .filter(|edge| edge["part"] == index)
            .map(|edge| edge["import"].as_str().expect("a name").to_owned())
            .collect();
        assert_eq!(satisfied, names(&part["imports"]).into_iter().collect(), "{}", part["name"]);
        ranges.insert((range.start, range.end));
    }
    let expected: BTreeSet<_> = if facts.runs {
        [(0, entry.bytes.len())].into()
    } else {
        facts.running.iter().map(|range| (range.start, range.end)).collect()
    };
    assert_eq!(ranges, expected, "each embedded component that runs is a part, and nothing else");
    assert_eq!(json["composition"], !facts.runs);
    assert_eq!(json["outlets"].as_array().map(Vec::len), Some(facts.exports.len()));
}

/// The packages of a text, each by itself.
fn packages(text: &str) -> BTreeSet<&str> {
    text.split("\npackage ").map(|package| package.trim_start_matches("package ").trim()).collect()
}

/// The text says the same as the binary, to whoever reads it.
pub fn wit(entry: &Entry, directory: &Path) {
    let text = prints(directory, &["wit", entry.path()]);
    let mut resolve = Resolve::default();
    let package = resolve.push_source("printed.wit", &text).expect("it is WIT");
    let others: Vec<_> = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package).collect();
    let mut printer = WitPrinter::new(OutputToString::default());
    printer.print(&resolve, package, &others).expect("it is printed");
    let again = printer.output.to_string();
    // The order of packages follows from who is met first; what is in them does not.
    let (once, twice) = (packages(&text), packages(&again));
    if let Some(lost) = once.difference(&twice).next() {
        panic!("read again, this is not there any more:\n{lost}\nbut\n{again}");
    }
    match wit_component::decode(&entry.bytes).expect("it decodes") {
        DecodedWasm::WitPackage(known, main) => {
            let (known, read) = (&known.packages[main], &resolve.packages[package]);
            assert_eq!(known.name, read.name);
            assert!(
                known.interfaces.keys().eq(read.interfaces.keys())
                    && known.worlds.keys().eq(read.worlds.keys())
            );
        }
        DecodedWasm::Component(known, world) => {
            let read = *resolve.packages[package].worlds.values().next().expect("a world");
            assert_eq!(oracle::names(&known, world), oracle::names(&resolve, read));
            oracle::fits(&entry.bytes, &resolve, read)
                .expect("the component is of the world that was printed");
            let facts = reader::read(&entry.bytes);
            let sorted = |mut names: Vec<String>| {
                names.sort();
                names
            };
            assert_eq!(oracle::names(&resolve, read), (sorted(facts.imports), sorted(facts.exports)));
        }
    }
}

/// A component fits its own world, and none in which something of it was changed.
pub fn check(entry: &Entry, directory: &Path) {
    does(directory, &["wit", entry.path(), "-o", "own.wit"]);
    let checked = |world: &str| {
        let output = composer(directory, &["check", entry.path(), "--world", world, "--json"]);
        let json: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        (output.status.code(), json)
    };
    let (code, json) = checked("own.wit");
    assert_eq!(
        (code, &json["fits"], &json["mismatches"]),
        (Some(0), &Value::Bool(true), &Value::Array(Vec::new()))
    );
    let made = edits::all(&entry.bytes);
    assert!(!made.is_empty(), "there is something to change");
    for edit in made {
        let refused =
            oracle::fits(&entry.bytes, &edit.resolve, edit.world).expect_err("the validator refuses it");
        fs::write(directory.join("edited.wit"), edit.text()).expect("a file");
        let (code, json) = checked("edited.wit");
        assert_eq!((code, &json["fits"]), (Some(1), &Value::Bool(false)), "{}: {refused}", edit.what);
        let found = json["mismatches"].as_array().expect("mismatches").iter().any(|mismatch| {
            edit.classes.iter().any(|class| mismatch["class"] == *class)
                && edit.path.iter().all(|step| names(&mismatch["path"]).contains(step))
        });
        assert!(found, "{} ({:?} at {:?}) is not in {json:#}", edit.what, edit.classes, edit.path);
    }
}

/// A bag of one: everything that is not the host's is left open.
pub fn compose(entry: &Entry, directory: &Path) {
    let facts = reader::read(&entry.bytes);
    let given = format!("it={}", entry.path());
    let mut arguments = vec!["compose", &given, "-o", "whole.wasm", "--emit-wac", "whole.wac"];
    for import in facts.imports.iter().filter(|import| !is_host(import) && asks(entry, import)) {
        arguments.extend(["--leave-open", import]);
    }
    let composed = composer(directory, &arguments);
    assert_eq!(composed.status.code(), Some(0), "{}", String::from_utf8_lossy(&composed.stderr));
    let whole = fs::read(directory.join("whole.wasm")).expect("it was written");
    oracle::validate(&whole);
    let found = anatomy::read(&whole).expect("a component");
    let [part] = found.parts.as_slice() else { panic!("{} parts", found.parts.len()) };
    let start = usize::try_from(part.offset).expect("it fits");
    assert!(whole[start..].starts_with(&entry.bytes), "it is embedded byte for byte");
    assert_eq!((&part.digest, part.bytes), (&entry.sha256, entry.bytes.len() as u64));
    let sorted = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(sorted(&found.imports), sorted(&facts.imports));
    assert_eq!(sorted(&found.exports), sorted(&facts.exports));
    // The same type, by the validator's word, in both directions.
    let ((resolve, world), (resolve_whole, world_whole)) =
        (oracle::world(&entry.bytes), oracle::world(&whole));
    oracle::fits(&whole, &resolve, world).expect("it may stand for the component");
    oracle::fits(&entry.bytes, &resolve_whole, world_whole).expect("and the component for it");
    link_map(&whole, &found);
    // The text that was found makes the same bytes.
    let mut again = vec!["compose", "whole.wac", "-o", "again.wasm", "-d", &given];
    again.extend(["-d", "contract:whole=whole.contract.wit"]);
    does(directory, &again);
    assert!(
        fs::read(directory.join("again.wasm")).expect("it was written") == whole,
        "the same bytes from the text"
    );
    taken_apart(&directory.join("whole.wasm"), directory, &[&entry.bytes]);
    drawn(&directory.join("whole.wasm"), &found, directory);
}

/// Whether an import has more in it than names for types: only then anybody has to satisfy it.
pub fn asks(entry: &Entry, import: &str) -> bool {
    let (resolve, world) = oracle::world(&entry.bytes);
    resolve.worlds[world].imports.iter().any(|(key, item)| {
        let resources = |id: &wit_parser::InterfaceId| {
            let types = &resolve.interfaces[*id].types;
            types.values().any(|ty| matches!(resolve.types[*ty].kind, wit_parser::TypeDefKind::Resource))
        };
        resolve.name_world_key(key) == import
            && match item {
                wit_parser::WorldItem::Interface { id, .. } => {
                    !resolve.interfaces[*id].functions.is_empty() || resources(id)
                }
                _ => true,
            }
    })
}

/// The link map agrees with the binary, and without it the same is recovered from the binary alone.
pub fn link_map(whole: &[u8], found: &Component) {
    let map = anatomy::link_map::read(whole, found).expect("it agrees").expect("it is there");
    let parts = map.parts.iter().map(|entry| (&entry.path, &entry.digest));
    assert!(parts.eq(found.parts.iter().map(|part| (&part.path, &part.digest))));
    assert!(map.parts.iter().all(|entry| entry.origin.is_some()), "where each part came from is known");
    let mut bare = whole[..8].to_vec();
    let mut depth = 0;
    for payload in wasmparser::Parser::new(0).parse_all(whole) {
        let payload = payload.expect("it parses");
        match &payload {
            wasmparser::Payload::Version { .. } => depth += 1,
            wasmparser::Payload::End(_) => depth -= 1,
            wasmparser::Payload::CustomSection(section) if section.name() == anatomy::link_map::SECTION => {
                continue;
            }
            _ => {}
        }
        if depth == 1
            && let Some((id, range)) = payload.as_section()
        {
            let content = &whole[range.start as usize..range.end as usize];
            wasm_encoder::Section::append_to(&wasm_encoder::RawSection { id, data: content }, &mut bare);
        }
    }
    let recovered = anatomy::read(&bare).expect("a component");
    assert!(anatomy::link_map::read(&bare, &recovered).expect("nothing to refuse").is_none());
    let shape = |component: &Component| {
        let parts: Vec<_> =
            component.parts.iter().map(|part| (part.path.clone(), part.digest.clone(), part.bytes)).collect();
        (parts, component.edges.clone(), component.outlets.clone(), component.compositions.len())
    };
    assert_eq!(shape(&recovered), shape(found));
}

/// Decomposing gives back what went in, and text that puts it together again.
pub fn taken_apart(whole: &Path, directory: &Path, inputs: &[&Vec<u8>]) {
    let output = composer(directory, &["decompose", whole.to_str().expect("text"), "-o", "apart"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let files =
        fs::read_dir(directory.join("apart")).expect("a directory").map(|file| file.expect("a file").path());
    let mut parts: Vec<String> = files
        .filter(|file| file.extension().is_some_and(|suffix| suffix == "wasm"))
        .map(|file| digest(&fs::read(file).expect("it was written")))
        .collect();
    parts.sort();
    let mut given: Vec<String> = inputs.iter().map(|bytes| digest(bytes)).collect();
    given.sort();
    assert_eq!(parts, given, "the parts are the inputs");
}

/// What has no components in it that run is refused, with what it is; the rest comes apart.
pub fn decompose(entry: &Entry, directory: &Path) {
    assert!(reader::read(&entry.bytes).runs, "a composition among them needs a statement of its own");
    let (code, words) = said(directory, &["decompose", entry.path(), "-o", "apart"]);
    assert_eq!(code, 1, "{words}");
    assert!(words.contains("it is no composition of components that it holds: "), "{words}");
    assert!(words.contains("help: `composer inspect "), "{words}");
    assert!(!directory.join("apart").exists(), "nothing was written");
}

pub fn graph(entry: &Entry, directory: &Path) {
    let found = anatomy::read(&entry.bytes).expect("a component");
    drawn(&entry.file, &found, directory);
}

/// In every form the picture has each part, and each interface that is imported from the host or exported.
pub fn drawn(file: &Path, found: &Component, directory: &Path) {
    let picture = |form: &str| prints(directory, &["graph", file.to_str().expect("text"), "--format", form]);
    let svg = picture("svg");
    let document = roxmltree::Document::parse(&svg).expect("it is well-formed");
    let words: String =
        document.descendants().filter_map(|node| node.text().filter(|_| node.is_text())).collect();
    let boxes = document
        .descendants()
        .filter(|node| node.has_tag_name("g") && node.attribute("class") == Some("part"));
    assert_eq!(boxes.count(), found.parts.len());
    let (mmd, dot) = (picture("mmd"), picture("dot"));
    for part in &found.parts {
        for picture in [&words, &mmd, &dot] {
            assert!(picture.contains(&part.name), "{} is not in {picture}", part.name);
        }
    }
    for edge in &found.edges {
        let name = match &edge.from {
            Source::Host { import } => import,
            Source::Part { .. } => &edge.import,
        };
        let interface = name.rsplit('/').next().and_then(|name| name.split('@').next()).expect("a name");
        for picture in [&words, &mmd, &dot] {
            assert!(edge.types_only || picture.contains(interface), "{name} is not in {picture}");
        }
    }
}
