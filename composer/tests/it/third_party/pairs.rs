//! Every component against every other one: whatever `check` says, the validator says too.

use std::fs;

use anatomy::Source;
use check::{Class, Part, Report, compatible, is_host, plug, world};
use contract::Contracts;
use contract::shape::Shape;

use super::corpus::{Corpus, Entry};
use super::oracle;
use crate::common::composer;

fn shapes(corpus: &Corpus) -> Vec<(&Entry, Shape)> {
    corpus
        .valid()
        .map(|entry| (entry, Shape::of_component(&entry.bytes).expect("its type is taken in")))
        .collect()
}

/// Each as the socket of each other one. Where `check` wires something and finds nothing wrong with it, composing the two
/// gives a valid component with that wire; where it finds something wrong, composing refuses.
pub fn plugs(corpus: &Corpus) {
    let shapes = shapes(corpus);
    let mut wired = 0;
    for (socket, wants) in &shapes {
        for (offered, has) in shapes.iter().filter(|(entry, _)| entry.name != socket.name) {
            let report =
                plug(Part { name: &socket.name, shape: wants }, &[Part { name: &offered.name, shape: has }])
                    .unwrap_or_else(|error| panic!("{} with {}: {error}", socket.name, offered.name));
            let mine: Vec<_> = report.wired.iter().filter(|wire| wire.part == socket.name).collect();
            if mine.is_empty() {
                assert_eq!(report.unused, [offered.name.as_str()]);
                continue;
            }
            wired += 1;
            composed(socket, offered, &report);
        }
    }
    assert!(wired >= 2, "{wired} pairs were wired: of some that were made for each other it is known");
}

fn composed(socket: &Entry, offered: &Entry, report: &Report) {
    let directory = tempfile::tempdir().expect("a directory");
    let names = [format!("socket={}", socket.path()), format!("plug={}", offered.path())];
    let mut arguments = vec!["compose", &names[0], &names[1], "-o", "whole.wasm"];
    let open: Vec<String> = [socket, offered]
        .iter()
        .flat_map(|entry| anatomy::read(&entry.bytes).expect("a component").imports)
        .filter(|import| !is_host(import) && !report.wired.iter().any(|wire| wire.import == *import))
        .collect();
    open.iter().for_each(|import| arguments.extend(["--leave-open", import]));
    let output = composer(directory.path(), &arguments);
    let words = String::from_utf8_lossy(&output.stderr);
    let wrong =
        |class: Class| !matches!(class, Class::Unwired | Class::MissingInterface | Class::MissingFunction);
    if report.mismatches.iter().any(|mismatch| wrong(mismatch.class)) {
        assert_eq!(output.status.code(), Some(1), "{} with {}: {words}", socket.name, offered.name);
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{} with {}: {words}", socket.name, offered.name);
    let whole = fs::read(directory.path().join("whole.wasm")).expect("it was written");
    oracle::validate(&whole);
    let found = anatomy::read(&whole).expect("a component");
    for wire in report.wired.iter().filter(|wire| wire.part == socket.name) {
        let there = found.edges.iter().any(|edge| {
            found.parts[edge.part].name == "socket"
                && edge.import == wire.import
                && matches!(&edge.from, Source::Part { export: Some(export), .. } if *export == wire.export)
        });
        assert!(there, "{} is not wired to {}", wire.import, wire.export);
    }
}

/// Each against the world of each other one. The validator takes names as they are, so it has the last word where all
/// names are the same; where versions differ, `check` may only go further by those that promise to fit.
pub fn worlds(corpus: &Corpus) {
    let shapes = shapes(corpus);
    let (mut fits, mut not) = (0, 0);
    for (other, _) in &shapes {
        let (resolve, id) = oracle::world(&other.bytes);
        let package = resolve.worlds[id].package.expect("it is in a package");
        let wanted =
            Shape::of_world(&Contracts::new(resolve.clone(), package), id).expect("it can be encoded");
        let offered = oracle::names(&resolve, id);
        for (entry, shape) in &shapes {
            let told = world(Part { name: &entry.name, shape }, Part { name: "world", shape: &wanted })
                .unwrap_or_else(|error| panic!("{} for {}: {error}", entry.name, other.name));
            let verdict = oracle::fits(&entry.bytes, &resolve, id);
            match (&verdict, told.fits()) {
                (Ok(()), true) => fits += 1,
                (Err(_), false) => not += 1,
                (Ok(()), false) => {
                    panic!("{} is of {}'s world: {:#?}", entry.name, other.name, told.mismatches)
                }
                (Err(words), true) => {
                    let (resolve, id) = oracle::world(&entry.bytes);
                    let (imports, exports) = oracle::names(&resolve, id);
                    let by_version = |mine: &str, theirs: &[String]| {
                        !theirs.iter().any(|name| name == mine)
                            && theirs.iter().any(|name| compatible(mine, name))
                    };
                    let differs = imports.iter().any(|name| by_version(name, &offered.0))
                        || offered.1.iter().any(|name| by_version(name, &exports));
                    assert!(differs, "{} is not of {}'s world: {words}", entry.name, other.name);
                }
            }
        }
    }
    assert!(fits >= shapes.len() && not > shapes.len(), "{fits} fit, {not} do not");
}
