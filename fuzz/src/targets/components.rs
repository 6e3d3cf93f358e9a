//! Components that others built.

use anatomy::Source;
use anatomy::link_map::{self, LinkMap};
use check::{self, Part};
use check::{fit, wit};
use compose::Packages;
use compose::{decompose as apart, deny as closing, wire};
use composer::report::Finding;
use composer::{doctor, graph, report};
use contract::shape::Shape;
use contract::shown::is_harmless;

use super::{said, shown};
use crate::seeds;

/// How many components of an input are looked at.
const PARTS: usize = 4;

pub(crate) fn anatomy(data: &[u8]) {
    let component = match anatomy::read(data) {
        Ok(component) => component,
        Err(error) => {
            said(&error);
            return;
        }
    };
    let cut = anatomy::read(&data[..data.len() - 1]);
    assert!(data.len() == 8 || cut.is_err(), "without its last byte it is read too");
    for part in &component.parts {
        let bytes = &data[part.offset as usize..][..part.bytes as usize];
        assert!(bytes.starts_with(b"\0asm"), "part `{}` is somewhere else", part.name);
    }
    let there = |source: &Source| match source {
        Source::Host { import } => component.imports.contains(import),
        Source::Part { part, .. } => *part < component.parts.len(),
    };
    assert!(component.edges.iter().all(|edge| edge.part < component.parts.len() && there(&edge.from)));
    assert!(component.outlets.iter().flat_map(|outlet| &outlet.from).all(there));
    let reach = component.reach();
    for part in 0..component.parts.len().min(20) {
        for reached in reach.of(part) {
            let goes = |way: &Vec<usize>| way.first() == Some(&part) && way.last() == Some(&reached.importer);
            assert!(reached.ways.iter().all(goes) && !reached.imports.is_empty());
        }
    }
    let map = LinkMap::recover(&component);
    assert_eq!(map.lies(&component), []);
    assert_eq!(serde_json::from_slice::<LinkMap>(&map.to_bytes()).ok(), Some(map));
    if let Err(error) = link_map::read(data, &component) {
        said(&error);
    }
}

pub(crate) fn inspect(data: &[u8]) {
    // Modules are looked into as well.
    if let Err(error) = doctor::making(data) {
        said(&error);
    }
    let finding = match report::inspect(data) {
        Ok(finding) => finding,
        Err(error) => {
            said(&error);
            return;
        }
    };
    let json = report::json(&finding);
    serde_json::from_str::<serde_json::Value>(&json).expect("it is JSON");
    let tree = report::tree("it", &finding);
    assert!(is_harmless(&tree), "the tree has control characters");
    if let Finding::Component(inspected) = &finding {
        assert!(is_harmless(&graph::mermaid("it", &inspected.component)));
        assert!(is_harmless(&graph::dot("it", &inspected.component)));
        match graph::svg("it", &inspected.component) {
            Ok(svg) => assert!(is_harmless(&svg), "the picture has control characters"),
            Err(error) => {
                said(&error);
            }
        }
    }
    match wit::text(data) {
        Ok(text) => assert!(is_harmless(&text), "the contract has control characters"),
        Err(error) => {
            said(&error);
        }
    }
}

pub(crate) fn decompose(data: &[u8]) {
    match apart::decompose("whole", data) {
        Ok(apart) => {
            for piece in &apart.parts {
                let found = data.windows(piece.bytes.len()).any(|window| window == piece.bytes);
                assert!(found, "`{}` is not what is in the whole", piece.name);
            }
            let again = compose::compose("whole.wac", &apart.text, &apart.packages());
            if let Err(error) = again {
                panic!("it does not go together again: {}", said(&error));
            }
        }
        Err(error) => {
            said(&error);
        }
    }
}

pub(crate) fn deny(data: &[u8]) {
    let Ok(component) = anatomy::read(data) else { return };
    let close: Vec<_> = component.imports.iter().filter_map(|name| name.parse().ok()).take(8).collect();
    match closing::deny(data, &close) {
        Ok(stub) => {
            if let Err(error) = fit::validate(&stub.component) {
                panic!("the stub is not valid: {}", said(&error));
            }
        }
        Err(error) => {
            said(&error);
        }
    }
}

pub(crate) fn check(data: &[u8]) {
    let given: Vec<&[u8]> = seeds::components(data).take(PARTS).collect();
    let plugs: Vec<(&str, &[u8])> = given[1..].iter().map(|bytes| ("plug", *bytes)).collect();
    match check::plug_bytes(("socket", given[0]), &plugs) {
        Ok(report) => tell(&report),
        Err(error) => {
            said(&error);
        }
    }
    if let Ok(shape) = Shape::of_component(given[0]) {
        let itself = Part { name: "it", shape: &shape };
        match check::world(itself, itself) {
            Ok(report) => tell(&report),
            Err(error) => {
                said(&error);
            }
        }
    }
}

fn tell(report: &check::Report) {
    assert_eq!(report.fits(), report.mismatches.is_empty());
    for mismatch in &report.mismatches {
        for excerpt in mismatch.wanted.iter().chain(&mismatch.offered) {
            assert!(excerpt.text.get(excerpt.span.clone()).is_some(), "the span is not in the text");
        }
    }
    let _ = check::blocks(&report.mismatches, true);
}

pub(crate) fn compose(data: &[u8]) {
    let names = ["first", "second", "third", "fourth"];
    let given = names.into_iter().zip(seeds::components(data));
    let parts: Vec<_> = given.map(|(name, bytes)| wire::Part::new(name, bytes.to_vec())).collect();
    let text = "package a:b; let it = new parts:first { ... }; export it...;";
    let packages: Packages = wire::packages(parts.clone());
    if let Err(error) = compose::compose("text.wac", text, &packages) {
        said(&error);
        shown(&error);
    }
    match wire::find(&wire::Request { parts, ..wire::Request::default() }) {
        Ok(wiring) => {
            let text = wiring.text("whole", None);
            if let Err(error) = compose::compose("found.wac", &text, &packages) {
                said(&error);
            }
        }
        Err(error) => {
            said(&error);
        }
    }
}
