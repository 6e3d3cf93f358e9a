//! What holds for every product: nothing is imported that its world does not name, parts are embedded byte for
//! byte, and the same inputs give the same bytes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use e2e::{process, project};
use serde::Deserialize;
use wit_parser::{Resolve, WorldKey};

const COMPONENTS: [(&str, &str); 8] = [
    ("storage", "storage"),
    ("orders", "orders"),
    ("orders-python", "orders"),
    ("pricing-rust", "pricing"),
    ("pricing-zig", "pricing"),
    ("pricing-python", "pricing"),
    ("pricing-js", "pricing"),
    ("storefront", "storefront"),
];

/// Each composition that ships: the component that is its logic, and the one that is its pricing rule.
const COMPOSITIONS: [(&str, &str, &str); 5] = [
    ("shop-rust", "orders", "pricing-rust"),
    ("shop-zig", "orders", "pricing-zig"),
    ("shop-python", "orders", "pricing-python"),
    ("shop-js", "orders", "pricing-js"),
    ("shop-polyglot", "orders-python", "pricing-zig"),
];

/// The parts of a composition: what it calls them, the component that each is, and its language.
fn parts(logic: &'static str, pricing: &'static str) -> [(&'static str, &'static str, &'static str); 4] {
    let language = |component: &str| match component.rsplit('-').next() {
        Some("zig") => "Zig",
        Some("python") => "Python",
        Some("js") => "JavaScript",
        _ => "Rust",
    };
    [
        ("storage", "storage", "Rust"),
        ("pricing", pricing, language(pricing)),
        ("orders", logic, language(logic)),
        ("storefront", "storefront", "JavaScript"),
    ]
}

#[derive(Debug, Deserialize)]
struct Inspected {
    imports: Vec<String>,
    exports: Vec<String>,
    parts: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    name: String,
    language: Option<String>,
    bytes: u64,
    imports: Vec<String>,
    exports: Vec<String>,
}

fn inspect(file: &Path) -> Inspected {
    let arguments = [Path::new("inspect"), file, Path::new("--json")];
    let finished = process::run("composer", project::root(), &arguments, "").unwrap();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {}", finished.stdout))
}

/// The imports or exports of a world, and which of them hold nothing but types.
fn world(name: &str, imports: bool) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(project::path("wit")).expect("wit/ loads as it is");
    let world = resolve.packages[package].worlds[name];
    let world = &resolve.worlds[world];
    let items = if imports { &world.imports } else { &world.exports };
    let (mut all, mut types) = (BTreeSet::new(), BTreeSet::new());
    for key in items.keys() {
        let WorldKey::Interface(id) = key else { panic!("{name}: every interface has a name") };
        let full = resolve.id_of(*id).expect("an interface of a package has an id");
        if resolve.interfaces[*id].functions.is_empty() {
            types.insert(full.clone());
        }
        all.insert(full);
    }
    (all, types)
}

fn set(names: &[String]) -> BTreeSet<String> {
    names.iter().cloned().collect()
}

#[test]
fn components_import_and_export_what_their_world_says_and_nothing_else() {
    for (component, world_name) in COMPONENTS {
        let inspected = inspect(&project::component(component));
        // componentize-py adds an export of its own, an instance that is called `exports`.
        let exports: Vec<_> = inspected.exports.iter().filter(|name| *name != "exports").cloned().collect();
        for (names, imports) in [(&inspected.imports, true), (&exports, false)] {
            let (allowed, only_types) = world(world_name, imports);
            let given = set(names);
            let what = if imports { "imports" } else { "exports" };
            assert!(given.is_subset(&allowed), "{component} {what} {:?} beyond its world", &given - &allowed);
            // An interface of types alone may be left out where nothing uses it.
            let missing: BTreeSet<_> = &(&allowed - &given) - &only_types;
            assert!(missing.is_empty(), "{component} {what} no {missing:?}, which its world names");
        }
    }
}

#[test]
fn pure_components_import_nothing_of_the_system() {
    for component in
        ["orders", "orders-python", "pricing-rust", "pricing-zig", "pricing-python", "pricing-js"]
    {
        let imports = inspect(&project::component(component)).imports;
        assert!(imports.iter().all(|import| !import.starts_with("wasi:")), "{component} imports {imports:?}");
    }
    assert_eq!(
        inspect(&project::component("storage"))
            .imports
            .iter()
            .filter(|import| import.starts_with("wasi:"))
            .collect::<Vec<_>>()
            .len(),
        3
    );
}

#[test]
fn composed_shops_leave_only_the_store_the_clock_and_http_to_the_host() {
    for (composition, ..) in COMPOSITIONS {
        let inspected = inspect(&project::composition(composition));
        for import in &inspected.imports {
            let known =
                ["wasi:keyvalue/", "wasi:clocks/", "wasi:io/", "wasi:http/types@", "wasi:random/random@"];
            assert!(known.iter().any(|prefix| import.starts_with(prefix)), "{composition} imports {import}");
        }
        let (exports, only_types) = world("shop", false);
        let missing = &(&exports - &set(&inspected.exports)) - &only_types;
        assert!(missing.is_empty(), "{composition} does not export {missing:?}");
    }
}

#[test]
fn a_composition_is_made_of_its_parts_in_their_languages() {
    for (composition, logic, pricing) in COMPOSITIONS {
        let inspected = inspect(&project::composition(composition));
        let expected = parts(logic, pricing);
        let given: Vec<_> =
            inspected.parts.iter().map(|part| (part.name.as_str(), part.language.as_deref())).collect();
        assert_eq!(given, expected.map(|(name, _, language)| (name, Some(language))), "{composition}");
        for (part, (_, component, _)) in inspected.parts.iter().zip(expected) {
            let file = project::component(component);
            assert_eq!(part.bytes, fs::metadata(&file).unwrap().len(), "{composition}, {component}");
            let alone = inspect(&file);
            assert_eq!(set(&part.imports), set(&alone.imports), "{composition}, {component}");
            assert_eq!(set(&part.exports), set(&alone.exports), "{composition}, {component}");
        }
    }
}

#[test]
fn parts_are_embedded_byte_for_byte() {
    for (composition, logic, pricing) in COMPOSITIONS {
        let whole = fs::read(project::composition(composition)).unwrap();
        for (_, component, _) in parts(logic, pricing) {
            let bytes = fs::read(project::component(component)).unwrap();
            assert!(holds(&whole, &bytes), "{composition} does not hold {component} byte for byte");
        }
    }
}

/// Whether a component's bytes are somewhere in the whole: looked for where any component begins.
fn holds(whole: &[u8], component: &[u8]) -> bool {
    const PREAMBLE: &[u8; 8] = b"\0asm\x0d\0\x01\0";
    whole.windows(8).enumerate().any(|(at, window)| window == PREAMBLE && whole[at..].starts_with(component))
}

#[test]
fn composing_twice_or_with_the_inputs_in_another_order_gives_the_same_bytes() {
    let directory = tempfile::TempDir::new().unwrap();
    for (composition, logic, pricing) in COMPOSITIONS {
        let shipped = fs::read(project::composition(composition)).unwrap();
        let source = project::path(&format!("composer/compositions/{composition}.wac"));
        let mut rotated = parts(logic, pricing);
        for round in 0..rotated.len() {
            let product = directory.path().join(format!("{composition}-{round}.wasm"));
            let mut arguments = vec![
                "compose".to_owned(),
                source.display().to_string(),
                "-o".to_owned(),
                product.display().to_string(),
            ];
            for (_, part, _) in &rotated {
                arguments.push("-d".to_owned());
                arguments.push(format!("parts:{part}={}", project::component(part).display()));
            }
            let finished = process::run("composer", project::root(), &arguments, "").unwrap();
            assert_eq!(finished.code, Some(0), "{}", finished.stderr);
            assert!(fs::read(&product).unwrap() == shipped, "{composition} differs in round {round}");
            rotated.rotate_left(1);
        }
    }
}

#[test]
fn a_second_build_has_nothing_to_do_and_is_quick() {
    project::ready();
    let products = || -> Vec<_> {
        COMPOSITIONS
            .iter()
            .map(|(name, ..)| fs::metadata(project::composition(name)).unwrap().modified().unwrap())
            .collect()
    };
    let before = products();
    let began = std::time::Instant::now();
    let finished = process::run("composer", project::root(), &["build"], "").unwrap();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(products(), before, "products were written again");
    // "Well under a second", with room for a machine that is busy with other tests.
    assert!(began.elapsed().as_secs_f64() < 3.0, "{:?}: {}", began.elapsed(), finished.stderr);
}

#[test]
fn every_shipped_composition_targets_the_world_of_the_shop() {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(project::path("composer/compositions")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("targets shop:worlds/shop@0.1.0"), "{} has no targets clause", path.display());
        found.insert(path.file_stem().unwrap().to_string_lossy().into_owned());
    }
    assert_eq!(found, COMPOSITIONS.iter().map(|(name, ..)| (*name).to_owned()).collect());
}

#[test]
fn the_tree_shows_every_part_with_its_language_and_how_it_is_wired() {
    for (composition, logic, pricing) in COMPOSITIONS {
        let file = project::composition(composition);
        let finished = process::run("composer", project::root(), &[Path::new("inspect"), &file], "").unwrap();
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        for (part, _, language) in parts(logic, pricing) {
            assert!(
                finished.stdout.lines().any(|line| line.contains(part) && line.contains(language)),
                "{composition}: no line has {part} and {language}:\n{}",
                finished.stdout
            );
        }
        assert!(finished.stdout.contains("shop:pricing/policy"), "{}", finished.stdout);
        assert!(!finished.stdout.contains('\u{1b}'), "colour in a pipe");
    }
}
