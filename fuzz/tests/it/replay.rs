//! Every file of every corpus goes through its target: what was found once stays fixed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fuzz::{TARGETS, attempt, seeds};

#[test]
fn corpora_hold() {
    let mut broken = Vec::new();
    for target in TARGETS {
        let files = seeds::of(target.name).expect("every target has a corpus");
        assert!(!files.is_empty(), "the corpus of {} is empty", target.name);
        for path in files {
            let data = seeds::load(&path).expect("it can be read and assembled");
            let outcome = catch_unwind(AssertUnwindSafe(|| attempt(target, &data)));
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(words)) => broken.push(format!("{}: {words}", path.display())),
                Err(_) => broken.push(format!("{}: panicked", path.display())),
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_corpus_has_a_target() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for entry in std::fs::read_dir(directory).expect("it is there") {
        let name = entry.expect("it can be listed").file_name();
        let name = name.to_str().expect("it is a name");
        assert!(fuzz::target(name).is_some(), "there is no target `{name}`");
    }
}

#[test]
fn every_target_has_a_program_and_every_dictionary_a_target() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(package.join("Cargo.toml")).expect("it is there");
    let programs = manifest.split("[[bin]]\nname = \"").skip(1).filter_map(|rest| rest.split('"').next());
    let targets: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(programs.collect::<Vec<_>>(), targets);
    for entry in std::fs::read_dir(package.join("dict")).expect("it is there") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("it is a name");
        assert!(fuzz::target(name).is_some(), "there is no target `{name}`");
    }
}
