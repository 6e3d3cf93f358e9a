//! Compositions of components that were made for each other.

use std::fs;
use std::path::Path;

use super::corpus::Corpus;
use super::each;
use super::oracle;
use crate::common::{composer, said};

/// Components, what stays open, and what the composition exports.
type Bag = (&'static [&'static str], &'static [&'static str], &'static [&'static str]);

const MADE_FOR_EACH_OTHER: [Bag; 2] = [
    (&["wac-greeter", "wac-hello"], &[], &["greet"]),
    (&["wash-cron-service", "wash-cron"], &[], &["wasi:cli/run@0.2.3"]),
];

const ONE_BAG: Bag = (
    &[
        "wac-greeter",
        "wac-hello",
        "wash-cron-service",
        "wash-cron",
        "cerberust-redact",
        "hyperlight-javascript",
    ],
    &["hyperlight:sandbox/tools"],
    &["cerberust:guard/scanner@0.1.0", "greet", "hyperlight:sandbox/executor", "wasi:cli/run@0.2.3"],
);

pub fn pairs_made_for_each_other(corpus: &Corpus) {
    for bag in MADE_FOR_EACH_OTHER {
        let directory = tempfile::tempdir().expect("a directory");
        let (socket, plugs) = bag.0.split_first().expect("there is one");
        let mut check = vec!["check", corpus.entry(socket).path()];
        check.extend(plugs.iter().map(|plug| corpus.entry(plug).path()));
        let output = composer(directory.path(), &check);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
        composed(corpus, bag, bag.0, directory.path(), "whole.wasm");
    }
}

pub fn a_bag_in_any_order(corpus: &Corpus) {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    composed(corpus, ONE_BAG, ONE_BAG.0, at, "whole.wasm");
    let mut order = ONE_BAG.0.to_vec();
    for turn in 0..3 {
        order.rotate_left(turn + 1);
        order.swap(0, 2);
        let name = format!("{turn}.wasm");
        composes(corpus, ONE_BAG, &order, at, &name);
        let same =
            fs::read(at.join(name)).expect("it was written") == fs::read(at.join("whole.wasm")).expect("too");
        assert!(same, "other bytes in the order {order:?}");
    }
}

fn composes(corpus: &Corpus, bag: Bag, order: &[&str], directory: &Path, name: &str) {
    let files = order.iter().map(|name| corpus.entry(name).path());
    let mut arguments: Vec<&str> = ["compose"].into_iter().chain(files).chain(["-o", name]).collect();
    bag.1.iter().for_each(|import| arguments.extend(["--leave-open", import]));
    assert_eq!(said(directory, &arguments), (0, String::new()));
}

/// Composes them, and asserts what is true of every composition of this bag.
fn composed(corpus: &Corpus, bag: Bag, order: &[&str], directory: &Path, name: &str) {
    composes(corpus, bag, order, directory, name);
    let whole = fs::read(directory.join(name)).expect("it was written");
    oracle::validate(&whole);
    let found = anatomy::read(&whole).expect("a component");
    let mut exports = found.exports.clone();
    exports.sort();
    assert_eq!(exports, bag.2);
    let inputs: Vec<&Vec<u8>> = bag.0.iter().map(|name| &corpus.entry(name).bytes).collect();
    assert_eq!(found.parts.len(), inputs.len());
    for part in &found.parts {
        let start = usize::try_from(part.offset).expect("it fits");
        let given =
            inputs.iter().any(|input| whole[start..].starts_with(input) && part.bytes == input.len() as u64);
        assert!(given, "{} is embedded byte for byte", part.name);
    }
    each::link_map(&whole, &found);
    each::drawn(&directory.join(name), &found, directory);
    each::taken_apart(&directory.join(name), directory, &inputs);
    // And put together again it is the same again.
    let mut text =
        fs::read_dir(directory.join("apart")).expect("a directory").map(|file| file.expect("a file").path());
    let text = text.find(|file| file.extension().is_some_and(|suffix| suffix == "wac")).expect("a text");
    let parts: Vec<String> = found
        .parts
        .iter()
        .map(|part| {
            format!(
                "parts:{}={}",
                part.name,
                directory.join("apart").join(format!("{}.wasm", part.name)).display()
            )
        })
        .collect();
    let mut arguments = vec!["compose", text.to_str().expect("text"), "-o", "again.wasm"];
    parts.iter().for_each(|part| arguments.extend(["-d", part]));
    assert_eq!(said(directory, &arguments), (0, String::new()));
    let again =
        anatomy::read(&fs::read(directory.join("again.wasm")).expect("it was written")).expect("a component");
    assert_eq!(
        (&again.parts.len(), &again.imports, &again.exports),
        (&found.parts.len(), &found.imports, &found.exports)
    );
}
