//! `docs/mistakes.md` is this test: the files that it shows are made, its commands are run on them, and what they print
//! is what the page says.
//!
//! - A block ```` ```wit NAME ```` is a world; `NAME.wasm` is a component for it, without a body in its functions.
//! - A block ```` ```wat NAME ```` is a component as text (`core`: a core module), and a block ```` ```wac NAME ```` or ```` ```file NAME ````
//!   a file as it stands.
//! - A block that begins with `$ composer` or `$ wac` is a command with what it prints; its exit code stands in the
//!   last line, with what a component that it wrote imports. `[..]` stands for anything within a line.
//!
//! The stock `wac` is run where the variable `STOCK_WAC` names it. `BLESS=1` writes the page anew, its table too: read
//! the difference.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::of_world;
use tempfile::TempDir;

/// Kinds of mistakes that the page has at least.
const LEAST: usize = 20;

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mistakes.md")
}

/// A piece of the page.
enum Piece {
    Line(String),
    Block { info: String, body: String },
}

fn pieces(markdown: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in markdown.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some((info.to_owned(), String::new())),
            (None, None) => found.push(Piece::Line(line.to_owned())),
            (Some((_, body)), None) => {
                body.push_str(line);
                body.push('\n');
            }
            (Some(_), Some(_)) => {
                let (info, body) = open.take().expect("it is open");
                found.push(Piece::Block { info, body });
            }
        }
    }
    assert!(open.is_none(), "a block of the page does not end");
    found
}

/// One kind of mistake: what its commands said first.
struct Row {
    title: String,
    wac: Option<String>,
    composer: Option<String>,
}

struct Section {
    directory: TempDir,
    row: Row,
}

#[test]
fn the_page_shows_what_the_commands_print() {
    let blessing = std::env::var_os("BLESS").is_some();
    let text = fs::read_to_string(page()).expect("the page");
    let mut written = String::new();
    let mut wrong = Vec::new();
    let mut sections: Vec<Section> = Vec::new();
    for piece in pieces(&text) {
        match piece {
            Piece::Line(line) => {
                if let Some(title) = line.strip_prefix("## ") {
                    let row = Row { title: title.to_owned(), wac: None, composer: None };
                    sections.push(Section { directory: tempfile::tempdir().expect("a directory"), row });
                }
                written.push_str(&line);
                written.push('\n');
            }
            Piece::Block { info, body } => {
                let body = match sections.last_mut() {
                    Some(section) => block(section, &info, &body, &mut wrong),
                    None => body,
                };
                let _ = write!(written, "```{info}\n{body}```\n");
            }
        }
    }
    let rows: Vec<Row> = sections.into_iter().map(|section| section.row).collect();
    assert!(rows.len() >= LEAST, "the page has {} kinds of mistakes", rows.len());
    for row in &rows {
        assert!(row.wac.is_some() && row.composer.is_some(), "{}: both commands are shown", row.title);
    }
    let written = with_table(&written, &rows);
    if blessing {
        fs::write(page(), written).expect("the page is written");
        return;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(written, text, "the table at the top is not that of the sections");
}

/// Makes the file that a block shows, or runs its command; answers with the block as it should be.
fn block(section: &mut Section, info: &str, body: &str, wrong: &mut Vec<String>) -> String {
    let directory = section.directory.path();
    match info.split_once(' ') {
        Some(("wit", name)) => {
            fs::write(directory.join(format!("{name}.wasm")), of_world(body)).expect("a file");
            return body.to_owned();
        }
        Some(("wat" | "core", name)) => {
            let bytes = wat::parse_str(body).expect("the page's text parses");
            fs::write(directory.join(format!("{name}.wasm")), bytes).expect("a file");
            return body.to_owned();
        }
        Some(("wac" | "file", name)) => {
            fs::write(directory.join(name), body).expect("a file");
            return body.to_owned();
        }
        _ => {}
    }
    let Some(command) = body.strip_prefix("$ ").and_then(|rest| rest.lines().next()) else {
        return body.to_owned();
    };
    let stock = command.starts_with("wac ");
    let program =
        if stock { std::env::var("STOCK_WAC").ok() } else { Some(env!("CARGO_BIN_EXE_composer").into()) };
    let real = match program {
        Some(program) => format!("$ {command}\n{}", run(&program, command, directory)),
        None => body.to_owned(),
    };
    let shown = if matches(body, &real) { body.to_owned() } else { real.clone() };
    if shown != body {
        wrong.push(format!("{}:\n--- the page\n{body}--- the command\n{real}", section.row.title));
    }
    let first = first_line(&shown);
    let column = if stock { &mut section.row.wac } else { &mut section.row.composer };
    column.get_or_insert(first);
    shown
}

/// What a command prints, its exit code, and what the component that it wrote still imports: success alone does not
/// say whether anything was wired. Words are split at blanks.
fn run(program: &str, command: &str, directory: &Path) -> String {
    let output = Command::new(program)
        .args(command.split(' ').skip(1))
        .current_dir(directory)
        .env("NO_COLOR", "1")
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LOG")
        .output()
        .expect("the command can be started");
    let text = [output.stdout, output.stderr].concat();
    let mut text = String::from_utf8(text).expect("nothing binary is printed");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let code = output.status.code().map_or_else(|| "none: it crashed".to_owned(), |code| code.to_string());
    let body = lines.join("\n");
    let body = body.trim_matches('\n');
    let end = match product(command, directory).filter(|_| output.status.success()) {
        Some(imports) => format!("(exit code {code}: what it wrote imports {imports})\n"),
        None => format!("(exit code {code})\n"),
    };
    if body.is_empty() { end } else { format!("{body}\n{end}") }
}

/// What the component imports that a command wrote, where it wrote one.
fn product(command: &str, directory: &Path) -> Option<String> {
    let (_, rest) = command.split_once(" -o ")?;
    let bytes = fs::read(directory.join(rest.split(' ').next()?)).ok()?;
    let imports = anatomy::read(&bytes).ok()?.imports;
    Some(if imports.is_empty() { "nothing".to_owned() } else { format!("`{}`", imports.join("`, `")) })
}

/// Whether the lines are the same, where `[..]` stands for anything.
fn matches(shown: &str, real: &str) -> bool {
    let (shown, real): (Vec<&str>, Vec<&str>) = (shown.lines().collect(), real.lines().collect());
    shown.len() == real.len() && shown.iter().zip(&real).all(|(shown, real)| line_matches(shown, real))
}

fn line_matches(shown: &str, real: &str) -> bool {
    match shown.split_once("[..]") {
        None => shown == real,
        Some((before, after)) => real.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().any(|(at, _)| line_matches(after, &rest[at..])) || line_matches(after, "")
        }),
    }
}

/// The line of an output that says what happened, for the table.
fn first_line(block: &str) -> String {
    let mut lines = block.lines().skip(1).map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let line = match first.strip_prefix("(exit code 0").and_then(|rest| rest.strip_suffix(')')) {
        Some(rest) => format!("no error{rest}"),
        None => first.to_owned(),
    };
    line.trim_start_matches("error: ").trim_start_matches("× ").trim().replace('|', "\\|")
}

const BEGIN: &str = "<!-- table -->";
const END: &str = "<!-- end of table -->";

fn with_table(markdown: &str, rows: &[Row]) -> String {
    let (before, rest) = markdown.split_once(BEGIN).expect("the page has a place for its table");
    let (_, after) = rest.split_once(END).expect("the page says where its table ends");
    let mut table = String::from("| mistake | stock `wac` | `composer` |\n|---|---|---|\n");
    for row in rows {
        let cell = |cell: &Option<String>| cell.clone().unwrap_or_default();
        let _ = writeln!(table, "| {} | {} | {} |", row.title, cell(&row.wac), cell(&row.composer));
    }
    format!("{before}{BEGIN}\n\n{table}\n{END}{after}")
}
