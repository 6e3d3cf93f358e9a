//! Scripts of the Component Model: each component in them through every command that reads components. A component that
//! the validator accepts is shown and drawn, and whatever else a command says of it, it says in its own words; one that is
//! not valid is refused.

use std::fs;
use std::path::Path;

use wasmparser::{Validator, WasmFeatures};

use crate::common::composer;
use script::{What, files, steps};

#[path = "../../../tests/support/scripts.rs"]
#[expect(dead_code, reason = "nothing is called here")]
mod script;

/// What shows a component as it is.
const SHOW: [&[&str]; 3] =
    [&["inspect", "it.wasm"], &["inspect", "it.wasm", "--json"], &["graph", "it.wasm", "--format", "mmd"]];

/// What uses its types, and may have no words for some.
const USE: [&[&str]; 5] = [
    &["wit", "it.wasm"],
    &["check", "it.wasm", "it.wasm"],
    &["deny", "it.wasm", "test:none/*", "-o", "stub.wasm"],
    &["decompose", "it.wasm", "-o", "parts", "--force"],
    &["diff", "it.wasm", "it.wasm"],
];

/// What a library below is known to give up on: the place, and the command. `docs/upstream.md` says why.
const KNOWN: [(&str, &str); 1] = [("type-export-restrictions.wast:402", "wit")];

#[test]
fn own_scripts_are_read_by_every_command() {
    let (valid, invalid) = read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/wast"));
    assert!(valid >= 15 && invalid >= 5, "{valid} valid components, and {invalid} others");
}

/// Has every command read all components of the scripts in a directory. Returns how many are valid, and how many are not.
pub fn read_all(directory: &Path) -> (usize, usize) {
    let (mut valid, mut invalid, mut wrong) = (0, 0, Vec::new());
    for file in files(directory) {
        for step in steps(&file) {
            let (What::Component(bytes) | What::Invalid(bytes)) = &step.what else { continue };
            let is_valid = Validator::new_with_features(WasmFeatures::all()).validate_all(bytes).is_ok();
            *(if is_valid { &mut valid } else { &mut invalid }) += 1;
            let place = format!("{}:{}", file.file_name().unwrap_or_default().display(), step.line);
            let known =
                |words: &String| KNOWN.iter().any(|(at, command)| *at == place && words.starts_with(command));
            let found = mistakes(bytes, is_valid).into_iter().filter(|words| !known(words));
            wrong.extend(found.map(|words| format!("{place}: {words}")));
        }
    }
    assert!(wrong.is_empty(), "{} of {} components:\n{}", wrong.len(), valid + invalid, wrong.join("\n"));
    (valid, invalid)
}

/// What the commands say of a component that they should not.
fn mistakes(bytes: &[u8], is_valid: bool) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("it.wasm"), bytes).expect("a file");
    let mut wrong = Vec::new();
    for (shows, command) in SHOW.iter().map(|it| (true, it)).chain(USE.iter().map(|it| (false, it))) {
        let output = composer(directory.path(), command);
        let said = String::from_utf8_lossy(&output.stderr);
        let done = output.status.code() == Some(0);
        let known = output.status.code().is_some_and(|code| code <= 4);
        // What is not valid can be shown all the same, as far as it can be read.
        let as_it_should = if is_valid { done || !shows } else { !done || shows };
        if !known || !as_it_should || said.contains("internal error") || said.contains("panicked") {
            wrong.push(format!("{} ends with {:?}: {said}", command.join(" "), output.status.code()));
        }
    }
    wrong
}
