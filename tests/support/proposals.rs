//! The flags and commands that a message proposes, and whether the command line takes them.
//!
//! The tests of composer, of host-runner and of both together include this file. What a message proposes is read from
//! its text alone, so that no message can leave it out. Whether a command line takes it is asked of the command itself:
//! with `--help` behind it, it answers with its help where everything before it can be parsed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;

/// What a message proposes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proposal {
    /// A flag for the command that was run, with the word behind it: a value, or how the sentence goes on.
    Flag(String, Option<String>),
    /// A whole command line, without the name of the tool.
    Line(Tool, Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    Composer,
    HostRunner,
}

const TOOLS: [(&str, Tool); 2] = [("composer", Tool::Composer), ("host-runner", Tool::HostRunner)];

/// What a text proposes, each once.
pub fn proposals(text: &str) -> BTreeSet<Proposal> {
    text.lines().filter(|line| !of_the_user(line)).flat_map(of_line).collect()
}

/// Whether a line repeats what the user wrote, and why that was wrong.
fn of_the_user(line: &str) -> bool {
    let line = line.trim_start();
    ["error: unexpected argument", "tip: to pass", "Usage: "].iter().any(|start| line.starts_with(start))
}

/// What stands in backticks is looked at as a whole. Outside of them only flags are recognized.
fn of_line(line: &str) -> Vec<Proposal> {
    let mut found = Vec::new();
    for (index, piece) in line.split('`').enumerate() {
        let words: Vec<&str> = piece.split_whitespace().collect();
        let tool = words.first().and_then(|first| TOOLS.iter().find(|(name, _)| name == first));
        match (index % 2 == 1, tool) {
            (true, Some((_, tool))) if words.len() > 1 => {
                found.push(Proposal::Line(*tool, words[1..].iter().map(|word| unquoted(word)).collect()));
            }
            // Other programs have flags of their own.
            (true, _) if !words.first().is_some_and(|first| first.starts_with("--")) => {}
            _ => found.extend(flags(&words)),
        }
    }
    found
}

fn flags(words: &[&str]) -> Vec<Proposal> {
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let Some(flag) = flag(word) else { continue };
        // A flag that ends a clause has no value behind it.
        let value = words.get(index + 1).filter(|_| word.len() == flag.len());
        let value = value.map(|next| unquoted(next.trim_end_matches([',', ';', '.', ':', ')'])));
        found.push(Proposal::Flag(flag.to_owned(), value.filter(|next| !next.is_empty())));
    }
    found
}

/// The flag that a word begins with.
fn flag(word: &str) -> Option<&str> {
    let word = word.trim_start_matches(['(', '"', '\'', '[']);
    let name = word.strip_prefix("--")?;
    let end = name.find(|it: char| !it.is_ascii_lowercase() && !it.is_ascii_digit() && it != '-');
    let name = &name[..end.unwrap_or(name.len())];
    let is_name = name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.ends_with('-');
    is_name.then(|| &word[..name.len() + 2])
}

fn unquoted(word: &str) -> String {
    word.trim_matches(['\'', '"']).to_owned()
}

/// A format string, with a word for everything that is put in.
pub fn filled(text: &str) -> String {
    let mut filled = String::new();
    let mut depth = 0;
    for letter in text.chars() {
        match letter {
            '{' => {
                depth += 1;
                filled.push_str("THAT");
            }
            '}' => depth -= 1,
            '\\' => {}
            _ if depth == 0 => filled.push(letter),
            _ => {}
        }
    }
    filled
}

/// Whether a word stands for something that a user puts there.
fn is_placeholder(word: &str) -> bool {
    word.contains(['<', '…'])
        || word
            .split(|it: char| !it.is_ascii_alphabetic())
            .any(|piece| piece.len() > 2 && piece.chars().all(|letter| letter.is_ascii_uppercase()))
}

/// The commands, by their paths. One of them may not be there.
pub struct Commands<'a> {
    pub composer: Option<&'a str>,
    pub host_runner: Option<&'a str>,
}

impl Commands<'_> {
    fn of(&self, tool: Tool) -> Option<&str> {
        match tool {
            Tool::Composer => self.composer,
            Tool::HostRunner => self.host_runner,
        }
    }

    /// Asserts that all that a text proposes can be parsed: flags by the subcommand that said it, or, where that is
    /// unknown, by any.
    #[track_caller]
    pub fn take(&self, tool: Tool, subcommand: Option<&str>, text: &str) {
        /// What was taken already, by whom: many messages propose the same.
        static TAKEN: Mutex<BTreeSet<(Tool, Option<String>, Proposal)>> = Mutex::new(BTreeSet::new());
        for proposal in proposals(text) {
            let asked = (tool, subcommand.map(str::to_owned), proposal.clone());
            if TAKEN.lock().is_ok_and(|taken| taken.contains(&asked)) {
                continue;
            }
            let taken = match &proposal {
                Proposal::Line(tool, line) => self.of(*tool).is_none_or(|program| takes(program, line)),
                Proposal::Flag(flag, value) => self.of(tool).is_none_or(|program| {
                    let value = value.as_deref();
                    subcommand.map_or_else(
                        || {
                            parses(program, &[flag])
                                || subcommands(program)
                                    .iter()
                                    .any(|one| takes_flag(program, one, flag, value))
                        },
                        |one| takes_flag(program, one, flag, value),
                    )
                }),
            };
            assert!(
                taken,
                "{tool:?} {subcommand:?} does not take {proposal:?}, which this proposes:\n{text}"
            );
        }
    }
}

/// All subcommands of a tool, as its help lists them.
fn subcommands(program: &str) -> Vec<String> {
    let help = String::from_utf8(run(program, &["--help"]).stdout).expect("the help is text");
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    listed
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn run(program: &str, words: &[&str]) -> Output {
    Command::new(program).args(words).output().expect("the command can be started")
}

fn takes_flag(program: &str, subcommand: &str, flag: &str, value: Option<&str>) -> bool {
    let alone = parses(program, &[subcommand, flag]);
    alone || value.is_some_and(|value| parses(program, &[subcommand, flag, value]))
}

fn takes(program: &str, line: &[String]) -> bool {
    let words: Vec<&str> = line.iter().map(String::as_str).filter(|word| *word != "…").collect();
    parses(program, &words)
}

/// Whether a command line can be parsed. A value that is missing or that a user has to fill in is no fault of it.
fn parses(program: &str, words: &[&str]) -> bool {
    let output = run(program, &[words, &["--help"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    output.status.success()
        || said.contains("a value is required for")
        || said
            .split_once("invalid value '")
            .is_some_and(|(_, rest)| rest.split_once('\'').is_some_and(|(value, _)| is_placeholder(value)))
}

/// Asserts that each flag that a command proposes as the way out changes what the command says, and is not itself refused.
/// The command is run again in a copy of its directory. What a user has to fill in is left out.
#[track_caller]
pub fn try_each(program: &str, directory: &Path, arguments: &[&str], said: &str) {
    let Some((_, help)) = said.split_once("help: ") else { return };
    if !directory.starts_with(std::env::temp_dir()) || arguments.contains(&"--json") {
        return;
    }
    for proposal in proposals(help) {
        let Proposal::Flag(flag, Some(value)) = &proposal else { continue };
        if is_placeholder(value) || arguments.contains(&flag.as_str()) && !is_repeatable(flag) {
            continue;
        }
        let copy = tempfile::tempdir().expect("a directory");
        copy_directory(directory, copy.path());
        let output = Command::new(program)
            .args(arguments)
            .args([flag, value])
            .current_dir(copy.path())
            .output()
            .expect("the command can be started");
        let now = String::from_utf8_lossy(&output.stderr);
        let refused = output.status.code() == Some(2);
        assert!(!refused, "`{flag} {value}` is proposed for {arguments:?}:\n{said}\nand refused:\n{now}");
        assert!(now != said, "`{flag} {value}` is proposed for {arguments:?}, and changes nothing:\n{said}");
    }
}

fn is_repeatable(flag: &str) -> bool {
    ["--leave-open", "--wire", "--export", "--deny"].contains(&flag)
}

fn copy_directory(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the directory is there").flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            fs::create_dir(&target).expect("a directory");
            copy_directory(&path, &target);
        } else if path.is_file() {
            fs::copy(&path, &target).expect("a file");
        }
    }
}
