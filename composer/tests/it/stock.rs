//! What is recovered from compositions that other tools made. `stock/README.md` says how.

use std::fs;
use std::path::Path;

use crate::common::composer;
use anatomy::{Component, Source};

fn bytes(name: &str) -> Vec<u8> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stock");
    fs::read(directory.join(name)).expect("it is in the repository")
}

fn read(name: &str) -> Component {
    let bytes = bytes(name);
    let component = anatomy::read(&bytes).expect("a component");
    assert!(anatomy::link_map::read(&bytes, &component).expect("nothing to refuse").is_none());
    component
}

/// Each wire as `part import source`.
fn wires(component: &Component) -> Vec<String> {
    let name = |part: usize| component.parts[part].path.join("/");
    let wire = |edge: &anatomy::Edge| {
        let from = match &edge.from {
            Source::Host { import } => format!("the host's {import}"),
            Source::Part { part, export } => {
                format!("{} {}", name(*part), export.as_deref().unwrap_or("whole"))
            }
        };
        format!("{}: {} from {from}", name(edge.part), edge.import)
    };
    component.edges.iter().map(wire).collect()
}

/// The parts are the files that were composed, byte for byte.
fn check_parts(component: &Component, composed: &[u8], files: &[&str]) {
    assert_eq!(component.parts.len(), files.len());
    for (part, file) in component.parts.iter().zip(files) {
        let (start, end) = (part.offset as usize, (part.offset + part.bytes) as usize);
        assert_eq!(composed[start..end], bytes(file), "{}", part.name);
        assert_eq!(part.digest, anatomy::read(&bytes(file)).expect("a component").digest);
    }
}

#[test]
fn of_wac_compose_with_a_composition_within_and_two_instances_of_one_part() {
    let component = read("outer.wasm");
    let files = ["source.wasm", "source.wasm", "relay.wasm", "relay.wasm", "relay.wasm"];
    check_parts(&component, &bytes("outer.wasm"), &files);
    assert_eq!(
        wires(&component),
        [
            "source: host:a/b from the host's host:a/b",
            "whole/source: host:a/b from the host's host:a/b",
            "whole/left: test:source/out from whole/source test:source/out",
            "whole/right: test:source/out from whole/left test:relay/out",
            "relay: test:source/out from whole/right test:relay/out",
        ]
    );
    assert_eq!(component.compositions.len(), 1);
    assert_eq!(component.compositions[0].path, ["whole"]);
    let reached = component.reach().of(4);
    assert_eq!((reached[0].ways.as_slice(), reached.len()), (&[vec![4, 3, 2, 1]][..], 1));
    assert_eq!(reached[0].imports, ["host:a/b"]);
    assert_eq!(component.parts[0].toolchain[0].name, "rustc");
}

#[test]
fn of_wac_plug_and_wasm_compose_which_name_nothing() {
    for name in ["plugged.wasm", "composed.wasm"] {
        let component = read(name);
        check_parts(&component, &bytes(name), &["source.wasm", "relay.wasm"]);
        let [source, relay] = [&component.parts[0].name, &component.parts[1].name];
        assert_eq!(
            wires(&component),
            [
                format!("{source}: host:a/b from the host's host:a/b"),
                format!("{relay}: test:source/out from {source} test:source/out"),
            ]
        );
        assert_eq!(
            component.outlets[0].from,
            [Source::Part { part: 1, export: Some("test:relay/out".to_owned()) }]
        );
    }
}

#[test]
fn the_command_says_what_is_not_known() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("plugged.wasm"), bytes("plugged.wasm")).expect("a file");
    let output = composer(directory.path(), &["inspect", "plugged.wasm"]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("│ no link map: where its parts came from is not known\n"), "{text}");
}
