//! The stock commands make the same of the same inputs: `cargo component build` of the Rust components, and `wac compose` of
//! the texts that ship and of a text that `composer` finds. `python3 tools/setup.py peers` installs them.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{process, project};
use tempfile::TempDir;
use wasmparser::{Parser, Payload};

/// The Rust components of the shop.
const RUST: [&str; 3] = ["storage", "orders", "pricing-rust"];

fn peer(name: &str) -> Command {
    let program = project::path(&format!("target/tools/{name}/bin/{name}"));
    assert!(
        program.is_file(),
        "{} is missing: `python3 tools/setup.py peers` installs it",
        program.display()
    );
    let mut command = Command::new(program);
    command.current_dir(project::root());
    command
}

/// Runs a command that must succeed.
fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Asserts that two components import the same and export the same.
fn assert_alike(theirs: &Path, ours: &Path) {
    let names = |path: &Path| {
        let component = anatomy::read(&fs::read(path).unwrap()).unwrap();
        [component.imports, component.exports].map(BTreeSet::from_iter)
    };
    assert_eq!(names(theirs), names(ours), "{} and {}", theirs.display(), ours.display());
}

#[test]
#[ignore = "needs cargo-component: python3 tools/setup.py peers"]
fn cargo_component_builds_components_with_the_same_imports_and_exports() {
    let directory = project::path("target/cargo-component");
    let mut build = peer("cargo-component");
    build.args(["build", "--locked", "--target", "wasm32-unknown-unknown", "--profile", "guest"]);
    build.args(RUST.iter().flat_map(|name| ["-p", name])).env("CARGO_TARGET_DIR", &directory);
    succeeds(&mut build);
    for name in RUST {
        let product =
            directory.join("wasm32-unknown-unknown/guest").join(format!("{}.wasm", name.replace('-', "_")));
        assert_alike(&product, &project::component(name));
    }
}

/// Composes a text with the stock command. `parts:NAME` are the built components.
fn wac(text: &Path, output: &Path, dependencies: &[OsString], deps: &Path) {
    let mut command = peer("wac");
    command.arg("compose").arg(text).arg("-o").arg(output).arg("--deps-dir").arg(deps);
    for dependency in dependencies {
        command.arg("-d").arg(dependency);
    }
    succeeds(&mut command);
}

fn defined(package: &str, file: &Path) -> OsString {
    let mut definition = OsString::from(format!("{package}="));
    definition.push(file);
    definition
}

fn composes_alike(name: &str) {
    let source = project::path(&format!("composer/compositions/{name}.wac"));
    let text = fs::read_to_string(&source).unwrap();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let parts: BTreeSet<&str> = text
        .split("parts:")
        .skip(1)
        .map(|rest| &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())])
        .collect();
    let parts: Vec<OsString> =
        parts.iter().map(|part| defined(&format!("parts:{part}"), &project::component(part))).collect();
    let directory = TempDir::new().unwrap();
    // The stock command takes `-d` only for packages without a version. The WIT package of the target world, which has one, it
    // looks for in a directory that is named after package and version.
    let target =
        text.lines().find_map(|line| line.split_once(" targets ")).expect("it has a targets clause").1;
    let (package, version) = target.trim_end_matches(';').split_once('@').expect("a version");
    let package = package.split('/').next().expect("a package").replace(':', "/");
    let deps = directory.path().join("deps");
    copy(&project::path("wit"), &deps.join(package).join(version));
    let product = directory.path().join("whole.wasm");
    wac(&source, &product, &parts, &deps);
    assert_alike(&product, &project::composition(name));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

macro_rules! compositions {
    ($($name:ident)*) => {
        $(
            #[test]
            #[ignore = "needs the stock wac: python3 tools/setup.py peers"]
            fn $name() {
                composes_alike(&stringify!($name).replace('_', "-"));
            }
        )*

        #[test]
        fn every_composition_that_ships_is_composed_here() {
            let tested: BTreeSet<String> = [$(stringify!($name).replace('_', "-")),*].into();
            let files = fs::read_dir(project::path("composer/compositions")).unwrap();
            let shipped: BTreeSet<String> = files
                .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
                .collect();
            assert_eq!(tested, shipped);
        }
    };
}

compositions! { shop_rust shop_zig shop_python shop_js shop_polyglot }

/// The sections of a WebAssembly binary, without custom ones.
fn sections(path: &Path) -> Vec<(u8, Vec<u8>)> {
    let bytes = fs::read(path).unwrap();
    let mut depth = 0;
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(&bytes) {
        let payload = payload.unwrap();
        match payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
        if let Some((id, range)) = payload.as_section().filter(|(id, _)| depth == 1 && *id != 0) {
            found.push((id, bytes[range.start as usize..range.end as usize].to_vec()));
        }
    }
    found
}

#[test]
#[ignore = "needs the stock wac: python3 tools/setup.py peers"]
fn a_text_that_composer_finds_composes_to_the_same_bytes() {
    let names = ["storage", "orders", "pricing-zig", "storefront"];
    let parts = names.map(project::component);
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    let mut arguments: Vec<OsString> = vec!["compose".into()];
    arguments.extend(parts.iter().map(|part| part.clone().into_os_string()));
    arguments.extend(["-o", "bag.wasm", "--emit-wac", "bag.wac"].map(OsString::from));
    let finished = process::run("composer", directory.path(), &arguments, "").unwrap();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let mut dependencies: Vec<OsString> =
        names.iter().zip(&parts).map(|(name, part)| defined(&format!("parts:{name}"), part)).collect();
    dependencies.push(defined("contract:bag", &at("bag.contract.wit")));
    let stock: PathBuf = at("stock.wasm");
    wac(&at("bag.wac"), &stock, &dependencies, &at("none"));
    assert!(sections(&at("bag.wasm")) == sections(&stock), "the same bytes, apart from custom sections");
}
