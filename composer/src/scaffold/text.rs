//! Writing source text: lines, indentation, and descriptions as comments.

/// Columns that a line may have, with its indentation.
pub const WIDTH: usize = 100;

/// Source text in the making.
#[derive(Default)]
pub struct Text {
    text: String,
    indent: usize,
}

impl Text {
    /// Adds a line.
    pub fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if !line.is_empty() {
            self.text.extend(std::iter::repeat_n(' ', self.indent));
            self.text.push_str(line.trim_end());
        }
        self.text.push('\n');
    }

    /// Adds an empty line, but neither at the beginning nor after another one.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Whether the last line opens a block.
    pub fn opens_block(&self) -> bool {
        self.text.ends_with("{\n")
    }

    /// Adds lines that stand further in by this many columns.
    pub fn inside(&mut self, columns: usize, lines: impl FnOnce(&mut Self)) {
        self.indent += columns;
        lines(self);
        self.indent -= columns;
    }

    /// Adds a description, each of its lines after a prefix such as `///`.
    pub fn comment(&mut self, prefix: &str, description: &str) {
        for line in wrapped(description, self.room(prefix)) {
            self.line(format!("{prefix} {line}"));
        }
    }

    /// Adds a description between `/*` or `/**` and `*/`.
    pub fn block_comment(&mut self, opening: &str, description: &str) {
        let harmless = description.replace("*/", "* /").replace("/*", "/ *");
        let lines = wrapped(&harmless, self.room(" * "));
        if lines.is_empty() {
            return;
        }
        self.line(opening);
        for line in lines {
            self.line(format!(" * {line}"));
        }
        self.line(" */");
    }

    /// Columns that are left for words after a prefix.
    pub fn room(&self, prefix: &str) -> usize {
        WIDTH.saturating_sub(self.indent + prefix.len() + 1)
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }
}

/// The lines of a description, none longer than `width` where it has blanks to break at. A paragraph that fits stays as it
/// is, line for line, and so do code and tables; one that does not is filled anew.
pub fn wrapped(description: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut paragraph: Vec<String> = Vec::new();
    let mut code = false;
    for line in description.trim_matches('\n').lines() {
        // A control character would be an error in some languages and an accident in others.
        let line = line.replace(char::is_control, " ");
        let line = line.trim_end();
        let words = line.trim_start();
        let fence = words.starts_with("```");
        let verbatim = code || fence || words.is_empty() || words.starts_with(['#', '|']);
        if verbatim || bullet(words) > 0 {
            fill(&mut lines, std::mem::take(&mut paragraph), width);
        }
        if verbatim {
            lines.push(line.to_owned())
        } else {
            paragraph.push(line.to_owned())
        }
        code ^= fence;
    }
    fill(&mut lines, paragraph, width);
    lines
}

/// Adds a paragraph, or an item of a list: its first line says how far the others stand in.
fn fill(lines: &mut Vec<String>, paragraph: Vec<String>, width: usize) {
    if paragraph.iter().all(|line| line.chars().count() <= width) {
        lines.extend(paragraph);
        return;
    }
    let first = paragraph[0].as_str();
    let words = first.trim_start();
    let indent = first.len() - words.len();
    let (outer, inner) = (" ".repeat(indent), " ".repeat(indent + bullet(words)));
    let text = paragraph.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let options =
        textwrap::Options::new(width).initial_indent(&outer).subsequent_indent(&inner).break_words(false);
    lines.extend(textwrap::wrap(&text, options).into_iter().map(|line| line.trim_end().to_owned()));
}

/// How far the words of a list's item stand in.
fn bullet(line: &str) -> usize {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &line[digits..];
    match digits {
        0 if rest.starts_with("- ") || rest.starts_with("* ") => 2,
        1.. if rest.starts_with(". ") => digits + 2,
        _ => 0,
    }
}

/// A description for a stub: what the contract says, and its signature there.
pub fn described(docs: Option<&str>, signature: &str) -> String {
    match docs {
        Some(docs) => format!("{}\n\n`{signature}`", docs.trim()),
        None => format!("`{signature}`"),
    }
}
