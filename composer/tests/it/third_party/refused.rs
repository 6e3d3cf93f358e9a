//! What is refused, and why: each entry fails when the command begins to work, or refuses for another reason.

use std::path::Path;

use super::COMMANDS;
use super::corpus::{Corpus, Entry};
use crate::common::said;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its binary format is a draft's.
    Draft,
    /// It has types, and nothing that runs.
    WitPackage,
    /// It was made for a release candidate of WASI 0.3, and lifts functions with the option `async` that are not of an `async`
    /// type. The validator allows that no more.
    OlderRules,
}

impl Reason {
    /// For the page.
    pub fn words(self) -> &'static str {
        match self {
            Reason::Draft => "in a draft of the binary format, which no engine of today takes",
            Reason::WitPackage => "a WIT package, not a component",
            Reason::OlderRules => "not valid by today's rules: made for a release candidate of WASI 0.3",
        }
    }
}

pub const REFUSED: [(&str, &str, Reason); 17] = [
    ("wascap-guest", "inspect", Reason::Draft),
    ("wascap-guest", "wit", Reason::Draft),
    ("wascap-guest", "check", Reason::Draft),
    ("wascap-guest", "compose", Reason::Draft),
    ("wascap-guest", "deny", Reason::Draft),
    ("wascap-guest", "decompose", Reason::Draft),
    ("wascap-guest", "graph", Reason::Draft),
    ("oci-wasm-wit", "check", Reason::WitPackage),
    ("oci-wasm-wit", "compose", Reason::WitPackage),
    ("oci-wasm-wit", "deny", Reason::WitPackage),
    ("oci-wasm-wit", "decompose", Reason::WitPackage),
    ("oci-wasm-wit", "graph", Reason::WitPackage),
    ("cviz-chain", "wit", Reason::OlderRules),
    ("cviz-chain", "check", Reason::OlderRules),
    ("cviz-chain", "compose", Reason::OlderRules),
    ("cviz-chain", "deny", Reason::OlderRules),
    ("cviz-chain", "decompose", Reason::OlderRules),
];

pub fn reason(name: &str, command: &str) -> Option<Reason> {
    REFUSED.iter().find(|refused| (refused.0, refused.1) == (name, command)).map(|refused| refused.2)
}

pub fn refuses(entry: &Entry, command: &str, reason: Reason, directory: &Path) {
    let file = entry.path();
    let given = format!("it={file}");
    let arguments = match command {
        "check" => vec![command, file, file],
        "compose" => vec![command, file, "-o", "whole.wasm"],
        "deny" => vec!["compose", &given, "--deny", "it=wasi:io/*", "-o", "whole.wasm"],
        "decompose" => vec![command, file, "-o", "apart"],
        _ => vec![command, file],
    };
    let (code, words) = said(directory, &arguments);
    let (expected, cause, help) = match reason {
        Reason::Draft => (
            3,
            "this is a component in a draft of the binary format (version 0x0c): the one in use is 0x0d",
            "build it again with a current toolchain",
        ),
        Reason::WitPackage if command == "decompose" => (1, "it is a WIT package", "composer inspect"),
        Reason::WitPackage if command == "graph" => {
            (3, "is a WIT package: there is nothing to draw", "composer inspect")
        }
        Reason::WitPackage => (3, "it is a WIT package: it has types, and nothing that runs", ""),
        Reason::OlderRules => (
            3,
            "the `async` canonical option requires an async function type",
            "was made by the rules of a draft that are others now",
        ),
    };
    assert_eq!(code, expected, "{words}");
    assert!(words.contains(cause) && words.contains("help: ") && words.contains(help), "{words}");
    assert!(words.contains(&format!("`{file}`")), "it names the file: {words}");
    assert!(
        !directory.join("whole.wasm").exists() && !directory.join("apart").exists(),
        "nothing was written"
    );
}

pub fn the_table_is_about_what_is_there(corpus: &Corpus) {
    for (name, command, _) in REFUSED {
        assert!(corpus.entries.iter().any(|entry| entry.name == name), "{name}");
        assert!(COMMANDS.contains(&command), "{command}");
    }
}
