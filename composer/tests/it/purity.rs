//! The libraries touch no files, start no processes, and know neither the network nor the time of day: their modules name
//! nothing of the kind.

use std::fs;
use std::path::{Path, PathBuf};

/// What only the command may use: parts of the standard library, and crates.
const OUTSIDE: [&str; 16] = [
    "std::fs",
    "std::io::stdin",
    "std::net",
    "std::process",
    "std::env::",
    "std::time",
    "anstream",
    "clap",
    "ctrlc",
    "directories_next",
    "docker_credential",
    "ignore::",
    "indicatif",
    "notify::",
    "oci_client",
    "tokio",
];

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a directory") {
            sources(&entry.expect("an entry").path(), found);
        }
    } else {
        found.push(path.to_owned());
    }
}

#[test]
fn the_libraries_name_nothing_outside() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&package.join("src"), &mut files);
    files.retain(|file| !file.starts_with(package.join("src/bin")));
    assert!(files.len() > 20, "the modules of the library were not found: {files:?}");
    for library in ["anatomy", "contract", "check", "compose"] {
        let before = files.len();
        sources(&package.join("../crates").join(library).join("src"), &mut files);
        assert!(files.len() > before + 5, "the modules of {library} were not found");
    }
    for file in files {
        let text = fs::read_to_string(&file).expect("a source");
        for (number, line) in
            text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            let named = OUTSIDE.iter().find(|name| line.contains(*name));
            assert_eq!(named, None, "{}:{}: {line}", file.display(), number + 1);
        }
    }
}
