//! Components that nobody here built, out of packages of npm, PyPI and crates.io: every command on every one of them.
//!
//! `python3 tools/third_party.py fetch` puts them into target/third-party, by tests/third-party/components.lock. All this takes
//! minutes, so it runs where `THIRD_PARTY` is set, as in CI; elsewhere a line says that it does not.
//!
//! What is asserted holds for any component, and is asked of a reader of its own ([`reader`]), of `wit-component` or
//! of the validator. What a command rightly refuses is in a table with its reason ([`refused`]).

#[path = "../common/mod.rs"]
mod common;
mod corpus;
mod deny;
mod each;
mod edits;
mod oracle;
mod page;
mod pairs;
mod reader;
mod refused;
mod together;

use std::process::ExitCode;
use std::sync::Arc;

use corpus::{Corpus, Entry};
use libtest_mimic::{Arguments, Trial};

/// A statement about one component, in a folder of its own.
type OnOne = fn(&Entry, &std::path::Path);
/// A statement about all of them together.
type OnAll = fn(&Corpus);

/// The commands, and what is asserted of each where it is not to refuse.
const COMMANDS: [(&str, OnOne); 7] = [
    ("inspect", each::inspect),
    ("wit", each::wit),
    ("check", each::check),
    ("compose", each::compose),
    ("deny", deny::deny),
    ("decompose", each::decompose),
    ("graph", each::graph),
];

const TOGETHER: [(&str, OnAll); 8] = [
    ("every file is the locked one", corpus::every_file_is_the_locked_one),
    ("what is refused is refused for its reason only", refused::the_table_is_about_what_is_there),
    ("each edit of a world has a place", edits::each_has_a_place),
    ("each socket and each plug", pairs::plugs),
    ("each component and the world of each other", pairs::worlds),
    ("those that were made for each other", together::pairs_made_for_each_other),
    ("a bag in any order", together::a_bag_in_any_order),
    ("docs/third-party.md", page::page),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if std::env::var_os("THIRD_PARTY").is_none() {
        println!(
            "not run: `python3 tools/third_party.py fetch` gets what this needs, and THIRD_PARTY=1 has it run"
        );
        return libtest_mimic::run(&arguments, Vec::new()).exit_code();
    }
    let corpus = match Corpus::read() {
        Ok(corpus) => Arc::new(corpus),
        Err(missing) => {
            let words = format!("{missing}: `python3 tools/third_party.py fetch` gets it");
            let failing = Trial::test("the components are there", move || Err(words.into()));
            return libtest_mimic::run(&arguments, vec![failing]).exit_code();
        }
    };
    let mut trials: Vec<Trial> = TOGETHER
        .into_iter()
        .map(|(name, statement)| {
            let corpus = Arc::clone(&corpus);
            Trial::test(name, move || {
                statement(&corpus);
                Ok(())
            })
        })
        .collect();
    for index in 0..corpus.entries.len() {
        for (command, statement) in COMMANDS {
            let corpus = Arc::clone(&corpus);
            let name = format!("{}: {command}", corpus.entries[index].name);
            trials.push(Trial::test(name, move || {
                let entry = &corpus.entries[index];
                let folder = tempfile::tempdir().expect("a folder");
                match refused::reason(&entry.name, command) {
                    Some(reason) => refused::refuses(entry, command, reason, folder.path()),
                    None => statement(entry, folder.path()),
                }
                Ok(())
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
