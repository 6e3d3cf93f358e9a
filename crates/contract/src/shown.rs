//! What all that is shown to people needs: columns, and nothing in it that steers the terminal.
//!
//! Names come from elsewhere. They may have tens of thousands of letters, more than the formatting of the standard library
//! pads to, and more than the lines beside them should be filled up with; and they may hold any character.

/// The widest that a column gets, in characters. A longer name sticks out, and leaves the other lines as they are.
const WIDEST: usize = 200;

/// How wide a column is that holds these, in characters: as the longest of them, but never more than 200.
#[must_use]
pub fn width<'a>(cells: impl IntoIterator<Item = &'a str>) -> usize {
    let lengths = cells.into_iter().map(|cell| cell.chars().count());
    lengths.max().unwrap_or_default().min(WIDEST)
}

/// A text and the spaces that fill it up to a width. One that is wider is left as it is.
#[must_use]
pub fn padded(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count())))
}

/// The text with all control characters but line feeds and tabs replaced by U+FFFD.
#[must_use]
pub fn harmless(text: &str) -> String {
    text.replace(is_harmful, "\u{fffd}")
}

/// Whether there are no control characters but line feeds and tabs in a text.
#[must_use]
pub fn is_harmless(text: &str) -> bool {
    !text.contains(is_harmful)
}

fn is_harmful(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

#[cfg(test)]
mod tests {
    use super::{harmless, is_harmless, padded, width};

    #[test]
    fn control_characters_do_not_pass() {
        let text = "a\tb\n\u{1b}[36;1mc\u{1b}]0;t\u{7}\r\u{9b}2J";
        assert!(!is_harmless(text));
        assert_eq!(harmless(text), "a\tb\n\u{fffd}[36;1mc\u{fffd}]0;t\u{fffd}\u{fffd}\u{fffd}2J");
        assert!(is_harmless(&harmless(text)));
    }

    #[test]
    fn a_long_name_sticks_out() {
        let long = "n".repeat(70_000);
        assert_eq!(width(["a", "één"]), 3);
        assert_eq!(width(["a", &long]), 200);
        assert_eq!(width([]), 0);
        assert_eq!(padded("één", 5), "één  ");
        assert_eq!(padded(&long, 200), long);
    }
}
