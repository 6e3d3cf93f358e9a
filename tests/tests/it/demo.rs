//! The demo, as its readers run it.

use std::fs;
use std::process::Command;

use e2e::project;

/// An output of the demo, without what differs from run to run: orders' names, times and ports.
fn timeless(text: &str) -> String {
    let is_order = |word: &str| word.len() == 26 && word.chars().all(|c| matches!(c, 'a'..='z' | '2'..='7'));
    let is_time = |word: &str| {
        let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        shape.starts_with("0000-00-00T") && shape.ends_with('Z')
    };
    let mut found = String::new();
    for piece in text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || "-:.".contains(c))) {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let rest = &piece[word.len()..];
        match word.rsplit_once("127.0.0.1:") {
            Some((before, _)) => found.push_str(&format!("{before}127.0.0.1:PORT{rest}")),
            None if is_order(word) => found.push_str(&format!("ORDER{rest}")),
            None if is_time(word) => found.push_str(&format!("TIME{rest}")),
            None => found.push_str(piece),
        }
    }
    found
}

#[test]
fn names_times_and_ports_are_left_out() {
    let text =
        "order abcdefghijklmnopqrstuvwx23 at 2026-12-01T00:00:00.5Z (http://127.0.0.1:8080/): 26 left.\n";
    assert_eq!(timeless(text), "order ORDER at TIME (http://127.0.0.1:PORT/): 26 left.\n");
}

#[test]
#[ignore = "takes a minute, beside all else: python3 tools/check.py besides"]
fn the_readme_shows_what_the_demo_prints() {
    project::ready();
    let output = Command::new(env!("CARGO_BIN_EXE_demo")).current_dir(project::root()).output().unwrap();
    let (text, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}{said}");
    let readme = fs::read_to_string(project::path("README.md")).unwrap();
    let shown = readme.split_once("<!-- demo -->\n```text\n").expect("the README shows the demo").1;
    let shown = shown.split("```").next().unwrap();
    assert!(
        timeless(&text).contains(&timeless(shown)),
        "README.md shows\n{shown}\nand the demo printed\n{text}"
    );
}
