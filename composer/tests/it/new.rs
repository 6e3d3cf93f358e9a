//! `composer new`: what it makes and lists, and that it leaves everything alone where it cannot.

use std::fs;
use std::path::Path;

use crate::common::composer;
use tempfile::TempDir;

const MANIFEST: &str = "[project]\nwit = \"wit\"\nout = \"target\"\n";

const WIT: &str = "package example:worlds@1.0.0;
interface greeting { greet: func(name: string) -> string; }
world greeter { export greeting; }
world waiter { export wait: async func(); }
";

fn project(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, content) in [("interlock.toml", MANIFEST), ("wit/worlds.wit", WIT)].iter().chain(files) {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        fs::write(path, content).expect("a file");
    }
    directory
}

fn new(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = composer(directory, &[&["new"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("it was not killed"), text(output.stdout), text(output.stderr))
}

fn read(directory: &Path, name: &str) -> String {
    fs::read_to_string(directory.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// All files below a directory, with what is in them.
fn all(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).expect("it is there").flatten() {
            let shown = entry.path().display().to_string();
            if entry.path().is_dir() {
                found.push((shown, String::new()));
                left.push(entry.path());
            } else {
                found.push((shown, read(directory, &entry.path().to_string_lossy())));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn nothing_is_done_where_something_is_in_the_way() {
    let shop = project(&[
        ("components/taken/notes.txt", "mine"),
        (
            "interlock.toml",
            &format!("{MANIFEST}\n[components.known]\nlanguage = \"c\"\npath = \"x\"\nworld = \"greeter\"\n"),
        ),
    ]);
    let directory = shop.path();
    let before = all(directory);
    let c = ["--lang", "c", "--world"];
    for (arguments, code, words) in [
        (vec!["taken", c[0], c[1], c[2], "greeter"], 1, "there is a `components/taken` already"),
        (vec!["free", c[0], c[1], c[2], "greeter", "--path", "wit"], 1, "there is a `wit` already"),
        (vec!["known", c[0], c[1], c[2], "greeter"], 1, "interlock.toml lists a `known` already"),
        (vec!["Free", c[0], c[1], c[2], "greeter"], 2, "`Free` is not a name"),
        (vec!["free", c[0], c[1], c[2], "greter"], 1, "there is no world `greter`"),
        (vec!["free", c[0], c[1], c[2], "waiter"], 1, "it is asynchronous"),
        (vec!["free", c[0], "cobol", c[2], "greeter"], 2, "invalid value 'cobol'"),
    ] {
        let (exit, printed, said) = new(directory, &arguments);
        assert_eq!((exit, printed.as_str()), (code, ""), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert_eq!(all(directory), before, "{arguments:?} changed something");
    }
    let elsewhere = tempfile::tempdir().expect("a directory");
    let (exit, _, said) = new(elsewhere.path(), &["free", "--lang", "c", "--world", "greeter"]);
    assert!(exit == 3 && said.contains("there is no interlock.toml in this directory or above it"), "{said}");
}

#[test]
fn a_part_is_made_and_listed() {
    let shop = project(&[]);
    let directory = shop.path();
    let (exit, printed, said) = new(directory, &["first", "--lang", "c", "--world", "greeter"]);
    assert_eq!((exit, printed.as_str()), (0, "components/first/src/main.c\n"), "{said}");
    assert_eq!(said, "`composer build first` builds it; what its stubs do is yours to write\n");
    let (exit, printed, said) = new(
        directory,
        &["second", "--lang", "python", "--world", "example:worlds/greeter@1.0.0", "--path", "parts/two"],
    );
    assert_eq!((exit, printed.as_str()), (0, "parts/two/pyproject.toml\nparts/two/app.py\n"), "{said}");
    let expected = format!(
        "{MANIFEST}\n[components.first]\nlanguage = \"c\"\npath = \"components/first\"\nworld = \"example:worlds/greeter\"\n\
         \n[components.second]\nlanguage = \"python\"\npath = \"parts/two\"\nworld = \"example:worlds/greeter\"\n"
    );
    assert_eq!(read(directory, "interlock.toml"), expected);
    let hidden = fs::read_dir(directory.join("parts")).expect("it is there").count();
    assert_eq!(hidden, 1, "something half-made was left behind");
}

#[test]
fn a_rust_part_joins_the_workspace_around_it() {
    let root = "[workspace]\nmembers = [\n    \"tool\", # mine\n]\n";
    let shop = project(&[("Cargo.toml", root)]);
    let (exit, _, said) = new(shop.path(), &["first", "--lang", "rust", "--world", "greeter"]);
    assert_eq!(exit, 0, "{said}");
    let joined = read(shop.path(), "Cargo.toml");
    assert!(joined.contains("    \"components/first\",") && joined.contains("\"tool\","), "{joined}");
    assert!(joined.contains("# mine") && joined.contains("[profile.guest]"), "{joined}");
    let library = read(shop.path(), "components/first/src/lib.rs");
    assert!(library.contains("path: \"../../wit\", world: \"example:worlds/greeter\""), "{library}");

    // Where there is no workspace, the part is on its own.
    let alone = project(&[]);
    let (exit, _, said) = new(alone.path(), &["first", "--lang", "rust", "--world", "greeter"]);
    assert_eq!(exit, 0, "{said}");
    assert!(!alone.path().join("Cargo.toml").exists());
    assert!(read(alone.path(), "components/first/Cargo.toml").contains("[profile.guest]"));
}
