//! What messages propose can be done: the command line takes every flag and command that a page or an expected message
//! names. What the commands propose when the other tests run them, `common` tries at once.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::proposals::{Commands, Proposal, Tool, filled, proposals};

const COMPOSER: Commands<'_> = Commands { composer: Some(env!("CARGO_BIN_EXE_composer")), host_runner: None };

#[test]
fn flags_and_commands_are_found_in_a_message() {
    let text = "help: say which: `--wire a.b=c` or `--leave-open IFACE`; `composer check A.wasm --json` tells more\n\
                (--max-time), or --stdio=none. `cargo build --release` is of another program, and -- is none\n\
                error: unexpected argument '--foo' found";
    let flag = |name: &str, value: Option<&str>| Proposal::Flag(name.into(), value.map(Into::into));
    let line = ["check", "A.wasm", "--json"].map(str::to_owned).to_vec();
    let expected = [
        flag("--leave-open", Some("IFACE")),
        flag("--max-time", None),
        flag("--stdio", None),
        flag("--wire", Some("a.b=c")),
        Proposal::Line(Tool::Composer, line),
    ];
    assert_eq!(proposals(text).into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_flag_that_is_unknown_is_found_out() {
    let wrong = |text: &'static str| {
        std::panic::catch_unwind(|| COMPOSER.take(Tool::Composer, Some("check"), text)).is_err()
    };
    assert!(!wrong("`--leave-open a.b`, `--world DIR#WORLD`, or `composer graph FILE -o FILE`"));
    assert!(wrong("`--no-such-flag`"));
    assert!(wrong("`--emit-wac FILE`"), "only `compose` has that");
    assert!(wrong("`composer graf FILE`"));
    assert!(wrong("`composer graph FILE --format picture`"));
}

#[test]
fn pages_about_mismatches_propose_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for page in files(&root.join("docs/mismatches"), "md") {
        COMPOSER.take(Tool::Composer, None, &fs::read_to_string(page).expect("a page"));
    }
}

#[test]
fn expected_messages_propose_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = files(&root.join("tests/golden"), "txt");
    let of_both = files(&root.join("../tests/golden"), "txt")
        .into_iter()
        .filter(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("composer-")));
    for file in own.into_iter().chain(of_both) {
        COMPOSER.take(Tool::Composer, None, &fs::read_to_string(file).expect("a golden file"));
    }
}

/// All messages, also those that no test provokes: what a source file of the command says between quotes.
#[test]
fn the_texts_of_all_messages_propose_what_there_is() {
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "rs") {
        // What calls the compilers is for them.
        if file.components().any(|part| part.as_os_str() == "recipes") {
            continue;
        }
        let source = fs::read_to_string(&file).expect("a source file");
        let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        for text in lines.filter(|line| line.contains("`--") || line.contains("`composer ")) {
            COMPOSER.take(Tool::Composer, None, &filled(text));
        }
    }
}

fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("the directory is there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    assert!(!found.is_empty(), "there is nothing in {}", directory.display());
    found
}
