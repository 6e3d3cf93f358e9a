//! What the documentation shows is executed: every block that is marked as `console` in the README and in `docs/`.
//!
//! - A line that begins with `$ ` is a command, run by `sh` in the checkout's root, with the two commands on PATH.
//!   It must succeed; in a block marked `console exit=N` it must end with that exit code.
//! - The lines after it are its output, standard output and standard error together. `[..]` stands for anything
//!   within a line, a line `...` for any number of lines.
//! - Blocks marked `console no-run` are not run (those that never end, or that would run these tests).

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use e2e::project;

#[derive(Debug, PartialEq, Eq)]
struct Shown {
    line: usize,
    code: i32,
    command: String,
    output: Vec<String>,
}

fn shown(markdown: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    // The exit code that is expected in the block that is being read, if its commands are run at all.
    let mut inside = None;
    let mut fence = false;
    for (index, line) in markdown.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            fence = !fence;
            let code = match info.trim() {
                "console" => Some(0),
                marked => marked.strip_prefix("console exit=").and_then(|code| code.parse().ok()),
            };
            inside = code.filter(|_| fence);
        } else if let Some(code) = inside {
            if let Some(command) = line.strip_prefix("$ ") {
                found.push(Shown { line: index + 1, code, command: command.to_owned(), output: Vec::new() });
            } else if let Some(last) = found.last_mut() {
                last.output.push(line.to_owned());
            }
        }
    }
    for shown in &mut found {
        while shown.output.last().is_some_and(|line| line.trim().is_empty()) {
            shown.output.pop();
        }
    }
    found
}

/// Whether a line is what is shown, where `[..]` stands for anything.
fn line_matches(shown: &str, real: &str) -> bool {
    let mut pieces = shown.split("[..]");
    let Some(rest) = real.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let mut rest = rest;
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}

fn matches(shown: &[String], real: &[&str]) -> bool {
    match shown.split_first() {
        None => real.is_empty(),
        Some((first, others)) if first.trim() == "..." => {
            (0..=real.len()).any(|skipped| matches(others, &real[skipped..]))
        }
        Some((first, others)) => {
            real.split_first().is_some_and(|(line, rest)| line_matches(first, line) && matches(others, rest))
        }
    }
}

fn documents() -> Vec<PathBuf> {
    let mut documents = vec![project::path("README.md")];
    let mut docs: Vec<_> =
        fs::read_dir(project::path("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    docs.sort();
    documents.extend(docs);
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md") && path.exists());
    documents
}

#[test]
fn commands_in_the_documentation_do_what_is_shown() {
    project::ready();
    let path = std::env::join_paths(
        std::iter::once(project::path("target/release"))
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    )
    .unwrap();
    let mut wrong = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for Shown { line, code, command, output } in shown(&text) {
            // One pipe for both streams, as in a terminal.
            let ran = Command::new("sh")
                .args(["-c", &format!("{{ {command}\n}} 2>&1")])
                .current_dir(project::root())
                .env("PATH", &path)
                .env("NO_COLOR", "1")
                // Whether compiling takes long enough to be told depends on what else the machine does.
                .env("RUST_LOG", "warn")
                .output()
                .unwrap();
            let real = String::from_utf8_lossy(&ran.stdout).into_owned();
            let lines: Vec<&str> = real.lines().map(str::trim_end).collect();
            let shown: Vec<String> = output.iter().map(|line| line.trim_end().to_owned()).collect();
            if ran.status.code() != Some(code) || !matches(&shown, &lines) {
                wrong.push(format!(
                    "{}:{line}: $ {command}\nended with {}, and printed\n{real}",
                    document.display(),
                    ran.status
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = BTreeSet::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            if !document.parent().unwrap().join(file).exists() {
                broken.insert(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn blocks_are_found_and_told_apart() {
    let markdown = "text\n```console\n$ one\nout\n\n$ two\n```\n```console no-run\n$ three\n```\n```console exit=4\n$ refused\n```\n```sh\n$ four\n```\n";
    let found = shown(markdown);
    assert_eq!(
        found,
        [
            Shown { line: 3, code: 0, command: "one".into(), output: vec!["out".into()] },
            Shown { line: 6, code: 0, command: "two".into(), output: vec![] },
            Shown { line: 12, code: 4, command: "refused".into(), output: vec![] }
        ]
    );
}

#[test]
fn wildcards_stand_for_what_differs_and_for_nothing_else() {
    assert!(line_matches("built in [..] s", "built in 1.5 s"));
    assert!(line_matches("[..]", ""));
    assert!(!line_matches("built in [..] s", "built in 1.5 min"));
    assert!(!line_matches("built", "built twice"));
    let shown = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(matches(&shown("first\n...\nlast"), &["first", "a", "b", "last"]));
    assert!(matches(&shown("..."), &[]));
    assert!(!matches(&shown("first\n..."), &["second"]));
    assert!(!matches(&shown("first"), &["first", "second"]));
}
