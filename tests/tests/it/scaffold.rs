//! What `composer new` begins with builds at once: in every language, for a world that has records, variants, enums,
//! flags, resources, lists, options and results, and for the worlds of the shop. The product is checked against its
//! world, as every product is, and a stub that is called traps.
//!
//! The directories are made in a project of their own, in a temporary directory. What takes long is shared with the checkout:
//! the installed tools, Zig's cache and, as there, the versions of Cargo's lock, so that nothing has to be fetched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{process, project};
use tempfile::TempDir;

const LANGUAGES: [&str; 5] = ["rust", "zig", "c", "python", "javascript"];

/// A project with these contracts and nothing to build yet.
fn empty(wit: &Path) -> TempDir {
    project::ready();
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: String| fs::write(directory.path().join(name), content).unwrap();
    let tools = project::path("target/tools").display().to_string();
    write(
        "interlock.toml",
        format!(
            "[project]\nwit = \"wit\"\nout = \"target\"\n\n[tools]\nnode = \"{tools}/node\"\npython = \"{tools}/python\"\n"
        ),
    );
    write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = []\n".to_owned());
    for name in ["Cargo.lock", "rust-toolchain.toml"] {
        fs::copy(project::path(name), directory.path().join(name)).unwrap();
    }
    copy(wit, &directory.path().join("wit"));
    let cache = project::path("target/build/zig-cache");
    copy(&cache, &directory.path().join("target/build/zig-cache"));
    directory
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

fn composer(directory: &Path, arguments: &[&str]) {
    let output = Command::new(project::command("composer"))
        .args(arguments)
        .current_dir(directory)
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "composer {}: {}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Begins a part for each of these worlds, builds them all, and answers with their names and files.
fn begun(directory: &Path, worlds: &[(&str, &[&str])]) -> Vec<(String, PathBuf)> {
    let mut parts = Vec::new();
    for (world, languages) in worlds {
        for language in *languages {
            let name = format!("{world}-{language}");
            composer(directory, &["new", &name, "--lang", language, "--world", world]);
            let product = directory.join(format!("target/components/{name}.wasm"));
            parts.push((name, product));
        }
    }
    composer(directory, &["build"]);
    parts
}

/// Interfaces with a resource whose names mean something to Python. componentize-py imports a module of the interface's name,
/// and Python has some of these itself: `types` is loaded before the part is, `random` and `queue` are not. `app` is the
/// part's own; `import` and `none` are words of the language.
const TAKEN: [&str; 6] = ["types", "random", "queue", "app", "import", "none"];

fn taken() -> String {
    let interface = |name: &&str| {
        format!(
            "interface %{name} {{ resource %{name} {{ constructor(); next: func() -> u32; }} first: func() -> %{name}; }}\n"
        )
    };
    let interfaces: String = TAKEN.iter().map(interface).collect();
    let exports: String = TAKEN.iter().map(|name| format!("export %{name}; ")).collect();
    format!("package test:every@1.2.0;\n{interfaces}world taken {{ {exports} }}\n")
}

#[test]
fn a_world_that_has_everything_builds_in_every_language() {
    let wit = tempfile::tempdir().unwrap();
    let every = project::path("composer/tests/scaffold/every.wit");
    fs::copy(every, wit.path().join("every.wit")).unwrap();
    fs::write(wit.path().join("taken.wit"), taken()).unwrap();
    let directory = empty(wit.path());
    let worlds: [(&str, &[&str]); 2] = [("every", &LANGUAGES), ("taken", &["python"])];
    for (name, product) in begun(directory.path(), &worlds) {
        let component = anatomy::read(&fs::read(&product).unwrap()).unwrap();
        let expected: &[&str] = if name.starts_with("taken-") { &TAKEN } else { &["values", "resources"] };
        assert!(
            expected.iter().all(|export| component.exports.contains(&format!("test:every/{export}@1.2.0"))),
            "{name} exports {:?}",
            component.exports
        );
    }
}

#[test]
fn the_worlds_of_the_shop_build_and_their_stubs_trap() {
    let directory = empty(&project::path("wit"));
    // Those with an engine inside take long, and the two worlds have all that differs.
    let quick = &LANGUAGES[..3];
    let worlds: [(&str, &[&str]); 4] =
        [("pricing", &LANGUAGES), ("storage", &LANGUAGES), ("orders", quick), ("storefront", quick)];
    for (name, product) in begun(directory.path(), &worlds) {
        if !name.starts_with("pricing-") {
            continue;
        }
        let product = product.display().to_string();
        let call = ["call", &product, "adjust([], gold)"];
        let finished = process::run("host-runner", directory.path(), &call, "").unwrap();
        assert_eq!(finished.stdout, "", "{name} answers without being written");
        assert!(finished.stderr.contains("the guest trapped"), "{name}: {}", finished.stderr);
    }
}
