//! Every composition that ships comes apart into the components that it was made of, and what is made of them again is
//! the same and does the same.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use e2e::compose::shop_without_front;
use e2e::{process, project};
use tempfile::TempDir;

/// Each composition that ships, and the components that it is made of.
const COMPOSITIONS: [(&str, [&str; 4]); 5] = [
    ("shop-rust", ["storage", "pricing-rust", "orders", "storefront"]),
    ("shop-zig", ["storage", "pricing-zig", "orders", "storefront"]),
    ("shop-python", ["storage", "pricing-python", "orders", "storefront"]),
    ("shop-js", ["storage", "pricing-js", "orders", "storefront"]),
    ("shop-polyglot", ["storage", "pricing-zig", "orders-python", "storefront"]),
];

fn succeed<A: AsRef<std::ffi::OsStr>>(command: &str, arguments: &[A]) -> String {
    let finished = process::run(command, project::root(), arguments, "").unwrap();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    finished.stdout
}

/// Takes a composition apart into `directory`, puts it together again, and gives the product.
fn again(composition: &Path, directory: &Path) -> PathBuf {
    let product = directory.join("again.wasm");
    let apart = directory.join("apart");
    succeed("composer", &[Path::new("decompose"), composition, Path::new("-o"), &apart]);
    let text = apart.join(composition.file_name().unwrap()).with_extension("wac");
    let mut arguments: Vec<OsString> =
        vec!["compose".into(), text.into(), "-o".into(), product.clone().into()];
    for entry in fs::read_dir(&apart).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "wasm") {
            let mut given = OsString::from("parts:");
            given.push(file.file_stem().unwrap());
            given.push("=");
            given.push(&file);
            arguments.extend(["-d".into(), given]);
        }
    }
    succeed("composer", &arguments);
    product
}

/// Everything that `inspect` finds but the size and digest of the whole: custom sections are no part of the promise.
fn inspect(file: &Path) -> serde_json::Value {
    let printed = succeed("composer", &[Path::new("inspect"), file, Path::new("--json")]);
    let mut found: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let found = found.as_object_mut().unwrap();
    ["imports", "exports", "parts", "edges", "outlets"]
        .map(|field| (field.to_owned(), found.remove(field).unwrap()))
        .into_iter()
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn what_ships_comes_apart_into_its_components_and_together_again() {
    for (composition, components) in COMPOSITIONS {
        let directory = TempDir::new().unwrap();
        let whole = project::composition(composition);
        let product = again(&whole, directory.path());
        for component in components {
            let part = directory.path().join("apart").join(format!("{component}.wasm"));
            assert!(
                fs::read(&part).unwrap() == fs::read(project::component(component)).unwrap(),
                "{composition}: {component} is not what was composed"
            );
        }
        assert_eq!(inspect(&product), inspect(&whole), "{composition}");
        let wit = |file: &Path| succeed("composer", &[Path::new("wit"), file]);
        assert_eq!(wit(&product), wit(&whole), "{composition}");
    }
}

#[test]
fn what_was_put_together_again_gives_the_same_answers() {
    let directory = TempDir::new().unwrap();
    let whole = shop_without_front("orders", &project::component("pricing-zig"));
    let product = again(&whole, directory.path());
    let call = |file: &Path| {
        let question = r#"shop:orders/catalog@0.1.0#list(none, 10)"#;
        succeed(
            "host-runner",
            &[Path::new("call"), file, Path::new(question), Path::new("--keyvalue"), Path::new("memory")],
        )
    };
    let answer = call(&whole);
    assert!(!answer.is_empty());
    assert_eq!(call(&product), answer);
}
