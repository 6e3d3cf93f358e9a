//! Scripts of the Component Model: what a component needs is listed, each call returns what the script says, and each trap is
//! told as one.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::proposed::checked;
use script::{What, files, steps};
use wasmparser::{Validator, WasmFeatures};

#[path = "../../../tests/support/scripts.rs"]
mod script;

#[test]
fn own_scripts_return_what_they_say() {
    let (read, called) = run_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/wast"));
    assert!(read >= 15 && called >= 50, "{read} components, and {called} calls");
}

/// Lists what each component of the scripts in a directory needs, and makes the calls. Returns how many were read and made.
pub fn run_all(directory: &Path) -> (usize, usize) {
    let place = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_host-runner"))
            .args(arguments)
            .current_dir(place.path())
            .env_remove("RUST_LOG")
            .env("XDG_CACHE_HOME", place.path())
            .output()
            .unwrap();
        checked(arguments, output)
    };
    let (mut read, mut called, mut wrong) = (0, 0, Vec::new());
    for file in files(directory) {
        for step in steps(&file) {
            let at = format!("{}:{}", file.file_name().unwrap().display(), step.line);
            let (fits, said) = match &step.what {
                What::Component(bytes) | What::Invalid(bytes) => {
                    fs::write(place.path().join("it.wasm"), bytes).unwrap();
                    let valid = Validator::new_with_features(WasmFeatures::all()).validate_all(bytes).is_ok();
                    read += 1;
                    let said = run(&["grants", "it.wasm"]);
                    // What is not valid is listed as far as it can be read. What is valid and needs what this host does not have is refused by the feature's name.
                    let lacks = said.2.contains("of the Component Model, which this host does not have");
                    let fits = !valid || said.0 == 0 || said.0 == 3 && lacks;
                    let fits = fits && [0, 3].contains(&said.0);
                    (fits && !said.2.contains("internal error"), said)
                }
                What::Returns(call, result) => {
                    called += 1;
                    let said = run(&["call", "it.wasm", call]);
                    // A result that is an `err` ends the command with 1.
                    let code = i32::from(result.starts_with("err"));
                    (said == (code, format!("{result}\n"), String::new()), said)
                }
                What::Traps(call) => {
                    called += 1;
                    let said = run(&["call", "it.wasm", call]);
                    (said.0 == 5 && said.2.starts_with("error: "), said)
                }
            };
            if !fits {
                wrong.push(format!("{at}: {said:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} steps:\n{}", wrong.len(), read + called, wrong.join("\n"));
    (read, called)
}
