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

/// Each composition that ships, with its parts and their languages.
const COMPOSITIONS: [(&str, [(&str, &str); 4]); 5] = [
    (
        "shop-rust",
        [("storage", "Rust"), ("orders", "Rust"), ("pricing-rust", "Rust"), ("storefront", "JavaScript")],
    ),
    (
        "shop-zig",
        [("storage", "Rust"), ("orders", "Rust"), ("pricing-zig", "Zig"), ("storefront", "JavaScript")],
    ),
    (
        "shop-python",
        [("storage", "Rust"), ("orders", "Rust"), ("pricing-python", "Python"), ("storefront", "JavaScript")],
    ),
    (
        "shop-js",
        [("storage", "Rust"), ("orders", "Rust"), ("pricing-js", "JavaScript"), ("storefront", "JavaScript")],
    ),
    (
        "shop-polyglot",
        [
            ("storage", "Rust"),
            ("orders-python", "Python"),
            ("pricing-zig", "Zig"),
            ("storefront", "JavaScript"),
        ],
    ),
];

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
        for (names, imports) in [(&inspected.imports, true), (&inspected.exports, false)] {
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
    for (composition, _) in COMPOSITIONS {
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
    for (composition, parts) in COMPOSITIONS {
        let inspected = inspect(&project::composition(composition));
        for (name, language) in parts {
            let part = inspected
                .parts
                .iter()
                .find(|part| part.name.contains(name) && (name != "orders" || !part.name.contains("python")));
            let part =
                part.unwrap_or_else(|| panic!("{composition} has no part {name}: {:?}", inspected.parts));
            assert_eq!(part.language.as_deref(), Some(language), "{composition}, part {name}");
            assert_eq!(
                part.bytes,
                fs::metadata(project::component(name)).unwrap().len(),
                "{composition}, part {name}"
            );
            let alone = inspect(&project::component(name));
            assert_eq!(set(&part.imports), set(&alone.imports), "{composition}, part {name}");
            assert_eq!(set(&part.exports), set(&alone.exports), "{composition}, part {name}");
        }
    }
}

#[test]
fn parts_are_embedded_byte_for_byte() {
    for (composition, parts) in COMPOSITIONS {
        let whole = fs::read(project::composition(composition)).unwrap();
        for (part, _) in parts {
            let bytes = fs::read(project::component(part)).unwrap();
            assert!(contains(&whole, &bytes), "{composition} does not hold {part} byte for byte");
        }
    }
}

/// Whether the bytes are somewhere in the whole. The start of a part is rare enough to look no further elsewhere.
fn contains(whole: &[u8], part: &[u8]) -> bool {
    let head = &part[..part.len().min(64)];
    whole.windows(head.len()).enumerate().any(|(at, window)| window == head && whole[at..].starts_with(part))
}

#[test]
fn composing_twice_or_with_the_inputs_in_another_order_gives_the_same_bytes() {
    let folder = tempfile::TempDir::new().unwrap();
    for (composition, parts) in COMPOSITIONS {
        let shipped = fs::read(project::composition(composition)).unwrap();
        let source = project::path(&format!("composer/compositions/{composition}.wac"));
        let mut rotated = parts.to_vec();
        for round in 0..parts.len() {
            let product = folder.path().join(format!("{composition}-{round}.wasm"));
            let mut arguments = vec![
                "compose".to_owned(),
                source.display().to_string(),
                "-o".to_owned(),
                product.display().to_string(),
            ];
            for (part, _) in &rotated {
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
            .map(|(name, _)| fs::metadata(project::composition(name)).unwrap().modified().unwrap())
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
    assert_eq!(found, COMPOSITIONS.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn the_tree_shows_every_part_with_its_language_and_how_it_is_wired() {
    for (composition, parts) in COMPOSITIONS {
        let file = project::composition(composition);
        let finished = process::run("composer", project::root(), &[Path::new("inspect"), &file], "").unwrap();
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        for (part, language) in parts {
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
