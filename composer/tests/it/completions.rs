//! `composer completions`: what each shell gets, and that no subcommand is forgotten in it.

use std::path::Path;

use crate::common::composer;

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

/// The names under "Commands:" in the help.
fn subcommands() -> Vec<String> {
    let help = String::from_utf8(composer(Path::new("."), &["--help"]).stdout).expect("text");
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.take_while(|line| !line.is_empty());
    // What is further to the right is the rest of a description.
    let names = names.filter_map(|line| line.strip_prefix("  ").filter(|name| !name.starts_with(' ')));
    names.filter_map(|line| line.split_whitespace().next().map(ToOwned::to_owned)).collect()
}

#[test]
fn every_shell_completes_every_subcommand() {
    let names = subcommands();
    assert!(names.len() > 5 && names.iter().any(|name| name == "completions"), "{names:?}");
    for shell in SHELLS {
        let output = composer(Path::new("."), &["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(output.stderr.is_empty(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        let script = String::from_utf8(output.stdout).expect("text");
        for name in &names {
            // As a word of its own: `compose` is also the beginning of the program's name.
            let mut words = script.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
            assert!(words.any(|word| word == name), "{shell} does not know `{name}`");
        }
    }
}

#[test]
fn an_unknown_shell_is_refused_with_those_that_are_known() {
    let output = composer(Path::new("."), &["completions", "cmd"]);
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).expect("text");
    assert!(SHELLS.iter().all(|shell| words.contains(shell)), "{words}");
}
