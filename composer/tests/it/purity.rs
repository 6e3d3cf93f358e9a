//! The library touches no files, starts no processes, and knows neither the network nor the time of day: its modules name
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
        for entry in fs::read_dir(path).expect("a folder") {
            sources(&entry.expect("an entry").path(), found);
        }
    } else {
        found.push(path.to_owned());
    }
}

#[test]
fn the_library_names_nothing_outside() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let library = fs::read_to_string(folder.join("lib.rs")).expect("the library");
    let modules = library.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
    let mut files = Vec::new();
    for module in modules.filter_map(|rest| rest.strip_suffix(';')) {
        let (file, inside) = (folder.join(format!("{module}.rs")), folder.join(module));
        assert!(file.exists() || inside.exists(), "{module}");
        [file, inside].iter().filter(|path| path.exists()).for_each(|path| sources(path, &mut files));
    }
    assert!(files.len() > 20, "the library's modules were not found: {files:?}");
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
