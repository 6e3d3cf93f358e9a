//! What messages propose can be done: the command line takes every flag and command that a message names. What the command
//! proposes when the other tests run it, [`checked`] tries at once.

#[path = "../../../tests/support/proposals.rs"]
#[expect(dead_code, reason = "composer's tests also try what is proposed")]
mod proposals;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use proposals::{Commands, Tool};

const HOST_RUNNER: Commands<'_> =
    Commands { composer: None, host_runner: Some(env!("CARGO_BIN_EXE_host-runner")) };

/// Exit code, standard output and standard error of the command. Whatever it proposes there, the command line takes.
#[track_caller]
pub fn checked(arguments: &[&str], output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    let code = output.status.code().unwrap();
    // Where the command line is wrong, it is not known to which subcommand that was.
    let subcommand = arguments.first().copied().filter(|_| code != 2);
    // A log in JSON has its messages behind quotes.
    HOST_RUNNER.take(Tool::HostRunner, subcommand, &err.replace('"', " "));
    (code, out, err)
}

#[test]
fn expected_messages_propose_what_there_is() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden");
    let mut read = 0;
    for file in files(&directory, "txt") {
        let name = file.file_name().unwrap().to_str().unwrap();
        if name.starts_with("host-runner-") {
            HOST_RUNNER.take(Tool::HostRunner, None, &fs::read_to_string(&file).unwrap());
            read += 1;
        }
    }
    assert!(read > 10, "{read} files");
}

/// All messages, also those that no test provokes.
#[test]
fn the_texts_of_all_messages_propose_what_there_is() {
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "rs") {
        let source = fs::read_to_string(&file).unwrap();
        let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in lines.filter(|line| line.contains("--") || line.contains("`host-runner ")) {
            HOST_RUNNER.take(Tool::HostRunner, None, &proposals::filled(line).replace('"', " "));
        }
    }
}

fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found
}
