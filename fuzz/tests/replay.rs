//! Every file of every corpus goes through its target: what was found once stays fixed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fuzz::{TARGETS, attempt, seeds};

#[test]
fn corpora_hold() {
    let mut broken = Vec::new();
    for target in &TARGETS {
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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for entry in std::fs::read_dir(folder).expect("it is there") {
        let name = entry.expect("it can be listed").file_name();
        let name = name.to_str().expect("it is a name");
        assert!(fuzz::target(name).is_some(), "there is no target `{name}`");
    }
}
