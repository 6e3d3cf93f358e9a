//! What compositions say of themselves: the link map, and what is recovered without it.

use std::fs;

use crate::common::{answers, composer, doubles, part, said};
use anatomy::Source;
use anatomy::link_map::{self, Link, LinkMap};
use compose::link_map::{Origin, Origins};
use compose::{Packages, compose, compose_from};
use proptest::prelude::*;
use wasmparser::{Parser, Payload};

const WHOLE: &str = r#"package example:whole;
let source = new parts:source {};
let doubler = new parts:doubler { answer: source["answer"] };
export doubler["doubled"];
"#;

fn packages() -> Packages {
    Packages::from([("parts:source".to_owned(), answers(21)), ("parts:doubler".to_owned(), doubles())])
}

/// The link map of a composition, after it was compared with the binary.
fn map(bytes: &[u8]) -> LinkMap {
    let component = anatomy::read(bytes).expect("a component");
    link_map::read(bytes, &component).expect("an honest map").expect("every composition has one")
}

/// A composition without its link map.
fn stripped(bytes: &[u8]) -> Vec<u8> {
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.expect("a component") {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::CustomSection(section) if depth == 1 && section.name() == link_map::SECTION => {
                // Before the content of the section there are its code, its length and its name.
                let length = section.range().end - section.range().start;
                let head = 1 + if length < 0x80 {
                    1
                } else if length < 0x4000 {
                    2
                } else {
                    3
                };
                let rest = &bytes[section.range().end as usize..];
                return [&bytes[..(section.range().start - head) as usize], rest].concat();
            }
            _ => {}
        }
    }
    panic!("there is no link map");
}

fn recovered(bytes: &[u8]) -> LinkMap {
    let bytes = stripped(bytes);
    let component = anatomy::read(&bytes).expect("a component");
    assert!(link_map::read(&bytes, &component).expect("nothing to refuse").is_none());
    LinkMap::recover(&component)
}

fn without_origins(mut map: LinkMap) -> LinkMap {
    map.parts.iter_mut().for_each(|part| part.origin = None);
    map.compositions.iter_mut().for_each(|inner| inner.origin = None);
    map
}

/// The origins of the parts: packages, and files or references.
fn origins(map: &LinkMap) -> Vec<(String, Option<String>, Option<String>)> {
    let origin = |part: &link_map::Entry| {
        let origin = part.origin.clone().expect("it is known");
        (format!("{} = {}", part.path.join("/"), origin.package), origin.file, origin.registry)
    };
    map.parts.iter().map(origin).collect()
}

#[test]
fn a_composition_says_where_its_parts_came_from_and_no_more() {
    let known = Origins::from([
        ("parts:source".to_owned(), Origin::file("/home/somebody/secret/s.wasm")),
        ("parts:doubler".to_owned(), Origin::registry("registry.example/parts/doubler:1.0.0")),
    ]);
    let whole = compose_from("/home/somebody/whole.wac", WHOLE, &packages(), &known).expect("a composition");
    assert_eq!(
        origins(&map(&whole)),
        [
            ("source = parts:source".to_owned(), Some("s.wasm".to_owned()), None),
            (
                "doubler = parts:doubler".to_owned(),
                None,
                Some("registry.example/parts/doubler:1.0.0".to_owned())
            ),
        ]
    );
    assert!(!String::from_utf8_lossy(&whole).contains("somebody"));
    assert_eq!(
        Origin::file(r"C:\somebody\s.wasm"),
        Origin::file("s.wasm"),
        "directories of other systems are directories too"
    );
}

#[test]
fn the_command_writes_names_of_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    fs::write(at("whole.wac"), WHOLE).expect("a file");
    fs::create_dir(at("deep")).expect("a directory");
    fs::write(at("deep/s.wasm"), answers(21)).expect("a file");
    fs::write(at("d.wasm"), doubles()).expect("a file");
    let source = format!("parts:source={}", at("deep/s.wasm").display());
    let arguments = ["compose", "whole.wac", "-o", "a.wasm", "-d", &source, "-d", "parts:doubler=d.wasm"];
    assert_eq!(said(directory.path(), &arguments), (0, String::new()));
    let whole = fs::read(at("a.wasm")).expect("it was written");
    let files: Vec<_> = origins(&map(&whole)).into_iter().map(|(_, file, _)| file).collect();
    assert_eq!(files, [Some("s.wasm".to_owned()), Some("d.wasm".to_owned())]);
    // From another directory, by other paths, the same bytes.
    let arguments =
        ["compose", "../whole.wac", "-o", "-", "-d", "parts:source=s.wasm", "-d", "parts:doubler=../d.wasm"];
    assert_eq!(composer(&at("deep"), &arguments).stdout, whole);
}

#[test]
fn a_composition_stays_valid_and_is_the_same_every_time() {
    let once = compose("whole.wac", WHOLE, &packages()).expect("a composition");
    check::fit::validate(&once).expect("it is valid");
    assert_eq!(compose("other.wac", WHOLE, &packages()).expect("a composition"), once);
}

#[test]
fn packages_of_the_same_bytes_are_told_apart_by_the_names_of_their_instances() {
    let text = r#"package example:whole;
        let %left = new parts:b {};
        let right = new parts:a@1.0.0 {};
        export %left["answer"] as "left";
        export right["answer"] as "right";"#;
    let packages = Packages::from([("parts:a".to_owned(), answers(1)), ("parts:b".to_owned(), answers(1))]);
    let whole = compose("whole.wac", text, &packages).expect("a composition");
    let named: Vec<_> = origins(&map(&whole)).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(named, ["left = parts:b", "right = parts:a"]);
}

#[test]
fn what_a_composition_knows_of_its_parts_the_one_around_it_knows_too() {
    let known = Origins::from([("parts:source".to_owned(), Origin::file("s.wasm"))]);
    let inner = compose_from("inner.wac", WHOLE, &packages(), &known).expect("a composition");
    let text = "package example:outer;
        let one = new parts:inner {};
        let two = new parts:inner {};
        export one[\"doubled\"];
        export two[\"doubled\"] as \"again\";";
    let outer = |inner: Vec<u8>| {
        let known = Origins::from([("parts:inner".to_owned(), Origin::file("inner.wasm"))]);
        let packages = Packages::from([("parts:inner".to_owned(), inner)]);
        map(&compose_from("outer.wac", text, &packages, &known).expect("a composition"))
    };
    let found = outer(inner.clone());
    assert_eq!(
        origins(&found),
        [
            ("one/source = parts:source".to_owned(), Some("s.wasm".to_owned()), None),
            ("one/doubler = parts:doubler".to_owned(), None, None),
            ("two/source = parts:source".to_owned(), Some("s.wasm".to_owned()), None),
            ("two/doubler = parts:doubler".to_owned(), None, None),
        ]
    );
    let within = found.compositions[1].origin.as_ref().expect("it is known");
    assert_eq!((&*within.package, within.file.as_deref()), ("parts:inner", Some("inner.wasm")));

    // A lie of the inner map is not passed on: its digests are not those of what is there.
    let digest = map(&inner).parts[0].digest.clone();
    let (place, _) = inner
        .windows(64)
        .enumerate()
        .find(|(_, window)| *window == digest.as_bytes())
        .expect("digests are in the map");
    let mut lying = inner;
    lying[place] = if lying[place] == b'0' { b'1' } else { b'0' };
    assert!(outer(lying).parts.iter().all(|part| part.origin.is_none()));
}

/// What satisfies an import: the host's interface of this number, or the instance of this number.
#[derive(Debug, Clone, Copy)]
enum From {
    Host(usize),
    Instance(usize),
}

/// A composition in the abstract: instances, each of a package, with what satisfies each of its imports.
#[derive(Debug, Clone)]
struct Model {
    /// How many imports each package has.
    packages: Vec<usize>,
    instances: Vec<(usize, Vec<From>)>,
}

fn model() -> impl Strategy<Value = Model> {
    let packages = prop::collection::vec(0_usize..4, 1..4);
    packages.prop_flat_map(|packages| {
        let choices = prop::collection::vec(
            (
                any::<prop::sample::Index>(),
                prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 4),
            ),
            1..7,
        );
        choices.prop_map(move |choices| {
            let mut instances: Vec<(usize, Vec<From>)> = Vec::new();
            for (package, sources) in choices {
                let package = package.index(packages.len());
                let sources = sources.iter().take(packages[package]).map(|(inside, which)| {
                    if *inside && !instances.is_empty() {
                        From::Instance(which.index(instances.len()))
                    } else {
                        From::Host(which.index(3))
                    }
                });
                let sources = sources.collect();
                instances.push((package, sources));
            }
            Model { packages: packages.clone(), instances }
        })
    })
}

impl Model {
    fn packages(&self) -> Packages {
        let package = |(index, imports): (usize, &usize)| {
            let imports: Vec<String> =
                (0..*imports).map(|import| format!("test:p{index}/in{import}")).collect();
            (format!("parts:p{index}"), part(&imports, &format!("test:p{index}/out"), None))
        };
        self.packages.iter().enumerate().map(package).collect()
    }

    /// The composition as a text that exports what the last instance does.
    fn text(&self) -> String {
        use std::fmt::Write;

        let mut text = "package example:whole;\n".to_owned();
        for host in 0..3 {
            writeln!(text, "import h{host}: interface {{ f: func() -> u32; }};").expect("memory");
        }
        for (index, (package, sources)) in self.instances.iter().enumerate() {
            write!(text, "let i{index} = new parts:p{package} {{").expect("memory");
            for (import, source) in sources.iter().enumerate() {
                let source = match source {
                    From::Host(host) => format!("h{host}"),
                    From::Instance(other) => format!("i{other}[\"test:p{}/out\"]", self.instances[*other].0),
                };
                write!(text, " \"test:p{package}/in{import}\": {source},").expect("memory");
            }
            text.push_str(" };\n");
        }
        let last = self.instances.len() - 1;
        writeln!(text, "export i{last}[\"test:p{}/out\"];", self.instances[last].0).expect("memory");
        text
    }

    /// The wires, by the names of instances, in no particular order.
    fn wires(&self) -> Vec<(String, String, String)> {
        let mut wires = Vec::new();
        for (index, (package, sources)) in self.instances.iter().enumerate() {
            for (import, source) in sources.iter().enumerate() {
                let from = match source {
                    From::Host(host) => format!("h{host}"),
                    From::Instance(other) => format!("i{other} test:p{}/out", self.instances[*other].0),
                };
                wires.push((format!("i{index}"), format!("test:p{package}/in{import}"), from));
            }
        }
        wires.sort();
        wires
    }
}

/// The wires of a map, by the names of instances below `prefix`.
fn wires(map: &LinkMap, prefix: &str) -> Vec<(String, String, String)> {
    let name =
        |part: usize| map.parts[part].path.join("/").strip_prefix(prefix).expect("it is below").to_owned();
    let wire = |link: &Link| {
        let from = match &link.from {
            Source::Host { import } => import.clone(),
            Source::Part { part, export } => {
                format!("{} {}", name(*part), export.as_deref().unwrap_or_default())
            }
        };
        (name(link.part), link.import.clone(), from)
    };
    let mut wires: Vec<_> = map.edges.iter().map(wire).collect();
    wires.sort();
    wires
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_map_says_what_was_composed_and_the_binary_alone_says_the_same(model in model()) {
        let whole = compose("whole.wac", &model.text(), &model.packages()).expect("a composition");
        let said = map(&whole);
        prop_assert_eq!(wires(&said, ""), model.wires());
        for part in &said.parts {
            let index: usize = part.path[0][1..].parse().expect("a number");
            let package = format!("parts:p{}", model.instances[index].0);
            prop_assert_eq!(&part.origin.as_ref().expect("it is known").package, &package);
        }
        prop_assert_eq!(without_origins(said), recovered(&whole));

        // The same one level further in.
        let outer = "package example:outer; let whole = new parts:whole { ... }; export whole...;";
        let packages = Packages::from([("parts:whole".to_owned(), whole)]);
        let outer = compose("outer.wac", outer, &packages).expect("a composition");
        let said = map(&outer);
        prop_assert_eq!(wires(&said, "whole/"), model.wires());
        prop_assert_eq!(without_origins(said), recovered(&outer));
    }
}
