//! Shows what was found: in the style of a compiler for people, and as JSON for programs.
//!
//! # The JSON
//!
//! One object. `format` is 1, and changes when something is taken away or gets another meaning; fields may be added
//! without that. `fits` says whether there are no mismatches; `mismatches`, `wired`, `host`, `passed_over` and `unused` are what
//! [`Report`] has. Spans are byte offsets in the text beside them: `start`, and `end` after the last byte.

use std::fmt::Write;

use serde::Serialize;

use super::{Excerpt, Mismatch, Report};

/// Lines of an excerpt that are shown before and after the one that differs.
const AROUND: usize = 2;
/// Characters of a line that are shown.
const WIDEST: usize = 140;

#[derive(Serialize)]
struct Json<'a> {
    format: u32,
    fits: bool,
    #[serde(flatten)]
    report: &'a Report,
}

/// The JSON, as described in the [module's documentation](self), over several lines.
#[must_use]
pub fn json(report: &Report) -> String {
    let json = Json { format: 1, fits: report.fits(), report };
    serde_json::to_string_pretty(&json).expect("names and numbers always have a form in JSON")
}

/// All mismatches one after the other, each with both sides and the differing token underlined. Empty where all fits;
/// else it ends with a line feed.
#[must_use]
pub fn text(report: &Report, colour: bool) -> String {
    blocks(&report.mismatches, colour)
}

/// As [`text`], for mismatches without their report.
#[must_use]
pub fn blocks(mismatches: &[Mismatch], colour: bool) -> String {
    let ink = Ink { colour };
    let blocks: Vec<String> = mismatches.iter().map(|mismatch| block(mismatch, ink)).collect();
    blocks.join("\n")
}

fn block(mismatch: &Mismatch, ink: Ink) -> String {
    let mut text = String::new();
    let path = mismatch.path.join(" > ");
    line(&mut text, &format!("{} {}", ink.strong(&format!("{}:", mismatch.class)), path));
    line(&mut text, &format!("  {}", mismatch.problem));
    side(&mut text, &format!("wanted by `{}`", mismatch.wanted_by), mismatch.wanted.as_ref(), ink);
    if let Some(name) = &mismatch.offered_by {
        let role = if mismatch.shared { "wanted" } else { "offered" };
        side(&mut text, &format!("{role} by `{name}`"), mismatch.offered.as_ref(), ink);
    }
    for note in &mismatch.notes {
        line(&mut text, &format!("  note: {note}"));
    }
    line(&mut text, &format!("  {} {}", ink.way_out("help:"), mismatch.edit));
    text
}

/// One side of a difference: its title, and the text with the differing token underlined. Nothing where there is no text.
pub(crate) fn side(text: &mut String, title: &str, excerpt: Option<&Excerpt>, ink: Ink) {
    let Some(excerpt) = excerpt else { return };
    line(text, &format!("  {} {title}", ink.frame("╭─")));
    let lines: Vec<&str> = excerpt.text.split('\n').collect();
    let mut start = 0;
    let mut skipped = false;
    let marked = lines.iter().scan(0, |at, line| {
        let from = *at;
        *at += line.len() + 1;
        Some(from)
    });
    let marked: Vec<usize> = marked.collect();
    let hit = marked.iter().rposition(|from| *from <= excerpt.span.start).unwrap_or(0);
    for (index, content) in lines.iter().enumerate() {
        let near = index.abs_diff(hit) <= AROUND || index == 0 || index + 1 == lines.len();
        if near {
            skipped = false;
            shown(
                text,
                content,
                (index == hit).then(|| excerpt.span.start - start..excerpt.span.end.saturating_sub(start)),
                ink,
            );
        } else if !skipped {
            skipped = true;
            line(text, &format!("  {}   …", ink.frame("│")));
        }
        start += content.len() + 1;
    }
    line(text, &format!("  {}", ink.frame("╰─")));
}

/// A line of an excerpt, and the marks below it if it is the one that differs.
fn shown(text: &mut String, content: &str, span: Option<std::ops::Range<usize>>, ink: Ink) {
    let Some(span) = span else {
        let cut: String = content.chars().take(WIDEST).collect();
        line(text, &format!("  {} {cut}", ink.frame("│")));
        return;
    };
    let end = span.end.min(content.len()).max(span.start);
    let before: Vec<char> = content.get(..span.start).unwrap_or_default().chars().collect();
    let token: String = content.get(span.start..end).unwrap_or_default().chars().take(WIDEST).collect();
    let after: String = content.get(end..).unwrap_or_default().chars().take(WIDEST).collect();
    // Of a long line, what leads to the token is cut.
    let cut = before.len().saturating_sub(WIDEST / 2);
    let lead: String = if cut > 0 { "…".to_owned() } else { String::new() };
    let before: String = lead + &before[cut..].iter().collect::<String>();
    line(text, &format!("  {} {before}{}{after}", ink.frame("│"), ink.token(&token)));
    let width = token.chars().count();
    let marks = if width == 0 { "^".to_owned() } else { "─".repeat(width) };
    let indent = " ".repeat(before.chars().count());
    line(text, &format!("  {} {indent}{}", ink.frame("·"), ink.token(&marks)));
}

fn line(text: &mut String, content: &str) {
    writeln!(text, "{}", content.trim_end()).expect("writing to a string never fails");
}

/// Colours, or none.
#[derive(Clone, Copy)]
pub(crate) struct Ink {
    pub(crate) colour: bool,
}

impl Ink {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    fn token(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    fn frame(self, text: &str) -> String {
        self.paint("36", text)
    }

    pub(crate) fn way_out(self, text: &str) -> String {
        self.paint("1;36", text)
    }
}
